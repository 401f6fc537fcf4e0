//! Where the rows that pass lie in an order of one column's values.

use std::cell::Cell;
use std::ops::Range;

use arrow_array::ArrayRef;

use super::ranges::Stored;
use super::{Bound, Node, Ranges, Test};
use crate::column::Values;
use crate::cube::{Key, Ranked};

impl Bound {
    /// The runs of the rows in order that pass, if this tests no other column than the one
    /// called `column`, and that for ranges. `ranked` is of that column, and `at` says in
    /// which array a row is, and where. The runs are in ascending order and do not meet.
    pub fn runs<'a>(
        &self,
        column: &str,
        ranked: &mut Ranked,
        at: &dyn Fn(u32) -> Option<(&'a ArrayRef, usize)>,
    ) -> Option<Vec<Range<usize>>> {
        runs(self.root(), column, ranked, at)
    }
}

type At<'a, 'b> = &'b dyn Fn(u32) -> Option<(&'a ArrayRef, usize)>;

fn runs<'a>(
    node: &Node,
    name: &str,
    ranked: &mut Ranked,
    at: At<'a, '_>,
) -> Option<Vec<Range<usize>>> {
    match node {
        Node::And(nodes) => {
            let mut nodes = nodes.iter().map(|node| runs(node, name, ranked, at));
            let first = nodes.next()??;
            nodes.try_fold(first, |both, more| Some(common(&both, &more?)))
        }
        Node::Test { column, test } if column.name == name => of_test(test, ranked, at),
        _ => None,
    }
}

fn of_test<'a>(test: &Test, ranked: &mut Ranked, at: At<'a, '_>) -> Option<Vec<Range<usize>>> {
    macro_rules! of {
        ($variant:ident, $ranges:expr) => {{
            // Rows are mostly of the array of the row before.
            let last: Cell<Option<(&'a ArrayRef, &'a [_])>> = Cell::new(None);
            of_ranges($ranges, ranked, &|row| {
                let (array, place) = at(row)?;
                let values = match last.get() {
                    Some((before, values)) if std::ptr::eq(before, array) => values,
                    _ => {
                        let Some(Values::$variant(values)) = Values::of(array) else { return None };
                        last.set(Some((array, values)));
                        values
                    }
                };
                values.get(place)?.key()
            })
        }};
    }
    match test {
        Test::Int8(ranges) => of!(Int8, ranges),
        Test::Int16(ranges) => of!(Int16, ranges),
        Test::Int32(ranges) => of!(Int32, ranges),
        Test::Int64(ranges) => of!(Int64, ranges),
        Test::UInt8(ranges) => of!(UInt8, ranges),
        Test::UInt16(ranges) => of!(UInt16, ranges),
        Test::UInt32(ranges) => of!(UInt32, ranges),
        Test::UInt64(ranges) => of!(UInt64, ranges),
        Test::Int128(ranges) => of!(Int128, ranges),
        Test::Int256(ranges) => of!(Int256, ranges),
        Test::Float16(ranges) => of!(Float16, ranges),
        Test::Float32(ranges) => of!(Float32, ranges),
        Test::Float64(ranges) => of!(Float64, ranges),
        Test::IsNull | Test::NotNull | Test::Unknown | Test::Boolean { .. } | Test::Text(_) => None,
    }
}

fn of_ranges<T: Stored + Key>(
    ranges: &Ranges<T>,
    ranked: &mut Ranked,
    key_of: &dyn Fn(u32) -> Option<u64>,
) -> Option<Vec<Range<usize>>> {
    // What is outside has NaN too, which is not in the order.
    if ranges.negated || ranked.is_blurred() {
        return None;
    }
    // Values of another layout than the one bound to are in no order that is known here.
    if let Some(row) = ranked.any_row() {
        key_of(row)?;
    }
    let runs = ranges.ranges.iter().map(|(low, high)| {
        let start = ranked.place(key_of, low.end(false));
        start..ranked.place(key_of, high.end(true)).max(start)
    });
    Some(runs.filter(|run| !run.is_empty()).collect())
}

/// What two lists of runs have in common.
fn common(left: &[Range<usize>], right: &[Range<usize>]) -> Vec<Range<usize>> {
    let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
    let both = pairs.map(|(left, right)| left.start.max(right.start)..left.end.min(right.end));
    both.filter(|run| run.start < run.end).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow_array::{
        Array, ArrayRef, Decimal128Array, Float32Array, RecordBatch, TimestampMillisecondArray,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::cube::Ranking;
    use crate::eval::eval;
    use crate::predicate::Predicate;

    /// The rows with a value in order, and the runs of a predicate among them.
    fn rows_of_runs(array: &ArrayRef, filter: &str) -> Option<(Vec<u32>, Vec<u32>)> {
        let batch = RecordBatch::try_from_iter([("x", Arc::clone(array))]).unwrap();
        let predicate: Predicate = serde_json::from_str(filter).unwrap();
        let bound = Bound::new(&predicate, &batch.schema(), "filter").unwrap();
        let blocks = [Arc::clone(array)];
        let mut ranking = Ranking::new(&blocks).unwrap();
        while !ranking.step(&blocks) {}
        let mut ranked = ranking.into_ranked();
        let at = |row: u32| Some((array, row as usize));
        let runs = bound.runs("x", &mut ranked, &at)?;
        let mut found = Vec::new();
        runs.into_iter().for_each(|run| ranked.each(run, |row| found.push(row)));
        found.sort_unstable();
        let mask = eval(&bound, &batch).unwrap();
        Some((found, mask.iter_ones().map(|row| row as u32).collect()))
    }

    proptest! {
        #[test]
        fn runs_have_the_rows_that_pass(
            values in prop::collection::vec(
                prop::option::weighted(0.9, prop_oneof![
                    9 => (-20_i32..20).prop_map(|tenths| tenths as f32 / 10.0),
                    1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0]),
                ]),
                0..300,
            ),
            low in -25_i32..25, width in 0_i32..20,
        ) {
            let array: ArrayRef = Arc::new(Float32Array::from(values));
            let (low, high) = (f64::from(low) / 10.0, f64::from(low + width) / 10.0);
            for filter in [
                format!(r#"{{"column": "x", "op": "between", "value": [{low}, {high}]}}"#),
                format!(r#"{{"column": "x", "op": "ge", "value": {low}}}"#),
                format!(r#"{{"column": "x", "op": "lt", "value": {high}}}"#),
                format!(r#"{{"column": "x", "op": "in", "value": [{low}, {high}, 0]}}"#),
                format!(r#"{{"and": [{{"column": "x", "op": "gt", "value": {low}}}, {{"column": "x", "op": "le", "value": {high}}}]}}"#),
            ] {
                let (found, expected) = rows_of_runs(&array, &filter).unwrap();
                prop_assert_eq!(found, expected, "{}", filter);
            }
        }
    }

    #[test]
    fn wide_decimals_have_runs_as_far_as_keys_go() {
        let decimals = |values: &[i128]| -> ArrayRef {
            let values = Decimal128Array::from(values.to_vec());
            Arc::new(values.with_precision_and_scale(38, 2).unwrap())
        };
        let near = decimals(&[500, -500, 0, i64::MAX.into(), 725]);
        for (filter, rows) in [
            (r#"{"column": "x", "op": "between", "value": [-5, 7]}"#, vec![0, 1, 2]),
            (r#"{"column": "x", "op": "ge", "value": 7.25}"#, vec![3, 4]),
            (r#"{"column": "x", "op": "lt", "value": "1e30"}"#, vec![0, 1, 2, 3, 4]),
            (r#"{"column": "x", "op": "lt", "value": "-1e30"}"#, vec![]),
            (r#"{"column": "x", "op": "ge", "value": "1e30"}"#, vec![]),
        ] {
            // The largest of 64 bits stands for none among keys.
            assert_eq!(rows_of_runs(&near, filter), None, "{filter}");
            let inside = near.slice(0, 3);
            let (found, expected) = rows_of_runs(&inside, filter).unwrap();
            let rows: Vec<u32> = rows.into_iter().filter(|row| *row < 3).collect();
            assert_eq!((&found, &expected), (&rows, &rows), "{filter}");
        }
        let far = decimals(&[1, 10_i128.pow(30)]);
        assert_eq!(rows_of_runs(&far, r#"{"column": "x", "op": "ge", "value": 0}"#), None);
    }

    #[test]
    fn times_have_runs_and_other_tests_none() {
        let days = [Some(0), Some(86_400_000), None, Some(-1), Some(172_800_000)];
        let array: ArrayRef = Arc::new(TimestampMillisecondArray::from(days.to_vec()));
        let filter = r#"{"column": "x", "op": "between", "value": ["1970-01-01", "1970-01-02"]}"#;
        let (found, expected) = rows_of_runs(&array, filter).unwrap();
        assert_eq!((found.len(), found), (2, expected));
        for none in [
            r#"{"column": "x", "op": "is_null"}"#,
            r#"{"not": {"column": "x", "op": "ge", "value": "1970-01-01"}}"#,
            r#"{"and": []}"#,
        ] {
            assert!(rows_of_runs(&array, none).is_none(), "{none}");
        }
        assert_eq!(array.null_count(), 1);
    }
}
