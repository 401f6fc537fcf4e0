//! How fast Arrow IPC is read, beside `arrow-ipc`'s own reader: a million rows of the shape
//! that a dashboard loads, in 64 batches, uncompressed and compressed.
//!
//! `cargo run --release -p engine --example ipc_throughput`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people to run")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Int8Array, Int32Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{StreamDecoder as TheirDecoder, StreamReader};
use engine::ipc::encode::{Compression, Container, encode_all};
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::{StreamDecoder, decode_all};
use engine::sample::hash64;

const N_ROWS: usize = 1_000_000;
const N_BATCH_ROWS: usize = 16_384;
const N_RUNS: usize = 9;

fn column_of_floats(seed: u64) -> ArrayRef {
    let values = (0..N_ROWS as u64).map(|row| (hash64(seed, row) >> 40) as f32 / 1000.0);
    Arc::new(Float32Array::from_iter_values(values))
}

/// An id, eight numbers, a category of twelve words and a time; with `has_text` also a
/// column of short strings.
fn batches(has_text: bool) -> Vec<RecordBatch> {
    let words: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..12).map(|word| format!("category {word}"))));
    let keys = (0..N_ROWS as u64).map(|row| (hash64(3, row) % 12) as i8);
    let category = DictionaryArray::<Int8Type>::new(Int8Array::from_iter_values(keys), words);
    let times = (0..N_ROWS as i64).map(|row| 1_600_000_000_000 + row * 1000);
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("id".to_owned(), Arc::new(Int32Array::from_iter_values(0..N_ROWS as i32))),
        ("category".to_owned(), Arc::new(category)),
        ("time".to_owned(), Arc::new(TimestampMillisecondArray::from_iter_values(times))),
    ];
    columns.extend((0..7).map(|seed| (format!("number {seed}"), column_of_floats(seed))));
    if has_text {
        let text = (0..N_ROWS as u64).map(|row| format!("row {}", hash64(9, row) % 100_000));
        columns.push(("text".to_owned(), Arc::new(StringArray::from_iter_values(text))));
    }
    let all = RecordBatch::try_from_iter(columns).unwrap();
    (0..N_ROWS)
        .step_by(N_BATCH_ROWS)
        .map(|start| all.slice(start, N_BATCH_ROWS.min(N_ROWS - start)))
        .collect()
}

/// The median of several runs, each of which must see all rows.
fn measure(decode: impl Fn() -> usize) -> Duration {
    let mut times: Vec<Duration> = (0..N_RUNS)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(decode(), N_ROWS);
            start.elapsed()
        })
        .collect();
    times.sort();
    times[N_RUNS / 2]
}

fn ours_whole(bytes: &Buffer) -> usize {
    let decoded = decode_all(bytes, DecodeLimits::default()).unwrap();
    decoded.batches.iter().map(RecordBatch::num_rows).sum()
}

fn ours_in_chunks(bytes: &[u8]) -> usize {
    let mut decoder = StreamDecoder::new(DecodeLimits::default());
    let batches = bytes.chunks(64 << 10).flat_map(|chunk| decoder.push(chunk).unwrap());
    let n_rows = batches.map(|batch| batch.num_rows()).sum();
    decoder.finish().unwrap();
    n_rows
}

fn theirs_whole(bytes: &Buffer) -> usize {
    let mut decoder = TheirDecoder::new();
    let mut bytes = bytes.clone();
    let mut n_rows = 0;
    while let Some(batch) = decoder.decode(&mut bytes).unwrap() {
        n_rows += batch.num_rows();
    }
    n_rows
}

fn theirs_from_reader(bytes: &[u8]) -> usize {
    let reader = StreamReader::try_new(bytes, None).unwrap();
    reader.map(|batch| batch.unwrap().num_rows()).sum()
}

fn main() {
    println!(
        "{:<22}{:>9}{:>12}{:>12}{:>12}{:>12}",
        "", "MB", "ours", "arrow", "ours 64k", "arrow io"
    );
    for has_text in [false, true] {
        let batches = batches(has_text);
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            let schema = batches[0].schema();
            let bytes = encode_all(&schema, &batches, Container::Stream, compression).unwrap();
            let bytes = Buffer::from_vec(bytes);
            let name = format!("{}{compression:?}", if has_text { "with text, " } else { "" });
            let times = [
                measure(|| ours_whole(&bytes)),
                measure(|| theirs_whole(&bytes)),
                measure(|| ours_in_chunks(&bytes)),
                measure(|| theirs_from_reader(&bytes)),
            ];
            print!("{name:<22}{:>9.1}", bytes.len() as f64 / 1e6);
            times.iter().for_each(|time| print!("{:>9.2} ms", time.as_secs_f64() * 1e3));
            println!();
        }
    }
}
