//! A job done, in this process: vectors read by a query, each step computed on them, the result
//! written as a table whose commit says where it comes from.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use embedding::knn;
use embedding::rows::RowSource;
use embedding::watch::{Phase, Watch};
use engine::error::QueryError;
use engine::kind::{Kind as ColumnKind, kind_from_type};
use engine::query::Query;
use engine::steps::{Kind, Normalize, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::device::Device;
use super::failure::JobFailure;
use super::onto::Onto;
use super::spec::{Backend, JobSpec, Keep};
use super::steps;
use super::vectors::{LeftOut, VectorReader, Vectors};
use super::{further, lineage, onto, results};
use crate::delta::write::{CommitInfo, check_replaceable};
use crate::lake::Place;
use crate::query::vectors::{known, usual_ids, vector_column};
use crate::query::{Pinned, Queries, pin, version_spec};

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// 0 to 1; never goes back.
    pub progress: f64,
    /// reading, then the algorithms' names, then writing.
    pub phase: String,
    pub message: String,
}

/// Is told how far a job is.
pub trait Report: Send + Sync {
    fn tell(&self, told: Told);
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub result: JobResult,
    pub metrics: Map<String, Value>,
    /// What ran: `cpu`, or `cuda`.
    pub backend: String,
    /// What the person who asked should know: rows left out, another backend than was asked for.
    pub message: String,
}

/// The table that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobResult {
    pub table: String,
    pub version: u64,
    pub rows: u64,
}

/// Shares of a job's time, as a first guess: reading, computing, writing.
const READ: f64 = 0.2;
const WRITE: f64 = 0.05;

/// Whether the job could be begun: its table and columns are there, its result can be written.
/// Gives what came of it where it was done before.
pub async fn check(queries: &Queries, spec: &JobSpec) -> Result<Option<Outcome>, JobFailure> {
    let source = Source::open(queries, spec).await?;
    if let Some(outcome) = made_before(queries, spec, &source).await? {
        return Ok(Some(outcome));
    }
    further::check(queries, spec, None).await?;
    place(queries, spec, &source).await.map(|_| None)
}

/// What the same job has made of the same version, with all of its tables.
async fn made_before(
    queries: &Queries,
    spec: &JobSpec,
    source: &Source,
) -> Result<Option<Outcome>, JobFailure> {
    let lineage = lineage::of(spec, source);
    let before = lineage::made_before(queries, &spec.into, &lineage).await?;
    Ok(match before.is_some() && further::are_there(queries, spec).await {
        true => before,
        false => None,
    })
}

/// Where the result goes, if it can be written there.
async fn place(queries: &Queries, spec: &JobSpec, source: &Source) -> Result<Place, JobFailure> {
    let place = queries.lakes().place(&spec.into, spec.overwrite).await;
    let place = place.map_err(JobFailure::Into)?;
    check_replaceable(&place).await.map_err(JobFailure::Into)?;
    let made: Vec<_> = spec.steps.iter().flat_map(Step::columns).collect();
    results::check(&place, &source.kept, &made).map_err(JobFailure::Into)?;
    Ok(place)
}

/// Does a job to its end. `id` names it: where an attempt of the same id came to its commit, that
/// is what came of it; what another left is taken away.
pub async fn perform(
    queries: &Queries,
    spec: &JobSpec,
    id: &str,
    report: Arc<dyn Report>,
) -> Result<Outcome, JobFailure> {
    let began = Instant::now();
    let teller = Arc::new(Teller::new(report));
    teller.tell(0.0, "reading", format!("opening {}", spec.table));
    if let Some(outcome) = lineage::done_before(queries, &spec.into, id).await? {
        return Ok(outcome);
    }
    let source = Source::open(queries, spec).await?;
    if let Some(outcome) = made_before(queries, spec, &source).await? {
        return Ok(outcome);
    }
    // Whether the result can be written is found out before hours are spent on it.
    place(queries, spec, &source).await?;
    further::check(queries, spec, Some(id)).await?;
    let vectors = read(queries, spec, &source, &teller).await?;
    let onto = match &source.onto {
        Some(map) => Some(map.read(queries, spec).await?),
        None => None,
    };
    let read_in = began.elapsed();

    let vectors = Arc::new(vectors);
    let made = compute(queries, spec, &vectors, onto, &teller).await?;
    let computed_in = began.elapsed() - read_in;

    teller.tell(1.0 - WRITE, "writing", format!("writing {}", spec.into));
    let place = place(queries, spec, &source).await?;
    let table = place.name().to_owned();
    let rows = vectors.rows() as u64;
    let mut metrics = summed(spec, &vectors, &made);
    let devices: Vec<Device> = made.iter().map(|made| made.device.clone()).collect();
    let backend = if devices.contains(&Device::Cuda) { "cuda" } else { "cpu" };
    let mut lineage = lineage::of(spec, &source);
    lineage.insert("backend".into(), backend.into());
    let info = commit_info(spec, lineage.clone());
    let rows_of = (vectors.beside.as_slice(), source.ids.len());
    let tables = further::write(queries, spec, id, &made, rows_of, &source.column, &info).await?;
    if !tables.is_empty() {
        metrics.insert("tables".into(), tables.into());
    }
    lineage.insert("metrics".into(), Value::Object(metrics.clone()));
    let info = commit_info(spec, lineage);
    let columns: Vec<(String, ArrayRef)> = made.into_iter().flat_map(|made| made.columns).collect();
    let version = results::write(place, id, &vectors.beside, &columns, info).await?;
    let seconds = |time: Duration| Value::from(time.as_secs_f64());
    metrics.insert(
        "seconds".into(),
        json!({
            "read": seconds(read_in),
            "compute": seconds(computed_in),
            "write": seconds(began.elapsed() - read_in - computed_in),
        }),
    );
    let message = message(spec, rows, vectors.left_out, &devices);
    teller.tell(1.0, "done", message.clone());
    let result = JobResult { table, version, rows };
    Ok(Outcome { result, metrics, backend: backend.to_owned(), message })
}

fn commit_info(spec: &JobSpec, lineage: Map<String, Value>) -> CommitInfo {
    let operation = if spec.overwrite { "WRITE" } else { "CREATE TABLE AS SELECT" };
    let mut parameters = Map::new();
    if spec.overwrite {
        parameters.insert("mode".into(), "Overwrite".into());
    }
    parameters.insert("job".into(), serde_json::to_value(spec.kind).unwrap_or_default());
    CommitInfo { operation, parameters, limn: Value::Object(lineage) }
}

fn message(spec: &JobSpec, rows: u64, left_out: LeftOut, devices: &[Device]) -> String {
    let mut parts = vec![format!("{rows} rows")];
    let LeftOut { null, not_finite, zero } = left_out;
    if null > 0 {
        parts.push(format!("{null} without a vector left out"));
    }
    if not_finite > 0 {
        parts.push(format!("{not_finite} with values that are not finite left out"));
    }
    if zero > 0 && spec.normalize == Normalize::L2 {
        parts.push(format!("{zero} vectors of zeros have no direction"));
    }
    let mut fallen = devices.iter().filter_map(|device| match device {
        Device::FellBack(why) => Some(why),
        Device::Unasked | Device::Cuda => None,
    });
    if let Some(why) = fallen.next_back() {
        parts.push(format!("computed on the CPU: {why}"));
    } else if spec.backend == Backend::Cuda && devices.contains(&Device::Unasked) {
        let why = "CUDA computes k-means and projections, the rest is the CPU's";
        parts.push(why.to_owned());
    }
    parts.join("; ")
}

/// Told of all steps, and of each where there are several.
fn summed(spec: &JobSpec, vectors: &Vectors, made: &[steps::Made]) -> Map<String, Value> {
    let mut metrics = match made {
        [only] => only.metrics.clone(),
        _ => {
            let each = spec.steps.iter().zip(made).map(|(step, made)| {
                json!({"as": step.name, "algorithm": step.work.algorithm(), "metrics": made.metrics})
            });
            Map::from_iter([("steps".to_owned(), Value::Array(each.collect()))])
        }
    };
    let LeftOut { null, not_finite, zero } = vectors.left_out;
    metrics.insert("dimensions".into(), vectors.dimensions().into());
    metrics.insert("rows_without_vector".into(), null.into());
    metrics.insert("rows_not_finite".into(), not_finite.into());
    metrics.insert("zero_vectors".into(), zero.into());
    metrics
}

/// The table, and which of its columns are what.
pub(super) struct Source {
    pub(super) pinned: Pinned,
    pub(super) column: String,
    pub(super) ids: Vec<String>,
    /// Columns that the result has too.
    pub(super) kept: Vec<Field>,
    /// The map that rows are placed on.
    pub(super) onto: Option<onto::Map>,
}

impl Source {
    pub(super) async fn open(queries: &Queries, spec: &JobSpec) -> Result<Self, JobFailure> {
        let version = version_spec(spec.version.as_ref())?;
        let snapshot = queries.lakes().snapshot(&spec.table, version).await?;
        let schema = snapshot.schema();
        let column = vector_column(schema, &spec.table, spec.column.as_deref())?;
        let ids = id_columns(schema, spec)?;
        let mut columns = ids.clone();
        let mut keep = |name: &String| {
            if !columns.contains(name) && *name != column {
                columns.push(name.clone());
            }
        };
        match &spec.keep {
            Keep::Columns(names) => {
                for (at, name) in names.iter().enumerate() {
                    known(schema, &format!("keep[{at}]"), name)?;
                    keep(name);
                }
            }
            Keep::All => {
                let has_bytes = snapshot.bytes() <= KEPT_BYTES_MAX;
                let fields = schema.fields().iter();
                let fields = fields.filter(|field| is_kept(field.data_type(), has_bytes));
                fields.for_each(|field| keep(field.name()));
            }
        }
        let has_vectors = spec.keep_vectors;
        let all = columns.iter().chain(has_vectors.then_some(&column));
        check_names(spec, all)?;
        let field = |name: &String| match schema.field_with_name(name) {
            Ok(field) => field.clone(),
            // The number of the row.
            Err(_) => Field::new(name, DataType::Int64, false),
        };
        // The vectors come last, whether they are kept or read alone.
        columns.push(column.clone());
        let n_kept = columns.len() - usize::from(!has_vectors);
        let kept = columns.iter().take(n_kept).map(field).collect();
        let query = Query {
            columns: Some(columns),
            filters: spec.filters.clone(),
            ..Query::of_table(&spec.table)
        };
        let onto = onto::open(queries, spec).await?;
        Ok(Self { pinned: pin(query, snapshot)?, column, ids, kept, onto })
    }
}

/// Columns of bytes, pictures mostly, are kept of tables up to this size: they are in memory
/// until the result is written.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// Whether a column that nobody named is kept.
pub(crate) fn is_kept(data_type: &DataType, has_bytes: bool) -> bool {
    let is_bytes = matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    );
    let kind = kind_from_type(data_type);
    is_bytes && has_bytes || !matches!(kind, ColumnKind::Vector | ColumnKind::Nested)
}

/// Columns that are made must not have the names of those that are kept, nor of each other; in
/// whatever case, as Delta has it.
fn check_names<'a>(
    spec: &JobSpec,
    columns: impl Iterator<Item = &'a String>,
) -> Result<(), QueryError> {
    let mut taken: BTreeSet<String> = columns.map(|name| name.to_lowercase()).collect();
    for (at, step) in spec.steps.iter().enumerate() {
        for (name, _) in step.columns() {
            if !taken.insert(name.to_lowercase()) {
                let field =
                    if spec.kind == Kind::Embed { format!("steps[{at}].as") } else { "as".into() };
                let detail = format!("there would be two columns {name:?}; give it another name");
                return Err(QueryError::malformed(field, detail));
            }
        }
    }
    Ok(())
}

/// Those that are named; else those called id, uuid or key; else the row's number.
fn id_columns(schema: &Schema, spec: &JobSpec) -> Result<Vec<String>, QueryError> {
    if let Some(names) = &spec.id {
        for (at, name) in names.iter().enumerate() {
            known(schema, &format!("id[{at}]"), name)?;
        }
        return Ok(names.clone());
    }
    Ok(usual_ids(schema))
}

async fn read(
    queries: &Queries,
    spec: &JobSpec,
    source: &Source,
    teller: &Arc<Teller>,
) -> Result<Vectors, JobFailure> {
    let limits = queries.limits();
    let reader = VectorReader::new(
        &source.column,
        spec.normalize,
        limits.memory_bytes,
        limits.spill_dir.clone(),
    )
    .keeping(spec.keep_vectors);
    let total = source.pinned.snapshot.rows();
    let teller = Arc::clone(teller);
    let read = Mutex::new(0_u64);
    let take = move |reader: &mut VectorReader, batch: &RecordBatch| {
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        *read += batch.num_rows() as u64;
        let share = total.map_or(0.5, |total| *read as f64 / total.max(1) as f64);
        teller.tell(READ * share.min(1.0), "reading", format!("{} rows read", *read));
        reader.push(batch)
    };
    queries.fold(source.pinned.clone(), reader, take).await??.finish()
}

async fn compute(
    queries: &Queries,
    spec: &JobSpec,
    vectors: &Arc<Vectors>,
    onto: Option<Onto>,
    teller: &Arc<Teller>,
) -> Result<Vec<steps::Made>, JobFailure> {
    let (spec, vectors, teller) = (spec.clone(), Arc::clone(vectors), Arc::clone(teller));
    let threads = queries.limits().threads;
    let work = move || -> Result<Vec<steps::Made>, JobFailure> {
        let share = (1.0 - READ - WRITE) / spec.steps.len() as f64;
        let numbered = spec.steps.iter().enumerate();
        let mut made: Vec<steps::Made> = Vec::with_capacity(spec.steps.len());
        for (at, step) in numbered {
            let begin = READ + share * at as f64;
            let watch = StepWatch { teller: &teller, phase: step.work.algorithm(), begin, share };
            let (seed, backend) = (spec.seed, spec.backend);
            let vectors = vectors.as_ref();
            let has_neighbours = spec.neighbours_into.is_some();
            let onto = onto.as_ref();
            let task = steps::Task { step, vectors, seed, threads, backend, has_neighbours, onto };
            made.push(task.run(&spec.steps, &made, &watch)?);
        }
        let are_found = made.iter().any(|made| made.neighbours.is_some());
        if let (true, false, Some(last)) =
            (spec.neighbours_into.is_some(), are_found, made.last_mut())
        {
            let watch =
                StepWatch { teller: &teller, phase: "neighbours", begin: 1.0 - WRITE, share: 0.0 };
            let k = further::NEIGHBOURS.min(vectors.rows().saturating_sub(1));
            let found = knn::nearest(vectors.as_ref(), k, Some(threads), spec.seed, &watch)?;
            last.neighbours = Some(found.neighbours);
        }
        Ok(made)
    };
    let computed = tokio::task::spawn_blocking(work).await;
    computed.map_err(|error| JobFailure::Ended(format!("the computation panicked: {error}")))?
}

/// Tells a report, not more often than somebody can read it.
pub(super) struct Teller {
    report: Arc<dyn Report>,
    last: Mutex<Option<(Instant, Told)>>,
}

/// Between two reports of the same phase.
const PAUSE: Duration = Duration::from_millis(100);

impl Teller {
    pub(super) fn new(report: Arc<dyn Report>) -> Self {
        Self { report, last: Mutex::new(None) }
    }

    pub(super) fn tell(&self, progress: f64, phase: &str, message: String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Told { progress, phase: phase.to_owned(), message };
        if let Some((when, before)) = last.as_ref() {
            told.progress = told.progress.max(before.progress);
            if told.phase == before.phase && told.progress < 1.0 && when.elapsed() < PAUSE {
                return;
            }
        }
        self.report.tell(told.clone());
        *last = Some((Instant::now(), told));
    }
}

struct StepWatch<'a> {
    teller: &'a Teller,
    phase: &'static str,
    begin: f64,
    share: f64,
}

impl Watch for StepWatch<'_> {
    fn progress(&self, phase: Phase, done: u64, of: u64) {
        let part = |done: u64| done as f64 / of.max(1) as f64;
        // Iterations mostly end long before the most that there may be.
        let (share, message) = match phase {
            Phase::Init => (0.2 * part(done), "choosing where clusters begin".to_owned()),
            Phase::Iterations => {
                let done = done as f64;
                (0.2 + 0.7 * done / (done + 10.0), format!("iteration {done}"))
            }
            // Principal components are all of one algorithm, and only the beginning of another.
            Phase::Pass if matches!(self.phase, "umap" | "tsne") => {
                (0.05 * part(done), "a first layout".to_owned())
            }
            Phase::Pass if self.phase == "hdbscan" => {
                (0.5 + 0.4 * part(done), format!("{:.0} % of the tree", 100.0 * part(done)))
            }
            Phase::Pass => (0.8 * part(done), format!("{:.0} % of the rows", 100.0 * part(done))),
            Phase::Neighbours => {
                let message = format!("neighbours of {:.0} % of the rows", 100.0 * part(done));
                (0.05 + 0.45 * part(done), message)
            }
            Phase::Epochs => {
                let what = if self.phase == "tsne" { "iteration" } else { "epoch" };
                (0.5 + 0.4 * part(done), format!("{what} {done} of {of}"))
            }
            Phase::Measures => (0.9 + 0.1 * part(done), "measuring".to_owned()),
        };
        self.teller.tell(self.begin + self.share * share, self.phase, message);
    }
}
