//! Parquet: the footer, then row group after row group. Of each only the chunks of the
//! columns wanted are read; they are laid out one after the other as a small file of their
//! own, those compressed by ZSTD uncompressed, which the Parquet library reads. Pure: the
//! bytes come from a [`Source`], those of a row group in one go.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{CompressionCodec, Type as StoredType};
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
    RowGroupMetaData,
};

use super::pages::{first_page_bytes, uncompressed_chunk};
use super::source::Source;
use super::stream::ReadError;

const BATCH_ROWS: usize = 1 << 15;
const TAIL_BYTES: u64 = 8;
/// Most footers are smaller.
const GUESS_BYTES: u64 = 64 << 10;
/// Footers and chunks beyond this are taken for damage.
const FOOTER_BYTES_MAX: u64 = 256 << 20;
const CHUNK_BYTES_MAX: u64 = 1 << 30;

/// What a file is: its footer, read once for any number of readings.
#[derive(Debug, Clone)]
pub struct Footer {
    metadata: Arc<ParquetMetaData>,
    arrow: ArrowReaderMetadata,
}

impl Footer {
    pub async fn read(source: &impl Source) -> Result<Self, ReadError> {
        let metadata = Arc::new(read_footer(source).await?);
        let arrow = ArrowReaderMetadata::try_new(Arc::clone(&metadata), options())?;
        Ok(Self { metadata, arrow })
    }

    /// Of a file of a Delta table, whose types are those that Parquet itself names: what its
    /// writer says of Arrow does not count. The old timestamps of 96 bits are microseconds:
    /// nanoseconds overflow where real tables keep their "never" and "always".
    pub async fn of_log(source: &impl Source) -> Result<Self, ReadError> {
        let metadata = Arc::new(read_footer(source).await?);
        let plain = || options().with_skip_arrow_metadata(true);
        let arrow = ArrowReaderMetadata::try_new(Arc::clone(&metadata), plain())?;
        let stored = metadata.file_metadata().schema_descr();
        let is_old = |name: &str| {
            let columns = stored.columns().iter();
            let mut roots = columns.filter(|column| column.path().parts() == [name.to_owned()]);
            roots.next().is_some_and(|column| column.physical_type() == StoredType::INT96)
        };
        if !arrow.schema().fields().iter().any(|field| is_old(field.name())) {
            return Ok(Self { metadata, arrow });
        }
        let fields = arrow.schema().fields().iter().map(|field| match field.data_type() {
            DataType::Timestamp(_, zone) if is_old(field.name()) => {
                let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Arc::new(field.as_ref().clone().with_data_type(micros))
            }
            _ => Arc::clone(field),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrow =
            ArrowReaderMetadata::try_new(Arc::clone(&metadata), plain().with_schema(schema))?;
        Ok(Self { metadata, arrow })
    }

    pub fn schema(&self) -> &SchemaRef {
        self.arrow.schema()
    }

    pub fn rows(&self) -> Option<u64> {
        u64::try_from(self.metadata.file_metadata().num_rows()).ok()
    }
}

/// A Parquet file that is being read.
pub struct ParquetFile<S> {
    source: S,
    footer: Footer,
    /// The columns wanted, by their place in the file.
    places: Vec<usize>,
    schema: SchemaRef,
    row_group: usize,
    reader: Option<ParquetRecordBatchReader>,
}

impl<S: Source> ParquetFile<S> {
    /// Columns by their places in the file, to come in this order.
    pub fn new(source: S, footer: Footer, places: Vec<usize>) -> Result<Self, ReadError> {
        let schema = Arc::new(footer.schema().project(&places)?);
        Ok(Self { source, footer, places, schema, row_group: 0, reader: None })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next batch; `None` after the last.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        loop {
            if let Some(reader) = &mut self.reader {
                if let Some(batch) = reader.next().transpose()? {
                    return self.in_order(&batch).map(Some);
                }
                self.reader = None;
            }
            if self.row_group == self.footer.metadata.num_row_groups() {
                return Ok(None);
            }
            self.reader = Some(self.read_row_group(self.row_group).await?);
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

    async fn read_row_group(&self, index: usize) -> Result<ParquetRecordBatchReader, ReadError> {
        let group = self.footer.metadata.row_group(index);
        let schema = self.footer.arrow.parquet_schema();
        let mask = ProjectionMask::roots(schema, self.places.iter().copied());
        let wanted = |leaf: &usize| mask.leaf_included(*leaf);
        let leaves = (0..group.num_columns()).filter(wanted);
        let ranges = leaves.map(|leaf| self.range_of(group.column(leaf)));
        let ranges: Vec<Range<u64>> = ranges.collect::<Result<_, _>>()?;
        let mut contents = self.source.read(&ranges).await?.into_iter();
        let mut bytes = Vec::new();
        let mut chunks = Vec::with_capacity(group.num_columns());
        for (leaf, chunk) in group.columns().iter().enumerate() {
            let content = if mask.leaf_included(leaf) { contents.next() } else { None };
            chunks.push(match content {
                Some(content) => lay_out(chunk, content, &mut bytes)?,
                None => chunk.clone(),
            });
        }
        let group: RowGroupMetaData =
            group.clone().into_builder().set_column_metadata(chunks).build()?;
        let file = self.footer.metadata.file_metadata().clone();
        let metadata = ParquetMetaDataBuilder::new(file).set_row_groups(vec![group]).build();
        // The types that were settled for the file, whatever those were.
        let options = options().with_skip_arrow_metadata(true);
        let options = options.with_schema(Arc::clone(self.footer.arrow.schema()));
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options)?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(Bytes::from(bytes), metadata);
        Ok(builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?)
    }

    /// Where a column chunk lies, if that can be.
    fn range_of(&self, chunk: &ColumnChunkMetaData) -> Result<Range<u64>, ReadError> {
        let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        let (Ok(start), Ok(n_bytes)) =
            (u64::try_from(start), u64::try_from(chunk.compressed_size()))
        else {
            return Err(bad_column(chunk, "corrupt parquet: a negative offset"));
        };
        let end = start.checked_add(n_bytes).filter(|end| *end <= self.source.size());
        match end {
            Some(end) if n_bytes <= CHUNK_BYTES_MAX => Ok(start..end),
            _ => Err(bad_column(chunk, "the file is cut short or its footer is wrong")),
        }
    }
}

fn bad_column(chunk: &ColumnChunkMetaData, reason: &str) -> ReadError {
    ReadError::Bad(format!("column {:?}: {reason}", chunk.column_path().string()))
}

/// Appends a column chunk to `bytes`; answers its description there.
fn lay_out(
    chunk: &ColumnChunkMetaData,
    content: Bytes,
    bytes: &mut Vec<u8>,
) -> Result<ColumnChunkMetaData, ReadError> {
    let bad = |error: ReadError| bad_column(chunk, &error.to_string());
    let mut content = content;
    let mut builder = chunk.clone().into_builder();
    if chunk.compression_codec() == CompressionCodec::ZSTD {
        content = uncompressed_chunk(&content).map_err(bad)?.into();
        builder = builder.set_compression_codec(CompressionCodec::UNCOMPRESSED);
    }
    let dictionary = chunk.dictionary_page_offset();
    let n_dictionary = match dictionary {
        Some(_) => first_page_bytes(&content).map_err(bad)?,
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
    bytes.extend_from_slice(&content);
    Ok(built)
}

/// Page indexes are of the file, not of our copies.
fn options() -> ArrowReaderOptions {
    ArrowReaderOptions::new()
}

async fn read_footer(source: &impl Source) -> Result<ParquetMetaData, ReadError> {
    let bad = |reason: &str| ReadError::Bad(format!("corrupt parquet: {reason}"));
    let size = source.size();
    // The end is taken with much of the footer, so that most files need one reading.
    let n_guess = size.min(GUESS_BYTES);
    if size < TAIL_BYTES {
        return Err(bad("the file is too short"));
    }
    let end = source.read_one(size - n_guess, n_guess).await?;
    let [before @ .., a, b, c, d, p, q, r, s] = &*end else {
        return Err(bad("the file is too short"));
    };
    match &[*p, *q, *r, *s] {
        b"PAR1" => {}
        b"PARE" => return Err(ReadError::Bad("the file is encrypted".to_owned())),
        _ => return Err(bad("the file does not end as one: it is cut short")),
    }
    let n_bytes = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    let start = (size - TAIL_BYTES).checked_sub(n_bytes).filter(|_| n_bytes <= FOOTER_BYTES_MAX);
    let start = start.ok_or_else(|| bad("its footer is longer than the file"))?;
    let footer = match before.len().checked_sub(n_bytes as usize) {
        Some(at) => end.slice(at..before.len()),
        None => source.read_one(start, n_bytes).await?,
    };
    Ok(ParquetMetaDataReader::decode_metadata(&footer)?)
}

#[cfg(test)]
mod tests;
