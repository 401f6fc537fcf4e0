//! What is wrong with what was typed into a field, and how to write it.

pub const ONLY_NULL: &str = "only null and !null can be asked of this column";
pub const NO_END: &str = "a range needs an end: 1..4, 1.. or ..4";
pub const NO_ORDER: &str = "yes and no have no order: write yes, no, null or !null";
pub const NO_PATTERN: &str = "a pattern is missing between the slashes";

pub fn not_a_number(text: &str) -> String {
    format!("{text:?} is not a number: write it like -12.5 or 3e6")
}

pub fn not_a_time_of_day(text: &str) -> String {
    format!("{text:?} is not a time of day: write it like 14:30:00")
}

pub fn not_a_date(text: &str) -> String {
    format!("{text:?} is not a date: write it like 2001-03-31 or 2001-03-31T14:30:00")
}

/// Where a year or a month alone would do.
pub fn not_a_span(text: &str) -> String {
    format!("{text:?} is not a date: write 2024, 2024-03, 2024-03-31 or 2024-03-31T14:30:00")
}

pub fn no_month(text: &str) -> String {
    format!("{text} is no month")
}

pub fn neither_yes_nor_no(text: &str) -> String {
    format!("{text:?} is neither yes nor no")
}

pub fn no_value_after(sign: &str) -> String {
    format!("a value is missing after {sign}")
}

pub fn after(low: &str, high: &str) -> String {
    format!("{low} is after {high}")
}

pub fn unknown_flags(flags: &str) -> String {
    format!("after the pattern stands nothing or c, not {flags:?}")
}
