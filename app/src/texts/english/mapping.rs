//! Vectors that are mapped in this browser.

use crate::mapping::{Metrics, Phase};
use crate::state::format;

pub const BUSY: &str = "another map is being made here: wait for it, or cancel it";
pub const READING: &str = "reading";

pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Init => "where clusters begin",
        Phase::Iterations => "clusters",
        Phase::Pass => "rows",
        Phase::Neighbours => "neighbours",
        Phase::Epochs => "layout",
        Phase::Measures => "measures",
    }
}

pub fn of(done: u64, total: u64) -> String {
    format!("{} of {}", format::count(done), format::count(total))
}

pub fn done(rows: usize, left_out: usize, seconds: f64, on_device: bool) -> String {
    let rows = format::count(rows as u64);
    let here = if on_device { "here, with the graphics device" } else { "here" };
    match left_out {
        0 => format!("{rows} rows in {seconds:.1} s, {here}"),
        out => {
            let out = format::count(out as u64);
            format!("{rows} rows in {seconds:.1} s, {here}; {out} have no vector")
        }
    }
}

/// What is said of clusters that were asked for otherwise.
pub fn again(rows: usize, metrics: &Metrics) -> String {
    let rows = format::count(rows as u64);
    let n = metrics.clusters.or(metrics.k).unwrap_or_default();
    let found = format!("{rows} rows in {}", counted(n, "cluster"));
    match metrics.silhouette {
        Some(silhouette) => format!("{found}; silhouette {silhouette:.2}"),
        None => found,
    }
}

fn counted(n: usize, what: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{n} {what}{ending}")
}

pub const NAMING: &str = "naming rows";

pub fn named(rows: usize, nameless: usize) -> String {
    let rows = format::count(rows as u64);
    match nameless {
        0 => format!("{rows} rows"),
        out => {
            let out = format::count(out as u64);
            format!("{rows} rows; {out} without a name")
        }
    }
}

pub fn name_taken(column: &str) -> String {
    format!("there is a column {column:?}: give the names another, or let it go on")
}

pub fn broke(why: &str) -> String {
    let why = if why.is_empty() { "its script could not be fetched" } else { why };
    format!("what maps vectors broke: {why}")
}

pub fn no_vectors(column: &str) -> String {
    format!("{column:?} has no vectors in these rows")
}

pub fn not_vectors(column: &str) -> String {
    format!("{column:?} has no lists of numbers")
}

pub fn other_length(column: &str, row: usize, has: usize, wanted: usize) -> String {
    format!(
        "{column:?} has vectors of different lengths: {wanted} numbers at first, {has} in row {row}"
    )
}

pub fn too_many(most: u64) -> String {
    let most = format::count(most);
    format!("there are more than {most} numbers: have the companion map them, or fewer rows")
}
