//! Pictures in HDF5 files of the lake, named as `store.h5#images/ab12` or `store.h5#images[12]`.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use album::{Album, Key, ReadRange};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::{BYTES_MAX, PictureFailure, beside};
use crate::lake::store::lake_error;
use crate::lake::{Beside, Lakes};

const ENDINGS: [&str; 3] = [".h5", ".hdf5", ".hdf"];
/// Files that stay open: each remembers some 30 MB of itself.
const OPEN: usize = 4;
/// Pictures read at a time, each on a thread of its own.
const READS: usize = 8;

/// The file and the picture in it, where a cell names such a file at all.
pub(super) fn split(source: &str) -> Option<(&str, &str)> {
    let is_stored = |path: &str| {
        let path = path.to_ascii_lowercase();
        ENDINGS.iter().any(|ending| path.ends_with(ending) && path.len() > ending.len())
    };
    let hashes =
        source.match_indices('#').map(|(place, _)| (&source[..place], &source[place + 1..]));
    hashes.chain([(source, "")]).find(|(path, _)| is_stored(path))
}

/// Files that are open. What they are is told by where they are, how large, and how old.
#[derive(Debug)]
pub(super) struct Stores {
    open: Mutex<Vec<(Version, Arc<Album>)>>,
    turns: Semaphore,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    lake: String,
    path: Path,
    size: u64,
    modified: DateTime<Utc>,
    tag: Option<String>,
}

impl Version {
    /// `path` as the store was asked by: it may know the file by a longer one.
    fn new(place: &Beside, path: Path, meta: ObjectMeta) -> Self {
        let ObjectMeta { last_modified, size, e_tag, .. } = meta;
        Self { lake: place.lake.clone(), path, size, modified: last_modified, tag: e_tag }
    }
}

impl Stores {
    pub(super) fn new() -> Self {
        Self { open: Mutex::new(Vec::new()), turns: Semaphore::new(READS) }
    }

    /// The picture `key` of the file at `path`, which counts from the table's folder, else from
    /// the lake's root.
    pub(super) async fn read(
        &self,
        lakes: &Lakes,
        table: &str,
        path: &str,
        key: &str,
    ) -> Result<Bytes, PictureFailure> {
        let shown = || path.chars().take(200).collect::<String>();
        let key = Key::parse(key).ok_or_else(|| PictureFailure::NoKey { path: shown() })?;
        let parsed = beside::parsed(path)?;
        let place = lakes.table(table).await?.beside();
        for path in beside::candidates(&place, &parsed) {
            match place.store.head(&path).await {
                Ok(meta) => {
                    let version = Version::new(&place, path, meta);
                    return self.picture(place, version, key).await;
                }
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(lake_error(&place.lake, Some(&path), error).into()),
            }
        }
        Err(PictureFailure::NotFound { table: table.to_owned(), path: parsed.to_string() })
    }

    async fn picture(
        &self,
        place: Beside,
        version: Version,
        key: Key,
    ) -> Result<Bytes, PictureFailure> {
        let _turn = self.turns.acquire().await;
        let known = self.known(&version);
        let source = Source {
            store: Arc::clone(&place.store),
            path: version.path.clone(),
            handle: Handle::current(),
        };
        let size = version.size;
        let read = tokio::task::spawn_blocking(move || {
            let album = match known {
                Some(album) => album,
                None => Arc::new(Album::open(size, Box::new(source), BYTES_MAX)?),
            };
            album.picture(&key).map(|bytes| (bytes, album))
        });
        let path = &version.path;
        let failed = |failure| failure_of(&place, path, failure);
        // The reader of a file that was made to break it may panic: that is the file's fault.
        let read = read.await.map_err(|error| failed(album::Failure::Broken(error.to_string())))?;
        let (bytes, album) = read.map_err(failed)?;
        self.keep(version, album);
        if bytes.len() > BYTES_MAX {
            return Err(PictureFailure::TooLarge);
        }
        Ok(bytes.into())
    }

    fn known(&self, version: &Version) -> Option<Arc<Album>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().find(|(known, _)| known == version).map(|(_, album)| Arc::clone(album))
    }

    /// Puts it first, and closes what was used longest ago, or is no longer what the file is.
    fn keep(&self, version: Version, album: Arc<Album>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(known, _)| known.lake != version.lake || known.path != version.path);
        if !album.is_worn() {
            open.insert(0, (version, album));
            open.truncate(OPEN);
        }
    }
}

struct Source {
    store: Arc<dyn ObjectStore>,
    path: Path,
    handle: Handle,
}

impl ReadRange for Source {
    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let read = self.handle.block_on(self.store.get_range(&self.path, range));
        read.map(Into::into).map_err(io::Error::other)
    }
}

fn failure_of(place: &Beside, path: &Path, failure: album::Failure) -> PictureFailure {
    let failure = match failure {
        album::Failure::TooLarge(_) => return PictureFailure::TooLarge,
        album::Failure::Io(error) => match error.downcast::<object_store::Error>() {
            Ok(error) => return lake_error(&place.lake, Some(path), error).into(),
            Err(error) => album::Failure::Io(error),
        },
        other => other,
    };
    PictureFailure::Stored { path: path.to_string(), failure }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn files_of_many_pictures_are_told_by_their_endings() {
        for (source, expected) in [
            ("a/store.h5#images/ab12", Some(("a/store.h5", "images/ab12"))),
            ("store.HDF5#images[3]", Some(("store.HDF5", "images[3]"))),
            ("a#1.h5#x#y", Some(("a#1.h5", "x#y"))),
            ("store.h5", Some(("store.h5", ""))),
            ("a.png#b.h5", Some(("a.png#b.h5", ""))),
            ("a.png#b", None),
            (".h5#x", None),
            ("", None),
        ] {
            assert_eq!(split(source), expected, "{source:?}");
        }
    }
}
