//! A snapshot as a DataFusion table: turns a projection, filters and a limit into a scan.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Column, Constraints, DFSchema, Statistics};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::columns::{Wanted, row_field};
use super::exec::ScanExec;
use super::expression::ExpressionFilter;
use super::filter::ScanFilter;
use super::in_order::InOrderExec;
use super::plan::ScanPlan;
use super::{ROW_COLUMN, ScanOptions, ScanOrder};
use crate::lake::Snapshot;

/// A snapshot, and how it is to be scanned.
#[derive(Debug)]
pub(super) struct SnapshotTable {
    snapshot: Arc<Snapshot>,
    options: ScanOptions,
    schema: SchemaRef,
}

impl SnapshotTable {
    pub(super) fn new(snapshot: Arc<Snapshot>, options: ScanOptions) -> Self {
        let columns = snapshot.schema.fields();
        // A table may have a column of this name itself, and then that is what the name means.
        let numbered = options.row_column && snapshot.schema.index_of(ROW_COLUMN).is_err();
        let row = numbered.then(|| Arc::new(row_field()));
        let fields: Vec<_> = columns.iter().cloned().chain(row).collect();
        Self { snapshot, options, schema: Arc::new(Schema::new(fields)) }
    }

    fn wanted(&self, projection: Option<&Vec<usize>>) -> Vec<Wanted> {
        let stored = self.snapshot.schema.fields().len();
        let all = || (0..self.schema.fields().len()).collect();
        let positions: Vec<usize> = projection.cloned().unwrap_or_else(all);
        let wanted =
            |position| if position < stored { Wanted::Column(position) } else { Wanted::Row };
        positions.into_iter().map(wanted).collect()
    }

    fn filter_from(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn ScanFilter>>> {
        let Some(all) = conjunction(filters.iter().map(unqualified).collect::<Result<Vec<_>>>()?)
        else {
            return Ok(None);
        };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let expression = state.create_physical_expr(all, &schema)?;
        Ok(Some(Arc::new(ExpressionFilter::new(expression, &self.schema)?)))
    }
}

/// The same expression with columns by their own names: the table has no name inside the scan.
fn unqualified(expression: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let renamed = expression.clone().transform(|node| {
        Ok(match node {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            other => Transformed::no(other),
        })
    });
    Ok(renamed?.data)
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        None
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters are applied exactly, all but those whose answer may differ from call to call.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match filter.is_volatile() || has_subquery(filter) {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Exact,
        };
        Ok(filters.iter().map(support).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        let rows = self.snapshot.rows().and_then(|rows| usize::try_from(rows).ok());
        let rows = rows.map_or(Precision::Absent, Precision::Exact);
        let filtered = self.options.filter.is_some();
        statistics.num_rows = if filtered { rows.to_inexact() } else { rows };
        Some(statistics)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let pushed = self.filter_from(state, filters)?;
        let plan = Arc::new(ScanPlan::new(
            Arc::clone(&self.snapshot),
            self.wanted(projection),
            self.options.filter.iter().cloned().chain(pushed).collect(),
            limit,
            Arc::clone(&self.options.report),
        )?);
        let parts = plan.cut(&plan.choose_files()?);
        let target = state.config().target_partitions();
        let partitions = plan.partitions(parts, self.options.order, target);
        let scan = Arc::new(ScanExec::new(plan, partitions));
        Ok(match self.options.order {
            ScanOrder::Any => scan,
            ScanOrder::Table => Arc::new(InOrderExec::new(scan, limit)),
        })
    }
}

fn has_subquery(expression: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    let is_subquery = |node: &Expr| {
        Ok(matches!(
            node,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::OuterReferenceColumn(..)
        ))
    };
    expression.exists(is_subquery).unwrap_or(true)
}
