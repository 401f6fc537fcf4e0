//! The parts of messages that are about charts: how they are drawn, and rows by two sides.

use engine::literal::Literal;
use engine::query::AggregateOp;
use serde::{Deserialize, Serialize};

/// A number of the rows of a step: an operation over a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub op: AggregateOp,
    pub column: String,
}

/// How a histogram is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Form {
    /// Bins that grow alike, of what is above zero.
    pub log_axis: bool,
    pub log_counts: bool,
    /// The share of rows up to each edge in place of counts.
    pub cumulative: bool,
}

/// What a scatter shows, in places of its axes: data units (times are milliseconds since
/// 1970 UTC); of an axis of logarithms powers of ten; of one of names their numbers, the
/// first is 0, and upwards all are negative, since names are read downwards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Viewport {
    pub x: [f64; 2],
    pub y: [f64; 2],
}

/// What decides on the size and the shape of a scatter's points, where something does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Varied {
    /// Numbers.
    pub size: Option<String>,
    /// Names.
    pub shape: Option<String>,
}

/// What the sizes of points mean: areas grow evenly between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sizes {
    pub domain: [f64; 2],
    /// Some rows have no number, and the smallest size.
    pub has_missing: bool,
}

/// Rows by two sides, the cells of the first line of y first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    pub x: Side,
    pub y: Side,
    /// Under the other clauses, and of all rows.
    pub counts: Vec<u32>,
    pub unfiltered: Vec<u32>,
    /// Rows under the other clauses that are in no cell: without a value on a side.
    pub missing: u64,
    /// What is measured of each cell; absent where there is nothing to measure.
    pub values: Vec<Option<f64>>,
    /// Of each line of y.
    pub boxes: Vec<Option<Spread>>,
}

/// What the cells of one side of a [`Grid`] are of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// There is no such side.
    One,
    /// Where the bins begin and the last one ends, in data units.
    Bins { edges: Vec<f64> },
    /// The most frequent values; then, in one, all others that there are.
    Names { values: Vec<Literal>, other: bool },
}

impl Side {
    /// How many cells there are along it.
    pub fn many(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Bins { edges } => edges.len().saturating_sub(1),
            Self::Names { values, other } => values.len() + usize::from(*other),
        }
    }
}

/// How numbers are spread: quartiles by linear interpolation, whiskers at the last value
/// within one and a half times their distance (Tukey 1977), and what lies outside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub count: u64,
    pub mean: f64,
    pub ends: [f64; 2],
    pub quartiles: [f64; 3],
    pub whiskers: [f64; 2],
    /// Values below and above the whiskers.
    pub outliers: [u64; 2],
}
