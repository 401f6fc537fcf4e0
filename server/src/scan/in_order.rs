//! Puts partitions back in order: several run at once, their batches leave one partition after
//! the other, and what waits for its turn is bounded in bytes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;
use futures::stream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::exec::ScanExec;

/// Bytes of batches that may wait for their turn.
const WAITING_BYTES_MAX: usize = 128 << 20;

/// Batches of the partition whose turn it is that may wait to be taken.
const HEAD_BATCHES_MAX: usize = 4;

/// Rows up to which a limit is small enough to be met by the first partition more often than not.
const SMALL_LIMIT: usize = 100_000;

/// One partition out of several: theirs, one after the other. Keeps the order of rows that the
/// partitions have among them, and still runs several at once.
#[derive(Debug)]
pub struct InOrderExec {
    input: Arc<dyn ExecutionPlan>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl InOrderExec {
    /// The partitions of `input` in their order, and no more than `limit` rows of them.
    pub fn new(input: Arc<dyn ExecutionPlan>, limit: Option<usize>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, limit, properties: Arc::new(properties) }
    }
}

impl DisplayAs for InOrderExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InOrderExec")?;
        self.limit.map_or(Ok(()), |limit| write!(f, ": limit={limit}"))
    }
}

impl ExecutionPlan for InOrderExec {
    fn name(&self) -> &'static str {
        "InOrderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    /// More partitions than the scan chose to have would only be put in order again.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, self.limit))),
            Err(children) => internal_err!("InOrderExec has one input, not {}", children.len()),
        }
    }

    /// The optimizer would take this for an operator that passes a limit through, and lose an
    /// offset; [`Self::with_fetch`] takes the limit in, and hands it on itself.
    fn supports_limit_pushdown(&self) -> bool {
        false
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let scan = self.input.downcast_ref::<ScanExec>();
        let input = scan.map_or_else(|| Arc::clone(&self.input), |scan| scan.with_limit(limit));
        Some(Arc::new(Self::new(input, limit)))
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<datafusion::common::Statistics>],
        _: &datafusion::physical_plan::StatisticsArgs,
    ) -> Result<Arc<datafusion::common::Statistics>> {
        let statistics = inputs.first().map(|input| input.as_ref().clone());
        let statistics = statistics
            .unwrap_or_else(|| datafusion::common::Statistics::new_unknown(&self.schema()));
        Ok(Arc::new(statistics.with_fetch(self.limit, 0, 1)?))
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<datafusion::physical_plan::ChildStats> {
        vec![datafusion::physical_plan::ChildStats::At(None)]
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("InOrderExec has one partition, not {partition}");
        }
        let partitions = self.input.output_partitioning().partition_count();
        let parallel = context.session_config().target_partitions().max(1);
        let consumer = MemoryConsumer::new("InOrderExec");
        let waiting = Waiting {
            state: Mutex::new(WaitingState {
                reservation: consumer.register(context.memory_pool()),
                bytes: 0,
                head: 0,
                head_batches: 0,
            }),
            changed: Notify::new(),
        };
        let small = self.limit.is_some_and(|limit| limit <= SMALL_LIMIT);
        let running = Running {
            input: Arc::clone(&self.input),
            context,
            waiting: Arc::new(waiting),
            partitions,
            next: 0,
            queues: VecDeque::new(),
            tasks: JoinSet::new(),
            // A small limit is met by the first partitions: others start only if they must.
            window: if small { 1 } else { parallel },
            window_max: parallel,
            left: self.limit.unwrap_or(usize::MAX),
        };
        let batches = stream::unfold(Some(running), |running| async move {
            let mut running = running?;
            match running.next_batch().await {
                Ok(Some(batch)) => {
                    let rest = (running.left > 0).then_some(running);
                    Some((Ok(batch), rest))
                }
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// One partition's batches, on their way to the consumer.
type Queue = mpsc::UnboundedReceiver<Result<Message>>;

/// What a partition says. Without an end the rows are not the whole: its task has panicked.
enum Message {
    Batch(RecordBatch),
    End,
}

/// The consumer's side. Dropping it aborts all that runs.
struct Running {
    input: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    waiting: Arc<Waiting>,
    partitions: usize,
    /// The next partition to start.
    next: usize,
    /// Queues of the partitions that were started, the first being the one whose turn it is.
    queues: VecDeque<Queue>,
    tasks: JoinSet<()>,
    window: usize,
    window_max: usize,
    left: usize,
}

impl Running {
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            self.start_more();
            let Some(queue) = self.queues.front_mut() else {
                return Ok(None);
            };
            match queue.recv().await.transpose()? {
                Some(Message::Batch(batch)) => {
                    self.waiting.taken(batch_bytes(&batch));
                    let take = batch.num_rows().min(self.left);
                    self.left -= take;
                    if take == 0 && batch.num_rows() > 0 {
                        return Ok(None);
                    }
                    return Ok(Some(batch.slice(0, take)));
                }
                None => return Err(self.panicked().await),
                Some(Message::End) => {
                    self.queues.pop_front();
                    self.waiting.advance(self.queues.front().map_or(0, Queue::len));
                    self.window = (self.window * 2).min(self.window_max);
                }
            }
        }
    }

    fn start_more(&mut self) {
        while self.next < self.partitions && self.queues.len() < self.window {
            #[expect(clippy::disallowed_methods, reason = "`Waiting` bounds it, by bytes")]
            let (sender, queue) = mpsc::unbounded_channel();
            let (input, context) = (Arc::clone(&self.input), Arc::clone(&self.context));
            let waiting = Arc::clone(&self.waiting);
            let partition = self.next;
            self.tasks.spawn(async move {
                let ended = run(input, context, partition, &waiting, &sender).await;
                // The consumer may be gone, and then nobody wants to know.
                drop(sender.send(ended.map(|()| Message::End)));
            });
            self.queues.push_back(queue);
            self.next += 1;
        }
    }

    /// The panic that ended a task.
    async fn panicked(&mut self) -> DataFusionError {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                return DataFusionError::ExecutionJoin(Box::new(error));
            }
        }
        DataFusionError::Internal("a partition of a scan ended early".to_owned())
    }
}

async fn run(
    input: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    partition: usize,
    waiting: &Waiting,
    sender: &mpsc::UnboundedSender<Result<Message>>,
) -> Result<()> {
    let mut batches = input.execute(partition, context)?;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        waiting.admit(partition, batch_bytes(&batch)).await;
        if sender.send(Ok(Message::Batch(batch))).is_err() {
            break;
        }
    }
    Ok(())
}

fn batch_bytes(batch: &RecordBatch) -> usize {
    batch.get_array_memory_size()
}

/// What waits, and the rule who may add to it: the partition whose turn it is always may, within
/// a few batches; the others as long as there is room.
#[derive(Debug)]
struct Waiting {
    state: Mutex<WaitingState>,
    changed: Notify,
}

#[derive(Debug)]
struct WaitingState {
    reservation: MemoryReservation,
    bytes: usize,
    head: usize,
    head_batches: usize,
}

impl Waiting {
    /// Returns once a batch of a partition may be queued.
    async fn admit(&self, partition: usize, bytes: usize) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listens before it looks, so that no change falls between.
            changed.as_mut().enable();
            if self.try_admit(partition, bytes) {
                return;
            }
            changed.await;
        }
    }

    fn try_admit(&self, partition: usize, bytes: usize) -> bool {
        let mut state = self.lock();
        let is_head = partition == state.head;
        let roomy = state.bytes.saturating_add(bytes) <= WAITING_BYTES_MAX;
        let admitted = match is_head {
            true => state.head_batches < HEAD_BATCHES_MAX,
            false => roomy && state.reservation.try_grow(bytes).is_ok(),
        };
        if !admitted {
            return false;
        }
        if is_head {
            state.head_batches += 1;
            // The turn must pass on even when the pool is exhausted.
            state.reservation.grow(bytes);
        }
        state.bytes += bytes;
        true
    }

    fn taken(&self, bytes: usize) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_sub(bytes);
        state.head_batches = state.head_batches.saturating_sub(1);
        let held = bytes.min(state.reservation.size());
        state.reservation.shrink(held);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Passes the turn on to the next partition, of which some batches may wait already.
    fn advance(&self, queued: usize) {
        let mut state = self.lock();
        state.head += 1;
        state.head_batches = queued;
        drop(state);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, WaitingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
