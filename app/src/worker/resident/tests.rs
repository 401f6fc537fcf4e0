//! Columns that arrive in pieces of any size are what they would be in one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, StringArray,
    StringViewArray,
};
use arrow_schema::{DataType, Field};
use engine::kind::{Kind, kind_from_type};

use super::column::NULL_CODE;
use super::*;
use crate::cell::cell_text;

fn column(name: &str, parts: &[ArrayRef]) -> Column {
    let data_type = parts[0].data_type().clone();
    let kind = kind_from_type(&data_type);
    let mut column = Column::new(Arc::new(Field::new(name, data_type, true)), kind, 0);
    for part in parts {
        column.push(part).unwrap();
    }
    column.finish().unwrap();
    column
}

fn cells(column: &Column) -> Vec<Option<String>> {
    let blocks = column.blocks().iter();
    blocks.flat_map(|block| (0..block.len()).map(|row| cell_text(block, row))).collect()
}

fn parts_of(array: &ArrayRef, size: usize) -> Vec<ArrayRef> {
    let starts = (0..array.len()).step_by(size);
    starts.map(|start| array.slice(start, size.min(array.len() - start))).collect()
}

#[test]
fn blocks_are_of_one_size_however_rows_arrive() {
    let rows = BLOCK_ROWS * 2 + 777;
    let numbers: ArrayRef =
        Arc::new(Int64Array::from_iter((0..rows as i64).map(|n| (n % 7 != 0).then_some(n))));
    let texts: ArrayRef = Arc::new(StringArray::from_iter(
        (0..rows).map(|n| (n % 5 != 0).then(|| format!("t{}", n % 11))),
    ));
    for size in [rows, 1000, BLOCK_ROWS, BLOCK_ROWS + 1] {
        for array in [&numbers, &texts] {
            let column = column("c", &parts_of(array, size));
            let lens: Vec<_> = column.blocks().iter().map(|block| block.len()).collect();
            assert_eq!(lens, [BLOCK_ROWS, BLOCK_ROWS, 777], "{size}");
            assert_eq!(column.rows(), rows);
            let wanted: Vec<_> = (0..rows).map(|row| cell_text(array, row)).collect();
            assert_eq!(cells(&column), wanted);
        }
    }
}

#[test]
fn what_fills_a_block_is_usable_before_the_end() {
    let field = Arc::new(Field::new("c", DataType::Utf8, true));
    let mut column = Column::new(field, Kind::Text, 0);
    let part: ArrayRef = Arc::new(StringArray::from(vec!["x"; 1000]));
    for _ in 0..66 {
        column.push(&part).unwrap();
    }
    assert_eq!((column.rows(), column.is_complete()), (BLOCK_ROWS, false));
    column.finish().unwrap();
    assert_eq!((column.rows(), column.is_complete()), (66_000, true));
}

#[test]
fn texts_are_coded_alike_in_every_block() {
    let n = BLOCK_ROWS + 10;
    let early: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..n).map(|_| "early")));
    let late: ArrayRef =
        Arc::new(StringViewArray::from_iter((0..n).map(|n| (n > 0).then_some("late"))));
    let column = column("c", &[early, late]);
    assert_eq!(column.n_words(), Some(2));
    assert_eq!(column.codes(0).unwrap()[0], 0);
    assert_eq!(column.codes(1).unwrap()[10], NULL_CODE);
    assert_eq!(column.codes(1).unwrap()[11], 1);
    let values: Vec<_> =
        column.blocks().iter().map(|block| block.to_data().child_data()[0].clone()).collect();
    assert!(
        values
            .windows(2)
            .all(|pair| pair[0].buffers()[1].as_ptr() == pair[1].buffers()[1].as_ptr())
    );
}

#[test]
fn dictionaries_of_batches_become_one() {
    let part = |words: Vec<Option<&str>>| -> ArrayRef {
        Arc::new(words.into_iter().collect::<DictionaryArray<Int32Type>>())
    };
    let column =
        column("c", &[part(vec![Some("b"), None, Some("a")]), part(vec![Some("a"), Some("c")])]);
    assert_eq!(column.n_words(), Some(3));
    let shown: Vec<_> = cells(&column).into_iter().map(Option::unwrap_or_default).collect();
    assert_eq!(shown, ["b", "", "a", "a", "c"]);
}

#[test]
fn too_many_texts_are_kept_plain() {
    let n = BLOCK_ROWS + 5000;
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..n).map(|n| n.to_string())));
    let column = column("c", &parts_of(&texts, 4096));
    assert_eq!(column.n_words(), None);
    assert_eq!(column.field().data_type(), &DataType::Utf8);
    let wanted: Vec<_> = (0..n).map(|n| Some(n.to_string())).collect();
    assert_eq!(cells(&column), wanted);
}

#[test]
fn nothing_is_a_column_too() {
    let none: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
    let empty = column("c", &[none]);
    assert_eq!((empty.rows(), empty.blocks().len(), empty.is_complete()), (0, 0, true));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1)]),
        None,
    ]));
    let mut resident = Resident::new("t".to_owned(), None, "u".to_owned(), Origin::Browser);
    resident.insert(column("l", &[list]));
    assert_eq!(resident.rows_of(["l"]), 2);
    assert_eq!(resident.rows_of(["l", "m"]), 0);
    assert_eq!(resident.block(&["l"], 0).unwrap().num_rows(), 2);
    assert!(resident.block(&["l"], 1).is_none());
    let wrong: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    assert!(resident.column_mut("l").unwrap().push(&wrong).is_err());
}
