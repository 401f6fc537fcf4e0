//! A Delta table in a folder of which only files by name can be had, as on any static host:
//! the log from its last checkpoint on, commit after commit until there is none. Nothing is
//! listed, so a newer commit is found by asking for it. Pure: the files come from a [`Folder`].

pub mod action;
pub mod deletion;
pub mod log;
pub mod rows;
pub mod schema;

use std::collections::BTreeMap;

use arrow_schema::SchemaRef;

use super::stream::ReadError;
use deletion::Descriptor;
use schema::Physical;

/// A table at one version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub version: u64,
    /// Delta's own id of the table.
    pub id: String,
    pub schema: SchemaRef,
    /// How each column is found in the files, in the order of the schema.
    pub physical: Vec<Physical>,
    pub partition_columns: Vec<String>,
    /// In table order: by path.
    pub files: Vec<DataFile>,
    /// Versions that can be read, newest first.
    pub history: Vec<Commit>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Relative to the table's folder, decoded.
    pub path: String,
    pub bytes: u64,
    /// Rows in the file, deleted ones taken off; none where only the file tells.
    pub rows: Option<u64>,
    /// By physical name.
    pub partition: BTreeMap<String, Option<String>>,
    pub deletion: Option<Descriptor>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub version: u64,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
    pub operation: Option<String>,
}

impl Snapshot {
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.rows?))
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }
}

/// The log is there and says what cannot be.
pub fn corrupt(reason: impl std::fmt::Display) -> ReadError {
    ReadError::Bad(format!("the Delta log is damaged: {reason}"))
}

#[cfg(test)]
mod tests;
