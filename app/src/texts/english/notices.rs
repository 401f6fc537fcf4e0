//! What the page says about what was done, or could not be, and what it offers then.

use super::counts;
use crate::state::format::{bytes, count};

pub const NO_CLIPBOARD: &str = "This page may not write to the clipboard now.";
pub const LINK_COPIED: &str = "Link copied. It opens this table, version, filters and views.";
pub const COPIED: &str = "Copied.";
pub const COPY_NOW: &str = "Copy now";
pub const NO_COMPANION_FOR_QUERY: &str =
    "This table is in no companion that a query could be sent to.";
pub const NO_PICTURES: &str =
    "No picture was seen in this table: show its rows, with the column that has them.";
pub const NO_CELL_SELECTED: &str = "No cell is selected: click one, or drag over some.";

pub const NEW_VERSION: &str = "A new version of Limn is ready.";
pub const RELOAD: &str = "Reload";
pub const PART_NOT_FETCHED: &str = "This part of the page could not be fetched. ";

/// Where the page's own program is lost.
pub const PAGE_STOPPED: &str = "Limn has stopped. Reload the page: the address keeps your view.";
/// Every notice of [`started_again`] begins with it.
pub const STARTED_AGAIN: &str = "The part that holds the data stopped and was started again";

/// Why the part that holds the data stopped, where it could not say so itself.
pub const NO_WORKERS: &str = "this browser has no module workers";
pub const NO_WORKER_PROGRAM: &str = "its program could not be loaded";

pub fn unreadable_reply(error: &str) -> String {
    format!("cannot read what it said: {error}")
}

pub fn started_again(reason: &str) -> String {
    format!("{STARTED_AGAIN}: {reason}")
}

pub fn not_said_as(form: &str) -> String {
    format!("This selection cannot be said as {form}")
}

pub fn selection_copied(form: &str) -> String {
    format!("Copied {form}: it gives the selected rows.")
}

pub fn numbers_copied(lines: u64) -> String {
    format!("Copied {}.", counts::counted(lines, "line"))
}

pub fn rows_copied(rows: u64, n_bytes: u64) -> String {
    format!("Copied {}, {}.", counts::rows(rows), bytes(n_bytes))
}

pub fn nothing_copied(detail: &str) -> String {
    format!("Nothing was copied: {detail}.")
}

pub fn too_many_cells(cells: u64, most: u64) -> String {
    format!(
        "{} cells are selected, and at most {} are copied at once. The whole selection is had by \
         “Copy the selection as …” (Ctrl K).",
        count(cells),
        count(most)
    )
}

pub fn view_saved(name: &str) -> String {
    format!("Saved as {name:?}.")
}

pub fn view_replaced(name: &str) -> String {
    format!("Saved as {name:?}, in place of the view of that name.")
}

pub fn view_forgotten(name: &str) -> String {
    format!("{name:?} is no longer saved.")
}
