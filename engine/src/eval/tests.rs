//! What the evaluator makes of batches that are not quite those it was bound to.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    DictionaryArray, Int32Array, Int64Array, LargeStringArray, StringArray, StringViewArray,
};

use super::*;
use crate::predicate::Predicate;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn evaluator(filters: &str, batch: &RecordBatch) -> Evaluator {
    let predicate = Predicate::from_filters_text(filters).unwrap();
    Evaluator::new(Bound::new(&predicate, batch.schema_ref(), "filters").unwrap())
}

fn rows(mask: &Mask) -> Vec<usize> {
    mask.iter_ones().collect()
}

#[test]
fn columns_are_found_by_name_wherever_they_stand() {
    let a: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let b: ArrayRef = Arc::new(Int32Array::from(vec![3, 4]));
    let bound_to = batch(vec![("a", a.clone()), ("b", b.clone())]);
    let mut evaluator = evaluator(r#"[{"column":"b","op":"eq","value":4}]"#, &bound_to);
    assert_eq!(rows(&evaluator.eval(&bound_to, 0).unwrap()), [1]);
    assert_eq!(rows(&evaluator.eval(&batch(vec![("b", b), ("a", a.clone())]), 0).unwrap()), [1]);
    let error = evaluator.eval(&batch(vec![("a", a)]), 0).unwrap_err();
    assert_eq!(error.to_string(), r#"batch: no column "b"; did you mean "a"?"#);
    let longs: ArrayRef = Arc::new(Int64Array::from(vec![4]));
    let error = evaluator.eval(&batch(vec![("b", longs)]), 0).unwrap_err();
    assert_eq!(error.to_string(), r#"batch: column "b" is of type Int64 in this batch, not Int32"#);
}

#[test]
fn strings_of_any_layout_are_strings() {
    let texts = ["x", "y", "a text too long to be inlined"];
    let arrays: [ArrayRef; 4] = [
        Arc::new(StringArray::from_iter_values(texts)),
        Arc::new(LargeStringArray::from_iter_values(texts)),
        Arc::new(StringViewArray::from_iter_values(texts)),
        Arc::new(texts.into_iter().map(Some).collect::<DictionaryArray<Int8Type>>()),
    ];
    let bound_to = batch(vec![("s", arrays[0].clone())]);
    for filter in [
        r#"[{"column":"s","op":"ge","value":"x"}]"#,
        r#"[{"not":{"column":"s","op":"contains","value":"text"}}]"#,
    ] {
        let mut evaluator = evaluator(filter, &bound_to);
        for array in &arrays {
            let batch = batch(vec![("s", array.clone())]);
            assert_eq!(rows(&evaluator.eval(&batch, 0).unwrap()), [0, 1], "{}", array.data_type());
        }
    }
}

#[test]
fn each_dictionary_has_its_own_answers() {
    let coded = |texts: Vec<Option<&str>>| -> ArrayRef {
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int8Type>>())
    };
    let first = batch(vec![("s", coded(vec![Some("a"), Some("b"), None]))]);
    let second = batch(vec![("s", coded(vec![Some("b"), Some("a"), Some("b")]))]);
    let mut evaluator = evaluator(
        r#"[{"or":[{"column":"s","op":"eq","value":"a"},{"column":"s","op":"is_null"}]}]"#,
        &first,
    );
    for _ in 0..2 {
        assert_eq!(rows(&evaluator.eval(&first, 0).unwrap()), [0, 2]);
        assert_eq!(rows(&evaluator.eval(&second, 0).unwrap()), [1]);
    }
    // A long dictionary of which a few rows are used is not tested whole.
    let values = StringArray::from_iter_values((0..10_000).map(|value| format!("{value}")));
    let keys = Int32Array::from(vec![Some(7), None, Some(9_999)]);
    let long: ArrayRef = Arc::new(DictionaryArray::try_new(keys, Arc::new(values)).unwrap());
    let mut evaluator = self::evaluator(r#"[{"column":"s","op":"ne","value":"7"}]"#, &first);
    assert_eq!(rows(&evaluator.eval(&batch(vec![("s", long)]), 0).unwrap()), [2]);
}

#[test]
fn row_numbers_count_from_the_first_or_are_carried() {
    let a: ArrayRef = Arc::new(Int32Array::from(vec![0; 4]));
    let plain = batch(vec![("a", a.clone())]);
    let mut evaluator = evaluator(r#"[{"column":"_row","op":"in","value":[1,11]}]"#, &plain);
    assert_eq!(rows(&evaluator.eval(&plain, 0).unwrap()), [1]);
    assert_eq!(rows(&evaluator.eval(&plain, 10).unwrap()), [1]);
    assert_eq!(rows(&evaluator.eval_rows(&plain, 1..9, 10).unwrap()), [0]);
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![9, 10, 11, 12]));
    let carried = batch(vec![("_row", numbers), ("a", a)]);
    assert_eq!(rows(&evaluator.eval(&carried, 0).unwrap()), [2]);
}
