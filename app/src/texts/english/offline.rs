//! What is kept in this browser.

use super::counts;
use crate::state::format::bytes;

pub const TITLE: &str = "Kept in this browser";
pub const WHAT: &str = "Columns you load are kept here, so that their tables open without a \
     network, as of the version they were loaded at. The least used go first when room is needed.";
pub const LOOKING: &str = "Looking …";
pub const BUDGET: &str = "Budget";
pub const DELETE_ALL: &str = "Delete all";
pub const NOTHING_KEPT: &str = "Nothing is kept yet: open a table.";

pub const TABLE: &str = "Table";
pub const VERSION: &str = "Version";
pub const COLUMNS: &str = "Columns";
pub const ROWS: &str = "Rows";
pub const SIZE: &str = "Size";
pub const LOADED: &str = "Loaded";
pub const DELETE: &str = "Delete";

pub const ASK: &str = "Ask it to keep this";
pub const PROMISED: &str = "The browser keeps it until you delete it.";
pub const IS_PROMISED: &str = "The browser keeps this until you delete it.";
pub const NOT_PROMISED: &str = "The browser did not promise: it may delete what is kept when the \
     disk is full. A bookmark or installing Limn helps.";

pub fn unavailable(is_empty: bool, reason: &str) -> String {
    let more = if is_empty { "Nothing" } else { "Nothing more" };
    format!("{more} can be kept here: {reason}. Tables still open while the companion answers.")
}

/// Before the list that the budget is chosen from.
pub fn used_of(used_bytes: u64) -> String {
    format!("{} of at most ", bytes(used_bytes))
}

pub fn columns(many: usize) -> String {
    counts::columns(many as u64)
}

pub fn delete_of(table: &str) -> String {
    format!("Delete what is kept of {table}")
}

/// Before a button.
pub fn offered(quota_bytes: u64) -> String {
    format!(
        "The browser offers {} and may delete what is kept here when the disk is full. ",
        bytes(quota_bytes)
    )
}
