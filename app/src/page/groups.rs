//! Answers about groups of rows on their way to the dialog that asked: unread, since what reads
//! them is fetched with it.

use leptos::prelude::*;

use super::signals::Page;
use crate::state::command::Dialog;

/// The number of a request, and its answer or why there is none.
pub(super) type Letter = (u64, Result<String, String>);

/// The number of the next request.
pub(super) fn next(page: Page) -> u64 {
    page.letters_sent
        .try_update_value(|sent| {
            *sent += 1;
            *sent
        })
        .unwrap_or_default()
}

pub(super) fn receive(page: Page, letter: Letter) {
    // Nobody waits once the dialog is closed.
    if matches!(page.dialog.get_untracked(), Some(Dialog::Groups | Dialog::Find)) {
        page.letters.update(|letters| letters.push(letter));
    }
}
