//! From the files of a log to a table at a version: the last checkpoint that serves, then
//! every commit after it. A log with a gap is damaged, never a shorter table.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::action::{self, Action, Add, Metadata, Protocol};
use super::{Commit, DataFile, Snapshot, corrupt, schema};
use crate::parquet::{Footer, ParquetFile};
use crate::source::{Folder, together};
use crate::stream::ReadError;

/// Files asked for at the same time.
const AT_ONCE: u64 = 8;
/// Versions before the checkpoint that the history shows.
const HISTORY_MAX: u64 = 48;
/// How far back an older checkpoint is looked for.
const CHECKPOINTS_BACK: u64 = 64;

/// Reader features that this reader honours.
const UNDERSTOOD: [&str; 8] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "typeWidening",
    "typeWidening-preview",
    // A column of this type is refused; a table may have the feature and none of them.
    "variantType",
];

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LastCheckpoint {
    version: u64,
    #[serde(default)]
    parts: Option<u64>,
    #[serde(default)]
    v2_checkpoint: Option<V2Checkpoint>,
}

#[derive(Debug, Clone, Deserialize)]
struct V2Checkpoint {
    path: String,
}

fn commit_path(version: u64) -> String {
    format!("_delta_log/{version:020}.json")
}

/// Whether there is a Delta log in the folder, found out by its first or last files.
pub async fn is_table(folder: &impl Folder) -> Result<bool, ReadError> {
    let last = folder.whole("_delta_log/_last_checkpoint").await?;
    Ok(last.is_some() || folder.whole(&commit_path(0)).await?.is_some())
}

/// The table at a version, or at its newest.
pub async fn open(folder: &impl Folder, version: Option<u64>) -> Result<Snapshot, ReadError> {
    let last = last_checkpoint(folder).await?;
    let mut replay = Replay::default();
    let mut next = 0;
    let wanted_checkpoint = match (&last, version) {
        (Some(last), None) => Some(last.clone()),
        (Some(last), Some(version)) if last.version <= version => Some(last.clone()),
        _ => None,
    };
    if let Some(checkpoint) = wanted_checkpoint {
        replay.checkpoint(folder, &checkpoint).await?;
        next = checkpoint.version + 1;
    } else if let Some(version) = version
        && folder.whole(&commit_path(0)).await?.is_none()
    {
        // The first commits were cleaned up: an older checkpoint must do.
        let found = replay.older_checkpoint(folder, version).await?;
        next = found.ok_or_else(|| gone(version))? + 1;
    }
    let start = next;
    let mut history = Vec::new();
    'log: while version.is_none_or(|version| next <= version) {
        let end = version.map_or(u64::MAX, |version| version + 1).min(next + AT_ONCE);
        let asked = (next..end).map(async |at| folder.whole(&commit_path(at)).await);
        for found in together(asked.collect()).await {
            let Some(bytes) = found? else { break 'log };
            history.push(replay.commit(next, &bytes)?);
            next += 1;
        }
    }
    let Some(newest) = next.checked_sub(1) else {
        return Err(ReadError::Bad("there is no Delta log in this folder".to_owned()));
    };
    if let Some(version) = version.filter(|version| *version > newest) {
        return Err(ReadError::Bad(format!(
            "there is no version {version}: the newest that can be read is {newest}"
        )));
    }
    if let Some(last) = last.filter(|last| version.is_none() && last.version > newest) {
        let missing = commit_path(next);
        return Err(corrupt(format!("{missing} is missing before version {}", last.version)));
    }
    history.reverse();
    earlier(folder, start, &mut history).await?;
    later(folder, version, &mut history).await?;
    replay.finish(newest, history)
}

fn gone(version: u64) -> ReadError {
    ReadError::Bad(format!("version {version} cannot be read any more: its log was cleaned up"))
}

async fn last_checkpoint(folder: &impl Folder) -> Result<Option<LastCheckpoint>, ReadError> {
    let Some(bytes) = folder.whole("_delta_log/_last_checkpoint").await? else { return Ok(None) };
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| corrupt(format!("_last_checkpoint: {error}")))
}

/// Adds commits from before the checkpoint, as far as they are still there.
async fn earlier(
    folder: &impl Folder,
    start: u64,
    history: &mut Vec<Commit>,
) -> Result<(), ReadError> {
    let mut end = start;
    let stop = start.saturating_sub(HISTORY_MAX);
    while end > stop {
        let begin = end.saturating_sub(AT_ONCE).max(stop);
        let asked = (begin..end).rev().map(async |at| (at, folder.whole(&commit_path(at)).await));
        for (at, found) in together(asked.collect()).await {
            let Some(bytes) = found? else { return Ok(()) };
            history.push(facts_of(at, &action::from_json(&bytes, &commit_path(at))?));
        }
        end = begin;
    }
    Ok(())
}

/// Adds commits after the version that was asked for.
async fn later(
    folder: &impl Folder,
    version: Option<u64>,
    history: &mut Vec<Commit>,
) -> Result<(), ReadError> {
    let Some(version) = version else { return Ok(()) };
    let mut next = version + 1;
    while next <= version + HISTORY_MAX {
        let asked =
            (next..next + AT_ONCE).map(async |at| (at, folder.whole(&commit_path(at)).await));
        for (at, found) in together(asked.collect()).await {
            let Some(bytes) = found? else { return Ok(()) };
            history.insert(0, facts_of(at, &action::from_json(&bytes, &commit_path(at))?));
        }
        next += AT_ONCE;
    }
    Ok(())
}

fn facts_of(version: u64, actions: &[Action]) -> Commit {
    let info = actions.iter().find_map(|action| action.commit_info.as_ref());
    let timestamp = info.and_then(|info| info.in_commit_timestamp.or(info.timestamp));
    let operation = info.and_then(|info| info.operation.clone());
    Commit { version, timestamp, operation }
}

/// What the actions so far add up to.
#[derive(Default)]
struct Replay {
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
    /// By path and deletion vector: what tells files of a log apart.
    files: HashMap<(String, Option<String>), Add>,
}

impl Replay {
    fn take(&mut self, action: Action) {
        self.protocol = action.protocol.or(self.protocol.take());
        self.metadata = action.meta_data.or(self.metadata.take());
        if let Some(remove) = action.remove {
            let vector = remove.deletion_vector.map(|vector| vector.unique_id());
            self.files.remove(&(remove.path, vector));
        }
        if let Some(add) = action.add {
            let vector = add.deletion_vector.as_ref().map(|vector| vector.unique_id());
            self.files.insert((add.path.clone(), vector), add);
        }
    }

    fn commit(&mut self, version: u64, bytes: &[u8]) -> Result<Commit, ReadError> {
        let mut actions = action::from_json(bytes, &commit_path(version))?;
        let facts = facts_of(version, &actions);
        // What a commit takes away was there before it.
        actions.sort_by_key(|action| action.remove.is_none());
        actions.into_iter().for_each(|action| self.take(action));
        Ok(facts)
    }

    async fn checkpoint(
        &mut self,
        folder: &impl Folder,
        last: &LastCheckpoint,
    ) -> Result<(), ReadError> {
        let version = last.version;
        let paths = match (&last.v2_checkpoint, last.parts) {
            (Some(v2), _) => vec![format!("_delta_log/{}", v2.path)],
            (None, Some(parts)) if parts <= 10_000 => (1..=parts)
                .map(|part| {
                    format!("_delta_log/{version:020}.checkpoint.{part:010}.{parts:010}.parquet")
                })
                .collect(),
            (None, Some(parts)) => return Err(corrupt(format!("a checkpoint of {parts} parts"))),
            (None, None) => vec![format!("_delta_log/{version:020}.checkpoint.parquet")],
        };
        let mut sidecars = Vec::new();
        for path in paths {
            self.checkpoint_part(folder, &path, &mut sidecars).await?;
        }
        for sidecar in sidecars {
            let path = match sidecar.contains('/') {
                true => relative_path(&sidecar)?,
                false => format!("_delta_log/_sidecars/{}", relative_path(&sidecar)?),
            };
            self.checkpoint_part(folder, &path, &mut Vec::new()).await?;
        }
        Ok(())
    }

    async fn checkpoint_part(
        &mut self,
        folder: &impl Folder,
        path: &str,
        sidecars: &mut Vec<String>,
    ) -> Result<(), ReadError> {
        let mut take = |mut action: Action| {
            sidecars.extend(action.sidecar.take().map(|sidecar| sidecar.path));
            // Tombstones of a checkpoint take nothing away from it.
            action.remove = None;
            self.take(action);
        };
        if path.ends_with(".json") {
            let whole = folder.whole(path).await?;
            let whole = whole.ok_or_else(|| corrupt(format!("{path} is missing")))?;
            action::from_json(&whole, path)?.into_iter().for_each(take);
            return Ok(());
        }
        let named = |error: ReadError| error.within(path);
        let source = folder.open(path, None).await.map_err(named)?;
        let footer = Footer::of_log(&source).await.map_err(named)?;
        let names = action::CHECKPOINT_COLUMNS;
        let places = names.iter().filter_map(|name| footer.schema().index_of(name).ok());
        let places: Vec<usize> = places.collect();
        let mut file = ParquetFile::new(source, footer, places)?;
        while let Some(batch) = file.next_batch().await.map_err(named)? {
            action::from_batch(&batch, &mut take)?;
        }
        Ok(())
    }

    /// Finds a checkpoint at the version or before it; answers which.
    async fn older_checkpoint(
        &mut self,
        folder: &impl Folder,
        version: u64,
    ) -> Result<Option<u64>, ReadError> {
        for at in (version.saturating_sub(CHECKPOINTS_BACK)..=version).rev() {
            let last = LastCheckpoint { version: at, parts: None, v2_checkpoint: None };
            let path = format!("_delta_log/{at:020}.checkpoint.parquet");
            if folder.open(&path, None).await.is_ok() {
                self.checkpoint(folder, &last).await?;
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn finish(self, version: u64, history: Vec<Commit>) -> Result<Snapshot, ReadError> {
        let protocol = self.protocol.ok_or_else(|| corrupt("it names no protocol"))?;
        check(&protocol)?;
        let metadata = self.metadata.ok_or_else(|| corrupt("it has no schema"))?;
        let (schema, physical) = schema::columns(&metadata)?;
        let mut files = Vec::with_capacity(self.files.len());
        for add in self.files.into_values() {
            files.push(data_file(add)?);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if let [a, ..] = files.as_slice()
            && let Some(twice) =
                files.windows(2).find(|pair| matches!(pair, [a, b] if a.path == b.path))
        {
            let path = twice.first().map_or(&a.path, |file| &file.path);
            return Err(corrupt(format!("the file {path:?} is in the table twice")));
        }
        for column in &metadata.partition_columns {
            if schema.index_of(column).is_err() {
                return Err(corrupt(format!(
                    "the partition column {column:?} is not in the schema"
                )));
            }
        }
        Ok(Snapshot {
            version,
            id: metadata.id,
            schema: schema.into(),
            physical,
            partition_columns: metadata.partition_columns,
            files,
            history,
        })
    }
}

fn check(protocol: &Protocol) -> Result<(), ReadError> {
    let unread = |what: String| {
        Err(ReadError::Bad(format!("this page does not read such Delta tables: {what}")))
    };
    if protocol.min_reader_version > 3 {
        return unread(format!("reader version {} is wanted", protocol.min_reader_version));
    }
    let features = protocol.reader_features.as_deref().unwrap_or_default();
    match features.iter().find(|feature| !UNDERSTOOD.contains(&feature.as_str())) {
        Some(feature) => unread(format!("the table feature {feature:?} is wanted")),
        None => Ok(()),
    }
}

fn data_file(add: Add) -> Result<DataFile, ReadError> {
    let path = relative_path(&add.path)?;
    let bad = |reason: &str| corrupt(format!("file {path:?}: {reason}"));
    let bytes = u64::try_from(add.size).map_err(|_| bad("its size is negative"))?;
    let deleted = add.deletion_vector.as_ref().map_or(0, |vector| vector.cardinality);
    let deleted = u64::try_from(deleted).map_err(|_| bad("it lacks a negative number of rows"))?;
    let rows = match add.records() {
        None => None,
        Some(records) => {
            let left = records.checked_sub(deleted);
            Some(left.ok_or_else(|| bad("more rows are deleted than it has"))?)
        }
    };
    let partition: BTreeMap<_, _> = add.partition_values.into_iter().collect();
    Ok(DataFile { path, bytes, rows, partition, deletion: add.deletion_vector })
}

/// A path of the log, decoded, if it stays in the table's folder.
pub fn relative_path(logged: &str) -> Result<String, ReadError> {
    let decoded = decoded(logged).ok_or_else(|| corrupt(format!("no path is {logged:?}")))?;
    let is_elsewhere =
        decoded.contains("://") || decoded.starts_with('/') || decoded.starts_with("file:");
    if is_elsewhere
        || decoded.contains('\\')
        || decoded.split('/').any(|part| matches!(part, "" | "." | ".."))
    {
        let short: String = decoded.chars().take(200).collect();
        return Err(ReadError::Bad(format!("the table has a file outside of its folder: {short}")));
    }
    Ok(decoded)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
