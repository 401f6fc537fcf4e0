//! The nearest neighbours of every row: [`exact`], by all pairs of rows, or [`nearest`], which
//! where there are many looks among the rows of lists nearby ([`ivf`]), and tells how many of
//! the true neighbours it found.

mod candidates;
mod driven;
mod exact;
mod ivf;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::sample;
use crate::threads::available;
use crate::watch::{Phase, Watch};

pub use driven::{Driven, Line};

/// The k nearest others of each row, nearest first; of equally near ones the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    pub k: usize,
    /// n × k rows' numbers.
    pub rows: Vec<u32>,
    /// n × k distances.
    pub distances: Vec<f32>,
}

/// Neighbours, and how near they are to being the nearest.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub neighbours: Neighbours,
    /// The share of the true neighbours that is among them, measured on some rows.
    pub recall: f64,
}

/// Finds them among all rows.
///
/// # Errors
/// Where there are not more than k rows, rows cannot be read, or `watch` cancels.
pub fn exact(
    rows: &dyn RowSource,
    k: usize,
    threads: Option<usize>,
    watch: &dyn Watch,
) -> Result<Neighbours, Error> {
    check(rows, k)?;
    let threads = threads.unwrap_or_else(available).max(1);
    let steps = Steps::new(rows.n_blocks() as u64, watch);
    exact::Exact::new(rows, k, threads, watch)?.all(threads, &steps)
}

/// Finds them, or nearly all of them where all pairs of rows would take long. A seed gives the
/// same with any number of threads, on every machine.
///
/// # Errors
/// Where there are not more than k rows, rows cannot be read, or `watch` cancels.
pub fn nearest(
    rows: &dyn RowSource,
    k: usize,
    threads: Option<usize>,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Found, Error> {
    check(rows, k)?;
    let threads = threads.unwrap_or_else(available).max(1);
    ivf::nearest(rows, k, threads, seed, &ivf::Plan::default(), watch)
}

/// Whether [`nearest`] finds all true neighbours of so many rows, whatever they are.
pub fn is_exact(rows: usize, dimensions: usize) -> bool {
    ivf::work(rows, dimensions) <= ivf::Plan::default().exact_work
}

/// Rows whose neighbours among others are looked for together.
const ASKED_AT_ONCE: usize = 64 * BLOCK_ROWS;

/// Of new rows the k nearest among `rows`, of which there are as many at least.
///
/// # Errors
/// Where rows cannot be read, new ones are not finite, or `watch` cancels.
pub(crate) fn among(
    rows: &dyn RowSource,
    new: &dyn RowSource,
    k: usize,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Neighbours, Error> {
    let (n, d) = (new.rows(), new.dimensions());
    let exact = exact::Exact::new(rows, k, threads, watch)?;
    let mut all = Neighbours { k, rows: Vec::new(), distances: Vec::new() };
    let steps = Steps::new(new.n_blocks() as u64, watch);
    let mut values = Vec::new();
    for block in 0..new.n_blocks() {
        values.extend_from_slice(&new.block(block)?);
        let end = new.block_rows(block).end;
        if values.len() < ASKED_AT_ONCE * d && end < n {
            continue;
        }
        let first = end - values.len() / d;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { row: first + at / d });
        }
        let found = exact.others(first, &values, threads)?;
        all.rows.extend(found.rows);
        all.distances.extend(found.distances);
        steps.done(values.len().div_ceil(BLOCK_ROWS * d) as u64);
        values.clear();
    }
    Ok(all)
}

fn check(rows: &dyn RowSource, k: usize) -> Result<(), Error> {
    let n = rows.rows();
    if n == 0 {
        return Err(Error::NoRows);
    }
    if k == 0 || k >= n {
        return Err(Error::BadNeighbours { neighbours: k, most: n - 1 });
    }
    Ok(())
}

/// How much of it is done, told as it is.
struct Steps<'a> {
    done: AtomicU64,
    of: u64,
    watch: &'a dyn Watch,
}

impl<'a> Steps<'a> {
    fn new(of: u64, watch: &'a dyn Watch) -> Self {
        Self { done: AtomicU64::new(0), of, watch }
    }

    fn done(&self, many: u64) {
        let done = self.done.fetch_add(many, Ordering::Relaxed) + many;
        self.watch.progress(Phase::Neighbours, done, self.of);
    }
}

/// Rows of which the middle is looked for.
const CENTRE_ROWS: usize = 1024;
const CENTRE_STREAM: u64 = 0x70;

/// About the middle of the rows: far from it products would be large and their differences,
/// which are what counts, lost in rounding.
pub(crate) fn centre(rows: &dyn RowSource) -> Result<Vec<f32>, Error> {
    let drawn = sample::draw(rows, CENTRE_ROWS, 0, CENTRE_STREAM)?;
    let mut sums = vec![0.0; rows.dimensions()];
    for row in drawn.values.chunks_exact(rows.dimensions()) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    Ok(sums.iter().map(|sum| (sum / drawn.numbers.len() as f64) as f32).collect())
}

pub(crate) fn centred(rows: &[f32], centre: &[f32]) -> Vec<f32> {
    let mut rows = rows.to_vec();
    for row in rows.chunks_exact_mut(centre.len()) {
        row.iter_mut().zip(centre).for_each(|(x, centre)| *x -= centre);
    }
    rows
}

#[cfg(test)]
mod tests;
