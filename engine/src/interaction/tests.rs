//! Records as they are read and written; which rows they find stands in the parity table.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::predicate::Predicate;

fn read(record: &str) -> Result<Interaction, QueryError> {
    match Predicate::from_filters_text(&format!("[{record}]"))? {
        Predicate::And(clauses) => match clauses.as_slice() {
            [Predicate::Interaction(interaction)] => Ok(interaction.clone()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_control_is_read_in_every_form() {
    let literal = |text: &str| serde_json::from_str::<Literal>(text).unwrap();
    let cases = [
        (r#""Select","value":5"#, Control::OneOf(vec![literal("5")])),
        (
            r#""MultiSelect","value":["a",1.50,null]"#,
            Control::OneOf(vec!["a".into(), literal("1.50")]),
        ),
        (r#""SegmentedControl","value":false"#, Control::OneOf(vec![false.into()])),
        (r#""Select","value":[null]"#, Control::OneOf(vec![])),
        (r#""Select","value":[]"#, Control::Unset),
        (r#""Select","value":"""#, Control::Unset),
        (r#""Select""#, Control::Unset),
        (
            r#""TextInput","value":"a.b""#,
            Control::Text { text: "a.b".to_owned(), is_pattern: true, case_sensitive: true },
        ),
        (
            r#""TextInput","value":"a.b","mode":"literal","case_sensitive":false"#,
            Control::Text { text: "a.b".to_owned(), is_pattern: false, case_sensitive: false },
        ),
        (
            r#""RangeSlider","value":[0,"9007199254740993"]"#,
            Control::Range { low: Some(literal("0")), high: Some("9007199254740993".into()) },
        ),
        (
            r#""RangeSlider","value":[null,3]"#,
            Control::Range { low: None, high: Some(literal("3")) },
        ),
        (r#""RangeSlider","value":[null,null]"#, Control::Unset),
        (
            r#""DateRangePicker","value":["2024-01-01",""]"#,
            Control::Dates { low: Some("2024-01-01".into()), high: None },
        ),
        (r#""Timeline","value":null"#, Control::Unset),
        (r#""Slider","value":0"#, Control::Point(literal("0"))),
        (r#""Slider","value":[0]"#, Control::Point(literal("0"))),
        (r#""Checkbox","value":"Yes""#, Control::Switch(true)),
        (r#""Switch","value":0"#, Control::Switch(false)),
        (r#""Switch","value":"""#, Control::Unset),
    ];
    for (rest, control) in cases {
        let expected = Interaction { column: "c".to_owned(), control };
        let flat =
            format!(r#"{{"index":"1","column_name":"c","interactive_component_type":{rest}}}"#);
        let seed = format!(r#"{{"component_id":"1","column":"c","type":{rest}}}"#);
        let nested = format!(
            r#"{{"index":"1","metadata":{{"dc_id":"d","column_name":"c","interactive_component_type":{rest}}}}}"#
        );
        for record in [flat, seed, nested] {
            assert_eq!(read(&record).unwrap(), expected, "{record}");
        }
        let written = serde_json::to_string(&expected).unwrap();
        assert_eq!(read(&written).unwrap(), expected, "{written}");
    }
}

#[test]
fn bad_records_name_their_field() {
    let cases = [
        (
            r#"{"column_name":"c","interactive_component_type":"Dropdown","value":1}"#,
            "interactive_component_type",
        ),
        (r#"{"column":"c","type":"Selct","value":1}"#, "type"),
        (r#"{"interactive_component_type":"Select","value":1}"#, "column_name"),
        (r#"{"metadata":3}"#, "metadata"),
        (r#"{"metadata":{"column_name":"c"},"value":1}"#, "interactive_component_type"),
        (r#"{"column_name":"c","interactive_component_type":"Select","value":{"a":1}}"#, "value"),
        (r#"{"column_name":"c","interactive_component_type":"Select","value":[[1]]}"#, "value"),
        (r#"{"column_name":"c","interactive_component_type":"RangeSlider","value":[1]}"#, "value"),
        (r#"{"column_name":"c","interactive_component_type":"RangeSlider","value":1}"#, "value"),
        (r#"{"column_name":"c","interactive_component_type":"Slider","value":[1,2]}"#, "value"),
        (r#"{"column_name":"c","interactive_component_type":"Switch","value":"maybe"}"#, "value"),
        (r#"{"column_name":"c","interactive_component_type":"TextInput","value":5}"#, "value"),
        (
            r#"{"column_name":"c","interactive_component_type":"TextInput","value":"a","mode":"glob"}"#,
            "mode",
        ),
        (
            r#"{"column_name":"c","interactive_component_type":"Select","value":1,"filter_expr":"col('a') > 1"}"#,
            "filter_expr",
        ),
        (r#"{"column_name":5,"interactive_component_type":"Select","value":1}"#, "column_name"),
    ];
    for (record, field) in cases {
        assert_eq!(read(record).unwrap_err().field, format!("filters[0].{field}"), "{record}");
    }
    let near = read(r#"{"column":"c","type":"Selct","value":1}"#).unwrap_err().to_string();
    assert_eq!(near, r#"filters[0].type: no control "Selct"; did you mean "Select"?"#);
}
