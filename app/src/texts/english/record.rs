//! The record of a row: beside the rows, or of the point that was clicked.

use crate::state::format::count;

pub const RECORD: &str = "Record";
pub const PREVIOUS: &str = "Previous row";
pub const PREVIOUS_HINT: &str = "Previous row (↑)";
pub const NEXT: &str = "Next row";
pub const NEXT_HINT: &str = "Next row (↓)";
pub const COPY_JSON: &str = "Copy JSON";
pub const COPIED: &str = "Record copied as JSON.";
pub const CLOSE: &str = "Close the record";
pub const CLOSE_HINT: &str = "Close (Escape)";
pub const SEARCH: &str = "Search this record";
pub const LOADING: &str = "Loading …";
/// After a value.
pub const IS_CUT: &str = " (cut: it is longer)";

pub const VALUES: &str = "Values";
pub const NOT_HERE: &str = "Its values are not in this browser.";
pub const UNPIN: &str = "Let the row go";
pub const UNPIN_HINT: &str = "Let go (Escape)";

pub fn row(number: u64) -> String {
    format!("Row {}", count(number))
}

/// Entries of a nested value that are not shown yet.
pub fn more(entries: u32) -> String {
    format!("{entries} more")
}
