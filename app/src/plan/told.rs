//! The companion's part in tests, played by the engine.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use engine::execute::execute;
use engine::query::Query;

use super::read::{Answer, Answers};
use crate::cell::cell_text;

/// The body of an answer to `POST /api/queries`.
pub fn told_text(queries: &[Query], schema: &Schema, batches: &[RecordBatch]) -> String {
    let answers = queries.iter().map(|query| {
        let found =
            execute(query, schema, batches, 0).unwrap_or_else(|error| panic!("{error}: {query:?}"));
        let told = found.schema();
        let rows = (0..found.num_rows()).map(|row| {
            let cells = told.fields().iter().zip(found.columns()).map(|(field, column)| {
                let is_text = !field.data_type().is_numeric();
                let value = match cell_text(column, row) {
                    None => "null".to_owned(),
                    Some(text) if *field.data_type() == DataType::Boolean => text,
                    Some(text) if is_text || text.parse::<f64>().is_ok_and(|n| !n.is_finite()) => {
                        serde_json::to_string(&text).unwrap()
                    }
                    Some(text) => text,
                };
                (field.name().clone(), value)
            });
            let cells: BTreeMap<String, String> = cells.collect();
            let cells = cells.iter().map(|(name, value)| format!("{name:?}:{value}"));
            format!("{{{}}}", cells.collect::<Vec<_>>().join(","))
        });
        format!(r#"{{"rows":[{}]}}"#, rows.collect::<Vec<_>>().join(","))
    });
    format!(r#"{{"answers":[{}]}}"#, answers.collect::<Vec<_>>().join(","))
}

pub fn told(queries: &[Query], schema: &Schema, batches: &[RecordBatch]) -> Vec<Answer> {
    let text = told_text(queries, schema, batches);
    let told: Answers =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    told.answers
}
