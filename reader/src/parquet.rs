//! Parquet: the footer, then row group after row group. Of each only the chunks of the
//! columns wanted are read; they are laid out one after the other as a small file of their
//! own, those compressed by ZSTD uncompressed, which the Parquet library reads. Pure: the
//! bytes come from a [`Source`].

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::CompressionCodec;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
    RowGroupMetaData,
};

use super::pages::{first_page_bytes, uncompressed_chunk};
use super::stream::{ReadError, places};

const BATCH_ROWS: usize = 1 << 15;
const TAIL_BYTES: u64 = 8;
/// Footers and chunks beyond this are taken for damage.
const FOOTER_BYTES_MAX: u64 = 256 << 20;
const CHUNK_BYTES_MAX: u64 = 1 << 30;

/// A file that can be read anywhere.
pub trait Source {
    fn size(&self) -> u64;
    fn read(&self, start: u64, n_bytes: usize) -> Result<Vec<u8>, std::io::Error>;
}

/// A Parquet file that is being read.
pub struct ParquetFile<S> {
    source: S,
    metadata: Arc<ParquetMetaData>,
    arrow: ArrowReaderMetadata,
    /// The columns wanted, by their place in the file.
    places: Vec<usize>,
    schema: SchemaRef,
    row_group: usize,
    reader: Option<ParquetRecordBatchReader>,
}

impl<S: Source> ParquetFile<S> {
    pub fn open(source: S, columns: Option<&[String]>) -> Result<Self, ReadError> {
        let metadata = Arc::new(read_footer(&source)?);
        let arrow = ArrowReaderMetadata::try_new(Arc::clone(&metadata), options())?;
        let places = places(arrow.schema(), columns)?;
        let schema = Arc::new(arrow.schema().project(&places)?);
        Ok(Self { source, metadata, arrow, places, schema, row_group: 0, reader: None })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn rows(&self) -> Option<u64> {
        u64::try_from(self.metadata.file_metadata().num_rows()).ok()
    }

    /// The next batch; `None` after the last.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        loop {
            if let Some(reader) = &mut self.reader {
                if let Some(batch) = reader.next().transpose()? {
                    return self.in_order(&batch).map(Some);
                }
                self.reader = None;
            }
            if self.row_group == self.metadata.num_row_groups() {
                return Ok(None);
            }
            self.reader = Some(self.read_row_group(self.row_group)?);
            self.row_group += 1;
        }
    }

    /// The library gives columns in the file's order.
    fn in_order(&self, batch: &RecordBatch) -> Result<RecordBatch, ReadError> {
        let mut sorted = self.places.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let order = self.places.iter().filter_map(|place| sorted.binary_search(place).ok());
        Ok(batch.project(&order.collect::<Vec<_>>())?)
    }

    fn read_row_group(&self, index: usize) -> Result<ParquetRecordBatchReader, ReadError> {
        let group = self.metadata.row_group(index);
        let mask = ProjectionMask::roots(self.arrow.parquet_schema(), self.places.iter().copied());
        let mut bytes = Vec::new();
        let mut chunks = Vec::with_capacity(group.num_columns());
        for (leaf, chunk) in group.columns().iter().enumerate() {
            chunks.push(match mask.leaf_included(leaf) {
                true => self.lay_out(chunk, &mut bytes)?,
                false => chunk.clone(),
            });
        }
        let group: RowGroupMetaData =
            group.clone().into_builder().set_column_metadata(chunks).build()?;
        let file = self.metadata.file_metadata().clone();
        let metadata = ParquetMetaDataBuilder::new(file).set_row_groups(vec![group]).build();
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options())?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(Bytes::from(bytes), metadata);
        Ok(builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?)
    }

    /// Appends a column chunk to `bytes`; answers its description there.
    fn lay_out(
        &self,
        chunk: &ColumnChunkMetaData,
        bytes: &mut Vec<u8>,
    ) -> Result<ColumnChunkMetaData, ReadError> {
        let name = chunk.column_path().string();
        let bad = |reason: &str| ReadError::Bad(format!("column {name:?}: {reason}"));
        let dictionary = chunk.dictionary_page_offset();
        let start = dictionary.unwrap_or_else(|| chunk.data_page_offset());
        let (Ok(start), Ok(n_bytes)) =
            (u64::try_from(start), u64::try_from(chunk.compressed_size()))
        else {
            return Err(bad("corrupt parquet: a negative offset"));
        };
        let is_inside = start.checked_add(n_bytes).is_some_and(|end| end <= self.source.size());
        if !is_inside || n_bytes > CHUNK_BYTES_MAX {
            return Err(bad("the file is cut short or its footer is wrong"));
        }
        let mut content = self.source.read(start, n_bytes as usize)?;
        let mut builder = chunk.clone().into_builder();
        if chunk.compression_codec() == CompressionCodec::ZSTD {
            content = uncompressed_chunk(&content).map_err(|error| bad(&error.to_string()))?;
            builder = builder.set_compression_codec(CompressionCodec::UNCOMPRESSED);
        }
        let n_dictionary = match dictionary {
            Some(_) => first_page_bytes(&content).map_err(|error| bad(&error.to_string()))?,
            None => 0,
        };
        let place = bytes.len() as i64;
        let built = builder
            .set_dictionary_page_offset(dictionary.map(|_| place))
            .set_data_page_offset(place + n_dictionary as i64)
            .set_total_compressed_size(content.len() as i64)
            .set_offset_index_offset(None)
            .set_offset_index_length(None)
            .set_column_index_offset(None)
            .set_column_index_length(None)
            .build()?;
        bytes.append(&mut content);
        Ok(built)
    }
}

/// Page indexes are of the file, not of our copies.
fn options() -> ArrowReaderOptions {
    ArrowReaderOptions::new()
}

fn read_footer(source: &impl Source) -> Result<ParquetMetaData, ReadError> {
    let bad = |reason: &str| ReadError::Bad(format!("corrupt parquet: {reason}"));
    let size = source.size();
    let tail_at = size.checked_sub(TAIL_BYTES).ok_or_else(|| bad("the file is too short"))?;
    let tail = source.read(tail_at, TAIL_BYTES as usize)?;
    let [a, b, c, d, magic @ ..] = tail.as_slice() else {
        return Err(bad("the file is too short"));
    };
    match magic {
        b"PAR1" => {}
        b"PARE" => return Err(ReadError::Bad("the file is encrypted".to_owned())),
        _ => return Err(bad("the file does not end as one: it is cut short")),
    }
    let n_bytes = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    let start = tail_at.checked_sub(n_bytes).filter(|_| n_bytes <= FOOTER_BYTES_MAX);
    let start = start.ok_or_else(|| bad("its footer is longer than the file"))?;
    let footer = source.read(start, n_bytes as usize)?;
    Ok(ParquetMetaDataReader::decode_metadata(&footer)?)
}

#[cfg(test)]
mod tests;
