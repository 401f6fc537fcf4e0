//! Parquet files of every codec come out as they went in, whatever columns are wanted; bad
//! ones are refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::*;
use crate::stream::places;
use crate::trial::{Memory, now};
use app::cell::cell_text;

fn batch(rows: usize) -> RecordBatch {
    let n = || 0..rows;
    let some = |n: usize| !n.is_multiple_of(7);
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(n().map(|n| n as i64)));
    let floats: ArrayRef =
        Arc::new(Float64Array::from_iter(n().map(|n| some(n).then_some(n as f64 / 3.0))));
    let words: ArrayRef =
        Arc::new(StringArray::from_iter(n().map(|n| some(n).then(|| format!("w{}", n % 50)))));
    let days: ArrayRef = Arc::new(Date32Array::from_iter_values(n().map(|n| n as i32)));
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
        n().map(|n| some(n).then(|| (0..n % 4).map(|i| Some(i as i32)))),
    ));
    let inner = Arc::new(Field::new("day", DataType::Date32, false));
    let records: ArrayRef = Arc::new(StructArray::from(vec![(inner, days)]));
    RecordBatch::try_from_iter_with_nullable([
        ("id", ids, false),
        ("float", floats, true),
        ("word", words, true),
        ("record", records, false),
        ("list", lists, true),
    ])
    .unwrap()
}

fn written(
    batch: &RecordBatch,
    compression: Compression,
    version: WriterVersion,
    dictionary: bool,
) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        .set_dictionary_enabled(dictionary)
        .set_max_row_group_row_count(Some(3000))
        .set_data_page_row_count_limit(500)
        .set_write_batch_size(100)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn read(bytes: Vec<u8>, columns: Option<&[String]>) -> Result<Vec<Vec<String>>, ReadError> {
    now(async {
        let source = Memory(bytes.into());
        let footer = Footer::read(&source).await?;
        let places = places(footer.schema(), columns)?;
        let mut file = ParquetFile::new(source, footer, places)?;
        let mut rows = Vec::new();
        while let Some(batch) = file.next_batch().await? {
            assert_eq!(batch.schema().fields(), file.schema().fields());
            rows.extend(texts(&batch));
        }
        Ok(rows)
    })
}

fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let cell = |array: &ArrayRef, row| cell_text(array, row).unwrap_or_else(|| "∅".to_owned());
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|array| cell(array, row)).collect())
        .collect()
}

#[test]
fn every_codec_and_version_is_read() {
    let batch = batch(7000);
    let expected = texts(&batch);
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
    ] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for dictionary in [true, false] {
                let bytes = written(&batch, compression, version, dictionary);
                assert_eq!(
                    read(bytes, None).unwrap(),
                    expected,
                    "{compression:?} {version:?} {dictionary}"
                );
            }
        }
    }
}

#[test]
fn columns_come_in_the_order_wanted() {
    let batch = batch(100);
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let bytes = written(&batch, zstd, WriterVersion::PARQUET_1_0, true);
    let wanted = ["list", "id"].map(str::to_owned);
    let found = read(bytes.clone(), Some(&wanted)).unwrap();
    let places = [4, 0];
    let expected: Vec<Vec<String>> =
        texts(&batch).iter().map(|row| places.map(|place| row[place].clone()).to_vec()).collect();
    assert_eq!(found, expected);
    let error = read(bytes, Some(&["nothing".to_owned()])).unwrap_err().to_string();
    assert!(error.contains("no column \"nothing\""), "{error}");
}

#[test]
fn an_empty_table_has_a_schema() {
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
    let empty = RecordBatch::new_empty(schema);
    let bytes = written(&empty, Compression::SNAPPY, WriterVersion::PARQUET_1_0, true);
    let footer = now(Footer::read(&Memory(bytes.into()))).unwrap();
    assert_eq!((footer.rows(), footer.schema().fields().len()), (Some(0), 1));
}

#[test]
fn cut_and_damaged_files_are_refused() {
    let batch = batch(500);
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let bytes = written(&batch, zstd, WriterVersion::PARQUET_1_0, true);
    for n_bytes in [0, 4, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(read(bytes[..n_bytes].to_vec(), None).is_err(), "{n_bytes}");
    }
    for place in [10, 200, bytes.len() / 3] {
        let mut damaged = bytes.clone();
        damaged[place..place + 8].fill(0xEE);
        let caught = std::panic::catch_unwind(|| read(damaged, None).map(|rows| rows.len()));
        // The library may panic; the worker that it does so in is thrown away.
        if let Ok(Ok(n_rows)) = caught {
            assert!(n_rows <= 500);
        }
    }
}
