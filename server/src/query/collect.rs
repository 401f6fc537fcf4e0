//! Answers that the server itself reads: all batches in memory, within the same limits.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::StreamExt;

use super::encode::{Representation, encoder, plain};
use super::failure::QueryFailure;
use super::produce::{Run, answer_schema, check_rows_max};
use super::{Pinned, Queries};
use crate::scan::ScanCounts;

/// Bytes that an encoder of a whole answer may hold back.
const BYTES_MAX: usize = 64 << 20;

/// A whole answer, accounted for as long as it is kept.
#[derive(Debug)]
pub struct Collected {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    /// What was read for it.
    pub counts: ScanCounts,
    _reservation: MemoryReservation,
}

impl Queries {
    /// Computes several answers on one turn, each on its own and of `rows_max` rows at most; the
    /// first failure ends all, and comes with its place among them.
    pub async fn collect(
        &self,
        pinned: Vec<Pinned>,
        rows_max: Option<u64>,
    ) -> Result<Vec<Collected>, (usize, QueryFailure)> {
        let turn = self.admission.turn().await.map_err(|failure| (0, failure))?;
        let limit = self.limits.time;
        let tasks = pinned.into_iter().enumerate().map(|(place, pinned)| {
            let mut run = self.run(pinned, Arc::default());
            run.limits.rows = rows_max;
            let task = self.executor.spawn(collect(run));
            async move {
                let done = tokio::time::timeout(limit, task).await;
                done.unwrap_or(Err(QueryFailure::TimedOut { limit })).map_err(|f| (place, f))
            }
        });
        let collected = futures::future::try_join_all(tasks).await;
        drop(turn);
        collected
    }
}

impl Collected {
    /// The answer in a format, appended to `out`.
    pub fn encode(
        &self,
        pinned: &Pinned,
        representation: Representation,
        out: &mut Vec<Bytes>,
    ) -> Result<(), QueryFailure> {
        let schema = answer_schema(pinned, &self.schema);
        let Representation { format, compression, .. } = representation;
        let mut encoder = encoder(format, compression, &schema, BYTES_MAX)?;
        for batch in self.batches.iter().filter(|batch| batch.num_rows() > 0) {
            for part in plain::batches(batch, &schema)? {
                encoder.write(&part, out)?;
            }
        }
        Ok(encoder.finish(out)?)
    }
}

async fn collect(run: Run) -> Result<Collected, QueryFailure> {
    let (reservation, report) = (run.reservation("collected answer"), Arc::clone(&run.report));
    let mut answer = run.batches().await?;
    check_rows_max(&run, &answer)?;
    let mut batches = Vec::new();
    while let Some(batch) = answer.stream.next().await {
        let batch = batch?;
        reservation.try_grow(batch.get_array_memory_size())?;
        batches.push(batch);
    }
    let counts = report.counts();
    Ok(Collected { schema: answer.schema, batches, counts, _reservation: reservation })
}
