//! Views of a table that does not fit this browser, as queries to the companion: groups of
//! bins and counts instead of rows. The bins are those that the browser itself would use
//! ([`crate::worker::bins`]), so that the answers are the same. [`read`] makes counts of
//! the companion's rows again. Pure.

pub mod read;
pub mod sides;
pub mod steps;
#[cfg(test)]
pub mod told;
pub mod units;

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};
use engine::query::{Aggregate, AggregateOp, Bin, BinnedKey, GroupKey, OrderKey, Query, Version};

use crate::scale::step::Length;
use crate::worker::bins::{Bins, Extent, Steps};
use crate::worker::cut::Cut;
use crate::worker::numbers::Measure;
use arrow_schema::DataType;
use units::{float_literal, stored_literal};

/// How counts, bins and ends are named in answers.
pub const COUNT: &str = "n";
pub const BIN_X: &str = "x";
pub const BIN_Y: &str = "y";
pub const LOW: &str = "low";
pub const HIGH: &str = "high";

/// The table that is asked about.
#[derive(Debug, Clone)]
pub struct Asked {
    pub table: String,
    pub version: Option<Version>,
}

impl Asked {
    fn query(&self, filters: Vec<Predicate>) -> Query {
        Query {
            version: self.version.clone(),
            filters: Predicate::And(filters),
            ..Query::of_table(&self.table)
        }
    }

    fn counted(&self, filters: Vec<Predicate>) -> Query {
        Query { aggregates: vec![count()], ..self.query(filters) }
    }

    /// How many rows pass.
    pub fn count(&self, filters: &[Predicate]) -> Query {
        self.counted(filters.to_vec())
    }

    /// The least and the greatest value of a column, or of what in it is above zero.
    pub fn extent(&self, column: &str, data_type: &DataType, above_zero: bool) -> Query {
        let end = |op, name: &str| Aggregate {
            op,
            column: Some(column.to_owned()),
            q: None,
            name: Some(name.to_owned()),
        };
        let above = above_zero.then(|| against_zero(column, Comparison::Gt));
        let filters = finite(column, data_type).into_iter().chain(above).collect();
        let aggregates = vec![end(AggregateOp::Min, LOW), end(AggregateOp::Max, HIGH)];
        Query { aggregates, ..self.query(filters) }
    }

    /// Counts by bin; the group of null among them.
    pub fn histogram(
        &self,
        column: &str,
        data_type: &DataType,
        cut: &Cut,
        zoomed: bool,
        filters: &[Predicate],
    ) -> Query {
        let mut filters = filters.to_vec();
        let is_log = matches!(cut, Cut::Powers { .. });
        if (zoomed || is_log)
            && let Some(within) = within_bins(column, data_type, cut)
        {
            let null = Predicate::IsNull { column: column.to_owned() };
            // What is not above zero is counted too.
            let below = is_log.then(|| against_zero(column, Comparison::Le));
            filters.push(Predicate::Or([within, null].into_iter().chain(below).collect()));
        }
        let group_by = vec![binned(column, data_type, cut, BIN_X)];
        Query { group_by, ..self.counted(filters) }
    }

    /// The most frequent values of a column that contain a text.
    pub fn bars(&self, column: &str, limit: u16, search: &str, filters: &[Predicate]) -> Query {
        let mut filters = filters.to_vec();
        filters.push(Predicate::NotNull { column: column.to_owned() });
        filters.extend(containing(column, search));
        let by = |column: &str, descending| OrderKey {
            column: column.to_owned(),
            descending,
            nulls: engine::query::Nulls::Last,
        };
        Query {
            group_by: vec![renamed(column)],
            order_by: vec![by(COUNT, true), by(BIN_X, false)],
            limit: Some(u64::from(limit)),
            ..self.counted(filters)
        }
    }

    /// The first values of a column that contain a text, by value: what is shown beside the
    /// frequent ones where few pass.
    pub fn first_values(&self, column: &str, limit: u16, search: &str) -> Query {
        let mut query = self.bars(column, limit, search, &[]);
        query.order_by.remove(0);
        query
    }

    /// How many values of a column contain a text.
    pub fn distinct(&self, column: &str, search: &str) -> Query {
        let distinct = Aggregate {
            op: AggregateOp::CountDistinct,
            column: Some(column.to_owned()),
            q: None,
            name: Some(COUNT.to_owned()),
        };
        let filters = containing(column, search).into_iter().collect();
        Query { aggregates: vec![distinct], ..self.query(filters) }
    }

    /// Rows without a value that pass.
    pub fn nulls(&self, column: &str, filters: &[Predicate]) -> Query {
        let mut filters = filters.to_vec();
        filters.push(Predicate::IsNull { column: column.to_owned() });
        self.counted(filters)
    }

    /// How often some values occur in all of the table.
    pub fn counts_of(&self, column: &str, values: Vec<Literal>) -> Query {
        let chosen = Predicate::In { column: column.to_owned(), values, negated: false };
        Query { group_by: vec![renamed(column)], ..self.counted(vec![chosen]) }
    }

    /// Rows that pass and have both coordinates, some of them above zero.
    pub fn points(&self, axes: &[(&str, &DataType, bool)], filters: &[Predicate]) -> Query {
        let mut filters = filters.to_vec();
        for (column, data_type, above_zero) in axes {
            let placed = finite(column, data_type);
            filters.push(
                placed.unwrap_or_else(|| Predicate::NotNull { column: (*column).to_owned() }),
            );
            filters.extend(above_zero.then(|| against_zero(column, Comparison::Gt)));
        }
        self.counted(filters)
    }

    /// A window of rows.
    pub fn rows(
        &self,
        columns: &[String],
        order_by: &[OrderKey],
        first: u64,
        count: u32,
        filters: &[Predicate],
    ) -> Query {
        let mut columns = columns.to_vec();
        columns.push(engine::bind::ROW_COLUMN.to_owned());
        Query {
            columns: Some(columns),
            order_by: order_by.to_vec(),
            offset: first,
            limit: Some(u64::from(count)),
            ..self.query(filters.to_vec())
        }
    }
}

/// The bins of one axis of a density: of a step that halves with each zoom and starts where
/// the data does, so that panning asks for the same bins again; as many as cover the part
/// that is seen.
pub fn axis_bins(measure: Measure, extent: Extent, seen: [f64; 2], pixels: f64) -> Bins {
    let [low, high] = seen;
    let wanted = (pixels / PIXELS_A_BIN).clamp(8.0, f64::from(AXIS_BINS_MAX) / 2.0);
    let span = (high - low).abs();
    match extent {
        Extent::Floats { low: start, high: end } => {
            let whole = if end > start { end - start } else { start.abs().max(1.0) };
            let halvings = (whole * wanted / span).log2().floor().clamp(0.0, 60.0);
            let step = whole / 2_f64.powf(halvings);
            let first = ((low.min(high).max(start) - start) / step).floor();
            let origin = start + first * step;
            let last = low.max(high).min(end);
            let count =
                (((last - origin) / step).floor() + 1.0).clamp(1.0, f64::from(AXIS_BINS_MAX));
            let last = last.min(origin + step * count);
            Bins { steps: Steps::Floats { origin, step, last }, count: count as u16, measure }
        }
        Extent::Wholes { low: start, high: end } => {
            let seen_low = measure.stored_above(low.min(high)).max(start);
            let seen_high = measure.stored_below(low.max(high)).min(end).max(seen_low);
            let span = (i128::from(seen_high) - i128::from(seen_low) + 1) as f64;
            // A power of two in stored units: halves stay whole.
            let step = (span / wanted).log2().ceil().clamp(0.0, 62.0).exp2() as u64;
            let past = seen_low.abs_diff(start);
            let origin = seen_low.saturating_sub_unsigned(past % step);
            let count = (seen_high.abs_diff(origin) / step + 1).min(u64::from(AXIS_BINS_MAX));
            Bins {
                steps: Steps::Wholes { origin, step, last: seen_high },
                count: count as u16,
                measure,
            }
        }
    }
}

/// Pixels of the canvas that share a bin, along either axis.
const PIXELS_A_BIN: f64 = 3.0;
const AXIS_BINS_MAX: u16 = 512;

fn count() -> Aggregate {
    Aggregate { op: AggregateOp::Count, column: None, q: None, name: Some(COUNT.to_owned()) }
}

fn renamed(column: &str) -> GroupKey {
    renamed_as(column, BIN_X)
}

fn renamed_as(column: &str, name: &str) -> GroupKey {
    let name = Some(name.to_owned());
    GroupKey::Binned(BinnedKey { column: column.to_owned(), bin: None, name })
}

fn binned(column: &str, data_type: &DataType, cut: &Cut, name: &str) -> GroupKey {
    let mut bin = Bin { step: None, origin: None, edges: Vec::new() };
    match cut {
        Cut::Equal(Bins { steps: Steps::Floats { origin, step, .. }, .. }) => {
            bin.step = Some(float_literal(*step));
            bin.origin = Some(float_literal(*origin));
        }
        Cut::Equal(Bins { steps: Steps::Wholes { origin, step, .. }, .. }) => {
            bin.step = Some(units::step_literal(data_type, *step));
            bin.origin = Some(stored_literal(data_type, *origin));
        }
        Cut::Powers { edges, .. } => bin.edges = edges.iter().copied().map(float_literal).collect(),
        Cut::Starts { step, .. } => {
            if let Length::Months(months) = step.length() {
                bin.step = Some(Literal::Text(format!("P{months}M")));
            }
        }
    }
    let (column, name) = (column.to_owned(), Some(name.to_owned()));
    GroupKey::Binned(BinnedKey { column, bin: Some(bin), name })
}

/// Values inside the bins.
fn within_bins(column: &str, data_type: &DataType, cut: &Cut) -> Option<Predicate> {
    let (low, high) = match cut {
        Cut::Equal(Bins { steps: Steps::Floats { origin, last, .. }, .. }) => {
            (float_literal(*origin), float_literal(*last))
        }
        Cut::Equal(Bins { steps: Steps::Wholes { origin, last, .. }, .. }) => {
            (stored_literal(data_type, *origin), stored_literal(data_type, *last))
        }
        Cut::Powers { edges, closed } => {
            let last = edges.last()? - if *closed { 0.0 } else { 1.0 };
            (float_literal(*edges.first()?), float_literal(last))
        }
        Cut::Starts { starts, .. } => (
            stored_literal(data_type, *starts.first()?),
            stored_literal(data_type, starts.last()? - 1),
        ),
    };
    Some(Predicate::Between { column: column.to_owned(), low, high })
}

fn against_zero(column: &str, op: Comparison) -> Predicate {
    Predicate::Compare { column: column.to_owned(), op, value: Literal::Number("0".to_owned()) }
}

/// Leaves NaN and infinities out, where the type has them. The ends are those of the type: a
/// literal is rounded to it, and what is beyond becomes infinite.
fn finite(column: &str, data_type: &DataType) -> Option<Predicate> {
    let most = match data_type {
        DataType::Float16 => 65_504.0,
        DataType::Float32 => f64::from(f32::MAX),
        DataType::Float64 => f64::MAX,
        _ => return None,
    };
    let column = column.to_owned();
    Some(Predicate::Between { column, low: float_literal(-most), high: float_literal(most) })
}

fn containing(column: &str, search: &str) -> Option<Predicate> {
    (!search.is_empty()).then(|| Predicate::Contains {
        column: column.to_owned(),
        text: search.to_owned(),
        case_sensitive: false,
    })
}

#[cfg(test)]
mod tests;
