//! A folder of pictures: which there are, and the table that they become.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arrow_array::builder::{BinaryBuilder, Float32Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use encoder::{Encoded, Source};
use engine::query::Query;
use serde_json::{Map, Value, json};

use super::keeper::Keeper;
use super::model::Opened;
use super::rows::{Feed, Made, Rows};
use super::{EncodeFailure, Place, Spec};
use crate::lake::{LakeRoot, LakeSpec, VersionSpec};
use crate::query::pin;

/// What is taken for a picture, by its name.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];

/// The pictures of a folder.
pub(super) struct Pictures {
    folder: PathBuf,
    /// What paths count from: the lake where the folder is in it, so that its pictures are found
    /// by whoever reads the table, else the folder.
    root: PathBuf,
    is_recursive: bool,
    has_thumbnails: bool,
    schema: SchemaRef,
    entries: Vec<Entry>,
    changed: u64,
}

/// A picture in a file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    file: PathBuf,
    /// From the root, with slashes.
    path: String,
    /// Microseconds since 1970.
    modified: i64,
    bytes: i64,
}

impl Pictures {
    pub(super) fn open(
        place: &Place<'_>,
        model: &Opened,
        spec: &Spec,
        folder: &Path,
        is_recursive: bool,
    ) -> Result<Self, EncodeFailure> {
        let unreadable = |error: std::io::Error| EncodeFailure::Folder {
            folder: folder.to_owned(),
            reason: error.to_string(),
        };
        if model.takes_texts() {
            let reason = "the model takes texts: name a table that has them, with --table";
            return Err(EncodeFailure::Mismatch(reason.to_owned()));
        }
        let folder = std::fs::canonicalize(folder).map_err(unreadable)?;
        let root = place.lakes.iter().find_map(|lake| holds(lake, &folder));
        let root = root.unwrap_or_else(|| folder.clone());
        let mut entries = Vec::new();
        collect(&folder, &root, is_recursive, &mut entries).map_err(unreadable)?;
        if entries.is_empty() {
            let endings = ENDINGS.join(", ");
            let hint = if is_recursive { "" } else { "; --recursive looks into its folders too" };
            return Err(EncodeFailure::NoPictures { folder, endings, hint });
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let has_thumbnails = model.has_thumbnails;
        let schema = schema(is_recursive, has_thumbnails, &spec.name);
        Ok(Self { folder, root, is_recursive, has_thumbnails, schema, entries, changed: 0 })
    }

    /// The folder that a picture is in, from the one that was named: what many collections keep
    /// their labels in.
    fn folder_of(&self, entry: &Entry) -> String {
        let parent = entry.file.parent().unwrap_or(&self.folder);
        slashed(parent.strip_prefix(&self.folder).unwrap_or(parent))
    }
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

/// Files of pictures; hidden ones are none. A link to a folder is not followed, which could lead
/// in circles.
fn collect(
    folder: &Path,
    root: &Path,
    is_recursive: bool,
    entries: &mut Vec<Entry>,
) -> std::io::Result<()> {
    for found in std::fs::read_dir(folder)? {
        let found = found?;
        let file = found.path();
        if found.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if found.file_type()?.is_dir() {
            if is_recursive {
                collect(&file, root, is_recursive, entries)?;
            }
            continue;
        }
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if !ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            continue;
        }
        // Gone since it was listed, or a link to nothing: it is told of when it is read.
        let metadata = std::fs::metadata(&file).ok();
        let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        entries.push(Entry {
            path: slashed(file.strip_prefix(root).unwrap_or(&file)),
            modified: modified.map_or(0, |since| since.as_micros() as i64),
            bytes: metadata.map_or(0, |metadata| metadata.len() as i64),
            file,
        });
    }
    Ok(())
}

fn schema(has_folders: bool, has_thumbnails: bool, name: &str) -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let columns = [
        (true, "path", DataType::Utf8),
        (has_folders, "folder", DataType::Utf8),
        (true, "width", DataType::Int32),
        (true, "height", DataType::Int32),
        (true, "bytes", DataType::Int64),
        (true, "modified", time),
        (has_thumbnails, "image", DataType::Binary),
        (true, name, vector_type()),
    ];
    let columns = columns.into_iter().filter(|(is_there, ..)| *is_there);
    let fields = columns.map(|(_, name, data_type)| Field::new(name, data_type, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Of a column of vectors.
pub(super) fn vector_type() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Float32, true)))
}

/// Vectors, and none for rows that have none.
pub(super) fn vectors<'a>(rows: impl Iterator<Item = Option<&'a Encoded>>) -> ArrayRef {
    let item = Field::new("element", DataType::Float32, true);
    let mut lists = ListBuilder::new(Float32Builder::new()).with_field(item);
    for row in rows {
        lists.values().append_slice(row.map_or(&[], |row| row.vector.as_slice()));
        lists.append(row.is_some());
    }
    Arc::new(lists.finish())
}

pub(super) fn thumbnails<'a>(rows: impl Iterator<Item = Option<&'a Encoded>>) -> ArrayRef {
    let mut bytes = BinaryBuilder::new();
    rows.for_each(|row| bytes.append_option(row.and_then(|row| row.thumbnail.as_deref())));
    Arc::new(bytes.finish())
}

impl Rows for Pictures {
    type Id = Entry;

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn lineage(&self) -> Map<String, Value> {
        // Whoever reads the table needs no path of this machine that the lake does not have.
        let folder = match self.folder.strip_prefix(&self.root) {
            Ok(inside) if self.folder != self.root => slashed(inside),
            _ => slashed(Path::new(self.folder.file_name().unwrap_or_default())),
        };
        let source = json!({"folder": folder, "recursive": self.is_recursive});
        Map::from_iter([("source".to_owned(), source)])
    }

    fn skip(&mut self, place: &Place<'_>, keeper: &Keeper) -> Result<(), EncodeFailure> {
        if !keeper.is_going_on() {
            return Ok(());
        }
        let queries = place.queries;
        let latest = queries.lakes().snapshot(keeper.table(), VersionSpec::Latest);
        let snapshot = place.handle.block_on(latest)?;
        let columns = ["path", "bytes", "modified"].map(str::to_owned);
        let query = Query { columns: Some(columns.into()), ..Query::of_table(keeper.table()) };
        let seen = queries.fold(pin(query, snapshot)?, HashMap::new(), take_seen);
        let seen = place.handle.block_on(seen)??;
        let mut changed = 0;
        self.entries.retain(|entry| match seen.get(&entry.path) {
            Some((bytes, modified)) => {
                changed += u64::from((*bytes, *modified) != (entry.bytes, entry.modified));
                false
            }
            None => true,
        });
        self.changed = changed;
        Ok(())
    }

    fn count(&self) -> Option<u64> {
        Some(self.entries.len() as u64)
    }

    fn feed(&mut self, _: &Place<'_>) -> Result<Feed<Entry>, EncodeFailure> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        Ok(Box::new(entries.map(|entry| {
            let source = Source::Path(entry.file.clone());
            (entry, source)
        })))
    }

    fn name(&self, entry: &Entry) -> String {
        entry.path.clone()
    }

    fn assemble(&self, rows: Vec<Made<Entry>>) -> Result<RecordBatch, ArrowError> {
        let made: Vec<(Entry, Encoded)> =
            rows.into_iter().filter_map(|(entry, made)| Some((entry, made.ok()?))).collect();
        let entries = || made.iter().map(|(entry, _)| entry);
        let encoded = || made.iter().map(|(_, encoded)| Some(encoded));
        let size = |of: fn((u32, u32)) -> u32| {
            let sizes = made.iter().map(|(_, encoded)| encoded.size.map(of));
            Arc::new(Int32Array::from_iter(sizes.map(|size| size.map(u32::cast_signed))))
                as ArrayRef
        };
        let times = entries().map(|entry| entry.modified);
        let columns: [(bool, ArrayRef); 8] = [
            (true, Arc::new(StringArray::from_iter_values(entries().map(|entry| &entry.path)))),
            (
                self.is_recursive,
                Arc::new(StringArray::from_iter_values(entries().map(|e| self.folder_of(e)))),
            ),
            (true, size(|(width, _)| width)),
            (true, size(|(_, height)| height)),
            (true, Arc::new(Int64Array::from_iter_values(entries().map(|entry| entry.bytes)))),
            (
                true,
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
            ),
            (self.has_thumbnails, thumbnails(encoded())),
            (true, vectors(encoded())),
        ];
        let columns =
            columns.into_iter().filter_map(|(is_there, column)| is_there.then_some(column));
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())
    }

    fn ended(&mut self) -> Result<(), EncodeFailure> {
        Ok(())
    }

    fn changed(&self) -> u64 {
        self.changed
    }
}

/// Files that have vectors, with their size and time then.
type Seen = HashMap<String, (i64, i64)>;

fn take_seen(seen: &mut Seen, batch: &RecordBatch) -> Result<(), EncodeFailure> {
    let bad = |error: ArrowError| EncodeFailure::Ended(error.to_string());
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let cast = |at: usize, data_type: &DataType| {
        arrow_cast::cast(batch.column(at), data_type).map_err(bad)
    };
    let (paths, bytes, times) =
        (cast(0, &DataType::Utf8)?, cast(1, &DataType::Int64)?, cast(2, &time)?);
    let bytes = bytes.as_primitive::<Int64Type>();
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let paths = paths.as_string::<i32>();
    for row in 0..paths.len() {
        seen.insert(paths.value(row).to_owned(), (bytes.value(row), times.value(row)));
    }
    Ok(())
}
