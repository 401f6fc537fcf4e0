//! One semantics of a filter: what DataFusion finds by a translation of it, and what the server's
//! scan prunes, are held to the engine's evaluator, by the parity table and by random tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod data;
mod opaque;
pub(crate) mod random;
mod translation;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;
use engine::bind::{Bound, value_type};
use engine::predicate::Predicate;
use proptest::prelude::*;
use server::scan::{PredicateFilter, ScanFilter};

use self::translation::expr_from_bound;

fn bind(filters: &str, batch: &RecordBatch) -> Result<Bound, String> {
    let predicate = Predicate::from_filters_text(filters).map_err(|error| error.field)?;
    Bound::new(&predicate, batch.schema_ref(), "filters").map_err(|error| error.field)
}

fn rows_by_engine(bound: &Bound, batch: &RecordBatch) -> Vec<usize> {
    engine::eval::eval(bound, batch).unwrap().iter_ones().collect()
}

fn rows_by_datafusion(bound: &Bound, batch: &RecordBatch) -> Result<Vec<usize>, String> {
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).unwrap();
    let expr = expr_from_bound(bound);
    let physical = create_physical_expr(
        &expr,
        &schema,
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    );
    let evaluated = physical.and_then(|physical| physical.evaluate(batch));
    let evaluated = evaluated.and_then(|value| value.into_array(batch.num_rows()));
    let passes = evaluated.map_err(|error| format!("{expr}: {error}"))?;
    let passes: &BooleanArray = passes.as_boolean();
    Ok((0..passes.len()).filter(|row| passes.is_valid(*row) && passes.value(*row)).collect())
}

#[test]
fn the_translation_finds_the_rows_of_the_table() {
    let batches = data::batches();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in data::cases() {
        let batch = &batches[&case.data];
        let (Ok(expected), Ok(bound)) = (&case.expected, bind(&case.filters, batch)) else {
            continue;
        };
        // DataFusion evaluates no run-end encoded column; a scan hands out none.
        if reads_runs(&bound, batch) {
            continue;
        }
        compared += 1;
        match rows_by_datafusion(&bound, &with_row_numbers(batch)) {
            Ok(found) if found == *expected => {}
            other => wrong.push(format!("{} {}: {other:?}", case.data, case.filters)),
        }
    }
    assert!(compared >= 150, "{compared}");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The batch with the virtual column `_row`, which a scan makes.
fn with_row_numbers(batch: &RecordBatch) -> RecordBatch {
    let numbers = Int64Array::from_iter_values(0..batch.num_rows() as i64);
    let row = Arc::new(Field::new("_row", DataType::Int64, false));
    let fields = batch.schema_ref().fields().iter().cloned().chain([row]);
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = batch.columns().iter().cloned().chain([Arc::new(numbers) as ArrayRef]);
    RecordBatch::try_new(schema, columns.collect()).unwrap()
}

fn reads_runs(bound: &Bound, batch: &RecordBatch) -> bool {
    let mut found = false;
    bound.root().visit_columns(&mut |column| {
        let field = batch.schema_ref().field_with_name(&column.name);
        found |= field.is_ok_and(|f| matches!(f.data_type(), DataType::RunEndEncoded(..)));
    });
    found
}

/// Bounds of runs of rows, as a writer of Parquet keeps them: NaN left out, zeros with the sign
/// that encloses both.
struct Containers {
    batch: RecordBatch,
    rows: usize,
}

impl Containers {
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let len = self.batch.num_rows();
        (0..len).step_by(self.rows).map(move |start| start..(start + self.rows).min(len))
    }

    fn bounds(&self, column: &Column, better: fn(std::cmp::Ordering) -> bool) -> Option<ArrayRef> {
        let array = self.batch.column_by_name(&column.name)?;
        let data_type = value_type(array.data_type()).clone();
        if data_type.is_nested() || data_type.is_null() {
            return None;
        }
        let bound = |range: std::ops::Range<usize>| {
            let values = range.map(|row| ScalarValue::try_from_array(array, row).unwrap());
            let values = values.map(|value| match value {
                ScalarValue::Dictionary(_, value) => *value,
                ScalarValue::RunEndEncoded(_, _, value) => *value,
                other => other,
            });
            let values = values.filter(|value| !value.is_null() && !is_nan(value));
            let best = values.reduce(|best, value| {
                let order = value.partial_cmp(&best).unwrap_or(std::cmp::Ordering::Equal);
                if better(order) { value } else { best }
            });
            best.unwrap_or_else(|| ScalarValue::try_from(&data_type).unwrap())
        };
        let bounds: Vec<ScalarValue> = self.ranges().map(bound).collect();
        let bounds = bounds.into_iter().map(|value| enclose_zero(value, better));
        ScalarValue::iter_to_array(bounds).ok()
    }
}

fn is_nan(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Float16(Some(value)) => value.is_nan(),
        ScalarValue::Float32(Some(value)) => value.is_nan(),
        ScalarValue::Float64(Some(value)) => value.is_nan(),
        _ => false,
    }
}

fn enclose_zero(value: ScalarValue, better: fn(std::cmp::Ordering) -> bool) -> ScalarValue {
    let zero = if better(std::cmp::Ordering::Less) { -0.0 } else { 0.0 };
    match value {
        ScalarValue::Float32(Some(0.0)) => ScalarValue::Float32(Some(zero as f32)),
        ScalarValue::Float64(Some(0.0)) => ScalarValue::Float64(Some(zero)),
        other => other,
    }
}

impl PruningStatistics for Containers {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, std::cmp::Ordering::is_lt)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, std::cmp::Ordering::is_gt)
    }

    fn num_containers(&self) -> usize {
        self.ranges().count()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = self.batch.column_by_name(&column.name)?.logical_nulls();
        let count = |range: std::ops::Range<usize>| match &nulls {
            Some(nulls) => range.filter(|row| nulls.is_null(*row)).count() as u64,
            None => 0,
        };
        Some(Arc::new(self.ranges().map(count).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.ranges().map(|range| range.len() as u64).collect::<UInt64Array>()))
    }

    fn contained(
        &self,
        _: &Column,
        _: &std::collections::HashSet<ScalarValue>,
    ) -> Option<BooleanArray> {
        None
    }
}

/// No container with a row that passes may be skipped.
fn nothing_is_lost(bound: &Bound, batch: &RecordBatch, rows: usize) -> Result<(), String> {
    let containers = Containers { batch: batch.clone(), rows };
    let passing = rows_by_engine(bound, batch);
    let keep = PredicateFilter::new(bound.clone()).prune(&containers).unwrap();
    for (range, kept) in containers.ranges().zip(keep) {
        let lost = passing.iter().find(|row| range.contains(row));
        if let (false, Some(row)) = (kept, lost) {
            return Err(format!("rows {range:?} are skipped, of which {row} passes: {bound:?}"));
        }
    }
    Ok(())
}

#[test]
fn pruning_loses_no_row_of_the_table() {
    let batches = data::batches();
    for case in data::cases() {
        let batch = &batches[&case.data];
        let Ok(bound) = bind(&case.filters, batch) else { continue };
        for rows in [1, 2, 3, 1000] {
            let done = nothing_is_lost(&bound, batch, rows);
            assert_eq!(done, Ok(()), "{} {} by {rows}", case.data, case.filters);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_filters_find_the_same_rows((batch, filters) in random::batch_and_filters()) {
        // What the engine refuses, nobody evaluates.
        if let Ok(bound) = bind(&filters, &batch) {
            let expected = rows_by_engine(&bound, &batch);
            prop_assert_eq!(rows_by_datafusion(&bound, &batch), Ok(expected), "{}", &filters);
            for rows in [1, 4, 1000] {
                prop_assert_eq!(nothing_is_lost(&bound, &batch, rows), Ok(()), "{}", &filters);
            }
        }
    }
}
