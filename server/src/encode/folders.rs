//! Pictures of rows sorted into a folder for each group: copied, or linked where they are files
//! of this machine; with a summary that says which went where.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use engine::predicate::Predicate;
use engine::query::{Query, Version};
use futures::{StreamExt, stream};
use serde::Serialize;

use super::table::picture_column;
use super::{EncodeFailure, Place};
use crate::lake::{Beside, LakeRoot, Snapshot};
use crate::pictures::{FETCHED_ROWS, FETCHES, is_bytes, media_type_of, name_of};
use crate::query::vectors::known;
use crate::query::{pin, version_spec};
use crate::scan::ROW_COLUMN;

/// Which pictures go where.
#[derive(Debug, Clone)]
pub(crate) struct Sorting {
    pub(crate) table: String,
    pub(crate) version: Option<Version>,
    pub(crate) filters: Predicate,
    /// The column of pictures; guessed where none is named.
    pub(crate) column: Option<String>,
    /// The column whose values are groups.
    pub(crate) by: String,
    pub(crate) out: PathBuf,
    /// Files of this machine are linked to rather than copied.
    pub(crate) has_links: bool,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Sorted {
    pub(crate) folder: PathBuf,
    pub(crate) pictures: u64,
    pub(crate) groups: u64,
    pub(crate) failed: u64,
}

pub(crate) const SUMMARY: &str = "cluster_summary.csv";

/// A row's picture: what its file is called, and what is in it.
enum Found {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// Sorts them. Blocks: not to be called by what a runtime runs. `told` hears how many are done,
/// `failed` of rows that have no picture.
pub(crate) fn sort(
    place: &Place<'_>,
    sorting: &Sorting,
    told: &dyn Fn(u64),
    failed: &dyn Fn(u64, &str),
) -> Result<Sorted, EncodeFailure> {
    let lakes = place.queries.lakes();
    let version = version_spec(sorting.version.as_ref())?;
    let snapshot = place.handle.block_on(lakes.snapshot(&sorting.table, version))?;
    known(snapshot.schema(), "by", &sorting.by)?;
    let column = picture_column(snapshot.schema(), &sorting.table, sorting.column.as_deref())?;
    let mut folders = Folders::new(&sorting.out)?;
    let (give, batches) = sync_channel(1);
    let query = Query {
        columns: Some(vec![ROW_COLUMN.to_owned(), sorting.by.clone(), column.clone()]),
        filters: sorting.filters.clone(),
        ..Query::of_table(snapshot.table())
    };
    let pinned = pin(query, Arc::clone(&snapshot))?;
    let (handle, queries) = (place.handle.clone(), Arc::clone(place.queries));
    let reader = std::thread::spawn(move || {
        let take = |to: &mut std::sync::mpsc::SyncSender<RecordBatch>, batch: &RecordBatch| {
            to.send(batch.clone()).map_err(|_| EncodeFailure::Nothing)
        };
        handle.block_on(queries.fold(pinned, give, take))?.map(drop)
    });
    let root = match sorting.has_links {
        true => Some(place.handle.block_on(lakes.table(&sorting.table))?.beside()),
        false => None,
    };
    let source =
        Source { place, snapshot: &snapshot, linked: root.and_then(|b| on_disk(place, &b)) };
    let mut sorted = Sorted::default();
    for batch in &batches {
        for at in (0..batch.num_rows()).step_by(FETCHED_ROWS) {
            let part = batch.slice(at, FETCHED_ROWS.min(batch.num_rows() - at));
            for (row, group, name, found) in source.pictures(&part)? {
                match found {
                    Ok(found) => folders.put(&group, row, &name, &found)?,
                    Err(reason) => {
                        sorted.failed += 1;
                        failed(row, &reason);
                    }
                }
            }
            told(folders.pictures + sorted.failed);
        }
    }
    let ended = reader.join();
    ended.unwrap_or_else(|_| Err(EncodeFailure::Ended("it panicked".to_owned())))?;
    folders.finish()?;
    let (pictures, groups) = (folders.pictures, folders.groups.len() as u64);
    Ok(Sorted { folder: folders.out, pictures, groups, ..sorted })
}

/// A row's number, its group, what its picture is called, and the picture or why there is none.
type Row = (u64, String, String, Result<Found, String>);

struct Source<'a> {
    place: &'a Place<'a>,
    snapshot: &'a Snapshot,
    /// Where files are linked to: the lake's folder, and the table's in it.
    linked: Option<[PathBuf; 2]>,
}

/// The folders of a lake that is on this machine, and of what lies beside a table.
fn on_disk(place: &Place<'_>, beside: &Beside) -> Option<[PathBuf; 2]> {
    let lake = place.lakes.iter().find(|lake| lake.label() == beside.lake)?;
    let LakeRoot::Folder(root) = &lake.root else { return None };
    let root = fs::canonicalize(root).ok()?;
    let folder = root.join(beside.folder.as_ref());
    Some([root, folder])
}

impl Source<'_> {
    fn pictures(&self, part: &RecordBatch) -> Result<Vec<Row>, EncodeFailure> {
        let bad = |error: arrow_schema::ArrowError| EncodeFailure::Ended(error.to_string());
        let text = |at: usize| arrow_cast::cast(part.column(at), &DataType::LargeUtf8).map_err(bad);
        let (numbers, groups) = (text(0)?, text(1)?);
        let (numbers, groups) = (numbers.as_string::<i64>(), groups.as_string::<i64>());
        let number = |row: usize| numbers.value(row).parse().unwrap_or_default();
        let group = |row: usize| match groups.is_valid(row) {
            true => groups.value(row).to_owned(),
            false => "missing".to_owned(),
        };
        let empty = || Err("the cell is empty".to_owned());
        let cells = part.column(2);
        if is_bytes(cells.data_type()) {
            let cells = arrow_cast::cast(cells, &DataType::LargeBinary).map_err(bad)?;
            let cells = cells.as_binary::<i64>();
            let of_row = |row: usize| {
                let found = match cells.is_valid(row) {
                    true => Ok(Found::Bytes(cells.value(row).to_vec())),
                    false => empty(),
                };
                (number(row), group(row), String::new(), found)
            };
            return Ok((0..part.num_rows()).map(of_row).collect());
        }
        let cells = text(2)?;
        let cells = cells.as_string::<i64>();
        let fetched = (0..part.num_rows()).map(|row| async move {
            if !cells.is_valid(row) {
                return (row, String::new(), empty());
            }
            let place = cells.value(row);
            let name = name_of(place);
            if let Some(file) = self.file(place) {
                return (row, name, Ok(Found::File(file)));
            }
            let bytes = self.place.pictures.bytes(self.snapshot.table(), place).await;
            (row, name, bytes.map(|b| Found::Bytes(b.into())).map_err(|error| error.to_string()))
        });
        let fetched = stream::iter(fetched).buffered(FETCHES).collect::<Vec<_>>();
        let fetched = self.place.handle.block_on(fetched);
        Ok(fetched
            .into_iter()
            .map(|(row, name, found)| (number(row), group(row), name, found))
            .collect())
    }

    /// The file of this machine that a path names, where links to such are wanted: the one that
    /// would be copied.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let [root, beside] = self.linked.as_ref()?;
        let is_plain = !path.contains("://") && !path.split('/').any(|part| part == "..");
        let path = path.strip_prefix("./").unwrap_or(path).trim_start_matches('/');
        let found = [beside, root].into_iter().filter(|_| is_plain);
        let found = found.filter_map(|folder| fs::canonicalize(folder.join(path)).ok());
        found.filter(|file| file.starts_with(root)).find(|file| file.is_file())
    }
}

/// Folders of groups, and the summary of what is in them.
struct Folders {
    out: PathBuf,
    groups: HashSet<String>,
    /// Names that are taken, in small letters: not every file system tells letters by their size.
    taken: HashSet<String>,
    summary: BufWriter<File>,
    pictures: u64,
}

impl Folders {
    /// A folder that is empty, or not there yet: nothing is written over.
    fn new(out: &Path) -> Result<Self, EncodeFailure> {
        let failed = |error: std::io::Error| unwritable(out, &error);
        fs::create_dir_all(out).map_err(failed)?;
        let out = fs::canonicalize(out).map_err(failed)?;
        if fs::read_dir(&out).map_err(failed)?.next().is_some() {
            let reason = "it is not empty, and nothing is written over".to_owned();
            return Err(EncodeFailure::Folder { folder: out, reason });
        }
        let mut summary = BufWriter::new(File::create_new(out.join(SUMMARY)).map_err(failed)?);
        writeln!(summary, "abs_path,file_name,cluster").map_err(failed)?;
        let (groups, taken) = (HashSet::new(), HashSet::new());
        Ok(Self { out, groups, taken, summary, pictures: 0 })
    }

    fn put(
        &mut self,
        group: &str,
        row: u64,
        name: &str,
        found: &Found,
    ) -> Result<(), EncodeFailure> {
        let folder = format!("cluster_{}", plain(group));
        let path = self.out.join(&folder);
        if self.groups.insert(folder.clone()) {
            fs::create_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
        }
        let name = self.free(&folder, &named(row, name, found), row);
        let file = path.join(&name);
        let written = match found {
            Found::Bytes(bytes) => {
                File::create_new(&file).and_then(|mut file| file.write_all(bytes))
            }
            Found::File(original) => linked(original, &file),
        };
        written.map_err(|error| unwritable(&file, &error))?;
        let line = [file.to_string_lossy().as_ref(), &name, group].map(quoted).join(",");
        writeln!(self.summary, "{line}").map_err(|error| unwritable(&self.out, &error))?;
        self.pictures += 1;
        Ok(())
    }

    /// A name that no other picture of the folder has.
    fn free(&mut self, folder: &str, name: &str, row: u64) -> String {
        let key = |name: &str| format!("{folder}/{}", name.to_lowercase());
        if self.taken.insert(key(name)) {
            return name.to_owned();
        }
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "img"));
        let own = format!("{stem}-{row}.{ending}");
        self.taken.insert(key(&own));
        own
    }

    fn finish(&mut self) -> Result<(), EncodeFailure> {
        self.summary.flush().map_err(|error| unwritable(&self.out, &error))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> EncodeFailure {
    EncodeFailure::unwritable(path, error)
}

#[cfg(unix)]
fn linked(original: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

#[cfg(not(unix))]
fn linked(original: &Path, link: &Path) -> std::io::Result<()> {
    fs::copy(original, link).map(drop)
}

/// The file of a row's picture: by its own name, with the ending of what it is.
fn named(row: u64, name: &str, found: &Found) -> String {
    let ending = match found {
        Found::Bytes(bytes) => media_type_of(bytes).and_then(|kind| kind.split('/').nth(1)),
        Found::File(_) => None,
    };
    let ending = ending.map_or("img", |ending| if ending == "jpeg" { "jpg" } else { ending });
    match plain(name).trim_matches('.') {
        "" => format!("{row}.{ending}"),
        name if name.contains('.') => name.to_owned(),
        name => format!("{name}.{ending}"),
    }
}

/// A text as a part of a path, that leads nowhere else.
fn plain(text: &str) -> String {
    let is_kept = |letter: char| letter.is_alphanumeric() || "-_.+ ".contains(letter);
    text.chars().take(100).map(|letter| if is_kept(letter) { letter } else { '_' }).collect()
}

/// A field of CSV (RFC 4180).
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
