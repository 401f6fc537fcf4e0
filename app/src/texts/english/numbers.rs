//! A chart's numbers as a table.

use crate::state::format::count;

/// The ends of a bin.
pub const ENDS: [&str; 2] = ["from", "to"];
/// The rows that pass, and all.
pub const COUNTS: [&str; 2] = ["rows", "all rows"];
pub const SHARE_BELOW_END: &str = "share below its end";
pub const LAST_SHARE: &str = "the last share is of rows up to and with its end";

pub const COLOR: &str = "colour";
pub const POINTS: &str = "points";
pub const ALL: &str = "all";

/// What is told of each group of a box plot.
pub const BOXES: [&str; 11] = [
    "values",
    "mean",
    "least",
    "whisker",
    "first quartile",
    "median",
    "third quartile",
    "whisker",
    "most",
    "outliers below",
    "outliers above",
];

pub fn not_above_zero(rows: u64) -> String {
    format!("{} not above zero", count(rows))
}

pub fn without_value(rows: u64) -> String {
    format!("{} without a value", count(rows))
}

/// Below the table of a scatter, with what the scatter leaves out.
pub fn each_point_is_a_row(left_out: &[String]) -> String {
    let mut text = "Each point is one of the rows below".to_owned();
    for words in left_out {
        text.push_str(", ");
        text.push_str(words);
    }
    text.push('.');
    text
}
