//! A nested value as a tree that opens and closes, made as far as it is open.

use crate::page::lasting::Lasting;
use crate::texts;
use js_sys::{Array, JSON, Object};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// Entries made at once of a long list.
const ENTRIES_SHOWN: u32 = 100;

#[component]
pub(super) fn JsonView(text: String) -> impl IntoView {
    match JSON::parse(&text) {
        Ok(value) => tree(&value, None, true),
        Err(_) => view! { <span>{text}</span> }.into_any(),
    }
}

fn tree(value: &JsValue, name: Option<String>, open: bool) -> AnyView {
    let label = name.map(|name| view! { <b>{name}": "</b> });
    let Some(entries) = value.dyn_ref::<Object>().map(Object::entries) else {
        let text = JSON::stringify(value).map(String::from).unwrap_or_default();
        let class = match () {
            () if value.is_null() => "null",
            () if value.is_string() => "text",
            () => "figure",
        };
        return view! { <span class="leaf">{label}<span class=class>{text}</span></span> }
            .into_any();
    };
    let n_entries = entries.length();
    let is_list = Array::is_array(value);
    let said = match (is_list, n_entries) {
        (true, 0) => "[]".to_owned(),
        (false, 0) => "{}".to_owned(),
        (true, n) => format!("[{n}]"),
        (false, n) => format!("{{{n}}}"),
    };
    if n_entries == 0 {
        return view! { <span class="leaf">{label}{said}</span> }.into_any();
    }
    let is_open = Lasting::new(open);
    let shown = Lasting::new(ENTRIES_SHOWN);
    // What the page does not show is not made.
    let entries = StoredValue::new_local(entries);
    let children = move || {
        let upto = shown.get().min(n_entries);
        let children = (0..upto).map(|at| {
            let entry: Array = entries.with_value(|entries| entries.get(at)).unchecked_into();
            view! { <li>{tree(&entry.get(1), entry.get(0).as_string(), false)}</li> }
        });
        let more = (upto < n_entries).then(|| view! {
            <li>
                <button type="button" class="text-button" on:click=move |_| shown.update(|n| *n += 10 * ENTRIES_SHOWN)>
                    {texts::record::more(n_entries - upto)}
                </button>
            </li>
        });
        view! { <ul>{children.collect_view()}{more}</ul> }
    };
    let toggle = move |event: web_sys::MouseEvent| {
        event.prevent_default();
        is_open.update(|open| *open = !*open);
    };
    view! {
        <details class="json" prop:open=move || is_open.get()>
            <summary on:click=toggle>{label}{said}</summary>
            <Show when=move || is_open.get()>{children}</Show>
        </details>
    }
    .into_any()
}
