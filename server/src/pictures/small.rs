//! Pictures made smaller: many of them are shown at once, and none of those larger than a stamp.

use std::sync::Arc;

use bytes::Bytes;
use encoder::{Limits, thumbnail};
use tokio::sync::Semaphore;

/// Files that are not worth the work.
const SMALL_BYTES: usize = 24 << 10;
/// Larger ones are handed on as they are: a picture takes 4 bytes a pixel, and as much again.
const LIMITS: Limits = Limits { pixels: 40_000_000, bytes: super::BYTES_MAX as u64 };

/// One for each processor, but a few at most: each may take 300 MB.
pub(super) fn turns() -> Arc<Semaphore> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(cores.min(4)))
}

/// A smaller picture; none where it is small as it is, or is of a kind that is not decoded here.
pub(super) async fn jpeg(turns: &Arc<Semaphore>, whole: &Bytes, side: u32) -> Option<Bytes> {
    if whole.len() <= SMALL_BYTES {
        return None;
    }
    let turn = Arc::clone(turns).acquire_owned().await.ok()?;
    let bytes = whole.clone();
    let made = tokio::task::spawn_blocking(move || {
        let made = thumbnail(&bytes, side, &LIMITS);
        drop(turn);
        made.ok()
    });
    let small = made.await.ok().flatten()?;
    (small.len() < whole.len()).then(|| small.into())
}
