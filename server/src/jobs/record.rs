//! What is known of a job: what its page, its list and its document show.

use chrono::{DateTime, Utc};
use engine::steps::Kind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::job::Job;
use super::work::{JobResult, Outcome, Told};

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobRecord {
    pub id: String,
    /// cluster, project, embed, encode or label.
    #[schema(value_type = String)]
    pub kind: Kind,
    pub state: State,
    /// 0 to 1.
    pub progress: f64,
    /// What is being done: reading, the name of an algorithm, writing.
    pub phase: Option<String>,
    /// What a person should know: how far it is, what was left out, why it failed.
    pub message: Option<String>,
    /// What computed it: cpu or cuda.
    pub backend: Option<String>,
    #[schema(value_type = String)]
    pub created: DateTime<Utc>,
    #[schema(value_type = Option<String>)]
    pub started: Option<DateTime<Utc>>,
    #[schema(value_type = Option<String>)]
    pub finished: Option<DateTime<Utc>>,
    /// The table that was written, once it answers queries.
    pub result: Option<JobResult>,
    /// Measures of what was found: inertia, silhouette, explained_variance_ratio and others.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub metrics: Map<String, Value>,
    pub priority: i32,
    /// Where a queued job is: how many are begun before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<usize>,
    /// What was asked for.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub job: Asked,
}

/// JSON as it was written: numbers in it keep their digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked(pub String);

impl Serialize for Asked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().to_owned()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl State {
    /// Whether nothing of the job changes any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl JobRecord {
    pub(super) fn new(id: String, spec: &Job, job: Asked) -> Self {
        Self {
            id,
            kind: spec.kind(),
            state: State::Queued,
            progress: 0.0,
            phase: None,
            message: None,
            backend: None,
            created: Utc::now(),
            started: None,
            finished: None,
            result: None,
            metrics: Map::new(),
            priority: spec.priority(),
            waiting_for: None,
            job,
        }
    }

    /// Begins, or begins anew.
    pub(super) fn start(&mut self) {
        self.state = State::Running;
        self.started = Some(Utc::now());
        (self.progress, self.phase, self.message) = (0.0, None, None);
    }

    pub(super) fn tell(&mut self, told: Told) {
        self.progress = told.progress;
        self.phase = Some(told.phase);
        self.message = Some(told.message);
    }

    pub(super) fn finish(&mut self, outcome: Outcome) {
        self.state = State::Done;
        self.progress = 1.0;
        self.phase = None;
        self.finished = Some(Utc::now());
        self.backend = Some(outcome.backend);
        self.message = Some(outcome.message);
        self.metrics = outcome.metrics;
        self.result = Some(outcome.result);
    }

    /// Ends without a result.
    pub(super) fn end(&mut self, state: State, message: &str) {
        self.state = state;
        self.finished = Some(Utc::now());
        self.message = Some(message.to_owned());
    }
}
