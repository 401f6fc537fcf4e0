//! What is selected, copied as a text: a query, SQL, a program.

use leptos::prelude::*;

use super::browser;
use super::parts::{SplitLoaderError, wasm_split};
use super::signals::Page;
use crate::protocol::Level;
use crate::state::copy_as::{self, CopyForm};
use crate::texts;

/// Few do that: it is fetched with what opens on a press.
#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn copy(page: Page, form: CopyForm) -> Result<(), SplitLoaderError> {
    let query = page.model.with_untracked(|model| copy_as::query(&model.chosen));
    let (Some(query), Some(api)) = (query, page.api.get_value()) else {
        page.notify(Level::Warning, texts::notices::NO_COMPANION_FOR_QUERY);
        return Ok(());
    };
    let is_float = |name: &str| {
        let column = untrack(|| page.column(name));
        column.is_some_and(|column| column.data_type.starts_with("Float"))
    };
    match copy_as::text(&query, form, &api, &is_float) {
        Some(text) => {
            let done = texts::notices::selection_copied(form.name());
            browser::copy(page, &text, done);
        }
        None => page.notify(Level::Warning, texts::notices::not_said_as(form.name())),
    }
    Ok(())
}
