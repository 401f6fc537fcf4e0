//! The companion's answers to planned queries: rows of JSON → counts by bin, bars, numbers.
//! Pure.

use std::collections::BTreeMap;

use arrow_schema::DataType;
use engine::literal::Literal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::units::units_of_text;
use super::{BIN_X, COUNT};
use crate::worker::bins::{Bins, Steps};
use crate::worker::cut::Cut;

/// The answer of `POST /api/queries`.
#[derive(Deserialize)]
pub struct Answers {
    pub answers: Vec<Answer>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub total_rows: Option<u64>,
    #[serde(default)]
    pub files: u64,
    #[serde(default)]
    pub files_read: u64,
    rows: Vec<BTreeMap<String, Box<RawValue>>>,
}

/// Counts by bin, and of rows without a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    pub counts: Vec<u64>,
    pub nulls: u64,
}

/// One row of an answer.
pub struct Row<'a>(&'a BTreeMap<String, Box<RawValue>>);

impl Row<'_> {
    pub fn literal(&self, name: &str) -> Option<Literal> {
        Literal::from_json(self.0.get(name)?)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        text_of(self.0.get(name)?)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    pub fn count(&self) -> u64 {
        count_of(self.0).unwrap_or_default()
    }
}

impl Answer {
    /// Counts, each of what its keys say.
    pub fn of_counts(
        counts: impl Iterator<Item = (u64, BTreeMap<String, Box<RawValue>>)>,
        files: u64,
    ) -> Self {
        let rows = counts.map(|(count, mut row)| {
            row.extend(RawValue::from_string(count.to_string()).map(|raw| (COUNT.to_owned(), raw)));
            row
        });
        Self { total_rows: None, files, files_read: 0, rows: rows.collect() }
    }

    pub fn each_row(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(Row)
    }

    /// The one number of an answer of one row.
    pub fn number(&self) -> Option<u64> {
        self.rows.first().and_then(count_of)
    }

    /// One value of the first row, in data units; `None` for null.
    pub fn units(&self, name: &str, data_type: &DataType) -> Option<f64> {
        let text = text_of(self.rows.first()?.get(name)?)?;
        units_of_text(data_type, &text)
    }

    /// Counts by bin. What lies outside, and NaN, is left out.
    pub fn histogram(&self, data_type: &DataType, cut: &Cut) -> Binned {
        let mut binned = Binned { counts: vec![0; cut.n_codes()], nulls: 0 };
        let edges = cut.edges();
        for row in &self.rows {
            let count = count_of(row).unwrap_or_default();
            let Some(edge) = row.get(BIN_X).and_then(|raw| text_of(raw)) else {
                binned.nulls += count;
                continue;
            };
            let bin = units_of_text(data_type, &edge).and_then(|edge| code_of(cut, &edges, edge));
            if let Some(slot) = bin.and_then(|bin| binned.counts.get_mut(bin)) {
                *slot += count;
            }
        }
        binned
    }

    /// Whole numbers of a column, row by row; what is none left out.
    pub fn whole_numbers(&self, name: &str) -> Vec<u64> {
        self.rows.iter().filter_map(|row| text_of(row.get(name)?)?.parse().ok()).collect()
    }

    /// Values and their counts, in the companion's order; null left out.
    pub fn bars(&self) -> Vec<(Literal, u64)> {
        let bar = |row: &BTreeMap<String, Box<RawValue>>| {
            Some((Literal::from_json(row.get(BIN_X)?)?, count_of(row)?))
        };
        self.rows.iter().filter_map(bar).collect()
    }
}

/// The code of a lower edge.
pub fn code_of(cut: &Cut, edges: &[f64], edge: f64) -> Option<usize> {
    let count = cut.count();
    match cut {
        Cut::Equal(bins) => bin_of(bins, edge),
        // What is below all edges has no logarithm.
        Cut::Powers { .. } if edge == f64::NEG_INFINITY => Some(count),
        // The very end is an edge of its own there, and in the last bin here.
        Cut::Powers { closed, .. } => {
            let at = edges.iter().position(|other| *other == edge)?;
            if at == count && *closed { Some(count - 1) } else { (at < count).then_some(at) }
        }
        Cut::Starts { .. } => {
            edges.iter().position(|other| *other == edge).filter(|at| *at < count)
        }
    }
}

/// The bin whose lower edge this is. The very end of floats is an edge of its own there,
/// and in the last bin here.
fn bin_of(bins: &Bins, edge: f64) -> Option<usize> {
    let (origin, step) = match bins.steps {
        Steps::Floats { origin, step, .. } => (origin, step),
        Steps::Wholes { origin, step, .. } => {
            let start = bins.measure.in_units(origin);
            let end = bins.measure.in_units(origin.saturating_add_unsigned(step));
            (start, if end > start { end - start } else { step as f64 })
        }
    };
    let bin = ((edge - origin) / step).round();
    let top = f64::from(bins.count - 1);
    match bin {
        _ if bin < 0.0 || bin.is_nan() => None,
        _ if bin <= top => Some(bin as usize),
        _ if bin <= top + 1.0 && matches!(bins.steps, Steps::Floats { .. }) => Some(top as usize),
        _ => None,
    }
}

fn count_of(row: &BTreeMap<String, Box<RawValue>>) -> Option<u64> {
    text_of(row.get(COUNT)?)?.parse().ok()
}

/// A scalar as text; `None` for null.
fn text_of(raw: &RawValue) -> Option<String> {
    Literal::from_json(raw).map(|literal| literal.as_text().to_owned())
}
