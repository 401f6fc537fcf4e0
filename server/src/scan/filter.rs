//! Filters that a scan applies itself, and the container statistics they prune by.

use std::fmt;

use arrow_array::{BooleanArray, RecordBatch};
use datafusion::common::pruning::PruningStatistics;
use datafusion::error::Result;

/// A filter that the scan applies exactly, row by row, and uses to skip what cannot match.
///
/// Implemented for the engine's predicates and for DataFusion's expressions; the scan knows
/// neither.
pub trait ScanFilter: fmt::Debug + Send + Sync {
    /// Names of the columns it reads, each once; [`super::ROW_COLUMN`] may be one.
    fn columns(&self) -> &[String];

    /// True where a row passes; false and null do not. `batch` holds the columns of
    /// [`Self::columns`], in that order, in the table's own types.
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray>;

    /// False for each container (file or row group) in which no row can pass; true where unsure.
    ///
    /// Minimum and maximum are bounds rather than values, leave NaN out, and are null where
    /// unknown.
    fn prune(&self, containers: &dyn PruningStatistics) -> Result<Vec<bool>> {
        Ok(vec![true; containers.num_containers()])
    }
}
