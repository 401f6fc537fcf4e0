//! A request from front to back: taken in, its steps done one after another, each told of when it
//! is made. Knows no browser: where things are told is a [`Desk`].

use app::mapping::{Column, MapRequest, Tell};
use embedding::rows::Matrix;
use engine::error::QueryError;

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

/// Does what `text` asks for, a [`MapRequest`], with its vectors, and tells of it to the end.
pub fn run(text: &str, values: Vec<f32>, desk: &dyn Desk) {
    let began = desk.now_millis();
    let told = match steps(text, values, desk) {
        Ok(()) => Tell::Done { seconds: (desk.now_millis() - began) / 1000.0 },
        Err(failure) => Tell::Failed { field: field_of(&failure), detail: detail_of(&failure) },
    };
    desk.tell(&told, &[]);
}

fn steps(text: &str, values: Vec<f32>, desk: &dyn Desk) -> Result<(), Failure> {
    let request = MapRequest::from_json(text)?;
    let taken = Taken::new(&request, values)?;
    desk.tell(&Tell::Taken { rows: taken.rows(), left_out: taken.left_out }, &[]);
    let rows = Matrix::new(&taken.values, taken.dimensions)?;
    let mut made: Vec<Made> = Vec::with_capacity(request.steps.len());
    for (at, step) in request.steps.iter().enumerate() {
        let pace = Pace::new(desk, &taken, at, step.work.dimensions().unwrap_or(1));
        let task = Task { step, rows: &rows, taken: &taken, seed: request.seed, desk };
        let mut next =
            task.run(&request.steps, &made, &pace).map_err(|error| named(error, &taken))?;
        let arrays = std::mem::take(&mut next.arrays);
        let columns = arrays.iter().map(|(column, _)| *column).collect();
        let metrics = Box::new(std::mem::take(&mut next.metrics));
        desk.tell(&Tell::Made { step: at, columns, metrics }, &arrays);
        made.push(next);
    }
    Ok(())
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
