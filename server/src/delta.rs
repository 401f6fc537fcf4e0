//! Delta tables: the log, read by the Delta kernel, becomes a [`Snapshot`] like any other.
//!
//! The kernel replays commits and checkpoints and says which files a version has; the data is
//! read by [`crate::scan`]. Here is decided which features are understood, where paths of the log
//! may lead, and why a version cannot be had.

use std::sync::Arc;

use delta_kernel::KernelError;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::lake::Commit;
use crate::lake::error::{BadTable, LakeError};
use crate::lake::snapshot::Snapshot;
use crate::lake::source::{FileStamp, Lake, Remembered};
use crate::lake::version::{Version, VersionSpec};

pub mod compare;
pub(crate) mod deletion;
mod features;
mod history;
pub(crate) mod kernel;
mod log;
mod newest;
mod open;
mod schema;
mod stats;
pub(crate) mod write;

pub(crate) use log::LOG_FOLDER;

use log::Absent;

/// A Delta table in a lake.
pub(crate) struct DeltaTable<'a> {
    pub(crate) lake: &'a Arc<Lake>,
    /// The public name.
    pub(crate) name: &'a str,
    pub(crate) root: &'a Path,
}

impl DeltaTable<'_> {
    /// The table at a version; from memory where its commit is still the one that was read.
    pub(crate) async fn snapshot(&self, version: VersionSpec) -> Result<Arc<Snapshot>, LakeError> {
        match version {
            VersionSpec::Latest => self.latest().await,
            VersionSpec::Exact(Version::Delta(version)) => self.exact(version).await,
            VersionSpec::Exact(Version::Between { from, to }) => self.between(from, to).await,
            VersionSpec::Exact(Version::Files(_)) => Err(LakeError::NoVersion {
                table: self.name.to_owned(),
                version: version.to_string(),
                reason: "it is a Delta table, whose versions are numbers".to_owned(),
            }),
            VersionSpec::AsOf(time) => {
                let version = self.version_at(time).await?;
                self.exact(version).await
            }
        }
    }

    /// The versions that can be opened, newest first.
    pub(crate) async fn versions(&self, limit: Option<usize>) -> Result<Vec<Commit>, LakeError> {
        history::versions(self, limit).await
    }

    async fn latest(&self) -> Result<Arc<Snapshot>, LakeError> {
        if let Some(known) = self.lake.newest.get(self.root)
            && let Version::Delta(version) = known.snapshot.version()
        {
            let newer = log::commits_from(self.store(), self.root, version).await;
            let newer = newer.map_err(|error| self.store_error(error))?;
            let now = newer.get(&version).map(FileStamp::of);
            if newer.len() == 1 && is_same(now.as_ref(), known.commit.as_ref()) {
                return Ok(known.snapshot);
            }
        }
        let remembered = self.open(None).await?;
        self.lake.newest.insert(
            self.root.clone(),
            remembered.clone(),
            remembered.snapshot.memory_bytes(),
        );
        Ok(remembered.snapshot)
    }

    async fn exact(&self, version: u64) -> Result<Arc<Snapshot>, LakeError> {
        let key = (self.name.to_owned(), Version::Delta(version));
        if let Some(known) = self.lake.snapshots.get(&key) {
            // The same number in a table that was made anew is another version.
            let commit = self.commit_stamp(version).await?;
            if is_same(commit.as_ref(), known.commit.as_ref()) {
                return Ok(known.snapshot);
            }
        }
        let remembered = self.open(Some(version)).await?;
        Ok(remembered.snapshot)
    }

    /// What changed between two versions, as a snapshot of its own.
    async fn between(&self, from: u64, to: u64) -> Result<Arc<Snapshot>, LakeError> {
        let (old, new) = (self.exact(from).await?, self.exact(to).await?);
        let key = (self.name.to_owned(), Version::Between { from, to });
        let commit = self.commit_stamp(to).await?;
        if let Some(known) = self.lake.snapshots.get(&key)
            && is_same(commit.as_ref(), known.commit.as_ref())
        {
            return Ok(known.snapshot);
        }
        let snapshot = Arc::new(compare::compare(&old, &new).await?);
        let weight = snapshot.memory_bytes();
        let remembered = Remembered { snapshot: Arc::clone(&snapshot), commit };
        self.lake.snapshots.insert(key, remembered, weight);
        Ok(snapshot)
    }

    /// Reads the log, and remembers what came of it.
    async fn open(&self, version: Option<u64>) -> Result<Remembered, LakeError> {
        let opened = open::open(self, version).await;
        let snapshot = match opened {
            Ok(snapshot) => Arc::new(snapshot),
            Err(error) => return Err(self.why(version, error).await),
        };
        let Version::Delta(version) = snapshot.version() else {
            return Err(self.bad(BadTable::NoMetadata));
        };
        let commit = self.commit_stamp(version).await?;
        let key = (self.name.to_owned(), snapshot.version());
        let weight = snapshot.memory_bytes();
        let remembered = Remembered { snapshot, commit };
        self.lake.snapshots.insert(key, remembered.clone(), weight);
        Ok(remembered)
    }

    /// What identifies a version's commit; none where the log was cleaned up to a checkpoint.
    async fn commit_stamp(&self, version: u64) -> Result<Option<FileStamp>, LakeError> {
        match self.store().head(&log::commit_path(self.root, version)).await {
            Ok(meta) => Ok(Some(FileStamp::of(&meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.store_error(error)),
        }
    }

    /// Says why a version could not be opened: the log's own state explains more than the
    /// kernel's error.
    async fn why(&self, version: Option<u64>, error: open::OpenError) -> LakeError {
        let error = match error {
            open::OpenError::Lake(error) => return error,
            open::OpenError::Kernel(error) => error,
        };
        if let Some(failed) = self.store_failure(&error) {
            return failed;
        }
        let listing = match log::list(self.store(), self.root).await {
            Ok(listing) => listing,
            Err(error) => return self.store_error(error),
        };
        let wanted = version.or(listing.latest()).unwrap_or_default();
        match (listing.check(wanted), version) {
            (Ok(()), _) => self.bad(features::fault_from_kernel(&error)),
            (Err(Absent::Future { latest }), Some(version)) => LakeError::NoVersion {
                table: self.name.to_owned(),
                version: version.to_string(),
                reason: format!("the latest is {latest}"),
            },
            (Err(Absent::Cleaned { earliest }), Some(version)) => LakeError::Gone {
                table: self.name.to_owned(),
                version: version.to_string(),
                reason: format!("its log was cleaned up, the earliest is {earliest}"),
            },
            (Err(absent), _) => self.bad(absent.as_fault()),
        }
    }

    /// The store's failure inside a kernel error, if that is what it was.
    fn store_failure(&self, error: &KernelError) -> Option<LakeError> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(current) = next {
            match current.downcast_ref::<object_store::Error>() {
                Some(object_store::Error::NotFound { .. }) => return None,
                Some(_) => {
                    return Some(LakeError::Store {
                        lake: self.lake.access.label.clone(),
                        failure: crate::lake::store::failure(current),
                        path: Some(self.root.to_string()),
                        source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
                            error.to_string(),
                        )),
                    });
                }
                None => next = current.source(),
            }
        }
        None
    }

    fn store(&self) -> &dyn ObjectStore {
        self.lake.store().as_ref()
    }

    fn store_error(&self, error: object_store::Error) -> LakeError {
        self.lake.access.store_error(self.name, self.root, error)
    }

    fn bad(&self, problem: BadTable) -> LakeError {
        LakeError::bad(self.name, problem)
    }
}

/// Whether a commit is known and still the same.
fn is_same(now: Option<&FileStamp>, known: Option<&FileStamp>) -> bool {
    now.zip(known).is_some_and(|(now, known)| now.is_same(known))
}

/// Whether the log of a folder has a commit or a checkpoint. A store that does not answer counts
/// as one: the table's own error then says so.
pub(crate) async fn has_commit(store: &dyn ObjectStore, root: &Path) -> bool {
    log::list(store, root).await.map_or(true, |listing| listing.latest().is_some())
}

/// Whether the log of a snapshot's table has gone on since.
pub(crate) async fn has_newer(snapshot: &Snapshot) -> bool {
    let version = match snapshot.version() {
        Version::Delta(version) => version,
        Version::Between { from, to } => from.min(to),
        Version::Files(_) => return false,
    };
    let store = snapshot.access.store.as_ref();
    let commits = log::commits_from(store, &snapshot.root, version).await;
    commits.is_ok_and(|commits| commits.keys().any(|newer| *newer > version))
}
