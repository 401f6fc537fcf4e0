//! Where queries compute: a runtime of their own, so that no plan can keep the server from
//! accepting connections or a store from being read. The only place that spawns work.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinError, JoinHandle};

use super::failure::QueryFailure;

/// The threads that compute.
#[derive(Debug)]
pub struct Executor {
    /// Taken when the executor is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    threads: usize,
}

impl Executor {
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("limn-compute")
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime), threads })
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` to its end, or until the task is dropped.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, QueryFailure>> + Send + 'static,
    ) -> Task<T> {
        Task(self.handle.spawn(work))
    }
}

impl Drop for Executor {
    /// Waiting for the threads is not allowed where an async runtime may drop this.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work that is under way. Dropping it stops the work at its next pause.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<Result<T, QueryFailure>>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, QueryFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.0).poll(context);
        ended.map(|ended| ended.unwrap_or_else(|error| Err(join_failure(error))))
    }
}

/// Why a task ended without a result.
pub(super) fn join_failure(error: JoinError) -> QueryFailure {
    match error.try_into_panic() {
        Ok(panic) => QueryFailure::Panicked { message: panic_message(&*panic) },
        Err(_) => QueryFailure::Cancelled,
    }
}

/// The text of a panic's payload, if it is one.
pub fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_dropped_task_stops_and_a_panic_is_an_error() {
        let executor = Executor::new(1).unwrap();
        struct Ended(Arc<AtomicBool>);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let ended = Arc::new(AtomicBool::new(false));
        let guard = Ended(Arc::clone(&ended));
        let task = executor.spawn(async move {
            let _guard = guard;
            std::future::pending::<Result<(), QueryFailure>>().await
        });
        drop(task);
        for _ in 0..100 {
            if ended.load(Ordering::SeqCst) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(ended.load(Ordering::SeqCst));

        let panicked = executor.spawn::<()>(async { panic!("at the disco") }).await;
        let message = panicked.unwrap_err().to_string();
        assert_eq!(message, "the query panicked: at the disco");
    }
}
