//! One row whole, beside the rows: every column of the table, also those that are not shown or
//! not loaded. Whoever wants it shown says its number by [`Command::ShowRecord`]; `step` goes to
//! the next one in whatever order its owner has.

use std::sync::Arc;

use crate::page::lasting::Lasting;
use engine::kind::Kind;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::icon::Icon;
use super::json::JsonView;
use super::picture::Picture;
use crate::page::browser;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::table::{Record, RecordValue};
use crate::state::command::Command;
use crate::state::pictures::{is_link, source};
use crate::texts;

#[component]
pub(super) fn RecordPanel(
    /// Goes so many rows on.
    step: Callback<i64>,
) -> impl IntoView {
    let page = use_page();
    view! {
        <Show when=move || page.table.record_of.get().is_some()>
            {part(move || panel(page, step))}
        </Show>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn panel(page: Page, step: Callback<i64>) -> Fetched {
    made(move || view! { <Panel page step/> })
}

#[component]
fn Panel(page: Page, step: Callback<i64>) -> impl IntoView {
    let search = Lasting::new(String::new());
    let close = move || page.dispatch(Command::ShowRecord { row: None });
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowUp" | "ArrowLeft" => -1,
            "ArrowDown" | "ArrowRight" => 1,
            "Escape" => {
                event.prevent_default();
                return close();
            }
            _ => return,
        };
        // Within a field, or a tree, arrows have their own meaning.
        let is_button = browser::is_focus_on("button") || browser::is_focus_on(".record");
        if is_button {
            event.prevent_default();
            step.run(by);
        }
    };
    let copy = move |_| {
        if let Some(record) = page.table.record.get_untracked() {
            browser::copy(page, &json_of(&record), texts::record::COPIED);
        }
    };
    let title = move || page.table.record_of.get().map(texts::record::row);
    let values = move || {
        let record = page.table.record.get();
        let wanted = search.get().trim().to_lowercase();
        let Some(record) = record else {
            return view! { <p class="quiet">{texts::record::LOADING}</p> }.into_any();
        };
        let found = record.values.iter().filter(|value| {
            let text = value.text.as_deref().unwrap_or_default();
            value.column.to_lowercase().contains(&wanted) || text.to_lowercase().contains(&wanted)
        });
        let row = record.row;
        let found = found.map(|value| view! { <Value page row value=value.clone()/> });
        let missing = record.missing.clone();
        view! {
            {missing.map(|said| view! { <p class="record-missing" role="status">{Icon::Offline.view()} {said}</p> })}
            <dl>{found.collect_view()}</dl>
        }
        .into_any()
    };
    // What is on screen may still be of the row before.
    let is_late = move || {
        page.table.record.with(|record| record.as_ref().map(|record| record.row))
            != page.table.record_of.get()
    };
    view! {
        <aside class="record" class:late=is_late aria-label=texts::record::RECORD tabindex="-1" on:keydown=on_key>
            <header>
                <h3 aria-live="polite">{title}</h3>
                <button type="button" class="icon-button small" aria-label=texts::record::PREVIOUS title=texts::record::PREVIOUS_HINT on:click=move |_| step.run(-1)>
                    {Icon::Up.view()}
                </button>
                <button type="button" class="icon-button small" aria-label=texts::record::NEXT title=texts::record::NEXT_HINT on:click=move |_| step.run(1)>
                    {Icon::Down.view()}
                </button>
                <button type="button" class="button small" on:click=copy>{texts::record::COPY_JSON}</button>
                <button type="button" class="icon-button small" aria-label=texts::record::CLOSE title=texts::record::CLOSE_HINT on:click=move |_| close()>
                    {Icon::Cancel.view()}
                </button>
            </header>
            <div class="search">
                {Icon::Search.view()}
                <input
                    type="search"
                    placeholder=texts::record::SEARCH
                    aria-label=texts::record::SEARCH
                    prop:value=move || search.get()
                    on:input=move |event| search.set(event_target_value(&event))
                />
            </div>
            <div class="record-values">{values}</div>
        </aside>
    }
}

/// An object of all values, in the table's order of columns.
fn json_of(record: &Arc<Record>) -> String {
    let mut text = "{".to_owned();
    for (at, value) in record.values.iter().enumerate() {
        text.push_str(if at == 0 { "\n  " } else { ",\n  " });
        text.push_str(&serde_json::to_string(&value.column).unwrap_or_default());
        text.push_str(": ");
        text.push_str(&value.json);
    }
    text.push_str("\n}\n");
    text
}

#[component]
fn Value(page: Page, row: u64, value: RecordValue) -> impl IntoView {
    let info = untrack(|| page.column(&value.column));
    let kind = info.as_ref().map_or(Kind::Nested, |info| info.kind);
    let data_type = info.map(|info| info.data_type).unwrap_or_default();
    let is_binary = data_type.contains("Binary");
    let is_picture = |text: &str| source(&value.column, is_binary, text).is_some();
    let is_nested = value.json.starts_with(['[', '{']);
    let shown = match value.text {
        None => view! { <i class="null">{texts::values::NULL}</i> }.into_any(),
        Some(text) if text.is_empty() => view! { <i class="null">"\"\""</i> }.into_any(),
        Some(text) if is_picture(&text) => {
            let column = value.column.clone();
            let link = is_link(&text).then(|| text.clone());
            let link = link.map(|link| view! { <LinkTo link/> });
            view! { <Picture column row text=Some(text) is_button=true/> {link} }.into_any()
        }
        Some(_) if is_nested => view! { <JsonView text=value.json.clone()/> }.into_any(),
        Some(text) if is_link(&text) => view! { <LinkTo link=text/> }.into_any(),
        Some(text) => view! { <span class:figure=kind == Kind::Number>{text}</span> }.into_any(),
    };
    view! {
        <div>
            <dt title=data_type.clone()>
                <span class="kind">{Icon::of_kind(kind).view()}</span>
                {value.column.clone()}
            </dt>
            <dd>{shown} {value.is_cut.then(|| view! { <small>{texts::record::IS_CUT}</small> })}</dd>
        </div>
    }
}

#[component]
fn LinkTo(link: String) -> impl IntoView {
    view! { <a href=link.clone() target="_blank" rel="noopener noreferrer">{link.clone()}</a> }
}
