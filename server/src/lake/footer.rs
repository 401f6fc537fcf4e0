//! Footers of Parquet files, read once and remembered: what is in a file, without its data.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, MetadataFetch};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::cache::Cache;
use super::snapshot::{DataFile, Reading, Snapshot};
use super::source::FileStamp;
use crate::scan::ScanReport;

/// Bytes fetched from a file's end on the chance that the whole footer is in them.
const FOOTER_GUESS_BYTES: usize = 64 << 10;

/// Largest footer that is read; a footer says its own length, and may lie.
const FOOTER_BYTES_MAX: u64 = 256 << 20;

/// Ranges closer than this are fetched as one.
const GAP_BYTES: u64 = 1 << 20;

/// The file is not the one that the snapshot was made of.
#[derive(Debug, thiserror::Error)]
#[error("the file has changed since the table was opened")]
pub(crate) struct FileChanged;

/// Footers by the files they are of.
#[derive(Debug)]
pub(crate) struct FooterCache(Cache<FileStamp, Arc<ParquetMetaData>>);

impl FooterCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Cache::new(bytes_max))
    }
}

/// Reads ranges of one file, counting them, and never past its end.
#[derive(Debug, Clone)]
pub(crate) struct FileReader {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) stamp: FileStamp,
    pub(crate) report: Arc<ScanReport>,
}

impl FileReader {
    /// A reader of one file of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, file: &DataFile, report: Arc<ScanReport>) -> Self {
        // A log vouches for its files: they never change, and their times may have been copied.
        let vouched = snapshot.reading == Reading::Delta;
        let stamp = FileStamp {
            path: file.path.clone(),
            bytes: file.bytes,
            modified_micros: file.modified.filter(|_| !vouched).map(|time| time.timestamp_micros()),
            e_tag: file.e_tag.clone(),
        };
        Self { store: Arc::clone(&snapshot.access.store), stamp, report }
    }

    /// The file's footer, from the cache if it was read before.
    pub(crate) async fn footer(&mut self, cache: &FooterCache) -> Result<Arc<ParquetMetaData>> {
        if let Some(footer) = cache.0.get(&self.stamp) {
            return Ok(footer);
        }
        let footer = self.get_metadata(None).await?;
        let weight = footer.memory_size();
        cache.0.insert(self.stamp.clone(), Arc::clone(&footer), weight);
        Ok(footer)
    }

    /// Fails where the file is no longer the one that was listed. Stores that give ETags check
    /// by themselves on each request.
    pub(crate) async fn verify(&self) -> Result<()> {
        let (None, Some(modified)) = (&self.stamp.e_tag, self.stamp.modified_micros) else {
            return Ok(());
        };
        let now = self.store.head(self.path()).await?;
        match now.size == self.stamp.bytes && now.last_modified.timestamp_micros() == modified {
            true => Ok(()),
            false => Err(ParquetError::External(Box::new(FileChanged))),
        }
    }

    fn check(&self, range: &Range<u64>) -> Result<()> {
        if range.start > range.end || range.end > self.stamp.bytes {
            return Err(ParquetError::EOF(format!(
                "bytes {} to {} are asked of a file of {}",
                range.start, range.end, self.stamp.bytes
            )));
        }
        Ok(())
    }

    fn path(&self) -> &Path {
        &self.stamp.path
    }

    fn count(&self, bytes: u64) {
        ScanReport::add(&self.report.bytes_read, bytes);
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        self.check(&range)?;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range.clone())),
            if_match: self.stamp.e_tag.clone(),
            ..GetOptions::default()
        };
        let result = self.store.get_opts(self.path(), options).await?;
        let bytes = result.bytes().await?;
        self.count(bytes.len() as u64);
        if bytes.len() as u64 != range.end - range.start {
            return Err(ParquetError::EOF("the file is shorter than its size".to_owned()));
        }
        Ok(bytes)
    }
}

impl AsyncFileReader for FileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        let this: &Self = self;
        this.fetch(range).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            ranges.iter().try_for_each(|range| self.check(range))?;
            if self.stamp.e_tag.is_some() {
                let one = |range: Range<u64>| {
                    let reader = self.clone();
                    async move { reader.fetch(range).await }
                };
                return object_store::coalesce_ranges(&ranges, one, GAP_BYTES).await;
            }
            let bytes = self.store.get_ranges(self.path(), &ranges).await?;
            self.count(bytes.iter().map(|bytes| bytes.len() as u64).sum());
            Ok(bytes)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let bytes = self.stamp.bytes;
            if bytes < 12 {
                return Err(ParquetError::EOF("it is too short to be Parquet".to_owned()));
            }
            let guess = FOOTER_GUESS_BYTES.min(usize::try_from(bytes).unwrap_or(usize::MAX));
            let footer = ParquetMetaDataReader::new()
                .with_prefetch_hint(Some(guess))
                .with_page_index_policy(PageIndexPolicy::Skip)
                .load_and_finish(FooterFetch(self), bytes)
                .await?;
            Ok(Arc::new(footer))
        }
        .boxed()
    }
}

/// Fetches for a footer only: no part of one is larger than a footer may be.
struct FooterFetch<'a>(&'a FileReader);

impl MetadataFetch for FooterFetch<'_> {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            if range.end.saturating_sub(range.start) > FOOTER_BYTES_MAX {
                return Err(ParquetError::General("its footer is too large".to_owned()));
            }
            self.0.fetch(range).await
        }
        .boxed()
    }
}
