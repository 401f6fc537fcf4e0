//! The scan of a snapshot: files to ordered batches, with only what is asked for read.
//!
//! A [`crate::lake::Snapshot`] becomes a DataFusion table by [`Snapshot::provider`]. The scan
//! reads needed columns only, skips files and row groups by their statistics, filters exactly by a
//! [`ScanFilter`], numbers rows in table order (the virtual column [`ROW_COLUMN`]), and keeps
//! that order. It knows DataFusion's traits, and nothing of HTTP or of queries.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use crate::lake::Snapshot;

mod arrow_file;
pub(crate) mod bounds;
mod chunks;
mod columns;
mod csv_file;
mod exec;
mod expression;
pub mod filter;
mod guard;
mod in_order;
mod parquet_file;
mod part;
pub(crate) mod physical;
mod plan;
mod predicate;
mod provider;
pub mod report;
mod reshape;
mod row_groups;
mod rows;

pub use exec::ScanExec;
pub use expression::ExpressionFilter;
pub use filter::ScanFilter;
pub use in_order::InOrderExec;
pub use predicate::PredicateFilter;
pub use report::{ScanCounts, ScanReport};
pub(crate) use row_groups::footer_bounds;

/// The virtual column: the row's number in table order from 0, deleted rows not counted.
pub const ROW_COLUMN: &str = "_row";

/// How a scan is to be done. The default reads everything in table order.
#[derive(Debug, Clone, Default)]
pub struct ScanOptions {
    pub order: ScanOrder,
    /// Applied exactly, before anything else sees a row.
    pub filter: Option<Arc<dyn ScanFilter>>,
    /// Whether the table has the virtual column [`ROW_COLUMN`], after all others.
    pub row_column: bool,
    /// Counts what the scan reads and skips, for whoever keeps a handle on it.
    pub report: Arc<ScanReport>,
}

/// The order in which rows leave the scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanOrder {
    /// One partition in table order; files and row groups are still decoded side by side.
    #[default]
    Table,
    /// As many partitions as the session has, each a contiguous part of the table.
    Any,
}

/// All columns of one file of a snapshot, its deleted rows left out.
pub(crate) async fn read_file(
    snapshot: Arc<Snapshot>,
    file: usize,
) -> datafusion::error::Result<part::Batches> {
    let wanted = (0..snapshot.schema.fields().len()).map(columns::Wanted::Column).collect();
    let report = Arc::new(ScanReport::default());
    let plan = plan::ScanPlan::new(snapshot, wanted, Vec::new(), None, report)?;
    part::open(Arc::new(plan), plan::Part { file, bytes: 0..u64::MAX }).await
}

impl Snapshot {
    /// The snapshot as a DataFusion table.
    pub fn provider(self: &Arc<Self>, options: ScanOptions) -> Arc<dyn TableProvider> {
        Arc::new(provider::SnapshotTable::new(Arc::clone(self), options))
    }
}
