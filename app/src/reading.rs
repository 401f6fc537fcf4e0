//! What the data worker and the reader of files (package `reader`) say to each other. Bytes of
//! the stream travel beside, as buffers; each is asked for, so that no more than one waits. Pure.

use engine::query::Version;
use serde::{Deserialize, Serialize};

use crate::protocol::{ColumnInfo, VersionInfo};

/// The rows of the file, in the metadata of the stream's schema.
pub const TOTAL_ROWS: &str = "limn.total_rows";

/// Data worker → reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Of files the `File`s travel beside, in an array. Answered by [`Tell::Opened`].
    Open { place: Place, version: Option<Version> },
    /// Columns in this order. Answered by bytes.
    Read { columns: Vec<String> },
    /// The next bytes.
    Next,
    /// Rows that travel beside, as the bytes of an Arrow stream, as a file: Parquet, or Arrow's own.
    /// Answered by bytes.
    Write { is_parquet: bool },
}

/// Where a table lies that no companion has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Paths of files: one, or those of a folder.
    Files(Vec<String>),
    Address(String),
}

/// Reader → data worker, where it is not bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    Opened(Box<Opened>),
    /// How much of a text has been looked at for the types of its columns.
    Looking {
        bytes: u64,
        total: u64,
    },
    Done,
    Failed {
        detail: String,
        is_unreachable: bool,
    },
    /// Its script did not start.
    Panicked {
        text: String,
    },
}

/// What was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub format: String,
    /// Of a Delta table its number; of a file at an address a hash of what tells its states
    /// apart, if anything does.
    pub version: Option<Version>,
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
    pub uid: String,
    pub columns: Vec<ColumnInfo>,
    pub versions: Vec<VersionInfo>,
    /// What the user should know.
    pub notices: Vec<String>,
}
