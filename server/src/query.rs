//! Queries answered: a [`Query`] is pinned to a version of its table, planned over that
//! snapshot's scan, computed on threads of its own, and leaves as bytes while it is computed.
//!
//! `Query` → [`Pinned`] → plan ([`rows`], [`groups`]) → batches → [`encode`] → [`Answer`].
//! Filters are the engine's own evaluator, so the browser and the server cannot disagree.
//! Knows DataFusion and Arrow; nothing of HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::execution::SessionState;
use engine::query::{Query, Version};
use engine::slice::SliceKey;

use crate::config::Limits;
use crate::lake::{Lakes, Snapshot, VersionSpec};
use crate::scan::ScanReport;

pub mod admission;
pub mod answer;
pub mod collect;
pub mod encode;
pub mod executor;
pub mod failure;
mod filter;
mod groups;
pub mod neighbours;
pub mod options;
mod order;
mod produce;
mod rows;
mod sample;
mod session;
mod spill;
mod stream;
pub(crate) mod vectors;

use admission::Admission;
use answer::Answer;
use encode::Representation;
use executor::Executor;
use failure::QueryFailure;
use produce::Run;

/// Everything that answering takes. One for a server; shared.
#[derive(Debug)]
pub struct Queries {
    lakes: Lakes,
    executor: Executor,
    admission: Admission,
    session: Arc<SessionState>,
    limits: Limits,
}

/// A query and the snapshot that it is answered from, whatever is committed meanwhile.
#[derive(Debug, Clone)]
pub struct Pinned {
    pub query: Query,
    pub snapshot: Arc<Snapshot>,
    pub key: SliceKey,
    /// How long finding and opening the table took.
    pub opened_in: Duration,
}

impl Queries {
    pub fn new(lakes: Lakes, limits: &Limits) -> Result<Self, QueryFailure> {
        let session = session::new(limits)?;
        let executor =
            Executor::new(limits.threads).map_err(|error| QueryFailure::Execution(error.into()))?;
        Ok(Self {
            lakes,
            executor,
            admission: Admission::new(limits.concurrency, limits.queue, limits.queue_wait),
            session: Arc::new(session),
            limits: limits.clone(),
        })
    }

    pub fn lakes(&self) -> &Lakes {
        &self.lakes
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Finds the table and pins the version. Reads the log at most, no data.
    pub async fn open(&self, query: Query) -> Result<Pinned, QueryFailure> {
        let began = Instant::now();
        let version = version_spec(query.version.as_ref())?;
        let snapshot = self.lakes.snapshot(&query.table, version).await?;
        Ok(Pinned { opened_in: began.elapsed(), ..pin(query, snapshot)? })
    }

    fn run(&self, pinned: Pinned, report: Arc<ScanReport>) -> Run {
        let (session, limits) = (Arc::clone(&self.session), self.limits.clone());
        Run { pinned, session, report, limits }
    }

    /// Runs work of some length on the threads that compute, away from those that serve.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, QueryFailure> + Send + 'static,
    ) -> Result<T, QueryFailure> {
        self.executor.spawn(async move { work() }).await
    }

    /// Computes the answer. Comes back once the first bytes are there, or all of a short answer.
    pub async fn answer(
        &self,
        pinned: Pinned,
        representation: Representation,
    ) -> Result<Answer, QueryFailure> {
        answer::start(self, pinned, representation).await
    }
}

/// A query on a snapshot that is open already.
pub fn pin(query: Query, snapshot: Arc<Snapshot>) -> Result<Pinned, QueryFailure> {
    let key = SliceKey::from_query(&query, snapshot.uid(), snapshot.version())?;
    Ok(Pinned { query, snapshot, key, opened_in: Duration::ZERO })
}

/// The version that a query asks for: a number, a fingerprint, or a time as text.
pub fn version_spec(version: Option<&Version>) -> Result<VersionSpec, QueryFailure> {
    match version {
        None => Ok(VersionSpec::Latest),
        Some(Version::Number(number)) => {
            Ok(VersionSpec::Exact(crate::lake::Version::Delta(*number)))
        }
        Some(Version::Fingerprint(text)) => Ok(text.parse()?),
    }
}
