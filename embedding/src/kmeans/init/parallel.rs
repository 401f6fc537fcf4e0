//! K-means|| (Bahmani, Moseley, Vattani, Kumar, Vassilvitskii: Scalable k-means++. VLDB 2012):
//! some rounds in each of which many rows are chosen at once, each with a chance in proportion
//! to its squared distance from those there are; and of these, each counting as often as it is
//! the nearest of a row, k by greedy k-means++.

use super::Chooser;
use crate::kernel::{Level, Panels, squared_distances};
use crate::kmeans::assign::Assigner;
use crate::random::Random;
use crate::rows::{BLOCK_ROWS, Matrix, RowSource};
use crate::threads::for_each;
use crate::watch::{Phase, Watch};
use crate::{Error, metrics};

/// Rounds, and how many rows are to be chosen in each, as a share of k: with less than one k
/// in all there would be too few, with two there is nothing more to be had.
const ROUNDS: u64 = 5;
const SHARE: f64 = 0.5;
const STREAM: u64 = 3;

/// A row's nearest of those that were chosen, and its squared distance.
#[derive(Clone, Copy)]
struct Near {
    distance: f32,
    chosen: u32,
}

/// k rows, one after another.
pub(super) fn choose(
    rows: &dyn RowSource,
    k: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    let random = Random::new(seed, STREAM);
    let squares = metrics::squared_norms(rows, threads, watch)?;
    let mut near = vec![Near { distance: f32::INFINITY, chosen: 0 }; n];
    let mut chosen = rows.row(random.below(0, n as u64) as usize)?;
    let mut compared = 0;
    for round in 0..=ROUNDS {
        watch.progress(Phase::Init, round, ROUNDS + 1);
        let new = chosen.get(compared * d..).unwrap_or_default();
        let total = compare(rows, &squares, new, compared, &mut near, threads, watch)?;
        compared = chosen.len() / d;
        if round == ROUNDS || total == 0.0 {
            break;
        }
        let scale = SHARE * k as f64 / total;
        let first = 1 + round * n as u64;
        for (row, near) in near.iter().enumerate() {
            if random.unit(first + row as u64) < f64::from(near.distance) * scale {
                chosen.extend(rows.row(row)?);
            }
        }
    }
    if compared <= k {
        // So few rows are apart from each other that each is worth looking at.
        return Chooser::new(rows, threads).choose(k, seed, watch);
    }
    let mut weights = vec![0.0; compared];
    for near in near {
        if let Some(weight) = weights.get_mut(near.chosen as usize) {
            *weight += 1.0;
        }
    }
    let chosen = Matrix::of_finite(&chosen, d);
    Chooser { weights: &weights, ..Chooser::new(&chosen, threads) }.choose(k, seed, watch)
}

/// Looks whether some that are new, of which the first has this number, are nearer; the sum of
/// the squared distances then.
fn compare(
    rows: &dyn RowSource,
    squares: &[f32],
    new: &[f32],
    first: usize,
    near: &mut [Near],
    threads: usize,
    watch: &dyn Watch,
) -> Result<f64, Error> {
    let d = rows.dimensions();
    let level = Level::detect();
    let panels = Panels::to_assign(level, new, d);
    let mut sums = vec![0.0; rows.n_blocks()];
    let blocks = near.chunks_mut(BLOCK_ROWS).zip(squares.chunks(BLOCK_ROWS));
    let mut blocks: Vec<_> = blocks.zip(&mut sums).collect();
    let mut workers: Vec<_> = (0..threads).map(|_| (Assigner::new(level), Vec::new())).collect();
    for_each(
        &mut blocks,
        &mut workers,
        watch,
        |(assigner, found), index, ((near, squares), sum)| {
            let block = rows.block(index)?;
            let labels: &[u32] = match new.is_empty() {
                true => &[],
                false => assigner.assign(&block, squares, new, &panels),
            };
            for ((row, near), label) in block.chunks_exact(d).zip(near.iter_mut()).zip(labels) {
                let from = *label as usize * d;
                let point = new.get(from..from + d).unwrap_or_default();
                squared_distances(level, row, point, d, found);
                let distance = found.first().copied().unwrap_or(f32::INFINITY);
                if distance < near.distance {
                    *near = Near { distance, chosen: first as u32 + label };
                }
            }
            **sum = near.iter().map(|near| f64::from(near.distance)).sum();
            Ok(())
        },
    )?;
    Ok(sums.iter().sum())
}
