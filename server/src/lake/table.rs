//! A table that was found: gives its versions, and snapshots of them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::path::Path;
use serde::Serialize;

use super::discover::TableSource;
use super::error::LakeError;
use super::files;
use super::format::Format;
use super::snapshot::Snapshot;
use super::source::Lake;
use super::version::{Version, VersionSpec};
use crate::delta::DeltaTable;

/// A table by its name. What it is was found when it was looked up; what is in it is looked at
/// by each call. Keep it for one request.
#[derive(Debug, Clone)]
pub struct Table {
    lake: Arc<Lake>,
    name: String,
    source: TableSource,
}

/// One version in a table's history.
#[derive(Debug, Clone, Serialize)]
pub struct Commit {
    pub version: Version,
    /// When the version was made: the commit's own time where the table keeps it, else its file's.
    pub timestamp: Option<DateTime<Utc>>,
    pub operation: Option<String>,
    /// What the writer said about the operation, as it said it.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub parameters: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub metrics: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// A table's folder.
#[derive(Debug)]
pub struct Beside {
    /// Of the lake, as in messages.
    pub lake: String,
    /// Read-only, and rooted at the lake.
    pub store: Arc<dyn ObjectStore>,
    pub folder: Path,
}

impl Table {
    pub(super) fn new(lake: Arc<Lake>, path: &str, source: TableSource) -> Self {
        let name = lake.table_name(path);
        // A table at the root has the root's name, however it was asked for.
        let at_root = |root: &Path| root.is_root().then(|| lake.table_name(""));
        let name = match &source {
            TableSource::Delta { root } | TableSource::Partitioned { root } => {
                at_root(root).unwrap_or(name)
            }
            TableSource::File { .. } | TableSource::Folder { .. } => name,
        };
        Self { lake, name, source }
    }

    /// The public name, with the lake's prefix if it has one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where files lie that belong to the table and are none of its data.
    pub fn beside(&self) -> Beside {
        let folder = match &self.source {
            TableSource::Delta { root }
            | TableSource::Partitioned { root }
            | TableSource::Folder { root, .. } => root.clone(),
            TableSource::File { file, .. } => file.location.parent().unwrap_or_default(),
        };
        let access = &self.lake.access;
        Beside { lake: access.label.clone(), store: Arc::clone(&access.store), folder }
    }

    /// The format, where it is known before the files are listed.
    pub fn format(&self) -> Option<Format> {
        self.source.format()
    }

    /// The table at a version.
    pub async fn snapshot(&self, version: VersionSpec) -> Result<Arc<Snapshot>, LakeError> {
        match &self.source {
            TableSource::Delta { root } => self.delta(root).snapshot(version).await,
            TableSource::File { format, file } => {
                // What folders a loose file lies in says nothing about it.
                let root = &file.location;
                let files = vec![file.clone()];
                let snapshot = files::open(&self.lake, &self.name, root, *format, files).await?;
                self.check_version(snapshot, version)
            }
            TableSource::Folder { root, format, files } => {
                let files = files.clone();
                let snapshot = files::open(&self.lake, &self.name, root, *format, files).await?;
                self.check_version(snapshot, version)
            }
            TableSource::Partitioned { root } => {
                let (format, files) = files::list_partitioned(&self.lake, &self.name, root).await?;
                let snapshot = files::open(&self.lake, &self.name, root, format, files).await?;
                self.check_version(snapshot, version)
            }
        }
    }

    /// The versions that can be opened, newest first, at most `limit` of them.
    pub async fn versions(&self, limit: Option<usize>) -> Result<Vec<Commit>, LakeError> {
        if let TableSource::Delta { root } = &self.source {
            return self.delta(root).versions(limit).await;
        }
        let snapshot = self.snapshot(VersionSpec::Latest).await?;
        let only = Commit {
            version: snapshot.version(),
            timestamp: snapshot.timestamp(),
            operation: None,
            parameters: serde_json::Map::new(),
            metrics: serde_json::Map::new(),
            engine: None,
            user: None,
        };
        Ok(Some(only).into_iter().take(limit.unwrap_or(1)).collect())
    }

    fn delta<'a>(&'a self, root: &'a Path) -> DeltaTable<'a> {
        DeltaTable { lake: &self.lake, name: &self.name, root }
    }

    /// Files have no history: what is asked for is there now, or no longer.
    fn check_version(
        &self,
        snapshot: Arc<Snapshot>,
        wanted: VersionSpec,
    ) -> Result<Arc<Snapshot>, LakeError> {
        let no_version = |reason: &str| LakeError::NoVersion {
            table: self.name.clone(),
            version: wanted.to_string(),
            reason: reason.to_owned(),
        };
        match wanted {
            VersionSpec::Latest => Ok(snapshot),
            VersionSpec::Exact(version) if version == snapshot.version() => Ok(snapshot),
            VersionSpec::Exact(Version::Files(_)) => Err(LakeError::Gone {
                table: self.name.clone(),
                version: wanted.to_string(),
                reason: format!("its files have changed, they are now {}", snapshot.version()),
            }),
            VersionSpec::Exact(Version::Delta(_) | Version::Between { .. }) => {
                Err(no_version("it is a table of files, which have no numbered versions"))
            }
            VersionSpec::AsOf(time) if snapshot.timestamp().is_some_and(|made| made <= time) => {
                Ok(snapshot)
            }
            VersionSpec::AsOf(_) => Err(no_version("its files are younger, and have no history")),
        }
    }
}
