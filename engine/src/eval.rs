//! Bound predicate × batch → mask, by typed loops over Arrow's value buffers. The
//! reference semantics of a filter; pruning and shaders must agree. No I/O.

mod dictionary;
mod substring;
mod ternary;
mod within;
mod words;

use std::ops::Range;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use self::dictionary::Lookups;
use self::substring::{words_that_contain, words_that_contain_folded, words_that_match};
use self::ternary::Ternary;
use self::words::{words_in_ranges, words_of_text};
use crate::bind::{Bound, BoundColumn, Node, Test, TextTest};
use crate::column::{ByteValues, Values, column_of, plain};
use crate::error::QueryError;
use crate::mask::{Mask, words_of};

/// The rows of a batch that pass. `_row` counts from 0 unless the batch has the column.
pub fn eval(bound: &Bound, batch: &RecordBatch) -> Result<Mask, QueryError> {
    Evaluator::new(bound.clone()).eval(batch, 0)
}

/// Evaluates one bound predicate over batch after batch, keeping what was worked out
/// for dictionaries that the batches share.
#[derive(Debug)]
pub struct Evaluator {
    bound: Bound,
    lookups: Lookups,
}

impl Evaluator {
    pub fn new(bound: Bound) -> Self {
        Self { bound, lookups: Lookups::default() }
    }

    /// The rows of a batch that pass; `first_row` is the number of its first row in the table.
    pub fn eval(&mut self, batch: &RecordBatch, first_row: u64) -> Result<Mask, QueryError> {
        let mut pass = Pass { batch, first_row, lookups: &mut self.lookups };
        Ok(pass.node(self.bound.root())?.into_mask())
    }

    /// As [`Self::eval`] for some rows of a batch, so that long batches can be worked off
    /// in steps. The mask counts from the first of them.
    pub fn eval_rows(
        &mut self,
        batch: &RecordBatch,
        rows: Range<usize>,
        first_row: u64,
    ) -> Result<Mask, QueryError> {
        let start = rows.start.min(batch.num_rows());
        let len = rows.end.clamp(start, batch.num_rows()) - start;
        self.eval(&batch.slice(start, len), first_row.saturating_add(start as u64))
    }
}

/// An evaluation over all batches of a slice, in steps of so many rows: between two
/// steps a worker can look at what else has come in.
#[derive(Debug)]
pub struct Evaluation {
    evaluator: Evaluator,
    mask: Mask,
    /// The batch that the next step reads, and the row in it.
    batch: usize,
    row: usize,
}

impl Evaluation {
    pub fn new(bound: Bound) -> Self {
        Self { evaluator: Evaluator::new(bound), mask: Mask::default(), batch: 0, row: 0 }
    }

    /// Evaluates the next `rows` rows and tells whether all of `batches` is done. Batches
    /// may be added between steps. `first_row` is the number of the slice's first row.
    pub fn step(
        &mut self,
        batches: &[RecordBatch],
        first_row: u64,
        rows: usize,
    ) -> Result<bool, QueryError> {
        let mut left = rows.max(1);
        while let Some(batch) = batches.get(self.batch) {
            let end = self.row.saturating_add(left).min(batch.num_rows());
            let batch_start = first_row.saturating_add((self.mask.len() - self.row) as u64);
            self.mask.append(&self.evaluator.eval_rows(batch, self.row..end, batch_start)?);
            left -= end - self.row;
            self.row = end;
            if end == batch.num_rows() {
                (self.batch, self.row) = (self.batch + 1, 0);
            }
            if left == 0 {
                break;
            }
        }
        Ok(self.batch >= batches.len())
    }

    /// The rows that passed among those evaluated so far.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    pub fn into_mask(self) -> Mask {
        self.mask
    }
}

/// One walk of the tree over one batch.
struct Pass<'a> {
    batch: &'a RecordBatch,
    first_row: u64,
    lookups: &'a mut Lookups,
}

impl Pass<'_> {
    fn node(&mut self, node: &Node) -> Result<Ternary, QueryError> {
        let len = self.batch.num_rows();
        match node {
            Node::And(nodes) => {
                let mut all = Ternary::constant(true, len);
                for node in nodes {
                    all.and(self.node(node)?);
                }
                Ok(all)
            }
            Node::Or(nodes) => {
                let mut any = Ternary::constant(false, len);
                for node in nodes {
                    any.or(self.node(node)?);
                }
                Ok(any)
            }
            Node::Not(node) => Ok(self.node(node)?.not()),
            Node::Test { column, test } => {
                let array = self.column(column)?;
                ternary_of(test, &array, self.lookups)
            }
            Node::Within { x, y, outline } => {
                let (x, y) = (plain(&self.column(x)?)?, plain(&self.column(y)?)?);
                Ok(within::ternary_within(&x, &y, outline))
            }
        }
    }

    fn column(&self, column: &BoundColumn) -> Result<ArrayRef, QueryError> {
        column_of(self.batch, column, self.first_row)
    }
}

/// A test on each row of an array.
fn ternary_of(test: &Test, array: &ArrayRef, lookups: &mut Lookups) -> Result<Ternary, QueryError> {
    let len = array.len();
    match test {
        Test::Unknown => return Ok(Ternary::unknown(len)),
        Test::IsNull | Test::NotNull => {
            let not_null = match array.logical_nulls() {
                None => Ternary::constant(true, len),
                Some(nulls) => Ternary::known(words_of(nulls.inner()), len),
            };
            return Ok(if matches!(test, Test::IsNull) { not_null.not() } else { not_null });
        }
        _ => {}
    }
    match array.data_type() {
        DataType::Dictionary(_, _) => lookups.ternary_of(test, array),
        DataType::RunEndEncoded(_, _) => Ok(ternary_of_plain(test, &*plain(array)?)),
        _ => Ok(ternary_of_plain(test, array)),
    }
}

/// A test on each row of an array whose values are in place.
fn ternary_of_plain(test: &Test, array: &dyn Array) -> Ternary {
    let len = array.len();
    let valid = array.nulls().map(|nulls| words_of(nulls.inner()));
    let pass = match (test, Values::of(array)) {
        (Test::Boolean { passes_false, passes_true }, Some(Values::Boolean(values))) => {
            let word = |word: u64| {
                (if *passes_true { word } else { 0 }) | (if *passes_false { !word } else { 0 })
            };
            words_of(values).into_iter().map(word).collect()
        }
        (Test::Int8(ranges), Some(Values::Int8(values))) => words_in_ranges(values, ranges),
        (Test::Int16(ranges), Some(Values::Int16(values))) => words_in_ranges(values, ranges),
        (Test::Int32(ranges), Some(Values::Int32(values))) => words_in_ranges(values, ranges),
        (Test::Int64(ranges), Some(Values::Int64(values))) => words_in_ranges(values, ranges),
        (Test::UInt8(ranges), Some(Values::UInt8(values))) => words_in_ranges(values, ranges),
        (Test::UInt16(ranges), Some(Values::UInt16(values))) => words_in_ranges(values, ranges),
        (Test::UInt32(ranges), Some(Values::UInt32(values))) => words_in_ranges(values, ranges),
        (Test::UInt64(ranges), Some(Values::UInt64(values))) => words_in_ranges(values, ranges),
        (Test::Int128(ranges), Some(Values::Int128(values))) => words_in_ranges(values, ranges),
        (Test::Int256(ranges), Some(Values::Int256(values))) => words_in_ranges(values, ranges),
        (Test::Float16(ranges), Some(Values::Float16(values))) => words_in_ranges(values, ranges),
        (Test::Float32(ranges), Some(Values::Float32(values))) => words_in_ranges(values, ranges),
        (Test::Float64(ranges), Some(Values::Float64(values))) => words_in_ranges(values, ranges),
        (Test::Text(test), Some(Values::Text(values))) => {
            return ternary_of_text(test, values, len, valid);
        }
        // Binding and `column_of` let no other pair through.
        _ => return Ternary::unknown(len),
    };
    Ternary::new(pass, valid, len)
}

fn ternary_of_text(
    test: &TextTest,
    values: ByteValues<'_>,
    len: usize,
    valid: Option<Vec<u64>>,
) -> Ternary {
    let is_valid = |row: usize| {
        let word = |words: &Vec<u64>| words.get(row / 64).copied().unwrap_or_default();
        valid.as_ref().is_none_or(|words| word(words) >> (row % 64) & 1 == 1)
    };
    if matches!(test, TextTest::Dates { .. }) {
        let check = |row| if is_valid(row) { test.check(values.get(row)) } else { None };
        let pass = Mask::from_fn(len, |row| check(row) == Some(true));
        let known = Mask::from_fn(len, |row| check(row).is_some());
        return Ternary::new(pass.words().to_vec(), Some(known.words().to_vec()), len);
    }
    let pass = match test {
        TextTest::Contains(finder) => words_that_contain(finder, values, len),
        TextTest::ContainsFolded(finder) => words_that_contain_folded(finder, values, len),
        TextTest::Matches(pattern) => words_that_match(pattern, values, len),
        _ => words_of_text(len, |row| {
            is_valid(row) && test.check(values.get(row)).unwrap_or_default()
        }),
    };
    Ternary::new(pass, valid, len)
}

#[cfg(test)]
mod tests;
