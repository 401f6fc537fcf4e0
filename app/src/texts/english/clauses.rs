//! Filters in words.

pub const NOTHING: &str = "nothing";
pub const EVERYTHING: &str = "everything";
pub const IS_MISSING: &str = "is missing";
pub const IS_NOT_MISSING: &str = "is not missing";
/// A filter of another system's control, whose meaning depends on the column.
pub const AS_ITS_CONTROL: &str = "as its control says";
/// Between filters of which one is enough.
pub const OR: &str = " or ";

pub fn values(many: usize) -> String {
    format!("{many} values")
}

/// None of these values.
pub fn none_of(list: &str) -> String {
    format!("not {list}")
}

pub fn contains(text: &str, case_sensitive: bool) -> String {
    format!("contains “{text}”{}", if case_sensitive { " (case counts)" } else { "" })
}

pub fn matches(pattern: &str, case_sensitive: bool) -> String {
    format!("matches /{pattern}/{}", if case_sensitive { "" } else { "i" })
}

pub fn in_outline(corners: usize) -> String {
    format!("in an outline of {corners} corners")
}

pub fn not(filter: &str) -> String {
    format!("not ({filter})")
}
