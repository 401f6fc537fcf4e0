//! Groups that do not fit in memory together: rows are dealt out to files by their keys, the
//! groups of each file are worked out for themselves, and a sort that can spill, too, puts all
//! groups in order.
//!
//! The groups of a file that still are too many are dealt out again, by another hash. What a
//! query holds meanwhile stays within a share of the pool that it takes at the beginning, so
//! that the sort behind it cannot take that away.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, UInt32Array};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SpillFile, SpillWriter, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::SpillManager;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use engine::group::Grouper;
use engine::query::{Aggregate, GroupKey};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::task::JoinSet;

use super::encode::plain;
use super::executor::join_failure;
use super::failure::QueryFailure;
use super::produce::Run;

/// Files that rows are dealt out to at once.
const FAN_OUT: u32 = 16;

/// How often the rows of a file are dealt out again: with sixteen files each, enough for any
/// number of groups that a disk holds.
const DEPTH_MAX: u64 = 6;

/// Rows of a batch that is written.
const WRITTEN_ROWS: usize = 1024;

/// Rows of a batch of groups.
const GROUP_ROWS: usize = 8192;

/// Below this share of memory nothing can be worked out.
const SHARE_MIN: usize = 1 << 20;

/// The groups of a query, file by file, in no order.
pub(super) struct Spilled {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    /// How many groups have left the files so far.
    pub(super) groups: Arc<AtomicU64>,
}

/// Deals out the rows of a scan, and makes a plan of what is then to be done with them.
pub(super) async fn groups(
    run: &Run,
    scan: Arc<dyn ExecutionPlan>,
) -> Result<Spilled, QueryFailure> {
    let share = Share::take(run)?;
    let schema = Arc::new(plain::schema_by(&scan.schema(), |data_type| {
        plain::without_dictionary(&plain::data_type(data_type))
    }));
    let query = &run.pinned.query;
    let rows = Rows {
        group_by: query.group_by.clone(),
        aggregates: query.aggregates.clone(),
        disk: Arc::clone(run.session.runtime_env()),
        schema,
    };
    let rows = Arc::new(rows);
    let dealer = Arc::new(Dealer::new(&rows, 0)?);
    // Dropped with this future, and all of it stops.
    let mut tasks = JoinSet::new();
    for partition in 0..scan.properties().output_partitioning().partition_count() {
        let batches = scan.execute(partition, run.session.task_ctx())?;
        tasks.spawn(deal(batches, Arc::clone(&dealer)));
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(join_failure)??;
    }
    let left = dealer.finish()?;
    let schema = Arc::clone(rows.grouper()?.schema());
    let groups = Arc::new(AtomicU64::new(0));
    let buckets =
        Buckets { rows, share, left, ready: VecDeque::new(), groups: Arc::clone(&groups) };
    let stream = GroupsStream { schema: Arc::clone(&schema), buckets: Mutex::new(Some(buckets)) };
    let plan = StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, [], false, None)?;
    Ok(Spilled { plan: Arc::new(plan), groups })
}

/// Memory that is set aside for one query's work on files, whatever of it is in use.
struct Share {
    bytes: usize,
    reservation: MemoryReservation,
}

impl Share {
    /// As much of half the pool as can be had.
    fn take(run: &Run) -> Result<Self, QueryFailure> {
        let reservation = run.reservation("groups on disk");
        let mut bytes = (run.limits.memory_bytes / 2).max(SHARE_MIN);
        loop {
            match reservation.try_grow(bytes) {
                Ok(()) => return Ok(Self { bytes, reservation }),
                Err(error) if bytes / 2 < SHARE_MIN => return Err(error.into()),
                Err(_) => bytes /= 2,
            }
        }
    }

    /// Refuses what is more than the share.
    fn check(&self, bytes: usize) -> Result<(), QueryFailure> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let consumer = self.reservation.consumer().name();
        let detail = format!("{consumer} need {bytes} bytes of the {} set aside", self.bytes);
        Err(QueryFailure::OutOfMemory { detail })
    }
}

/// The rows that are grouped: their schema in files, and what is asked of them.
struct Rows {
    schema: SchemaRef,
    group_by: Vec<GroupKey>,
    aggregates: Vec<Aggregate>,
    disk: Arc<RuntimeEnv>,
}

impl Rows {
    fn grouper(&self) -> Result<Grouper, QueryFailure> {
        Ok(Grouper::new(&self.group_by, &self.aggregates, &self.schema)?)
    }
}

/// Rows of one part of the groups.
struct Bucket {
    file: Arc<dyn SpillFile>,
    rows: u64,
    depth: u64,
}

/// Deals rows out to the files of one depth; several tasks may.
struct Dealer {
    rows: Arc<Rows>,
    depth: u64,
    grouper: Grouper,
    files: Vec<Mutex<Option<Draft>>>,
}

/// A file that is being written.
struct Draft {
    file: Arc<dyn SpillFile>,
    writer: StreamWriter<BufWriter<Box<dyn SpillWriter>>>,
    rows: u64,
}

/// Bytes that are written to a file at once.
const WRITTEN_BYTES: usize = 16 << 10;

impl Draft {
    fn new(rows: &Rows) -> Result<Self, QueryFailure> {
        let file = rows.disk.disk_manager.create_tmp_file("groups")?;
        let out = BufWriter::with_capacity(WRITTEN_BYTES, file.open_writer()?);
        let writer = StreamWriter::try_new(out, &rows.schema)?;
        Ok(Self { file, writer, rows: 0 })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryFailure> {
        self.rows += batch.num_rows() as u64;
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self, depth: u64) -> Result<Bucket, QueryFailure> {
        self.writer.finish()?;
        let mut out = self.writer.into_inner()?;
        out.flush().map_err(DataFusionError::from)?;
        out.get_mut().finish()?;
        Ok(Bucket { file: self.file, rows: self.rows, depth })
    }
}

impl Dealer {
    fn new(rows: &Arc<Rows>, depth: u64) -> Result<Self, QueryFailure> {
        let files = (0..FAN_OUT).map(|_| Mutex::new(None)).collect();
        Ok(Self { rows: Arc::clone(rows), depth, grouper: rows.grouper()?, files })
    }

    fn write(&self, part: usize, batches: &[RecordBatch]) -> Result<(), QueryFailure> {
        let Some(file) = self.files.get(part) else { return Ok(()) };
        let batch = concat_batches(&self.rows.schema, batches)?;
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.as_mut() {
            Some(draft) => draft.write(&batch),
            None => file.insert(Draft::new(&self.rows)?).write(&batch),
        }
    }

    /// The files that got rows.
    fn finish(&self) -> Result<Vec<Bucket>, QueryFailure> {
        let drafts = self
            .files
            .iter()
            .filter_map(|file| file.lock().unwrap_or_else(PoisonError::into_inner).take());
        drafts.map(|draft| draft.finish(self.depth)).collect()
    }
}

/// Deals out all rows of a stream.
async fn deal(
    mut batches: SendableRecordBatchStream,
    dealer: Arc<Dealer>,
) -> Result<(), QueryFailure> {
    let mut waiting: Vec<(Vec<RecordBatch>, usize)> =
        (0..FAN_OUT).map(|_| (Vec::new(), 0)).collect();
    while let Some(batch) = batches.next().await {
        tokio::task::yield_now().await;
        for batch in plain::batches(&batch?, &dealer.rows.schema)? {
            let parts = dealer.grouper.parts(&batch, 0, dealer.depth, FAN_OUT)?;
            let mut picked: Vec<Vec<u32>> = vec![Vec::new(); FAN_OUT as usize];
            for (row, part) in parts.into_iter().enumerate() {
                if let Some(picked) = picked.get_mut(part as usize) {
                    picked.push(row as u32);
                }
            }
            for (part, ((waiting, rows), picked)) in waiting.iter_mut().zip(picked).enumerate() {
                if picked.is_empty() {
                    continue;
                }
                *rows += picked.len();
                waiting.push(take_record_batch(&batch, &UInt32Array::from(picked))?);
                if *rows >= WRITTEN_ROWS {
                    dealer.write(part, waiting)?;
                    waiting.clear();
                    *rows = 0;
                }
            }
        }
    }
    for (part, (waiting, _)) in waiting.iter().enumerate().filter(|(_, (w, _))| !w.is_empty()) {
        dealer.write(part, waiting)?;
    }
    Ok(())
}

/// Files whose groups are still to be worked out, one after the other.
struct Buckets {
    rows: Arc<Rows>,
    share: Share,
    left: Vec<Bucket>,
    ready: VecDeque<RecordBatch>,
    groups: Arc<AtomicU64>,
}

impl Buckets {
    async fn next(&mut self) -> Result<Option<RecordBatch>, QueryFailure> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            let Some(bucket) = self.left.pop() else { return Ok(None) };
            match self.group(&bucket).await {
                Ok(groups) => {
                    self.groups.fetch_add(groups.num_rows() as u64, Ordering::Relaxed);
                    self.ready = slices(&groups)?;
                }
                Err(failure @ QueryFailure::OutOfMemory { .. }) => {
                    self.split(bucket, failure).await?;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn group(&self, bucket: &Bucket) -> Result<RecordBatch, QueryFailure> {
        let mut grouper = self.rows.grouper()?;
        let mut batches = self.read(bucket)?;
        while let Some(batch) = batches.next().await {
            tokio::task::yield_now().await;
            grouper.push(&batch?, None, 0)?;
            // As much again for the answer that is made of it, and as much for its slices.
            self.share.check(grouper.byte_count().saturating_mul(3))?;
        }
        Ok(grouper.finish()?)
    }

    /// Deals a file's rows out again. Rows that all stay together are of one group, or of so few
    /// that parting them does not help.
    async fn split(&mut self, bucket: Bucket, failure: QueryFailure) -> Result<(), QueryFailure> {
        if bucket.depth >= DEPTH_MAX {
            return Err(failure);
        }
        let dealer = Arc::new(Dealer::new(&self.rows, bucket.depth + 1)?);
        deal(self.read(&bucket)?, Arc::clone(&dealer)).await?;
        let parts = dealer.finish()?;
        if parts.iter().any(|part| part.rows == bucket.rows) {
            return Err(failure);
        }
        self.left.extend(parts);
        Ok(())
    }

    fn read(&self, bucket: &Bucket) -> Result<SendableRecordBatchStream, QueryFailure> {
        let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        let (disk, schema) = (Arc::clone(&self.rows.disk), Arc::clone(&self.rows.schema));
        let files = SpillManager::new(disk, metrics, schema);
        Ok(files.read_spill_as_stream_unbuffered(Arc::clone(&bucket.file), None)?)
    }
}

/// Batches that do not keep each other in memory.
fn slices(groups: &RecordBatch) -> Result<VecDeque<RecordBatch>, QueryFailure> {
    let rows = groups.num_rows();
    let slice = |start: usize| {
        let rows = start as u32..(start + GROUP_ROWS).min(rows) as u32;
        Ok(take_record_batch(groups, &UInt32Array::from_iter_values(rows))?)
    };
    (0..rows).step_by(GROUP_ROWS).map(slice).collect()
}

/// The buckets as a partition of a plan, which is executed once.
struct GroupsStream {
    schema: SchemaRef,
    buckets: Mutex<Option<Buckets>>,
}

impl fmt::Debug for GroupsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupsStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartitionStream for GroupsStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let taken = self.buckets.lock().unwrap_or_else(PoisonError::into_inner).take();
        let batches = stream::try_unfold(taken, |buckets| async move {
            let Some(mut buckets) = buckets else { return Ok(None) };
            let batch = buckets.next().await?;
            Ok::<_, QueryFailure>(batch.map(|batch| (batch, Some(buckets))))
        });
        let batches = batches.map_err(DataFusionError::from);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
