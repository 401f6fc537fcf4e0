//! The evaluator against the parity table, whole, sliced, in steps and through JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/parity/data.rs"]
mod data;

use arrow_array::RecordBatch;
use engine::bind::Bound;
use engine::error::QueryError;
use engine::eval::{Evaluation, Evaluator, eval};
use engine::predicate::Predicate;

fn rows(filters: &str, batch: &RecordBatch) -> Result<Vec<usize>, QueryError> {
    let predicate = Predicate::from_filters_text(filters)?;
    let bound = Bound::new(&predicate, batch.schema_ref(), "filters")?;
    Ok(eval(&bound, batch)?.iter_ones().collect())
}

#[test]
fn every_case_finds_its_rows() {
    let batches = data::batches();
    let cases = data::cases();
    assert!(cases.len() >= 150);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = rows(&case.filters, &batches[&case.data]).map_err(|error| error.field);
            let told =
                format!("{} {}\n  {:?}\n  {found:?}", case.data, case.filters, case.expected);
            (found != case.expected).then_some(told)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn cases_survive_their_own_json() {
    let batches = data::batches();
    for case in data::cases().iter().filter(|case| case.expected.is_ok()) {
        let predicate = Predicate::from_filters_text(&case.filters).unwrap();
        let text = format!("[{}]", serde_json::to_string(&predicate).unwrap());
        assert_eq!(rows(&text, &batches[&case.data]).ok(), case.expected.clone().ok(), "{text}");
    }
}

#[test]
fn slices_and_steps_agree_with_the_whole() {
    let batches = data::batches();
    for case in data::cases() {
        let (Ok(expected), batch) = (&case.expected, &batches[&case.data]) else { continue };
        let predicate = Predicate::from_filters_text(&case.filters).unwrap();
        let bound = Bound::new(&predicate, batch.schema_ref(), "filters").unwrap();
        let mut evaluator = Evaluator::new(bound.clone());
        for start in [0, 1, 3, batch.num_rows()] {
            let rest = batch.slice(start, batch.num_rows() - start);
            let mask = evaluator.eval(&rest, start as u64).unwrap();
            let found: Vec<usize> = mask.iter_ones().map(|row| row + start).collect();
            let wanted = expected.iter().copied().filter(|row| *row >= start);
            assert_eq!(found, wanted.collect::<Vec<_>>(), "{} from {start}", case.filters);
        }
        let parts = [batch.slice(0, 3), batch.slice(3, 0), batch.slice(3, batch.num_rows() - 3)];
        for rows in [1, 2, 4, 100] {
            let mut evaluation = Evaluation::new(bound.clone());
            let mut steps = 0;
            while !evaluation.step(&parts, 0, rows).unwrap() {
                steps += 1;
                assert!(steps <= batch.num_rows(), "{} does not end", case.filters);
            }
            let found: Vec<usize> = evaluation.mask().iter_ones().collect();
            assert_eq!(&found, expected, "{} by {rows}", case.filters);
        }
    }
}

/// Whatever a filter says of whatever column, it finds rows or blames a field.
#[test]
fn every_operator_on_every_type_answers_or_blames() {
    let values = [
        "0",
        "-1.5",
        "1e400",
        "-0",
        "9223372036854775808",
        "true",
        r#""""#,
        r#""NaN""#,
        r#""-inf""#,
        r#""x""#,
        r#""2024-02-29""#,
        r#""-999999-12-31T23:59:60.9999999999+23:59""#,
        r#""23:59:60""#,
        r#""\u0000é""#,
    ];
    let comparisons = ["eq", "ne", "lt", "le", "gt", "ge"];
    let mut answered = 0;
    for (name, batch) in data::batches() {
        for field in batch.schema().fields() {
            let column = field.name();
            let mut filters = vec![
                format!(r#"{{"column":"{column}","op":"is_null"}}"#),
                format!(
                    r#"{{"columns":["{column}","{column}"],"op":"within","value":[[0,0],[1e308,0],[0,-1e308]]}}"#
                ),
            ];
            for value in values {
                for op in comparisons {
                    filters.push(format!(r#"{{"column":"{column}","op":"{op}","value":{value}}}"#));
                }
                filters.push(format!(
                    r#"{{"column":"{column}","op":"between","value":[{value},{value}]}}"#
                ));
                filters.push(format!(
                    r#"{{"column":"{column}","op":"not_in","value":[{value},{value}]}}"#
                ));
                filters.push(format!(r#"{{"column":"{column}","op":"contains","value":{value}}}"#));
                for control in ["Select", "Slider", "TextInput", "Switch"] {
                    filters.push(format!(
                        r#"{{"interactive_component_type":"{control}","column_name":"{column}","value":{value}}}"#
                    ));
                }
                for control in ["RangeSlider", "Timeline"] {
                    filters.push(format!(
                        r#"{{"interactive_component_type":"{control}","column_name":"{column}","value":[null,{value}]}}"#
                    ));
                }
            }
            for filter in filters {
                match rows(&format!("[{filter}]"), &batch) {
                    Ok(rows) => {
                        answered += 1;
                        assert!(rows.len() <= batch.num_rows());
                    }
                    Err(error) => {
                        assert!(error.field.starts_with("filters[0]."), "{name}: {error}")
                    }
                }
            }
        }
    }
    assert!(answered > 2_000, "{answered}");
}
