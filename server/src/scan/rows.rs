//! Numbers of rows in table order: where each file's rows begin, worked out once per scan and
//! only if a number is asked for.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::builder::Int64Builder;
use datafusion::error::Result;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::part;
use super::plan::{Part, ScanPlan};
use crate::delta::deletion::Deleted;

/// Files whose rows are counted at the same time.
const CONCURRENT_COUNTS: usize = 8;

/// The number of the first row of each file.
#[derive(Debug, Default)]
pub(crate) struct RowStarts(OnceCell<Vec<u64>>);

impl RowStarts {
    /// The number of the first row of a file. Files before it whose rows are not known are
    /// counted, by their footers where they have them.
    pub(crate) async fn of(&self, plan: &Arc<ScanPlan>, file: usize) -> Result<u64> {
        let files = &plan.snapshot.files;
        let known =
            files.iter().take(file).try_fold(0_u64, |sum, file| sum.checked_add(file.rows?));
        if let Some(known) = known {
            return Ok(known);
        }
        let starts = self.0.get_or_try_init(|| count_all(Arc::clone(plan))).await?;
        Ok(starts.get(file).copied().unwrap_or_default())
    }
}

async fn count_all(plan: Arc<ScanPlan>) -> Result<Vec<u64>> {
    let known: Vec<Option<u64>> = plan.snapshot.files.iter().map(|file| file.rows).collect();
    let counts = known.into_iter().enumerate().map(|(position, known)| {
        let plan = Arc::clone(&plan);
        async move {
            match known {
                Some(rows) => Ok(rows),
                None => part::count_rows(plan, Part { file: position, bytes: 0..u64::MAX }).await,
            }
        }
    });
    let counts: Vec<u64> = stream::iter(counts).buffered(CONCURRENT_COUNTS).try_collect().await?;
    let mut next = 0_u64;
    let start = |rows| {
        let start = next;
        next += rows;
        start
    };
    Ok(counts.into_iter().map(start).collect())
}

/// The numbers in the table of rows at these positions in a file, which are ascending.
pub(crate) fn numbers(start: u64, positions: &Int64Array, deleted: Option<&Deleted>) -> Int64Array {
    let start = i64::try_from(start).unwrap_or(i64::MAX);
    let Some(deleted) = deleted else {
        return positions.unary(|position| start.saturating_add(position));
    };
    let mut numbers = Int64Builder::with_capacity(positions.len());
    for position in positions.values() {
        let before = deleted.before(u64::try_from(*position).unwrap_or_default());
        numbers.append_value(start + position - i64::try_from(before).unwrap_or_default());
    }
    numbers.finish()
}

/// Consecutive numbers, for files that are read from their first row to their last.
pub(crate) fn consecutive(start: u64, len: usize) -> Int64Array {
    let start = i64::try_from(start).unwrap_or(i64::MAX);
    Int64Array::from_iter_values((0..len as i64).map(|i| start.saturating_add(i)))
}
