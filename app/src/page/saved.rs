//! Views kept under a name in this browser.

use leptos::prelude::*;

use super::signals::Page;
use super::{address_bar, browser};
use crate::protocol::Level;
use crate::state::AddressChange;
use crate::state::address;
use crate::state::command::Command;
use crate::state::saved::{self, SavedView};
use crate::texts;

const STORED: &str = "saved";

impl Page {
    /// Reads them anew: another tab may have changed them. Where the browser keeps nothing,
    /// they hold for the visit.
    pub(super) fn read_saved(self) {
        if let Some(text) = browser::kept(STORED) {
            self.saved.set(saved::read(&text));
        }
    }

    fn change_saved<T>(self, change: impl FnOnce(&mut Vec<SavedView>) -> T) -> Option<T> {
        self.read_saved();
        let changed = self.saved.try_update(change);
        browser::keep(STORED, &self.saved.with_untracked(|saved| saved::write(saved)));
        changed
    }

    /// Keeps what is on screen, or the given query, under a name.
    pub(super) fn save_view(self, name: &str, query: Option<String>) {
        let Some(name) = saved::name(name) else { return };
        let query = query.unwrap_or_else(|| address_bar::query(self));
        let view = SavedView { name: name.clone(), query };
        match self.change_saved(|all| saved::save(all, view)).flatten() {
            None => self.notify(Level::Info, texts::notices::view_saved(&name)),
            Some(SavedView { name, query }) => {
                let text = texts::notices::view_replaced(&name);
                let back = Command::SaveView { name, query: Some(query) };
                self.notify_with(Level::Info, text, Some((texts::toolbar::UNDO.to_owned(), back)));
            }
        }
    }

    pub(super) fn forget_view(self, name: &str) {
        let gone = self.change_saved(|all| saved::forget(all, name)).flatten();
        if let Some(SavedView { name, query }) = gone {
            let text = texts::notices::view_forgotten(&name);
            let back = Command::SaveView { name, query: Some(query) };
            self.notify_with(Level::Info, text, Some((texts::toolbar::UNDO.to_owned(), back)));
        }
    }

    /// Opens what a query part of an address says, as a link would.
    pub(super) fn open_query(self, query: &str) {
        let read = address::read(query);
        for complaint in read.complaints {
            self.notify(Level::Warning, complaint);
        }
        self.tables_open.set(false);
        self.adopt(read.chosen);
        address_bar::follow(self, AddressChange::Push);
    }
}
