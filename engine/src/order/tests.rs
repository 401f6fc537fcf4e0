//! Orders of types that the property tests leave out, few rows and many.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::{BinaryArray, Decimal128Array, Float32Array, RecordBatch, UInt64Array};

use super::*;

fn sorted(array: ArrayRef, descending: bool, limit: Option<usize>) -> Vec<u32> {
    let batch = RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap();
    let key = OrderKey { column: "c".to_owned(), descending, nulls: Nulls::Last };
    let mut sorter = Sorter::new(&[key], batch.schema_ref()).unwrap();
    sorter.push(&batch, 0).unwrap();
    sorter.finish(limit).unwrap()
}

#[test]
fn wide_and_unsigned_numbers_and_bytes_have_an_order() {
    let decimals =
        Decimal128Array::from(vec![Some(i128::MAX / 7), Some(-1), None, Some(0), Some(-1)]);
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(38, 3).unwrap());
    assert_eq!(sorted(decimals.clone(), false, None), [1, 4, 3, 0, 2]);
    assert_eq!(sorted(decimals, true, Some(4)), [0, 3, 1, 4]);
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1 << 63]));
    assert_eq!(sorted(unsigned, true, None), [0, 2, 1]);
    let bytes: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![
        Some(b"12345678b"),
        Some(b"12345678"),
        None,
        Some(b"\xff"),
        Some(b""),
        Some(b"12345678a"),
        Some(b"12345678\0"),
    ]));
    assert_eq!(sorted(bytes.clone(), false, None), [4, 1, 6, 5, 0, 3, 2]);
    assert_eq!(sorted(bytes, true, None), [3, 0, 5, 6, 1, 4, 2]);
}

#[test]
fn many_rows_keep_their_ties_in_table_order() {
    let count = 5_000;
    let value = |row: u32| match row * 7_919 % 23 {
        0 => None,
        1 => Some(f32::NAN),
        2 => Some(-0.0),
        3 => Some(0.0),
        other => Some(other as f32 - 11.5),
    };
    let array: ArrayRef = Arc::new((0..count).map(value).collect::<Float32Array>());
    for descending in [false, true] {
        let mut expected: Vec<u32> = (0..count).collect();
        let class = |row: u32| value(row).map_or(2, |value| u8::from(value.is_nan()));
        expected.sort_by(|a, b| {
            let numbers = value(*a).partial_cmp(&value(*b)).filter(|_| class(*a) == 0);
            let numbers = numbers.unwrap_or(std::cmp::Ordering::Equal);
            let numbers = if descending { numbers.reverse() } else { numbers };
            class(*a).cmp(&class(*b)).then(numbers)
        });
        assert_eq!(sorted(array.clone(), descending, None), expected);
        for limit in [1, 100, 624, 625, 4_999, 9_999] {
            let wanted = &expected[..limit.min(count as usize)];
            assert_eq!(sorted(array.clone(), descending, Some(limit)), wanted, "{limit}");
        }
    }
}

#[test]
fn steps_of_any_size_come_to_the_same_order() {
    let texts = (0..3_000_u32).map(|row| match row % 7 {
        0 => None,
        _ => Some(format!("{}{}", "common-".repeat((row % 3) as usize), row * 7_919 % 1_009)),
    });
    let texts: ArrayRef = Arc::new(texts.collect::<arrow_array::StringArray>());
    let numbers: ArrayRef =
        Arc::new((0..3_000_u64).map(|row| row * row % 11).collect::<UInt64Array>());
    let batch =
        RecordBatch::try_from_iter_with_nullable([("s", texts, true), ("n", numbers, true)])
            .unwrap();
    let key = |column: &str, nulls| OrderKey { column: column.to_owned(), descending: true, nulls };
    let sorter = |batch: &RecordBatch| {
        let keys = [key("n", Nulls::Last), key("s", Nulls::First)];
        let mut sorter = Sorter::new(&keys, batch.schema_ref()).unwrap();
        sorter.push(batch, 0).unwrap();
        sorter
    };
    let expected = sorter(&batch).finish(None).unwrap();
    for budget in [0, 1, 17, 1_000, 5_000] {
        let mut sorting = sorter(&batch).into_sorting().unwrap();
        let mut steps = 0;
        while !sorting.step(budget) {
            steps += 1;
        }
        assert!(budget > 1_000 || steps > 10);
        assert_eq!(sorting.into_order(), expected, "{budget}");
    }
    let mut by_comparison = sorter(&batch).finish(Some(300)).unwrap();
    assert_eq!(by_comparison, expected[..300]);
    by_comparison.truncate(0);
    assert_eq!(sorter(&batch).finish(Some(0)).unwrap(), by_comparison);
}
