//! The selected rows as a file, with the columns and in the order of the table: written by the
//! companion while it is fetched, or by this browser where no companion has the table.

use leptos::prelude::*;

use crate::page::jobs;
use crate::page::signals::{Companion, Page};
use crate::page::{browser, figure};
use crate::protocol::Level;
use crate::state::copy_as::{self, FileForm};
use crate::state::embed;
use crate::texts;

pub(super) fn save(page: Page, form: FileForm) {
    let chosen = page.model.with_untracked(|model| model.chosen.clone());
    let is_own = embed::is_own(chosen.table.as_deref());
    let is_online = page.companion.get_untracked() == Companion::Online;
    let api = page.api.get_value().filter(|_| is_own && is_online);
    match (api, copy_as::query(&chosen)) {
        (Some(api), Some(query)) => {
            let address = copy_as::file_address(&query, form, &api, browser::encoded);
            if figure::download(&address, "").is_err() {
                page.notify(Level::Error, texts::rows::NOT_SAVED);
            }
        }
        _ => {
            let columns = copy_as::columns(&chosen);
            columns.iter().for_each(|column| page.load_too(column));
            if let Some(text) = copy_as::file_request(&chosen, form) {
                page.notify(Level::Info, texts::rows::SAVING);
                jobs::begin_here(page, text, String::new());
            }
        }
    }
}
