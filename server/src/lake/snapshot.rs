//! A table pinned at one version: its schema and its files, immutable once opened.
//! Says what there is to read; [`crate::scan`] reads it.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::scalar::ScalarValue;
use object_store::path::Path;

use super::format::Format;
use super::source::Access;
use super::version::Version;
use crate::delta::deletion::DeletionVector;
use crate::scan::bounds::FileBounds;
use crate::scan::physical::PhysicalField;

/// A table at one version. Everything in it stays true for ever, so it is shared and cached.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) table: String,
    pub(crate) access: Arc<Access>,
    /// The folder of a Delta table; of files, the folder that holds them.
    pub(crate) root: Path,
    pub(crate) format: Format,
    pub(crate) version: Version,
    pub(crate) uid: String,
    pub(crate) timestamp: Option<DateTime<Utc>>,
    pub(crate) schema: SchemaRef,
    /// Columns whose values stand in paths or in the log, in the order of [`DataFile::partition`].
    pub(crate) partition_columns: Vec<String>,
    /// How each logical column is found in a file, in the order of `schema`.
    pub(crate) physical: Vec<PhysicalField>,
    pub(crate) files: Vec<DataFile>,
    pub(crate) bounds: FileBounds,
    pub(crate) reading: Reading,
}

/// What a format needs to know to read its files.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    /// Parquet whose log says what the columns are.
    Delta,
    /// Parquet that speaks for itself.
    Parquet,
    /// Text of these columns, in the file's order.
    Csv {
        dialect: super::csv::CsvDialect,
        columns: SchemaRef,
    },
    Arrow,
}

/// One file of a snapshot, in table order.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// The path in the lake.
    pub path: Path,
    pub bytes: u64,
    pub modified: Option<DateTime<Utc>>,
    pub e_tag: Option<String>,
    /// Rows that a scan finds, deleted ones taken off; none where only a scan would tell.
    pub rows: Option<u64>,
    /// Values of the snapshot's partition columns, typed; null where the value is null.
    pub partition: Vec<ScalarValue>,
    pub(crate) deletion: Option<DeletionVector>,
}

impl Snapshot {
    /// The table's public name, with the lake's prefix if it has one.
    pub fn table(&self) -> &str {
        &self.table
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Delta's `metaData.id`, else the version's fingerprint: never the same for two tables.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// When the version was made: the commit's time, or the newest file's.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.timestamp
    }

    /// The logical columns, partition columns included; no virtual ones.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn partition_columns(&self) -> &[String] {
        &self.partition_columns
    }

    /// The files in table order.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// Exact number of rows, or none where only a scan would tell.
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.rows?))
    }

    /// Bytes of the files, as stored.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The same table and version with other files.
    pub(crate) fn with_files(&self, files: Vec<DataFile>, bounds: FileBounds) -> Self {
        Self {
            table: self.table.clone(),
            access: Arc::clone(&self.access),
            root: self.root.clone(),
            format: self.format,
            version: self.version,
            uid: self.uid.clone(),
            timestamp: self.timestamp,
            schema: Arc::clone(&self.schema),
            partition_columns: self.partition_columns.clone(),
            physical: self.physical.clone(),
            files,
            bounds,
            reading: self.reading.clone(),
        }
    }

    /// Rough size in memory, for the bound of the cache that keeps it.
    pub(crate) fn memory_bytes(&self) -> usize {
        let files: usize = self
            .files
            .iter()
            .map(|file| {
                size_of::<DataFile>()
                    + file.path.as_ref().len()
                    + file.deletion.as_ref().map_or(0, DeletionVector::memory_bytes)
                    + file.partition.len() * size_of::<ScalarValue>()
            })
            .sum();
        files + self.bounds.memory_bytes() + self.schema.fields().len() * 256
    }
}

/// The same schema without metadata at any level, which the writers' own tools leave behind
/// and which no reader of ours needs.
pub(crate) fn bare_schema(schema: &Schema) -> Schema {
    Schema::new(
        schema
            .fields()
            .iter()
            .map(|field| crate::scan::physical::bare_field(field))
            .collect::<Vec<_>>(),
    )
}
