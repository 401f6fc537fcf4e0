//! A folder on this machine as a read-only object store that cannot be left.
//!
//! Links are followed only as far as they stay in the folder, and only regular files are opened:
//! a pipe would block its reader for ever. Listings are sorted, as those of S3 are.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path as FsPath, PathBuf};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::{Path, PathPart};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::name;
use super::store::read_only;

/// Deepest folder that a listing goes down to; guards the stack against made-up trees.
const DEPTH_MAX: usize = 64;

/// Read-only access to one folder.
#[derive(Debug)]
pub struct LocalStore {
    /// Canonical, so that a prefix comparison decides what is inside.
    root: PathBuf,
    files: LocalFileSystem,
}

impl LocalStore {
    /// Opens a folder that exists.
    pub fn open(folder: &FsPath) -> io::Result<Self> {
        let root = fs::canonicalize(folder)?;
        if !root.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "it is a file, give the folder that holds it",
            ));
        }
        let files = LocalFileSystem::new_with_prefix(&root).map_err(io::Error::other)?;
        Ok(Self { root, files })
    }

    fn disk_path(&self, location: &Path) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(location.parts().map(|part| part.as_ref().to_owned()));
        path
    }

    async fn check_file(&self, location: &Path) -> Result<()> {
        let path = self.disk_path(location);
        let root = self.root.clone();
        let location = location.to_string();
        blocking(move || check_regular_file(&root, &path).map_err(|e| io_error(location, e))).await
    }
}

/// Fails where `path`, all links followed, is not a regular file inside `root`.
fn check_regular_file(root: &FsPath, path: &FsPath) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    if !real.starts_with(root) {
        // Said as if the file were absent: whether it exists is not the asker's to know.
        return Err(io::Error::new(io::ErrorKind::NotFound, "the path leaves the lake"));
    }
    if !fs::metadata(&real)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it is not a regular file"));
    }
    Ok(())
}

/// One level of a folder: what is in it, without what must not be followed.
fn list_folder(root: &FsPath, folder: &FsPath, prefix: &Path) -> io::Result<ListResult> {
    let mut result = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
    let inside = fs::canonicalize(folder).is_ok_and(|real| real.starts_with(root));
    let entries = match fs::read_dir(folder) {
        Ok(entries) if inside => entries,
        Ok(_) => return Ok(result),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(result);
        }
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        // Names that are not UTF-8 have no path in the lake, nor have control characters.
        let Some(location) = entry
            .file_name()
            .to_str()
            .filter(|name| PathPart::parse(name).is_ok())
            .map(|name| name::child(prefix, name))
        else {
            continue;
        };
        let kind = entry.file_type()?;
        if kind.is_symlink()
            && !fs::canonicalize(entry.path()).is_ok_and(|real| real.starts_with(root))
        {
            continue;
        }
        // Follows links, and skips what vanished since the folder was read.
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue;
        };
        if metadata.is_dir() {
            result.common_prefixes.push(location);
        } else if metadata.is_file() {
            result.objects.push(ObjectMeta {
                location,
                last_modified: metadata.modified()?.into(),
                size: metadata.len(),
                e_tag: None,
                version: None,
            });
        }
    }
    result.common_prefixes.sort_unstable();
    result.objects.sort_unstable_by(|a, b| a.location.cmp(&b.location));
    Ok(result)
}

fn list_recursively(root: &FsPath, start: PathBuf, prefix: &Path) -> io::Result<Vec<ObjectMeta>> {
    let mut found = Vec::new();
    // Folders already entered, by their real path, so that a link cycle ends.
    let mut entered = HashSet::new();
    let mut waiting = vec![(start, prefix.clone(), 0)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        if depth > DEPTH_MAX {
            continue;
        }
        let Ok(real) = fs::canonicalize(&folder) else {
            continue;
        };
        if !entered.insert(real) {
            continue;
        }
        let level = list_folder(root, &folder, &prefix)?;
        found.extend(level.objects);
        for child in level.common_prefixes {
            if let Some(name) = child.filename() {
                waiting.push((folder.join(name), child.clone(), depth + 1));
            }
        }
    }
    found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
    Ok(found)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

fn io_error(path: String, error: io::Error) -> object_store::Error {
    let source = Box::new(error);
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            object_store::Error::NotFound { path, source }
        }
        io::ErrorKind::PermissionDenied => object_store::Error::PermissionDenied { path, source },
        _ => object_store::Error::Generic { store: "LocalFileSystem", source },
    }
}

impl std::fmt::Display for LocalStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "folder {}", self.root.display())
    }
}

#[async_trait]
impl ObjectStore for LocalStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check_file(location).await?;
        let mut result = self.files.get_opts(location, options).await?;
        // Listings here give no ETags: a file has the same identity however it was met.
        result.meta.e_tag = None;
        Ok(result)
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
        self.check_file(location).await?;
        self.files.get_ranges(location, ranges).await
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        let folder = self.disk_path(&prefix);
        let root = self.root.clone();
        stream::once(blocking(move || {
            list_recursively(&root, folder, &prefix).map_err(|e| io_error(prefix.to_string(), e))
        }))
        .map_ok(|found| stream::iter(found.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.cloned().unwrap_or_default();
        let folder = self.disk_path(&prefix);
        let root = self.root.clone();
        blocking(move || {
            list_folder(&root, &folder, &prefix).map_err(|e| io_error(prefix.to_string(), e))
        })
        .await
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only("put", self))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only("put_multipart", self))
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::iter([Err(read_only("delete", self))]).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only("copy", self))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use object_store::ObjectStoreExt;

    use super::*;

    /// A lake beside a secret, with links of every kind between them.
    fn lake_with_links() -> (tempfile::TempDir, LocalStore) {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        fs::create_dir_all(lake.join("sub")).unwrap();
        fs::create_dir_all(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/secret.csv"), "a\n1\n").unwrap();
        fs::write(lake.join("real.csv"), "a\n1\n").unwrap();
        fs::write(lake.join("sub/deep 100%.csv"), "a\n1\n").unwrap();
        symlink("../outside/secret.csv", lake.join("leak.csv")).unwrap();
        symlink("../outside", lake.join("leaking")).unwrap();
        symlink("real.csv", lake.join("alias.csv")).unwrap();
        symlink(".", lake.join("loop")).unwrap();
        symlink("nowhere", lake.join("dangling.csv")).unwrap();
        let store = LocalStore::open(&lake).unwrap();
        (folder, store)
    }

    async fn names(store: &LocalStore) -> Vec<String> {
        let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
        listed.iter().map(|meta| meta.location.to_string()).collect()
    }

    #[tokio::test]
    async fn listing_stays_inside_and_ends() {
        let (_folder, store) = lake_with_links();
        assert_eq!(names(&store).await, ["alias.csv", "real.csv", "sub/deep 100%.csv"]);
        let level = store.list_with_delimiter(None).await.unwrap();
        let folders: Vec<_> = level.common_prefixes.iter().map(Path::as_ref).collect();
        assert_eq!(folders, ["loop", "sub"]);
    }

    #[tokio::test]
    async fn reading_stays_inside() {
        let (_folder, store) = lake_with_links();
        for inside in ["real.csv", "alias.csv", "sub/deep 100%.csv", "loop/real.csv"] {
            let bytes = store.get(&Path::parse(inside).unwrap()).await.unwrap();
            assert_eq!(bytes.bytes().await.unwrap().as_ref(), b"a\n1\n", "{inside}");
        }
        for outside in ["leak.csv", "leaking/secret.csv", "dangling.csv", "none.csv", "sub"] {
            let path = Path::parse(outside).unwrap();
            let error = store.get(&path).await.unwrap_err();
            assert!(matches!(error, object_store::Error::NotFound { .. }), "{outside}: {error}");
            assert!(store.get_ranges(&path, std::slice::from_ref(&(0..1))).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_pipe_is_not_a_file() {
        let (folder, store) = lake_with_links();
        let pipe = folder.path().join("lake/pipe.csv");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(store.get(&Path::from("pipe.csv")).await.is_err());
        assert!(!names(&store).await.contains(&"pipe.csv".to_owned()));
    }

    #[tokio::test]
    async fn nothing_can_be_written() {
        let (_folder, store) = lake_with_links();
        let path = Path::from("new.csv");
        assert!(store.put(&path, "x".into()).await.is_err());
        assert!(store.delete(&Path::from("real.csv")).await.is_err());
        assert!(store.copy(&Path::from("real.csv"), &path).await.is_err());
        assert!(store.get(&Path::from("real.csv")).await.is_ok());
    }
}
