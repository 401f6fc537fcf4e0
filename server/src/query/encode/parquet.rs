//! Parquet: a row group leaves as soon as it is full.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{BodyCompression, EncodeError, Encoder};

/// Rows of a row group: small enough that the first leaves early.
const GROUP_ROWS: usize = 256 * 1024;

pub(super) struct ParquetBody {
    writer: ArrowWriter<Vec<u8>>,
    /// Bytes after which a row group is closed, whatever its rows; bounds the memory.
    bytes_max: usize,
}

impl ParquetBody {
    pub(super) fn new(
        schema: &SchemaRef,
        compression: BodyCompression,
        bytes_max: usize,
    ) -> Result<Self, EncodeError> {
        let codec = match compression {
            BodyCompression::None => Compression::UNCOMPRESSED,
            BodyCompression::Lz4 => Compression::LZ4_RAW,
            BodyCompression::Default | BodyCompression::Zstd => {
                Compression::ZSTD(ZstdLevel::default())
            }
        };
        // In one order, since equal ETags promise equal bytes.
        let metadata: BTreeMap<_, _> = schema.metadata().iter().collect();
        let metadata =
            metadata.into_iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
        Ok(Self { writer, bytes_max })
    }

    fn drain(&mut self, out: &mut Vec<Bytes>) {
        let written = std::mem::take(self.writer.inner_mut());
        if !written.is_empty() {
            out.push(written.into());
        }
    }
}

impl Encoder for ParquetBody {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        self.writer.write(batch)?;
        if self.writer.memory_size() > self.bytes_max {
            self.writer.flush()?;
        }
        self.drain(out);
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        self.writer.finish()?;
        self.drain(out);
        Ok(())
    }
}
