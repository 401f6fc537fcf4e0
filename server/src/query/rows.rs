//! Queries for rows: columns of the rows that pass, in table order or in another, or a sample,
//! or a page of them.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use engine::error::QueryError;
use engine::query::Query;
use futures::{StreamExt, TryStreamExt, stream};

use super::failure::QueryFailure;
use super::filter::filter;
use super::order;
use super::produce::{Batches, Run};
use super::sample;
use crate::scan::{ROW_COLUMN, ScanFilter, ScanOptions, ScanOrder};

/// The batches of a query for rows.
pub(super) async fn batches(run: &Run) -> Result<Batches, QueryFailure> {
    let query = &run.pinned.query;
    let table = table_schema(run);
    let columns = output_columns(query, run.pinned.snapshot.schema(), &table)?;
    let order = order::check(&query.order_by, &table)?;
    let filter = filter(&query.filters, &table)?;
    let schema = projected(&table, &columns)?;
    let has_none = query.limit == Some(0) || query.sample.is_some_and(|sample| sample.rows == 0);
    if has_none {
        let stream = stream::empty().boxed();
        return Ok(Batches { schema, stream, rows_max: Some(0) });
    }
    let rows_max = rows_max(run, filter.as_ref()).await?;
    let filter = match query.sample {
        Some(drawn) => sample::filter(run, drawn, filter).await?,
        None => filter,
    };
    let plan = match order.is_empty() {
        true => in_table_order(run, filter, &columns).await?,
        false => in_order(run, filter, &columns, &order).await?,
    };
    let stream = run.execute(plan)?.map_err(QueryFailure::from).boxed();
    Ok(Batches { schema, stream, rows_max })
}

/// The table's columns, and the virtual one after them unless the table has one of its name.
pub(super) fn table_schema(run: &Run) -> SchemaRef {
    let options = ScanOptions { row_column: true, ..ScanOptions::default() };
    run.pinned.snapshot.provider(options).schema()
}

/// The columns of the answer.
fn output_columns(query: &Query, own: &Schema, table: &Schema) -> Result<Vec<String>, QueryError> {
    let Some(wanted) = &query.columns else {
        return Ok(own.fields().iter().map(|field| field.name().clone()).collect());
    };
    for (index, name) in wanted.iter().enumerate() {
        let field = format!("columns[{index}]");
        if table.index_of(name).is_err() {
            let names = table.fields().iter().map(|field| field.name().as_str());
            return Err(QueryError::unknown_column(field, name, names));
        }
        if wanted.iter().take(index).any(|earlier| earlier == name) {
            return Err(QueryError::malformed(field, format!("{name:?} is asked for twice")));
        }
    }
    Ok(wanted.clone())
}

fn projected(schema: &Schema, columns: &[String]) -> Result<SchemaRef, QueryFailure> {
    let fields = columns.iter().map(|name| schema.field_with_name(name).cloned());
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>, _>>()?)))
}

async fn in_table_order(
    run: &Run,
    filter: Option<Arc<dyn ScanFilter>>,
    columns: &[String],
) -> Result<Arc<dyn ExecutionPlan>, QueryFailure> {
    let query = &run.pinned.query;
    let options = ScanOptions {
        order: ScanOrder::Table,
        filter,
        row_column: columns.iter().any(|name| name == ROW_COLUMN),
        report: Arc::clone(&run.report),
    };
    let (skip, fetch) = page(query);
    let scan = run.scan(options, columns, fetch.map(|fetch| fetch.saturating_add(skip))).await?;
    Ok(match (skip, fetch) {
        (0, None) => scan,
        _ => Arc::new(GlobalLimitExec::new(scan, skip, fetch)),
    })
}

/// Pages whose end is nearer than this are kept in a heap; longer ones are sorted whole, which
/// can spill.
const TOP_ROWS_MAX: usize = 100_000;

/// Sorts each partition on its own core and merges them. The row number makes the order total,
/// so that pages join.
async fn in_order(
    run: &Run,
    filter: Option<Arc<dyn ScanFilter>>,
    columns: &[String],
    order: &[order::Key],
) -> Result<Arc<dyn ExecutionPlan>, QueryFailure> {
    let mut read = columns.to_vec();
    let row_column = [ROW_COLUMN.to_owned()];
    for name in order.iter().map(|key| &key.column).chain(&row_column) {
        if !read.contains(name) {
            read.push(name.clone());
        }
    }
    let options = ScanOptions {
        order: ScanOrder::Any,
        filter,
        row_column: true,
        report: Arc::clone(&run.report),
    };
    let scan = run.scan(options, &read, None).await?;
    let row = order::Key::ascending(ROW_COLUMN);
    let ordering = order::ordering(order.iter().chain([&row]), &scan.schema())?;
    project(paged(&run.pinned.query, &ordering, scan, true), columns)
}

/// A query's page of a plan in an order that leaves no ties. Partitions are sorted side by side.
pub(super) fn paged(
    query: &Query,
    ordering: &LexOrdering,
    plan: Arc<dyn ExecutionPlan>,
    in_partitions: bool,
) -> Arc<dyn ExecutionPlan> {
    let (skip, fetch) = page(query);
    let end = fetch.map(|fetch| fetch.saturating_add(skip));
    let top = end.filter(|end| *end <= TOP_ROWS_MAX);
    let sorted = SortExec::new(ordering.clone(), plan).with_preserve_partitioning(in_partitions);
    let sorted = Arc::new(sorted.with_fetch(top));
    let merged = SortPreservingMergeExec::new(ordering.clone(), sorted).with_fetch(end);
    Arc::new(GlobalLimitExec::new(Arc::new(merged), skip, fetch))
}

/// The first columns of a plan, by name.
pub(super) fn project(
    plan: Arc<dyn ExecutionPlan>,
    columns: &[String],
) -> Result<Arc<dyn ExecutionPlan>, QueryFailure> {
    let schema = plan.schema();
    let exprs = columns.iter().map(|name| {
        let column = Column::new_with_schema(name, &schema)?;
        Ok((Arc::new(column) as Arc<dyn PhysicalExpr>, name.clone()))
    });
    let exprs = exprs.collect::<Result<Vec<_>, datafusion::error::DataFusionError>>()?;
    Ok(Arc::new(ProjectionExec::try_new(exprs, plan)?))
}

fn page(query: &Query) -> (usize, Option<usize>) {
    let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    (size(query.offset), query.limit.map(size))
}

/// How many rows the answer has at most; counted where there is a limit to hold and nothing
/// else tells.
async fn rows_max(
    run: &Run,
    filter: Option<&Arc<dyn ScanFilter>>,
) -> Result<Option<u64>, QueryFailure> {
    let query = &run.pinned.query;
    let total = run.pinned.snapshot.rows();
    let asked = [query.limit, query.sample.map(|sample| sample.rows)].into_iter().flatten().min();
    let known = [asked, total].into_iter().flatten().min();
    let Some(limit) = run.limits.rows else { return Ok(known) };
    if known.is_some_and(|rows| rows <= limit) {
        return Ok(known);
    }
    let passing = match (filter, total) {
        (None, Some(total)) => total,
        _ => count(run, filter).await?,
    };
    let rows = passing.saturating_sub(query.offset);
    Ok(Some(asked.map_or(rows, |asked| rows.min(asked))))
}

/// How many rows pass.
async fn count(run: &Run, filter: Option<&Arc<dyn ScanFilter>>) -> Result<u64, QueryFailure> {
    let options = ScanOptions {
        order: ScanOrder::Any,
        filter: filter.cloned(),
        report: Arc::clone(&run.report),
        ..ScanOptions::default()
    };
    let mut batches = run.scan_merged(options, &[], None).await?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        rows += batch?.num_rows() as u64;
    }
    Ok(rows)
}
