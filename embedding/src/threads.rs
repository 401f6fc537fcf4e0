//! Items given out to threads, until somebody cancels.

use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::watch::Watch;

/// Calls `work` for each item, by as many threads as there are `workers`, each with one of
/// them to itself. The first error ends it, and so does `watch`, which is asked before each.
pub(crate) fn for_each<W: Send, T: Send>(
    items: &mut [T],
    workers: &mut [W],
    watch: &dyn Watch,
    work: impl Fn(&mut W, usize, &mut T) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let left = Mutex::new((items.iter_mut().enumerate(), None));
    let run = |worker: &mut W| {
        loop {
            let next = {
                let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                if left.1.is_some() { None } else { left.0.next() }
            };
            let Some((index, item)) = next else { break };
            let done = match watch.is_cancelled() {
                true => Err(Error::Cancelled),
                false => work(worker, index, item),
            };
            if let Err(error) = done {
                let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                left.1.get_or_insert(error);
            }
        }
    };
    match workers {
        [only] => run(only),
        // In a browser there is one thread, however many are asked for.
        [first, ..] if cfg!(target_arch = "wasm32") => run(first),
        _ => std::thread::scope(|scope| {
            for worker in workers {
                scope.spawn(|| run(worker));
            }
        }),
    }
    let (_, failed) = left.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(Ok(()), Err)
}

/// Threads to use where nobody says how many.
pub(crate) fn available() -> usize {
    match cfg!(target_arch = "wasm32") {
        true => 1,
        false => std::thread::available_parallelism().map_or(1, usize::from),
    }
}
