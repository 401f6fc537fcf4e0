//! Views and runs spelled out: the same rows in types that every reader knows, and no more
//! memory than is allowed.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::*;
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, Field, Schema};
use engine::ipc::error::IpcError;
use engine::ipc::plain::{is_plain, plain_batch, plain_schema};

use crate::samples::*;

fn plain(batch: &RecordBatch) -> Result<RecordBatch, IpcError> {
    plain_batch(batch, &Arc::new(plain_schema(&batch.schema())), 1 << 20)
}

fn column(name: &str) -> ArrayRef {
    columns().into_iter().find(|(other, _)| *other == name).unwrap().1
}

/// A view's value and its plain twin's, row by row.
#[test]
fn views_become_strings() {
    for (name, twin) in [("utf8_view", "utf8"), ("binary_view", "binary")] {
        for (at, n) in [(0, N_ROWS), (5, 40), (99, 1), (50, 0)] {
            let batch = plain(&batch_of(&[(name, column(name))]).slice(at, n)).unwrap();
            assert_eq!(batch.column(0), &column(twin).slice(at, n));
        }
    }
}

#[test]
fn list_views_become_lists() {
    let views = column("list_view");
    let views = views.as_list_view::<i32>();
    let large = column("large_list_view");
    let large = large.as_list_view::<i64>();
    for (at, n) in [(0, N_ROWS), (5, 40), (0, 0)] {
        let batch =
            batch_of(&[("small", column("list_view")), ("large", column("large_list_view"))]);
        let batch = plain(&batch.slice(at, n)).unwrap();
        let lists = batch.column(0).as_list::<i32>();
        let large_lists = batch.column(1).as_list::<i64>();
        for row in 0..n {
            assert_eq!(lists.is_null(row), views.is_null(at + row));
            if lists.is_valid(row) {
                assert_eq!(&lists.value(row), &views.value(at + row));
                assert_eq!(&large_lists.value(row), &large.value(at + row));
            }
        }
    }
}

/// Ranges that follow each other need no copy of the items.
#[test]
fn list_views_in_order_share_their_items() {
    let items: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10));
    let field = Arc::new(Field::new_list_field(DataType::Int64, true));
    let offsets: ScalarBuffer<i32> = vec![2, 0, 5, 6].into();
    let sizes: ScalarBuffer<i32> = vec![3, 0, 1, 4].into();
    let views: ArrayRef = Arc::new(ListViewArray::new(field, offsets, sizes, items.clone(), None));
    let batch = plain(&RecordBatch::try_from_iter([("v", views)]).unwrap()).unwrap();
    let lists = batch.column(0).as_list::<i32>();
    assert_eq!(lists.value_offsets(), [2, 5, 5, 6, 10]);
    assert!(lists.values().to_data().ptr_eq(&items.to_data()));
}

#[test]
fn runs_become_values() {
    let expected: Vec<Option<&str>> = (0..N_ROWS)
        .map(|row| match row {
            0..3 => Some("a"),
            3..10 => None,
            10 => Some("ccc"),
            11..64 => Some(""),
            _ => Some("é"),
        })
        .collect();
    for name in ["runs16", "runs32", "runs64"] {
        for (at, n) in [(0, N_ROWS), (2, 9), (64, 36), (10, 1), (40, 0)] {
            let batch = plain(&batch_of(&[(name, column(name))]).slice(at, n)).unwrap();
            let values: Vec<Option<&str>> = batch.column(0).as_string::<i32>().iter().collect();
            assert_eq!(values, expected[at..at + n], "{name} from {at}");
        }
    }
}

#[test]
fn what_is_nested_becomes_plain_too() {
    let view = Arc::new(Field::new("view", DataType::Utf8View, true));
    let of = |data_type| Schema::new(vec![Field::new("c", data_type, true)]);
    let views: ArrayRef = column("utf8_view");
    let structs = StructArray::new(vec![view.clone()].into(), vec![views.clone()], None);
    let item = Arc::new(Field::new_list_field(structs.data_type().clone(), true));
    let lists = FixedSizeListArray::new(item, 2, Arc::new(structs), None);
    let schema = of(lists.data_type().clone());
    assert!(!is_plain(lists.data_type()));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(lists)]).unwrap();
    let plain = plain(&batch).unwrap();
    assert!(plain.schema().fields().iter().all(|field| is_plain(field.data_type())));
    let structs = plain.column(0).as_fixed_size_list().values().clone();
    assert_eq!(structs.as_struct().column(0), &column("utf8"));
}

#[test]
fn plain_batches_are_left_alone() {
    let batch = batch_of(&[("utf8", column("utf8")), ("list", column("list"))]);
    let same = plain(&batch).unwrap();
    assert_eq!(same, batch);
    assert!(same.column(0).to_data().ptr_eq(&batch.column(0).to_data()));
}

/// A few bytes of views or runs can stand for gigabytes; they are counted first.
#[test]
fn spelling_out_costs_no_more_than_allowed() {
    let long = StringViewArray::from_iter_values(["x".repeat(10_000)]);
    let views: Vec<u128> = vec![long.views()[0]; 100_000];
    let views = StringViewArray::new(views.into(), long.data_buffers().to_vec(), None);
    let ends = Int64Array::from(vec![1 << 40]);
    let runs = RunArray::<Int64Type>::try_new(&ends, &StringArray::from(vec!["x"])).unwrap();
    let items: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10_000));
    let field = Arc::new(Field::new_list_field(DataType::Int32, true));
    let (offsets, sizes) = (vec![0_i32; 10_000].into(), vec![10_000_i32; 10_000].into());
    let lists = ListViewArray::new(field, offsets, sizes, items, None);
    let bombs: [ArrayRef; 3] = [Arc::new(views), Arc::new(runs), Arc::new(lists)];
    for bomb in bombs {
        let batch = RecordBatch::try_from_iter([("bomb", bomb)]).unwrap();
        let error = plain(&batch).unwrap_err();
        assert!(matches!(error, IpcError::TooLarge { .. }), "{error}");
    }
}

#[test]
fn dictionaries_of_views_keep_their_keys() {
    let batch = plain(&batch_of(&[("d", column("dictionary_of_views"))])).unwrap();
    let before = column("dictionary_of_views");
    let (before, after) =
        (before.as_dictionary::<Int32Type>(), batch.column(0).as_dictionary::<Int32Type>());
    assert_eq!(before.keys(), after.keys());
    assert_eq!(*after.values().data_type(), DataType::Utf8);
}
