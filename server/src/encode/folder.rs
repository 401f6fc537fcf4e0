//! A folder of pictures: which there are, and the table that they become.

mod found;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use arrow_array::builder::{BinaryBuilder, Float32Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use encoder::{Encoded, Source};
use engine::query::Query;
use futures::{StreamExt, stream};
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::keeper::Keeper;
use super::model::Opened;
use super::rows::{Feed, Made, Rows};
use super::{EncodeFailure, Place, Spec};
use crate::lake::VersionSpec;
use crate::pictures::{FETCHED_ROWS, FETCHES};
use crate::query::pin;
use found::{Entry, FileAt, Found};

/// The largest file that is fetched: as large as one may be on a disk.
const BYTES_MAX: i64 = 256 << 20;

/// The pictures of a folder.
pub(super) struct Pictures {
    found: Found,
    is_recursive: bool,
    has_thumbnails: bool,
    schema: SchemaRef,
    changed: u64,
}

impl Pictures {
    pub(super) fn open(
        place: &Place<'_>,
        model: &Opened,
        spec: &Spec,
        folder: &Path,
        is_recursive: bool,
    ) -> Result<Self, EncodeFailure> {
        if model.takes_texts() {
            let reason = "the model takes texts: name a table that has them, with --table";
            return Err(EncodeFailure::Mismatch(reason.to_owned()));
        }
        let found = found::pictures(place, folder, is_recursive)?;
        let has_thumbnails = model.has_thumbnails;
        let schema = schema(is_recursive, has_thumbnails, &spec.name);
        Ok(Self { found, is_recursive, has_thumbnails, schema, changed: 0 })
    }
}

/// What a model is given of a file in a store.
async fn fetched(entry: &Entry, store: &dyn ObjectStore, path: &StorePath) -> Source {
    if entry.bytes > BYTES_MAX {
        return Source::Missing(format!("the file is larger than {} MiB", BYTES_MAX >> 20));
    }
    let found = async { store.get(path).await?.bytes().await };
    match found.await {
        Ok(bytes) => Source::Bytes(bytes.into()),
        Err(error) => Source::Missing(error.to_string()),
    }
}

/// Files of a store, read ahead on a thread of their own.
fn fetch_all(handle: Handle, entries: Vec<Entry>, give: SyncSender<Vec<(Entry, Source)>>) {
    for part in entries.chunks(FETCHED_ROWS) {
        let fetches = part.iter().map(|entry| async move {
            let source = match &entry.file {
                FileAt::Disk(file) => Source::Path(file.clone()),
                FileAt::Store(store, path) => fetched(entry, store.as_ref(), path).await,
            };
            (entry.clone(), source)
        });
        let fetched = handle.block_on(stream::iter(fetches).buffered(FETCHES).collect());
        if give.send(fetched).is_err() {
            // Nobody waits for them any more.
            return;
        }
    }
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
        let source = json!({"folder": self.found.name, "recursive": self.is_recursive});
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
        self.found.entries.retain(|entry| match seen.get(&entry.path) {
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
        Some(self.found.entries.len() as u64)
    }

    fn feed(&mut self, place: &Place<'_>) -> Result<Feed<Entry>, EncodeFailure> {
        let entries = std::mem::take(&mut self.found.entries);
        let (give, rows) = sync_channel(1);
        let handle = place.handle.clone();
        std::thread::spawn(move || fetch_all(handle, entries, give));
        Ok(Box::new(rows.into_iter().flatten()))
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
                Arc::new(StringArray::from_iter_values(entries().map(|entry| &entry.folder))),
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
