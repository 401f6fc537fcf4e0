//! Vectors mapped in this browser: by a program of its own (package `mapper`), which is started
//! for one job and ended with it, or before. What comes of it is a file that nobody has on disk,
//! which is opened as a dropped one is. The page is told as the companion would tell it. While
//! somebody looks, on the canvas of [`MAP_VIEW`], points are drawn where they are by now, and the
//! mapper is kept: clusters can be asked for otherwise ([`live`]). Rows get names here too
//! ([`label`]), which takes no mapper.

mod label;
mod link;
mod live;
pub mod table;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::mapping::{Column, Phase, Tell};
use crate::protocol::{MAP_VIEW, Reply, name_of_file};
use crate::texts;
use crate::worker::draft::Live;
use crate::worker::host::{Host, post};
use crate::worker::notify::Notify;
use link::{Array, MapperLink};
use table::{Extra, Vectors};

/// How often the page hears of progress.
const TELL_MILLIS: f64 = 100.0;
/// The end of the name of what is made: an Arrow stream.
const ENDING: &str = ".arrows";

/// The job that is under way: there is one at a time.
#[derive(Default)]
pub struct Mapping {
    is_busy: Cell<bool>,
    given_up: Notify,
    /// Counts jobs: the last alone is asked again.
    jobs: Cell<u64>,
    /// What the last should be instead, and whether that is meant to stay.
    wanted: RefCell<Option<(String, bool)>>,
    /// Where the file is that was saved last.
    pub saved: RefCell<Option<String>>,
    called: Notify,
}

impl Mapping {
    pub fn give_up(&self) {
        self.given_up.raise();
    }

    /// The map that was made last should be as this job has it.
    pub fn ask_again(&self, text: String, is_last: bool) {
        self.wanted.replace(Some((text, is_last)));
        self.called.raise();
    }

    /// Nobody looks any more.
    pub fn leave(&self) {
        self.called.raise();
    }

    /// The number of a new job; whoever sits with the one before goes.
    fn next(&self) -> u64 {
        self.jobs.set(self.jobs.get() + 1);
        self.wanted.take();
        self.called.raise();
        self.jobs.get()
    }
}

/// A job as the companion would be asked for it; what is not said here does not matter here.
#[derive(Clone, PartialEq, Deserialize)]
struct Asked {
    table: String,
    column: String,
    normalize: Value,
    seed: Option<Value>,
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
    job: RefCell<Value>,
    told: Cell<f64>,
}

impl Teller {
    fn tell(&self, state: &str, progress: f64, phase: &str, message: &str, result: &Value) {
        let job = json!({
            "id": self.id, "state": state, "progress": progress, "phase": phase,
            "message": message, "waiting_for": null, "result": result, "job": *self.job.borrow(),
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
    let kind = job.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let teller = Teller { id, job: RefCell::new(job), told: Cell::new(0.0) };
    match kind.as_str() {
        "label" => return label::answer(&host, &text, &teller).await,
        "save" => return save(&host, &text, &teller).await,
        _ => {}
    }
    let asked = match serde_json::from_str::<Asked>(&text) {
        Ok(asked) => asked,
        Err(error) => return teller.tell("failed", 0.0, "", &error.to_string(), &Value::Null),
    };
    if host.mapping.is_busy.replace(true) {
        return teller.tell("failed", 0.0, "", texts::mapping::BUSY, &Value::Null);
    }
    let number = host.mapping.next();
    host.mapping.given_up.lower();
    let mut ended = None;
    let work = async { ended = Some(make(&host, asked, &script, &teller).await) };
    host.mapping.given_up.is_raised_before(work).await;
    host.mapping.is_busy.set(false);
    match ended {
        Some(Ok((session, message))) => {
            session.tell(&teller, &message);
            live::sit(&host, session, &teller, number).await;
        }
        Some(Err(detail)) => teller.tell("failed", 0.0, "", &detail, &Value::Null),
        None => teller.tell("cancelled", 0.0, "", "", &Value::Null),
    }
}

/// Rows as a file, which the page fetches from where it is.
async fn save(host: &Rc<Host>, text: &str, teller: &Teller) {
    match crate::worker::saving::make(host, text).await {
        Ok((address, rows)) => {
            let result = json!({"table": "", "rows": rows, "address": address});
            teller.tell("done", 1.0, "", "", &result);
        }
        Err(detail) => teller.tell("failed", 0.0, "", &detail, &Value::Null),
    }
}

/// A map that is made, and who made it.
struct Session {
    asked: Asked,
    mapper: MapperLink,
    /// Rows and numbers of each.
    shape: [usize; 2],
    /// The rows that are meant, by number; all, if none.
    kept: Option<Vec<u32>>,
    left_out: usize,
    made: Vec<Made>,
    live: Live,
    /// Whether the graphics device had a part in it.
    on_device: bool,
}

impl Session {
    async fn start(host: &Rc<Host>, asked: Asked, script: &str) -> Result<Self, String> {
        let vectors = Vectors::read(host, &asked.column, asked.filters.is_some()).await?;
        if host.data.borrow().resident.as_ref().is_none_or(|here| here.table != asked.table) {
            return Err(texts::refusals::SELECTION_CHANGED.to_owned());
        }
        let shape = [vectors.rows(), vectors.dimensions];
        let request = request(&asked, shape).to_string();
        let mapper = MapperLink::start(script, &request, &vectors.values)?;
        let (kept, live) = (vectors.places, Live::default());
        Ok(Self {
            asked,
            mapper,
            shape,
            kept,
            left_out: 0,
            made: Vec::new(),
            live,
            on_device: false,
        })
    }

    /// Takes in what a step made, and shows it.
    fn take(&mut self, host: &Host, step: usize, made: Made) {
        if self.is_shown(step) {
            self.see(&made);
        }
        match self.made.get_mut(step) {
            Some(known) => *known = made,
            None => self.made.push(made),
        }
        show(host, &self.live);
    }

    /// Of several layouts the first is seen.
    fn is_shown(&self, step: usize) -> bool {
        let is_layout = |step: &Value| step.get("kind").and_then(Value::as_str) == Some("project");
        let first = self.asked.steps.iter().position(is_layout);
        self.asked.steps.get(step).is_none_or(|own| !is_layout(own) || first == Some(step))
    }

    fn see(&mut self, made: &Made) {
        for column in &made.columns {
            match column {
                (Column::Points { dimensions }, Array::Floats(points)) => {
                    self.live.place(points, *dimensions);
                }
                (Column::Labels, Array::Labels(labels)) => self.live.color(labels),
                _ => {}
            }
        }
    }

    /// Keeps it as a file, to be opened by its name.
    fn keep(&self, host: &Host) -> Result<(), String> {
        let Asked { column, steps, .. } = &self.asked;
        let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
        let rows = host
            .data
            .borrow()
            .resident
            .as_ref()
            .and_then(|here| here.column(column))
            .map(|c| c.rows());
        let columns = table::made_columns(steps, &self.made);
        let extra = Extra { rows: rows.ok_or_else(changed)?, has_vectors: false, columns };
        let bytes = table::encoded(host, &self.kept, &extra)?;
        crate::worker::files::keep(host, &self.file(), &bytes)
    }

    fn file(&self) -> String {
        format!("{}{ENDING}", self.asked.into)
    }

    /// That there is a table.
    fn tell(&self, teller: &Teller, message: &str) {
        let result = json!({"table": name_of_file(&self.file()), "rows": self.shape[0]});
        teller.tell("done", 1.0, "", message, &result);
    }
}

/// What the mapper is asked for.
fn request(asked: &Asked, [rows, dimensions]: [usize; 2]) -> Value {
    json!({
        "rows": rows, "dimensions": dimensions, "normalize": asked.normalize, "seed": asked.seed,
        "steps": asked.steps,
    })
}

/// Puts a map before whoever looks.
fn show(host: &Host, live: &Live) {
    let mut canvases = host.canvases.borrow_mut();
    if canvases.has(MAP_VIEW) {
        canvases.set_draft(MAP_VIEW, live.draft());
        drop(canvases);
        host.draw.raise();
    }
}

/// A map and what is said of it.
async fn make(
    host: &Rc<Host>,
    asked: Asked,
    script: &str,
    teller: &Teller,
) -> Result<(Session, String), String> {
    teller.tell("running", 0.0, texts::mapping::READING, "", &Value::Null);
    let mut session = Session::start(host, asked, script).await?;
    let n_steps = session.asked.steps.len().max(1) as f64;
    loop {
        let (tell, arrays) = session.mapper.next().await;
        match tell {
            Tell::Taken { left_out, .. } => {
                session.left_out = left_out.without_vector + left_out.not_finite;
            }
            Tell::Progress { step, phase, done, total } => {
                let share = done as f64 / total.max(1) as f64;
                let progress = (step as f64 + share_of(phase, share)) / n_steps;
                let words = texts::mapping::phase(phase);
                teller.progress(progress.min(0.99), words, &texts::mapping::of(done, total));
            }
            Tell::Layout { step, dimensions, .. } => {
                if session.is_shown(step)
                    && let Some(Array::Floats(points)) = arrays.first()
                {
                    session.live.place(points, dimensions);
                    show(host, &session.live);
                }
            }
            Tell::Made { step, columns, metrics } => {
                session.on_device |= metrics.backend.is_some();
                let columns = columns.into_iter().zip(arrays).collect();
                session.take(host, step, Made { columns });
            }
            Tell::Done { seconds } => {
                session.keep(host)?;
                let rows = session.shape[0] - session.left_out;
                let message =
                    texts::mapping::done(rows, session.left_out, seconds, session.on_device);
                return Ok((session, message));
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
