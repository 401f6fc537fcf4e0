//! The nearest neighbours of every row, exactly: products of all pairs of rows by the kernels of
//! k-means, a few more candidates than are asked for kept of each row, and those ordered by
//! distances in 64 bits. Where rounding could have kept a nearer row from being a candidate, as
//! among rows that are much nearer to each other than to the middle of all, the row is gone
//! through again by differences, whose rounding is in proportion to the distance.

use std::cmp::Ordering;

use crate::Error;
use crate::kernel::{Level, Panels, scores, squared_distances};
use crate::metrics::squared_distance;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::sample;
use crate::threads::{available, for_each};
use crate::watch::{Phase, Watch};

/// The k nearest others of each row, nearest first; of equally near ones the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    pub k: usize,
    /// n × k rows' numbers.
    pub rows: Vec<u32>,
    /// n × k distances.
    pub distances: Vec<f32>,
}

/// Candidates that are kept beside the k, in whose order 32 bits may be wrong.
const SPARE: usize = 8;
/// Rows whose scores stay in the second cache.
const ROWS_AT_ONCE: usize = 48;

/// Finds them.
///
/// # Errors
/// Where there are not more than k rows, rows cannot be read, or `watch` cancels.
pub fn exact(
    rows: &dyn RowSource,
    k: usize,
    threads: Option<usize>,
    watch: &dyn Watch,
) -> Result<Neighbours, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    if n == 0 {
        return Err(Error::NoRows);
    }
    if k == 0 || k >= n {
        return Err(Error::BadNeighbours { neighbours: k, most: n - 1 });
    }
    let level = Level::detect();
    let threads = threads.unwrap_or_else(available).max(1);
    let mut found = Neighbours { k, rows: vec![0; n * k], distances: vec![0.0; n * k] };
    let block = BLOCK_ROWS * k;
    let mut blocks: Vec<(&mut [u32], &mut [f32])> =
        found.rows.chunks_mut(block).zip(found.distances.chunks_mut(block)).collect();
    let done = std::sync::atomic::AtomicU64::new(0);
    let n_blocks = rows.n_blocks() as u64;
    let mut workers = vec![Vec::new(); threads];
    let centre = centre(rows)?;
    for_each(&mut blocks, &mut workers, watch, |line, index, (numbers, distances)| {
        let block = rows.block(index)?;
        let own = centred(&block, &centre);
        let mut nearest: Vec<Nearest> = vec![Nearest::new(k + SPARE); own.len() / d];
        let mut norm_max = 0.0_f64;
        for other in 0..rows.n_blocks() {
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let panels = Panels::new(&centred(&rows.block(other)?, &centre), d);
            let first = rows.block_rows(other).start;
            norm_max = norm_max.max(panels.norm_max);
            for (own, nearest) in own.chunks(ROWS_AT_ONCE * d).zip(nearest.chunks_mut(ROWS_AT_ONCE))
            {
                scores(level, own, &panels, line);
                for (scores, nearest) in line.chunks_exact(panels.width()).zip(nearest) {
                    nearest.take(scores, first as u32);
                }
            }
        }
        let slots = numbers.chunks_mut(k).zip(distances.chunks_mut(k));
        let each = block.chunks_exact(d).zip(own.chunks_exact(d)).zip(&nearest).zip(slots);
        let mut unsure = Vec::new();
        for (nth, (((row, centred), nearest), (numbers, distances))) in each.enumerate() {
            let number = (index * BLOCK_ROWS + nth) as u32;
            settle(rows, (number, row), nearest, numbers, distances)?;
            let farthest = distances.last().copied().unwrap_or_default();
            if !nearest.is_sure(centred, norm_max, f64::from(farthest)) {
                unsure.push(nth);
            }
        }
        look_again(rows, index, &block, &unsure, (numbers, distances, k), watch)?;
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        watch.progress(Phase::Neighbours, done, n_blocks);
        Ok(())
    })?;
    Ok(found)
}

/// Rows that are gone through again together.
const UNSURE_AT_ONCE: usize = 16;

/// Goes through all rows again for some of a block, by differences.
fn look_again(
    rows: &dyn RowSource,
    index: usize,
    block: &[f32],
    unsure: &[usize],
    (numbers, distances, k): (&mut [u32], &mut [f32], usize),
    watch: &dyn Watch,
) -> Result<(), Error> {
    let (d, level) = (rows.dimensions(), Level::detect());
    let mut found = Vec::new();
    for some in unsure.chunks(UNSURE_AT_ONCE) {
        let of = |nth: &usize| block.get(nth * d..(nth + 1) * d).unwrap_or_default();
        let points: Vec<f32> = some.iter().flat_map(of).copied().collect();
        let mut nearest = vec![Nearest::new(k + SPARE); some.len()];
        for other in 0..rows.n_blocks() {
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let values = rows.block(other)?;
            squared_distances(level, &values, &points, d, &mut found);
            let first = rows.block_rows(other).start as u32;
            for (line, nearest) in found.chunks_exact(values.len() / d).zip(&mut nearest) {
                nearest.take(line, first);
            }
        }
        for (nth, nearest) in some.iter().zip(&nearest) {
            let number = (index * BLOCK_ROWS + nth) as u32;
            let slots = nth * k..(nth + 1) * k;
            let (Some(numbers), Some(distances)) =
                (numbers.get_mut(slots.clone()), distances.get_mut(slots))
            else {
                continue;
            };
            settle(rows, (number, of(nth)), nearest, numbers, distances)?;
        }
    }
    Ok(())
}

/// Rows of which the middle is looked for.
const CENTRE_ROWS: usize = 1024;
const CENTRE_STREAM: u64 = 0x70;

/// About the middle of the rows: far from it products would be large and their differences,
/// which are what counts, lost in rounding.
fn centre(rows: &dyn RowSource) -> Result<Vec<f32>, Error> {
    let drawn = sample::draw(rows, CENTRE_ROWS, 0, CENTRE_STREAM)?;
    let mut sums = vec![0.0; rows.dimensions()];
    for row in drawn.values.chunks_exact(rows.dimensions()) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    Ok(sums.iter().map(|sum| (sum / drawn.numbers.len() as f64) as f32).collect())
}

fn centred(rows: &[f32], centre: &[f32]) -> Vec<f32> {
    let rows = rows.chunks_exact(centre.len());
    rows.flat_map(|row| row.iter().zip(centre).map(|(x, centre)| x - centre)).collect()
}

/// The candidates of a row in their true order, itself left out.
fn settle(
    rows: &dyn RowSource,
    (number, row): (u32, &[f32]),
    nearest: &Nearest,
    numbers: &mut [u32],
    distances: &mut [f32],
) -> Result<(), Error> {
    let others = nearest.found.iter().filter(|(_, other)| *other != number);
    let mut true_order = Vec::with_capacity(nearest.found.len());
    for (_, other) in others {
        true_order.push((squared_distance(row, &rows.row(*other as usize)?), *other));
    }
    let by_distance =
        |a: &(f64, u32), b: &(f64, u32)| -> Ordering { a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)) };
    true_order.sort_unstable_by(by_distance);
    if true_order.len() < numbers.len() {
        // Distances beyond what 32 bits hold.
        return Err(Error::TooFar { row: number as usize });
    }
    for ((slot, distance), (square, other)) in
        numbers.iter_mut().zip(distances.iter_mut()).zip(&true_order)
    {
        (*slot, *distance) = (*other, square.sqrt() as f32);
    }
    Ok(())
}

/// The least scores seen, in order.
#[derive(Debug, Clone)]
struct Nearest {
    found: Vec<(f32, u32)>,
    most: usize,
}

impl Nearest {
    fn new(most: usize) -> Self {
        // One more, since the row itself is among them.
        Self { found: Vec::with_capacity(most + 2), most: most + 1 }
    }

    /// The scores of rows from `first` on.
    fn take(&mut self, scores: &[f32], first: u32) {
        const AT_ONCE: usize = 32;
        for (group, scores) in scores.chunks(AT_ONCE).enumerate() {
            let worst = self.worst();
            // Most groups have nothing to offer, which is seen without a branch a score.
            if !scores.iter().fold(false, |any, score| any | (*score < worst)) {
                continue;
            }
            for (place, score) in scores.iter().enumerate() {
                if *score < self.worst() {
                    self.insert(*score, first + (group * AT_ONCE + place) as u32);
                }
            }
        }
    }

    /// Whether no row that was left out can be nearer than the farthest of those that are meant:
    /// scores are wrong by (d + 3)·u·‖x‖·‖p‖ + 1.5·u·‖p‖² at most, as in [`crate::kmeans`].
    fn is_sure(&self, row: &[f32], norm_max: f64, farthest: f64) -> bool {
        if self.found.len() < self.most || farthest == 0.0 {
            // All rows are here, or none can be nearer.
            return true;
        }
        const UNIT: f64 = 1.01 / (1 << 24) as f64;
        let square: f64 = row.iter().map(|x| f64::from(*x).powi(2)).sum();
        let norm = square.sqrt();
        let error = UNIT * ((row.len() + 3) as f64 * norm * norm_max + 1.5 * norm_max * norm_max);
        // Half of its squared distance is the score of a row and half of its own square.
        f64::from(self.worst()) + square / 2.0 - 2.0 * error > farthest * farthest / 2.0
    }

    fn worst(&self) -> f32 {
        match self.found.len() < self.most {
            true => f32::INFINITY,
            false => self.found.last().map_or(f32::INFINITY, |(score, _)| *score),
        }
    }

    fn insert(&mut self, score: f32, row: u32) {
        let place = self.found.partition_point(|(other, _)| *other <= score);
        self.found.insert(place, (score, row));
        self.found.truncate(self.most);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::random::Random;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    fn random_rows(n: usize, d: usize, offset: f32) -> Vec<f32> {
        let random = Random::new(7, 0);
        (0..n * d).map(|at| random.unit(at as u64) as f32 + offset).collect()
    }

    #[test]
    fn neighbours_are_those_of_a_plain_loop() {
        for (n, d, k, offset) in
            [(50, 3, 5, 0.0), (1500, 8, 15, 0.0), (1100, 17, 4, 30.0), (1030, 5, 6, 1e4)]
        {
            let values = random_rows(n, d, offset);
            let rows = Matrix::new(&values, d).unwrap();
            let found = exact(&rows, k, Some(3), &Unwatched).unwrap();
            for (row, own) in values.chunks(d).enumerate().step_by(7) {
                let distance = |other: &[f32]| squared_distance(own, other);
                let mut all: Vec<(f64, u32)> = (0..)
                    .zip(values.chunks(d))
                    .filter(|(other, _)| *other != row as u32)
                    .map(|(other, values)| (distance(values), other))
                    .collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let expected: Vec<u32> = all.iter().take(k).map(|(_, other)| *other).collect();
                assert_eq!(found.rows[row * k..(row + 1) * k], expected, "{n} {d} {row}");
                let nearest = all[0].0.sqrt() as f32;
                assert_eq!(found.distances[row * k], nearest);
            }
        }
    }

    #[test]
    fn neighbours_far_from_the_middle_are_found_all_the_same() {
        // Two clouds a long way from each other, each much smaller than that.
        let cloud = random_rows(1400, 4, 0.0);
        let far = |at: usize| if (at / 4).is_multiple_of(2) { 3000.0 } else { -3000.0 };
        let values: Vec<f32> = cloud.iter().enumerate().map(|(at, x)| x + far(at)).collect();
        let rows = Matrix::new(&values, 4).unwrap();
        let found = exact(&rows, 10, Some(2), &Unwatched).unwrap();
        for row in (0..1400).step_by(11) {
            let own = &values[row * 4..(row + 1) * 4];
            let mut all: Vec<(f64, u32)> = (0..)
                .zip(values.chunks(4))
                .filter(|(other, _)| *other != row as u32)
                .map(|(other, values)| (squared_distance(own, values), other))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let expected: Vec<u32> = all.iter().take(10).map(|(_, other)| *other).collect();
            assert_eq!(found.rows[row * 10..(row + 1) * 10], expected, "{row}");
        }
        let huge = [1e20_f32, -1e20, 3e20, 2e20];
        let found = exact(&Matrix::new(&huge, 1).unwrap(), 2, Some(1), &Unwatched);
        assert_eq!(found.unwrap_err(), Error::TooFar { row: 0 });
    }

    #[test]
    fn rows_that_are_alike_are_neighbours_of_each_other_not_of_themselves() {
        let values = [1.0; 20];
        let found = exact(&Matrix::new(&values, 2).unwrap(), 3, Some(2), &Unwatched).unwrap();
        for (row, near) in found.rows.chunks(3).enumerate() {
            assert!(near.iter().all(|other| *other as usize != row), "{row} {near:?}");
        }
        assert!(found.distances.iter().all(|distance| *distance == 0.0));
        let few = exact(&Matrix::new(&values, 10).unwrap(), 2, None, &Unwatched);
        assert_eq!(few.unwrap_err(), Error::BadNeighbours { neighbours: 2, most: 1 });
    }
}
