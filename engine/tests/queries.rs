//! Whole queries over small tables, with answers worked out by hand: groups, bins,
//! aggregates, orders, pages, samples, and the fields to blame.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/parity/data.rs"]
mod data;

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Date32Array, Decimal128Array, DictionaryArray, DurationSecondArray,
    Float32Array, Float64Array, Int32Array, Int64Array, NullArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use engine::error::QueryErrorKind;
use engine::execute::execute;
use engine::query::Query;

/// Twelve rows in three batches, with a null, NaN or tie wherever one can be.
#[allow(clippy::too_many_lines, reason = "a table, value by value")]
fn table() -> Vec<RecordBatch> {
    let carrier = vec![
        Some("AA"),
        Some("DL"),
        None,
        Some("AA"),
        Some("UA"),
        Some("DL"),
        Some("AA"),
        None,
        Some("ua"),
        Some(""),
        Some("DL"),
        Some("AA"),
    ];
    let carriers: DictionaryArray<arrow_array::types::Int8Type> = carrier.into_iter().collect();
    let delay = Int32Array::from(vec![
        Some(5),
        Some(-3),
        Some(12),
        None,
        Some(0),
        Some(25),
        Some(5),
        Some(-11),
        None,
        Some(30),
        Some(12),
        Some(7),
    ]);
    let distance = Float64Array::from(vec![
        Some(100.0),
        Some(f64::NAN),
        Some(-0.0),
        Some(250.5),
        None,
        Some(0.0),
        Some(100.0),
        Some(f64::NAN),
        Some(1e3),
        Some(-7.5),
        None,
        Some(f64::INFINITY),
    ]);
    let day = Date32Array::from(vec![
        Some(19_723),
        Some(19_753),
        Some(19_754),
        None,
        Some(19_722),
        Some(19_737),
        Some(19_753),
        Some(19_723),
        Some(20_088),
        Some(-1),
        Some(0),
        Some(19_782),
    ]);
    let at = [
        Some(1_704_067_200_000_000),
        Some(1_704_070_799_999_999),
        Some(1_704_070_800_000_000),
        None,
        Some(-1),
        Some(0),
        Some(1_706_745_599_000_000),
        Some(1_706_745_600_000_000),
        Some(1_709_164_800_000_000),
        Some(1_709_251_199_999_999),
        Some(1_709_251_200_000_000),
        None,
    ];
    let at = TimestampMicrosecondArray::from(at.to_vec()).with_timezone("+00:00");
    let price = Decimal128Array::from(vec![
        Some(150),
        Some(250),
        None,
        Some(-100),
        Some(1),
        Some(99),
        Some(100),
        Some(0),
        Some(150),
        None,
        Some(7),
        Some(33),
    ]);
    let price = price.with_precision_and_scale(10, 2).unwrap();
    let columns: [(&str, ArrayRef); 6] = [
        ("carrier", Arc::new(carriers)),
        ("delay", Arc::new(delay)),
        ("distance", Arc::new(distance)),
        ("day", Arc::new(day)),
        ("at", Arc::new(at)),
        ("price", Arc::new(price)),
    ];
    let whole =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)));
    let whole = whole.unwrap();
    vec![whole.slice(0, 5), whole.slice(5, 0), whole.slice(5, 4), whole.slice(9, 3)]
}

fn answer(batches: &[RecordBatch], query: &str) -> RecordBatch {
    let query = Query::from_json(&format!(r#"{{"table":"t",{query}}}"#)).unwrap();
    execute(&query, &batches[0].schema(), batches, 0).unwrap()
}

/// The rows of an answer, cells joined by a bar; null is a dot.
fn lines(batch: &RecordBatch) -> Vec<String> {
    let cell =
        |array: &ArrayRef, row: usize| match array.is_null(row) || array.data_type().is_null() {
            true => ".".to_owned(),
            false => array_value_to_string(array, row).unwrap(),
        };
    let line = |row: usize| {
        let cells: Vec<String> = batch.columns().iter().map(|array| cell(array, row)).collect();
        cells.join("|")
    };
    (0..batch.num_rows()).map(line).collect()
}

#[track_caller]
fn check(query: &str, expected: &[&str]) {
    assert_eq!(lines(&answer(&table(), query)), expected, "{query}");
}

#[track_caller]
fn check_blame(query: &str, field: &str) {
    let batches = table();
    let query = Query::from_json(&format!(r#"{{"table":"t",{query}}}"#)).unwrap();
    let error = execute(&query, &batches[0].schema(), &batches, 0).unwrap_err();
    assert_eq!(error.field, field, "{error}");
}

#[test]
fn groups_come_sorted_with_null_last() {
    check(
        r#""group_by":["carrier"],"aggregates":[{"op":"count","as":"n"},{"op":"count","column":"delay"},
           {"op":"sum","column":"delay"},{"op":"min","column":"delay"},{"op":"max","column":"delay"}]"#,
        &[
            "|1|1|30|30|30",
            "AA|4|3|17|5|7",
            "DL|3|3|34|-3|25",
            "UA|1|1|0|0|0",
            "ua|1|0|.|.|.",
            ".|2|2|1|-11|12",
        ],
    );
    check(r#""group_by":["carrier"]"#, &["", "AA", "DL", "UA", "ua", "."]);
    check(
        r#""group_by":["distance"],"aggregates":[{"op":"count"}]"#,
        &["-7.5|1", "0.0|2", "100.0|2", "250.5|1", "1000.0|1", "inf|1", "NaN|2", ".|2"],
    );
    check(
        r#""filters":[{"column":"_row","op":"lt","value":6}],"group_by":["carrier",{"column":"delay","as":"d"}]"#,
        &["AA|5", "AA|.", "DL|-3", "DL|25", "UA|0", ".|12"],
    );
    check(
        r#""group_by":["_row"],"aggregates":[{"op":"max","column":"_row"}],"limit":2,"offset":10"#,
        &["10|10", "11|11"],
    );
}

#[test]
fn aggregates_follow_their_rules() {
    check(
        r#""aggregates":[{"op":"count"},{"op":"count","column":"distance"},{"op":"count_distinct","column":"distance"},
           {"op":"min","column":"distance"},{"op":"max","column":"distance"},{"op":"median","column":"distance"},
           {"op":"sum","column":"distance"},{"op":"mean","column":"distance"},{"op":"variance","column":"distance"}]"#,
        &["12|10|7|-7.5|inf|100.0|NaN|NaN|NaN"],
    );
    check(
        r#""filters":[{"column":"delay","op":"not_null"}],
           "aggregates":[{"op":"mean","column":"delay"},{"op":"median","column":"delay"},
           {"op":"quantile","column":"delay","q":0.25,"as":"q1"},{"op":"quantile","column":"delay","q":1,"as":"top"},
           {"op":"stddev","column":"delay"},{"op":"variance","column":"delay"}]"#,
        &["8.2|6.0|1.25|30.0|12.336035739968402|152.17777777777778"],
    );
    check(
        r#""aggregates":[{"op":"sum","column":"price"},{"op":"mean","column":"price"},{"op":"min","column":"price"},
           {"op":"max","column":"price"},{"op":"median","column":"price"},{"op":"count_distinct","column":"price"}]"#,
        &["6.90|0.69|-1.00|2.50|0.66|9"],
    );
    check(
        r#""aggregates":[{"op":"min","column":"carrier"},{"op":"max","column":"carrier"},{"op":"count_distinct","column":"carrier"},
           {"op":"min","column":"day"},{"op":"max","column":"day"},{"op":"max","column":"at"},{"op":"min","column":"at"}]"#,
        &["|ua|5|1969-12-31|2024-12-31|2024-03-01T00:00:00Z|1969-12-31T23:59:59.999999Z"],
    );
    // One value has no spread; none has nothing.
    check(
        r#""filters":[{"column":"carrier","op":"eq","value":"UA"}],
           "aggregates":[{"op":"stddev","column":"delay"},{"op":"median","column":"delay"},{"op":"mean","column":"distance"}]"#,
        &[".|0.0|."],
    );
    // All NaN: no least, no middle.
    check(
        r#""filters":[{"column":"_row","op":"in","value":[1,7]}],
           "aggregates":[{"op":"min","column":"distance"},{"op":"max","column":"distance"},{"op":"median","column":"distance"},
           {"op":"mean","column":"distance"},{"op":"count","column":"distance"}]"#,
        &[".|.|.|NaN|2"],
    );
}

#[test]
fn without_keys_there_is_one_row_over_nothing() {
    let nothing = r#""filters":[{"column":"delay","op":"in","value":[]}],"aggregates":
        [{"op":"count"},{"op":"count","column":"delay"},{"op":"count_distinct","column":"carrier"},{"op":"sum","column":"delay"},
         {"op":"mean","column":"delay"},{"op":"min","column":"carrier"},{"op":"median","column":"price"},{"op":"stddev","column":"delay"}]"#;
    check(nothing, &["0|0|0|.|.|.|.|."]);
    check(&format!("{nothing},\"group_by\":[\"carrier\"]"), &[]);
    let empty = [table()[0].slice(0, 0)];
    assert_eq!(lines(&answer(&empty, nothing)), ["0|0|0|.|.|.|.|."]);
    let query = Query::from_json(&format!(r#"{{"table":"t",{nothing}}}"#)).unwrap();
    let none = execute(&query, &table()[0].schema(), &[], 0).unwrap();
    assert_eq!(lines(&none), ["0|0|0|.|.|.|.|."]);
}

#[test]
fn types_of_answers_are_fixed() {
    let batches = table();
    let batch = answer(
        &batches,
        r#""group_by":["carrier",{"column":"delay","bin":{"step":10},"as":"d10"},{"column":"delay","bin":{"step":2.5},"as":"d2"},
           {"column":"at","bin":{"step":"P1D"}},"day"],
           "aggregates":[{"op":"count"},{"op":"count_distinct","column":"day"},{"op":"sum","column":"delay"},{"op":"sum","column":"price"},
           {"op":"sum","column":"distance"},{"op":"mean","column":"price"},{"op":"min","column":"carrier"},{"op":"max","column":"at"}]"#,
    );
    let schema = batch.schema();
    let types: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| {
            format!(
                "{}: {}{}",
                field.name(),
                field.data_type(),
                if field.is_nullable() { "?" } else { "" }
            )
        })
        .collect();
    let zoned = r#"Timestamp(µs, "+00:00")?"#;
    let expected = [
        "carrier: Utf8?",
        "d10: Int64?",
        "d2: Float64?",
        &format!("at: {zoned}"),
        "day: Date32?",
        "count: Int64",
        "count_distinct_day: Int64",
        "sum_delay: Int64?",
        "sum_price: Decimal128(20, 2)?",
        "sum_distance: Float64?",
        "mean_price: Float64?",
        "min_carrier: Utf8?",
        &format!("max_at: {zoned}"),
    ];
    assert_eq!(types, expected);
    let rows = answer(&batches, r#""columns":["carrier","_row"]"#);
    assert_eq!(*rows.schema().field(0).data_type(), *batches[0].schema().field(0).data_type());
    assert_eq!(*rows.schema().field(1).data_type(), DataType::Int64);
    assert!(!rows.schema().field(1).is_nullable());
}

#[test]
fn bins_between_edges_carry_the_edge_below() {
    let count = r#""aggregates":[{"op":"count","as":"n"}]"#;
    check(
        &format!(r#""group_by":[{{"column":"delay","bin":{{"edges":[0,5,"12"]}}}}],{count}"#),
        &["-inf|2", "0.0|1", "5.0|3", "12.0|4", ".|2"],
    );
    check(
        &format!(r#""group_by":[{{"column":"distance","bin":{{"edges":[0,1e3]}}}}],{count}"#),
        &["-inf|1", "0.0|5", "1000.0|1", "inf|1", "NaN|2", ".|2"],
    );
}

#[test]
fn bins_start_at_multiples_of_their_step() {
    let count = r#""aggregates":[{"op":"count","as":"n"}]"#;
    check(
        &format!(r#""group_by":[{{"column":"delay","bin":{{"step":10}}}}],{count}"#),
        &["-20|1", "-10|1", "0|4", "10|2", "20|1", "30|1", ".|2"],
    );
    check(
        &format!(r#""group_by":[{{"column":"delay","bin":{{"step":"10","origin":5}}}}],{count}"#),
        &["-15|1", "-5|2", "5|5", "25|2", ".|2"],
    );
    check(
        &format!(r#""group_by":[{{"column":"distance","bin":{{"step":100}},"as":"km"}}],{count}"#),
        &["-100.0|1", "0.0|2", "100.0|2", "200.0|1", "1000.0|1", "inf|1", "NaN|2", ".|2"],
    );
    check(
        &format!(r#""group_by":[{{"column":"price","bin":{{"step":0.5}}}}],{count}"#),
        &["-1.0|1", "0.0|4", "0.5|1", "1.0|1", "1.5|2", "2.5|1", ".|2"],
    );
    check(
        &format!(r#""group_by":[{{"column":"day","bin":{{"step":"P1M"}}}}],{count}"#),
        &[
            "1969-12-01|1",
            "1970-01-01|1",
            "2023-12-01|1",
            "2024-01-01|5",
            "2024-02-01|2",
            "2024-12-01|1",
            ".|1",
        ],
    );
    check(
        &format!(r#""group_by":[{{"column":"day","bin":{{"step":"P1Y"}}}}],{count}"#),
        &["1969-01-01|1", "1970-01-01|1", "2023-01-01|1", "2024-01-01|8", ".|1"],
    );
    // Weeks start on Mondays: 2024-01-01 was one.
    check(
        &format!(r#""group_by":[{{"column":"day","bin":{{"step":"P1W"}}}}],{count}"#),
        &[
            "1969-12-29|2",
            "2023-12-25|1",
            "2024-01-01|2",
            "2024-01-15|1",
            "2024-01-29|3",
            "2024-02-26|1",
            "2024-12-30|1",
            ".|1",
        ],
    );
    check(
        &format!(r#""group_by":[{{"column":"at","bin":{{"step":"PT1H"}}}}],{count}"#),
        &[
            "1969-12-31T23:00:00Z|1",
            "1970-01-01T00:00:00Z|1",
            "2024-01-01T00:00:00Z|2",
            "2024-01-01T01:00:00Z|1",
            "2024-01-31T23:00:00Z|1",
            "2024-02-01T00:00:00Z|1",
            "2024-02-29T00:00:00Z|1",
            "2024-02-29T23:00:00Z|1",
            "2024-03-01T00:00:00Z|1",
            ".|2",
        ],
    );
    check(
        &format!(
            r#""group_by":[{{"column":"at","bin":{{"step":"P3M","origin":"2024-02-01"}}}}],{count}"#
        ),
        &["1969-11-01T00:00:00Z|2", "2023-11-01T00:00:00Z|4", "2024-02-01T00:00:00Z|4", ".|2"],
    );
}

#[test]
fn orders_put_nulls_and_nan_last() {
    check(
        r#""columns":["_row"],"order_by":[{"column":"distance"}]"#,
        &["9", "2", "5", "0", "6", "3", "8", "11", "1", "7", "4", "10"],
    );
    check(
        r#""columns":["_row"],"order_by":[{"column":"distance","descending":true}]"#,
        &["11", "8", "3", "0", "6", "2", "5", "9", "1", "7", "4", "10"],
    );
    check(
        r#""columns":["_row"],"order_by":[{"column":"distance","nulls":"first"}],"limit":4"#,
        &["4", "10", "9", "2"],
    );
    check(
        r#""columns":["carrier","delay","_row"],"order_by":[{"column":"carrier","descending":true},{"column":"delay"}],"limit":5"#,
        &["ua|.|8", "UA|0|4", "DL|-3|1", "DL|12|10", "DL|25|5"],
    );
    check(
        r#""columns":["_row"],"order_by":[{"column":"carrier"},{"column":"_row","descending":true}],"offset":9,"limit":9"#,
        &["8", "7", "2"],
    );
    check(
        r#""columns":["price"],"order_by":[{"column":"price"}],"limit":3"#,
        &["-1.00", "0.00", "0.01"],
    );
    check(
        r#""group_by":["carrier"],"aggregates":[{"op":"count","as":"n"}],"order_by":[{"column":"n","descending":true}],"limit":3"#,
        &["AA|4", "DL|3", ".|2"],
    );
    check(
        r#""group_by":["carrier"],"aggregates":[{"op":"count","as":"n"}],"columns":["n"],"order_by":[{"column":"carrier","nulls":"first"}],"limit":2"#,
        &["2", "1"],
    );
}

#[test]
fn pages_and_samples_keep_table_order() {
    check(r#""columns":["_row"],"offset":4,"limit":3"#, &["4", "5", "6"]);
    check(r#""columns":["_row"],"offset":11,"limit":3"#, &["11"]);
    check(r#""columns":["_row"],"offset":99"#, &[]);
    check(r#""columns":["_row"],"limit":0"#, &[]);
    let none = answer(&table(), r#""columns":[],"limit":5"#);
    assert_eq!((none.num_columns(), none.num_rows()), (0, 5));
    let drawn = lines(&answer(&table(), r#""columns":["_row"],"sample":{"rows":5,"seed":7}"#));
    let mut expected: Vec<u64> = (0..12).collect();
    expected.sort_by_key(|row| engine::sample::hash64(7, *row));
    expected.truncate(5);
    expected.sort_unstable();
    let expected: Vec<String> = expected.iter().map(u64::to_string).collect();
    assert_eq!(drawn, expected);
    check(r#""sample":{"rows":5,"seed":7},"aggregates":[{"op":"count"}]"#, &["5"]);
    let later = Query::from_json(
        r#"{"table":"t","columns":["_row"],"filters":[{"column":"_row","op":"ge","value":1010}]}"#,
    );
    let batches = table();
    let later = execute(&later.unwrap(), &batches[0].schema(), &batches, 1_000).unwrap();
    assert_eq!(lines(&later), ["1010", "1011"]);
}

#[test]
fn a_carried_row_column_is_the_row_number() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![40, 7, 99]));
    let values: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let batch = RecordBatch::try_from_iter([("_row", numbers), ("v", values)]).unwrap();
    let filters = r#""filters":[{"column":"_row","op":"gt","value":7}]"#;
    assert_eq!(lines(&answer(std::slice::from_ref(&batch), filters)), ["40|a", "99|c"]);
    let mut by_hash = [(40, "a"), (7, "b"), (99, "c")];
    by_hash.sort_by_key(|(row, _)| engine::sample::hash64(3, *row));
    let drawn = answer(&[batch], r#""columns":["v"],"sample":{"rows":1,"seed":3}"#);
    assert_eq!(lines(&drawn), [by_hash[0].1]);
}

#[test]
fn the_field_to_blame_is_named() {
    check_blame(r#""columns":["carrier","delays"]"#, "columns[1]");
    check_blame(r#""columns":["carrier","carrier"]"#, "columns[1]");
    check_blame(r#""order_by":[{"column":"delay"},{"column":"dely"}]"#, "order_by[1].column");
    check_blame(r#""group_by":["carier"]"#, "group_by[0]");
    check_blame(r#""group_by":["day",{"column":"delays","bin":{"step":1}}]"#, "group_by[1].column");
    check_blame(r#""group_by":[{"column":"carrier","bin":{"step":1}}]"#, "group_by[0].bin");
    check_blame(r#""group_by":[{"column":"delay","bin":{}}]"#, "group_by[0].bin.step");
    check_blame(r#""group_by":[{"column":"day","bin":{"edges":[1]}}]"#, "group_by[0].bin");
    for edges in ["[2,1]", "[1,1]", "[\"x\"]", "[true]", "[1],\"step\":1", "[1],\"origin\":1"] {
        let query = format!(r#""group_by":[{{"column":"delay","bin":{{"edges":{edges}}}}}]"#);
        check_blame(&query, "group_by[0].bin.edges");
    }
    for step in ["0", "-1", "\"x\"", "true", "\"PT1H\""] {
        let query = format!(r#""group_by":[{{"column":"delay","bin":{{"step":{step}}}}}]"#);
        check_blame(&query, "group_by[0].bin.step");
    }
    for step in ["1", "\"P\"", "\"P0D\"", "\"P1M1D\"", "\"PT36H\""] {
        let query = format!(r#""group_by":[{{"column":"day","bin":{{"step":{step}}}}}]"#);
        check_blame(&query, "group_by[0].bin.step");
    }
    check_blame(
        r#""group_by":[{"column":"at","bin":{"step":"P1M","origin":"2024-01-15"}}]"#,
        "group_by[0].bin.origin",
    );
    check_blame(
        r#""group_by":[{"column":"delay","bin":{"step":1,"origin":"x"}}]"#,
        "group_by[0].bin.origin",
    );
    check_blame(r#""aggregates":[{"op":"sum"}]"#, "aggregates[0].column");
    check_blame(
        r#""aggregates":[{"op":"count"},{"op":"sum","column":"carrier"}]"#,
        "aggregates[1].op",
    );
    check_blame(r#""aggregates":[{"op":"mean","column":"day"}]"#, "aggregates[0].op");
    check_blame(r#""aggregates":[{"op":"count","column":"x"}]"#, "aggregates[0].column");
    check_blame(r#""aggregates":[{"op":"quantile","column":"delay"}]"#, "aggregates[0].q");
    check_blame(r#""aggregates":[{"op":"quantile","column":"delay","q":1.5}]"#, "aggregates[0].q");
    check_blame(r#""aggregates":[{"op":"mean","column":"delay","q":0.5}]"#, "aggregates[0].q");
    check_blame(
        r#""aggregates":[{"op":"count"},{"op":"count","column":"day","as":"count"}]"#,
        "aggregates[1]",
    );
    check_blame(r#""group_by":["day",{"column":"delay","as":"day"}]"#, "group_by[1]");
    check_blame(r#""group_by":["day"],"order_by":[{"column":"delay"}]"#, "order_by[0].column");
    check_blame(r#""group_by":["day"],"order_by":[{"column":"_row"}]"#, "order_by[0].column");
    check_blame(r#""group_by":["day"],"columns":["_row"]"#, "columns[0]");
}

#[test]
fn sums_that_run_over_are_refused_by_column() {
    let big: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 1, -5]));
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 0, 0]));
    let batch = RecordBatch::try_from_iter([("big", big), ("unsigned", unsigned)]).unwrap();
    // The sum as a whole fits, though a part of it does not.
    let query = r#""aggregates":[{"op":"sum","column":"big"},{"op":"mean","column":"unsigned"},{"op":"max","column":"unsigned"}]"#;
    assert_eq!(
        lines(&answer(std::slice::from_ref(&batch), query)),
        ["9223372036854775803|6.148914691236517e18|18446744073709551615"]
    );
    for (column, filter) in
        [("big", r#"{"column":"big","op":"gt","value":0}"#), ("unsigned", r#"{"and":[]}"#)]
    {
        let text = format!(
            r#"{{"table":"t","filters":[{filter}],"aggregates":[{{"op":"count"}},{{"op":"sum","column":"{column}"}}]}}"#
        );
        let query = Query::from_json(&text).unwrap();
        let error = execute(&query, &batch.schema(), std::slice::from_ref(&batch), 0).unwrap_err();
        assert_eq!(error.field, "aggregates[1]");
        assert_eq!(error.kind, QueryErrorKind::Overflow { column: column.to_owned() });
    }
}

#[test]
fn odd_types_group_order_and_aggregate() {
    let nothing: ArrayRef = Arc::new(NullArray::new(3));
    let span: ArrayRef = Arc::new(DurationSecondArray::from(vec![Some(90), None, Some(30)]));
    let single: ArrayRef = Arc::new(Float32Array::from(vec![Some(0.1), Some(0.1), None]));
    let columns = [("nothing", nothing, true), ("span", span, true), ("single", single, true)];
    let batch = [RecordBatch::try_from_iter_with_nullable(columns).unwrap()];
    let check = |query: &str, expected: &[&str]| {
        assert_eq!(lines(&answer(&batch, query)), expected, "{query}")
    };
    check(
        r#""aggregates":[{"op":"sum","column":"nothing"},{"op":"mean","column":"nothing"},{"op":"max","column":"nothing"},
           {"op":"count","column":"nothing"},{"op":"count_distinct","column":"nothing"},{"op":"median","column":"nothing"}]"#,
        &[".|.|.|0|0|."],
    );
    check(r#""group_by":["nothing"],"aggregates":[{"op":"count"}]"#, &[".|3"]);
    check(r#""columns":["single"],"order_by":[{"column":"nothing"}]"#, &["0.1", "0.1", "."]);
    check(
        r#""aggregates":[{"op":"sum","column":"span"},{"op":"mean","column":"span"},{"op":"max","column":"span"}]"#,
        &["PT120S|60.0|PT90S"],
    );
    check(r#""group_by":[{"column":"span","bin":{"step":60}}]"#, &["P0D", "PT60S", "."]);
    check(r#""group_by":["single"],"aggregates":[{"op":"count"}]"#, &["0.1|2", ".|1"]);
}

/// Every type of the parity table can be asked for, grouped by, ordered by and counted, or
/// says which field is to blame.
#[test]
fn every_type_answers_or_blames() {
    for (name, batch) in data::batches() {
        for field in batch.schema().fields() {
            let column = field.name();
            for query in [
                format!(r#""columns":["{column}"],"limit":3"#),
                format!(r#""group_by":["{column}"],"aggregates":[{{"op":"count"}}]"#),
                format!(r#""order_by":[{{"column":"{column}","descending":true}}]"#),
                format!(
                    r#""aggregates":[{{"op":"min","column":"{column}"}},{{"op":"count_distinct","column":"{column}"}}]"#
                ),
                format!(
                    r#""aggregates":[{{"op":"sum","column":"{column}"}},{{"op":"median","column":"{column}"}}]"#
                ),
                format!(r#""group_by":[{{"column":"{column}","bin":{{"step":2}}}}]"#),
                format!(r#""group_by":[{{"column":"{column}","bin":{{"step":"P1M"}}}}]"#),
            ] {
                let query = Query::from_json(&format!(r#"{{"table":"t",{query}}}"#)).unwrap();
                if let Err(error) =
                    execute(&query, &batch.schema(), std::slice::from_ref(&batch), 0)
                {
                    let blames = ["columns", "group_by", "order_by", "aggregates"];
                    let is_blamed = blames.iter().any(|part| error.field.starts_with(part));
                    assert!(is_blamed, "{name} {column}: {error}");
                }
            }
        }
    }
}

#[test]
fn numbers_of_a_query_are_read_to_the_last_bit() {
    // Long ones among them, where reading digit by digit goes astray.
    for number in ["0.1", "3333333333833333333333333333333333333333330", "5e-324", "1e23", "-0.0"] {
        let text = format!(
            r#"{{"table":"t","filters":[{{"columns":["x","y"],"op":"within","value":[[0,{number}],[1,0],[1,1]]}}],
                "aggregates":[{{"op":"quantile","column":"x","q":{number}}}]}}"#
        );
        let query = Query::from_json(&text).unwrap();
        assert_eq!(query.aggregates[0].q, Some(number.parse().unwrap()), "{number}");
        let written = serde_json::to_string(&query).unwrap();
        assert_eq!(Query::from_json(&written).unwrap(), query, "{number}");
    }
    for wrong in ["\"1\"", "1e999", "null", "[]"] {
        let text = format!(
            r#"{{"table":"t","filters":[{{"columns":["x","y"],"op":"within","value":[[0,{wrong}],[1,0],[1,1]]}}]}}"#
        );
        assert!(Query::from_json(&text).is_err(), "{wrong}");
    }
}
