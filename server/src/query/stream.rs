//! Answers that the server itself reads batch by batch, however long they are: for jobs, which
//! have no reader to wait for and no limit of time.

use std::sync::Arc;

use arrow_array::RecordBatch;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::executor::Task;
use super::failure::QueryFailure;
use super::{Pinned, Queries};

/// Batches that are read before somebody takes them.
const AHEAD: usize = 2;

impl Queries {
    /// Gives each batch of an answer to somebody who takes his time; the task says how reading
    /// ended, once all are taken or nobody takes them any more.
    pub fn batches(&self, pinned: Pinned) -> (mpsc::Receiver<RecordBatch>, Task<()>) {
        let mut run = self.run(pinned, Arc::default());
        run.limits.rows = None;
        let (give, take) = mpsc::channel(AHEAD);
        let work = async move {
            let mut batches = run.batches().await?.stream;
            while let Some(batch) = batches.next().await {
                if give.send(batch?).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        (take, self.executor.spawn(work))
    }

    /// Gives each batch of an answer to `take`, on the threads that compute, until it refuses one.
    pub async fn fold<T, E>(
        &self,
        pinned: Pinned,
        mut state: T,
        take: impl Fn(&mut T, &RecordBatch) -> Result<(), E> + Send + 'static,
    ) -> Result<Result<T, E>, QueryFailure>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let mut run = self.run(pinned, Arc::default());
        run.limits.rows = None;
        let work = async move {
            let mut batches = run.batches().await?.stream;
            while let Some(batch) = batches.next().await {
                if let Err(refused) = take(&mut state, &batch?) {
                    return Ok(Err(refused));
                }
            }
            Ok(Ok(state))
        };
        self.executor.spawn(work).await
    }
}
