//! K-means of rows that come a batch at a time (Sculley: Web-scale k-means clustering. WWW 2010;
//! what it leaves open is as scikit-learn's MiniBatchKMeans has it): each centroid is the mean of
//! all rows that were ever with it, so that it moves the less the more they were. Few passes are
//! enough, or a part of one; then all rows are put to their nearest centroids, exactly.
//!
//! Rows of a batch should be of all kinds, and neighbours in a table are often of one: so blocks are
//! drawn from anywhere, some of them mixed, and batches dealt of these. A pass reads a block once.

use super::assign::Assigner;
use super::{Clustering, Init, Options, check, fit, init};
use crate::Error;
use crate::kernel::{self, Level, Panels};
use crate::metrics::squared_distance;
use crate::random::Random;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::{available, for_each};
use crate::watch::{Phase, Watch};

/// What is asked for. The defaults are scikit-learn's, but for the size of a batch.
#[derive(Debug, Clone)]
pub struct Batches {
    pub k: usize,
    pub seed: u64,
    /// Passes over all rows, at most.
    pub passes_max: u32,
    /// Rows of a batch.
    pub rows: usize,
    /// Ends after so many batches that made nothing better; after none where it is 0.
    pub patience: u32,
    pub init: Init,
    /// As many as the machine has cores, where none is given.
    pub threads: Option<usize>,
}

impl Batches {
    pub fn new(k: usize, seed: u64) -> Self {
        let (passes_max, rows, patience, init) = (100, 4096, 10, Init::Auto);
        Self { k, seed, passes_max, rows, patience, init, threads: None }
    }
}

/// A centroid with fewer rows than this share of the largest may begin anew, whenever as many rows
/// for each cluster have been seen, and all that there are.
const SMALL_SHARE: f64 = 0.01;
const ROWS_A_CLUSTER: u64 = 100;
/// Numbers of the blocks that are mixed, at most, unless two have more.
const MIXED_FLOATS: usize = 1 << 24;
const ORDER_STREAM: u64 = 0x20;
const MIX_STREAM: u64 = 0x21;
const ANEW_STREAM: u64 = 0x22;

/// Centroids that learn from rows as they come.
#[derive(Debug, Clone)]
pub struct Learner {
    /// In 64 bits: a step of one that has many rows would be lost in 32.
    centroids: Vec<f64>,
    rows: Vec<u64>,
    dimensions: usize,
    random: Random,
    batches: u64,
    since_anew: u64,
    /// Rows after which some may begin anew.
    anew_after: u64,
    threads: usize,
}

impl Learner {
    /// From k × dimensions numbers on.
    ///
    /// # Errors
    /// Where these are no rows of finite numbers.
    pub fn new(
        centroids: &[f32],
        dimensions: usize,
        seed: u64,
        threads: Option<usize>,
    ) -> Result<Self, Error> {
        if dimensions == 0 {
            return Err(Error::NoDimensions);
        }
        let (given, k) = (centroids.len(), centroids.len() / dimensions);
        if k == 0 || given != k * dimensions || centroids.iter().any(|x| !x.is_finite()) {
            return Err(Error::BadInit { given, k: k.max(1), dimensions });
        }
        Ok(Self {
            centroids: centroids.iter().map(|x| f64::from(*x)).collect(),
            rows: vec![0; k],
            dimensions,
            random: Random::new(seed, ANEW_STREAM),
            batches: 0,
            since_anew: 0,
            anew_after: ROWS_A_CLUSTER * k as u64,
            threads: threads.unwrap_or_else(available).max(1),
        })
    }

    /// k × dimensions, as they are now.
    pub fn centroids(&self) -> Vec<f32> {
        self.centroids.iter().map(|x| *x as f32).collect()
    }

    /// How many rows each has learnt from.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// Moves centroids by a batch of rows, one after another; gives the mean of the squared
    /// distances of these to where centroids were.
    ///
    /// # Errors
    /// Where they are not rows or not finite, or `watch` cancels.
    pub fn learn(&mut self, rows: &[f32], watch: &dyn Watch) -> Result<f64, Error> {
        let d = self.dimensions;
        let n = rows.len() / d;
        if rows.len() != n * d {
            return Err(Error::BadShape { given: rows.len(), rows: n, dimensions: d });
        }
        if let Some(at) = rows.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { row: at / d });
        }
        if n == 0 {
            return Ok(0.0);
        }
        let (labels, inertia) = self.assigned(rows, watch)?;
        let mut sums = vec![0.0; self.centroids.len()];
        let mut counts = vec![0_u64; self.rows.len()];
        for (row, label) in rows.chunks_exact(d).zip(&labels) {
            let label = *label as usize;
            counts[label] += 1;
            let sum = &mut sums[label * d..][..d];
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let centroids = self.centroids.chunks_exact_mut(d).zip(sums.chunks_exact(d));
        let each = centroids.zip(self.rows.iter_mut().zip(counts));
        for ((centroid, sum), (before, count)) in each.filter(|(_, (_, count))| *count > 0) {
            let (old, all) = (*before as f64, (*before + count) as f64);
            centroid.iter_mut().zip(sum).for_each(|(x, sum)| *x = (*x * old + sum) / all);
            *before += count;
        }
        self.batches += 1;
        self.since_anew += n as u64;
        if self.since_anew >= self.anew_after {
            self.begin_anew(rows);
        }
        Ok(inertia / n as f64)
    }

    /// The nearest centroid of each row, and the sum of the squared distances.
    fn assigned(&self, rows: &[f32], watch: &dyn Watch) -> Result<(Vec<u32>, f64), Error> {
        let d = self.dimensions;
        let centroids = self.centroids();
        let (level, zero) = (Level::detect(), vec![0.0; d]);
        let panels = Panels::to_assign(level, &centroids, d);
        let mut labels = vec![0; rows.len() / d];
        let mut sums = vec![0.0; labels.len().div_ceil(BLOCK_ROWS)];
        let parts = labels.chunks_mut(BLOCK_ROWS).zip(&mut sums);
        let mut parts: Vec<_> = parts.zip(rows.chunks(BLOCK_ROWS * d)).collect();
        let mut workers: Vec<(Assigner, Vec<f32>)> =
            (0..self.threads).map(|_| (Assigner::new(level), Vec::new())).collect();
        for_each(&mut parts, &mut workers, watch, |(assigner, squares), _, part| {
            let ((labels, sum), rows) = part;
            kernel::squared_distances(level, rows, &zero, d, squares);
            labels.copy_from_slice(assigner.assign(rows, squares, &centroids, &panels));
            for (row, label) in rows.chunks_exact(d).zip(labels.iter()) {
                **sum += squared_distance(row, &centroids[*label as usize * d..][..d]);
            }
            Ok(())
        })?;
        Ok((labels, sums.iter().sum()))
    }

    /// Centroids that next to no row is with are put to rows of the batch: half of these at most,
    /// the least first. They weigh what the least of the others does.
    fn begin_anew(&mut self, rows: &[f32]) {
        let d = self.dimensions;
        let n = rows.len() / d;
        let most = self.rows.iter().copied().max().unwrap_or_default();
        let is_small = |count: u64| (count as f64) < SMALL_SHARE * most as f64;
        let mut small: Vec<usize> =
            (0..self.rows.len()).filter(|at| is_small(self.rows[*at])).collect();
        small.sort_by_key(|at| (self.rows[*at], *at));
        small.truncate(n / 2);
        self.since_anew = 0;
        let others = (0..self.rows.len()).filter(|at| !small.contains(at));
        let Some(least) = others.map(|at| self.rows[at]).min() else { return };
        for (nth, at) in small.into_iter().enumerate() {
            let row = self.random.below(self.batches << 32 | nth as u64, n as u64) as usize;
            let row = rows[row * d..][..d].iter().map(|x| f64::from(*x));
            self.centroids[at * d..][..d].iter_mut().zip(row).for_each(|(x, own)| *x = own);
            self.rows[at] = least;
        }
    }
}

/// Clusters rows by batches, and puts all of them to the nearest of what came of it. `iterations`
/// are batches.
///
/// # Errors
/// Where there are fewer rows than clusters, shapes do not fit, rows cannot be read, or `watch`
/// cancels.
pub fn fit_batches(
    rows: &dyn RowSource,
    options: &Batches,
    watch: &dyn Watch,
) -> Result<Clustering, Error> {
    let (k, seed) = (options.k, options.seed);
    let mut exact =
        Options { max_iterations: 0, threads: options.threads, ..Options::new(k, seed) };
    exact.init = options.init.clone();
    check(rows.rows(), rows.dimensions(), &exact)?;
    let threads = options.threads.unwrap_or_else(available).max(1);
    let centroids = init::choose(rows, (&options.init, k), seed, threads, watch)?;
    let mut learner = Learner::new(&centroids, rows.dimensions(), seed, options.threads)?;
    let (batches, has_converged) = learn_all(&mut learner, rows, options, watch)?;
    exact.init = Init::Given(learner.centroids());
    let found = fit(rows, &exact, watch)?;
    Ok(Clustering { iterations: batches, has_converged, ..found })
}

/// How many batches it took, and whether it ended before the most passes.
fn learn_all(
    learner: &mut Learner,
    rows: &dyn RowSource,
    options: &Batches,
    watch: &dyn Watch,
) -> Result<(u32, bool), Error> {
    let (d, n_blocks, at_once) = (rows.dimensions(), rows.n_blocks(), options.rows.max(1));
    learner.anew_after = learner.anew_after.max(rows.rows() as u64);
    let of = u64::from(options.passes_max) * rows.rows().div_ceil(at_once) as u64;
    let mut trend = Trend::new(rows.rows(), options.patience);
    let mixed = (MIXED_FLOATS / (BLOCK_ROWS * d)).max(2).max(at_once.div_ceil(BLOCK_ROWS));
    let (mut batches, mut values, mut batch) = (0, Vec::new(), Vec::new());
    for pass in 0..options.passes_max {
        let random = |stream: u64| Random::new(options.seed, stream | u64::from(pass) << 16);
        let order = shuffled(n_blocks, random(ORDER_STREAM), 0);
        for (nth, blocks) in order.chunks(mixed).enumerate() {
            values.clear();
            for block in blocks {
                values.extend_from_slice(&rows.block(*block)?);
            }
            let order = shuffled(values.len() / d, random(MIX_STREAM), (nth as u64) << 32);
            for numbers in order.chunks(at_once) {
                watch.progress(Phase::Iterations, u64::from(batches), of);
                batch.clear();
                numbers.iter().for_each(|at| batch.extend_from_slice(&values[at * d..][..d]));
                let inertia = learner.learn(&batch, watch)?;
                batches += 1;
                if trend.is_over(inertia, numbers.len()) {
                    return Ok((batches, true));
                }
            }
        }
    }
    Ok((batches, false))
}

/// Numbers below one in any order, by random numbers from a place in the stream on.
fn shuffled(n: usize, random: Random, from: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for at in (1..n).rev() {
        order.swap(at, random.below(from + at as u64, at as u64 + 1) as usize);
    }
    order
}

/// The mean inertia of batches, of which later ones count more.
struct Trend {
    /// How much a row counts.
    share: f64,
    mean: Option<f64>,
    least: f64,
    batches: u64,
    in_vain: u32,
    patience: u32,
}

impl Trend {
    fn new(rows: usize, patience: u32) -> Self {
        let share = 2.0 / (rows + 1) as f64;
        Self { share, mean: None, least: f64::INFINITY, batches: 0, in_vain: 0, patience }
    }

    fn is_over(&mut self, inertia: f64, rows: usize) -> bool {
        self.batches += 1;
        // The first is of where centroids began.
        if self.batches == 1 {
            return false;
        }
        let before = self.mean.unwrap_or(inertia);
        let share = (self.share * rows as f64).min(1.0);
        let mean = before * (1.0 - share) + inertia * share;
        self.mean = Some(mean);
        self.in_vain = if mean < self.least { 0 } else { self.in_vain + 1 };
        self.least = self.least.min(mean);
        self.patience > 0 && self.in_vain >= self.patience
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    /// Rows about `k` places, in a row those of one place.
    fn blobs(n: usize, d: usize, k: usize) -> Vec<f32> {
        let random = Random::new(9, 1);
        let value = |at: usize| {
            let (place, column) = (at / d * k / n, at % d);
            let middle = random.unit(1 << 40 | (place * d + column) as u64) * 20.0;
            (middle + random.bell(at as u64)) as f32
        };
        (0..n * d).map(value).collect()
    }

    fn batches(k: usize, threads: usize) -> Batches {
        Batches { threads: Some(threads), ..Batches::new(k, 3) }
    }

    #[test]
    fn batches_come_near_what_all_rows_give() {
        let (n, d) = (30_000, 8);
        for (places, k) in [(10, 10), (10, 25)] {
            let values = blobs(n, d, places);
            let rows = Matrix::new(&values, d).unwrap();
            let wanted = fit(&rows, &Options::new(k, 3), &Unwatched).unwrap().inertia;
            let found = fit_batches(&rows, &batches(k, 1), &Unwatched).unwrap();
            assert!(found.inertia < 1.02 * wanted, "{} {wanted}", found.inertia);
            assert!(found.has_converged && found.sizes.iter().sum::<u64>() == n as u64);
            // Each row is with the nearest centroid.
            for (row, label) in values.chunks(d).zip(&found.labels).step_by(997) {
                let to = |at: usize| squared_distance(row, &found.centroids[at * d..][..d]);
                assert!((0..k).all(|at| to(*label as usize) <= to(at)));
            }
            assert_eq!(found, fit_batches(&rows, &batches(k, 3), &Unwatched).unwrap());
            let other = Batches { seed: 4, ..batches(k, 1) };
            assert_ne!(found.centroids, fit_batches(&rows, &other, &Unwatched).unwrap().centroids);
        }
    }

    #[test]
    fn a_centroid_is_the_mean_of_all_rows_that_were_with_it() {
        let mut learner = Learner::new(&[0.0, 10.0], 1, 1, Some(1)).unwrap();
        let inertia = learner.learn(&[1.0, 2.0, 9.0], &Unwatched).unwrap();
        assert!((inertia - (1.0 + 4.0 + 1.0) / 3.0).abs() < 1e-12);
        assert_eq!((learner.centroids(), learner.rows()), (vec![1.5, 9.0], &[2, 1][..]));
        learner.learn(&[3.0, 11.0, 13.0], &Unwatched).unwrap();
        assert_eq!((learner.centroids(), learner.rows()), (vec![2.0, 11.0], &[3, 3][..]));
    }

    #[test]
    fn a_centroid_without_rows_begins_anew() {
        let mut learner = Learner::new(&[0.0, 1e6], 1, 1, Some(1)).unwrap();
        for _ in 0..60 {
            learner.learn(&[1.0, 2.0, 8.0, 9.0], &Unwatched).unwrap();
        }
        assert!(learner.centroids().iter().all(|x| *x < 10.0), "{:?}", learner.centroids());
    }

    #[test]
    fn odd_rows_are_clustered_or_an_error() {
        let rows = Matrix::new(&[4.0; 30], 3).unwrap();
        let found = fit_batches(&rows, &batches(10, 2), &Unwatched).unwrap();
        assert!(found.inertia == 0.0 && found.centroids.len() == 30);
        let bad = Error::BadK { k: 11, rows: 10 };
        assert_eq!(fit_batches(&rows, &batches(11, 1), &Unwatched).unwrap_err(), bad);
        let mut learner = Learner::new(&[0.0; 6], 3, 1, None).unwrap();
        let bad = Error::BadShape { given: 4, rows: 1, dimensions: 3 };
        assert_eq!(learner.learn(&[1.0; 4], &Unwatched).unwrap_err(), bad);
        let bad = Error::NotFinite { row: 1 };
        let rows = [1.0, 1.0, 1.0, 1.0, f32::NAN, 1.0];
        assert_eq!(learner.learn(&rows, &Unwatched).unwrap_err(), bad);
        assert_eq!(learner.learn(&[], &Unwatched).unwrap(), 0.0);
        let bad = Error::BadInit { given: 4, k: 1, dimensions: 3 };
        assert_eq!(Learner::new(&[0.0; 4], 3, 1, None).unwrap_err(), bad);
    }
}
