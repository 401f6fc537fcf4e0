//! Parquet: a row group leaves as soon as it is full.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{BodyCompression, EncodeError, Encoder};

/// Rows of a row group: small enough that the first leaves early.
const GROUP_ROWS: usize = 256 * 1024;
/// Encoded bytes after which a row group is closed, whatever its rows; bounds the memory.
const GROUP_BYTES: usize = 64 << 20;

pub(super) struct ParquetBody {
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetBody {
    pub(super) fn new(
        schema: &SchemaRef,
        compression: BodyCompression,
    ) -> Result<Self, EncodeError> {
        let codec = match compression {
            BodyCompression::None => Compression::UNCOMPRESSED,
            BodyCompression::Lz4 => Compression::LZ4_RAW,
            BodyCompression::Default | BodyCompression::Zstd => {
                Compression::ZSTD(ZstdLevel::default())
            }
        };
        let metadata = schema.metadata().iter();
        let metadata = metadata
            .map(|(key, value)| parquet::file::metadata::KeyValue::new(key.clone(), value.clone()));
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        Ok(Self { writer: ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))? })
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
        if self.writer.in_progress_size() > GROUP_BYTES {
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
