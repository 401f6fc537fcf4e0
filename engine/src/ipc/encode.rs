//! Record batches → Arrow IPC bytes, piece by piece: a server sends what [`Encoder::take`]
//! gives before the last batch is known, a worker stores it.

mod file;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::error::IpcError;
use super::plain::{is_plain, plain_batch, plain_schema};
use file::FileWriter;

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
/// [`super::plain`]). A stream's dictionaries may differ from batch to batch; a file's are
/// made one, and follow the batches.
pub struct Encoder {
    writer: Writer,
    schema: SchemaRef,
    is_schema_plain: bool,
}

enum Writer {
    Stream(Box<StreamWriter<Vec<u8>>>),
    File(Box<FileWriter>),
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
        let writer = match container {
            Container::Stream => {
                let writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options);
                Writer::Stream(Box::new(writer.map_err(IpcError::Encode)?))
            }
            Container::File => Writer::File(Box::new(FileWriter::new(&schema, options)?)),
        };
        Ok(Self { writer, schema, is_schema_plain })
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
        match &mut self.writer {
            Writer::Stream(writer) => writer.write(batch).map_err(IpcError::Encode),
            Writer::File(writer) => writer.write(batch),
        }
    }

    /// The bytes written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.writer {
            Writer::Stream(writer) => std::mem::take(writer.get_mut()),
            Writer::File(writer) => writer.take(),
        }
    }

    /// Writes the end, without which the data is not whole; answers the bytes since the
    /// last [`Self::take`].
    pub fn finish(mut self) -> Result<Vec<u8>, IpcError> {
        match &mut self.writer {
            Writer::Stream(writer) => writer.finish().map_err(IpcError::Encode)?,
            Writer::File(writer) => writer.finish()?,
        }
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
