//! Items given out to threads.

use std::sync::{Mutex, PoisonError};

use crate::Error;

/// Calls `work` for each item, by as many threads as there are `workers`, each with one of
/// them to itself. The first error ends it.
pub(crate) fn for_each<W: Send, T: Send>(
    items: &mut [T],
    workers: &mut [W],
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
            if let Err(error) = work(worker, index, item) {
                let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                left.1.get_or_insert(error);
            }
        }
    };
    match workers {
        [only] => run(only),
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
    std::thread::available_parallelism().map_or(1, usize::from)
}
