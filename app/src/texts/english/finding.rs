//! Rows found by words.

use crate::state::format;

pub const TITLE: &str = "Find rows";
pub const LABEL: &str = "Words that their texts have";
pub const HINT: &str = "Rows whose texts have all of these words, among those that pass the filters. Enter goes to the point of the first.";
pub const NO_TEXTS: &str = "No column of this table has texts.";
pub const NONE: &str = "No row that passes the filters has all of these words.";

pub fn found(rows: usize, is_cut: bool) -> String {
    let rows = format::count(rows as u64);
    if is_cut { format!("The first {rows} rows") } else { format!("{rows} rows") }
}

pub fn row(row: u64) -> String {
    format!("Row {}", format::count(row))
}
