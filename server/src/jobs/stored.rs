//! Where jobs are remembered: a document each, beside the tables or in a place of its own, so
//! that a server that starts again knows what it was doing.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::record::JobRecord;

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
    pub(super) async fn put(&self, record: &JobRecord) {
        let document = serde_json::to_vec_pretty(record).unwrap_or_default();
        let put = self.store.put(&path(&record.id), PutPayload::from(document)).await;
        if let Err(error) = put {
            tracing::warn!("job {} cannot be remembered: {error}", record.id);
        }
    }

    pub(super) async fn remove(&self, id: &str) {
        drop(self.store.delete(&path(id)).await);
    }

    /// All that are remembered, oldest first. What cannot be read is left where it is.
    pub(super) async fn all(&self) -> Vec<JobRecord> {
        let folder = Path::from(FOLDER);
        let listed: Result<Vec<_>, _> = self.store.list(Some(&folder)).try_collect().await;
        let listed = listed.unwrap_or_else(|error| {
            tracing::warn!("earlier jobs cannot be listed: {error}");
            Vec::new()
        });
        let read = |place: Path| async move {
            let bytes = self.store.get(&place).await.ok()?.bytes().await.ok()?;
            let record = serde_json::from_slice::<JobRecord>(&bytes);
            record.inspect_err(|error| tracing::warn!("{place}: {error}")).ok()
        };
        let places = futures::stream::iter(listed.into_iter().map(|meta| meta.location));
        let records = places.map(read).buffer_unordered(CONCURRENT);
        let mut records: Vec<JobRecord> =
            records.filter_map(futures::future::ready).collect().await;
        records.sort_by_key(|record| record.created);
        records
    }
}

fn path(id: &str) -> Path {
    Path::from(format!("{FOLDER}/{id}.json"))
}
