//! Framed messages → record batches: holds the schema and the dictionaries seen so far.
//! Framing is the business of [`super::stream`] and [`super::file`].

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc as fb;
use arrow_schema::{Schema, SchemaRef};

use super::arrays::ArrayReader;
use super::columns::{Columns, columns_from_schema, is_backed};
use super::dictionary::Dictionaries;
use super::error::{IpcError, column_place};
use super::limits::DecodeLimits;
use super::message::{Header, message_from_bytes};

/// Decodes the messages that follow a schema.
pub struct BatchDecoder {
    columns: Columns,
    /// The wanted columns by their index in the schema, in the order in which they are wanted.
    projection: Option<Vec<usize>>,
    /// For each column of the schema whether it is wanted.
    wanted: Vec<bool>,
    schema: SchemaRef,
    dictionaries: Dictionaries,
    limits: DecodeLimits,
}

impl BatchDecoder {
    /// Begins with a schema. `names` chooses columns; the others are passed over undecoded.
    pub(crate) fn new(
        schema: fb::Schema<'_>,
        names: Option<&[String]>,
        limits: DecodeLimits,
    ) -> Result<Self, IpcError> {
        let columns = columns_from_schema(schema, &limits)?;
        let projection = names.map(|names| indices_of(names, &columns.schema)).transpose()?;
        let schema = match &projection {
            None => Arc::clone(&columns.schema),
            Some(indices) => columns
                .schema
                .project(indices)
                .map(Arc::new)
                .map_err(|source| IpcError::Array { at: "schema".to_owned(), source })?,
        };
        let n_columns = columns.columns.len();
        let mut wanted = vec![projection.is_none(); n_columns];
        for idx in projection.iter().flatten() {
            if let Some(wanted) = wanted.get_mut(*idx) {
                *wanted = true;
            }
        }
        let dictionaries = Dictionaries::default();
        Ok(Self { columns, projection, wanted, schema, dictionaries, limits })
    }

    /// The schema of the batches to come.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes one message: its metadata without framing, and its body. Answers a batch
    /// unless the message was a dictionary.
    pub(crate) fn message(
        &mut self,
        metadata: &[u8],
        body: &Buffer,
    ) -> Result<Option<RecordBatch>, IpcError> {
        let message = message_from_bytes(metadata, &self.limits)?;
        match message.header {
            Header::Schema(_) => Err(IpcError::malformed("message", "a second schema")),
            Header::Batch(batch) => self.batch(&batch, body, message.version).map(Some),
            Header::Dictionary { id, is_delta, values } => {
                self.dictionary(id, is_delta, &values, body, message.version)?;
                Ok(None)
            }
        }
    }

    /// Whether a message is a batch, and if so whether a dictionary of it has not come.
    pub(crate) fn batch_lacks_dictionary(&self, metadata: &[u8]) -> Result<Option<bool>, IpcError> {
        let message = message_from_bytes(metadata, &self.limits)?;
        let mut read = self.columns.columns.iter().zip(&self.wanted).filter(|(_, wanted)| **wanted);
        Ok(match message.header {
            Header::Batch(_) => Some(read.any(|(column, _)| self.dictionaries.is_lacking(column))),
            _ => None,
        })
    }

    fn batch(
        &mut self,
        batch: &fb::RecordBatch<'_>,
        body: &Buffer,
        version: fb::MetadataVersion,
    ) -> Result<RecordBatch, IpcError> {
        let columns = || self.columns.columns.iter().zip(&self.wanted);
        let read = columns().filter(|(_, wanted)| **wanted).map(|(column, _)| column);
        self.dictionaries.settle(read.clone(), &self.limits)?;
        let has_backed = read.clone().any(|column| is_backed(column.field.data_type()));
        let mut reader = ArrayReader::new(batch, body, version, &self.dictionaries, &self.limits)?;
        let n_rows = reader.n_rows(batch.length(), has_backed)?;
        let mut arrays: Vec<Option<ArrayRef>> = Vec::with_capacity(self.wanted.len());
        for (column, is_wanted) in columns() {
            if !is_wanted {
                reader.skip(column)?;
                arrays.push(None);
                continue;
            }
            let array = reader.column(column)?;
            if array.len() != n_rows {
                let reason = format!("{} values in a batch of {n_rows} rows", array.len());
                return Err(column.bad(reason));
            }
            arrays.push(Some(array));
        }
        reader.finish()?;
        let arrays = match &self.projection {
            None => arrays.into_iter().flatten().collect(),
            Some(indices) => {
                indices.iter().filter_map(|idx| arrays.get(*idx).cloned().flatten()).collect()
            }
        };
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| IpcError::Array { at: "batch".to_owned(), source })
    }

    fn dictionary(
        &mut self,
        id: i64,
        is_delta: bool,
        batch: &fb::RecordBatch<'_>,
        body: &Buffer,
        version: fb::MetadataVersion,
    ) -> Result<(), IpcError> {
        let column = self.columns.dictionaries.get(&id).ok_or_else(|| {
            IpcError::malformed("dictionary message", format!("no column uses dictionary {id}"))
        })?;
        self.dictionaries.settle(&column.children, &self.limits)?;
        let mut reader = ArrayReader::new(batch, body, version, &self.dictionaries, &self.limits)?;
        let n_rows = reader.n_rows(batch.length(), is_backed(column.value_type()))?;
        let values = reader.values(column)?;
        if values.len() != n_rows {
            let reason = format!("{} values in a dictionary of {n_rows}", values.len());
            return Err(column.bad(reason));
        }
        let n_bytes = reader.n_decoded_bytes();
        reader.finish()?;
        self.dictionaries.insert(id, column, values, n_bytes, is_delta, &self.limits)
    }
}

/// Where the wanted columns are in the schema.
fn indices_of(names: &[String], schema: &Schema) -> Result<Vec<usize>, IpcError> {
    names
        .iter()
        .map(|name| {
            schema
                .fields()
                .iter()
                .position(|field| field.name() == name)
                .ok_or_else(|| IpcError::malformed("schema", format!("no {}", column_place(name))))
        })
        .collect()
}
