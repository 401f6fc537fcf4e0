//! JSON: an array of objects, or one object per line.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use bytes::Bytes;

use super::cell::{Column, json_key};
use super::{AnswerFormat, EncodeError, Encoder};

/// Chunks of text are handed over from this size on.
const CHUNK_BYTES: usize = 256 * 1024;

pub(super) struct JsonBody {
    format: AnswerFormat,
    /// Each column's name as a JSON key.
    keys: Vec<Vec<u8>>,
    began: bool,
}

impl JsonBody {
    pub(super) fn array(schema: &SchemaRef) -> Self {
        Self::new(AnswerFormat::Json, schema)
    }

    pub(super) fn lines(schema: &SchemaRef) -> Self {
        Self::new(AnswerFormat::Ndjson, schema)
    }

    fn new(format: AnswerFormat, schema: &SchemaRef) -> Self {
        let keys = schema.fields().iter().map(|field| json_key(field.name())).collect();
        Self { format, keys, began: false }
    }

    fn begin_row(&mut self, out: &mut Vec<u8>) {
        match (self.format, self.began) {
            (AnswerFormat::Json, false) => out.extend_from_slice(b"[\n"),
            (AnswerFormat::Json, true) => out.extend_from_slice(b",\n"),
            _ => {}
        }
        self.began = true;
    }
}

impl Encoder for JsonBody {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        let columns = batch.columns().iter().map(|column| Column::new(column.as_ref()));
        let columns = columns
            .collect::<Result<Vec<_>, ArrowError>>()
            .map_err(|source| EncodeError::Arrow { format: self.format, source })?;
        let mut text = Vec::with_capacity(CHUNK_BYTES / 4);
        for row in 0..batch.num_rows() {
            self.begin_row(&mut text);
            text.push(b'{');
            for (index, (key, column)) in self.keys.iter().zip(&columns).enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                text.extend_from_slice(key);
                column.write_json(row, &mut text);
            }
            text.push(b'}');
            if self.format == AnswerFormat::Ndjson {
                text.push(b'\n');
            }
            if text.len() >= CHUNK_BYTES {
                out.push(std::mem::take(&mut text).into());
            }
        }
        if !text.is_empty() {
            out.push(text.into());
        }
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        match (self.format, self.began) {
            (AnswerFormat::Json, true) => out.push(Bytes::from_static(b"\n]\n")),
            (AnswerFormat::Json, false) => out.push(Bytes::from_static(b"[]\n")),
            _ => {}
        }
        Ok(())
    }
}
