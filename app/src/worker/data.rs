//! What the worker holds: the resident columns, or the name of a table that the companion
//! answers for. Its epoch tells work in progress that what it read is no longer there.

use crate::protocol::{ColumnInfo, TableInfo};
use crate::worker::resident::Resident;

#[derive(Debug, Default)]
pub struct Data {
    pub resident: Option<Resident>,
    pub remote: Option<Remote>,
    epoch: u64,
}

/// A table that does not fit this browser.
#[derive(Debug, Clone)]
pub struct Remote {
    pub table: TableInfo,
    pub columns: Vec<ColumnInfo>,
}

impl Data {
    /// Changes when rows that were there are no longer, or are others.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// To be called with every change that takes rows away.
    pub fn renew(&mut self) {
        self.epoch += 1;
    }

    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }
}
