//! The panel of filters, and the row of those that are set.

use crate::state::format::count;

pub const PANEL: &str = "Filters and columns";
pub const SEARCH: &str = "Search filters";
pub const NONE_NAMED_SO: &str = "No loaded column has that name.";
pub const CLEAR_THIS: &str = "Clear this filter";
pub const WHAT: &str = "Name these rows …";
pub const WHAT_HINT: &str = "See what sets the selected rows apart, and give them a name";
pub const CLEAR_ALL_HINT: &str = "Clear all filters (X)";

pub const HOW: &str = "How to filter";
pub const BY_VALUES: &str = "Values";
pub const BY_TEXT: &str = "Text";
pub const SEARCH_VALUES: &str = "Search values";
pub const ONLY_MISSING: &str = "only";
pub const WITHOUT_MISSING: &str = "without";

pub const CONTAINS: &str = "Contains …";
pub const REGULAR_EXPRESSION: &str = "Regular expression";
pub const CASE_SIGN: &str = "Aa";
pub const CASE_MATTERS: &str = "Capital and small letters differ";

pub fn active(many: usize) -> String {
    format!("{many} active filters")
}

pub fn clear_all(many: usize) -> String {
    if many > 1 { format!("Clear all {many}") } else { "Clear".to_owned() }
}

pub fn clear_of(subject: &str) -> String {
    format!("Clear the filter of {subject}")
}

pub fn search_values_of(column: &str) -> String {
    format!("Search the values of {column}")
}

pub fn missing(number: u64) -> String {
    format!("{} missing", count(number))
}

pub fn text_in(column: &str) -> String {
    format!("Text in {column}")
}

/// The lower end of a range of this column.
pub fn lower_end(column: &str) -> String {
    format!("{column} from")
}

pub fn upper_end(column: &str) -> String {
    format!("{column} to")
}
