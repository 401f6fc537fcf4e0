//! Opens one part of one file, whatever its format, as a stream of the wanted columns with all
//! filters applied.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow_schema::{ArrowError, Fields};
use arrow_select::filter::{filter_record_batch, prep_null_mask_filter};
use datafusion::error::{DataFusionError, Result};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};

use super::columns::{Assembly, Origin, Wanted, origin, schema_of};
use super::guard::Guarded;
use super::plan::{Part, PlannedFilter, ScanPlan};
use super::report::ScanReport;
use super::{arrow_file, csv_file, parquet_file};
use crate::delta::{self, kernel::panic_text};
use crate::lake::error::{BadTable, LakeError};
use crate::lake::snapshot::{DataFile, Reading, Snapshot};

/// Batches on their way out of a scan.
pub(crate) type Batches = BoxStream<'static, Result<RecordBatch>>;

/// Opens a part. The stream ends early once the plan's limit is met.
pub(crate) async fn open(plan: Arc<ScanPlan>, part: Part) -> Result<Batches> {
    let Some(file) = plan.snapshot.files.get(part.file).cloned() else {
        return Ok(futures::stream::empty().boxed());
    };
    let limit = plan.limit;
    let report = Arc::clone(&plan.report);
    let fault = fault_of(&plan.snapshot, &file);
    let snapshot = Arc::clone(&plan.snapshot);
    let opened = AssertUnwindSafe(open_format(plan, part, file)).catch_unwind().await;
    let opened = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return explained(snapshot, error).await,
        Err(panic) => return Err(fault(panic_text(panic.as_ref()))),
    };
    let batches = Guarded::new(opened, fault);
    let batches = batches.or_else(move |error| explained(Arc::clone(&snapshot), error));
    let batches = batches.inspect_ok(move |batch| {
        ScanReport::add(&report.rows_out, batch.num_rows() as u64);
    });
    Ok(limited(batches.boxed(), limit))
}

async fn open_format(plan: Arc<ScanPlan>, part: Part, file: DataFile) -> Result<Batches> {
    match &plan.snapshot.reading {
        Reading::Delta | Reading::Parquet => parquet_file::open(plan, part, file).await,
        Reading::Csv { dialect, columns } => {
            let (dialect, columns) = (*dialect, Arc::clone(columns));
            csv_file::open(plan, part.file, file, dialect, columns).await
        }
        Reading::Arrow => arrow_file::open(plan, part.file, file).await,
    }
}

/// A file that is missing from a version which is not the newest was vacuumed: then it is the
/// version that is gone, and nothing is wrong with the table.
async fn explained<T>(snapshot: Arc<Snapshot>, error: DataFusionError) -> Result<T> {
    let missing = matches!(
        LakeError::find(&error),
        Some(LakeError::Bad { problem: BadTable::MissingFile { .. }, .. })
    );
    if missing && snapshot.reading == Reading::Delta && delta::has_newer(&snapshot).await {
        return Err(external(LakeError::Gone {
            table: snapshot.table.clone(),
            version: snapshot.version.to_string(),
            reason: "files of it were vacuumed".to_owned(),
        }));
    }
    Err(error)
}

/// Rows that a scan of a part would find, without its filters.
///
/// Boxed, because opening a part may have to count the rows of others.
pub(crate) fn count_rows(plan: Arc<ScanPlan>, part: Part) -> BoxFuture<'static, Result<u64>> {
    async move {
        let (snapshot, report) = (Arc::clone(&plan.snapshot), Arc::clone(&plan.report));
        let bare = ScanPlan::new(snapshot, Vec::new(), Vec::new(), None, report)?;
        if let Some(rows) = parquet_file::count_rows(&bare, &part).await? {
            return Ok(rows);
        }
        let batches = open(Arc::new(bare), part).await?;
        batches.try_fold(0, |rows, batch| async move { Ok(rows + batch.num_rows() as u64) }).await
    }
    .boxed()
}

/// What a panic while this file is read says about the table.
fn fault_of(snapshot: &Snapshot, file: &DataFile) -> impl Fn(String) -> DataFusionError + use<> {
    let (table, file) = (snapshot.table.clone(), file.path.to_string());
    move |reason| {
        let problem = BadTable::DecoderPanic { file: file.clone(), reason };
        external(LakeError::bad(table.clone(), problem))
    }
}

/// A lake's error as DataFusion carries it; [`LakeError::find`] finds it again.
pub(crate) fn external(error: LakeError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A file that does not decode to what it promised.
pub(crate) fn corrupt(
    snapshot: &Snapshot,
    file: &DataFile,
    reason: impl ToString,
) -> DataFusionError {
    let (file, reason) = (file.path.to_string(), reason.to_string());
    external(LakeError::bad(snapshot.table.clone(), BadTable::CorruptFile { file, reason }))
}

/// Ends right behind the batch that meets the limit: no further one is asked for.
pub(crate) fn limited(batches: Batches, limit: Option<usize>) -> Batches {
    let Some(limit) = limit else {
        return batches;
    };
    let state = Some((batches, limit)).filter(|(_, limit)| *limit > 0);
    futures::stream::unfold(state, |state| async move {
        let (mut batches, left) = state?;
        match batches.next().await? {
            Ok(batch) => {
                let take = batch.num_rows().min(left);
                let rest = Some((batches, left - take)).filter(|(_, left)| *left > 0);
                Some((Ok(batch.slice(0, take)), rest))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

/// Turns decoded batches of one file into wanted ones: assembles, filters, projects.
#[derive(Debug)]
pub(crate) struct Finish {
    /// The wanted columns, then those that only filters read.
    assembly: Assembly,
    wanted: usize,
    filters: Vec<(PlannedFilter, Vec<usize>)>,
}

impl Finish {
    /// Plans the end of a part's way; fails where a stored column cannot become the table's.
    pub(crate) fn new(
        plan: &ScanPlan,
        file: &DataFile,
        stored: &Fields,
        filters: Vec<PlannedFilter>,
    ) -> Result<Self> {
        let mut columns = plan.wanted.clone();
        let mut places = Vec::new();
        for filter in filters {
            let place = |wanted: &Wanted| match columns.iter().position(|column| column == wanted) {
                Some(at) => at,
                None => {
                    columns.push(*wanted);
                    columns.len() - 1
                }
            };
            let at = filter.wanted.iter().map(place).collect::<Vec<_>>();
            places.push((filter, at));
        }
        let origins = origins(plan, file, stored, &columns)?;
        let schema = schema_of(&plan.snapshot, &columns);
        let assembly = Assembly::new(schema, origins);
        Ok(Self { assembly, wanted: plan.wanted.len(), filters: places })
    }

    pub(crate) fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// Whether every decoded row passes, so that counting decoded rows counts wanted ones.
    pub(crate) fn is_exact(&self) -> bool {
        self.filters.is_empty()
    }

    /// The wanted columns of the rows that pass.
    pub(crate) fn finish(
        &self,
        decoded: &RecordBatch,
        rows: Option<&Int64Array>,
    ) -> Result<RecordBatch> {
        let mut batch = self.assembly.assemble(decoded, rows)?;
        for (filter, places) in &self.filters {
            let mask = evaluate(filter, &batch.project(places)?)?;
            batch = filter_record_batch(&batch, &mask)?;
        }
        let wanted: Vec<usize> = (0..self.wanted).collect();
        Ok(batch.project(&wanted)?)
    }
}

/// Where columns come from in one file.
pub(crate) fn origins(
    plan: &ScanPlan,
    file: &DataFile,
    stored: &Fields,
    wanted: &[Wanted],
) -> Result<Vec<Origin>> {
    let one = |wanted: &Wanted| {
        origin(&plan.snapshot, file, stored, *wanted).map_err(|mismatch| {
            let column = mismatch.column.clone();
            let reason = format!("{mismatch}, in file {:?}", file.path.as_ref());
            external(LakeError::bad(
                plan.snapshot.table.clone(),
                BadTable::Column { column, reason },
            ))
        })
    };
    wanted.iter().map(one).collect()
}

/// A filter's answer without nulls: a row of which it is unknown whether it passes does not.
pub(crate) fn evaluate(filter: &PlannedFilter, batch: &RecordBatch) -> Result<BooleanArray> {
    let mask = filter.filter.evaluate(batch)?;
    if mask.len() != batch.num_rows() {
        let reason = format!("a filter answered {} of {} rows", mask.len(), batch.num_rows());
        return Err(ArrowError::ComputeError(reason).into());
    }
    Ok(if mask.null_count() > 0 { prep_null_mask_filter(&mask) } else { mask })
}
