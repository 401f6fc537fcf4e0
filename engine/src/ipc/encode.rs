//! Record batches → Arrow IPC bytes, piece by piece: a server sends what [`Encoder::take`]
//! gives before the last batch is known, a worker stores it.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::error::IpcError;
use super::plain::{is_plain, plain_batch, plain_schema};
use super::unify::DictionaryUnifier;

/// The two forms of Arrow IPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    Stream,
    File,
}

/// How buffers are compressed. The browser writes no ZSTD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    #[default]
    None,
    Lz4,
    Zstd,
}

/// Memory that spelling out one batch's views and runs may take.
const PLAIN_BYTES_MAX: usize = 1 << 30;

/// Writes batches of one schema. Types that are never written are replaced (see
/// [`super::plain`]), and a file's dictionaries made one.
pub struct Encoder {
    writer: Writer,
    schema: SchemaRef,
    is_schema_plain: bool,
    unifier: Option<DictionaryUnifier>,
}

enum Writer {
    Stream(StreamWriter<Vec<u8>>),
    File(FileWriter<Vec<u8>>),
}

impl Encoder {
    /// Begins with the schema, which is at once ready to [`Self::take`].
    pub fn new(
        schema: &Schema,
        container: Container,
        compression: Compression,
    ) -> Result<Self, IpcError> {
        let is_schema_plain = schema.fields().iter().all(|field| is_plain(field.data_type()));
        let schema = Arc::new(plain_schema(schema));
        let codec = match compression {
            Compression::None => None,
            Compression::Lz4 => Some(CompressionType::LZ4_FRAME),
            Compression::Zstd => Some(CompressionType::ZSTD),
        };
        let options =
            IpcWriteOptions::default().try_with_compression(codec).map_err(IpcError::Encode)?;
        let (writer, unifier) = match container {
            Container::Stream => {
                let writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options);
                (Writer::Stream(writer.map_err(IpcError::Encode)?), None)
            }
            Container::File => {
                // A file cannot replace a dictionary, only extend it.
                let options = options.with_dictionary_handling(DictionaryHandling::Delta);
                let writer = FileWriter::try_new_with_options(Vec::new(), &schema, options);
                let writer = writer.map_err(IpcError::Encode)?;
                (Writer::File(writer), Some(DictionaryUnifier::default()))
            }
        };
        Ok(Self { writer, schema, is_schema_plain, unifier })
    }

    /// The schema as written.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends a batch, which must be of the schema that this began with.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), IpcError> {
        let plain;
        let mut batch = batch;
        if !self.is_schema_plain {
            plain = plain_batch(batch, &self.schema, PLAIN_BYTES_MAX)?;
            batch = &plain;
        }
        self.check_types(batch)?;
        let unified;
        if let Some(unifier) = &mut self.unifier {
            unified = unifier.unify(batch)?;
            batch = &unified;
        }
        match &mut self.writer {
            Writer::Stream(writer) => writer.write(batch),
            Writer::File(writer) => writer.write(batch),
        }
        .map_err(IpcError::Encode)
    }

    /// The bytes written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(match &mut self.writer {
            Writer::Stream(writer) => writer.get_mut(),
            Writer::File(writer) => writer.get_mut(),
        })
    }

    /// Writes the end, without which the data is not whole; answers the bytes since the
    /// last [`Self::take`].
    pub fn finish(mut self) -> Result<Vec<u8>, IpcError> {
        match &mut self.writer {
            Writer::Stream(writer) => writer.finish(),
            Writer::File(writer) => writer.finish(),
        }
        .map_err(IpcError::Encode)?;
        Ok(self.take())
    }

    /// The writer takes any arrays, and a reader would find them under another type.
    fn check_types(&self, batch: &RecordBatch) -> Result<(), IpcError> {
        let written = self.schema.fields().iter().map(|field| field.data_type());
        let given = batch.columns().iter().map(|array| array.data_type());
        if written.eq(given) {
            return Ok(());
        }
        let reason = "a batch is of another schema than its stream".to_owned();
        Err(IpcError::Encode(ArrowError::SchemaError(reason)))
    }
}

/// Encodes batches that are all at hand.
pub fn encode_all(
    schema: &Schema,
    batches: &[RecordBatch],
    container: Container,
    compression: Compression,
) -> Result<Vec<u8>, IpcError> {
    let mut encoder = Encoder::new(schema, container, compression)?;
    batches.iter().try_for_each(|batch| encoder.write(batch))?;
    encoder.finish()
}
