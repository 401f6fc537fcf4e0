//! The history of a Delta table: what each version's commit says about itself, and which version
//! was the newest at a time.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use delta_kernel::KernelError;
use delta_kernel::history_manager::error::{LogHistoryError, NearestTimestamp};
use delta_kernel::history_manager::{HistoryCommitType, latest_version_as_of};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectMeta};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::kernel::{self, ROOT, TableEngine};
use super::log::{self, Absent, LogListing};
use super::{DeltaTable, open};
use crate::lake::Commit;
use crate::lake::error::LakeError;
use crate::lake::version::Version;

/// Commits read at the same time.
const CONCURRENT_COMMITS: usize = 16;

/// The part of a commit in which its own description is looked for; a commit of many files
/// may be large, and its description comes first.
const COMMIT_HEAD_BYTES: u64 = 1 << 20;

/// Versions listed where no limit is asked for.
const VERSIONS_MAX: usize = 10_000;

/// A line of a commit, as far as the history needs it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitLine {
    commit_info: Option<CommitInfo>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CommitInfo {
    in_commit_timestamp: Option<i64>,
    operation: Option<String>,
    operation_parameters: Option<Map<String, Value>>,
    operation_metrics: Option<Map<String, Value>>,
    engine_info: Option<String>,
    user_name: Option<String>,
}

pub(super) async fn versions(
    table: &DeltaTable<'_>,
    limit: Option<usize>,
) -> Result<Vec<Commit>, LakeError> {
    let listing = log::list(table.store(), table.root).await;
    let listing = listing.map_err(|error| table.store_error(error))?;
    let newest = listing.latest().map(|latest| listing.check(latest));
    match newest {
        None => return Err(table.bad(Absent::Empty.as_fault())),
        Some(Err(absent)) => return Err(table.bad(absent.as_fault())),
        Some(Ok(())) => {}
    }
    let limit = limit.unwrap_or(VERSIONS_MAX).min(VERSIONS_MAX);
    let one = |version| one_version(table, &listing, version).boxed();
    let reads: Vec<BoxFuture<'_, _>> =
        listing.readable().into_iter().take(limit).map(one).collect();
    stream::iter(reads).buffered(CONCURRENT_COMMITS).try_collect().await
}

async fn one_version(
    table: &DeltaTable<'_>,
    listing: &LogListing,
    version: u64,
) -> Result<Commit, LakeError> {
    match listing.commits.get(&version) {
        Some(meta) => read_commit(table, version, meta).await,
        None => {
            let checkpoint = listing.checkpoints.get(&version);
            Ok(undescribed(version, checkpoint.map(|meta| meta.last_modified)))
        }
    }
}

async fn read_commit(
    table: &DeltaTable<'_>,
    version: u64,
    meta: &ObjectMeta,
) -> Result<Commit, LakeError> {
    let head = GetOptions {
        range: Some(GetRange::Bounded(0..meta.size.min(COMMIT_HEAD_BYTES))),
        ..GetOptions::default()
    };
    let bytes = match meta.size {
        0 => Bytes::new(),
        _ => {
            let read = async { table.store().get_opts(&meta.location, head).await?.bytes().await };
            read.await.map_err(|error| table.store_error(error))?
        }
    };
    let info = bytes
        .split(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice::<CommitLine>(line).ok()?.commit_info);
    let info = info.unwrap_or_default();
    let in_commit = info.in_commit_timestamp.and_then(DateTime::from_timestamp_millis);
    Ok(Commit {
        version: Version::Delta(version),
        timestamp: in_commit.or(Some(meta.last_modified)),
        operation: info.operation,
        parameters: info.operation_parameters.unwrap_or_default(),
        metrics: info.operation_metrics.unwrap_or_default(),
        engine: info.engine_info,
        user: info.user_name,
    })
}

fn undescribed(version: u64, timestamp: Option<DateTime<Utc>>) -> Commit {
    Commit {
        version: Version::Delta(version),
        timestamp,
        operation: None,
        parameters: Map::new(),
        metrics: Map::new(),
        engine: None,
        user: None,
    }
}

impl DeltaTable<'_> {
    /// The newest version that is not younger than a time.
    pub(super) async fn version_at(&self, time: DateTime<Utc>) -> Result<u64, LakeError> {
        let store = Arc::clone(self.lake.store());
        let root = self.root.clone();
        let millis = time.timestamp_millis();
        let found = kernel::blocking(move || {
            let engine = TableEngine::new(store, &root);
            let newest = delta_kernel::Snapshot::builder_for(ROOT).build(&engine)?;
            latest_version_as_of(&newest, &engine, millis, HistoryCommitType::Recreatable)
        });
        let error = match found.await {
            Ok(commit) => return Ok(commit.version),
            Err(error) => error,
        };
        match too_early(&error) {
            Some(earliest) => self.before_history(time, earliest).await,
            None => Err(self.why(None, open::OpenError::Kernel(error)).await),
        }
    }

    /// The table as of a time before its oldest version: never there, or cleaned up since.
    async fn before_history(
        &self,
        time: DateTime<Utc>,
        earliest: Option<i64>,
    ) -> Result<u64, LakeError> {
        let listing = log::list(self.store(), self.root).await;
        let cleaned = listing.is_ok_and(|listing| !listing.commits.contains_key(&0));
        let version = time.to_rfc3339();
        let since = earliest.and_then(DateTime::from_timestamp_millis);
        let since = since
            .map_or_else(String::new, |since| format!(", which begins at {}", since.to_rfc3339()));
        let table = self.name.to_owned();
        Err(match cleaned {
            true => {
                LakeError::Gone { table, version, reason: format!("its log was cleaned up{since}") }
            }
            false => LakeError::NoVersion {
                table,
                version,
                reason: format!("it is before the table's history{since}"),
            },
        })
    }
}

/// The earliest time in the history, if an error says that a time lies before it.
fn too_early(error: &KernelError) -> Option<Option<i64>> {
    match error {
        KernelError::Backtraced { source, .. } => too_early(source),
        KernelError::LogHistory(history) => match history.as_ref() {
            LogHistoryError::TimestampOutOfRange { nearest_timestamp, .. } => {
                Some(match nearest_timestamp {
                    NearestTimestamp::Earliest(time) => Some(*time),
                    _ => None,
                })
            }
            _ => None,
        },
        _ => None,
    }
}
