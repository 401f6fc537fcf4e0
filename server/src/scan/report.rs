//! Counts what a scan read and what it skipped, while it runs: "read 3 of 214 files".

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counters of one scan, or of several that answer one request. Shared while they run.
#[derive(Debug, Default)]
pub struct ScanReport {
    pub(crate) files: AtomicU64,
    pub(crate) files_pruned: AtomicU64,
    pub(crate) files_read: AtomicU64,
    pub(crate) row_groups: AtomicU64,
    pub(crate) row_groups_pruned: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
    pub(crate) rows_decoded: AtomicU64,
    pub(crate) rows_out: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ScanCounts {
    /// Files of the snapshots that were scanned.
    pub files: u64,
    /// Files skipped by statistics or partition values, without being opened.
    pub files_pruned: u64,
    /// Files of which data was read.
    pub files_read: u64,
    /// Row groups in the files that were opened.
    pub row_groups: u64,
    pub row_groups_pruned: u64,
    /// Bytes fetched from the store, footers included.
    pub bytes_read: u64,
    /// Rows decoded, before the filter.
    pub rows_decoded: u64,
    /// Rows that left the scan.
    pub rows_out: u64,
}

impl ScanReport {
    /// What has been counted so far.
    pub fn counts(&self) -> ScanCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ScanCounts {
            files: read(&self.files),
            files_pruned: read(&self.files_pruned),
            files_read: read(&self.files_read),
            row_groups: read(&self.row_groups),
            row_groups_pruned: read(&self.row_groups_pruned),
            bytes_read: read(&self.bytes_read),
            rows_decoded: read(&self.rows_decoded),
            rows_out: read(&self.rows_out),
        }
    }

    /// Counts anew, for a scan that is done again.
    pub(crate) fn clear(&self) {
        for counter in [
            &self.files,
            &self.files_pruned,
            &self.files_read,
            &self.row_groups,
            &self.row_groups_pruned,
            &self.bytes_read,
            &self.rows_decoded,
            &self.rows_out,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}
