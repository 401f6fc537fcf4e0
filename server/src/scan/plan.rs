//! What a scan will do, decided before a byte of data is read: which columns, which files, and
//! how the files are cut into parts that can be read side by side and put back in order.

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use datafusion::error::{DataFusionError, Result};

use super::columns::{Wanted, schema_of};
use super::filter::ScanFilter;
use super::report::ScanReport;
use super::rows::RowStarts;
use super::{ROW_COLUMN, ScanOrder};
use crate::lake::snapshot::{DataFile, Reading, Snapshot};

/// Bytes of a Parquet file that one part covers. A row group belongs to the part in which it
/// starts, so a part may be empty, and costs no more than a look at the footer then.
const PART_BYTES: u64 = 16 << 20;

/// More parts than this are joined: each is a partition to DataFusion.
const PARTS_MAX: usize = 1024;

/// Rows in a batch.
pub(crate) const BATCH_ROWS: usize = 8192;

/// A contiguous stretch of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Position among the snapshot's files.
    pub(crate) file: usize,
    pub(crate) bytes: Range<u64>,
}

/// Everything that the parts of one scan share.
#[derive(Debug)]
pub(crate) struct ScanPlan {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) schema: SchemaRef,
    pub(crate) filters: Vec<PlannedFilter>,
    /// No more rows than this are needed of any part, nor of all together.
    pub(crate) limit: Option<usize>,
    pub(crate) report: Arc<ScanReport>,
    pub(crate) row_starts: RowStarts,
}

/// A filter, and the columns it reads.
#[derive(Debug, Clone)]
pub(crate) struct PlannedFilter {
    pub(crate) filter: Arc<dyn ScanFilter>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) schema: SchemaRef,
}

impl PlannedFilter {
    fn new(snapshot: &Snapshot, filter: Arc<dyn ScanFilter>) -> Result<Self> {
        let find = |name: &String| match snapshot.schema.index_of(name) {
            Ok(position) => Ok(Wanted::Column(position)),
            Err(_) if name == ROW_COLUMN => Ok(Wanted::Row),
            Err(error) => Err(DataFusionError::from(error)),
        };
        let wanted = filter.columns().iter().map(find).collect::<Result<Vec<_>>>()?;
        let schema = schema_of(snapshot, &wanted);
        Ok(Self { filter, wanted, schema })
    }

    pub(crate) fn reads_rows(&self) -> bool {
        self.wanted.contains(&Wanted::Row)
    }
}

impl ScanPlan {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        wanted: Vec<Wanted>,
        filters: Vec<Arc<dyn ScanFilter>>,
        limit: Option<usize>,
        report: Arc<ScanReport>,
    ) -> Result<Self> {
        let schema = schema_of(&snapshot, &wanted);
        let filters = filters.into_iter().map(|filter| PlannedFilter::new(&snapshot, filter));
        Ok(Self {
            filters: filters.collect::<Result<_>>()?,
            row_starts: RowStarts::default(),
            snapshot,
            wanted,
            schema,
            limit,
            report,
        })
    }

    /// The same scan, with another limit.
    pub(crate) fn with_limit(&self, limit: Option<usize>) -> Self {
        Self {
            snapshot: Arc::clone(&self.snapshot),
            wanted: self.wanted.clone(),
            schema: Arc::clone(&self.schema),
            filters: self.filters.clone(),
            limit,
            report: Arc::clone(&self.report),
            row_starts: RowStarts::default(),
        }
    }

    /// The files that may hold a row that is wanted, in table order.
    pub(crate) fn choose_files(&self) -> Result<Vec<usize>> {
        let all = self.snapshot.files.len();
        let mut keep = vec![true; all];
        for filter in &self.filters {
            let may_match = filter.filter.prune(&self.snapshot.bounds)?;
            // An answer of another length would be about other files.
            if may_match.len() == all {
                keep.iter_mut().zip(may_match).for_each(|(keep, may)| *keep &= may);
            }
        }
        let mut files: Vec<usize> =
            (0..all).filter(|file| keep.get(*file) == Some(&true)).collect();
        ScanReport::add(&self.report.files, all as u64);
        ScanReport::add(&self.report.files_pruned, (all - files.len()) as u64);
        if let (Some(limit), true) = (self.limit, self.filters.is_empty()) {
            files.truncate(files_for(&self.snapshot.files, &files, limit as u64));
        }
        Ok(files)
    }

    /// Cuts files into parts, in table order.
    pub(crate) fn cut(&self, files: &[usize]) -> Vec<Part> {
        let splits = matches!(self.snapshot.reading, Reading::Delta | Reading::Parquet);
        let mut parts = Vec::new();
        for file in files {
            let bytes = self.snapshot.files.get(*file).map_or(0, |file| file.bytes);
            if !splits || bytes <= PART_BYTES {
                parts.push(Part { file: *file, bytes: 0..u64::MAX });
                continue;
            }
            let mut start = 0;
            while start < bytes {
                // The last part takes what a file holds beyond the size that a log gives it.
                let end = if bytes - start <= PART_BYTES { u64::MAX } else { start + PART_BYTES };
                parts.push(Part { file: *file, bytes: start..end });
                start = start.saturating_add(PART_BYTES);
            }
        }
        parts
    }

    /// Gathers parts into partitions, each a contiguous stretch of the table.
    pub(crate) fn partitions(
        &self,
        parts: Vec<Part>,
        order: ScanOrder,
        target: usize,
    ) -> Vec<Vec<Part>> {
        let count = match order {
            ScanOrder::Any => target.max(1),
            ScanOrder::Table => PARTS_MAX,
        };
        if parts.len() <= count {
            return parts.into_iter().map(|part| vec![part]).collect();
        }
        let weights: Vec<u64> = parts.iter().map(|part| self.weight(part)).collect();
        let total: u64 = weights.iter().sum();
        let mut partitions: Vec<Vec<Part>> = vec![Vec::new(); count];
        let mut before = 0_u64;
        for (part, weight) in parts.into_iter().zip(weights) {
            // By the middle of the part, so that a large one does not drag its neighbours along.
            let middle = u128::from(before) * 2 + u128::from(weight);
            let at = (middle * count as u128 / (u128::from(total).max(1) * 2)) as usize;
            if let Some(partition) = partitions.get_mut(at.min(count - 1)) {
                partition.push(part);
            }
            before += weight;
        }
        partitions.retain(|partition| !partition.is_empty());
        partitions
    }

    fn weight(&self, part: &Part) -> u64 {
        let bytes = self.snapshot.files.get(part.file).map_or(0, |file| file.bytes);
        // An open costs something too, however small the file.
        part.bytes.end.min(bytes).saturating_sub(part.bytes.start) + (64 << 10)
    }
}

/// How many of the files hold `limit` rows, going by the rows that are known.
fn files_for(all: &[DataFile], files: &[usize], limit: u64) -> usize {
    let mut rows = 0_u64;
    for (taken, file) in files.iter().enumerate() {
        if rows >= limit {
            return taken;
        }
        rows = rows.saturating_add(all.get(*file).and_then(|file| file.rows).unwrap_or(0));
    }
    files.len()
}
