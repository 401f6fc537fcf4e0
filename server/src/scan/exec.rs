//! The scan as a DataFusion operator: one partition per stretch of the table.

use std::fmt;
use std::sync::Arc;

use datafusion::common::internal_err;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::part;
use super::plan::{Part, ScanPlan};

/// Reads a snapshot. Its partitions, one after the other, are the table in order.
#[derive(Debug)]
pub struct ScanExec {
    plan: Arc<ScanPlan>,
    partitions: Vec<Vec<Part>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ScanExec {
    pub(crate) fn new(plan: Arc<ScanPlan>, mut partitions: Vec<Vec<Part>>) -> Self {
        if partitions.is_empty() {
            partitions.push(Vec::new());
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&plan.schema)),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { plan, partitions, properties: Arc::new(properties), metrics }
    }

    /// The same scan that reads no more than `limit` rows of each partition.
    pub(crate) fn with_limit(&self, limit: Option<usize>) -> Arc<dyn ExecutionPlan> {
        let plan = Arc::new(self.plan.with_limit(limit));
        Arc::new(Self::new(plan, self.partitions.clone()))
    }

    /// Rows that leave the scan, exact where nothing but the files decides.
    fn rows(&self) -> Precision<usize> {
        let snapshot = &self.plan.snapshot;
        let rows = snapshot.rows().and_then(|rows| usize::try_from(rows).ok());
        let Some(rows) = rows else {
            return Precision::Absent;
        };
        let rows = self.plan.limit.map_or(rows, |limit| rows.min(limit));
        match self.plan.filters.is_empty() {
            true => Precision::Exact(rows),
            false => Precision::Inexact(rows),
        }
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        let columns: Vec<&str> =
            plan.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let (table, version) = (plan.snapshot.table(), plan.snapshot.version());
        write!(f, "ScanExec: table={table}, version={version}, columns=[{}]", columns.join(", "))?;
        write!(f, ", partitions={}", self.partitions.len())?;
        for filter in &plan.filters {
            write!(f, ", filter={:?}", filter.filter)?;
        }
        plan.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("ScanExec has no inputs"),
        }
    }

    /// Limits are of each partition, so only a single one can promise to meet them.
    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        (self.partitions.len() == 1).then(|| self.with_limit(limit))
    }

    fn fetch(&self) -> Option<usize> {
        self.plan.limit.filter(|_| self.partitions.len() == 1)
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.plan.schema);
        if args.partition().is_none() {
            statistics.num_rows = self.rows();
            statistics.column_statistics =
                vec![ColumnStatistics::new_unknown(); self.plan.schema.fields().len()];
        }
        Ok(Arc::new(statistics))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(parts) = self.partitions.get(partition) else {
            return internal_err!(
                "ScanExec has {} partitions, not {partition}",
                self.partitions.len()
            );
        };
        let rows = MetricBuilder::new(&self.metrics).output_rows(partition);
        let plan = Arc::clone(&self.plan);
        let batches = stream::iter(parts.clone())
            .then(move |part| part::open(Arc::clone(&plan), part))
            .try_flatten()
            .inspect_ok(move |batch| rows.add(batch.num_rows()))
            // A store that answers at once would never let anybody else in, nor a cancel.
            .then(|batch| async {
                tokio::task::yield_now().await;
                batch
            });
        let batches = part::limited(batches.boxed(), self.plan.limit);
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.plan.schema), batches)))
    }
}
