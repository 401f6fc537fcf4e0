//! The picture of a row, from its cell, from the web or by the companion; and a picture as
//! large as the window lets it be.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::icon::Icon;
use crate::page::lasting::{Derived, Lasting};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::pictures::why_not;
use crate::page::signals::{Page, use_page};
use crate::state::pictures::{Source, addresses, source, whole};
use crate::texts;

/// The picture of a row, small where it stands. Where it cannot be shown it says why.
#[component]
pub(super) fn Picture(
    /// The column that has it.
    column: String,
    row: u64,
    /// What the cell says, if that is here: the worker is asked otherwise.
    #[prop(optional_no_strip)]
    text: Option<String>,
    /// Whether a click shows it large.
    #[prop(optional)]
    is_button: bool,
) -> impl IntoView {
    part(move || picture(column.clone(), row, text.clone(), is_button))
}

// Most tables have none.
#[wasm_split(pictures, wasm_split_path = leptos::wasm_split, fallible)]
fn picture(column: String, row: u64, text: Option<String>, is_button: bool) -> Fetched {
    made(move || shown(column.clone(), row, text.clone(), is_button))
}

fn shown(column: String, row: u64, text: Option<String>, is_button: bool) -> AnyView {
    let page = use_page();
    let alt = texts::rows::picture_of(&column, row);
    let places = Derived::new(move |_| places(page, &column, row, text.as_deref()));
    let at = Lasting::new(0_usize);
    let refused = Lasting::new(None::<String>);
    let failed = move |_| {
        let Some(Ok((addresses, _))) = places.get_untracked() else { return };
        let next = at.get_untracked() + 1;
        match addresses.get(next - 1) {
            Some(_) if next < addresses.len() => at.set(next),
            Some(address) if address.contains("/api/image?") => {
                let address = address.to_string();
                spawn_local(async move {
                    let why = why_not(address).await;
                    refused.try_set(Some(why));
                });
            }
            _ => refused.set(Some(texts::rows::PICTURE_NOT_LOADED.to_owned())),
        }
    };
    let missing = |reason: String, said: &str| {
        let title = texts::rows::no_picture(&reason, said);
        // A path that leads nowhere is a text like any other.
        let words = if said.is_empty() { reason } else { said.to_owned() };
        view! { <span class="no-picture" title=title>{Icon::Warning.view()} {words}</span> }
            .into_any()
    };
    (move || {
        let (addresses, said) = match places.get() {
            None => return view! { <span class="no-picture">"…"</span> }.into_any(),
            Some(Err((reason, said))) => return missing(reason, &said),
            Some(Ok(places)) => places,
        };
        if let Some(reason) = refused.get() {
            return missing(reason, &said);
        }
        let Some(src) = addresses.get(at.get()).cloned() else { return ().into_any() };
        let (large, label) = (whole(&src).to_owned(), alt.clone());
        let image = view! {
            <img
                src=src.to_string()
                alt=alt.clone()
                loading="lazy"
                decoding="async"
                referrerpolicy="no-referrer"
                on:error=failed
            />
        };
        if !is_button {
            return image.into_any();
        }
        view! {
            <button
                type="button"
                class="thumbnail"
                tabindex="-1"
                aria-label=texts::rows::enlarge(&alt)
                on:click=move |_| page.table.large.set(Some((large.clone(), label.clone())))
            >
                {image}
            </button>
        }
        .into_any()
    })
    .into_any()
}

/// The picture of a row of which some values are known, above them; nothing where the table
/// has none.
#[component]
pub(super) fn RowPicture(
    row: u64,
    values: Vec<(String, Option<String>)>,
    #[prop(optional)] is_button: bool,
) -> impl IntoView {
    let page = use_page();
    for (column, text) in &values {
        let is_binary = untrack(|| page.column(column))
            .is_some_and(|column| column.data_type.contains("Binary"));
        if text.as_ref().is_some_and(|text| source(column, is_binary, text).is_some()) {
            page.picture_seen(column);
        }
    }
    let column = untrack(|| page.picture_column())?.name;
    let known = values.into_iter().find(|(name, _)| *name == column).map(|(_, text)| text);
    match known {
        // The row has none.
        Some(None) => None,
        known => Some(view! {
            <div class="row-picture">
                <Picture column row text=known.flatten() is_button/>
            </div>
        }),
    }
}

/// Addresses to try, and the path that is shown if none has it; or why there are none.
type Places = Result<(Vec<Arc<str>>, String), (String, String)>;

/// None until the worker has answered.
fn places(page: Page, column: &str, row: u64, text: Option<&str>) -> Option<Places> {
    let known = text.and_then(|text| source(column, false, text));
    let found = match known {
        Some(Source::Cell) | None => match page.cell_image(row, column)? {
            Err(reason) => return Some(Err((reason, String::new()))),
            Ok(text) if text.starts_with("data:") => return Some(Ok((vec![text], String::new()))),
            // The text of a cell that was not here.
            Ok(text) => source(column, false, &text),
        },
        known => known,
    };
    let table = page.model.with(|model| model.chosen.table.clone()).unwrap_or_default();
    let api = page.api.get_value();
    Some(match found {
        Some(Source::Cell) | None => {
            Err((texts::refusals::NO_PICTURE_IN_BYTES.to_owned(), String::new()))
        }
        Some(found) => {
            let (said, reason) = match &found {
                Source::Beside(path) => (path.clone(), texts::rows::NO_COMPANION_FOR_PICTURE),
                _ => (String::new(), texts::rows::PICTURE_NOT_SECURE),
            };
            match addresses(&found, api.as_deref(), &table) {
                none if none.is_empty() => Err((reason.to_owned(), said)),
                addresses => Ok((addresses.into_iter().map(Arc::from).collect(), said)),
            }
        }
    })
}

/// A picture as large as the window lets it be.
#[component]
pub(super) fn Lightbox() -> impl IntoView {
    let picture = use_page().table.large;
    let is_open = Derived::new(move |_| picture.with(Option::is_some));
    view! { <Show when=move || is_open.get()>{part(lightbox)}</Show> }
}

#[wasm_split(pictures, wasm_split_path = leptos::wasm_split, fallible)]
fn lightbox() -> Fetched {
    made(|| view! { <Large/> })
}

#[component]
fn Large() -> impl IntoView {
    let picture = use_page().table.large;
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get().filter(|dialog| !dialog.open()) {
            drop(dialog.show_modal());
        }
    });
    let content = move || {
        picture.get().map(|(src, label)| {
            view! {
                <img src=src alt=label.clone() referrerpolicy="no-referrer"/>
                <p>{label}</p>
            }
        })
    };
    view! {
        <dialog
            node_ref=dialog
            class="lightbox"
            aria-label=texts::rows::PICTURE
            on:close=move |_| picture.set(None)
            on:click=move |_| picture.set(None)
        >
            <button type="button" class="icon-button" aria-label=texts::frame::CLOSE>{Icon::Cancel.view()}</button>
            {content}
        </dialog>
    }
}
