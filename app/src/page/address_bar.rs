//! The address bar: read at the start and when going back, written after every change of
//! what was chosen. Drags and pans rewrite the same entry, and not more often than a
//! browser allows.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::browser;
use super::signals::Page;
use crate::protocol::{Level, short_name};
use crate::state::AddressChange;
use crate::state::address::{self, Read};
use crate::texts;

/// Browsers refuse more than a few rewrites a second.
const REWRITE_MILLIS: u64 = 300;

thread_local! {
    static REWRITE_PENDING: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn read() -> Read {
    address::read(&window().location().search().unwrap_or_default())
}

/// Follows back and forward.
pub(super) fn listen(page: Page) {
    browser::listen_forever(window().as_ref(), "popstate", move |_: web_sys::Event| {
        adopt(page, read());
    });
}

/// Shows a table, of which `link` says how, instead of nothing.
pub(super) fn open_first(page: Page, table: &str, link: &str) {
    let opened = address::opening(table);
    adopt(page, address::read(&format!("{opened}&{link}")));
    write(page, false);
}

fn adopt(page: Page, read: Read) {
    for complaint in read.complaints {
        page.notify(Level::Warning, complaint);
    }
    page.adopt(read.chosen);
    name_tab(page);
}

pub(super) fn follow(page: Page, change: AddressChange) {
    match change {
        AddressChange::None => {}
        AddressChange::Push => write(page, true),
        AddressChange::Replace => {
            if !REWRITE_PENDING.replace(true) {
                let rewrite = move || {
                    if REWRITE_PENDING.replace(false) {
                        write(page, false);
                    }
                };
                set_timeout(rewrite, Duration::from_millis(REWRITE_MILLIS));
            }
        }
    }
    name_tab(page);
}

/// The query part of the address of what is on screen.
pub(super) fn query(page: Page) -> String {
    let options = page.options.get_value();
    page.model.with_untracked(|model| address::write(&model.chosen, &options))
}

fn write(page: Page, new_entry: bool) {
    REWRITE_PENDING.set(false);
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    let target = format!("{path}{}{}", query(page), location.hash().unwrap_or_default());
    let Ok(history) = window().history() else { return };
    // A refusal costs the entry, not the view.
    drop(match new_entry {
        true => history.push_state_with_url(&JsValue::NULL, "", Some(&target)),
        false => history.replace_state_with_url(&JsValue::NULL, "", Some(&target)),
    });
}

fn name_tab(page: Page) {
    let title = page
        .model
        .with_untracked(|model| texts::frame::tab(model.chosen.table.as_deref().map(short_name)));
    document().set_title(&title);
}

/// What opens the same elsewhere.
pub(super) fn link(page: Page) -> String {
    let location = window().location();
    let origin = location.origin().unwrap_or_default();
    format!("{origin}{}{}", location.pathname().unwrap_or_default(), query(page))
}

pub(super) fn copy_link(page: Page) {
    let link = link(page);
    browser::copy(page, &link, texts::notices::LINK_COPIED);
}
