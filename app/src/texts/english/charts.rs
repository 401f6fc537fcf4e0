//! Histograms and bars: their menus, and what they show in words.

use super::counts;
use crate::state::format::{count, short_count};

pub const NO_VALUES: &str = "No values to draw";
pub const BIN_COUNT: &str = "Number of bins";
pub const BINS: &str = "Bins";
pub const LOG_AXIS: &str = "Log axis";
pub const LOG_COUNTS: &str = "Log counts";
pub const CUMULATIVE: &str = "Cumulative share";
pub const ZOOM_TO_RANGE: &str = "Zoom to the range";
pub const SHOW_EVERYTHING: &str = "Show everything";
/// Beside the tallest bar.
pub const ALL_BELOW: &str = "100 %, share below";

pub const SEARCH_VALUES: &str = "Search the values of this view";
pub const SEARCH_VALUES_HINT: &str = "Only values with …";

pub fn histogram_of(column: &str) -> String {
    format!("Histogram of {column}")
}

pub fn values_of(column: &str) -> String {
    format!("Values of {column}")
}

pub fn every_value_is(value: &str) -> String {
    format!("Every value is {value}")
}

/// The tallest bar's count where heights are logarithms.
pub fn tallest_log(number: &str) -> String {
    format!("{number}, log")
}

/// Rows that a logarithmic axis cannot show, where there is little room.
pub fn not_above_zero_short(number: u64) -> String {
    format!("{} not above 0", short_count(number))
}

/// The share of rows up to the end of a bin, of those that pass and of all.
pub fn share_up_to(is_last: bool, end: &str, share: &str, of_all: &str) -> String {
    let up_to = if is_last { "up to" } else { "below" };
    format!("{up_to} {end}: {share}, of all rows {of_all}")
}

pub fn bin(from: &str, to: &str, number: u64, all: u64) -> String {
    let counts = match number == all {
        true => count(all),
        false => format!("{} of {}", count(number), count(all)),
    };
    format!("{from} – {to}: {counts}")
}

/// A histogram in one sentence.
pub struct Histogram<'a> {
    pub column: &'a str,
    pub is_cumulative: bool,
    pub rows: u64,
    pub ends: [String; 2],
    /// Around which value most rows are.
    pub peak: Option<String>,
    pub nulls: u64,
    pub without_log: u64,
    pub selected: Option<[String; 2]>,
}

impl Histogram<'_> {
    pub fn summary(self) -> String {
        let Self { column, rows, ends: [low, high], .. } = self;
        let name = if self.is_cumulative { "Share of rows below each value" } else { "Histogram" };
        let peak = self.peak.map(|peak| format!(", most around {peak}")).unwrap_or_default();
        let nulls = match self.nulls {
            0 => String::new(),
            nulls => format!(", {} missing", count(nulls)),
        };
        let without = match self.without_log {
            0 => String::new(),
            without => format!(", {} not above zero", count(without)),
        };
        let selected = self.selected.map(|[low, high]| format!(". Selected {low} to {high}"));
        format!(
            "{name} of {column}: {} from {low} to {high}{peak}{nulls}{without}{}",
            counts::rows(rows),
            selected.unwrap_or_default()
        )
    }
}

pub fn more_values(number: u64) -> String {
    format!("{} more values", count(number))
}

pub fn bar(label: &str, number: u64, all: u64) -> String {
    format!("{label}: {}", counts::rows_of(number, all))
}

/// The values of a column by count, in one sentence.
pub fn bars(column: &str, listed: u64, most: &str) -> String {
    format!("Values of {column}: {listed}, most often {most}")
}
