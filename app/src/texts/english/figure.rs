//! Figures that are saved, and what is said about saving them.

use crate::state::format::count;

pub const ROWS: &str = "rows";
pub const SHARE_BELOW: &str = "share of rows below";
pub const POINTS_PER_CELL: &str = "points per cell";
pub const OTHER_OR_MISSING: &str = "other, no value";

pub const NOTHING_TO_SAVE: &str = "There is nothing to save yet.";
pub const BROWSER_REFUSED: &str = "the browser refused";
pub const NO_CANVAS: &str = "there is no canvas to draw on";

pub fn rows_by(column: &str) -> String {
    format!("rows by {column}")
}

pub fn size_of(column: &str) -> String {
    format!("Size: {column}")
}

pub fn shape_of(column: &str) -> String {
    format!("Shape: {column}")
}

/// The numbers that the smallest size stands for.
pub fn smallest(number: &str, has_missing: bool) -> String {
    format!("≤ {number}{}", if has_missing { " or no value" } else { "" })
}

/// Entries of a legend that have no room.
pub fn and_more(entries: usize) -> String {
    format!("and {entries} more")
}

/// Points beyond the ends of a ramp.
pub fn below(points: u64) -> String {
    format!("{} below", count(points))
}

pub fn above(points: u64) -> String {
    format!("{} above", count(points))
}

pub fn not_made(error: &str) -> String {
    format!("The picture could not be made: {error}")
}

pub fn saved(file: &str) -> String {
    format!("Saved {file}.")
}

pub fn not_saved(error: &str) -> String {
    format!("The picture could not be saved: {error}")
}
