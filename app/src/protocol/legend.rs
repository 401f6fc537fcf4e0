//! What the colours of a scatter mean.

use engine::literal::Literal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Legend {
    None,
    /// One entry a category, most frequent first; the last may be "other".
    Categories {
        entries: Vec<LegendEntry>,
    },
    /// A ramp from `domain[0]` to `domain[1]`; `colors` are evenly spaced CSS colours.
    Ramp {
        domain: [f64; 2],
        /// What is in the middle of the colours, where that is not the middle of the domain.
        middle: Option<f64>,
        time: bool,
        colors: Vec<String>,
        /// Points below and above the domain, in the colours of the ends.
        beyond: [u64; 2],
        /// Points without a value, and those whose value is no number.
        missing: Vec<LegendEntry>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegendEntry {
    pub label: String,
    /// CSS colour.
    pub color: String,
    pub count: u64,
    /// Absent for "other" and for missing values.
    pub value: Option<Literal>,
}
