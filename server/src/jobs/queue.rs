//! The jobs of a server: those that wait, the one that runs, and those that are over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use engine::steps::Kind;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::child::{Given, Said, Start};
use super::encode::EncodeSpec;
use super::failure::JobFailure;
use super::job::Job;
use super::log::JobLog;
use super::measured::Measures;
use super::record::{Asked, JobRecord, State};
use super::stored::{Document, StoredJobs};
use super::work::Outcome;
use crate::config::Config;
use crate::encode::measure::Measured;
use crate::encode::models::Models;
use crate::lake::LakeSpec;

/// Each takes all cores, so that two at once would both be late.
const RUNNING_MAX: usize = 1;
const WAITING_MAX: usize = 100;
/// How often jobs that are not over are said to be somebody's.
const LIFE_SIGN: Duration = Duration::from_secs(60);
/// Jobs that are over and still listed.
const OVER_MAX: usize = 500;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Jobs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    start: Start,
    measures: Measures,
    stored: Option<StoredJobs>,
    /// Cancelled once jobs of an earlier server are known.
    resumed: CancellationToken,
    entries: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    record: watch::Sender<JobRecord>,
    cancel: CancellationToken,
    log: Mutex<JobLog>,
}

impl Jobs {
    /// `stored` remembers jobs; without it they end with the server.
    pub fn new(
        lakes: &[LakeSpec],
        config: &Config,
        stored: Option<StoredJobs>,
    ) -> std::io::Result<Self> {
        let (start, measures) = (Start::new(lakes, config)?, Measures::new());
        let (resumed, entries) = (CancellationToken::new(), Mutex::default());
        Ok(Self { shared: Arc::new(Shared { start, measures, stored, resumed, entries }) })
    }

    /// Done once the jobs of an earlier server are known: before, a job may seem to be none.
    pub async fn ready(&self) -> &Self {
        self.shared.resumed.cancelled().await;
        self
    }

    /// Takes up what earlier servers left: what is over is listed, the rest is begun anew. Then
    /// keeps saying that this one lives, and looks again for jobs of others that no longer do.
    pub async fn resume(&self) {
        let mut left = self.take_up().await;
        self.shared.resumed.cancel();
        self.forget_oldest().await;
        self.pump();
        if self.shared.stored.is_none() {
            return;
        }
        loop {
            tokio::time::sleep(LIFE_SIGN).await;
            for record in self.list().into_iter().filter(|record| !record.state.is_final()) {
                self.remember(&record).await;
            }
            if left > 0 {
                left = self.take_up().await;
                self.pump();
            }
        }
    }

    /// Gives how many jobs are left to other servers.
    async fn take_up(&self) -> usize {
        let Some(stored) = &self.shared.stored else { return 0 };
        let mut left = 0;
        for Document { owner, mut record, mut log } in stored.all().await {
            if self.entries().contains_key(&record.id) {
                continue;
            }
            if !record.state.is_final() {
                if owner.is_at_work() {
                    left += 1;
                    continue;
                }
                tracing::info!("job {} of an earlier server is begun anew", record.id);
                record.state = State::Queued;
                (record.progress, record.phase) = (0.0, None);
                record.message = Some("begun anew after a restart".to_owned());
                log.add("begun anew after a restart");
            }
            self.entries().insert(record.id.clone(), Entry::new(record, log));
        }
        left
    }

    /// Queues a job. `text` is what was asked for, of which `spec` was read. One that was done
    /// before is over at once.
    pub async fn submit(
        &self,
        spec: &Job,
        text: &str,
        before: Option<Outcome>,
    ) -> Result<JobRecord, JobFailure> {
        let mut record = JobRecord::new(new_id(), spec, Asked(text.trim().to_owned()));
        if let Some(outcome) = before {
            record.start();
            record.finish(outcome);
        }
        let mut log = JobLog::default();
        log.add("queued");
        log.end(&record);
        {
            let mut entries = self.entries();
            let waiting = entries.values().filter(|entry| entry.is(State::Queued)).count();
            if waiting >= WAITING_MAX && !record.state.is_final() {
                return Err(JobFailure::QueueFull(waiting));
            }
            entries.insert(record.id.clone(), Entry::new(record.clone(), log));
        }
        self.remember(&record).await;
        self.pump();
        self.forget_oldest().await;
        self.get(&record.id)
    }

    /// What the model of a job takes, of which `spec` was read from `text`.
    pub(crate) async fn measured(
        &self,
        models: &Arc<Models>,
        spec: &EncodeSpec,
        text: &str,
    ) -> Result<Measured, JobFailure> {
        self.shared.measures.of(&self.shared.start, models, spec, text).await
    }

    pub fn get(&self, id: &str) -> Result<JobRecord, JobFailure> {
        let entries = self.entries();
        let entry = entries.get(id).ok_or_else(|| unknown(id))?;
        let mut record = entry.record.borrow().clone();
        record.waiting_for = waiting_for(&entries, &record);
        Ok(record)
    }

    /// All that are known, newest first.
    pub fn list(&self) -> Vec<JobRecord> {
        let entries = self.entries();
        let with_place = |entry: &Entry| {
            let mut record = entry.record.borrow().clone();
            record.waiting_for = waiting_for(&entries, &record);
            record
        };
        let mut records: Vec<JobRecord> = entries.values().map(with_place).collect();
        records.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| b.id.cmp(&a.id)));
        records
    }

    /// What it did and when, line by line.
    pub fn log(&self, id: &str) -> Result<String, JobFailure> {
        let entries = self.entries();
        entries.get(id).map(|entry| entry.log().text()).ok_or_else(|| unknown(id))
    }

    /// The job whenever it changes, until it is over.
    pub fn follow(&self, id: &str) -> Result<watch::Receiver<JobRecord>, JobFailure> {
        let entries = self.entries();
        entries.get(id).map(|entry| entry.record.subscribe()).ok_or_else(|| unknown(id))
    }

    /// Ends a job that waits or runs; one that is over stays what it is.
    pub async fn cancel(&self, id: &str) -> Result<JobRecord, JobFailure> {
        let record = {
            let entries = self.entries();
            let entry = entries.get(id).ok_or_else(|| unknown(id))?;
            entry.cancel.cancel();
            entry.record.send_if_modified(|record| {
                let runs = !record.state.is_final();
                if runs {
                    record.end(State::Cancelled, cancelled(record));
                    entry.log().end(record);
                }
                runs
            });
            entry.record.borrow().clone()
        };
        self.remember(&record).await;
        Ok(record)
    }

    /// Begins what can be begun.
    fn pump(&self) {
        let mut entries = self.entries();
        while entries.values().filter(|entry| entry.is(State::Running)).count() < RUNNING_MAX {
            let queued = entries.iter_mut().filter(|(_, entry)| entry.is(State::Queued));
            let next = queued.min_by_key(|(_, entry)| rank(&entry.record.borrow()));
            let Some((id, entry)) = next else { break };
            entry.record.send_modify(JobRecord::start);
            entry.log().add("begins, in a process of its own");
            tokio::spawn(self.clone().run(id.clone(), entry.cancel.clone()));
        }
    }

    async fn run(self, id: String, cancel: CancellationToken) {
        let Ok(record) = self.get(&id) else { return };
        self.remember(&record).await;
        tracing::info!("job {id} begins: {}", record.job.0);
        let given = Given { id: id.clone(), job: record.job.0, is_measured: false };
        let ended = match self.shared.start.begin(&given).await {
            Err(error) => Said::Failed(format!("its process cannot be begun: {error}")),
            Ok(mut running) => loop {
                let said = tokio::select! {
                    said = running.next() => said,
                    () = cancel.cancelled() => {
                        running.end().await;
                        break Said::Failed("cancelled".to_owned());
                    }
                };
                match said {
                    Said::Told(told) => self.change(&id, |record, log| {
                        log.tell(&told);
                        record.tell(told);
                    }),
                    ended => break ended,
                }
            },
        };
        self.change(&id, |record, log| {
            match ended {
                Said::Done(outcome) => record.finish(*outcome),
                Said::Failed(why) => record.end(State::Failed, &why),
                Said::Told(_) | Said::Measured(_) => {}
            }
            log.end(record);
        });
        if let Ok(record) = self.get(&id) {
            tracing::info!(
                "job {id} is over: {:?}, {}",
                record.state,
                record.message.as_deref().unwrap_or_default()
            );
            self.remember(&record).await;
        }
        self.pump();
    }

    /// Changes a record, unless it is over: what was cancelled stays so.
    fn change(&self, id: &str, change: impl FnOnce(&mut JobRecord, &mut JobLog)) {
        let entries = self.entries();
        let Some(entry) = entries.get(id) else { return };
        entry.record.send_if_modified(|record| {
            let runs = !record.state.is_final();
            if runs {
                change(record, &mut entry.log());
            }
            runs
        });
    }

    async fn remember(&self, record: &JobRecord) {
        if let Some(stored) = &self.shared.stored {
            let log = self.entries().get(&record.id).map(|entry| entry.log().clone());
            stored.put(record, log.unwrap_or_default()).await;
        }
    }

    async fn forget_oldest(&self) {
        let forgotten: Vec<String> = {
            let mut entries = self.entries();
            let over = entries.iter().filter(|(_, entry)| entry.record.borrow().state.is_final());
            let mut over: Vec<_> =
                over.map(|(id, entry)| (entry.record.borrow().created, id.clone())).collect();
            over.sort();
            let many = over.len().saturating_sub(OVER_MAX);
            let oldest: Vec<String> = over.into_iter().take(many).map(|(_, id)| id).collect();
            oldest.iter().for_each(|id| drop(entries.remove(id)));
            oldest
        };
        if let Some(stored) = &self.shared.stored {
            for id in forgotten {
                stored.remove(&id).await;
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(record: JobRecord, log: JobLog) -> Self {
        let (record, cancel) = (watch::Sender::new(record), CancellationToken::new());
        Self { record, cancel, log: Mutex::new(log) }
    }

    fn is(&self, state: State) -> bool {
        self.record.borrow().state == state
    }

    fn log(&self) -> MutexGuard<'_, JobLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cancelled(record: &JobRecord) -> &'static str {
    match (record.kind, record.state) {
        (Kind::Encode, State::Running) => {
            "cancelled; what was made is kept, and the same job goes on after it"
        }
        _ => "cancelled",
    }
}

fn unknown(id: &str) -> JobFailure {
    JobFailure::Unknown(id.chars().take(100).collect())
}

/// Who of those that wait is begun first.
fn rank(record: &JobRecord) -> (i64, DateTime<Utc>) {
    (-i64::from(record.priority), record.created)
}

/// How many are begun before a job that waits.
fn waiting_for(entries: &BTreeMap<String, Entry>, record: &JobRecord) -> Option<usize> {
    let before = |other: &&Entry| {
        let other = other.record.borrow();
        other.state == State::Running
            || (other.state == State::Queued && rank(&other) < rank(record))
    };
    (record.state == State::Queued).then(|| entries.values().filter(before).count())
}

/// In the order of time, and nobody else's.
fn new_id() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let random: String = random.chars().take(8).collect();
    format!("{}-{random}", Utc::now().format("%Y%m%d-%H%M%S"))
}
