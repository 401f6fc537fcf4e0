//! CSV as RFC 4180 has it, with a header: a field of nothing is null, `""` the empty string,
//! nested values are JSON.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, SchemaRef};
use bytes::Bytes;

use super::cell::Column;
use super::text::escape_csv;
use super::{AnswerFormat, EncodeError, Encoder};

/// Chunks of text are handed over from this size on.
const CHUNK_BYTES: usize = 256 * 1024;

pub(super) struct CsvBody {
    /// Taken by the first chunk.
    header: Vec<u8>,
    /// Whether each column's text may need quotes.
    escaped: Vec<bool>,
}

impl CsvBody {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let mut header = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                header.push(b',');
            }
            escape_csv(field.name().as_bytes(), &mut header);
        }
        header.push(b'\n');
        let escaped = schema.fields().iter().map(|field| needs_escape(field.data_type()));
        Self { header, escaped: escaped.collect() }
    }
}

/// Numbers and times never hold a comma or a quote.
fn needs_escape(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => needs_escape(values),
        DataType::RunEndEncoded(_, values) => needs_escape(values.data_type()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
        DataType::FixedSizeBinary(_) | DataType::Union(..) => true,
        other => other.is_nested(),
    }
}

impl Encoder for CsvBody {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        let columns = batch.columns().iter().map(|column| Column::new(column.as_ref()));
        let columns = columns
            .collect::<Result<Vec<_>, ArrowError>>()
            .map_err(|source| EncodeError::Arrow { format: AnswerFormat::Csv, source })?;
        let mut text = std::mem::take(&mut self.header);
        let mut bare = Vec::new();
        for row in 0..batch.num_rows() {
            for (index, (column, escaped)) in columns.iter().zip(&self.escaped).enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                if *escaped && !column.is_null(row) {
                    bare.clear();
                    column.write_bare(row, &mut bare);
                    escape_csv(&bare, &mut text);
                } else {
                    column.write_bare(row, &mut text);
                }
            }
            text.push(b'\n');
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
        if !self.header.is_empty() {
            out.push(self.header.into());
        }
        Ok(())
    }
}
