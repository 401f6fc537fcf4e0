//! Summaries of small columns.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{Date32Array, DictionaryArray, Float32Array, Float64Array, StringArray};
use arrow_schema::DataType;

use super::*;

fn floats() -> ArrayRef {
    Arc::new(Float64Array::from(vec![
        Some(0.0),
        Some(0.5),
        Some(1.0),
        None,
        Some(f64::NAN),
        Some(9.99),
        Some(10.0),
        Some(-0.1),
        Some(10.1),
        Some(5.0),
    ]))
}

#[test]
fn overviews_leave_nan_and_null_out() {
    let mut overview = Overview::default();
    overview.push(&floats(), None).unwrap();
    let nothing: ArrayRef = Arc::new(Float32Array::from(vec![None, Some(f32::NAN)]));
    overview.push(&nothing, None).unwrap();
    let expected = Overview { rows: 12, nulls: 2, nans: 2, extent: Some([-0.1, 10.1]) };
    assert_eq!(overview, expected);
    let mut masked = Overview::default();
    masked.push(&floats(), Some(&Mask::from_fn(10, |row| row < 5))).unwrap();
    assert_eq!(masked, Overview { rows: 5, nulls: 1, nans: 1, extent: Some([0.0, 1.0]) });
    let mut empty = Overview::default();
    empty.push(&nothing, None).unwrap();
    assert_eq!(empty.extent, None);
    let mut texts = Overview::default();
    let array: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    texts.push(&array, None).unwrap();
    assert_eq!(texts, Overview { rows: 2, nulls: 1, nans: 0, extent: None });
}

#[test]
fn histograms_include_both_ends() {
    for count in [10, 300] {
        let mut column = BinnedColumn::new(Bins { low: 0.0, high: 10.0, count });
        column.push(&floats()).unwrap();
        column.push(&floats()).unwrap();
        let all = column.counts(&Mask::all(20));
        assert_eq!(all.outside, 8);
        assert_eq!(all.counts.len(), usize::from(count));
        assert_eq!(all.counts.iter().sum::<u32>(), 12);
        let per_bin = count / 10;
        assert_eq!(column.bin_at(2), Some(per_bin));
        assert_eq!(column.bin_at(6), Some(count - 1));
        assert_eq!(column.bin_at(9), Some(5 * per_bin));
        assert_eq!(
            [column.bin_at(3), column.bin_at(4), column.bin_at(7), column.bin_at(20)],
            [None; 4]
        );
        let half = column.counts(&Mask::from_fn(20, |row| row >= 10));
        assert_eq!(half.counts.iter().sum::<u32>(), 6);
    }
    let bins = Bins { low: 1.0, high: 2.0, count: 4 };
    assert_eq!([bins.edge(0), bins.edge(1), bins.edge(4)], [1.0, 1.25, 2.0]);
    assert_eq!(
        [bins.bin_of(1.25), bins.bin_of(1.2499), bins.bin_of(2.0)],
        [Some(1), Some(0), Some(3)]
    );
    let point = Bins { low: 3.0, high: 3.0, count: 5 };
    assert_eq!(
        [point.bin_of(3.0), point.bin_of(3.1), point.bin_of(f64::NAN)],
        [Some(0), None, None]
    );
}

#[test]
fn counting_under_masks_of_any_density_agrees() {
    let values: ArrayRef =
        Arc::new(Date32Array::from_iter_values((0..1_000).map(|row| row * 37 % 256)));
    for count in [255, 256] {
        let mut column = BinnedColumn::new(Bins { low: 0.0, high: 255.0, count });
        column.push(&values).unwrap();
        for share in [1, 2, 3, 10, 97] {
            let mask = Mask::from_fn(1_000, |row| row % share == 0 || (300..400).contains(&row));
            let mut expected = vec![0; usize::from(count)];
            mask.iter_ones()
                .for_each(|row| expected[usize::from(column.bin_at(row).unwrap())] += 1);
            assert_eq!(column.counts(&mask).counts, expected, "{count} {share}");
        }
    }
}

#[test]
fn densities_count_cells() {
    let axis = |values: Vec<f64>| {
        let mut column = BinnedColumn::new(Bins { low: 0.0, high: 2.0, count: 2 });
        column.push(&(Arc::new(Float64Array::from(values)) as ArrayRef)).unwrap();
        column
    };
    let x = axis(vec![0.0, 0.5, 1.5, 2.0, f64::NAN]);
    let y = axis(vec![0.0, 1.5, 0.5, 2.0, 1.0]);
    assert_eq!(density(&x, &y, &Mask::all(5)), [1, 1, 1, 1]);
    assert_eq!(density(&x, &y, &Mask::from_fn(5, |row| row < 2)), [1, 0, 1, 0]);
}

#[test]
fn categories_are_counted_by_code() {
    let first: DictionaryArray<Int8Type> =
        vec![Some("b"), Some("a"), None, Some("b")].into_iter().collect();
    let second: ArrayRef =
        Arc::new(StringArray::from(vec![Some("c"), Some("a"), Some("b"), None, Some("d")]));
    let mut column = CategoryColumn::new(first.data_type(), 100).unwrap();
    column.push(&(Arc::new(first) as ArrayRef)).unwrap();
    column.push(&second).unwrap();
    assert_eq!((column.len(), column.distinct(), column.null_code()), (9, 5, Some(2)));
    let values = column.values().unwrap();
    let labels: Vec<Option<&str>> = values.as_string::<i32>().iter().collect();
    assert_eq!(labels, [Some("b"), Some("a"), None, Some("c"), Some("d")]);
    let all = column.counts(&Mask::all(9));
    assert_eq!(all, CategoryCounts { counts: vec![3, 2, 2, 1, 1], other: 0 });
    let (top, other) = column.top(&Mask::all(9), 3).unwrap();
    let top: Vec<(u16, u32)> = top.iter().map(|entry| (entry.code, entry.count)).collect();
    assert_eq!((top, other), (vec![(0, 3), (1, 2), (3, 1)], 1));
}

#[test]
fn categories_beyond_the_cap_are_other() {
    let values: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..1_000).map(|row| format!("{}", row % 500))));
    for cap in [10, 255, 256, 400] {
        let mut column = CategoryColumn::new(&DataType::Utf8, cap).unwrap();
        column.push(&values).unwrap();
        let counts = column.counts(&Mask::all(1_000));
        assert_eq!(counts.counts, vec![2; usize::from(cap)], "{cap}");
        assert_eq!(counts.other, 1_000 - 2 * u32::from(cap));
        assert_eq!(column.values().unwrap().len(), usize::from(cap));
    }
    let list = DataType::new_list(DataType::Int32, true);
    assert!(CategoryColumn::new(&list, 10).is_none());
}
