//! Seeded samples: which rows are drawn is known before any of them is read.
//!
//! The sample is the rows with the smallest hashes among those that pass. A first pass finds the
//! largest hash that is still in it, from row numbers alone; the second reads the rows whose hash
//! is no larger, as a filter, in table order and streaming.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use datafusion::common::pruning::PruningStatistics;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use engine::query::Sample;
use engine::sample::hash64;
use futures::StreamExt;

use super::failure::QueryFailure;
use super::produce::Run;
use crate::scan::{ROW_COLUMN, ScanFilter, ScanOptions, ScanOrder};

/// Row numbers that are hashed between two looks at whether anybody still waits.
const ROWS_AT_ONCE: u64 = 1 << 18;

/// The filter that lets a query's sample through; `filter` alone where it lets no more through.
/// A sample has at least one row.
pub(super) async fn filter(
    run: &Run,
    sample: Sample,
    filter: Option<Arc<dyn ScanFilter>>,
) -> std::result::Result<Option<Arc<dyn ScanFilter>>, QueryFailure> {
    let total = run.pinned.snapshot.rows();
    if total.is_some_and(|total| sample.rows >= total) {
        return Ok(filter);
    }
    let mut smallest = Smallest::new(sample, run.reservation("sample"))?;
    match (&filter, total) {
        (None, Some(total)) => {
            for start in (0..total).step_by(ROWS_AT_ONCE as usize) {
                let end = (start + ROWS_AT_ONCE).min(total);
                smallest.extend(start..end)?;
                tokio::task::yield_now().await;
            }
        }
        _ => {
            let options = ScanOptions {
                order: ScanOrder::Any,
                filter: filter.clone(),
                row_column: true,
                report: Arc::clone(&run.report),
            };
            let mut batches = run.scan_merged(options, &[ROW_COLUMN.to_owned()], None).await?;
            while let Some(batch) = batches.next().await {
                smallest.extend(row_numbers(batch?.column(0).as_ref())?)?;
            }
        }
    }
    Ok(match smallest.largest() {
        None => filter,
        Some(hash_max) => Some(Arc::new(SampleFilter::new(filter, sample.seed, hash_max))),
    })
}

/// The smallest hashes so far, among up to twice as many candidates.
struct Smallest {
    rows: usize,
    seed: u64,
    hashes: Vec<u64>,
    /// No hash above this can be in the sample.
    hash_max: u64,
    reservation: MemoryReservation,
}

impl Smallest {
    fn new(
        sample: Sample,
        reservation: MemoryReservation,
    ) -> std::result::Result<Self, QueryFailure> {
        let rows = usize::try_from(sample.rows).unwrap_or(usize::MAX).max(1);
        Ok(Self { rows, seed: sample.seed, hashes: Vec::new(), hash_max: u64::MAX, reservation })
    }

    fn extend(
        &mut self,
        rows: impl IntoIterator<Item = u64>,
    ) -> std::result::Result<(), QueryFailure> {
        for row in rows {
            let hash = hash64(self.seed, row);
            if hash <= self.hash_max {
                self.hashes.push(hash);
                if self.hashes.len() >= self.rows.saturating_mul(2) {
                    self.halve();
                }
            }
        }
        Ok(self.reservation.try_resize(self.hashes.capacity() * size_of::<u64>())?)
    }

    fn halve(&mut self) {
        let (_, nth, _) = self.hashes.select_nth_unstable(self.rows - 1);
        self.hash_max = *nth;
        self.hashes.truncate(self.rows);
    }

    /// The largest hash of the sample; none where every row is in it.
    fn largest(mut self) -> Option<u64> {
        if self.hashes.len() < self.rows {
            return None;
        }
        self.halve();
        Some(self.hash_max)
    }
}

/// The rows of another filter whose hash is small enough. A hash is its row's alone, so this is
/// exactly the sample.
#[derive(Debug)]
struct SampleFilter {
    inner: Option<Arc<dyn ScanFilter>>,
    /// Those of `inner`, and the row number.
    columns: Vec<String>,
    /// Where the row number is among them.
    row_idx: usize,
    seed: u64,
    hash_max: u64,
}

impl SampleFilter {
    fn new(inner: Option<Arc<dyn ScanFilter>>, seed: u64, hash_max: u64) -> Self {
        let mut columns = inner.as_ref().map_or_else(Vec::new, |inner| inner.columns().to_vec());
        let row_idx = columns.iter().position(|name| name == ROW_COLUMN).unwrap_or_else(|| {
            columns.push(ROW_COLUMN.to_owned());
            columns.len() - 1
        });
        Self { inner, columns, row_idx, seed, hash_max }
    }
}

impl ScanFilter for SampleFilter {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let rows = row_numbers(batch.column(self.row_idx).as_ref())
            .map_err(|failure| DataFusionError::External(failure.to_string().into()))?;
        let drawn: BooleanBuffer =
            rows.iter().map(|row| hash64(self.seed, *row) <= self.hash_max).collect();
        let Some(inner) = &self.inner else {
            return Ok(BooleanArray::new(drawn, None));
        };
        let own: Vec<usize> = (0..inner.columns().len()).collect();
        let passes = inner.evaluate(&batch.project(&own)?)?;
        Ok(BooleanArray::new(&drawn & &true_values(&passes), None))
    }

    fn prune(&self, containers: &dyn PruningStatistics) -> Result<Vec<bool>> {
        match &self.inner {
            Some(inner) => inner.prune(containers),
            None => Ok(vec![true; containers.num_containers()]),
        }
    }
}

/// The rows that are true, neither false nor null.
fn true_values(passes: &BooleanArray) -> BooleanBuffer {
    match passes.nulls() {
        None => passes.values().clone(),
        Some(nulls) => passes.values() & nulls.inner(),
    }
}

/// The numbers in a row column.
pub(super) fn row_numbers(column: &dyn Array) -> std::result::Result<Vec<u64>, QueryFailure> {
    if let Some(rows) = column.as_primitive_opt::<UInt64Type>() {
        return Ok(rows.values().to_vec());
    }
    let rows = column.as_primitive_opt::<Int64Type>().ok_or_else(|| {
        let detail = format!("row numbers of type {}", column.data_type());
        QueryFailure::Execution(DataFusionError::Internal(detail))
    })?;
    Ok(rows.values().iter().map(|row| row.unsigned_abs()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, UnboundedMemoryPool};

    use super::*;

    fn drawn(total: u64, rows: u64, seed: u64) -> Vec<u64> {
        let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
        let reservation = MemoryConsumer::new("test").register(&pool);
        let mut smallest = Smallest::new(Sample { rows, seed }, reservation).unwrap();
        smallest.extend(0..total).unwrap();
        let hash_max = smallest.largest();
        (0..total).filter(|row| hash_max.is_none_or(|max| hash64(seed, *row) <= max)).collect()
    }

    #[test]
    fn exactly_the_smallest_hashes_are_drawn() {
        for (total, rows) in [(1000, 1), (1000, 10), (1000, 999), (1000, 1000), (10, 1000), (0, 5)]
        {
            let mut hashes: Vec<u64> = (0..total).map(|row| hash64(7, row)).collect();
            hashes.sort_unstable();
            hashes.truncate(rows as usize);
            let mut found: Vec<u64> =
                drawn(total, rows, 7).into_iter().map(|row| hash64(7, row)).collect();
            found.sort_unstable();
            assert_eq!(found, hashes, "{rows} of {total}");
        }
    }
}
