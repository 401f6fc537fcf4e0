//! Scatters: their titles, tools, menus and legends, and what they show in words.

use crate::state::format::{count, number, short_count};

pub const KIND: &str = "scatter plot";

pub const VERTICAL_AXIS: &str = "Vertical axis";
/// Between both axes.
pub const BY: &str = "by";
pub const HORIZONTAL_AXIS: &str = "Horizontal axis";
pub const COLOR: &str = "Colour";
/// Before the column of the colours.
pub const COLORED_BY: &str = "colour";
pub const NO_COLOR: &str = "none";

pub const SELECT_BOX: &str = "Select by dragging";
pub const SELECT_BOX_HINT: &str = "Drag to select a box (or hold Shift). Then Shift adds, Alt takes \
     away, both keep what is common";
pub const SELECT_LASSO: &str = "Select with a lasso";
pub const SELECT_LASSO_HINT: &str = "Draw around points (or hold Ctrl and Shift). Then Shift adds, \
     Alt takes away, both keep what is common";
pub const SHOW_EVERYTHING: &str = "Show everything";
pub const SHOW_EVERYTHING_HINT: &str = "Show everything (double click, or 0)";
pub const PLAY_OVER: &str = "Play over";
pub const PLAY_NOTHING: &str = "nothing";
pub const SWAP_AXES: &str = "Swap the axes";
pub const SELECT_SHOWN: &str = "Select what is shown";

pub const LASSO: &str = "lasso";
pub const BOX: &str = "box";
pub const SELECTION: &str = "selection";

pub const COUNTED_IN_BINS: &str = "counted in bins";
pub const POINTS_PER_BIN: &str = "points per bin";

pub fn name(x: &str, y: &str) -> String {
    format!("Scatter of {y} by {x}")
}

pub fn log_axis_of(column: &str) -> String {
    format!("Log axis: {column}")
}

/// Rows that a logarithmic axis cannot show.
pub fn not_above_zero(rows: u64) -> String {
    format!("{} not above 0", count(rows))
}

/// An axis of names that has room for so many.
pub fn names_and_others(names: usize) -> String {
    format!("{names} names and others")
}

/// What is shown of a column, by the ends of its axis.
pub fn range(low: &str, high: &str) -> String {
    format!("{low} to {high}")
}

/// A scatter in one sentence: what is listed of it, and the ranges that are shown.
pub fn summary(x: &str, y: &str, facts: &[String], ranges: Option<[String; 2]>) -> String {
    let mut text = name(x, y);
    for fact in facts {
        text.push_str(", ");
        text.push_str(fact);
    }
    if let Some([across, up]) = ranges {
        text.push_str(&format!(". {x} from {across}, {y} from {up}"));
    }
    text
}

pub fn row(row_number: u64) -> String {
    format!("row {}", count(row_number))
}

/// After the row's number, where not all values have room.
pub fn more_columns(many: usize) -> String {
    format!(", {many} more columns in the rows below")
}

/// A category of a legend, and its value where it is called otherwise.
pub fn entry(label: &str, value: Option<&str>, count: u64) -> String {
    let count = crate::state::format::count(count);
    match value {
        Some(value) => format!("{label} ({value}): {count}"),
        None => format!("{label}: {count}"),
    }
}

pub fn colors_of(column: &str) -> String {
    format!("Colours of {column}")
}

pub fn ramp_of(column: &str, low: &str, high: &str) -> String {
    format!("Colours of {column}, from {low} to {high}")
}

/// Values beyond an end of a ramp.
pub fn below(number: u64) -> String {
    format!("{} below", short_count(number))
}

pub fn above(number: u64) -> String {
    format!("{} above", short_count(number))
}

pub fn below_end(number: u64, end: &str) -> String {
    format!("{} below {end}, in the colour of the end", count(number))
}

pub fn above_end(number: u64, end: &str) -> String {
    format!("{} above {end}, in the colour of the end", count(number))
}

pub fn contour(level: f64) -> String {
    format!("{} points a cell", number(level, level))
}

pub fn in_view(points: u64) -> String {
    format!("{} in view", count(points))
}

/// What a colour of a density counts: points in squares of so many pixels.
pub fn points_per_cell(side: f64) -> String {
    format!("points per {side} × {side} px")
}

pub fn density_ramp(most: u64, unit: &str) -> String {
    format!("1 to {} {unit}", count(most))
}

/// Entries of a legend beside its categories, or its ramp.
pub const NOT_A_NUMBER: &str = "not a number";
pub const NO_VALUE: &str = "no value";

pub fn other_categories(many: usize) -> String {
    format!("other ({many})")
}
