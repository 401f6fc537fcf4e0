//! The steps of a filter that moves, over a table that is elsewhere: each count that the
//! filter cuts is asked for once by the bins of the filter's column, so that any step of it is
//! a difference of sums, as [`engine::cube`] has it for rows that are here. Steps are as wide
//! as those bins: what passes of a bin is all of it or nothing, as its middle does. Pure.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, make_array,
};
use arrow_schema::{DataType, Field, Schema};
use engine::bind::Bound;
use engine::eval::eval;
use engine::predicate::Predicate;
use engine::query::{AggregateOp, GroupKey, Query};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::read::{Answer, code_of};
use super::units::units_of_text;
use super::{BIN_X, BIN_Y, binned};
use crate::worker::bins::{Extent, Steps};
use crate::worker::cut::{Cut, Cutting};
use crate::worker::numbers::{Measure, stored_to_unsigned};

/// A filter is dragged by pixels, and is drawn in fewer.
const BINS: u16 = 512;
/// How the bins of the filter's column are named in answers.
const STEP: &str = "b";
/// Groups of one count at most.
const GROUPS_MAX: usize = 1 << 18;

/// The bins of the column whose filter moves, and what has none: what no logarithm is of,
/// null, NaN and both infinities, in this order.
#[derive(Debug)]
pub struct StepBins {
    pub column: String,
    data_type: DataType,
    cut: Cut,
    edges: Vec<f64>,
    /// One value of each, to ask a filter whether it passes.
    middles: RecordBatch,
}

const BESIDE: usize = 5;

impl StepBins {
    /// `None` for columns that cannot be cut: their filters do not glide.
    pub fn new(column: &str, data_type: &DataType, extent: Extent, is_log: bool) -> Option<Self> {
        let measure = Measure::of(data_type)?;
        let cutting = match is_log {
            true => Cutting::Log { bins: BINS, domain: None },
            false => Cutting::Equal { bins: BINS, domain: None },
        };
        let cut = cutting.cut(data_type, measure, extent);
        let middles = match measure {
            Measure::Float => floats(data_type, &cut)?,
            Measure::Whole { .. } => wholes(data_type, &cut, measure)?,
        };
        let schema = Schema::new(vec![Field::new(column, data_type.clone(), true)]);
        let middles = RecordBatch::try_new(Arc::new(schema), vec![middles]).ok()?;
        let edges = cut.edges();
        let (column, data_type) = (column.to_owned(), data_type.clone());
        Some(Self { column, data_type, cut, edges, middles })
    }

    /// Whether the bins are the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.column == other.column && self.cut == other.cut
    }

    fn many(&self) -> usize {
        self.cut.count() + BESIDE
    }

    /// The places that a filter of the column passes; `None` if it is of other columns.
    pub fn passing(&self, filter: &Predicate) -> Option<Vec<Range<usize>>> {
        let bound = Bound::new(filter, &self.middles.schema(), "filter").ok()?;
        let mask = eval(&bound, &self.middles).ok()?;
        let mut runs: Vec<Range<usize>> = Vec::new();
        for place in mask.iter_ones() {
            match runs.last_mut().filter(|run| run.end == place) {
                Some(run) => run.end += 1,
                None => runs.push(place..place + 1),
            }
        }
        Some(runs)
    }

    /// Where everything passes.
    pub fn all(&self) -> Vec<Range<usize>> {
        std::iter::once(0..self.many()).collect()
    }

    /// The place of a bin as the companion names it.
    fn place(&self, text: Option<&str>) -> Option<usize> {
        let beside = self.cut.count();
        let Some(text) = text else { return Some(beside + 1) };
        let edge = units_of_text(&self.data_type, text)?;
        let is_below = edge == f64::NEG_INFINITY && matches!(self.cut, Cut::Powers { .. });
        Some(match edge {
            _ if edge.is_nan() => beside + 2,
            _ if edge.is_infinite() && !is_below => beside + 3 + usize::from(edge < 0.0),
            _ => code_of(&self.cut, &self.edges, edge)?,
        })
    }

    /// The query that asks for a count of so many groups by the bins, too; `None` where there
    /// would be too many, or where it is not just counted.
    pub fn of(&self, query: &Query, groups: usize) -> Option<Query> {
        let [only] = query.aggregates.as_slice() else { return None };
        if only.op != AggregateOp::Count || groups.saturating_mul(self.many()) > GROUPS_MAX {
            return None;
        }
        let key = binned(&self.column, &self.data_type, &self.cut, STEP);
        let mut group_by = query.group_by.clone();
        group_by.push(key);
        Some(Query { group_by, order_by: Vec::new(), limit: None, ..query.clone() })
    }
}

/// A value in each bin, and those beside.
fn floats(data_type: &DataType, cut: &Cut) -> Option<ArrayRef> {
    let edges = cut.edges();
    let is_log = matches!(cut, Cut::Powers { .. });
    let middle = |pair: &[f64]| match pair {
        [low, high] if is_log => Some((low * high).sqrt()),
        [low, high] => Some(low / 2.0 + high / 2.0),
        _ => None,
    };
    let middles = edges.windows(2).map(middle);
    let beside = [Some(0.0), None, Some(f64::NAN), Some(f64::INFINITY), Some(-f64::INFINITY)];
    let values = middles.chain(beside);
    match data_type {
        DataType::Float64 => Some(Arc::new(values.collect::<Float64Array>())),
        DataType::Float32 => {
            let values = values.map(|value| value.map(|value| value as f32));
            Some(Arc::new(values.collect::<Float32Array>()))
        }
        _ => None,
    }
}

fn wholes(data_type: &DataType, cut: &Cut, measure: Measure) -> Option<ArrayRef> {
    let middles: Vec<i64> = match cut {
        Cut::Equal(bins) => match bins.steps {
            Steps::Wholes { origin, step, last } => {
                let middle = |nth: u64| {
                    origin.saturating_add_unsigned(step.saturating_mul(nth) + (step - 1) / 2)
                };
                (0..u64::from(bins.count)).map(|nth| middle(nth).min(last)).collect()
            }
            Steps::Floats { .. } => return None,
        },
        _ => {
            let middle = |pair: &[f64]| match pair {
                [low, high] => measure.stored_below((low * (high - 1.0).max(*low)).sqrt()),
                _ => 0,
            };
            cut.edges().windows(2).map(middle).collect()
        }
    };
    let is_unsigned = matches!(measure, Measure::Whole { is_unsigned: true, .. });
    let raw = |stored: i64| match is_unsigned {
        true => stored_to_unsigned(stored).cast_signed(),
        false => stored,
    };
    // Whole numbers are neither NaN nor infinite.
    let beside = [Some(0), None, None, None, None];
    let values = middles.into_iter().map(|stored| Some(raw(stored))).chain(beside);
    let data = match data_type.primitive_width()? {
        1 => values.map(|v| v.map(|v| v as i8)).collect::<Int8Array>().into_data(),
        2 => values.map(|v| v.map(|v| v as i16)).collect::<Int16Array>().into_data(),
        4 => values.map(|v| v.map(|v| v as i32)).collect::<Int32Array>().into_data(),
        8 => values.collect::<Int64Array>().into_data(),
        _ => return None,
    };
    let data = data.into_builder().data_type(data_type.clone()).build().ok()?;
    Some(make_array(data))
}

/// A query without one of its filters; `None` where that is not among them.
pub fn without(query: &Query, filter: &Predicate) -> Option<Query> {
    let Predicate::And(filters) = &query.filters else { return None };
    let at = filters.iter().position(|other| other == filter)?;
    let mut rest = filters.clone();
    rest.remove(at);
    Some(Query { filters: Predicate::And(rest), ..query.clone() })
}

/// The answers to [`StepBins::of`], as they come from `POST /api/queries`.
#[derive(Deserialize)]
pub struct SlicedAnswers<'a> {
    #[serde(borrow)]
    pub answers: Vec<SlicedAnswer<'a>>,
}

#[derive(Deserialize)]
pub struct SlicedAnswer<'a> {
    #[serde(default)]
    files: u64,
    #[serde(borrow)]
    rows: Vec<SlicedRow<'a>>,
}

#[derive(Deserialize)]
struct SlicedRow<'a> {
    #[serde(borrow)]
    x: Option<&'a RawValue>,
    #[serde(borrow)]
    y: Option<&'a RawValue>,
    #[serde(borrow)]
    b: Option<&'a RawValue>,
    #[serde(borrow)]
    n: &'a RawValue,
}

/// One count of all steps: the answer to its query for each of them.
#[derive(Debug)]
pub struct Slice {
    /// What the counts are of, in the companion's order.
    keys: Vec<BTreeMap<String, Box<RawValue>>>,
    /// Counts before each place, key by key: one more than there are places.
    before: Vec<u64>,
    places: usize,
    is_grouped: bool,
    /// The most frequent only.
    limit: Option<u64>,
    files: u64,
}

/// A scalar's text without its quotes; `None` for null.
fn bare(raw: &RawValue) -> Option<&str> {
    let text = raw.get().trim();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    (text != "null").then(|| inner.unwrap_or(text))
}

impl Slice {
    /// Of the query as it was before [`StepBins::of`]; `None` if the answer has a bin that is
    /// none of ours.
    pub fn of(query: &Query, steps: &StepBins, answer: &SlicedAnswer<'_>) -> Option<Self> {
        let named = |name: &str| {
            query.group_by.iter().any(|key| match key {
                GroupKey::Binned(key) => key.name.as_deref() == Some(name),
                GroupKey::Column(column) => column == name,
            })
        };
        let names = [(BIN_X, named(BIN_X)), (BIN_Y, named(BIN_Y))];
        let places = steps.many();
        let mut known: HashMap<[&str; 2], usize> = HashMap::new();
        let mut bins: HashMap<Option<&str>, Option<usize>> = HashMap::new();
        let (mut keys, mut before) = (Vec::new(), Vec::new());
        for row in &answer.rows {
            let values = [row.x, row.y].map(|raw| raw.map_or("null", RawValue::get));
            let key = *known.entry(values).or_insert_with(|| {
                let of = names.iter().zip(values).filter(|((_, is_there), _)| *is_there);
                let of = of.filter_map(|((name, _), value)| {
                    Some(((*name).to_owned(), RawValue::from_string(value.to_owned()).ok()?))
                });
                keys.push(of.collect::<BTreeMap<_, _>>());
                before.resize(before.len() + places + 1, 0);
                keys.len() - 1
            });
            let text = row.b.and_then(bare);
            let place = (*bins.entry(text).or_insert_with(|| steps.place(text)))?;
            let count: u64 = bare(row.n)?.parse().ok()?;
            *before.get_mut(key * (places + 1) + place + 1)? += count;
        }
        for counts in before.chunks_mut(places + 1) {
            let mut sum = 0;
            for count in counts {
                sum += *count;
                *count = sum;
            }
        }
        let is_grouped = !query.group_by.is_empty();
        let limit = query.limit.filter(|_| !query.order_by.is_empty());
        Some(Self { keys, before, places, is_grouped, limit, files: answer.files })
    }

    pub fn byte_count(&self) -> usize {
        self.before.len() * size_of::<u64>()
    }

    /// What the companion would say if the filter passed these places.
    pub fn answer(&self, runs: &[Range<usize>]) -> Answer {
        let sum = |counts: &[u64]| -> u64 {
            let at = |place: usize| counts.get(place).copied().unwrap_or_default();
            runs.iter().map(|run| at(run.end) - at(run.start)).sum()
        };
        let counts = self.before.chunks(self.places + 1).map(sum);
        let mut found: Vec<(u64, &BTreeMap<_, _>)> = counts.zip(&self.keys).collect();
        if self.is_grouped {
            found.retain(|(count, _)| *count > 0);
        } else if found.is_empty() {
            return Answer::of_counts([(0, BTreeMap::new())].into_iter(), self.files);
        }
        if let Some(limit) = self.limit {
            // Those that are as frequent stay in order of value.
            found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        let rows = found.into_iter().map(|(count, key)| (count, key.clone()));
        Answer::of_counts(rows, self.files)
    }
}

/// What a query is known by.
pub fn name_of(query: &Query) -> String {
    serde_json::to_string(query).unwrap_or_default()
}

#[cfg(test)]
mod tests;
