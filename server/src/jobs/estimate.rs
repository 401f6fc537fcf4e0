//! What a job will take: told before it begins, from the rows and dimensions that there are and
//! rates that were measured. A guess.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use engine::predicate::Predicate;
use engine::query::{Aggregate, AggregateOp, Query};
use serde::Serialize;
use utoipa::ToSchema;

use super::failure::JobFailure;
use super::load::Load;
use super::onto;
use super::spec::JobSpec;
use super::work::Source;
use crate::query::{Pinned, Queries, pin};

/// What a job is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Estimate {
    pub rows: u64,
    pub dimensions: u64,
    pub seconds: f64,
    /// Of which vectors beyond the budget are in a file.
    pub memory_bytes: u64,
}

/// Works it out. Rows are counted where a filter makes that necessary.
///
/// # Errors
/// Where the table cannot be read, or has no such columns.
pub async fn estimate(queries: &Queries, spec: &JobSpec) -> Result<Estimate, JobFailure> {
    let source = Source::open(queries, spec).await?;
    let rows = count(queries, &source.pinned).await?;
    let dimensions = dimensions(queries, &source).await?;
    let limits = queries.limits();
    let map_rows = source.onto.as_ref().and_then(onto::Map::rows).map(|rows| rows as f64);
    let threads = limits.threads.max(1) as f64;
    let load = Load { n: rows as f64, d: dimensions as f64, threads, map_rows };
    let mut seconds = START + load.n * load.d * 4.0 / READ_BYTES;
    let mut memory = BASE_BYTES + (load.n * load.d * 4.0).min(limits.memory_bytes as f64);
    let mut most_beside = 0.0_f64;
    for step in &spec.steps {
        let (took, beside) = load.of(step, &spec.steps);
        seconds += took;
        most_beside = most_beside.max(beside);
    }
    memory += most_beside;
    Ok(Estimate { rows, dimensions: dimensions as u64, seconds, memory_bytes: memory as u64 })
}

/// Seconds until a process computes, bytes that it has before, and bytes of vectors that are
/// read in a second.
pub(super) const START: f64 = 0.15;
const BASE_BYTES: f64 = 80e6;
const READ_BYTES: f64 = 400e6;

/// How many rows there are, of those that pass the filters.
pub(crate) async fn count(queries: &Queries, pinned: &Pinned) -> Result<u64, JobFailure> {
    let Query { filters, table, .. } = &pinned.query;
    if let (Predicate::And(clauses), Some(rows)) = (filters, pinned.snapshot.rows())
        && clauses.is_empty()
    {
        return Ok(rows);
    }
    let aggregate = Aggregate { op: AggregateOp::Count, column: None, q: None, name: None };
    let query =
        Query { filters: filters.clone(), aggregates: vec![aggregate], ..Query::of_table(table) };
    let count = |batch: &RecordBatch| {
        let column = batch.columns().first()?.as_primitive_opt::<Int64Type>()?;
        (!column.is_empty()).then(|| column.value(0).unsigned_abs())
    };
    Ok(first(queries, query, pinned, count).await?.unwrap_or_default())
}

/// Of a type that says them, or of the first vector there is.
async fn dimensions(queries: &Queries, source: &Source) -> Result<usize, JobFailure> {
    let column = &source.column;
    let schema = source.pinned.snapshot.schema();
    if let Ok(DataType::FixedSizeList(_, size)) =
        schema.field_with_name(column).map(|field| field.data_type())
    {
        return Ok(usize::try_from(*size).unwrap_or_default());
    }
    let present = Predicate::Not(Box::new(Predicate::IsNull { column: column.clone() }));
    let query = Query {
        columns: Some(vec![column.clone()]),
        filters: Predicate::And(vec![present]),
        limit: Some(1),
        ..Query::of_table(&source.pinned.query.table)
    };
    let length = |batch: &RecordBatch| {
        batch.columns().first().filter(|column| !column.is_empty()).map(|c| length(c.as_ref()))
    };
    Ok(first(queries, query, &source.pinned, length).await?.unwrap_or_default())
}

/// What the first row of an answer says, within the limits of any query.
async fn first<T>(
    queries: &Queries,
    query: Query,
    of: &Pinned,
    read: impl Fn(&RecordBatch) -> Option<T>,
) -> Result<Option<T>, JobFailure> {
    let pinned = pin(query, Arc::clone(&of.snapshot))?;
    let collected = queries.collect(vec![pinned], Some(1)).await;
    let collected = collected.map_err(|(_, failure)| failure)?;
    Ok(collected.iter().flat_map(|one| &one.batches).find_map(read))
}

/// Of the first vector.
fn length(vectors: &dyn Array) -> usize {
    match vectors.data_type() {
        DataType::List(_) => vectors.as_list::<i32>().value_length(0).unsigned_abs() as usize,
        DataType::LargeList(_) => vectors.as_list::<i64>().value_length(0).unsigned_abs() as usize,
        _ => 0,
    }
}
