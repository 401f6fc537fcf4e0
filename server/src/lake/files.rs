//! Tables that are files: one, the files of a folder, or partitions below it. Checks that the
//! files are one table, and pins them as a snapshot.

use std::sync::Arc;

use arrow_array::UInt64Array;
use arrow_schema::{Field, Schema};
use datafusion::scalar::ScalarValue;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;
use xxhash_rust::xxh3::Xxh3;

use super::error::{BadTable, LakeError, StoreFailure};
use super::facts::{self, FileFacts};
use super::format::Format;
use super::hive::Partitions;
use super::name;
use super::snapshot::{DataFile, Reading, Snapshot};
use super::source::{FileStamp, Lake, Remembered};
use super::version::Version;
use crate::scan::bounds::FileBounds;
use crate::scan::physical::{PhysicalField, nullable_field};

/// Files whose facts are read at the same time.
const CONCURRENT_FILES: usize = 16;

/// The fingerprint of a set of files: names, sizes, and ETags or modification times.
pub(crate) fn fingerprint(files: &[ObjectMeta]) -> Version {
    let mut stamps: Vec<FileStamp> = files.iter().map(FileStamp::of).collect();
    stamps.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hash = Xxh3::new();
    for stamp in stamps {
        let tag = match (&stamp.e_tag, stamp.modified_micros) {
            (Some(tag), _) => tag.clone(),
            (None, modified) => modified.unwrap_or_default().to_string(),
        };
        // Lengths keep the fields apart, whatever characters they hold.
        for text in [stamp.path.as_ref(), &tag] {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(&stamp.bytes.to_le_bytes());
    }
    Version::Files(hash.digest())
}

/// Whether the files of a folder have one schema, so that the folder is one table. Files that
/// cannot be read have none; a store that does not answer says nothing of them.
pub(crate) async fn have_one_schema(
    lake: &Lake,
    format: Format,
    files: &[ObjectMeta],
) -> Result<bool, LakeError> {
    match files {
        [] => Ok(false),
        [_] => Ok(true),
        files => match all_facts(lake, "", format, files).await {
            Ok(facts) => Ok(one_schema("", files, &facts).is_ok()),
            Err(LakeError::Store { failure: StoreFailure::Denied, .. }) => Ok(false),
            Err(error @ LakeError::Store { .. }) => Err(error),
            Err(_) => Ok(false),
        },
    }
}

/// All data files below a folder of partitions, and their one format.
pub(crate) async fn list_partitioned(
    lake: &Lake,
    table: &str,
    root: &Path,
) -> Result<(Format, Vec<ObjectMeta>), LakeError> {
    let mut listing = lake.store().list(Some(root));
    let mut files: Vec<(Format, ObjectMeta)> = Vec::new();
    while let Some(meta) = listing.next().await {
        let meta = meta.map_err(|error| lake.access.store_error(table, root, error))?;
        let below = meta.location.parts().skip(root.parts_count());
        let hidden = below.into_iter().any(|part| part.as_ref().starts_with(['.', '_']));
        let visible = meta.location.filename().filter(|file| !hidden && name::is_visible(file));
        let Some((format, _)) = visible.and_then(Format::of_file) else {
            continue;
        };
        files.push((format, meta));
        if files.len() > lake.options.files_max {
            let reason = format!("it has more than {} files", lake.options.files_max);
            return Err(LakeError::bad(table, BadTable::TooLarge { reason }));
        }
    }
    let Some(format) = files.first().map(|(format, _)| *format) else {
        let reason = "its partitions hold no data files".to_owned();
        return Err(LakeError::bad(table, BadTable::Mixed { reason }));
    };
    if let Some((_, other)) = files.iter().find(|(other, _)| *other != format) {
        let reason = format!("its files are of several formats: {}", other.location);
        return Err(LakeError::bad(table, BadTable::Mixed { reason }));
    }
    Ok((format, files.into_iter().map(|(_, meta)| meta).collect()))
}

/// Pins the files as a snapshot.
pub(crate) async fn open(
    lake: &Arc<Lake>,
    table: &str,
    root: &Path,
    format: Format,
    mut files: Vec<ObjectMeta>,
) -> Result<Arc<Snapshot>, LakeError> {
    files.sort_by(|a, b| a.location.cmp(&b.location));
    let version = fingerprint(&files);
    let key = (table.to_owned(), version);
    if let Some(known) = lake.snapshots.get(&key) {
        return Ok(known.snapshot);
    }
    let facts = all_facts(lake, table, format, &files).await?;
    let bad = |problem| LakeError::bad(table, problem);
    let stored = one_schema(table, &files, &facts).map_err(bad)?;
    let paths = files.iter().map(|meta| &meta.location);
    let partitions = Partitions::from_paths(root, paths).map_err(bad)?;
    let pinned = Pinned { lake, table, root, format, version, files, facts, stored, partitions };
    let snapshot = Arc::new(pinned.into_snapshot());
    let remembered = Remembered { snapshot: Arc::clone(&snapshot), commit: None };
    lake.snapshots.insert(key, remembered, snapshot.memory_bytes());
    Ok(snapshot)
}

/// Files that were found to be one table.
struct Pinned<'a> {
    lake: &'a Arc<Lake>,
    table: &'a str,
    root: &'a Path,
    format: Format,
    version: Version,
    files: Vec<ObjectMeta>,
    facts: Vec<FileFacts>,
    stored: Schema,
    partitions: Partitions,
}

impl Pinned<'_> {
    fn into_snapshot(self) -> Snapshot {
        let fields = self.fields();
        let bounds = self.bounds();
        let reading = reading(&self.facts, &self.stored);
        let timestamp = self.files.iter().map(|meta| meta.last_modified).max();
        let partition_columns = self.partitions.fields.iter().map(|field| field.name().clone());
        let files = self.files.into_iter().zip(&self.facts).zip(self.partitions.values);
        Snapshot {
            table: self.table.to_owned(),
            access: Arc::clone(&self.lake.access),
            root: self.root.clone(),
            format: self.format,
            version: self.version,
            uid: self.version.to_string(),
            timestamp,
            physical: fields.iter().map(PhysicalField::same_as).collect(),
            schema: Arc::new(Schema::new(fields)),
            partition_columns: partition_columns.collect(),
            files: files
                .map(|((meta, facts), partition)| data_file(meta, facts, partition))
                .collect(),
            bounds,
            reading,
        }
    }

    /// The stored columns, then the partition columns. Where both have a name, the value that the
    /// folders give wins.
    fn fields(&self) -> Vec<Field> {
        let partitions = &self.partitions.fields;
        let is_stored = |field: &&Arc<Field>| !partitions.iter().any(|p| p.name() == field.name());
        let stored =
            self.stored.fields().iter().filter(is_stored).map(|field| field.as_ref().clone());
        stored.chain(partitions.iter().cloned()).collect()
    }

    fn bounds(&self) -> FileBounds {
        let rows = self.facts.iter().map(FileFacts::rows).collect::<UInt64Array>();
        let mut bounds = FileBounds::new(self.files.len(), Some(rows));
        for (position, field) in self.partitions.fields.iter().enumerate() {
            let values =
                self.partitions.values.iter().filter_map(|file| file.get(position).cloned());
            bounds.insert_constant(field.name().clone(), &values.collect::<Vec<_>>());
        }
        bounds
    }
}

fn data_file(meta: ObjectMeta, facts: &FileFacts, partition: Vec<ScalarValue>) -> DataFile {
    DataFile {
        path: meta.location,
        bytes: meta.size,
        modified: Some(meta.last_modified),
        e_tag: meta.e_tag,
        rows: facts.rows(),
        partition,
        deletion: None,
    }
}

fn reading(facts: &[FileFacts], stored: &Schema) -> Reading {
    match facts.first() {
        Some(FileFacts::Csv(facts)) => {
            Reading::Csv { dialect: facts.dialect, columns: Arc::new(stored.clone()) }
        }
        Some(FileFacts::Arrow { .. }) => Reading::Arrow,
        _ => Reading::Parquet,
    }
}

async fn all_facts(
    lake: &Lake,
    table: &str,
    format: Format,
    files: &[ObjectMeta],
) -> Result<Vec<FileFacts>, LakeError> {
    let read = |meta| facts::read(lake, table, format, meta).boxed();
    let reads: Vec<BoxFuture<'_, _>> = files.iter().map(read).collect();
    stream::iter(reads).buffered(CONCURRENT_FILES).try_collect().await
}

/// The schema that all files share. Names, order and types must be equal; a column may hold nulls
/// if any file says so. Types of CSV are found, not declared, so theirs widen instead.
fn one_schema(table: &str, files: &[ObjectMeta], facts: &[FileFacts]) -> Result<Schema, BadTable> {
    let name_of = |i: usize| files.get(i).map_or(table, |meta| meta.location.as_ref());
    let mut facts = facts.iter();
    let Some(first) = facts.next() else {
        return Ok(Schema::empty());
    };
    if let FileFacts::Csv(first) = first {
        let mut all = first.as_ref().clone();
        for (i, other) in facts.enumerate() {
            let merged = match other {
                FileFacts::Csv(other) => all.merge(other),
                _ => None,
            };
            all = merged.ok_or_else(|| different(name_of(0), name_of(i + 1), "columns"))?;
        }
        return Ok(all.schema());
    }
    let mut fields: Vec<Field> =
        first.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    for (i, other) in facts.enumerate() {
        let schema = other.schema();
        if schema.fields().len() != fields.len() {
            return Err(different(name_of(0), name_of(i + 1), "columns"));
        }
        for (field, other) in fields.iter_mut().zip(schema.fields()) {
            let shared = (field.name() == other.name()).then(|| shared_field(field, other));
            *field = shared
                .flatten()
                .ok_or_else(|| different(name_of(0), name_of(i + 1), other.name()))?;
        }
    }
    Ok(Schema::new(fields))
}

/// A field for the values of both, where they differ in no more than whether nulls may be.
fn shared_field(left: &Field, right: &Field) -> Option<Field> {
    let nullable = left.is_nullable() || right.is_nullable();
    if left.data_type() == right.data_type() {
        return Some(left.clone().with_nullable(nullable));
    }
    let left = nullable_field(left);
    (left == nullable_field(right)).then_some(left)
}

fn different(first: &str, other: &str, what: &str) -> BadTable {
    BadTable::Mixed { reason: format!("its files differ in {what}: {first}, {other}") }
}
