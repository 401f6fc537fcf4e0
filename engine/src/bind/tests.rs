//! Binding, shown at its errors and at what pruning is compiled from.
#![allow(clippy::unwrap_used, clippy::panic)]

use arrow_schema::{DataType, Field, Schema, TimeUnit};

use super::*;

fn schema() -> Schema {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    Schema::new(vec![
        Field::new("delay", DataType::Int32, true),
        Field::new("carrier", dictionary, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Second, Some("UTC".into())), true),
        Field::new("score", DataType::Float32, true),
        Field::new("vector", DataType::new_list(DataType::Float32, true), true),
    ])
}

fn bind(filters: &str) -> Result<Bound, QueryError> {
    Bound::new(&Predicate::from_filters_text(filters)?, &schema(), "filters")
}

#[test]
fn errors_name_field_value_and_fix() {
    let cases = [
        (
            r#"[{"column":"Delay","op":"eq","value":1}]"#,
            r#"filters[0].column: no column "Delay"; did you mean "delay"?"#,
        ),
        (
            r#"[{"column":"delay","op":"eq","value":"soon"}]"#,
            r#"filters[0].value: "soon" is not a value of column "delay" of type Int32; expected a number"#,
        ),
        (
            r#"[{"and":[]},{"column":"carrier","op":"in","value":["AA",5]}]"#,
            r#"filters[1].value: 5 is not a value of column "carrier" of type Utf8; expected a string"#,
        ),
        (
            r#"[{"column":"at","op":"between","value":["2024-01-01","2024-31-01"]}]"#,
            r#"filters[0].value: "2024-31-01" is not a value of column "at" of type Timestamp(s, "UTC"); write a time as "YYYY-MM-DDTHH:MM:SSZ""#,
        ),
        (
            r#"[{"column":"delay","op":"contains","value":"1"}]"#,
            r#"filters[0].op: contains does not apply to column "delay" of type Int32"#,
        ),
        (
            r#"[{"column":"vector","op":"not_in","value":[]}]"#,
            r#"filters[0].op: not_in does not apply to column "vector" of type List(Float32)"#,
        ),
        (
            r#"[{"column":"carrier","op":"matches","value":"\\w{1000}{1000}"}]"#,
            "filters[0].value: bad regular expression: too large when compiled",
        ),
        (
            r#"[{"not":{"columns":["delay","carrier"],"op":"within","value":[[0,0],[1,0],[1,1]]}}]"#,
            r#"filters[0].not.op: within does not apply to column "carrier" of type Utf8"#,
        ),
    ];
    for (filters, message) in cases {
        assert_eq!(bind(filters).unwrap_err().to_string(), message);
    }
}

#[test]
fn controls_of_missing_columns_and_unset_ones_bind_to_nothing() {
    for filters in [
        r#"[{"interactive_component_type":"Select","column_name":"gone","value":["x"]}]"#,
        r#"[{"interactive_component_type":"Slider","column_name":"delay","value":null}]"#,
        r#"[{"not":{"interactive_component_type":"Select","column_name":"delay","value":[]}}]"#,
        "[]",
    ] {
        assert!(bind(filters).unwrap().is_all(), "{filters}");
    }
    assert!(!bind(r#"[{"or":[]}]"#).unwrap().is_all());
}

#[test]
fn tests_are_ranges_of_stored_values() {
    let bound = bind(
        r#"[{"column":"at","op":"le","value":"1970-01-01"},{"column":"score","op":"gt","value":0.1}]"#,
    );
    let bound = bound.unwrap();
    let Node::And(nodes) = bound.root() else { panic!("{bound:?}") };
    let [
        Node::Test { test: Test::Int64(at), .. },
        Node::Test { column, test: Test::Float32(score) },
    ] = nodes.as_slice()
    else {
        panic!("{bound:?}")
    };
    assert_eq!(at.ranges, [(i64::MIN, 86_399)]);
    assert_eq!(score.ranges, [(0.1_f32.next_up(), f32::INFINITY)]);
    assert_eq!((column.name.as_str(), column.index), ("score", Some(3)));
}
