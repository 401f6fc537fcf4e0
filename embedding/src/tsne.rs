//! t-SNE: rows laid out so that neighbours are near, by how likely each two are to be neighbours
//! (van der Maaten, Hinton: Visualizing data using t-SNE. JMLR 2008).
//!
//! Affinities of neighbours, as wide as the perplexity asks for ([`affinities`]); a beginning by
//! principal components, and a rate in proportion to the rows, after Kobak and Berens (The art of
//! using t-SNE for single-cell transcriptomics. Nature Communications 2019); and then iterations
//! ([`descent`]) in which neighbours pull and all push: pair by pair where there are few rows
//! ([`exact`]), else by a grid on a plane ([`field`]) and by a tree in space ([`tree`]). Sums have one order, whatever the threads and the
//! processor: a seed gives the same layout with any number of them, on every machine.

mod affinities;
mod convolution;
mod descent;
mod exact;
mod field;
mod fourier;
mod tree;

use affinities::Affinities;
use descent::{Descent, Pace, Push, Repulsion, RepulsionInSpace};
use exact::Pairs;
use field::Field;

use crate::random::Random;
use crate::rows::RowSource;
use crate::threads::available;
use crate::watch::{Phase, Watch};
use crate::{Error, knn, pca};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// From 1 to 3.
    pub dimensions: usize,
    pub seed: u64,
    /// About how many neighbours a row has, at least 1. 30, or a third of the rows where those
    /// are few, and never less than 5, where none is given; a third of the other rows at most.
    pub perplexity: Option<f64>,
    /// In all: in the first third neighbours pull harder than they are near.
    pub iterations: u32,
    /// As many as the machine has cores, where none is given.
    pub threads: Option<usize>,
}

impl Options {
    pub fn new(dimensions: usize, seed: u64) -> Self {
        Self { dimensions, seed, perplexity: None, iterations: 750, threads: None }
    }
}

/// Rows laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// n × dimensions, with the middle of all at zero.
    pub points: Vec<f32>,
    /// The Kullback-Leibler divergence that is left: the sum of p ln(p / q) over neighbours.
    pub kl: f64,
    /// What was used of the perplexity that was asked for.
    pub perplexity: f64,
    /// Neighbours that were looked at of each row.
    pub neighbours: usize,
    /// The share of the true neighbours that was found, measured on some rows.
    pub neighbour_recall: f64,
    /// Whether all fell onto a line at first, and was begun again.
    pub restarted: bool,
}

/// Most dimensions of a layout.
pub const DIMENSIONS_MAX: usize = 3;
const PERPLEXITY: f64 = 30.0;
const PERPLEXITY_SMALL: f64 = 5.0;
/// Neighbours, in perplexities: those beyond have next to no share.
const NEIGHBOURS: f64 = 3.0;
const EXAGGERATION: f32 = 12.0;
/// From the beginning on, as openTSNE 1.0 has it.
const MOMENTUM: f32 = 0.8;
/// The rate is the number of rows over the exaggeration; with few rows that would be slow.
const RATE_LEAST: f32 = 25.0;
/// The standard deviation of the beginning along the first component, after Kobak and Berens.
const DEVIATION: f64 = 1e-4;
/// How far the beginning is shaken, in those deviations, so that no two points are one; and how
/// far where all fell onto a line.
const SHAKEN: f64 = 0.01;
const SHAKEN_MORE: f64 = 1.0;
const NOISE_STREAM: u64 = 0x65;
/// Up to so many rows pairs are quicker than a grid, or a tree.
const EXACT_MAX: usize = 2500;
/// Up to so many rows pairs are what is begun again with, else a finer grid.
const EXACT_AGAIN_MAX: usize = 10_000;
const FINER: f32 = 2.0;
/// The second variance, in shares of the first, of rows that are no more than a line.
const LINE: f64 = 1e-6;

/// Lays rows out: n × dimensions.
///
/// # Errors
/// Where an option is out of range, there are no rows, they cannot be read, or `watch` cancels.
pub fn fit(rows: &dyn RowSource, options: &Options, watch: &dyn Watch) -> Result<Layout, Error> {
    let find = |k| knn::nearest(rows, k, options.threads, options.seed, watch);
    fit_by(rows, options, find, watch)
}

/// The same with neighbours that `find` finds, so many of each.
///
/// # Errors
/// As [`fit`] has them, and where `find` has one.
pub fn fit_by(
    rows: &dyn RowSource,
    options: &Options,
    find: impl FnOnce(usize) -> Result<knn::Found, Error>,
    watch: &dyn Watch,
) -> Result<Layout, Error> {
    let (n, m) = (rows.rows(), options.dimensions);
    if n == 0 {
        return Err(Error::NoRows);
    }
    if m == 0 || m > DIMENSIONS_MAX {
        return Err(Error::BadComponents { components: m, most: DIMENSIONS_MAX });
    }
    let perplexity = perplexity(options.perplexity, n)?;
    if n == 1 {
        let (points, kl, neighbours, neighbour_recall) = (vec![0.0; m], 0.0, 0, 1.0);
        let restarted = false;
        return Ok(Layout { points, kl, perplexity, neighbours, neighbour_recall, restarted });
    }
    let threads = options.threads.unwrap_or_else(available).max(1);
    let start = Start::new(rows, m, threads, watch)?;
    let k = ((NEIGHBOURS * perplexity) as usize + 1).min(n - 1);
    let knn::Found { neighbours, recall: neighbour_recall } = find(k)?;
    if neighbours.rows.len() != n * k {
        let given = neighbours.rows.len();
        return Err(Error::BadShape { given, rows: n, dimensions: k });
    }
    let affinities = Affinities::new(&neighbours, perplexity, threads, watch)?;
    drop(neighbours);
    let run = Run { affinities: &affinities, start: &start, options, threads };
    let (points, kl, restarted) = match m {
        3 => run.layout::<RepulsionInSpace, 3>(watch)?,
        _ => run.layout::<Repulsion, 2>(watch)?,
    };
    Ok(Layout { points, kl, perplexity, neighbours: k, neighbour_recall, restarted })
}

/// What is used of the perplexity asked for, at least 1.
fn perplexity(asked: Option<f64>, n: usize) -> Result<f64, Error> {
    if let Some(asked) = asked
        && !(asked >= 1.0 && asked.is_finite())
    {
        return Err(Error::BadPerplexity(asked));
    }
    let own = || PERPLEXITY.min(PERPLEXITY_SMALL.max(n as f64 / NEIGHBOURS));
    let most = (n - 1) as f64 / NEIGHBOURS;
    Ok(asked.unwrap_or_else(own).min(most).max(1.0))
}

/// Where points begin.
struct Start {
    /// n × components, along the principal components.
    projected: Vec<f32>,
    n_components: usize,
    rows: usize,
    /// Brings the first component to [`DEVIATION`].
    scale: f64,
    /// Whether rows are more than a line.
    plane: bool,
}

impl Start {
    fn new(
        rows: &dyn RowSource,
        m: usize,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let n = rows.rows();
        let n_components = m.min(n).min(rows.dimensions());
        let pca = pca::fit(rows, n_components, Some(threads), watch)?;
        let projected = pca.project(rows, Some(threads), watch)?;
        let firsts = || projected.iter().step_by(n_components).map(|x| f64::from(*x));
        let mean = firsts().sum::<f64>() / n as f64;
        let variance = firsts().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
        let scale = if variance > 0.0 { DEVIATION / variance.sqrt() } else { 0.0 };
        let plane = match pca.explained_variance[..] {
            [first, second] => second > first * LINE,
            _ => false,
        };
        Ok(Self { projected, n_components, rows: n, scale, plane })
    }

    /// `shaken` is in deviations; where there are no components there is nothing but noise.
    fn points<const M: usize>(&self, m: usize, seed: u64, shaken: f64) -> Vec<[f32; M]> {
        let random = Random::new(seed, NOISE_STREAM);
        let coordinate = |row: usize, axis: usize| {
            let noise = random.bell((row * m + axis) as u64) * DEVIATION;
            match self.projected.get(row * self.n_components + axis) {
                Some(x) if axis < self.n_components && self.scale > 0.0 => {
                    (f64::from(*x) * self.scale + noise * shaken) as f32
                }
                _ => noise as f32,
            }
        };
        let point =
            |row| std::array::from_fn(|axis| if axis < m { coordinate(row, axis) } else { 0.0 });
        (0..self.rows).map(point).collect()
    }
}

/// What pushes in a layout of so many rows.
trait Repels<const M: usize>: Push<M> + Sized {
    /// Pair by pair up to so many rows, else by what is quicker, where it is a grid as many times
    /// finer than is enough as a rule.
    fn of(rows: usize, exact_max: usize, finer: f32) -> Self;
}

impl Repels<2> for Repulsion {
    fn of(rows: usize, exact_max: usize, finer: f32) -> Self {
        match rows <= exact_max {
            true => Self::Exact(Pairs::default()),
            false => Self::Grid(Box::new(Field::new(finer))),
        }
    }
}

impl Repels<3> for RepulsionInSpace {
    fn of(rows: usize, exact_max: usize, _: f32) -> Self {
        match rows <= exact_max {
            true => Self::Exact(Pairs::default()),
            false => Self::Tree(Box::default()),
        }
    }
}

/// What a layout is made by.
struct Run<'a> {
    affinities: &'a Affinities,
    start: &'a Start,
    options: &'a Options,
    threads: usize,
}

impl<'a> Run<'a> {
    /// The points, their divergence, and whether they were begun again.
    fn layout<R: Repels<M>, const M: usize>(
        &self,
        watch: &dyn Watch,
    ) -> Result<(Vec<f32>, f64, bool), Error> {
        let (mut descent, restarted) = self.descend::<R, M>(watch)?;
        let kl = descent.divergence(watch)?;
        Ok((centred(&descent.points, self.options.dimensions), kl, restarted))
    }

    /// Also whether it was begun again.
    fn descend<R: Repels<M>, const M: usize>(
        &self,
        watch: &dyn Watch,
    ) -> Result<(Descent<'a, R, M>, bool), Error> {
        let all = self.options.iterations;
        // Some time after neighbours have stopped to pull so hard that little heaps are points.
        let looked_at = self.early() + (all - self.early()) / 4;
        let mut descent = self.begin(R::of(self.start.rows, EXACT_MAX, 1.0), SHAKEN);
        self.steps(&mut descent, 0..looked_at, watch)?;
        let restarted = self.start.plane && descent.is_line();
        if restarted {
            descent = self.begin_again();
            self.steps(&mut descent, 0..looked_at, watch)?;
        }
        self.steps(&mut descent, looked_at..all, watch)?;
        Ok((descent, restarted))
    }

    fn begin_again<R: Repels<M>, const M: usize>(&self) -> Descent<'a, R, M> {
        self.begin(R::of(self.start.rows, EXACT_AGAIN_MAX, FINER), SHAKEN_MORE)
    }

    /// Iterations with exaggeration.
    fn early(&self) -> u32 {
        self.options.iterations / 3
    }

    fn begin<R: Repels<M>, const M: usize>(&self, repulsion: R, shaken: f64) -> Descent<'a, R, M> {
        let m = self.options.dimensions;
        let points = self.start.points(m, self.options.seed, shaken);
        Descent::new(self.affinities, repulsion, points, m, self.threads)
    }

    fn steps<R: Repels<M>, const M: usize>(
        &self,
        descent: &mut Descent<'a, R, M>,
        which: std::ops::Range<u32>,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let of = u64::from(self.options.iterations);
        for iteration in which {
            watch.progress(Phase::Epochs, u64::from(iteration), of);
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if watch.wants_layout() {
                watch.layout(iteration, &centred(&descent.points, self.options.dimensions));
            }
            let exaggeration = if iteration < self.early() { EXAGGERATION } else { 1.0 };
            let rate = (self.start.rows as f32 / exaggeration).max(RATE_LEAST);
            descent.step(Pace { exaggeration, rate, momentum: MOMENTUM }, watch)?;
        }
        Ok(())
    }
}

fn middle<const M: usize>(points: &[[f32; M]]) -> [f64; M] {
    std::array::from_fn(|axis| {
        points.iter().map(|point| f64::from(point[axis])).sum::<f64>() / points.len() as f64
    })
}

fn centred<const M: usize>(points: &[[f32; M]], m: usize) -> Vec<f32> {
    let middle = middle(points);
    let moved = |point: &[f32; M]| -> [f32; M] {
        std::array::from_fn(|axis| (f64::from(point[axis]) - middle[axis]) as f32)
    };
    points.iter().flat_map(|point| moved(point).into_iter().take(m)).collect()
}

#[cfg(test)]
mod tests;
