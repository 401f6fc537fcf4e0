//! The record of the point that was clicked: all its values, until it is let go.

use crate::page::lasting::Derived;
use leptos::prelude::*;

use super::icon::Icon;
use super::picture::RowPicture;
use super::similar::{Asked, can_be_asked, similar_rows};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{WorkerState, use_page};
use crate::protocol::Request;
use crate::state::command::Command;
use crate::texts;

#[component]
pub(super) fn PinnedRecord() -> impl IntoView {
    let page = use_page();
    let row = Derived::new(move |_| page.model.with(|model| model.chosen.pinned));
    let loaded = Derived::new(move |_| {
        page.shown.with(|shown| shown.as_ref().map(|shown| (shown.complete, shown.total)))
    });
    // Leaves Rust: the worker marks what is chosen, also where it was started again, or has
    // more columns by now.
    Effect::new(move |before: Option<Option<u64>>| {
        page.worker.with(WorkerState::epoch);
        loaded.track();
        let row = row.get();
        if row.is_some() || before.flatten().is_some() {
            page.link.send(&Request::Pin { row });
        }
        row
    });
    // It stays while one of the rows that were found is pinned in place of this one.
    let asked = Asked::new(None);
    Effect::new(move |_| {
        page.described.track();
        asked.set(None);
    });
    view! {
        <Show when=move || row.get().is_some()>{part(move || panel(row, asked))}</Show>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn panel(row: Derived<Option<u64>>, asked: Asked) -> Fetched {
    made(move || view! { <Panel row asked/> })
}

#[component]
fn Panel(row: Derived<Option<u64>>, asked: Asked) -> impl IntoView {
    let page = use_page();
    let close = move |_| page.dispatch(Command::Pin { row: None });
    let on_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            page.dispatch(Command::Pin { row: None });
        }
    };
    let values = move || {
        let number = row.get();
        page.pinned.with(|pinned| {
            let values =
                pinned.as_ref().filter(|(row, _)| *row == number).map(|(_, values)| values);
            let values = values.map(Vec::as_slice).unwrap_or_default();
            if values.is_empty() {
                return view! { <p class="quiet">{texts::record::NOT_HERE}</p> }.into_any();
            }
            let picture = number.map(|row| {
                view! { <RowPicture row values=values.to_vec() is_button=true/> }
            });
            let values = values.iter().map(|(name, value)| {
                let text = value.clone().unwrap_or_else(|| texts::values::MISSING.to_owned());
                view! { <dt>{name.clone()}</dt><dd class:missing=value.is_none()>{text}</dd> }
            });
            view! { {picture} <dl>{values.collect_view()}</dl> }.into_any()
        })
    };
    move || {
        row.get().map(|number| {
            let title = texts::record::row(number);
            view! {
                <aside class="pin-panel" aria-label=title.clone() on:keydown=on_key>
                    <header>
                        <h2 role="status">{title.clone()}</h2>
                        <button type="button" class="icon-button" aria-label=texts::record::UNPIN title=texts::record::UNPIN_HINT on:click=close>
                            {Icon::Cancel.view()}
                        </button>
                    </header>
                    <div class="pin-values" tabindex="0" role="group" aria-label=texts::record::VALUES>
                        {values}
                        <Show when=move || can_be_asked(page)>{part(move || similar_rows(asked))}</Show>
                    </div>
                </aside>
            }
        })
    }
}
