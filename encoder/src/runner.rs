//! Many rows, over threads, handed out in batches and in order: whoever keeps a batch can go on
//! after its last row another time.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::encoder::{Encoded, Encoder, Source};
use crate::error::{Error, Failure};

/// How rows are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Rows that are handed out together.
    pub batch: usize,
    /// As many as there are processors where there is none.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Run {
    fn default() -> Self {
        Self { batch: 256, threads: None }
    }
}

/// Told of progress, and asked before each row whether to go on.
pub trait Watch: Sync {
    /// So many rows are behind us, those without a vector among them. Comes from any thread.
    fn progress(&self, done: u64);

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody waits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _: u64) {}
}

/// A row with what became of it.
type Row<I> = (I, Result<Encoded, Failure>);

/// Computes vectors of `rows`, and gives them to `keep` batch by batch in their order; also of
/// rows that failed, with why. Gives how many rows there were. Ends with what `keep` says went
/// wrong, or when `watch` says so: after the rows that are being computed, and without the batch
/// that they are of.
pub fn run<I>(
    encoder: &Encoder,
    rows: impl IntoIterator<Item = (I, Source)>,
    options: &Run,
    watch: &dyn Watch,
    mut keep: impl FnMut(Vec<Row<I>>) -> Result<(), String>,
) -> Result<u64, Error> {
    if options.batch == 0 {
        return Err(Error::BadBatch(options.batch));
    }
    let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = options.threads.unwrap_or_else(available).get();
    let mut rows = rows.into_iter();
    let done = AtomicU64::new(0);
    let mut kept = 0;
    loop {
        let mut ids = Vec::new();
        let mut sources = Vec::new();
        while sources.len() < options.batch {
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let Some((id, source)) = rows.next() else { break };
            ids.push(id);
            sources.push(source);
        }
        if sources.is_empty() {
            return Ok(kept);
        }
        let results = encode_all(encoder, &sources, threads, watch, &done);
        let results = results.ok_or(Error::Cancelled)?;
        kept += results.len() as u64;
        keep(ids.into_iter().zip(results).collect()).map_err(Error::Refused)?;
    }
}

/// All rows of a batch, in their order; none if somebody wants it ended.
fn encode_all(
    encoder: &Encoder,
    sources: &[Source],
    threads: usize,
    watch: &dyn Watch,
    done: &AtomicU64,
) -> Option<Vec<Result<Encoded, Failure>>> {
    let together: Vec<&[Source]> = sources.chunks(encoder.model().batch()).collect();
    let next = AtomicUsize::new(0);
    let finished = Mutex::new(Vec::with_capacity(together.len()));
    let work = || {
        // Whoever is free takes the next: pictures differ in how long they take.
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(group) = together.get(at).filter(|_| !watch.is_cancelled()) else { return };
            let results = encoder.encode_together(&group.iter().collect::<Vec<_>>());
            let rows = results.len() as u64;
            finished.lock().unwrap_or_else(PoisonError::into_inner).push((at, results));
            watch.progress(done.fetch_add(rows, Ordering::Relaxed) + rows);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(together.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    finished.sort_by_key(|(at, _)| *at);
    let is_whole = finished.len() == together.len();
    is_whole.then(|| finished.into_iter().flat_map(|(_, results)| results).collect())
}
