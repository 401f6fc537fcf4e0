//! Where centroids begin: greedy k-means++ (Arthur, Vassilvitskii: k-means++. SODA 2007; with
//! the several tries for each centroid that scikit-learn makes). Each next centroid is a row,
//! chosen with a chance in proportion to its squared distance from those there are; of some
//! that were chosen so, the one that leaves the least sum of distances.

mod parallel;

use super::Init;
use crate::Error;
use crate::kernel::{Level, squared_distances};
use crate::random::Random;
use crate::rows::{BLOCK_ROWS, Matrix, RowSource};
use crate::sample;
use crate::threads::for_each;
use crate::watch::{Phase, Watch};

/// Rows that are looked at: all, or as many of them for each cluster, and at least so many.
const ROWS_A_CLUSTER: usize = 64;
const ROWS_MIN: usize = 1 << 16;
/// Streams of random numbers: which rows are looked at, and which of those are chosen.
const SAMPLE_STREAM: u64 = 1;
const CHOICE_STREAM: u64 = 2;

/// From so many clusters on, going through all rows for each is what takes longest.
const PARALLEL_FROM: usize = 256;

/// k rows, one after another.
pub(super) fn choose(
    rows: &dyn RowSource,
    (init, k): (&Init, usize),
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let is_parallel = match init {
        Init::Given(given) => return Ok(given.clone()),
        Init::Auto => k >= PARALLEL_FROM,
        Init::PlusPlus => false,
        Init::Parallel => true,
    };
    let of = |rows: &dyn RowSource| match is_parallel {
        true => parallel::choose(rows, k, seed, threads, watch),
        false => Chooser::new(rows, threads).choose(k, seed, watch),
    };
    let many = ROWS_MIN.max(k * ROWS_A_CLUSTER);
    if rows.rows() <= many {
        return of(rows);
    }
    let sample = sample::draw(rows, many, seed, SAMPLE_STREAM)?.values;
    of(&Matrix::of_finite(&sample, rows.dimensions()))
}

struct Chooser<'a> {
    rows: &'a dyn RowSource,
    /// How many times each row counts; once where none are given.
    weights: &'a [f32],
    level: Level,
    threads: usize,
    blocks: Vec<Block>,
}

/// What is known of a block's rows.
#[derive(Default)]
struct Block {
    /// The squared distance of each row from the nearest of the centroids that there are.
    least: Vec<f32>,
    sum: f64,
    /// What `least` would be with each of the candidates, one candidate after another, and
    /// its sums.
    tried: Vec<f32>,
    sums: Vec<f64>,
}

impl<'a> Chooser<'a> {
    fn new(rows: &'a dyn RowSource, threads: usize) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        blocks.resize_with(rows.n_blocks(), Block::default);
        Self { rows, weights: &[], level: Level::detect(), threads, blocks }
    }

    fn choose(mut self, k: usize, seed: u64, watch: &dyn Watch) -> Result<Vec<f32>, Error> {
        let random = Random::new(seed, CHOICE_STREAM);
        let n = self.rows.rows();
        let tries = 2 + (k as f64).ln() as usize;
        let mut at = 0;
        let mut next = || {
            at += 1;
            at - 1
        };
        let first = random.below(next(), n as u64) as usize;
        let mut chosen = self.rows.row(first)?;
        self.try_points(&chosen, watch)?;
        self.take(0);
        for nth in 1..k {
            watch.progress(Phase::Init, nth as u64, k as u64);
            let total: f64 = self.blocks.iter().map(|block| block.sum).sum();
            let mut candidates = Vec::with_capacity(tries * self.rows.dimensions());
            for _ in 0..tries {
                let row = match total > 0.0 {
                    true => self.row_at(random.unit(next()) * total),
                    // All rows are centroids already.
                    false => random.below(next(), n as u64) as usize,
                };
                candidates.extend(self.rows.row(row)?);
            }
            self.try_points(&candidates, watch)?;
            let sum = |of: usize| -> f64 {
                self.blocks
                    .iter()
                    .map(|block| block.sums.get(of).copied().unwrap_or_default())
                    .sum()
            };
            let sums: Vec<f64> = (0..tries).map(sum).collect();
            let best = (0..tries).min_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or_default();
            self.take(best);
            let d = self.rows.dimensions();
            chosen.extend_from_slice(candidates.get(best * d..(best + 1) * d).unwrap_or_default());
        }
        Ok(chosen)
    }

    /// The row at which the sum of the distances before comes to this.
    fn row_at(&self, target: f64) -> usize {
        let mut left = target;
        let mut last = 0;
        for (index, block) in self.blocks.iter().enumerate() {
            if left >= block.sum {
                left -= block.sum;
                continue;
            }
            for (row, least) in block.least.iter().enumerate() {
                if *least > 0.0 {
                    last = index * BLOCK_ROWS + row;
                    left -= f64::from(*least) * weight(self.weights, last);
                    if left < 0.0 {
                        return last;
                    }
                }
            }
            return last;
        }
        // Rounding came to the very end: the last row that may be chosen.
        let rows = self.blocks.iter().enumerate().rev();
        let found = rows.flat_map(|(index, block)| {
            let row = block.least.iter().rposition(|least| *least > 0.0)?;
            Some(index * BLOCK_ROWS + row)
        });
        found.into_iter().next().unwrap_or(last)
    }

    /// Works out what all distances would be with each of some points.
    fn try_points(&mut self, points: &[f32], watch: &dyn Watch) -> Result<(), Error> {
        let (rows, level, d) = (self.rows, self.level, self.rows.dimensions());
        let weights = self.weights;
        let mut workers = vec![(); self.threads];
        for_each(&mut self.blocks, &mut workers, watch, |(), index, block| {
            let values = rows.block(index)?;
            let n = values.len() / d;
            squared_distances(level, &values, points, d, &mut block.tried);
            block.sums.clear();
            for tried in block.tried.chunks_exact_mut(n.max(1)) {
                let mut sum = 0.0;
                for (at, tried) in tried.iter_mut().enumerate() {
                    // The first point has nothing before it.
                    if let Some(least) = block.least.get(at) {
                        *tried = tried.min(*least);
                    }
                    sum += f64::from(*tried) * weight(weights, index * BLOCK_ROWS + at);
                }
                block.sums.push(sum);
            }
            Ok(())
        })
    }

    /// Makes one of the points that were tried a centroid.
    fn take(&mut self, point: usize) {
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let n = self.rows.block_rows(index).len();
            let tried = block.tried.get(point * n..(point + 1) * n).unwrap_or_default();
            block.least.clear();
            block.least.extend_from_slice(tried);
            block.sum = block.sums.get(point).copied().unwrap_or_default();
        }
    }
}

fn weight(weights: &[f32], row: usize) -> f64 {
    weights.get(row).map_or(1.0, |weight| f64::from(*weight))
}
