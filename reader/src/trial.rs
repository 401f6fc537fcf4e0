//! What the tests read from: memory, which never keeps anybody waiting.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::source::{Chunks, Source};
use super::stream::ReadError;

/// The answer of what never waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[derive(Clone)]
pub struct Memory(pub Bytes);

impl Source for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let part = |range: &Range<u64>| {
            let (start, end) = (range.start as usize, range.end as usize);
            let is_inside = start <= end && end <= self.0.len();
            is_inside
                .then(|| self.0.slice(start..end))
                .ok_or_else(|| ReadError::Bad("past the end".to_owned()))
        };
        ranges.iter().map(part).collect()
    }
}

/// A text in pieces of so many bytes.
pub struct Pieces {
    pub text: Bytes,
    pub size: usize,
    pub at: usize,
}

impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        let end = (self.at + self.size).min(self.text.len());
        let piece = self.text.slice(self.at..end);
        self.at = end;
        Ok((!piece.is_empty()).then_some(piece))
    }

    async fn restart(&mut self) -> Result<(), ReadError> {
        self.at = 0;
        Ok(())
    }

    fn cheap_bytes(&self) -> u64 {
        u64::MAX
    }
}
