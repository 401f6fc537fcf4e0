//! Rows by two sides, as queries to the companion and back: a side of bins is one group key,
//! a side of names is the values that have a place of their own, and all others as one.
//! Pure.

use arrow_schema::DataType;
use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};
use engine::query::{Aggregate, AggregateOp, GroupKey, Query};

use super::read::{Answer, Row, code_of};
use super::units::{float_literal, units_of_text};
use super::{Asked, BIN_X, BIN_Y, binned, count, finite, renamed_as, within_bins};
use crate::protocol::{Side, Spread};
use crate::worker::cut::Cut;
use crate::worker::spec::fences;

/// How what is measured is named in answers.
const VALUE: &str = "v";
const SPREAD: [&str; 6] = ["low", "high", "mean", "q1", "q2", "q3"];

/// One side, once its bins or its names are known.
#[derive(Debug, Clone)]
pub enum SidePlan {
    One,
    Bins { column: String, data_type: DataType, cut: Cut, edges: Vec<f64> },
    Names { column: String, values: Vec<Literal>, other: bool },
}

/// A part of a side that one query covers: rows that have a key, or all in one place.
#[derive(Debug, Clone)]
pub struct Part {
    filter: Option<Predicate>,
    key: Option<GroupKey>,
    fixed: usize,
}

impl SidePlan {
    pub fn bins(column: &str, data_type: DataType, cut: Cut) -> Self {
        let edges = cut.edges();
        Self::Bins { column: column.to_owned(), data_type, cut, edges }
    }

    pub fn side(&self) -> Side {
        match self {
            Self::One => Side::One,
            Self::Bins { edges, .. } => Side::Bins { edges: edges.clone() },
            Self::Names { values, other, .. } => {
                Side::Names { values: values.clone(), other: *other }
            }
        }
    }

    pub fn parts(&self, name: &str) -> Vec<Part> {
        match self {
            Self::One => vec![Part { filter: None, key: None, fixed: 0 }],
            Self::Bins { column, data_type, cut, .. } => vec![Part {
                filter: within_bins(column, data_type, cut),
                key: Some(binned(column, data_type, cut, name)),
                fixed: 0,
            }],
            Self::Names { column, values, other } => {
                let key = Some(renamed_as(column, name));
                let named = match other {
                    true => self.line(0, values.len()),
                    false => Some(Predicate::NotNull { column: column.clone() }),
                };
                let mut parts = vec![Part { filter: named, key, fixed: 0 }];
                if *other {
                    let filter = self.line(values.len(), 1);
                    parts.push(Part { filter, key: None, fixed: values.len() });
                }
                parts
            }
        }
    }

    /// The rows of so many places of names, or of the place of all others.
    fn line(&self, first: usize, many: usize) -> Option<Predicate> {
        let Self::Names { column, values, .. } = self else { return None };
        let column = column.clone();
        let named = values.get(first..first + many);
        Some(match named {
            Some([value @ Literal::Bool(_)]) => {
                Predicate::Compare { column, op: Comparison::Eq, value: value.clone() }
            }
            Some(values) => Predicate::In { column, values: values.to_vec(), negated: false },
            None => Predicate::In { column, values: values.clone(), negated: true },
        })
    }

    /// The place that a row of an answer is of.
    fn place(&self, part: &Part, name: &str, row: &Row<'_>) -> Option<usize> {
        if part.key.is_none() {
            return Some(part.fixed);
        }
        match self {
            Self::One => Some(0),
            Self::Bins { data_type, cut, edges, .. } => {
                code_of(cut, edges, units_of_text(data_type, &row.text(name)?)?)
            }
            Self::Names { values, .. } => {
                let text = row.literal(name)?;
                values.iter().position(|value| *value == text)
            }
        }
    }
}

/// What is asked of a grid, by where it stands among the queries.
#[derive(Debug)]
pub struct GridPlan {
    pub sides: [SidePlan; 2],
    pub parts: Vec<[Part; 2]>,
}

impl GridPlan {
    pub fn new(sides: [SidePlan; 2]) -> Self {
        let (xs, ys) = (sides[0].parts(BIN_X), sides[1].parts(BIN_Y));
        let pairs = ys.iter().flat_map(|y| xs.iter().map(move |x| [x.clone(), y.clone()]));
        let parts = pairs.collect();
        Self { sides, parts }
    }

    fn width(&self) -> usize {
        self.sides[0].side().many()
    }

    pub fn many(&self) -> usize {
        self.width() * self.sides[1].side().many()
    }

    /// Visits the cells of an answer to one of the parts.
    fn each(&self, [x, y]: &[Part; 2], answer: &Answer, mut visit: impl FnMut(usize, Row<'_>)) {
        for row in answer.each_row() {
            let place =
                self.sides[0].place(x, BIN_X, &row).zip(self.sides[1].place(y, BIN_Y, &row));
            if let Some((x, y)) = place {
                visit(y * self.width() + x, row);
            }
        }
    }

    /// Counts of all cells, from the answers to all parts.
    pub fn counts<'a>(&self, answers: impl Iterator<Item = Option<&'a Answer>>) -> Vec<u64> {
        let mut counts = vec![0; self.many()];
        for (part, answer) in self.parts.iter().zip(answers) {
            let Some(answer) = answer else { continue };
            self.each(part, answer, |cell, row| {
                if let Some(slot) = counts.get_mut(cell) {
                    *slot += row.count();
                }
            });
        }
        counts
    }

    /// What is measured of all cells.
    pub fn values<'a>(
        &self,
        answers: impl Iterator<Item = Option<&'a Answer>>,
    ) -> Vec<Option<f64>> {
        let mut values = vec![None; self.many()];
        for (part, answer) in self.parts.iter().zip(answers) {
            let Some(answer) = answer else { continue };
            self.each(part, answer, |cell, row| {
                if let Some(slot) = values.get_mut(cell) {
                    *slot = row.number(VALUE);
                }
            });
        }
        values
    }
}

impl Asked {
    /// Counts by the cells of a part.
    pub fn cells(&self, [x, y]: &[Part; 2], filters: &[Predicate]) -> Query {
        let mut filters = filters.to_vec();
        filters.extend([x, y].into_iter().filter_map(|part| part.filter.clone()));
        let group_by = [x, y].into_iter().filter_map(|part| part.key.clone()).collect();
        Query { group_by, ..self.counted(filters) }
    }

    /// A number of the cells of a part.
    pub fn measured(
        &self,
        parts: &[Part; 2],
        filters: &[Predicate],
        (op, column, data_type): (AggregateOp, &str, &DataType),
    ) -> Query {
        let mut filters = filters.to_vec();
        filters.extend(finite(column, data_type));
        let aggregates = vec![aggregate(op, column, None, VALUE)];
        Query { aggregates, ..self.cells(parts, &filters) }
    }

    /// The ends, the mean and the quartiles of a column, on one line of a side.
    pub fn spread(
        &self,
        (side, line): (&SidePlan, usize),
        (column, data_type): (&str, &DataType),
        filters: &[Predicate],
    ) -> Query {
        let mut filters = self.on_line(side, line, filters);
        filters.extend(finite(column, data_type));
        filters.push(Predicate::NotNull { column: column.to_owned() });
        let [low, high, mean, q1, q2, q3] = SPREAD;
        let quantile = |q, name| aggregate(AggregateOp::Quantile, column, Some(q), name);
        let aggregates = vec![
            count(),
            aggregate(AggregateOp::Min, column, None, low),
            aggregate(AggregateOp::Max, column, None, high),
            aggregate(AggregateOp::Mean, column, None, mean),
            quantile(0.25, q1),
            quantile(0.5, q2),
            quantile(0.75, q3),
        ];
        Query { aggregates, ..self.query(filters) }
    }

    /// What of a line lies within the fences of its box, and what below them.
    pub fn fenced(
        &self,
        (side, line): (&SidePlan, usize),
        (column, data_type): (&str, &DataType),
        filters: &[Predicate],
        quartiles: [f64; 3],
    ) -> [Query; 2] {
        let mut filters = self.on_line(side, line, filters);
        filters.extend(finite(column, data_type));
        let [low, high] = fences(quartiles).map(float_literal);
        let column = column.to_owned();
        let [least, most, ..] = SPREAD;
        let ends = vec![
            count(),
            aggregate(AggregateOp::Min, &column, None, least),
            aggregate(AggregateOp::Max, &column, None, most),
        ];
        let (op, value) = (Comparison::Lt, low.clone());
        let below = Predicate::Compare { column: column.clone(), op, value };
        let within = Predicate::Between { column, low, high };
        let with = |predicate| filters.iter().cloned().chain(Some(predicate)).collect();
        [Query { aggregates: ends, ..self.query(with(within)) }, self.counted(with(below))]
    }

    fn on_line(&self, side: &SidePlan, line: usize, filters: &[Predicate]) -> Vec<Predicate> {
        filters.iter().cloned().chain(side.line(line, 1)).collect()
    }
}

fn aggregate(op: AggregateOp, column: &str, q: Option<f64>, name: &str) -> Aggregate {
    Aggregate { op, column: Some(column.to_owned()), q, name: Some(name.to_owned()) }
}

/// The answer to [`Asked::spread`], its whiskers at its ends; `None` where nothing is there.
pub fn spread_of(answer: &Answer) -> Option<Spread> {
    let row = answer.each_row().next()?;
    let [low, high, mean, q1, q2, q3] = SPREAD;
    let ends = [row.number(low)?, row.number(high)?];
    Some(Spread {
        count: row.count(),
        mean: row.number(mean)?,
        ends,
        quartiles: [row.number(q1)?, row.number(q2)?, row.number(q3)?],
        whiskers: ends,
        outliers: [0, 0],
    })
}

/// Puts the answers to [`Asked::fenced`] in.
pub fn fence(spread: &mut Spread, within: &Answer, below: &Answer) {
    let [low, high, ..] = SPREAD;
    let Some(row) = within.each_row().next() else { return };
    if let Some(whiskers) = row.number(low).zip(row.number(high)) {
        spread.whiskers = whiskers.into();
        let below = below.number().unwrap_or_default();
        spread.outliers = [below, spread.count.saturating_sub(row.count() + below)];
    }
}
