//! Writes a Delta table: data files first, then one commit that names them, so that a version is
//! there whole or not at all. The kernel says what a table that is overwritten, or added to, holds;
//! replacing a table is no operation of its own, so the actions are put together here.
//!
//! Source: the Delta transaction protocol, <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use chrono::Utc;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use parquet::arrow::AsyncArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value, json};

use super::log::commit_path;
use super::newest::{self, Newest, Purpose};
use super::stats;
use crate::lake::error::LakeError;
use crate::lake::place::{MARKER, Place};

/// Other writers' commits that an overwriting one lets pass before it gives up.
const TRIES: usize = 10;

/// Rows of a row group: a scan can leave out what it does not want, and none is large.
const GROUP_ROWS: usize = 1 << 17;
/// Bytes of one: of vectors so many rows would take more memory than a job may have.
const GROUP_BYTES: usize = 128 << 20;

/// A table that is being written. Dropped before its commit, it leaves files that no table names.
pub(crate) struct TableWriter {
    place: Place,
    /// What happens to a table that is there.
    purpose: Purpose,
    /// The version that has to be the newest when this is committed.
    after: Option<u64>,
    schema: SchemaRef,
    /// Says in the commit whose it is.
    writer_id: String,
    marker: Path,
    file: Path,
    parquet: AsyncArrowWriter<BufWriter>,
}

/// What the commit says of itself.
#[derive(Debug, Clone)]
pub(crate) struct CommitInfo {
    pub(crate) operation: &'static str,
    pub(crate) parameters: Map<String, Value>,
    /// Where the rows come from, and what was done to them: lineage.
    pub(crate) limn: Value,
}

impl TableWriter {
    /// Begins to write. `writer_id` names the work: what an earlier attempt at it left, and no
    /// commit names, is taken away. Files have names of their own all the same.
    pub(crate) async fn begin(
        place: Place,
        schema: SchemaRef,
        writer_id: &str,
    ) -> Result<Self, LakeError> {
        // Whether the columns can be a Delta table's is known before anything is written.
        schema_text(&place, &schema)?;
        clean_up_after(&place, writer_id).await?;
        let attempt: String = uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect();
        let (marker, file) = places(&place, &format!("{writer_id}.{attempt}"));
        claim(&place, &marker).await?;
        let parquet = parquet_writer(&place, &file, &schema)?;
        let (purpose, writer_id) = (Purpose::Replace, writer_id.to_owned());
        Ok(Self { place, purpose, after: None, schema, writer_id, marker, file, parquet })
    }

    /// The rows are added to those of a table that is there, which has to have the same columns.
    pub(crate) fn appending(mut self) -> Self {
        self.purpose = Purpose::Append;
        self
    }

    /// There is no commit where another writer has made one since this version.
    pub(crate) fn after(mut self, version: u64) -> Self {
        self.after = Some(version);
        self
    }

    /// Adds rows, of the schema that was given.
    pub(crate) async fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let mut written = self.parquet.write(batch).await;
        if written.is_ok() && self.parquet.in_progress_size() > GROUP_BYTES {
            written = self.parquet.flush().await;
        }
        written.map_err(|error| parquet_error(&self.place, &self.file, error))
    }

    /// Makes the rows the table's. Gives the version.
    pub(crate) async fn commit(mut self, info: CommitInfo) -> Result<u64, LakeError> {
        let closed = self.parquet.finish().await;
        let metadata = closed.map_err(|error| parquet_error(&self.place, &self.file, error))?;
        let head = self.place.store.head(&self.file).await;
        let bytes = head.map_err(|error| store_error(&self.place, &self.file, error))?.size;
        let add = json!({"add": {
            "path": self.file.filename().unwrap_or_default(),
            "partitionValues": {},
            "size": bytes,
            "modificationTime": Utc::now().timestamp_millis(),
            "dataChange": true,
            "stats": stats::of(&metadata).to_string(),
        }});
        match self.commit_actions(&info, add).await {
            Ok(version) => {
                drop(self.place.store.delete(&self.marker).await);
                Ok(version)
            }
            Err(Uncommitted { error, is_certain }) => {
                // Where the commit may be there after all, what it names must stay.
                if is_certain {
                    drop(remove(&self.place, &self.file, &self.marker).await);
                }
                Err(error)
            }
        }
    }

    /// Takes away what was written.
    pub(crate) async fn abandon(self) {
        drop(remove(&self.place, &self.file, &self.marker).await);
    }

    async fn commit_actions(&self, info: &CommitInfo, add: Value) -> Result<u64, Uncommitted> {
        let place = &self.place;
        let surely = |error| Uncommitted { error, is_certain: true };
        for _ in 0..TRIES {
            let newest = match place.has_table {
                true => Some(newest::read(place, self.purpose).await.map_err(surely)?),
                false => None,
            };
            let version = newest.as_ref().map_or(0, |newest| newest.version + 1);
            if self.after.is_some_and(|after| version != after + 1) {
                let reason = "another writer has changed it meanwhile; try again".to_owned();
                let table = place.name.clone();
                return Err(surely(LakeError::Unwritable { table, reason }));
            }
            let mut actions = self.actions(info, newest).map_err(surely)?;
            actions.push(add.clone());
            let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
            let commit = commit_path(&place.root, version);
            let put = PutPayload::from(lines.join("\n") + "\n");
            let Err(error) = place.store.put_opts(&commit, put, PutMode::Create.into()).await
            else {
                return Ok(version);
            };
            // An answer that was lost on its way looks like another writer, or like none.
            let is_other = matches!(error, object_store::Error::AlreadyExists { .. });
            match self.is_ours(&commit).await {
                Ok(Some(true)) => return Ok(version),
                Ok(Some(false)) if place.has_table => {}
                Ok(Some(false)) => {
                    return Err(surely(LakeError::Taken {
                        name: place.name.clone(),
                        reason: "another writer made it meanwhile".to_owned(),
                    }));
                }
                Ok(None) if !is_other => return Err(surely(store_error(place, &commit, error))),
                Ok(None) | Err(_) => {
                    let error = store_error(place, &commit, error);
                    return Err(Uncommitted { error, is_certain: false });
                }
            }
        }
        Err(surely(LakeError::Unwritable {
            table: place.name.clone(),
            reason: "others kept writing to it; try again".to_owned(),
        }))
    }

    /// Whether a commit is of this writer; none where there is no such commit.
    async fn is_ours(&self, commit: &Path) -> object_store::Result<Option<bool>> {
        let bytes = match self.place.store.get(commit).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Of this attempt's file, not only of the work.
        let own = self.file.filename().unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(&bytes).contains(own)))
    }

    fn actions(&self, info: &CommitInfo, newest: Option<Newest>) -> Result<Vec<Value>, LakeError> {
        let now = Utc::now().timestamp_millis();
        let is_appended = newest.is_some() && self.purpose == Purpose::Append;
        let commit_info = json!({"commitInfo": {
            "timestamp": now,
            "operation": info.operation,
            "operationParameters": info.parameters,
            "engineInfo": concat!("limn/", env!("CARGO_PKG_VERSION")),
            "isBlindAppend": is_appended,
            "txnId": self.writer_id,
            "limn": info.limn,
        }});
        let mut actions = vec![commit_info];
        let schema = schema_text(&self.place, &self.schema)?;
        if let Some(newest) = newest.as_ref().filter(|_| is_appended) {
            self.check_columns(&newest.schema, &schema)?;
            return Ok(actions);
        }
        let (id, created, configuration, removes) = match newest {
            Some(old) => (old.id, old.created, old.configuration, old.removes),
            None => {
                actions.push(json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}));
                (uuid::Uuid::new_v4().to_string(), Some(now), Map::new(), Vec::new())
            }
        };
        actions.push(json!({"metaData": {
            "id": id,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": schema,
            "partitionColumns": [],
            "configuration": configuration,
            "createdTime": created,
        }}));
        actions.extend(removes.into_iter().map(|mut remove| {
            if let Value::Object(fields) = &mut remove {
                fields.insert("deletionTimestamp".to_owned(), now.into());
                fields.insert("dataChange".to_owned(), true.into());
            }
            json!({"remove": remove})
        }));
        Ok(actions)
    }

    /// Rows are added to columns that are the same in all that the log says of them: one that is
    /// generated, or bound by an invariant, is so by its metadata, which ours have none of.
    fn check_columns(&self, theirs: &str, ours: &str) -> Result<(), LakeError> {
        let read = |text: &str| serde_json::from_str::<Value>(text).ok();
        match read(theirs) == read(ours) {
            true => Ok(()),
            false => Err(LakeError::Unwritable {
                table: self.place.name.clone(),
                reason: format!("rows cannot be added: its columns are {theirs}, of these {ours}"),
            }),
        }
    }
}

/// Why there is no commit, and whether that is sure.
struct Uncommitted {
    error: LakeError,
    is_certain: bool,
}

/// Where a writer's marker and its file lie.
fn places(place: &Place, name: &str) -> (Path, Path) {
    let at = |file: String| place.root.clone().join(file);
    (at(format!("{MARKER}{name}")), at(format!("part-00000-{name}.zstd.parquet")))
}

/// The file first: as long as the marker is there, the file is of no table.
async fn remove(place: &Place, file: &Path, marker: &Path) -> Result<(), LakeError> {
    for left in [file, marker] {
        match place.store.delete(left).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(store_error(place, left, error)),
        }
    }
    Ok(())
}

/// Takes away what earlier attempts at the same work left; one that came to its commit, or may
/// have, keeps what it wrote.
async fn clean_up_after(place: &Place, writer_id: &str) -> Result<(), LakeError> {
    let listed = place.store.list_with_delimiter(Some(&place.root)).await;
    let listed = listed.map_err(|error| store_error(place, &place.root, error))?;
    let names = listed.objects.iter().filter_map(|meta| meta.location.filename());
    let own = names.filter_map(|name| name.strip_prefix(MARKER));
    let own = own.filter(|name| name.split_once('.').is_some_and(|(id, _)| id == writer_id));
    for name in own {
        let (marker, file) = places(place, name);
        if committed_by(place, writer_id).await?.is_none() {
            remove(place, &file, &marker).await?;
        }
    }
    Ok(())
}

/// Commits that are looked at for one of this server's own.
const COMMITS_LOOKED_AT: usize = 50;

/// What an earlier attempt of the same id committed, if it came so far: the version, and what it
/// said of itself.
pub(crate) async fn committed_by(
    place: &Place,
    writer_id: &str,
) -> Result<Option<(u64, Value)>, LakeError> {
    let is_own = |info: &Value| info.get("txnId").is_some_and(|id| id == writer_id);
    last_commit(place, COMMITS_LOOKED_AT, is_own).await
}

/// The last of so many commits of which this is true: its version, and what it says of itself.
pub(crate) async fn last_commit(
    place: &Place,
    most: usize,
    is_meant: impl Fn(&Value) -> bool,
) -> Result<Option<(u64, Value)>, LakeError> {
    let log = place.root.clone().join(super::LOG_FOLDER);
    let listed = super::log::list(place.store.as_ref(), &place.root).await;
    let listed = listed.map_err(|error| store_error(place, &log, error))?;
    for (version, meta) in listed.commits.iter().rev().take(most) {
        let found = place.store.get(&meta.location).await;
        let bytes = found.map_err(|error| store_error(place, &log, error))?.bytes().await;
        let bytes = bytes.map_err(|error| store_error(place, &log, error))?;
        let text = String::from_utf8_lossy(&bytes);
        let info = text.lines().find_map(|line| {
            let mut action: Value = serde_json::from_str(line).ok()?;
            action.get_mut("commitInfo").map(Value::take)
        });
        if let Some(info) = info.filter(&is_meant) {
            return Ok(Some((*version, info)));
        }
    }
    Ok(None)
}

/// Whether a table that is to be replaced may be.
pub(crate) async fn check_replaceable(place: &Place) -> Result<(), LakeError> {
    match place.has_table {
        true => newest::read(place, Purpose::Replace).await.map(|_| ()),
        false => Ok(()),
    }
}

/// Whether columns can be a Delta table's.
pub(crate) fn check_schema(place: &Place, schema: &SchemaRef) -> Result<(), LakeError> {
    schema_text(place, schema).map(|_| ())
}

/// Leaves the marker, and finds out whether the store keeps to a conditional put: with one that
/// does not, commits of two writers could overwrite each other.
async fn claim(place: &Place, marker: &Path) -> Result<(), LakeError> {
    let put = || place.store.put_opts(marker, PutPayload::new(), PutMode::Create.into());
    put().await.map_err(|error| store_error(place, marker, error))?;
    match put().await {
        Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(store_error(place, marker, error)),
        Ok(_) => {
            drop(place.store.delete(marker).await);
            Err(LakeError::Unwritable {
                table: place.name.clone(),
                reason: "its store ignores If-None-Match, so that commits could be lost".to_owned(),
            })
        }
    }
}

/// How Limn writes Parquet.
pub(crate) fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build()
}

fn parquet_writer(
    place: &Place,
    file: &Path,
    schema: &SchemaRef,
) -> Result<AsyncArrowWriter<BufWriter>, LakeError> {
    let out = BufWriter::new(Arc::clone(&place.store), file.clone());
    let writer = AsyncArrowWriter::try_new(out, Arc::clone(schema), Some(properties()));
    writer.map_err(|error| parquet_error(place, file, error))
}

/// The columns as the log has them.
fn schema_text(place: &Place, schema: &SchemaRef) -> Result<String, LakeError> {
    super::schema::schema_text(schema)
        .map_err(|reason| LakeError::Unwritable { table: place.name.clone(), reason })
}

fn store_error(place: &Place, path: &Path, error: object_store::Error) -> LakeError {
    crate::lake::store::lake_error(&place.lake.access.label, Some(path), error)
}

fn parquet_error(place: &Place, path: &Path, error: ParquetError) -> LakeError {
    match error {
        ParquetError::External(source) => match source.downcast::<object_store::Error>() {
            Ok(error) => store_error(place, path, *error),
            Err(source) => LakeError::Store {
                lake: place.lake.access.label.clone(),
                failure: crate::lake::store::failure(source.as_ref()),
                path: Some(path.to_string()),
                source: Arc::from(source),
            },
        },
        other => LakeError::Unwritable { table: place.name.clone(), reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests;
