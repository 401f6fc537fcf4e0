//! Cross-filter over a small slice.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch};

use super::*;

fn batches() -> Vec<RecordBatch> {
    let column = |values: Vec<i32>| Arc::new(Int32Array::from(values)) as arrow_array::ArrayRef;
    let batch = |a: Vec<i32>, b: Vec<i32>| {
        RecordBatch::try_from_iter([("a", column(a)), ("b", column(b))]).unwrap()
    };
    vec![batch(vec![1, 2, 3], vec![9, 8, 7]), batch(vec![4, 5], vec![6, 5])]
}

fn filter(text: &str) -> Predicate {
    Predicate::from_filters_text(text).unwrap()
}

fn rows(mask: &Mask) -> Vec<usize> {
    mask.iter_ones().collect()
}

#[test]
fn a_view_ignores_its_own_clause() {
    let mut selection = Selection::default();
    selection.set("a", filter(r#"[{"column":"a","op":"ge","value":3}]"#));
    selection.set("b", filter(r#"[{"column":"b","op":"ge","value":6}]"#));
    selection.set("c", Predicate::all());
    assert_eq!(selection.clauses().len(), 2);
    let (batches, mut masks) = (batches(), SelectionMasks::new(5));
    let schema = batches[0].schema();
    masks.update(&selection, &schema, &batches, 0).unwrap();
    assert_eq!(rows(&masks.all()), [2, 3]);
    assert_eq!(rows(masks.all_but("a")), [0, 1, 2, 3]);
    assert_eq!(rows(masks.all_but("b")), [2, 3, 4]);
    assert_eq!(rows(masks.all_but("elsewhere")), [2, 3]);

    selection.set("a", filter(r#"[{"column":"a","op":"le","value":1}]"#));
    let changed: Vec<&str> =
        masks.changed(&selection).into_iter().map(|clause| clause.source.as_str()).collect();
    assert_eq!(changed, ["a"]);
    masks.update(&selection, &schema, &batches, 0).unwrap();
    assert_eq!(rows(&masks.all()), [0]);
    assert_eq!(rows(masks.all_but("a")), [0, 1, 2, 3]);
    assert_eq!(rows(masks.all_but("b")), [0]);

    selection.clear("b");
    masks.update(&selection, &schema, &batches, 0).unwrap();
    assert_eq!(rows(&masks.all()), [0]);
    assert_eq!(rows(masks.all_but("a")), [0, 1, 2, 3, 4]);
    selection.clear_all();
    masks.update(&selection, &schema, &batches, 0).unwrap();
    assert_eq!(masks.all(), Mask::all(5));
}

#[test]
fn predicates_leave_out_the_view() {
    let mut selection = Selection::default();
    selection.set("a", filter(r#"[{"column":"a","op":"eq","value":1}]"#));
    selection.set("b", filter(r#"[{"column":"b","op":"eq","value":2}]"#));
    let names = |predicate: &Predicate| {
        predicate.columns().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&selection.predicate()), ["a", "b"]);
    assert_eq!(names(&selection.predicate_for("a")), ["b"]);
    assert_eq!(names(&selection.predicate_for("x")), ["a", "b"]);
    let text = serde_json::to_string(&selection).unwrap();
    assert_eq!(serde_json::from_str::<Selection>(&text).unwrap(), selection);
}
