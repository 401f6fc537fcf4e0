//! Which pictures a folder has: on this machine, or in a lake on S3.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use futures::TryStreamExt;
use object_store::path::Path as StorePath;
use object_store::{ObjectMeta, ObjectStore};

use crate::encode::{EncodeFailure, Place};
use crate::lake::store::lake_error;
use crate::lake::{LakeRoot, LakeSpec};

/// What is taken for a picture, by its name.
pub(super) const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];

/// The pictures of a folder.
pub(super) struct Found {
    /// What the folder is called in a lake, or where it is in none.
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
}

/// A picture in a file.
#[derive(Debug, Clone)]
pub(in crate::encode) struct Entry {
    pub(super) file: FileAt,
    /// From the lake where the folder is in one, so that its pictures are found by whoever reads
    /// the table, else from the folder; with slashes.
    pub(super) path: String,
    /// The folder that it is in, from the one that was named: what many collections keep their
    /// labels in.
    pub(super) folder: String,
    /// Microseconds since 1970.
    pub(super) modified: i64,
    pub(super) bytes: i64,
}

#[derive(Debug, Clone)]
pub(super) enum FileAt {
    Disk(PathBuf),
    Store(Arc<dyn ObjectStore>, StorePath),
}

/// The pictures of a folder of this machine, or at an address `s3://…` in one of the lakes.
pub(super) fn pictures(
    place: &Place<'_>,
    folder: &Path,
    is_recursive: bool,
) -> Result<Found, EncodeFailure> {
    let address = folder.to_str().filter(|text| text.starts_with("s3://"));
    let mut found = match address {
        Some(address) => in_store(place, address, is_recursive)?,
        None => on_disk(place, folder, is_recursive)?,
    };
    if found.entries.is_empty() {
        let endings = ENDINGS.join(", ");
        let hint = if is_recursive { "" } else { "; --recursive looks into its folders too" };
        return Err(EncodeFailure::NoPictures { folder: folder.to_owned(), endings, hint });
    }
    found.entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    !name.starts_with('.') && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn in_store(place: &Place<'_>, address: &str, is_recursive: bool) -> Result<Found, EncodeFailure> {
    let unusable = |reason: String| EncodeFailure::Folder { folder: address.into(), reason };
    let spec: LakeSpec = address.parse().map_err(|error| unusable(format!("{error}")))?;
    let beside = place.queries.lakes().beside(&spec.root).ok_or_else(|| {
        unusable("it is in none of the lakes: name the one that holds it, with --lake".to_owned())
    })?;
    let (store, folder) = (&beside.store, &beside.folder);
    let prefix = (!folder.is_root()).then_some(folder);
    let listed = place.handle.block_on(async {
        match is_recursive {
            true => store.list(prefix).try_collect::<Vec<ObjectMeta>>().await,
            false => store.list_with_delimiter(prefix).await.map(|listed| listed.objects),
        }
    });
    let listed = listed.map_err(|error| lake_error(&beside.lake, Some(folder), error))?;
    let depth = folder.parts().count();
    let entry = |meta: ObjectMeta| {
        let inside: Vec<String> =
            meta.location.parts().skip(depth).map(|part| part.as_ref().to_owned()).collect();
        let (name, folders) = inside.split_last()?;
        // What is hidden on a disk is hidden here.
        let is_hidden = folders.iter().any(|folder| folder.starts_with('.'));
        (is_picture(name) && !is_hidden).then(|| Entry {
            path: meta.location.to_string(),
            folder: folders.join("/"),
            modified: meta.last_modified.timestamp_micros(),
            bytes: meta.size.cast_signed(),
            file: FileAt::Store(Arc::clone(store), meta.location),
        })
    };
    let name = if folder.is_root() { address.to_owned() } else { folder.to_string() };
    Ok(Found { name, entries: listed.into_iter().filter_map(entry).collect() })
}

fn on_disk(place: &Place<'_>, folder: &Path, is_recursive: bool) -> Result<Found, EncodeFailure> {
    let unreadable = |error: std::io::Error| EncodeFailure::Folder {
        folder: folder.to_owned(),
        reason: error.to_string(),
    };
    let folder = std::fs::canonicalize(folder).map_err(unreadable)?;
    let root = place.lakes.iter().find_map(|lake| holds(lake, &folder));
    let root = root.unwrap_or_else(|| folder.clone());
    // Whoever reads the table needs no path of this machine that the lake does not have.
    let name = match folder.strip_prefix(&root) {
        Ok(inside) if folder != root => slashed(inside),
        _ => slashed(Path::new(folder.file_name().unwrap_or_default())),
    };
    let mut collecting = Collecting { folder: &folder, root, is_recursive, entries: Vec::new() };
    collecting.collect(&folder).map_err(unreadable)?;
    Ok(Found { name, entries: collecting.entries })
}

/// The lake's folder, if this one is in it.
fn holds(lake: &LakeSpec, folder: &Path) -> Option<PathBuf> {
    let LakeRoot::Folder(root) = &lake.root else { return None };
    let root = std::fs::canonicalize(root).ok()?;
    folder.starts_with(&root).then_some(root)
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

struct Collecting<'a> {
    folder: &'a Path,
    root: PathBuf,
    is_recursive: bool,
    entries: Vec<Entry>,
}

impl Collecting<'_> {
    /// Files of pictures; hidden ones are none. A link to a folder is not followed, which could
    /// lead in circles.
    fn collect(&mut self, folder: &Path) -> std::io::Result<()> {
        for found in std::fs::read_dir(folder)? {
            let found = found?;
            let (file, name) = (found.path(), found.file_name());
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if found.file_type()?.is_dir() {
                if self.is_recursive {
                    self.collect(&file)?;
                }
                continue;
            }
            if !is_picture(&name) {
                continue;
            }
            // Gone since it was listed, or a link to nothing: it is told of when it is read.
            let metadata = std::fs::metadata(&file).ok();
            let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            self.entries.push(Entry {
                path: slashed(file.strip_prefix(&self.root).unwrap_or(&file)),
                folder: slashed(folder.strip_prefix(self.folder).unwrap_or(folder)),
                modified: modified.map_or(0, |since| since.as_micros() as i64),
                bytes: metadata.map_or(0, |metadata| metadata.len() as i64),
                file: FileAt::Disk(file),
            });
        }
        Ok(())
    }
}
