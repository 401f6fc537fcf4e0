//! Where jobs are remembered: a document each, beside the tables or in a place of its own, so
//! that a server that starts again knows what it was doing.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use super::log::JobLog;
use super::record::JobRecord;

/// A server that has not said for this long that it lives does not, unless it is of this machine,
/// where that can be seen.
const SILENCE: Duration = Duration::from_secs(180);

/// Who works on a job, and when that was said last: several servers may share a lake.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Owner {
    host: String,
    process: u32,
    said: DateTime<Utc>,
}

/// A job's document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) owner: Owner,
    pub(super) record: JobRecord,
    #[serde(default)]
    pub(super) log: JobLog,
}

impl Owner {
    fn this() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { host: host.trim().to_owned(), process: std::process::id(), said: Utc::now() }
    }

    /// Whether another server is at work.
    pub(super) fn is_at_work(&self) -> bool {
        let this = Self::this();
        if self.host != this.host {
            return (Utc::now() - self.said).to_std().is_ok_and(|silent| silent < SILENCE);
        }
        let command = std::fs::read(format!("/proc/{}/cmdline", self.process));
        let is_limn = command.is_ok_and(|command| {
            let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
            program.ends_with(b"limn")
        });
        is_limn && self.process != this.process
    }
}

/// Hidden from discovery by its first letter.
const FOLDER: &str = "_limn/jobs";

/// Documents that are read at the same time.
const CONCURRENT: usize = 16;

#[derive(Debug, Clone)]
pub struct StoredJobs {
    store: Arc<dyn ObjectStore>,
}

impl StoredJobs {
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Keeps a record; what cannot be kept is said in the log, and the job goes on.
    pub(super) async fn put(&self, record: &JobRecord, log: JobLog) {
        let document = Document { owner: Owner::this(), record: record.clone(), log };
        let document = serde_json::to_vec_pretty(&document).unwrap_or_default();
        let put = self.store.put(&path(&record.id), PutPayload::from(document)).await;
        if let Err(error) = put {
            tracing::warn!("job {} cannot be remembered: {error}", record.id);
        }
    }

    pub(super) async fn remove(&self, id: &str) {
        drop(self.store.delete(&path(id)).await);
    }

    /// All that are remembered, oldest first. What cannot be read is left where it is.
    pub(super) async fn all(&self) -> Vec<Document> {
        let folder = Path::from(FOLDER);
        let listed: Result<Vec<_>, _> = self.store.list(Some(&folder)).try_collect().await;
        let listed = listed.unwrap_or_else(|error| {
            tracing::warn!("earlier jobs cannot be listed: {error}");
            Vec::new()
        });
        let read = |place: Path| async move {
            let bytes = self.store.get(&place).await.ok()?.bytes().await.ok()?;
            let document = serde_json::from_slice::<Document>(&bytes);
            document.inspect_err(|error| tracing::warn!("{place}: {error}")).ok()
        };
        let places = futures::stream::iter(listed.into_iter().map(|meta| meta.location));
        let documents = places.map(read).buffer_unordered(CONCURRENT);
        let mut documents: Vec<Document> =
            documents.filter_map(futures::future::ready).collect().await;
        documents.sort_by_key(|document| document.record.created);
        documents
    }
}

fn path(id: &str) -> Path {
    Path::from(format!("{FOLDER}/{id}.json"))
}
