//! Rows put into order, a step at a time: blocks go into a sorter, and are sorted then.

use engine::error::QueryError;
use engine::order::{Sorter, Sorting};
use engine::query::OrderKey;

use crate::worker::resident::{BLOCK_ROWS, Resident};

/// Rows that are sorted between two looks at what else has come in.
const SORTED_A_STEP: usize = 1 << 18;

/// The first rows of a table on their way into order.
pub struct RowSort {
    columns: Vec<String>,
    rows: usize,
    stage: Stage,
}

enum Stage {
    /// Blocks from the one named on go into the sorter.
    Collect(Sorter, usize),
    Sort(Sorting),
}

/// What a step made of it.
pub enum Sorted {
    Partly(RowSort),
    Whole(Sorting),
}

impl RowSort {
    pub fn new(keys: &[OrderKey], rows: usize, resident: &Resident) -> Result<Self, String> {
        let columns: Vec<String> = keys.iter().map(|key| key.column.clone()).collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let sorter = Sorter::new(keys, &resident.schema_of(&names)).map_err(said)?;
        Ok(Self { columns, rows, stage: Stage::Collect(sorter, 0) })
    }

    pub fn step(mut self, resident: &Resident) -> Result<Sorted, String> {
        self.stage = match self.stage {
            Stage::Collect(mut sorter, block) => {
                let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
                let n_left = self.rows.saturating_sub(block * BLOCK_ROWS);
                match resident.block(&names, block).filter(|_| n_left > 0) {
                    Some(batch) => {
                        let batch = batch.slice(0, batch.num_rows().min(n_left));
                        sorter.push(&batch, (block * BLOCK_ROWS) as u64).map_err(said)?;
                        Stage::Collect(sorter, block + 1)
                    }
                    None => Stage::Sort(sorter.into_sorting().map_err(said)?),
                }
            }
            Stage::Sort(mut sorting) => match sorting.step(SORTED_A_STEP) {
                true => return Ok(Sorted::Whole(sorting)),
                false => Stage::Sort(sorting),
            },
        };
        Ok(Sorted::Partly(self))
    }
}

fn said(error: QueryError) -> String {
    error.kind.to_string()
}
