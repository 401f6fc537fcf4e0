//! The page: what the user sees and does. It decodes, filters and draws nothing; it asks
//! the worker, and shows plain values.
//!
//! One direction: a gesture becomes a [`crate::state::command::Command`], [`act`] applies
//! it to what was chosen and asks the worker through [`link`], [`receive`] puts the
//! answers into the signals of [`signals`], and components show those. Components own no
//! data; all signals are owned by the root.

mod act;
mod address_bar;
mod api;
mod browser;
mod companion;
mod copied;
mod dropped;
mod figure;
mod groups;
mod jobs;
mod lasting;
mod link;
mod parts;
mod pictures;
mod receive;
mod saved;
mod shell;
mod signals;
mod table;
mod theme;
mod ui;

use leptos::prelude::*;

/// Mounts the page on the document's body.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        browser::show_fatal(&info.to_string());
    }));
    browser::state_language();
    mount_to_body(ui::App);
    browser::remove_boot_screen();
    // From here on there is something to use.
    browser::mark("limn:shell");
}
