//! JSON lines, JSON texts one after the other, and one array of objects, into batches. Types
//! are those that all the values looked at have; values of different types become text, the
//! JSON they are written as. Numbers keep every digit. Pure.

mod build;
mod parse;
mod records;
mod shape;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};

use super::stream::{ReadError, places};
use build::Columns;
use parse::{Node, Value};
use records::Records;
use shape::Shape;

const BATCH_ROWS: usize = 1 << 15;
/// A batch ends early where its rows are long.
const BATCH_BYTES: usize = 16 << 20;
/// Names of columns that are told in one notice.
const NAMED_MAX: usize = 8;

/// Whether a text that begins so is JSON rather than anything else.
pub fn is_json(head: &[u8]) -> bool {
    let mut signs = head.iter().filter(|byte| !byte.is_ascii_whitespace());
    match signs.next() {
        Some(b'{') => matches!(signs.next(), None | Some(b'"' | b'}')),
        Some(b'[') => matches!(signs.next(), None | Some(b'{' | b']')),
        _ => false,
    }
}

fn record_of<'a>(
    bytes: &'a [u8],
    line: u64,
) -> Result<Vec<(std::borrow::Cow<'a, str>, Node<'a>)>, ReadError> {
    let node = parse::parse(bytes, line)?;
    match node.value {
        Value::Object(fields) => Ok(fields),
        other => Err(ReadError::Bad(format!(
            "line {line}: a row is an object, {{\"name\": value, …}}; here is {}",
            other.name()
        ))),
    }
}

/// Finds the columns of a text as it passes.
pub struct Inferring {
    records: Records,
    shape: Shape,
    rows: u64,
    /// A key that was there twice in one object, and where.
    twice: Option<(String, u64)>,
}

impl Default for Inferring {
    fn default() -> Self {
        Self { records: Records::default(), shape: Shape::record(), rows: 0, twice: None }
    }
}

/// What a text holds.
#[derive(Debug)]
pub struct Inferred {
    pub schema: SchemaRef,
    pub rows: u64,
    pub notices: Vec<String>,
}

impl Inferring {
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let Self { records, shape, rows, twice } = self;
        records.push(bytes, &mut |record, line| {
            let fields = record_of(record, line)?;
            *rows += 1;
            if twice.is_none()
                && let Some(key) = repeated(&fields)
            {
                *twice = Some((key.to_owned(), line));
            }
            shape
                .observe_record(&fields)
                .map_err(|error| ReadError::Bad(format!("line {line}: {error}")))
        })
    }

    /// The text is over, or as much of it as is looked at.
    pub fn finish(mut self, is_whole: bool) -> Result<Inferred, ReadError> {
        if is_whole {
            self.records.finish(&mut |record, line| record_of(record, line).map(drop))?;
        }
        let mut mixed = Vec::new();
        let fields = self.shape.fields(&mut mixed);
        if fields.is_empty() {
            return Err(ReadError::Bad("the text holds no objects with values".to_owned()));
        }
        let mut notices = Vec::new();
        if !mixed.is_empty() {
            let named: Vec<String> =
                mixed.iter().take(NAMED_MAX).map(|name| format!("{name:?}")).collect();
            let more = mixed.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            notices.push(format!(
                "values of different types, or too large for a number, are shown as text: {}{more}",
                named.join(", ")
            ));
        }
        notices.extend(self.twice.map(|(key, line)| {
            format!("{key:?} is there twice in one object (line {line}): the last one counts")
        }));
        Ok(Inferred { schema: Arc::new(Schema::new(fields)), rows: self.rows, notices })
    }
}

fn repeated<'a>(fields: &'a [(std::borrow::Cow<'_, str>, Node<'_>)]) -> Option<&'a str> {
    // Most records are small; a set would cost more than it saves.
    if fields.len() > 64 {
        let mut seen = std::collections::HashSet::new();
        return fields.iter().map(|(key, _)| key.as_ref()).find(|key| !seen.insert(*key));
    }
    let before = |at: usize, key: &str| fields.iter().take(at).any(|(other, _)| other == key);
    fields
        .iter()
        .enumerate()
        .find(|(at, (key, _))| before(*at, key))
        .map(|(_, (key, _))| key.as_ref())
}

/// A text on its way into batches.
pub struct JsonBatches {
    records: Records,
    columns: Columns,
    schema: SchemaRef,
    bytes: usize,
}

impl JsonBatches {
    pub fn new(schema: &Schema, columns: Option<&[String]>) -> Result<Self, ReadError> {
        let schema = Arc::new(schema.project(&places(schema, columns)?)?);
        let columns = Columns::new(&schema)?;
        Ok(Self { records: Records::default(), columns, schema, bytes: 0 })
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<RecordBatch>, ReadError> {
        let Self { records, columns, schema, bytes: n_bytes } = self;
        let mut batches = Vec::new();
        records.push(bytes, &mut |record, line| {
            columns.push(&record_of(record, line)?, line)?;
            *n_bytes += record.len();
            if columns.rows() == BATCH_ROWS || *n_bytes > BATCH_BYTES {
                *n_bytes = 0;
                batches.push(columns.finish(schema)?);
            }
            Ok(())
        })?;
        Ok(batches)
    }

    pub fn finish(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        self.records.finish(&mut |record, line| record_of(record, line).map(drop))?;
        match self.columns.rows() {
            0 => Ok(None),
            _ => self.columns.finish(&self.schema).map(Some),
        }
    }
}

/// The type that a column of this shape has.
fn field(name: &str, shape: &Shape, mixed: &mut Vec<String>, path: &str) -> Field {
    Field::new(name, shape.data_type(mixed, path), true)
}

#[cfg(test)]
mod tests;
