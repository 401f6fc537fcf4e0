//! An answer on its way: what it is of, and its bytes as they are computed.
//!
//! The work runs as a task; bytes come through a short channel, so a slow reader slows the work
//! down and a reader that goes away ends it. An answer that cannot be finished ends in an error,
//! never like one that is whole.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use bytes::Bytes;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::Stream;
use tokio::sync::mpsc;

use super::encode::Representation;
use super::executor::Task;
use super::failure::QueryFailure;
use super::produce::{self, Part};
use super::{Pinned, Queries};
use crate::scan::report::{ScanCounts, ScanReport};

/// An answer of which the first bytes are there.
#[derive(Debug)]
pub struct Answer {
    pub schema: SchemaRef,
    pub body: Body,
    /// What was read until the first bytes were there.
    pub counts: ScanCounts,
    /// How long the wait for a turn took, and then the work until the first bytes were there.
    pub waited: Duration,
    pub first_in: Duration,
}

/// The bytes of an answer.
#[derive(Debug)]
pub enum Body {
    /// All of them: nothing can go wrong any more.
    Whole(Whole),
    Stream(AnswerStream),
}

/// Bytes in memory, accounted for as long as they are kept.
#[derive(Debug)]
pub struct Whole {
    pub chunks: VecDeque<Bytes>,
    pub rows: u64,
    _reservation: MemoryReservation,
}

/// Answers that promise to be this short are computed to their end before they are answered, so
/// that whatever is wrong with them has a status.
const WHOLE_ROWS_MAX: u64 = 10_000;

/// Parts that wait for their reader.
const PARTS_WAITING: usize = 4;

pub(super) async fn start(
    queries: &Queries,
    pinned: Pinned,
    representation: Representation,
) -> Result<Answer, QueryFailure> {
    let asked = Instant::now();
    let turn = queries.admission.turn().await?;
    let began = Instant::now();
    let waited = began - asked;
    let is_short = pinned.query.limit.is_some_and(|limit| limit <= WHOLE_ROWS_MAX);
    let report = Arc::new(ScanReport::default());
    let run = queries.run(pinned, Arc::clone(&report));
    let reservation = run.reservation("answer");
    let (sender, receiver) = mpsc::channel(PARTS_WAITING);
    let task = queries.executor.spawn(produce::run(run, representation, sender, turn));
    let mut stream = AnswerStream { front: VecDeque::new(), receiver, task, ended: false };

    let Part::Head(schema) = stream.next_part().await? else {
        return Err(QueryFailure::Cancelled);
    };
    let mut chunks = VecDeque::new();
    let body = loop {
        match stream.next_part().await? {
            Part::Chunks(more) => {
                let bytes = more.iter().map(Bytes::len).sum();
                chunks.extend(more);
                if !is_short {
                    stream.front = chunks;
                    break Body::Stream(stream);
                }
                reservation.try_grow(bytes)?;
            }
            Part::Done { rows } => {
                break Body::Whole(Whole { chunks, rows, _reservation: reservation });
            }
            Part::Head(_) => return Err(QueryFailure::Cancelled),
        }
    };
    Ok(Answer { schema, body, counts: report.counts(), waited, first_in: began.elapsed() })
}

/// The bytes of an answer that is being computed. Dropping it stops the work.
#[derive(Debug)]
pub struct AnswerStream {
    /// What was received already.
    front: VecDeque<Bytes>,
    receiver: mpsc::Receiver<Result<Part, QueryFailure>>,
    task: Task<()>,
    ended: bool,
}

impl AnswerStream {
    async fn next_part(&mut self) -> Result<Part, QueryFailure> {
        poll_fn(|context| self.poll_part(context)).await
    }

    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Result<Part, QueryFailure>> {
        if let Some(part) = ready!(self.receiver.poll_recv(context)) {
            return Poll::Ready(part);
        }
        // The work ended without having said so: it panicked or was stopped.
        let ended = ready!(Pin::new(&mut self.task).poll(context));
        Poll::Ready(Err(ended.err().unwrap_or(QueryFailure::Cancelled)))
    }
}

impl Stream for AnswerStream {
    type Item = Result<Bytes, QueryFailure>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(chunk) = self.front.pop_front() {
                return Poll::Ready(Some(Ok(chunk)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(self.poll_part(context)) {
                Ok(Part::Chunks(chunks)) => self.front.extend(chunks),
                Ok(Part::Done { .. }) => self.ended = true,
                Ok(Part::Head(_)) => {}
                Err(failure) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(failure)));
                }
            }
        }
    }
}

impl Stream for Whole {
    type Item = Result<Bytes, QueryFailure>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.chunks.pop_front().map(Ok))
    }
}

impl Whole {
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }
}
