//! Random tables of every kind of column, and random filters over them, drawn so that literals
//! often meet values. They shrink to few rows and plain filters.

use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int8Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array,
};
use proptest::prelude::*;
use proptest::sample::select;

/// The columns of every table: name, and literals that filters on it are made of.
const COLUMNS: [(&str, &[&str]); 13] = [
    ("i8", &["-128", "-1", "0", "1", "2.5", "127", "128", "\"7\""]),
    (
        "i64",
        &[
            "0",
            "1",
            "-3",
            "9007199254740993",
            "9223372036854775807",
            "-9223372036854775808",
            "1e30",
            "0.5",
        ],
    ),
    ("u64", &["0", "1", "-1", "18446744073709551615", "9223372036854775808", "1.5"]),
    ("f32", &["0", "-0.0", "1.5", "0.1", "1e39", "-1e39", "\"NaN\"", "\"inf\""]),
    ("f64", &["0", "-0.0", "1.5", "0.1", "-2", "1e300", "\"NaN\"", "\"-inf\""]),
    ("decimal", &["0", "1.25", "1.250", "-3", "1.255", "1e20", "\"2.00\""]),
    ("boolean", &["true", "false", "\"true\""]),
    ("text", &["\"\"", "\"a\"", "\"ab\"", "\"B\"", "\"é\"", "\"🦆\"", "\"a.b\"", "\"2024-01-02\""]),
    ("large", &["\"\"", "\"a\"", "\"ab\"", "\"B\"", "\"é\""]),
    ("category", &["\"\"", "\"a\"", "\"ab\"", "\"B\"", "\"é\""]),
    ("day", &["\"1969-12-31\"", "\"1970-01-01\"", "\"2024-02-29\"", "\"2024-02-29T12:00:00Z\""]),
    (
        "at",
        &[
            "\"1970-01-01\"",
            "\"1970-01-01T00:00:00.000001\"",
            "\"2024-02-29T12:00:00+02:00\"",
            "\"2024-02-29\"",
        ],
    ),
    (
        "at_ms",
        &[
            "\"1970-01-01\"",
            "\"1970-01-01T00:00:00.0005\"",
            "\"2024-02-29T12:00:00\"",
            "\"2024-02-29\"",
        ],
    ),
];

/// A table of up to 24 rows, and the text of a query's filters over it.
pub fn batch_and_filters() -> impl Strategy<Value = (RecordBatch, String)> {
    let clauses = prop::collection::vec(node(3), 0..3);
    let filters = clauses.prop_map(|clauses| format!("[{}]", clauses.join(",")));
    (batch(24), filters)
}

/// A table of up to `rows_max` rows.
pub fn batch(rows_max: usize) -> impl Strategy<Value = RecordBatch> {
    prop::collection::vec(row(), 0..=rows_max).prop_map(|rows| batch_from_rows(&rows))
}

/// One value of each column, each of which may be null.
type Row = (Numbers, Texts, Times);
type Numbers =
    (Option<i8>, Option<i64>, Option<u64>, Option<f32>, Option<f64>, Option<i128>, Option<bool>);
type Texts = (Option<String>, Option<String>, Option<String>);
type Times = (Option<i32>, Option<i64>, Option<i64>);

fn row() -> impl Strategy<Value = Row> {
    let maybe = prop::option::weighted::<BoxedStrategy<i8>>;
    let numbers = (
        maybe(0.85, select(vec![-128_i8, -1, 0, 1, 2, 3, 7, 127]).boxed()),
        some(vec![0_i64, 1, -3, (1 << 53) + 1, i64::MAX, i64::MIN]),
        some(vec![0_u64, 1, 2, u64::MAX, 1 << 63]),
        some(vec![0.0_f32, -0.0, 1.5, 0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX]),
        some(vec![0.0_f64, -0.0, 1.5, 0.1, -2.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::MIN]),
        some(vec![0_i128, 125, -300, 200, 126, 99_999]),
        some(vec![true, false]),
    );
    let texts = || {
        some(
            ["", "a", "ab", "A", "B", "é", "É", "🦆", "a.b", "2024-01-02", "x\ny"]
                .map(str::to_owned)
                .to_vec(),
        )
    };
    let times = (
        some(vec![0_i32, -1, 19_782, i32::MAX, i32::MIN]),
        some(vec![0_i64, 1, -1, 1_709_200_800_000_000, 1_709_164_800_000_000, i64::MAX, i64::MIN]),
        some(vec![0_i64, 1, -1, 1_709_208_000_000, 1_709_164_800_000, 1_709_251_199_999]),
    );
    (numbers, (texts(), texts(), texts()), times)
}

fn some<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.85, select(values))
}

fn batch_from_rows(rows: &[Row]) -> RecordBatch {
    let category: DictionaryArray<Int8Type> = rows.iter().map(|row| row.1.2.as_deref()).collect();
    let decimal: Decimal128Array = rows.iter().map(|row| row.0.5).collect();
    let at: TimestampMicrosecondArray = rows.iter().map(|row| row.2.1).collect();
    let columns: [(&str, ArrayRef); 15] = [
        ("i8", Arc::new(rows.iter().map(|row| row.0.0).collect::<Int8Array>())),
        ("i64", Arc::new(rows.iter().map(|row| row.0.1).collect::<Int64Array>())),
        ("u64", Arc::new(rows.iter().map(|row| row.0.2).collect::<UInt64Array>())),
        ("f32", Arc::new(rows.iter().map(|row| row.0.3).collect::<Float32Array>())),
        ("f64", Arc::new(rows.iter().map(|row| row.0.4).collect::<Float64Array>())),
        ("decimal", Arc::new(decimal.with_precision_and_scale(12, 2).unwrap())),
        ("boolean", Arc::new(rows.iter().map(|row| row.0.6).collect::<BooleanArray>())),
        ("text", Arc::new(rows.iter().map(|row| row.1.0.as_deref()).collect::<StringArray>())),
        (
            "large",
            Arc::new(rows.iter().map(|row| row.1.1.as_deref()).collect::<LargeStringArray>()),
        ),
        ("view", Arc::new(rows.iter().map(|row| row.1.0.as_deref()).collect::<StringViewArray>())),
        ("category", Arc::new(category)),
        (
            "wide_category",
            Arc::new(
                rows.iter().map(|row| row.1.1.as_deref()).collect::<DictionaryArray<Int32Type>>(),
            ),
        ),
        ("day", Arc::new(rows.iter().map(|row| row.2.0).collect::<Date32Array>())),
        ("at", Arc::new(at.with_timezone("UTC"))),
        ("at_ms", Arc::new(rows.iter().map(|row| row.2.2).collect::<TimestampMillisecondArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// A clause, or a node of clauses, as JSON.
fn node(depth: u32) -> impl Strategy<Value = String> {
    let list = |nodes: Vec<String>| nodes.join(",");
    clause().prop_recursive(depth, 12, 3, move |inner| {
        let several = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            several.clone().prop_map(move |nodes| format!(r#"{{"and":[{}]}}"#, list(nodes))),
            several.prop_map(move |nodes| format!(r#"{{"or":[{}]}}"#, list(nodes))),
            inner.prop_map(|node| format!(r#"{{"not":{node}}}"#)),
        ]
    })
}

fn clause() -> impl Strategy<Value = String> {
    let column = (0..COLUMNS.len()).prop_map(|index| COLUMNS[index]);
    let on_column = column.prop_flat_map(|(name, literals)| {
        let literal = select(literals.to_vec());
        let compare = (select(vec!["eq", "ne", "lt", "le", "gt", "ge"]), literal.clone());
        let several = prop::collection::vec(literal.clone(), 0..4);
        let with = move |op: &str, value: &str| {
            format!(r#"{{"column":"{name}","op":"{op}","value":{value}}}"#)
        };
        prop_oneof![
            5 => compare.prop_map(move |(op, value)| with(op, value)),
            2 => (literal.clone(), literal).prop_map(move |(low, high)| with("between", &format!("[{low},{high}]"))),
            2 => (select(vec!["in", "not_in"]), several)
                .prop_map(move |(op, values)| with(op, &format!("[{}]", values.join(",")))),
            1 => select(vec!["is_null", "not_null"])
                .prop_map(move |op| format!(r#"{{"column":"{name}","op":"{op}"}}"#)),
        ]
    });
    let texts = select(vec!["text", "large", "view", "category", "wide_category"]);
    let patterns = select(vec!["a", "", "b", "É", ".", "^a", "b$", "[aé]", "(?i)A", "\\\\n"]);
    let searched = (texts, select(vec!["contains", "matches"]), patterns, any::<bool>());
    let searched = searched.prop_map(|(column, op, pattern, case_sensitive)| {
        format!(r#"{{"column":"{column}","op":"{op}","value":"{pattern}","case_sensitive":{case_sensitive}}}"#)
    });
    let corner = (-3_i32..4, -3_i32..4);
    let within = (
        select(vec!["f64", "f32", "i8"]),
        select(vec!["f64", "i64", "decimal"]),
        prop::collection::vec(corner, 3..6),
    );
    let within = within.prop_map(|(x, y, corners)| {
        let corners = corners.iter().map(|(x, y)| format!("[{x},{y}]")).collect::<Vec<_>>();
        format!(r#"{{"columns":["{x}","{y}"],"op":"within","value":[{}]}}"#, corners.join(","))
    });
    prop_oneof![8 => on_column, 2 => searched, 1 => within]
}
