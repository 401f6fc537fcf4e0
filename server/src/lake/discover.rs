//! Finds the tables of a lake by looking: all of them for a listing, or one by its name.
//!
//! One rule for both, stated in [`folder_kind`] and [`names_of`]; a lookup by name lists only the
//! folders on its way.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::error::LakeError;
use super::files;
use super::format::Format;
use super::name;
use super::place::MARKER;
use super::source::Lake;
use super::store::lake_error;
use crate::delta::{self, LOG_FOLDER};

/// Folders that are listed at the same time.
const CONCURRENT_FOLDERS: usize = 16;

/// Where a table's bytes are.
#[derive(Debug, Clone)]
pub(crate) enum TableSource {
    Delta {
        root: Path,
    },
    /// A loose file.
    File {
        format: Format,
        file: ObjectMeta,
    },
    /// The files of a folder.
    Folder {
        root: Path,
        format: Format,
        files: Vec<ObjectMeta>,
    },
    /// A folder of `key=value` folders, whose files are still to be listed.
    Partitioned {
        root: Path,
    },
}

impl TableSource {
    /// The format, where it is known before the files are listed.
    pub(crate) fn format(&self) -> Option<Format> {
        match self {
            Self::Delta { .. } => Some(Format::Delta),
            Self::File { format, .. } | Self::Folder { format, .. } => Some(*format),
            Self::Partitioned { .. } => None,
        }
    }
}

/// The tables of one lake, by their path in it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tables: BTreeMap<String, TableSource>,
    /// Whether a bound stopped the search.
    pub(crate) truncated: bool,
}

/// One folder, with what discovery does not look at left out.
#[derive(Debug, Default)]
struct Level {
    has_log: bool,
    folders: Vec<String>,
    files: Vec<(Format, ObjectMeta)>,
}

enum FolderKind {
    Delta,
    Partitioned,
    /// Files of one format: a table if they have one schema too.
    Flat(Format, Vec<ObjectMeta>),
    Plain,
}

async fn level(lake: &Lake, folder: &Path) -> Result<Level, LakeError> {
    let listed = lake
        .store()
        .list_with_delimiter(Some(folder))
        .await
        .map_err(|error| lake.access.store_error("", folder, error))?;
    let mut level = Level::default();
    for prefix in listed.common_prefixes {
        match prefix.filename() {
            Some(LOG_FOLDER) => level.has_log = true,
            Some(folder) if name::is_visible(folder) || is_partition(folder) => {
                level.folders.push(folder.to_owned());
            }
            _ => {}
        }
    }
    let is_marker =
        |meta: &ObjectMeta| meta.location.filename().is_some_and(|file| file.starts_with(MARKER));
    if listed.objects.iter().any(is_marker) {
        // Its files are of no table until a commit names them.
        level.has_log = level.has_log && delta::has_commit(lake.store().as_ref(), folder).await;
        return Ok(level);
    }
    for meta in listed.objects {
        let visible = meta.location.filename().filter(|file| name::is_visible(file));
        if let Some((format, _)) = visible.and_then(Format::of_file) {
            level.files.push((format, meta));
        }
    }
    level.files.sort_by(|a, b| a.1.location.cmp(&b.1.location));
    Ok(level)
}

/// Whether a folder's name is `key=value`, as Hive writes partitions.
pub(crate) fn is_partition(folder: &str) -> bool {
    folder.split_once('=').is_some_and(|(key, _)| !key.is_empty() && !key.starts_with(['.', '_']))
}

/// What a folder is, as far as its own listing tells.
fn folder_kind(level: &Level) -> FolderKind {
    if level.has_log {
        return FolderKind::Delta;
    }
    if level.folders.iter().any(|folder| is_partition(folder)) {
        return FolderKind::Partitioned;
    }
    match level.files.first() {
        Some((format, _)) if level.files.iter().all(|(other, _)| other == format) => {
            let files = level.files.iter().map(|(_, meta)| meta.clone()).collect();
            FolderKind::Flat(*format, files)
        }
        _ => FolderKind::Plain,
    }
}

/// Every table of the lake.
pub(crate) async fn discover(lake: &Lake) -> Result<Found, LakeError> {
    let mut folders: BTreeMap<String, TableSource> = BTreeMap::new();
    let mut loose: Vec<(Format, ObjectMeta)> = Vec::new();
    let mut found = Found::default();
    let mut entries = 0_usize;
    let mut waiting = vec![Path::ROOT];
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < CONCURRENT_FOLDERS {
            let Some(folder) = waiting.pop() else { break };
            running.push(look_into(lake, folder));
        }
        let Some(seen) = running.next().await else {
            break;
        };
        let Seen { folder, table, files, below } = seen?;
        if let Some(table) = table {
            folders.insert(folder.to_string(), table);
        }
        entries += files.len() + below.len() + 1;
        loose.extend(files);
        let deep = folder.parts_count() >= lake.options.depth_max;
        if entries > lake.options.entries_max || (deep && !below.is_empty()) {
            found.truncated = true;
            // Folders too deep are left out alone; too many entries end the search.
            if entries > lake.options.entries_max {
                break;
            }
            continue;
        }
        waiting.extend(below);
    }
    found.tables = names_of(folders, loose);
    Ok(found)
}

struct Seen {
    folder: Path,
    /// The folder itself, if it is one table.
    table: Option<TableSource>,
    /// Files that are tables.
    files: Vec<(Format, ObjectMeta)>,
    /// Folders to look into.
    below: Vec<Path>,
}

async fn look_into(lake: &Lake, folder: Path) -> Result<Seen, LakeError> {
    let level = level(lake, &folder).await?;
    let below: Vec<Path> = level.folders.iter().map(|name| name::child(&folder, name)).collect();
    let (table, files, below) = match folder_kind(&level) {
        FolderKind::Delta => (Some(TableSource::Delta { root: folder.clone() }), vec![], vec![]),
        FolderKind::Partitioned => {
            (Some(TableSource::Partitioned { root: folder.clone() }), vec![], vec![])
        }
        FolderKind::Flat(format, files)
            if !folder.is_root() && files::have_one_schema(lake, format, &files).await? =>
        {
            let root = folder.clone();
            (Some(TableSource::Folder { root, format, files }), vec![], below)
        }
        _ => (None, level.files, below),
    };
    Ok(Seen { folder, table, files, below })
}

/// Gives each table its name. Folders keep theirs; a file drops its extension unless a folder or
/// another file would then have the same name.
fn names_of(
    mut tables: BTreeMap<String, TableSource>,
    loose: Vec<(Format, ObjectMeta)>,
) -> BTreeMap<String, TableSource> {
    let taken: HashSet<String> = tables.keys().cloned().collect();
    let mut stems: HashMap<String, usize> = HashMap::new();
    for (_, meta) in &loose {
        *stems.entry(stem(&meta.location)).or_default() += 1;
    }
    for (format, meta) in loose {
        let stem = stem(&meta.location);
        let alone = stems.get(&stem) == Some(&1) && !taken.contains(&stem);
        let path = if alone { stem } else { meta.location.to_string() };
        tables.entry(path).or_insert(TableSource::File { format, file: meta });
    }
    tables
}

fn stem(location: &Path) -> String {
    stem_of(location.as_ref()).to_owned()
}

/// A path without the extension of its file, if that is one of a format.
fn stem_of(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = Format::of_file(file).map_or(file, |(_, stem)| stem);
    path.get(..path.len() - (file.len() - stem.len())).unwrap_or(path)
}

/// The table of this path, found without looking at the rest of the lake. An error names a near
/// name if there is one beside it.
///
/// Where a table lies is remembered for a moment; what lies there is looked at each time.
pub(crate) async fn find(lake: &Lake, path: &Path) -> Result<TableSource, LakeError> {
    if let Some((since, known)) = lake.lookups.get(path)
        && since.elapsed() < lake.options.lookup_age_max
        && let Some(source) = refreshed(lake, known).await?
    {
        return Ok(source);
    }
    let source = lookup(lake, path).await?;
    lake.lookups.insert(path.clone(), (Instant::now(), source.clone()), 1);
    Ok(source)
}

/// The same place with the files that are in it now; none if it may have become another.
async fn refreshed(lake: &Lake, known: TableSource) -> Result<Option<TableSource>, LakeError> {
    let (root, format) = match known {
        TableSource::File { format, file } => {
            let now = match lake.store().head(&file.location).await {
                Ok(now) => now,
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => {
                    return Err(lake_error(&lake.access.label, Some(&file.location), error));
                }
            };
            // The place as it is known: below a prefix, S3 answers with the whole key.
            let file = ObjectMeta { location: file.location, ..now };
            return Ok(Some(TableSource::File { format, file }));
        }
        TableSource::Folder { root, format, .. } => (root, format),
        other => return Ok(Some(other)),
    };
    let FolderKind::Flat(now, files) = folder_kind(&level(lake, &root).await?) else {
        return Ok(None);
    };
    let same = now == format && files::have_one_schema(lake, format, &files).await?;
    Ok(same.then_some(TableSource::Folder { root, format, files }))
}

async fn lookup(lake: &Lake, path: &Path) -> Result<TableSource, LakeError> {
    let missing = |near: Option<String>| LakeError::NoTable {
        name: lake.table_name(path.as_ref()),
        near: near.map(|near| lake.table_name(&near)),
    };
    let mut levels = levels_on_the_way(lake, path).await?;
    let Some(own) = levels.pop() else {
        return Err(missing(None));
    };
    // A table's files are its own business: nothing inside of one is a table.
    for (depth, level) in levels.iter().enumerate() {
        let root: Path = path.parts().take(depth).collect();
        let source = match folder_kind(level) {
            FolderKind::Delta => TableSource::Delta { root },
            FolderKind::Partitioned => TableSource::Partitioned { root },
            _ => continue,
        };
        let is_root_table = depth == 0 && path.as_ref() == lake.root_table;
        return if is_root_table { Ok(source) } else { Err(missing(None)) };
    }
    match folder_kind(&own) {
        FolderKind::Delta => return Ok(TableSource::Delta { root: path.clone() }),
        FolderKind::Partitioned => return Ok(TableSource::Partitioned { root: path.clone() }),
        FolderKind::Flat(format, files) if files::have_one_schema(lake, format, &files).await? => {
            return Ok(TableSource::Folder { root: path.clone(), format, files });
        }
        _ => {}
    }
    let siblings = levels.pop().unwrap_or_default();
    if let Some((format, file)) = loose_file(&siblings, path) {
        return Ok(TableSource::File { format, file });
    }
    let names = sibling_names(&siblings, path);
    // A name that several files share leads to the first of them by its whole name.
    let shared = names
        .iter()
        .map(String::as_str)
        .find(|name| *name != path.as_ref() && stem_of(name) == path.as_ref());
    // The name itself stands for a folder that is no table: no help.
    let others = || names.iter().map(String::as_str).filter(|name| *name != path.as_ref());
    let near = || name::nearest(path.as_ref(), others());
    Err(missing(shared.or_else(near).map(str::to_owned)))
}

/// The folders from the root down to the path itself, listed at the same time.
async fn levels_on_the_way(lake: &Lake, path: &Path) -> Result<Vec<Level>, LakeError> {
    let parts: Vec<_> = path.parts().collect();
    let folders =
        (0..=parts.len()).map(|depth| parts.iter().take(depth).cloned().collect::<Path>());
    let one = |folder| async move { level(lake, &folder).await }.boxed();
    let levels: Vec<BoxFuture<'_, _>> = folders.map(one).collect();
    futures::future::try_join_all(levels).await
}

/// The file of this name: without its extension where that is enough to tell, or with it.
fn loose_file(siblings: &Level, path: &Path) -> Option<(Format, ObjectMeta)> {
    let with_stem: Vec<_> =
        siblings.files.iter().filter(|(_, meta)| stem(&meta.location) == path.as_ref()).collect();
    let found = match with_stem[..] {
        [only] => Some(only),
        _ => siblings.files.iter().find(|(_, meta)| meta.location == *path),
    };
    found.cloned()
}

fn sibling_names(siblings: &Level, path: &Path) -> Vec<String> {
    let parent = path.parent().unwrap_or_default();
    let mut count: HashMap<String, usize> = HashMap::new();
    for (_, meta) in &siblings.files {
        *count.entry(stem(&meta.location)).or_default() += 1;
    }
    let files = siblings.files.iter().map(|(_, meta)| match count.get(&stem(&meta.location)) {
        Some(1) => stem(&meta.location),
        _ => meta.location.to_string(),
    });
    let folders = siblings.folders.iter().map(|folder| name::child(&parent, folder).to_string());
    files.chain(folders).collect()
}
