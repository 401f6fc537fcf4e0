//! Vectors of pictures and texts, by a model of the user's own: of a folder of pictures, or of a
//! column of a table, into a table.
//!
//! What is made is committed every so often, so that the same command goes on where it was ended,
//! and a folder that grew gets vectors for what is new alone. What a table was made of and by
//! which model is in its commits: another model's vectors are never mixed in.

mod failure;
mod folder;
pub(crate) mod folders;
pub(crate) mod keeper;
pub(crate) mod measure;
pub(crate) mod model;
pub mod models;
mod rows;
pub(crate) mod table;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use encoder::{Failure, Run, Used, Watch};
use engine::predicate::Predicate;
use engine::query::Version;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

pub use failure::EncodeFailure;
use keeper::Keeper;
use model::Opened;
use rows::Rows;

use crate::jobs::spec::Keep;
use crate::lake::LakeSpec;
use crate::pictures::Pictures;
use crate::query::Queries;

/// What is to be made, of what.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) from: From,
    /// The table that is written.
    pub(crate) into: String,
    /// What the column of vectors is called.
    pub(crate) name: String,
    pub(crate) overwrite: bool,
    /// Rows after which what was made is committed.
    pub(crate) commit_rows: u64,
    /// The job's, in the names of what it writes.
    pub(crate) job: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum From {
    Folder {
        folder: PathBuf,
        is_recursive: bool,
    },
    Table {
        table: String,
        version: Option<Version>,
        column: Option<String>,
        filters: Predicate,
        keep: Keep,
    },
}

/// What came of it, as the command prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) table: String,
    pub(crate) version: u64,
    /// Rows that this run has added.
    pub(crate) rows: u64,
    /// Of an earlier run.
    pub(crate) rows_before: u64,
    /// Rows without a vector: of a folder they are left out, of a table they have none.
    pub(crate) failed: u64,
    /// Files that are others than those which have a vector: these are as they were.
    pub(crate) changed: u64,
    /// Texts that were longer than the model takes.
    pub(crate) cut: u64,
    pub(crate) dimensions: usize,
    /// What computed: `cpu`, or `cuda`.
    pub(crate) backend: &'static str,
    pub(crate) seconds: f64,
    /// Why it was not what was asked for.
    #[serde(skip)]
    fell_back: Option<String>,
}

impl Outcome {
    /// What a person should know.
    pub(crate) fn message(&self) -> String {
        let mut parts = vec![format!("{} rows added", self.rows)];
        let mut add = |count: u64, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        add(self.rows_before, "were there before");
        add(self.failed, "without a vector");
        add(self.cut, "texts were longer than the model takes, and were cut");
        add(
            self.changed,
            "files have changed since they got their vectors: --overwrite makes all anew",
        );
        if let Some(why) = &self.fell_back {
            parts.push(format!("computed on the CPU: {why}"));
        }
        parts.join("; ")
    }
}

/// Who is told of what goes on, and may end it.
pub(crate) trait Report: Sync {
    /// So many of so many rows are behind us; how many there are may not be known.
    fn progress(&self, done: u64, of: Option<u64>);
    fn failed(&self, row: &str, why: &Failure);
    fn committed(&self, rows: u64, version: u64);
    fn is_cancelled(&self) -> bool;
}

/// Where rows are read, and what for.
pub(crate) struct Place<'a> {
    pub(crate) handle: &'a Handle,
    pub(crate) queries: &'a Arc<Queries>,
    pub(crate) lakes: &'a [LakeSpec],
    pub(crate) pictures: &'a Arc<Pictures>,
}

/// Rows that are computed together, at most: a commit ends after one of them.
const BATCH_ROWS: u64 = 256;

/// Makes the vectors. Blocks: not to be called by what a runtime runs.
///
/// # Errors
/// With [`EncodeFailure::Cancelled`] where `report` says so; what was made until then is kept.
pub(crate) fn perform(
    place: &Place<'_>,
    model: &Opened,
    spec: &Spec,
    report: &dyn Report,
) -> Result<Outcome, EncodeFailure> {
    match &spec.from {
        From::Folder { folder, is_recursive } => {
            let rows = folder::Pictures::open(place, model, spec, folder, *is_recursive)?;
            encode(place, model, spec, rows, report)
        }
        From::Table { .. } => {
            let rows = table::Cells::open(place, model, spec)?;
            encode(place, model, spec, rows, report)
        }
    }
}

fn encode<R: Rows>(
    place: &Place<'_>,
    model: &Opened,
    spec: &Spec,
    mut rows: R,
    report: &dyn Report,
) -> Result<Outcome, EncodeFailure> {
    let began = Instant::now();
    let mut keeper = Keeper::open(place, spec, rows.schema(), lineage(model, spec, &rows))?;
    rows.skip(place, &keeper)?;
    let (rows_before, of) = (keeper.rows_before(), rows.count());
    let (mut failed, mut cut) = (0, 0);
    let encoder = &model.encoder;
    let watch = Told { report, of };
    let batch = BATCH_ROWS.min(spec.commit_rows) as usize;
    let run = Run { batch, threads: NonZeroUsize::new(place.queries.limits().threads) };
    let feed = rows.feed(place)?;
    let ended = encoder::run(encoder, feed, &run, &watch, |batch| {
        for (id, result) in &batch {
            match result {
                Ok(row) => cut += u64::from(row.is_cut),
                Err(why) => {
                    failed += 1;
                    report.failed(&rows.name(id), why);
                }
            }
        }
        let batch = rows.assemble(batch).map_err(|error| error.to_string())?;
        let committed = keeper.keep(&batch).map_err(|error| error.to_string())?;
        if let Some((rows, version)) = committed {
            report.committed(rows, version);
        }
        Ok(())
    });
    // What was computed is kept, whatever ended it.
    let last = keeper.finish();
    if let Err(error) = ended {
        return Err(match error {
            encoder::Error::Cancelled => EncodeFailure::Cancelled { rows: last?.1 },
            encoder::Error::Refused(reason) => EncodeFailure::Refused(reason),
            other => other.into(),
        });
    }
    rows.ended()?;
    let (version, added) = last?;
    let (backend, fell_back) = match encoder.model().used() {
        Used::Cpu => ("cpu", None),
        Used::Cuda => ("cuda", None),
        Used::FellBack(why) => ("cpu", Some(why)),
    };
    Ok(Outcome {
        table: keeper.table().to_owned(),
        version,
        rows: added,
        rows_before,
        failed,
        changed: rows.changed(),
        cut,
        dimensions: encoder.model().dimensions(),
        backend,
        fell_back,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// All that the vectors follow from.
fn lineage<R: Rows>(model: &Opened, spec: &Spec, rows: &R) -> Map<String, Value> {
    let mut lineage = rows.lineage();
    lineage.insert("model".to_owned(), model.lineage.clone());
    lineage.insert("as".to_owned(), json!(spec.name));
    lineage
}

struct Told<'a> {
    report: &'a dyn Report,
    of: Option<u64>,
}

impl Watch for Told<'_> {
    fn progress(&self, done: u64) {
        self.report.progress(done, self.of);
    }

    fn is_cancelled(&self) -> bool {
        self.report.is_cancelled()
    }
}
