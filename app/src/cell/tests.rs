//! Values of every kind, as a reader of the table sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::types::{Float32Type, Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    DictionaryArray, DurationMillisecondArray, FixedSizeListArray, Float32Array, Float64Array,
    Int64Array, ListArray, NullArray, StringArray, StringViewArray, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field};

use super::*;

fn texts(array: ArrayRef) -> Vec<String> {
    let rows = 0..array.len();
    rows.map(|row| cell_text(array.as_ref(), row).unwrap_or_else(|| "∅".to_owned())).collect()
}

#[test]
fn numbers_are_exact_and_floats_shortest() {
    let integers = Int64Array::from(vec![Some(i64::MAX), Some(-9_007_199_254_740_993), None]);
    assert_eq!(texts(Arc::new(integers)), ["9223372036854775807", "-9007199254740993", "∅"]);
    let unsigned = UInt64Array::from(vec![u64::MAX]);
    assert_eq!(texts(Arc::new(unsigned)), ["18446744073709551615"]);
    let floats = Float64Array::from(vec![0.1, 3.0, -0.0, 1e300, f64::NAN, f64::NEG_INFINITY]);
    assert_eq!(texts(Arc::new(floats)), ["0.1", "3", "-0", "1e300", "NaN", "-Infinity"]);
    let halves = Float32Array::from(vec![0.1_f32, 16_777_216.0]);
    assert_eq!(texts(Arc::new(halves)), ["0.1", "16777216"]);
    let decimals = Decimal128Array::from(vec![12345, -5]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(texts(Arc::new(decimals)), ["123.45", "-0.05"]);
}

#[test]
fn moments_are_iso() {
    let days = Date32Array::from(vec![0, 11_016, -1, -719_529, 2_932_897]);
    assert_eq!(
        texts(Arc::new(days)),
        ["1970-01-01", "2000-02-29", "1969-12-31", "-0001-12-31", "+10000-01-01"]
    );
    let zoned = TimestampMicrosecondArray::from(vec![-1, 1_577_836_800_000_000, 1_500_000])
        .with_timezone("Europe/Berlin");
    assert_eq!(
        texts(Arc::new(zoned)),
        ["1969-12-31T23:59:59.999999Z", "2020-01-01T00:00:00Z", "1970-01-01T00:00:01.500Z"]
    );
    let local = TimestampSecondArray::from(vec![1_577_836_861]);
    assert_eq!(texts(Arc::new(local)), ["2020-01-01T00:01:01"]);
    let millis = Date64Array::from(vec![86_400_000]);
    assert_eq!(texts(Arc::new(millis)), ["1970-01-02T00:00:00"]);
    let times = Time64MicrosecondArray::from(vec![0, 86_399_000_001]);
    assert_eq!(texts(Arc::new(times)), ["00:00:00", "23:59:59.000001"]);
    let durations = DurationMillisecondArray::from(vec![1500, -250, 0]);
    assert_eq!(texts(Arc::new(durations)), ["PT1.500S", "-PT0.250S", "PT0S"]);
    let extreme = TimestampSecondArray::from(vec![i64::MAX, i64::MIN]);
    assert_eq!(texts(Arc::new(extreme)).len(), 2);
}

#[test]
fn intervals_keep_their_parts() {
    let mut text = String::new();
    moment::write_interval(&mut text, 14, -3, -1_500_000_000);
    assert_eq!(text, "P1Y2M-3DT-1.500S");
    text.clear();
    moment::write_interval(&mut text, 0, 0, 0);
    assert_eq!(text, "PT0S");
}

#[test]
fn text_booleans_and_nulls() {
    assert_eq!(texts(Arc::new(BooleanArray::from(vec![Some(true), None]))), ["true", "∅"]);
    assert_eq!(texts(Arc::new(NullArray::new(1))), ["∅"]);
    assert_eq!(texts(Arc::new(StringViewArray::from(vec!["null", ""]))), ["null", ""]);
    let long = "é".repeat(CHARS_MAX + 5);
    let cut = cell_text(&StringArray::from(vec![long]), 0).unwrap();
    assert_eq!(cut.chars().count(), CHARS_MAX + 1);
    assert!(cut.ends_with('…'));
    let whole = "x".repeat(CHARS_MAX);
    assert_eq!(cell_text(&StringArray::from(vec![whole.clone()]), 0).unwrap(), whole);
    assert_eq!(cell_text(&StringArray::from(vec!["a"]), 1), None);
}

#[test]
fn nested_values_are_short() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
        Some((0..100).map(Some).collect()),
    ]);
    let shown = texts(Arc::new(list));
    assert_eq!(shown[..3], ["[1, null]", "∅", "[]"]);
    assert!(shown[3].starts_with("[0, 1, ") && shown[3].ends_with(", 15, …]"), "{}", shown[3]);
    let vector = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        vec![Some(vec![Some(0.5), Some(1.0)])],
        2,
    );
    assert_eq!(texts(Arc::new(vector)), ["[0.5, 1]"]);
    let record = StructArray::from(vec![(
        Arc::new(Field::new("a", DataType::Utf8, true)),
        Arc::new(StringArray::from(vec!["x"])) as ArrayRef,
    )]);
    assert_eq!(texts(Arc::new(record)), ["{a: x}"]);
    let words: DictionaryArray<Int8Type> = vec![Some("b"), None, Some("a")].into_iter().collect();
    assert_eq!(texts(Arc::new(words)), ["b", "∅", "a"]);
    let bytes = BinaryArray::from(vec![&[0_u8, 255][..], &[7; 100][..]]);
    let shown = texts(Arc::new(bytes));
    assert_eq!(shown[0], "2 B · 00ff");
    assert_eq!(shown[1], format!("100 B · {}…", "07".repeat(BYTES_MAX)));
    let picture = BinaryArray::from(vec![&b"\x89PNG\r\n\x1a\nrest"[..]]);
    assert_eq!(texts(Arc::new(picture)), ["image/png · 12 B"]);
}
