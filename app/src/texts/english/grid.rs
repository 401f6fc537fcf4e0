//! Heat maps, lines and boxes: their titles and menus, and what they show in words.

use engine::query::AggregateOp;

use super::{counts, numbers};
use crate::scale::step::TimeStep;

pub const HEAT_MAP: &str = "heat map";
pub const LINE_CHART: &str = "line chart";
pub const BOX_PLOT: &str = "box plot";

pub const VERTICAL_SIDE: &str = "Vertical side";
pub const HORIZONTAL_SIDE: &str = "Horizontal side";
/// Between the sides of a heat map; also before the time of a line and the groups of boxes.
pub const BY: &str = "by";
pub const WHAT_IS_DRAWN: &str = "What is drawn";
/// Drawn by a line that measures nothing.
pub const ROWS: &str = "rows";
/// Between what is measured and the column that it is measured of.
pub const OF: &str = "of";
pub const NUMBER: &str = "Number";
pub const TIME: &str = "Time";
/// Before the column that splits a line into several.
pub const AND: &str = "and";
pub const LINES: &str = "Lines";
pub const NO_LINES: &str = "nothing else";
pub const GROUPS: &str = "Groups";
pub const NO_GROUPS: &str = "nothing";
pub const NO_NUMBERS: &str = "This table has no column of numbers.";

pub const VIOLINS: &str = "Violins: densities";
pub const LOG_COLORS: &str = "Colour by logarithm";
pub const SWAP_SIDES: &str = "Swap the sides";
pub const STEP: &str = "Step";
pub const TIME_STEP: &str = "Step of time";
pub const AUTOMATIC: &str = "automatic";

/// The steps of [`TimeStep::ALL`].
const STEPS: [&str; 14] = [
    "second",
    "10 s",
    "minute",
    "10 min",
    "hour",
    "6 h",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "millennium",
];

pub fn step(step: TimeStep) -> &'static str {
    STEPS.get(step as usize).copied().unwrap_or_default()
}

/// What a line can measure.
pub fn measure(op: AggregateOp) -> &'static str {
    match op {
        AggregateOp::Mean => "mean",
        AggregateOp::Sum => "sum",
        AggregateOp::Min => "min",
        AggregateOp::Max => "max",
        AggregateOp::Median => "median",
        other => other.name(),
    }
}

/// The only place of a side that is not split.
pub const ALL: &str = "all";
/// The last place of a side of names.
pub const OTHER: &str = "other";
/// A group without values.
pub const NO_VALUES: &str = "no values";
/// A step in which nothing was measured.
pub const NOTHING: &str = "nothing";

/// Who measures what: "mean of delay".
pub fn measured(op: AggregateOp, column: &str) -> String {
    format!("{} of {column}", measure(op))
}

pub fn heat_cell(x: &str, y: &str, rows: &str) -> String {
    format!("{x} × {y}: {rows}")
}

/// A step of a line; what was measured in it, by its name.
pub fn line_cell(
    line: Option<&str>,
    step: &str,
    measured: Option<(&str, &str)>,
    rows: &str,
) -> String {
    let line = line.map(|line| format!("{line}, ")).unwrap_or_default();
    let measured = measured.map(|(name, value)| format!("{name} {value}, "));
    format!("{line}{step}: {}{rows}", measured.unwrap_or_default())
}

/// A group of a box plot, and its numbers.
pub fn group(name: &str, spread: &str) -> String {
    format!("{name}: {spread}")
}

pub fn spread(quartiles: [String; 3], mean: &str, values: u64, outliers: u64) -> String {
    let [first, median, third] = quartiles;
    let mut words = format!(
        "median {median}, quartiles {first} and {third}, mean {mean}, {}",
        counts::values(values)
    );
    if outliers > 0 {
        words.push_str(&format!(", {}", counts::outliers(outliers)));
    }
    words
}

/// A heat map in one sentence; the last is the cell that most rows are in.
pub fn heat_summary(x: &str, y: &str, rows: u64, missing: u64, most: Option<&str>) -> String {
    let most = most.map(|cell| format!(", most in {cell}")).unwrap_or_default();
    format!("Heat map of {y} by {x}: {}{most}", rows_and_missing(rows, missing))
}

pub fn line_summary(what: &str, time: &str, rows: u64, missing: u64, most: Option<&str>) -> String {
    let most = most.map(|step| format!(", most at {step}")).unwrap_or_default();
    format!("Line of {what} by {time}: {}{most}", rows_and_missing(rows, missing))
}

/// Boxes or violins in one sentence, with the numbers of the first groups.
pub fn boxes_summary(
    is_violin: bool,
    column: &str,
    by: Option<&str>,
    [rows, missing]: [u64; 2],
    groups: &str,
) -> String {
    let kind = if is_violin { "Violins" } else { "Boxes" };
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{kind} of {column}{by}: {}. {groups}", rows_and_missing(rows, missing))
}

fn rows_and_missing(rows: u64, missing: u64) -> String {
    match missing {
        0 => counts::rows(rows),
        missing => format!("{}, {}", counts::rows(rows), numbers::without_value(missing)),
    }
}
