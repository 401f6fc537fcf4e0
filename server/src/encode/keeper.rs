//! Where vectors are kept: commits of a table, each of what was made since the one before.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{EncodeFailure, Place, Spec};
use crate::delta::write::{CommitInfo, TableWriter, check_schema, last_commit};
use crate::lake::error::LakeError;
use crate::lake::{self, Lakes};
use crate::query::Queries;

/// Time after which there is a commit, however few rows it has.
const COMMIT_PAUSE: Duration = Duration::from_secs(30);

/// Commits that are looked at for one that says what the table was made of.
const COMMITS_LOOKED_AT: usize = 100;

/// Whether an earlier run may be gone on with there, or nothing is there yet.
pub(crate) async fn may_go_on(found: &lake::Place) -> Result<bool, LakeError> {
    if !found.has_table {
        return Ok(true);
    }
    Ok(last_commit(found, COMMITS_LOOKED_AT, is_encoded).await?.is_some())
}

/// The table that is written.
pub(super) struct Keeper {
    handle: Handle,
    lakes: Lakes,
    into: String,
    table: String,
    schema: SchemaRef,
    lineage: Map<String, Value>,
    /// Whether what there is is replaced by the first commit.
    is_replaced: bool,
    is_going_on: bool,
    commit_rows: u64,
    job: Option<String>,
    rows_before: u64,
    writer: Option<TableWriter>,
    pending: u64,
    since: Instant,
    added: u64,
    version: Option<u64>,
    /// The version that this run, or the one it goes on after, has written last.
    own: Option<u64>,
}

impl Keeper {
    /// Finds out what there is, and whether more can be added to it.
    pub(super) fn open(
        place: &Place<'_>,
        spec: &Spec,
        schema: SchemaRef,
        lineage: Map<String, Value>,
    ) -> Result<Self, EncodeFailure> {
        check_names(&schema)?;
        let (handle, lakes) = (place.handle.clone(), place.queries.lakes().clone());
        let found = handle.block_on(lakes.place(&spec.into, true))?;
        check_schema(&found, &schema)?;
        let mut keeper = Self {
            handle,
            lakes,
            into: spec.into.clone(),
            table: found.name().to_owned(),
            schema,
            lineage,
            is_replaced: found.has_table,
            is_going_on: false,
            commit_rows: spec.commit_rows,
            job: spec.job.clone(),
            rows_before: 0,
            writer: None,
            pending: 0,
            since: Instant::now(),
            added: 0,
            version: None,
            own: None,
        };
        if found.has_table && !spec.overwrite {
            keeper.go_on(place.queries, &found)?;
        }
        Ok(keeper)
    }

    /// Goes on where an earlier run of the same was ended.
    fn go_on(&mut self, queries: &Queries, found: &lake::Place) -> Result<(), EncodeFailure> {
        let last = self.handle.block_on(last_commit(found, COMMITS_LOOKED_AT, is_encoded))?;
        let Some((version, info)) = last else {
            let reason =
                "a table of this name exists; give another name, or --overwrite".to_owned();
            return Err(LakeError::Taken { name: self.into.clone(), reason }.into());
        };
        self.own = Some(version);
        let theirs = info.get("limn").cloned().unwrap_or_default();
        for (name, ours) in as_written(&self.lineage) {
            let theirs = theirs.get(&name).cloned().unwrap_or_default();
            if theirs != ours {
                return Err(EncodeFailure::Mismatch(format!(
                    "table {:?} was made of something else: its {name} is {theirs}, and would be \
                     {ours}; give another name, or --overwrite",
                    self.into,
                )));
            }
        }
        let latest = lake::VersionSpec::Latest;
        let snapshot = self.handle.block_on(queries.lakes().snapshot(&self.into, latest))?;
        self.rows_before = snapshot.rows().unwrap_or_default();
        self.version = match snapshot.version() {
            lake::Version::Delta(version) => Some(version),
            _ => None,
        };
        (self.is_going_on, self.is_replaced) = (true, false);
        Ok(())
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// Whether the table has rows of an earlier run of the same.
    pub(super) fn is_going_on(&self) -> bool {
        self.is_going_on
    }

    /// Whether nobody else has written to it since.
    pub(super) fn is_untouched(&self) -> bool {
        self.own == self.version
    }

    pub(super) fn rows_before(&self) -> u64 {
        self.rows_before
    }

    /// Adds rows. Gives how many were added so far, and the version that has them, where this
    /// came to a commit.
    pub(super) fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> Result<Option<(u64, u64)>, EncodeFailure> {
        if batch.num_rows() > 0 {
            self.write(batch)?;
        }
        let is_due = self.pending >= self.commit_rows || self.since.elapsed() >= COMMIT_PAUSE;
        match is_due && self.pending > 0 {
            true => self.commit().map(|version| Some((self.added, version))),
            false => Ok(None),
        }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeFailure> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                // Looked up anew: since the last commit there is a table.
                let place = self.handle.block_on(self.lakes.place(&self.into, true))?;
                let id = self.writer_id();
                let begun = TableWriter::begin(place, self.schema.clone(), &id);
                let begun = self.handle.block_on(begun)?;
                if self.is_replaced { begun } else { begun.appending() }
            }
        };
        self.handle.block_on(writer.write(batch))?;
        self.writer = Some(writer);
        self.pending += batch.num_rows() as u64;
        Ok(())
    }

    /// Of what is written until the next commit. A job that was killed begins at the same row
    /// again, and then takes away what it had left.
    fn writer_id(&self) -> String {
        match &self.job {
            Some(job) => format!("{job}-{}", self.rows_before + self.added),
            None => format!("embed-{}", uuid::Uuid::new_v4().simple()),
        }
    }

    fn commit(&mut self) -> Result<u64, EncodeFailure> {
        let Some(writer) = self.writer.take() else { return Err(EncodeFailure::Nothing) };
        let writer = match self.check_alone() {
            Ok(None) => writer,
            Ok(Some(version)) => writer.after(version),
            Err(refused) => {
                self.handle.block_on(writer.abandon());
                return Err(refused);
            }
        };
        let mut lineage = self.lineage.clone();
        lineage.insert("limn".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        let mode = if self.is_replaced { "Overwrite" } else { "Append" };
        let parameters = [("mode", mode), ("job", "embed")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.into()));
        let info = CommitInfo {
            operation: "WRITE",
            parameters: parameters.into_iter().collect(),
            limn: Value::Object(lineage),
        };
        let version = self.handle.block_on(writer.commit(info))?;
        self.added += std::mem::take(&mut self.pending);
        (self.is_replaced, self.since) = (false, Instant::now());
        (self.version, self.own) = (Some(version), Some(version));
        Ok(version)
    }

    /// Two runs at once would both add the same rows. Gives the version after which these are
    /// alone: of a table that is new or replaced there is none.
    fn check_alone(&self) -> Result<Option<u64>, EncodeFailure> {
        let place = self.handle.block_on(self.lakes.place(&self.into, true))?;
        if !place.has_table || self.is_replaced {
            return Ok(None);
        }
        let newest = self.handle.block_on(last_commit(&place, 1, |_| true))?;
        let last = self.handle.block_on(last_commit(&place, COMMITS_LOOKED_AT, is_encoded))?;
        match last.map(|(version, _)| version) == self.own {
            true => Ok(newest.map(|(version, _)| version)),
            false => Err(EncodeFailure::Refused(format!(
                "another run has added to table {:?} meanwhile; when it is done, the same command \
                 goes on",
                self.into,
            ))),
        }
    }

    /// Commits what is left. Gives the table's version, and how many rows were added in all.
    pub(super) fn finish(&mut self) -> Result<(u64, u64), EncodeFailure> {
        let version = match self.writer.is_some() {
            true => self.commit()?,
            false => self.version.ok_or(EncodeFailure::Nothing)?,
        };
        Ok((version, self.added))
    }
}

/// No two columns may have the same name, in letters of whatever size, as Delta has it.
fn check_names(schema: &Schema) -> Result<(), EncodeFailure> {
    let mut taken = HashSet::new();
    match schema.fields().iter().find(|field| !taken.insert(field.name().to_lowercase())) {
        None => Ok(()),
        Some(twice) => Err(EncodeFailure::Column {
            column: twice.name().clone(),
            reason: "would be there twice: name the vectors otherwise, with --as, or of a table \
                choose columns with --keep"
                .to_owned(),
        }),
    }
}

/// Whether a commit says by which model its rows got their vectors.
fn is_encoded(info: &Value) -> bool {
    info.pointer("/limn/model").is_some()
}

/// As they are when they have been written and read: 32-bit numbers have fewer digits then.
fn as_written(lineage: &Map<String, Value>) -> Map<String, Value> {
    let text = serde_json::to_string(lineage).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
