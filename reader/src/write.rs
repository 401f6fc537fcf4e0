//! The other way round: rows that the browser has, as an Arrow stream, written as a file. Pure.

use arrow_buffer::Buffer;
use engine::ipc::encode::{Compression as Uncompressed, Container, Encoder};
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::{Decoded, decode_all};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::stream::ReadError;

/// Rows of a row group, as the companion writes them.
const GROUP_ROWS: usize = 1 << 17;

/// A Parquet file of the rows of a stream.
///
/// # Errors
/// Where the bytes are no stream, or it has a type that Parquet has not.
pub fn parquet(stream: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    let decoded = decoded(stream)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), decoded.schema, Some(properties))?;
    for batch in &decoded.batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

/// A file of Arrow's of the rows of a stream: read from any place, where a stream is read from its
/// beginning.
///
/// # Errors
/// Where the bytes are no stream.
pub fn arrow(stream: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    let decoded = decoded(stream)?;
    let mut encoder = Encoder::new(&decoded.schema, Container::File, Uncompressed::None)?;
    let mut file = Vec::new();
    for batch in &decoded.batches {
        encoder.write(batch)?;
        file.append(&mut encoder.take());
    }
    file.append(&mut encoder.finish()?);
    Ok(file)
}

fn decoded(stream: Vec<u8>) -> Result<Decoded, ReadError> {
    Ok(decode_all(&Buffer::from_vec(stream), DecodeLimits::default())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow_array::types::Int32Type;
    use arrow_array::{
        ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch,
    };
    use arrow_schema::Schema;
    use engine::ipc::stream::decode_anything;

    use super::*;

    #[test]
    fn rows_go_there_and_back() {
        let names: DictionaryArray<Int32Type> =
            [Some("a"), None, Some("größe")].into_iter().collect();
        let vectors = [Some([Some(1.0), Some(2.0)]), None, Some([Some(3.0), None])];
        let vectors =
            FixedSizeListArray::from_iter_primitive::<arrow_array::types::Float32Type, _, _>(
                vectors, 2,
            );
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(-1)]))),
            ("x", Arc::new(Float32Array::from(vec![f32::NAN, 0.5, -0.0]))),
            ("name", Arc::new(names)),
            ("emb", Arc::new(vectors)),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        );
        let batch = batch.unwrap();
        let none = Uncompressed::None;
        let mut encoder = Encoder::new(&batch.schema(), Container::Stream, none).unwrap();
        for _ in 0..2 {
            encoder.write(&batch).unwrap();
        }
        let stream = encoder.finish().unwrap();
        let file = parquet(stream.clone()).unwrap();
        let read = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap();
        let schema = read.schema().clone();
        let batches = read.build().unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        let whole = arrow_select::concat::concat_batches(&schema, &batches).unwrap();
        let twice =
            arrow_select::concat::concat_batches(&batch.schema(), [&batch, &batch]).unwrap();
        // What is written is told apart by bits: NaN is NaN.
        assert_eq!(format!("{:?}", whole.columns()), format!("{:?}", twice.columns()));
        assert_eq!(whole.num_rows(), 6);
        let file = arrow(stream).unwrap();
        assert!(file.starts_with(b"ARROW1") && file.ends_with(b"ARROW1"));
        let again = decode_anything(&file).unwrap().batches;
        let again = arrow_select::concat::concat_batches(&batch.schema(), &again).unwrap();
        assert_eq!(format!("{:?}", again.columns()), format!("{:?}", twice.columns()));
        let empty = Encoder::new(&Schema::empty(), Container::Stream, none).unwrap();
        parquet(empty.finish().unwrap()).unwrap();
        assert!(parquet(vec![1, 2, 3]).is_err() && arrow(vec![1, 2, 3]).is_err());
    }
}
