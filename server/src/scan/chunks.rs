//! A file as large chunks in order, read ahead by one: for formats that are read from front to
//! back.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result;

use crate::lake::footer::FileReader;

/// Bytes of a chunk: enough to hide an object store's latency.
const CHUNK_BYTES: u64 = 4 << 20;

/// Chunks that are fetched at the same time.
const AHEAD: usize = 2;

/// The whole file, in order.
pub(super) fn chunks(reader: FileReader) -> BoxStream<'static, Result<Bytes>> {
    let bytes = reader.stamp.bytes;
    let starts = (0..bytes).step_by(CHUNK_BYTES as usize);
    let fetch = move |start: u64| {
        let mut reader = reader.clone();
        async move { reader.get_bytes(start..bytes.min(start + CHUNK_BYTES)).await }
    };
    stream::iter(starts).map(fetch).buffered(AHEAD).boxed()
}
