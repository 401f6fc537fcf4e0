//! Where bytes come from: a file of which any part can be read, a text that comes from front
//! to back, and a folder whose files are asked for by name. Pure: what the browser offers
//! implements these.

use std::ops::Range;
use std::task::Poll;

use bytes::Bytes;

use super::stream::ReadError;

/// A file that can be read anywhere.
#[expect(async_fn_in_trait, reason = "one thread, and no caller outside of this crate")]
pub trait Source {
    fn size(&self) -> u64;

    /// The bytes of each range, or an error: never fewer.
    async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError>;

    async fn read_one(&self, start: u64, n_bytes: u64) -> Result<Bytes, ReadError> {
        let end = start.saturating_add(n_bytes);
        let read = self.read(std::slice::from_ref(&(start..end))).await?;
        read.into_iter().next().ok_or_else(|| ReadError::Bad("nothing was read".to_owned()))
    }
}

/// A text on its way, piece by piece.
#[expect(async_fn_in_trait, reason = "one thread, and no caller outside of this crate")]
pub trait Chunks {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError>;

    /// From the start again.
    async fn restart(&mut self) -> Result<(), ReadError>;

    /// After how many bytes starting again is dear: types are found before.
    fn cheap_bytes(&self) -> u64;
}

/// Files by their paths, `/` between folders.
#[expect(async_fn_in_trait, reason = "one thread, and no caller outside of this crate")]
pub trait Folder {
    type File: Source;

    /// A whole file; `None` where there is none.
    async fn whole(&self, path: &str) -> Result<Option<Bytes>, ReadError>;

    /// A file to read parts of. `size` is what is known of it.
    async fn open(&self, path: &str, size: Option<u64>) -> Result<Self::File, ReadError>;
}

/// Waits for all of them at the same time; their answers in their order.
pub async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    let mut answers: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (slot, answer) in waiting.iter_mut().zip(&mut answers) {
            let Some(future) = slot else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(value) => {
                    *answer = Some(value);
                    *slot = None;
                }
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
