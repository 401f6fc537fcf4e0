//! Who may compute now: so many queries at a time, a short queue, and a clear no to the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::QueryFailure;

/// The turns of a server.
#[derive(Debug)]
pub struct Admission {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    wait: Duration,
}

/// The right to compute; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    pub fn new(concurrency: usize, queue: usize, wait: Duration) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(concurrency)),
            waiting: AtomicUsize::new(0),
            queue,
            wait,
        }
    }

    /// A turn at once, or after a wait in the queue.
    pub async fn turn(&self) -> Result<Turn, QueryFailure> {
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(Turn { _permit: permit });
        }
        let retry_after = self.wait.max(Duration::from_secs(1));
        let Some(_place) = Place::take(&self.waiting, self.queue) else {
            return Err(QueryFailure::QueueFull { retry_after });
        };
        match tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            Ok(Err(_)) => Err(QueryFailure::Cancelled),
            Err(_) => Err(QueryFailure::NoTurn { waited: self.wait, retry_after }),
        }
    }
}

/// A place in the queue; given back when dropped, also by a caller that went away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, queue: usize) -> Option<Self> {
        let taken = waiting.fetch_add(1, Ordering::SeqCst) + 1;
        let place = Self(waiting);
        (taken <= queue).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn turns_are_waited_for_then_refused() {
        let admission = Arc::new(Admission::new(1, 1, Duration::from_millis(50)));
        let first = admission.turn().await.unwrap();
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.turn().await.map(|_| ()) }
        });
        while admission.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(admission.turn().await, Err(QueryFailure::QueueFull { .. })));
        assert!(matches!(waiting.await.unwrap(), Err(QueryFailure::NoTurn { .. })));
        drop(first);
        assert!(admission.turn().await.is_ok());
        assert_eq!(admission.waiting.load(Ordering::SeqCst), 0);
    }
}
