//! A request from front to back: taken in, its steps done one after another, each told of when it
//! is made. Knows no browser: where things are told is a [`Desk`].

use app::mapping::{Again, Backend, Column, MapRequest, Tell};
use embedding::rows::Matrix;
use engine::error::QueryError;

use crate::device::{Choice, Device};
use crate::pace::Pace;
use crate::take::Taken;
use crate::task::{Made, Task};

/// Who is told, and what the time is.
pub trait Desk: Sync {
    /// On a clock that only goes forward.
    fn now_millis(&self) -> f64;

    /// Beside it arrays, which are handed over.
    fn tell(&self, tell: &Tell, arrays: &[(Column, Array)]);
}

/// Numbers of all rows that were given.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    Floats(Vec<f32>),
    Labels(Vec<i32>),
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Request(#[from] QueryError),
    #[error(transparent)]
    Compute(#[from] embedding::Error),
    #[error(
        "there are no vectors: of {rows} rows {without_vector} have none, and {not_finite} one that is not finite"
    )]
    NoVectors { rows: usize, without_vector: usize, not_finite: usize },
}

/// A request that is done, whose steps may be asked for otherwise.
pub struct Session {
    taken: Taken,
    made: Vec<Made>,
    device: Device,
}

/// Does what `text` asks for, a [`MapRequest`], with its vectors, and tells of it to the end.
/// None where it failed.
pub async fn run(text: &str, values: Vec<f32>, choice: Choice, desk: &dyn Desk) -> Option<Session> {
    let began = desk.now_millis();
    match steps(text, values, choice, desk).await {
        Ok(session) => {
            let seconds = (desk.now_millis() - began) / 1000.0;
            desk.tell(&Tell::Done { seconds }, &[]);
            Some(session)
        }
        Err(failure) => {
            fail(&failure, desk);
            None
        }
    }
}

fn fail(failure: &Failure, desk: &dyn Desk) {
    let told = Tell::Failed { field: field_of(failure), detail: detail_of(failure) };
    desk.tell(&told, &[]);
}

async fn steps(
    text: &str,
    values: Vec<f32>,
    choice: Choice,
    desk: &dyn Desk,
) -> Result<Session, Failure> {
    let request = MapRequest::from_json(text)?;
    let taken = Taken::new(&request, values)?;
    desk.tell(&Tell::Taken { rows: taken.rows(), left_out: taken.left_out }, &[]);
    let choice = match request.backend {
        Backend::Auto => choice,
        Backend::Cpu => Choice::Never,
        Backend::Webgpu => Choice::Always,
    };
    let (made, device) = (Vec::with_capacity(request.steps.len()), Device::new(choice));
    let mut session = Session { taken, made, device };
    for at in 0..request.steps.len() {
        let made = session.step(&request, at, false, desk).await?;
        session.made.push(made);
    }
    Ok(session)
}

impl Session {
    /// Does one step otherwise, as `text` has it, an [`Again`], and tells of it.
    pub async fn again(&mut self, text: &str, desk: &dyn Desk) {
        if let Err(failure) = self.try_again(text, desk).await {
            fail(&failure, desk);
        }
    }

    async fn try_again(&mut self, text: &str, desk: &dyn Desk) -> Result<(), Failure> {
        let Again { step, is_rough, request } = Again::from_json(text)?;
        if request.steps.len() != self.made.len() || step >= self.made.len() {
            let detail = format!("of the {} steps that were made there is none", self.made.len());
            return Err(QueryError::malformed("again", detail).into());
        }
        let next = self.step(&request, step, is_rough, desk).await?;
        if let Some(made) = self.made.get_mut(step) {
            *made = next;
        }
        Ok(())
    }

    /// Does one step, of which those before are made, and tells of it.
    async fn step(
        &self,
        request: &MapRequest,
        at: usize,
        is_rough: bool,
        desk: &dyn Desk,
    ) -> Result<Made, Failure> {
        let taken = &self.taken;
        let rows = &Matrix::new(&taken.values, taken.dimensions)?;
        let Some(step) = request.steps.get(at) else { return Ok(Made::default()) };
        let pace = Pace::new(desk, taken, at, step.work.dimensions().unwrap_or(1));
        let task =
            Task { step, rows, taken, seed: request.seed, is_rough, device: &self.device, desk };
        let made = task.run(&request.steps, &self.made, &pace).await;
        let mut made = made.map_err(|error| named(error, taken))?;
        let arrays = std::mem::take(&mut made.arrays);
        let columns = arrays.iter().map(|(column, _)| *column).collect();
        let mut metrics = Box::new(std::mem::take(&mut made.metrics));
        metrics.backend = made.backend.device().map(str::to_owned);
        metrics.backend_message = made.backend.message().map(str::to_owned);
        desk.tell(&Tell::Made { step: at, columns, metrics }, &arrays);
        Ok(made)
    }
}

/// Rows are called by their number among those that were given.
fn named(error: embedding::Error, taken: &Taken) -> Failure {
    use embedding::Error;
    Failure::Compute(match error {
        Error::TooFar { row } => Error::TooFar { row: taken.number(row) },
        Error::NotFinite { row } => Error::NotFinite { row: taken.number(row) },
        other => other,
    })
}

fn field_of(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Request(error) => Some(error.field.clone()),
        _ => None,
    }
}

/// Without the field, which is told beside it.
fn detail_of(failure: &Failure) -> String {
    match failure {
        Failure::Request(error) => error.kind.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
