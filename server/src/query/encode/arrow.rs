//! Arrow IPC: streams, and files with a footer.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamEncoder};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use bytes::{Bytes, BytesMut};

use super::{AnswerFormat, BodyCompression, EncodeError, Encoder, plain};

/// Buffers from this size on are handed over as they are; smaller ones are copied together.
const COPY_BELOW: usize = 16 * 1024;

fn options(compression: BodyCompression) -> Result<IpcWriteOptions, ArrowError> {
    IpcWriteOptions::default().try_with_compression(match compression {
        BodyCompression::Default | BodyCompression::None => None,
        BodyCompression::Lz4 => Some(CompressionType::LZ4_FRAME),
        BodyCompression::Zstd => Some(CompressionType::ZSTD),
    })
}

/// Dictionaries are sent again whenever they change, which every stream reader understands.
pub(super) struct StreamBody {
    encoder: StreamEncoder,
}

impl StreamBody {
    pub(super) fn new(
        schema: &SchemaRef,
        compression: BodyCompression,
    ) -> Result<Self, EncodeError> {
        let encoder = options(compression)
            .and_then(|options| StreamEncoder::try_new_with_options(schema, options))
            .map_err(stream_error)?;
        Ok(Self { encoder })
    }
}

impl Encoder for StreamBody {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        push(self.encoder.encode(batch).map_err(stream_error)?, out);
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        push(self.encoder.finish().map_err(stream_error)?, out);
        Ok(())
    }
}

fn push(buffers: Vec<Buffer>, out: &mut Vec<Bytes>) {
    let mut small = BytesMut::new();
    for buffer in buffers {
        if buffer.len() < COPY_BELOW {
            small.extend_from_slice(&buffer);
        } else {
            if !small.is_empty() {
                out.push(small.split().freeze());
            }
            out.push(Bytes::from_owner(Owned(buffer)));
        }
    }
    if !small.is_empty() {
        out.push(small.freeze());
    }
}

/// A buffer that bytes can be made of without a copy.
struct Owned(Buffer);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn stream_error(source: ArrowError) -> EncodeError {
    EncodeError::Arrow { format: AnswerFormat::ArrowStream, source }
}

/// A file knows one dictionary per column for all its batches, and batches leave before the last
/// is known: dictionaries are taken apart into their values.
pub(super) struct FileBody {
    schema: Arc<Schema>,
    writer: FileWriter<Vec<u8>>,
}

impl FileBody {
    pub(super) fn new(
        schema: &SchemaRef,
        compression: BodyCompression,
    ) -> Result<Self, EncodeError> {
        let schema = Arc::new(plain::schema_by(schema, plain::without_dictionary));
        let writer = options(compression)
            .and_then(|options| FileWriter::try_new_with_options(Vec::new(), &schema, options))
            .map_err(file_error)?;
        Ok(Self { schema, writer })
    }
}

impl Encoder for FileBody {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        for part in plain::batches(batch, &self.schema).map_err(file_error)? {
            self.writer.write(&part).map_err(file_error)?;
        }
        out.push(std::mem::take(self.writer.get_mut()).into());
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        self.writer.finish().map_err(file_error)?;
        out.push(std::mem::take(self.writer.get_mut()).into());
        Ok(())
    }
}

fn file_error(source: ArrowError) -> EncodeError {
    EncodeError::Arrow { format: AnswerFormat::ArrowFile, source }
}
