//! Rows that are like a row.

use crate::state::format;

pub const SIMILAR: &str = "Similar rows";
pub const HINT: &str = "The rows whose vectors point most nearly the same way";
pub const LOOKING: &str = "Looking at every vector …";
pub const NONE: &str = "No other row has a vector.";
pub const SILENT: &str = "The companion did not answer in time. Try again.";

pub fn like(row: u64) -> String {
    format!("Like row {}", format::count(row))
}

pub fn distance(distance: f64) -> String {
    format!("{distance:.3}")
}

pub fn neighbour(row: u64, far: f64) -> String {
    format!("Row {}, at a distance of {}", format::count(row), distance(far))
}

pub fn by(column: &str) -> String {
    format!("By the cosine of {column}, all rows measured.")
}
