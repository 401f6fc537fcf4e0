//! Queries for groups and aggregates: the engine's grouper on every core, merged at the end.
//!
//! Each partition of the scan feeds a grouper of its own; what it holds is accounted for, batch
//! by batch. The groups are ordered and cut by the engine, too. Groups that are too many for the
//! memory there is are worked out on disk instead.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::ExecutionPlan;
use engine::error::QueryError;
use engine::execute::execute;
use engine::group::Grouper;
use engine::order::Sorter;
use engine::predicate::Predicate;
use engine::query::{Nulls, OrderKey, Query};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::task::JoinSet;

use super::executor::join_failure;
use super::failure::QueryFailure;
use super::filter::filter;
use super::order::Key;
use super::produce::{Batches, Run};
use super::rows::{paged, table_schema};
use super::{order, rows, sample, spill};
use crate::scan::{ScanOptions, ScanOrder};

/// The batches of a query for groups.
pub(super) async fn batches(run: &Run) -> Result<Batches, QueryFailure> {
    let query = &run.pinned.query;
    let table = table_schema(run);
    let grouper = Grouper::new(&query.group_by, &query.aggregates, &table)?;
    check_answer(query, grouper.schema())?;
    let filter = filter(&query.filters, &table)?;
    if query.sample.is_some_and(|sample| sample.rows == 0) {
        return answered(run, grouper, run.reservation("groups"));
    }
    let filter = match query.sample {
        Some(drawn) => sample::filter(run, drawn, filter).await?,
        None => filter,
    };
    let columns: Vec<String> = grouper.columns().into_iter().map(str::to_owned).collect();
    let options = ScanOptions {
        order: ScanOrder::Any,
        filter,
        row_column: true,
        report: Arc::clone(&run.report),
    };
    let scan = run.scan(options.clone(), &columns, None).await?;
    match in_memory(run, scan).await {
        Err(QueryFailure::OutOfMemory { .. }) if !query.group_by.is_empty() => {
            // What was read for nothing is not counted.
            run.report.clear();
            let scan = run.scan(options, &columns, None).await?;
            on_disk(run, scan).await
        }
        done => done,
    }
}

/// All groups at once.
async fn in_memory(run: &Run, scan: Arc<dyn ExecutionPlan>) -> Result<Batches, QueryFailure> {
    let (grouper, reservation) = grouped(run, scan).await?;
    answered(run, grouper, reservation)
}

/// The answer of a grouper that has seen all rows.
fn answered(
    run: &Run,
    grouper: Grouper,
    reservation: MemoryReservation,
) -> Result<Batches, QueryFailure> {
    // The groups are made beside what they are made of.
    reservation.try_resize(grouper.byte_count().saturating_mul(2))?;
    // Groups that are ordered anyway need no sorting by key: the keys settle ties.
    let query = over_groups(&run.pinned.query);
    let groups = match query.order_by.is_empty() {
        true => grouper.finish()?,
        false => grouper.finish_unsorted()?,
    };
    let bytes = groups.get_array_memory_size();
    reservation.try_resize(bytes.saturating_mul(2))?;
    let answer = execute(&query, &groups.schema(), &[groups], 0)?;
    let rows_max = Some(answer.num_rows() as u64);
    let schema = answer.schema();
    // Held as long as there are slices to come.
    let batches = slices(answer).inspect(move |_| {
        let _held = &reservation;
    });
    Ok(Batches { schema, stream: stream::iter(batches).boxed(), rows_max })
}

/// The groups file by file, put in order by DataFusion's sort.
async fn on_disk(run: &Run, scan: Arc<dyn ExecutionPlan>) -> Result<Batches, QueryFailure> {
    let query = &run.pinned.query;
    let spilled = spill::groups(run, scan).await?;
    let schema = spilled.plan.schema();
    let keys = order::check(&query.order_by, &schema)?;
    let ties = schema.fields().iter().take(query.group_by.len());
    let ties: Vec<Key> = ties.map(|field| Key::ascending(field.name())).collect();
    let ordering = order::ordering(keys.iter().chain(&ties), &schema)?;
    let plan = paged(query, &ordering, spilled.plan, false);
    let names = schema.fields().iter().map(|field| field.name().clone());
    let columns = query.columns.clone().unwrap_or_else(|| names.collect());
    let plan = rows::project(plan, &columns)?;
    let schema = plan.schema();
    let mut stream = run.execute(plan)?.map_err(QueryFailure::from).boxed();
    let mut rows_max = None;
    if run.limits.rows.is_some() {
        // The sort has seen every group once its first batch is there.
        let first = stream.next().await;
        let groups = spilled.groups.load(Ordering::Relaxed).saturating_sub(query.offset);
        rows_max = Some(query.limit.map_or(groups, |limit| groups.min(limit)));
        stream = stream::iter(first).chain(stream).boxed();
    }
    Ok(Batches { schema, stream, rows_max })
}

/// What is left of a query once its groups are known: columns, order and page among them.
/// What it orders by is followed by the keys.
fn over_groups(query: &Query) -> Query {
    let mut order_by = query.order_by.clone();
    if !order_by.is_empty() {
        order_by.extend(query.group_by.iter().map(|key| OrderKey {
            column: key.name().to_owned(),
            descending: false,
            nulls: Nulls::Last,
        }));
    }
    Query {
        order_by,
        filters: Predicate::all(),
        group_by: Vec::new(),
        aggregates: Vec::new(),
        sample: None,
        ..query.clone()
    }
}

/// Checks, before anything is read, what is asked of the groups.
fn check_answer(query: &Query, schema: &Schema) -> Result<(), QueryError> {
    let known = |name: &String, field: String| match schema.index_of(name) {
        Ok(_) => Ok(()),
        Err(_) => {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            Err(QueryError::unknown_column(field, name, names))
        }
    };
    for (index, name) in query.columns.iter().flatten().enumerate() {
        known(name, format!("columns[{index}]"))?;
    }
    for (index, key) in query.order_by.iter().enumerate() {
        known(&key.column, format!("order_by[{index}].column"))?;
    }
    Sorter::new(&query.order_by, schema).map(drop)
}

/// A grouper that has seen every partition of the scan, and the memory it stands in.
async fn grouped(
    run: &Run,
    scan: Arc<dyn ExecutionPlan>,
) -> Result<(Grouper, MemoryReservation), QueryFailure> {
    let query = &run.pinned.query;
    let table = table_schema(run);
    let new = || Grouper::new(&query.group_by, &query.aggregates, &table);
    let partitions = scan.properties().output_partitioning().partition_count();
    // Dropped with this future, and all of it stops.
    let mut tasks = JoinSet::new();
    for partition in 0..partitions {
        let mut batches = scan.execute(partition, run.session.task_ctx())?;
        let mut grouper = new()?;
        let reservation = run.reservation("groups");
        tasks.spawn(async move {
            while let Some(batch) = batches.next().await {
                grouper.push(&batch?, None, 0)?;
                reservation.try_resize(grouper.byte_count())?;
            }
            Ok::<_, QueryFailure>((grouper, reservation))
        });
    }
    let mut whole: Option<(Grouper, MemoryReservation)> = None;
    while let Some(done) = tasks.join_next().await {
        let (grouper, partition) = done.map_err(join_failure)??;
        match &mut whole {
            None => whole = Some((grouper, partition)),
            Some((whole, reservation)) => {
                whole.merge(grouper)?;
                reservation.try_resize(whole.byte_count())?;
            }
        }
    }
    Ok(match whole {
        Some(whole) => whole,
        None => (new()?, run.reservation("groups")),
    })
}

/// Rows that are encoded at once.
const SLICE_ROWS: usize = 32 * 1024;

fn slices(groups: RecordBatch) -> impl Iterator<Item = Result<RecordBatch, QueryFailure>> {
    let rows = groups.num_rows();
    let starts = (0..rows).step_by(SLICE_ROWS);
    starts.map(move |start| Ok(groups.slice(start, SLICE_ROWS.min(rows - start))))
}
