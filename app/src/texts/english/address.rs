//! What is wrong with an address, or does not fit the table that it names.

pub const TOO_LONG: &str = "the address is too long to be a link of Limn";
pub const PART_TOO_LONG: &str = "a part of the address is too long";
pub const NO_TABLE: &str = "the address names no table";
pub const NEWER_LINK: &str = "the link is of a newer Limn: parts of it may be missing";

pub fn no_address(text: &str) -> String {
    format!("no address {text:?}: https://…")
}

pub fn no_view(text: &str) -> String {
    format!("no view {text:?}")
}

pub fn no_row(text: &str) -> String {
    format!("{text:?} is no row")
}

pub fn no_version(text: &str) -> String {
    format!("no version {text:?}")
}

pub fn no_width(text: &str) -> String {
    format!("no width {text:?}")
}

pub fn no_renderer(text: &str) -> String {
    format!("no renderer {text:?}: webgpu or raster")
}

pub fn no_budget(text: &str) -> String {
    format!("budget {text:?} is no number of bytes")
}

pub fn no_player(text: &str) -> String {
    format!("cannot read what is played: {text:?}")
}

pub fn no_filter(text: &str) -> String {
    format!("cannot read the filter {text:?}")
}

pub fn no_json_filter(error: &str) -> String {
    format!("cannot read a filter: {error}")
}

pub fn unreadable_view(text: &str) -> String {
    format!("cannot read the view {text:?}")
}

pub fn twice(view: u32) -> String {
    format!("view {view} is there twice")
}

pub fn too_many_filters(most: usize) -> String {
    format!("more than {most} filters")
}

pub fn too_many_values(most: usize) -> String {
    format!("more than {most} values in a filter")
}

pub fn no_name(text: &str) -> String {
    format!("no column, value and name in {text:?}")
}

pub fn too_many_names(most: usize) -> String {
    format!("more than {most} names of values")
}

pub fn too_many_views(most: usize) -> String {
    format!("more than {most} views")
}

pub fn too_many_columns(most: usize) -> String {
    format!("more than {most} columns")
}

pub fn too_many_sorted(most: usize) -> String {
    format!("more than {most} columns to sort by")
}

pub fn broken_percent(text: &str) -> String {
    format!("{text:?} has a broken %")
}

pub fn not_utf8(text: &str) -> String {
    format!("{text:?} is not UTF-8")
}

pub fn not_a_number(text: &str) -> String {
    format!("{text:?} is not a number")
}

pub fn no_range(low: &str, high: &str) -> String {
    format!("{low}:{high} is no range")
}

pub fn no_such_axis(view: &str, column: &str) -> String {
    format!("the view {view:?} was left out: column {column:?} has no such axis")
}

/// Columns that a table lacks, at its version if it has one.
pub fn columns_missing(names: &[String], version: Option<&str>) -> String {
    let quoted = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let version = version.map(|version| format!(" at version {version}")).unwrap_or_default();
    match names.len() {
        1 => format!("column {quoted} is not in this table{version}: what used it was left out"),
        _ => {
            format!("columns {quoted} are not in this table{version}: what used them was left out")
        }
    }
}
