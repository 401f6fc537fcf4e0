//! Vectors mapped in this browser: by a program of its own (package `mapper`), which is started
//! for one job and ended with it, or before. What comes of it is a file that nobody has on disk,
//! which is opened as a dropped one is. The page is told as the companion would tell it.

mod link;
mod table;

use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::mapping::{Column, Phase, Tell};
use crate::protocol::{Reply, name_of_file};
use crate::texts;
use crate::worker::host::{Host, post};
use crate::worker::notify::Notify;
use link::{Array, MapperLink};
use table::Vectors;

/// How often the page hears of progress.
const TELL_MILLIS: f64 = 100.0;
/// The end of the name of what is made: an Arrow stream.
const ENDING: &str = ".arrows";

/// The job that is under way: there is one at a time.
#[derive(Default)]
pub struct Mapping {
    is_busy: std::cell::Cell<bool>,
    given_up: Notify,
}

impl Mapping {
    pub fn give_up(&self) {
        self.given_up.raise();
    }
}

/// A job as the companion would be asked for it; what is not said here does not matter here.
#[derive(Deserialize)]
struct Asked {
    table: String,
    column: String,
    normalize: Value,
    steps: Vec<Value>,
    into: String,
    /// Rows of the selection alone: it is known here.
    filters: Option<Value>,
}

/// What one step made.
pub(crate) struct Made {
    pub columns: Vec<(Column, Array)>,
}

/// Tells the page of one job.
struct Teller {
    id: String,
    job: Value,
    told: std::cell::Cell<f64>,
}

impl Teller {
    fn tell(&self, state: &str, progress: f64, phase: &str, message: &str, result: &Value) {
        let job = json!({
            "id": self.id, "state": state, "progress": progress, "phase": phase,
            "message": message, "waiting_for": null, "result": result, "job": self.job,
        });
        post(&Reply::MappedHere { job: job.to_string() });
    }

    /// Not so often that the page would be kept busy by it.
    fn progress(&self, progress: f64, phase: &str, message: &str) {
        let now = crate::worker::turn::now_millis();
        if now - self.told.get() >= TELL_MILLIS {
            self.told.set(now);
            self.tell("running", progress, phase, message, &Value::Null);
        }
    }
}

/// Answers `MapHere`.
pub async fn answer(host: Rc<Host>, id: String, text: String, script: String) {
    let job = serde_json::from_str::<Value>(&text).unwrap_or_default();
    let teller = Teller { id, job, told: std::cell::Cell::new(0.0) };
    let asked = match serde_json::from_str::<Asked>(&text) {
        Ok(asked) => asked,
        Err(error) => return teller.tell("failed", 0.0, "", &error.to_string(), &Value::Null),
    };
    if host.mapping.is_busy.replace(true) {
        return teller.tell("failed", 0.0, "", texts::mapping::BUSY, &Value::Null);
    }
    host.mapping.given_up.lower();
    let mut ended = None;
    let work = async { ended = Some(make(&host, &asked, &script, &teller).await) };
    host.mapping.given_up.is_raised_before(work).await;
    host.mapping.is_busy.set(false);
    match ended {
        Some(Ok((table, rows, message))) => {
            let result = json!({"table": table, "rows": rows});
            teller.tell("done", 1.0, "", &message, &result);
        }
        Some(Err(detail)) => teller.tell("failed", 0.0, "", &detail, &Value::Null),
        None => teller.tell("cancelled", 0.0, "", "", &Value::Null),
    }
}

/// The name of the table that came of it, its rows, and what is said of it.
async fn make(
    host: &Rc<Host>,
    asked: &Asked,
    script: &str,
    teller: &Teller,
) -> Result<(String, usize, String), String> {
    teller.tell("running", 0.0, texts::mapping::READING, "", &Value::Null);
    let vectors = Vectors::read(host, &asked.column, asked.filters.is_some()).await?;
    if host.data.borrow().resident.as_ref().is_none_or(|here| here.table != asked.table) {
        return Err(texts::refusals::SELECTION_CHANGED.to_owned());
    }
    let request = json!({
        "rows": vectors.rows(), "dimensions": vectors.dimensions,
        "normalize": asked.normalize, "steps": asked.steps,
    });
    let (rows, kept) = (vectors.rows(), vectors.places);
    let mut mapper = MapperLink::start(script, &request.to_string(), &vectors.values)?;
    drop(vectors.values);
    let n_steps = asked.steps.len().max(1) as f64;
    let mut made = Vec::new();
    let mut left_out = 0;
    loop {
        let (tell, arrays) = mapper.next().await;
        match tell {
            Tell::Taken { left_out: out, .. } => left_out = out.without_vector + out.not_finite,
            Tell::Progress { step, phase, done, total } => {
                let share = done as f64 / total.max(1) as f64;
                let progress = (step as f64 + share_of(phase, share)) / n_steps;
                let words = texts::mapping::phase(phase);
                teller.progress(progress.min(0.99), words, &texts::mapping::of(done, total));
            }
            Tell::Layout { .. } => {}
            Tell::Made { columns, .. } => {
                let columns = columns.into_iter().zip(arrays).collect();
                made.push(Made { columns });
            }
            Tell::Done { seconds } => {
                drop(mapper);
                let file = format!("{}{ENDING}", asked.into);
                let bytes = table::encoded(host, &asked.column, &kept, &asked.steps, &made)?;
                crate::worker::files::keep(host, &file, &bytes)?;
                let message = texts::mapping::done(rows - left_out, left_out, seconds);
                return Ok((name_of_file(&file), rows, message));
            }
            Tell::Failed { detail, .. } | Tell::Panicked { text: detail } => {
                return Err(detail);
            }
        }
    }
}

/// How far a step is: most of its time goes into epochs and iterations.
fn share_of(phase: Phase, share: f64) -> f64 {
    match phase {
        Phase::Init | Phase::Pass | Phase::Neighbours => 0.3 * share,
        Phase::Iterations | Phase::Epochs => 0.6f64.mul_add(share, 0.3),
        Phase::Measures => 0.1f64.mul_add(share, 0.9),
    }
}
