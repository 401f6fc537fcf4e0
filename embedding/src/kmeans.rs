//! K-means by Lloyd's algorithm, exactly: each row goes to the centroid that is nearest to it,
//! however close the next one is, and of equally near ones to the first. Scores are worked out
//! in 32 bits together with how wrong they can be; rows for which that could decide are looked
//! at again in 64 ([`assign`]). Means are sums of whole numbers ([`sums`]), which only rows
//! that went elsewhere change. So the labels follow from rows, seed and options alone. Rows that
//! come a batch at a time are learnt from by [`Learner`], and by [`fit_batches`].

mod assign;
mod batches;
mod course;
mod driven;
mod init;
mod sums;

use crate::kernel::{Level, Panels};
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;
use crate::{Error, metrics};
use assign::Assigner;
use course::Course;
use sums::Sums;

pub use course::Prepared;
pub use driven::{Driven, UNSURE};

pub use batches::{Batches, Learner, fit_batches};

/// What is asked for. The defaults are scikit-learn's.
#[derive(Debug, Clone)]
pub struct Options {
    pub k: usize,
    pub seed: u64,
    pub max_iterations: u32,
    /// Ends where the squares of all centroids' moves sum up to less than this share of the
    /// mean variance of a dimension.
    pub tolerance: f64,
    pub init: Init,
    /// As many as the machine has cores, where none is given.
    pub threads: Option<usize>,
}

impl Options {
    pub fn new(k: usize, seed: u64) -> Self {
        Self { k, seed, max_iterations: 300, tolerance: 1e-4, init: Init::Auto, threads: None }
    }
}

/// Where centroids begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// k-means++ for few clusters, k-means|| for many.
    Auto,
    /// Greedy k-means++ ([`init`]).
    PlusPlus,
    /// k-means|| ([`init::parallel`]).
    Parallel,
    /// k × d numbers.
    Given(Vec<f32>),
}

/// Clusters that were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The cluster of each row, below k.
    pub labels: Vec<u32>,
    /// k × d: of these each row is with the nearest.
    pub centroids: Vec<f32>,
    /// Rows of each cluster.
    pub sizes: Vec<u64>,
    /// The sum over all rows of the squared distance to their centroid.
    pub inertia: f64,
    pub iterations: u32,
    /// Whether it ended before the most iterations.
    pub has_converged: bool,
    /// Rows that were looked at again in 64 bits, in all iterations.
    pub rechecked: u64,
}

/// A thread's own.
struct Worker {
    assigner: Assigner,
    sums: Sums,
}

/// Clusters rows.
///
/// # Errors
/// Where there are fewer rows than clusters, shapes do not fit, rows cannot be read, or
/// `watch` cancels.
pub fn fit(
    rows: &dyn RowSource,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Clustering, Error> {
    let (n, d, k) = (rows.rows(), rows.dimensions(), options.k);
    check(n, d, options)?;
    let level = Level::detect();
    let prepared = Prepared::new(rows, options.threads, watch)?;
    let mut course = Course::new(rows, &prepared, options, watch)?;
    let (threads, scale) = (course.threads, course.scale);
    let mut workers: Vec<Worker> = (0..threads)
        .map(|_| Worker { assigner: Assigner::new(level), sums: Sums::new(k, d, scale) })
        .collect();
    loop {
        course.tell(watch);
        let Course { centroids, labels, .. } = &mut course;
        let changed = assign_all(rows, &prepared.squares, centroids, labels, &mut workers, watch)?;
        let total = || Sums::total(workers.iter().map(|worker| &worker.sums), k, d, scale);
        if !course.advance(changed, total, watch)? {
            break;
        }
    }
    let rechecked = workers.iter().map(|worker| worker.assigner.rechecked).sum();
    course.end(rechecked, watch)
}

fn check(n: usize, d: usize, options: &Options) -> Result<(), Error> {
    let k = options.k;
    if n == 0 {
        return Err(Error::NoRows);
    }
    if d == 0 {
        return Err(Error::NoDimensions);
    }
    if k == 0 || k > n {
        return Err(Error::BadK { k, rows: n });
    }
    if let Init::Given(given) = &options.init
        && (given.len() != k * d || given.iter().any(|value| !value.is_finite()))
    {
        return Err(Error::BadInit { given: given.len(), k, dimensions: d });
    }
    Ok(())
}

/// Puts every row to its nearest centroid; how many went elsewhere.
fn assign_all(
    rows: &dyn RowSource,
    squares: &[f32],
    centroids: &[f32],
    labels: &mut [u32],
    workers: &mut [Worker],
    watch: &dyn Watch,
) -> Result<u64, Error> {
    let d = rows.dimensions();
    let panels = Panels::to_assign(Level::detect(), centroids, d);
    let before: u64 = workers.iter().map(|worker| worker.sums.changed).sum();
    let mut blocks: Vec<(&mut [u32], &[f32])> =
        labels.chunks_mut(BLOCK_ROWS).zip(squares.chunks(BLOCK_ROWS)).collect();
    for_each(&mut blocks, workers, watch, |worker, index, (labels, squares)| {
        let block = rows.block(index)?;
        let found = worker.assigner.assign(&block, squares, centroids, &panels);
        for ((row, label), found) in block.chunks_exact(d).zip(labels.iter_mut()).zip(found) {
            worker.sums.change(row, *label, *found);
            *label = *found;
        }
        Ok(())
    })?;
    Ok(workers.iter().map(|worker| worker.sums.changed).sum::<u64>() - before)
}

/// Gives each cluster without rows one of those that are farthest from their centroids, as
/// scikit-learn does: the farthest to the first empty one.
fn fill_empty(
    rows: &dyn RowSource,
    centroids: &[f32],
    labels: &[u32],
    total: &mut Sums,
    threads: usize,
    watch: &dyn Watch,
) -> Result<(), Error> {
    let distances = metrics::squared_distances(rows, centroids, labels, threads, watch)?;
    let mut farthest: Vec<u32> = (0..labels.len() as u32).collect();
    let distance = |row: &u32| distances.get(*row as usize).copied().unwrap_or_default();
    let many = total.n_empty().min(farthest.len());
    let order = |a: &u32, b: &u32| distance(b).total_cmp(&distance(a)).then(a.cmp(b));
    if many < farthest.len() {
        farthest.select_nth_unstable_by(many, order);
        farthest.truncate(many);
    }
    farthest.sort_unstable_by(order);
    for (cluster, row) in total.empty().into_iter().zip(farthest) {
        let label = labels.get(row as usize).copied().unwrap_or(u32::MAX);
        total.change(&rows.row(row as usize)?, label, cluster);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
