//! What views show, as the worker answers it. Pure.

use engine::literal::Literal;
use serde::{Deserialize, Serialize};

use super::{Generation, Grid, Legend, Origin, Side, Sizes, ViewId};

/// The [`Views::reduction`] of what was worked out ahead, before the companion says it exactly.
pub const STEPS: &str = "steps";

/// The answer to `Show`: all views of one generation at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Views {
    pub generation: Generation,
    /// Rows that pass all clauses, and rows loaded (or in the table, on the server).
    pub selected: u64,
    pub total: u64,
    /// False while rows are still arriving.
    pub complete: bool,
    pub origin: Origin,
    pub elapsed_millis: f64,
    /// `none`, or what was left out (`sample`, `bins`), as the contract names it; [`STEPS`] of
    /// a brush that moves, where a bin of its column passes as a whole.
    pub reduction: String,
    /// Of the companion: how many files it read for this, and of how many.
    pub files: Option<[u64; 2]>,
    /// Views that are as they were before, because their answer takes longer than the others'.
    pub behind: Vec<ViewId>,
    pub results: Vec<ViewResult>,
    /// Clauses that could not be evaluated; views are as if they were absent.
    pub clause_errors: Vec<ClauseError>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClauseError {
    pub id: String,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewResult {
    pub id: ViewId,
    pub result: MarkResult,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkResult {
    Histogram {
        /// Edges of the whole, in data units (times in milliseconds since 1970 UTC).
        domain: [f64; 2],
        /// The column's whole extent, for sliders.
        extent: [f64; 2],
        /// Where the bins begin and the last one ends; empty where they are equal.
        edges: Vec<f64>,
        /// Under the other clauses, and the unfiltered silhouette.
        counts: Vec<u32>,
        unfiltered: Vec<u32>,
        nulls: u64,
        /// Rows of a log axis that are not above zero.
        without_log: u64,
    },
    Bars {
        bars: Vec<Bar>,
        /// Distinct values that match the search; may exceed the bars shown.
        distinct: u64,
        nulls: u64,
    },
    Scatter {
        x_extent: [f64; 2],
        y_extent: [f64; 2],
        /// The names along the axes, where there are some.
        names: Box<[Side; 2]>,
        /// Points with both coordinates, under the other clauses.
        points: u64,
        /// Rows of an axis of logarithms that are not above zero.
        without_log: u64,
        legend: Legend,
        sizes: Option<Sizes>,
        /// The names of the shapes, where there are some.
        shapes: Box<Side>,
        /// Whether the picture is a density made of the companion's bins.
        density: bool,
    },
    /// Of heat maps, lines and boxes.
    Grid(Grid),
    /// The view cannot be answered, and why.
    Failed { detail: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// The value to filter by.
    pub value: Literal,
    pub label: String,
    pub count: u64,
    pub unfiltered: u64,
}
