//! The columns in memory: each in blocks of equal size, so that columns of different loads
//! line up, and growing while it arrives. The slice that every view of the worker reads.
//! Pure.

pub mod column;
mod words;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use engine::query::Version;

use crate::protocol::Origin;
use column::Column;

/// Rows of a block. Whole words of a mask, and what a step of work takes a share of.
pub const BLOCK_ROWS: usize = 1 << 16;

/// The table whose columns are here, at one version.
#[derive(Debug)]
pub struct Resident {
    pub table: String,
    pub version: Option<Version>,
    /// What tells the table from others of its name.
    pub uid: String,
    pub origin: Origin,
    /// As far as it is known before all of it is here.
    pub rows_total: Option<u64>,
    columns: Vec<Column>,
    /// The columns that the load that is going on brings.
    coming: Vec<String>,
}

impl Resident {
    pub fn new(table: String, version: Option<Version>, uid: String, origin: Origin) -> Self {
        let (columns, coming) = (Vec::new(), Vec::new());
        Self { table, version, uid, origin, rows_total: None, columns, coming }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == name)
    }

    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name() == name)
    }

    /// Puts a column in, for the one of its name if there was one.
    pub fn insert(&mut self, column: Column) {
        self.remove(column.name());
        self.columns.push(column);
    }

    pub fn remove(&mut self, name: &str) {
        self.columns.retain(|column| column.name() != name);
    }

    /// These columns are on their way, and no others.
    pub fn set_coming(&mut self, names: Vec<String>) {
        self.coming = names;
    }

    /// Whether nothing is here yet of one of these columns that is on its way.
    pub fn awaits<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().any(|name| {
            self.coming.iter().any(|coming| coming == name) && self.column(name).is_none()
        })
    }

    /// Rows that are here of every one of these columns; of a column that is not, none.
    pub fn rows_of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> usize {
        let rows = names.into_iter().map(|name| self.column(name).map_or(0, Column::rows));
        rows.min().unwrap_or_else(|| self.rows())
    }

    /// Rows of the column of which most is here.
    pub fn rows(&self) -> usize {
        self.columns.iter().map(Column::rows).max().unwrap_or_default()
    }

    /// Whether all of these columns are here whole.
    pub fn is_complete<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().all(|name| self.column(name).is_some_and(Column::is_complete))
    }

    /// The bytes of all columns.
    pub fn bytes(&self) -> u64 {
        self.columns.iter().map(|column| column.bytes() as u64).sum()
    }

    /// The schema of some columns as they are kept here, for binding predicates.
    pub fn schema_of(&self, names: &[&str]) -> SchemaRef {
        let columns = names.iter().filter_map(|name| self.column(name));
        let fields: Vec<_> = columns.map(Column::field).collect();
        Arc::new(Schema::new(fields))
    }

    /// One block of some columns; `None` where it is not here of all of them.
    pub fn block(&self, names: &[&str], index: usize) -> Option<RecordBatch> {
        let mut arrays = Vec::with_capacity(names.len());
        for name in names {
            arrays.push(Arc::clone(self.column(name)?.blocks().get(index)?));
        }
        RecordBatch::try_new(self.schema_of(names), arrays).ok()
    }
}

/// How many blocks hold so many rows.
pub fn n_blocks(rows: usize) -> usize {
    rows.div_ceil(BLOCK_ROWS)
}

#[cfg(test)]
mod tests;
