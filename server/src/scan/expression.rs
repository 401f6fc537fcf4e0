//! DataFusion's expressions as filters of a scan, with DataFusion's own semantics.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use datafusion::common::Column;
use datafusion::common::pruning::PruningStatistics;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::scalar::ScalarValue;

use super::filter::ScanFilter;

/// A boolean expression over the columns of a table.
#[derive(Debug)]
pub struct ExpressionFilter {
    columns: Vec<String>,
    expression: Arc<dyn PhysicalExpr>,
    pruner: Option<PruningPredicate>,
}

impl ExpressionFilter {
    /// A filter from an expression that is bound to `schema`.
    pub fn new(expression: Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Result<Self> {
        let mut columns: Vec<_> = collect_columns(&expression).into_iter().collect();
        columns.sort_by_key(|column| column.index());
        let fields = columns.iter().map(|column| schema.fields().get(column.index()).cloned());
        let fields: Option<Vec<_>> = fields.collect();
        let fields = fields.ok_or_else(|| {
            DataFusionError::Internal(
                "a filter reads a column that the table does not have".to_owned(),
            )
        })?;
        let names = fields.iter().map(|field| field.name().clone()).collect();
        // An expression that cannot prune is still a filter.
        let pruner = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(schema))
            .try_build(Arc::clone(&expression))
            .ok();
        Ok(Self {
            columns: names,
            expression: reassign_expr_columns(expression, &Schema::new(fields))?,
            pruner: pruner.filter(|pruner| !pruner.always_true()),
        })
    }
}

impl ScanFilter for ExpressionFilter {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let value = self.expression.evaluate(batch)?.into_array(batch.num_rows())?;
        value.as_boolean_opt().cloned().ok_or_else(|| {
            DataFusionError::Plan(format!("a filter must be boolean, not {}", value.data_type()))
        })
    }

    fn prune(&self, containers: &dyn PruningStatistics) -> Result<Vec<bool>> {
        match &self.pruner {
            Some(pruner) => pruner.prune(&NoFloats(containers)),
            None => Ok(vec![true; containers.num_containers()]),
        }
    }
}

/// Bounds without those of floats. They leave NaN out, which DataFusion's comparisons put at
/// the ends of the order: a row of NaN could pass where the bounds say that none does.
struct NoFloats<'a>(&'a dyn PruningStatistics);

fn unless_float(array: ArrayRef) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => None,
        _ => Some(array),
    }
}

impl PruningStatistics for NoFloats<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.0.min_values(column).and_then(unless_float)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.0.max_values(column).and_then(unless_float)
    }

    fn num_containers(&self) -> usize {
        self.0.num_containers()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        self.0.null_counts(column)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        self.0.row_counts()
    }

    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        self.0.contained(column, values)
    }
}
