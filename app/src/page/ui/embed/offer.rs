//! Who could map the table that is shown, and the button that is there where somebody could.

use leptos::prelude::*;

use super::is_online;
use crate::page::browser;
use crate::page::lasting::Derived;
use crate::page::signals::{Page, use_page};
use crate::page::ui::icon::Icon;
use crate::protocol::Origin;
use crate::state::command::{Command, Dialog};
use crate::state::{embed, encode};
use crate::texts::embed as words;

/// Opens the dialog, where the table has vectors, or pictures of which some can be made.
#[component]
pub(in crate::page::ui) fn EmbedButton() -> impl IntoView {
    let page = use_page();
    let is_offered = Derived::new(move |_| by_companion(page) || here(page) || has_pictures(page));
    view! {
        <Show when=move || is_offered.get()>
            <button
                type="button"
                class="button embed-open"
                title=words::HINT
                on:click=move |_| page.dispatch(Command::ShowDialog { dialog: Some(Dialog::Embed) })
            >
                {Icon::Vector.view()}
                <span>{words::SHORT}</span>
            </button>
        </Show>
    }
}

/// Whether the companion could map this table.
pub(super) fn by_companion(page: Page) -> bool {
    let Some(schema) = page.schema().filter(|_| is_online(page)) else { return false };
    page.model.with(|model| embed::is_mappable(model.chosen.table.as_deref(), &schema.columns))
}

/// Whether the companion could make vectors of its pictures, which would be mapped then.
fn has_pictures(page: Page) -> bool {
    let Some(schema) = page.schema().filter(|_| is_online(page)) else { return false };
    let is_own = page.model.with(|model| embed::is_own(model.chosen.table.as_deref()));
    is_own && encode::has_pictures(&schema.columns)
}

/// Whether this browser could: the table is in it.
pub(super) fn here(page: Page) -> bool {
    let is_here =
        page.shown.with(|shown| shown.as_ref().is_some_and(|s| s.origin != Origin::Server));
    is_here && has_vectors(page) && mapper().is_some()
}

pub(super) fn has_vectors(page: Page) -> bool {
    page.schema().is_some_and(|schema| embed::has_vectors(&schema.columns))
}

/// The script of the program that maps.
pub(super) fn mapper() -> Option<String> {
    browser::boot_value("mapper")?.as_string()
}
