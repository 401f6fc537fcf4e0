//! One lake that is being served: its store, its names, and what is remembered of its tables.

use std::sync::Arc;
use std::time::Instant;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use percent_encoding::percent_decode_str;

use super::LakeOptions;
use super::cache::Cache;
use super::discover::TableSource;
use super::error::{BadTable, LakeError};
use super::facts::FileFacts;
use super::footer::FooterCache;
use super::snapshot::Snapshot;
use super::spec::{LakeRoot, LakeSpec};
use super::store;
use super::version::Version;
use crate::delta::deletion::{Deleted, Place};

/// Bytes of deletion vectors that are remembered.
const DELETIONS_BYTES_MAX: usize = 64 << 20;

/// Files whose facts are remembered.
const FACTS_MAX: usize = 10_000;

/// What identifies the bytes of a file: if any of it changes, the file did.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileStamp {
    pub(crate) path: Path,
    pub(crate) bytes: u64,
    /// None where a log vouches for the file: it never changes once written.
    pub(crate) modified_micros: Option<i64>,
    pub(crate) e_tag: Option<String>,
}

impl FileStamp {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self {
            path: meta.location.clone(),
            bytes: meta.size,
            modified_micros: Some(meta.last_modified.timestamp_micros()),
            e_tag: meta.e_tag.clone(),
        }
    }

    /// Whether both are of the same bytes. Listings and single requests may round times
    /// differently, so an ETag that both have decides.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same_time = || self.modified_micros == other.modified_micros;
        let same = match (&self.e_tag, &other.e_tag) {
            (Some(left), Some(right)) => left == right,
            _ => same_time(),
        };
        same && self.path == other.path && self.bytes == other.bytes
    }
}

/// A snapshot, and the commit that proves that the table is still the one it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) commit: Option<FileStamp>,
}

/// The way to a lake's bytes: all that a snapshot needs of its lake to be read.
#[derive(Debug)]
pub(crate) struct Access {
    /// The lake's name in messages.
    pub(crate) label: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) footers: FooterCache,
    pub(crate) deletions: Cache<Place, Deleted>,
}

/// A lake that is open.
#[derive(Debug)]
pub(crate) struct Lake {
    pub(crate) access: Arc<Access>,
    pub(crate) spec: LakeSpec,
    /// Takes what is written, where it is not to be opened by the lake's address.
    written: Option<Arc<dyn ObjectStore>>,
    /// The name that prefixes its tables.
    pub(crate) name: Option<String>,
    /// What a table at the root itself is called: the folder's own name.
    pub(crate) root_table: String,
    /// The lake's address in each form that a log may spell it in, ending in `/`.
    addresses: Vec<String>,
    pub(crate) options: Arc<LakeOptions>,
    pub(crate) facts: Cache<FileStamp, Result<FileFacts, LakeError>>,
    /// By path in the lake.
    pub(crate) snapshots: Cache<(String, Version), Remembered>,
    /// Where tables were found lately, by path.
    pub(crate) lookups: Cache<Path, (Instant, TableSource)>,
    /// The newest version seen of each Delta table.
    pub(crate) newest: Cache<Path, Remembered>,
}

impl Lake {
    /// Opens a lake by its address. Touches a local disk, never a network.
    pub(crate) fn open(spec: &LakeSpec, options: Arc<LakeOptions>) -> Result<Self, LakeError> {
        let store = store::open(spec, &options.store)?;
        Ok(Self { written: None, ..Self::on_store(spec, store, options) })
    }

    pub(crate) fn on_store(
        spec: &LakeSpec,
        store: Arc<dyn ObjectStore>,
        options: Arc<LakeOptions>,
    ) -> Self {
        let access = Access {
            label: spec.label(),
            store: Arc::clone(&store),
            footers: FooterCache::new(options.footer_cache_bytes),
            deletions: Cache::new(DELETIONS_BYTES_MAX),
        };
        Self {
            access: Arc::new(access),
            spec: spec.clone(),
            written: Some(store),
            name: spec.name.clone(),
            root_table: root_table(&spec.root),
            addresses: addresses(&spec.root),
            facts: Cache::new(FACTS_MAX),
            lookups: Cache::new(FACTS_MAX),
            snapshots: Cache::new(options.snapshot_cache_bytes),
            newest: Cache::new(options.snapshot_cache_bytes),
            options,
        }
    }

    /// A table's public name from its path in this lake.
    pub(crate) fn table_name(&self, path: &str) -> String {
        let path = if path.is_empty() { &self.root_table } else { path };
        match &self.name {
            Some(name) => format!("{name}/{path}"),
            None => path.to_owned(),
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.access.store
    }

    /// A store of the same root that takes writes. All others refuse them.
    pub(crate) fn writable(&self) -> Result<Arc<dyn ObjectStore>, LakeError> {
        match &self.written {
            Some(store) => Ok(Arc::clone(store)),
            None => store::open_writable(&self.spec, &self.options.store),
        }
    }

    /// The place in this lake of a path that a Delta log names: relative to the table and
    /// URL-encoded, or absolute. Paths that leave the lake are refused.
    pub(crate) fn resolve(&self, table: &Path, logged: &str) -> Result<Path, BadTable> {
        let outside = || BadTable::OutsideLake { path: logged.chars().take(200).collect() };
        let decoded = percent_decode_str(logged).decode_utf8().map_err(|_| outside())?;
        let absolute =
            decoded.contains("://") || decoded.starts_with("file:/") || decoded.starts_with('/');
        let inside = if absolute {
            let plain = plain_address(&decoded);
            let rest = self.addresses.iter().find_map(|root| plain.strip_prefix(root.as_str()));
            Path::parse(rest.ok_or_else(outside)?).map_err(|_| outside())?
        } else {
            let below = Path::parse(decoded.as_ref()).map_err(|_| outside())?;
            table.parts().chain(below.parts()).collect()
        };
        if inside.is_root() || inside.parts().any(|part| part.as_ref().contains('\\')) {
            return Err(outside());
        }
        Ok(inside)
    }
}

fn root_table(root: &LakeRoot) -> String {
    let name = match root {
        LakeRoot::Folder(folder) => std::fs::canonicalize(folder)
            .unwrap_or_else(|_| folder.clone())
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        LakeRoot::S3 { bucket, prefix } => {
            let last = prefix.rsplit('/').next().filter(|last| !last.is_empty());
            Some(last.unwrap_or(bucket).to_owned())
        }
    };
    name.filter(|name| super::name::check(name).is_ok()).unwrap_or_else(|| "table".to_owned())
}

fn addresses(root: &LakeRoot) -> Vec<String> {
    let slashed = |address: String| format!("{}/", address.trim_end_matches('/'));
    match root {
        LakeRoot::Folder(folder) => {
            let given = std::path::absolute(folder).ok();
            let real = std::fs::canonicalize(folder).ok();
            let paths = given.into_iter().chain(real);
            paths.filter_map(|path| path.to_str().map(|path| slashed(path.to_owned()))).collect()
        }
        LakeRoot::S3 { .. } => vec![slashed(root.uri())],
    }
}

/// One spelling for the spellings of an address: `file:///a`, `file:/a` and `/a`; `s3a://` and
/// `s3n://` as `s3://`.
fn plain_address(address: &str) -> String {
    if let Some(path) = address.strip_prefix("file:") {
        return format!("/{}", path.trim_start_matches('/'));
    }
    for scheme in ["s3a://", "s3n://"] {
        if let Some(rest) = address.strip_prefix(scheme) {
            return format!("s3://{rest}");
        }
    }
    address.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lake(spec: &str) -> Lake {
        let store = Arc::new(object_store::memory::InMemory::new());
        Lake::on_store(&spec.parse().unwrap(), store, Arc::default())
    }

    #[test]
    fn logged_paths_stay_in_the_lake() {
        let s3 = lake("s3://bucket/lake");
        let local = lake("/data/lake");
        for (lake, logged, inside) in [
            (&s3, "part-0.parquet", Some("t/part-0.parquet")),
            (&s3, "d=a%20b/x%2520y.parquet", Some("t/d=a b/x%20y.parquet")),
            (&s3, "s3://bucket/lake/o/x.parquet", Some("o/x.parquet")),
            (&s3, "s3a://bucket/lake/o/x.parquet", Some("o/x.parquet")),
            (&s3, "s3://bucket/lake2/x.parquet", None),
            (&s3, "s3://other/lake/x.parquet", None),
            (&s3, "https://host/x?X-Amz-Signature=1", None),
            (&s3, "../x.parquet", None),
            (&s3, "%2e%2e/x.parquet", None),
            (&s3, "/lake/x.parquet", None),
            (&s3, "", None),
            (&local, "file:///data/lake/t/x.parquet", Some("t/x.parquet")),
            (&local, "file:/data/lake/t/x.parquet", Some("t/x.parquet")),
            (&local, "/data/lake/t/x.parquet", Some("t/x.parquet")),
            (&local, "file:///data/lake/../x", None),
            (&local, "/etc/passwd", None),
        ] {
            let found = lake.resolve(&Path::from("t"), logged).ok();
            let table = Path::from("t");
            // An empty path names the table itself, which is no file, but it leaves nothing.
            let found = found.filter(|path| *path != table);
            assert_eq!(found.as_ref().map(AsRef::as_ref), inside, "{logged}");
        }
    }

    #[test]
    fn named_lakes_prefix_their_tables() {
        assert_eq!(lake("prod=s3://bucket/lake").table_name("a/b"), "prod/a/b");
        assert_eq!(lake("s3://bucket/lake").table_name("a/b"), "a/b");
        assert_eq!(lake("s3://bucket/lake").table_name(""), "lake");
        assert_eq!(lake("s3://bucket").table_name(""), "bucket");
    }
}
