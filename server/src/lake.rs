//! Lakes: where tables are, which there are, and each pinned at a version.
//!
//! [`Lakes`] finds a [`Table`] by its name, the table gives a [`Snapshot`] of one version, and
//! [`crate::scan`] reads that. Knows object stores and file formats; nothing of HTTP or queries.
//!
//! ```no_run
//! # async fn example() -> Result<(), server::lake::LakeError> {
//! use server::lake::{LakeOptions, LakeSpec, Lakes, VersionSpec};
//! let specs: Vec<LakeSpec> = vec!["./lake".parse()?, "prod=s3://bucket/tables".parse()?];
//! let lakes = Lakes::open(&specs, LakeOptions::default())?;
//! let snapshot = lakes.table("prod/flights").await?.snapshot(VersionSpec::Latest).await?;
//! println!("{} has {:?} rows", snapshot.table(), snapshot.rows());
//! # Ok(()) }
//! ```

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use object_store::ObjectStore;

mod arrow_file;
mod cache;
pub(crate) mod csv;
mod discover;
pub mod error;
mod facts;
mod fault;
mod files;
pub(crate) mod footer;
pub mod format;
mod hive;
mod local;
mod name;
mod patient;
pub mod place;
pub mod snapshot;
pub(crate) mod source;
pub mod spec;
pub mod statistics;
pub mod store;
mod table;
pub mod version;

pub use error::{BadTable, LakeError, StoreFailure};
pub use format::Format;
pub use place::Place;
pub use snapshot::{DataFile, Snapshot};
pub use spec::{LakeRoot, LakeSpec};
pub use statistics::ColumnStatistics;
pub use store::StoreOptions;
pub use table::{Beside, Commit, Table};
pub use version::{Version, VersionSpec};

use discover::TableSource;
use source::Lake;

/// Tables that a listing opens at the same time.
const CONCURRENT_TABLES: usize = 8;

/// Bounds and waiting times, for all lakes.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    pub store: StoreOptions,
    /// Folders deeper than this are not looked into.
    pub depth_max: usize,
    /// A listing stops after this many files and folders, and says so.
    pub entries_max: usize,
    /// Data files of one table.
    pub files_max: usize,
    /// How long it is remembered where a table lies. What lies there is looked at each time.
    pub lookup_age_max: Duration,
    /// CSV files up to this size are read whole to find their types; of larger ones the head is.
    pub csv_infer_bytes: u64,
    pub snapshot_cache_bytes: usize,
    pub footer_cache_bytes: usize,
}

impl Default for LakeOptions {
    fn default() -> Self {
        Self {
            store: StoreOptions::default(),
            depth_max: 8,
            entries_max: 100_000,
            files_max: 1_000_000,
            lookup_age_max: Duration::from_secs(2),
            csv_infer_bytes: 256 << 20,
            snapshot_cache_bytes: 256 << 20,
            footer_cache_bytes: 128 << 20,
        }
    }
}

/// The lakes that are being served. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lakes {
    lakes: Arc<[Arc<Lake>]>,
}

/// What a listing found.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// By name.
    pub tables: Vec<Listed>,
    /// Whether a bound stopped the search, so that there may be more.
    pub truncated: bool,
}

/// One table of a listing, or a lake that could not be listed.
#[derive(Debug, Clone)]
pub struct Listed {
    pub name: String,
    /// None where it could not be told.
    pub format: Option<Format>,
    /// The newest version, or why it cannot be opened.
    pub snapshot: Result<Arc<Snapshot>, LakeError>,
}

impl Lakes {
    /// Opens lakes by their addresses. Looks at local folders, asks no network.
    ///
    /// Tables of a lake with a name are called `name/…`; those of the others go by their path
    /// alone, and where two have the same the lake that was given first wins.
    pub fn open(specs: &[LakeSpec], options: LakeOptions) -> Result<Self, LakeError> {
        let options = Arc::new(options);
        let open = |spec| Lake::open(spec, Arc::clone(&options)).map(Arc::new);
        let lakes: Vec<Arc<Lake>> = specs.iter().map(open).collect::<Result<_, _>>()?;
        for (i, spec) in specs.iter().enumerate() {
            let earlier = specs.iter().take(i).any(|other| other.name == spec.name);
            if spec.name.is_some() && earlier {
                return Err(LakeError::Spec {
                    spec: spec.label(),
                    reason: "two lakes have this name".to_owned(),
                });
            }
        }
        Ok(Self { lakes: lakes.into() })
    }

    /// One lake on a store of the caller's, whose root is the lake.
    pub fn on_store(spec: &LakeSpec, store: Arc<dyn ObjectStore>, options: LakeOptions) -> Self {
        let lake = Lake::on_store(spec, store, Arc::new(options));
        Self { lakes: Arc::new([Arc::new(lake)]) }
    }

    /// Every table, with its newest version. Never fails as a whole: what cannot be opened is
    /// listed with its error, and so is a lake that cannot be reached.
    pub async fn list(&self) -> Listing {
        let lakes = self.lakes.iter().map(|lake| list_one(Arc::clone(lake)).boxed());
        let lakes: Vec<BoxFuture<'_, Listing>> = lakes.collect();
        let mut listing = Listing::default();
        for found in futures::future::join_all(lakes).await {
            listing.truncated |= found.truncated;
            listing.tables.extend(found.tables);
        }
        // Sorted stably, so that of two tables of one name the earlier lake's stays.
        listing.tables.sort_by(|a, b| a.name.cmp(&b.name));
        listing.tables.dedup_by(|later, first| later.name == first.name);
        listing
    }

    /// The table of this name, found without waiting for a listing.
    pub async fn table(&self, name: &str) -> Result<Table, LakeError> {
        let path = name::check(name)?;
        let mut missing = None;
        for (lake, path) in self.candidates(&path) {
            match discover::find(&lake, &path).await {
                Ok(source) => return Ok(Table::new(lake, path.as_ref(), source)),
                Err(error @ LakeError::NoTable { near: Some(_), .. }) => missing = Some(error),
                Err(error @ LakeError::NoTable { .. }) => {
                    missing.get_or_insert(error);
                }
                // A lake that cannot be reached may hold the table: no other may stand in for it.
                Err(error) => return Err(error),
            }
        }
        Err(missing.unwrap_or(LakeError::NoTable { name: name.to_owned(), near: None }))
    }

    /// A folder on S3 that one of the lakes holds.
    pub fn beside(&self, root: &LakeRoot) -> Option<Beside> {
        let LakeRoot::S3 { bucket, prefix } = root else { return None };
        self.lakes.iter().find_map(|lake| {
            let LakeRoot::S3 { bucket: own, prefix: above } = &lake.spec.root else { return None };
            let (above, prefix) = (above.trim_matches('/'), prefix.trim_matches('/'));
            let inside = match above {
                "" => prefix,
                above => prefix.strip_prefix(above)?,
            };
            let is_inside =
                own == bucket && (above.is_empty() || inside.is_empty() || inside.starts_with('/'));
            let access = &lake.access;
            is_inside.then(|| Beside {
                lake: access.label.clone(),
                store: Arc::clone(&access.store),
                folder: object_store::path::Path::from(inside.trim_matches('/')),
            })
        })
    }

    /// A table pinned at a version, in one step.
    pub async fn snapshot(
        &self,
        name: &str,
        version: VersionSpec,
    ) -> Result<Arc<Snapshot>, LakeError> {
        self.table(name).await?.snapshot(version).await
    }

    /// The lakes that could hold a name, and what its path would be in each.
    fn candidates(
        &self,
        path: &object_store::path::Path,
    ) -> Vec<(Arc<Lake>, object_store::path::Path)> {
        let mut parts = path.parts();
        let first = parts.next();
        let rest: object_store::path::Path = parts.collect();
        let named = self.lakes.iter().filter(|lake| {
            lake.name.as_deref() == first.as_ref().map(AsRef::as_ref) && !rest.is_root()
        });
        let named = named.map(|lake| (Arc::clone(lake), rest.clone()));
        let unnamed = self.lakes.iter().filter(|lake| lake.name.is_none());
        let unnamed = unnamed.map(|lake| (Arc::clone(lake), path.clone()));
        named.chain(unnamed).collect()
    }
}

/// The tables of one lake, or the lake itself with the reason why they cannot be found.
async fn list_one(lake: Arc<Lake>) -> Listing {
    let found = match discover::discover(&lake).await {
        Ok(found) => found,
        Err(error) => {
            let name = lake.access.label.clone();
            let tables = vec![Listed { name, format: None, snapshot: Err(error) }];
            return Listing { tables, truncated: false };
        }
    };
    // Once the store has kept one table waiting for nothing, the others are not waited for.
    let silent = Arc::new(OnceLock::new());
    let open = |(path, source): (String, TableSource)| {
        listed(Table::new(Arc::clone(&lake), &path, source), Arc::clone(&silent)).boxed()
    };
    let tables: Vec<BoxFuture<'_, Listed>> = found.tables.into_iter().map(open).collect();
    let tables = stream::iter(tables).buffered(CONCURRENT_TABLES).collect().await;
    Listing { tables, truncated: found.truncated }
}

async fn listed(table: Table, silent: Arc<OnceLock<LakeError>>) -> Listed {
    let snapshot = match silent.get() {
        Some(error) => Err(error.clone()),
        None => table.snapshot(VersionSpec::Latest).await,
    };
    if let Err(error @ LakeError::Store { failure: StoreFailure::TimedOut, .. }) = &snapshot {
        silent.get_or_init(|| error.clone());
    }
    let format = table.format().or_else(|| Some(snapshot.as_ref().ok()?.format()));
    Listed { name: table.name().to_owned(), format, snapshot }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>(_: T) {}

    /// Handlers run on several threads, so what they await must be able to move between them.
    #[expect(dead_code, reason = "it is enough that it compiles")]
    fn futures_move_between_threads(lakes: &Lakes, table: &Table, snapshot: &Snapshot) {
        is_send(lakes.list());
        is_send(lakes.table("t"));
        is_send(lakes.snapshot("t", VersionSpec::Latest));
        is_send(table.snapshot(VersionSpec::Latest));
        is_send(table.versions(None));
        is_send(snapshot.statistics());
    }
}
