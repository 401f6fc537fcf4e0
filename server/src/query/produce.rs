//! The task behind an answer: plan, compute, encode, hand over, within time and rows.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc::Sender;

use super::admission::Turn;
use super::encode::compress::Compressor;
use super::encode::{AnswerFormat, Encoder, Representation, encoder, plain};
use super::failure::QueryFailure;
use super::{Pinned, groups, rows};
use crate::config::Limits;
use crate::scan::{ScanOptions, ScanReport};

/// What an answer's task hands over, in this order.
#[derive(Debug)]
pub(super) enum Part {
    Head(SchemaRef),
    Chunks(Vec<Bytes>),
    /// All was handed over.
    Done {
        rows: u64,
    },
}

/// A reader that takes nothing for this long has gone away without saying so.
const STALL_MAX: Duration = Duration::from_secs(120);

/// One query being answered.
pub(super) struct Run {
    pub(super) pinned: Pinned,
    pub(super) session: Arc<SessionState>,
    pub(super) report: Arc<ScanReport>,
    pub(super) limits: Limits,
}

/// Batches of one schema in the order of the answer.
pub(super) struct Batches {
    pub(super) schema: SchemaRef,
    pub(super) stream: BoxStream<'static, Result<RecordBatch, QueryFailure>>,
    /// How many rows there will be at most, where that is known.
    pub(super) rows_max: Option<u64>,
}

impl Run {
    pub(super) fn reservation(&self, name: &str) -> MemoryReservation {
        MemoryConsumer::new(name).register(&self.session.runtime_env().memory_pool)
    }

    /// The scan of some columns, in the order given.
    pub(super) async fn scan(
        &self,
        options: ScanOptions,
        columns: &[String],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, QueryFailure> {
        let table = self.pinned.snapshot.provider(options);
        let schema = table.schema();
        let projection = columns.iter().map(|name| schema.index_of(name));
        let projection = projection.collect::<Result<Vec<_>, _>>()?;
        Ok(table.scan(self.session.as_ref(), Some(&projection), &[], limit).await?)
    }

    /// All partitions of a scan at once, in any order.
    pub(super) async fn scan_merged(
        &self,
        options: ScanOptions,
        columns: &[String],
        limit: Option<usize>,
    ) -> Result<SendableRecordBatchStream, QueryFailure> {
        let scan = self.scan(options, columns, limit).await?;
        self.execute(Arc::new(CoalescePartitionsExec::new(scan)))
    }

    /// The one partition of a plan.
    pub(super) fn execute(
        &self,
        plan: Arc<dyn ExecutionPlan>,
    ) -> Result<SendableRecordBatchStream, QueryFailure> {
        Ok(plan.execute(0, self.session.task_ctx())?)
    }

    pub(super) async fn batches(&self) -> Result<Batches, QueryFailure> {
        match self.pinned.query.is_grouped() {
            true => groups::batches(self).await,
            false => rows::batches(self).await,
        }
    }
}

/// Answers a query: sends its parts, or why there are no more.
pub(super) async fn run(
    run: Run,
    representation: Representation,
    sender: Sender<Result<Part, QueryFailure>>,
    _turn: Turn,
) -> Result<(), QueryFailure> {
    let mut handover = Handover { sender, clock: Clock::new(run.limits.time) };
    match produce(&run, representation, &mut handover).await {
        Ok(rows) => {
            log(&run, rows, handover.clock.used);
            handover.send(Part::Done { rows }).await
        }
        Err(failure) => {
            // Nobody may be there to hear it.
            drop(handover.sender.send(Err(failure)).await);
            Ok(())
        }
    }
}

async fn produce(
    run: &Run,
    representation: Representation,
    handover: &mut Handover,
) -> Result<u64, QueryFailure> {
    let batches = handover.clock.time(run.batches()).await??;
    check_rows_max(run, &batches)?;
    let schema = answer_schema(&run.pinned, &batches.schema);
    handover.send(Part::Head(Arc::clone(&schema))).await?;
    let Representation { format, compression, .. } = representation;
    let held_back = run.reservation("encoder");
    let bytes_max = run.limits.encoder_bytes();
    if format == AnswerFormat::Parquet {
        held_back.try_grow(bytes_max)?;
    }
    let mut writer = Writer {
        encoder: encoder(format, compression, &schema, bytes_max)?,
        compressor: Compressor::new(representation.encoding),
        schema,
        rows: 0,
    };
    let mut stream = batches.stream;
    while let Some(batch) = handover.clock.time(stream.next()).await? {
        let began = Instant::now();
        let chunks = writer.write(&batch?)?;
        handover.clock.used += began.elapsed();
        if !chunks.is_empty() {
            handover.send(Part::Chunks(chunks)).await?;
        }
    }
    let rows = writer.rows;
    handover.send(Part::Chunks(writer.finish()?)).await?;
    Ok(rows)
}

/// Refuses an answer that may be longer than answers may be.
pub(super) fn check_rows_max(run: &Run, batches: &Batches) -> Result<(), QueryFailure> {
    match (run.limits.rows, batches.rows_max) {
        (Some(limit), Some(rows)) if rows > limit => Err(QueryFailure::TooManyRows { rows, limit }),
        _ => Ok(()),
    }
}

/// The schema of an answer: plain types, and what the answer is of.
pub(super) fn answer_schema(pinned: &Pinned, schema: &Schema) -> SchemaRef {
    let snapshot = &pinned.snapshot;
    let mut facts = vec![
        ("limn.table", snapshot.table().to_owned()),
        ("limn.version", snapshot.version().to_string()),
        ("limn.reduction", pinned.key.reduction.name().to_owned()),
    ];
    facts.extend(snapshot.rows().map(|rows| ("limn.total_rows", rows.to_string())));
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value));
    Arc::new(plain::schema(schema).with_metadata(facts.collect()))
}

fn log(run: &Run, n_rows: u64, computed: Duration) {
    let counts = run.report.counts();
    tracing::info!(
        table.name = run.pinned.snapshot.table(),
        table.version = %run.pinned.snapshot.version(),
        n_rows,
        computed_millis = computed.as_millis() as u64,
        files_read = counts.files_read,
        bytes_read = counts.bytes_read,
        "answered {n_rows} rows of {}",
        run.pinned.snapshot.table(),
    );
}

/// Batches in, compressed chunks out.
struct Writer {
    encoder: Box<dyn Encoder>,
    compressor: Compressor,
    schema: SchemaRef,
    rows: u64,
}

impl Writer {
    fn write(&mut self, batch: &RecordBatch) -> Result<Vec<Bytes>, QueryFailure> {
        let mut chunks = Vec::new();
        if batch.num_rows() > 0 {
            for part in plain::batches(batch, &self.schema)? {
                self.encoder.write(&part, &mut chunks)?;
            }
            self.rows += batch.num_rows() as u64;
        }
        Ok(self.compressor.push(chunks).map_err(super::encode::EncodeError::from)?)
    }

    fn finish(mut self) -> Result<Vec<Bytes>, QueryFailure> {
        let mut chunks = Vec::new();
        self.encoder.finish(&mut chunks)?;
        let mut chunks = self.compressor.push(chunks).map_err(super::encode::EncodeError::from)?;
        chunks.extend(self.compressor.finish().map_err(super::encode::EncodeError::from)?);
        Ok(chunks)
    }
}

/// The way to the reader, and the time that was spent computing for it.
struct Handover {
    sender: Sender<Result<Part, QueryFailure>>,
    clock: Clock,
}

impl Handover {
    /// Waits for the reader, which costs no computing time.
    async fn send(&mut self, part: Part) -> Result<(), QueryFailure> {
        match tokio::time::timeout(STALL_MAX, self.sender.send(Ok(part))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(QueryFailure::Cancelled),
            Err(_) => Err(QueryFailure::Stalled { waited: STALL_MAX }),
        }
    }
}

/// Computing time, and its limit.
struct Clock {
    limit: Duration,
    used: Duration,
}

impl Clock {
    fn new(limit: Duration) -> Self {
        Self { limit, used: Duration::ZERO }
    }

    async fn time<F: Future>(&mut self, work: F) -> Result<F::Output, QueryFailure> {
        let began = Instant::now();
        let left = self.limit.saturating_sub(self.used);
        let done = tokio::time::timeout(left, work).await;
        self.used += began.elapsed();
        done.map_err(|_| QueryFailure::TimedOut { limit: self.limit })
    }
}
