//! The rows that may be the nearest of one: found by scores in 32 bits, a few more than are asked
//! for, and put into their order by distances in 64.

use crate::kernel::{LANES, Level, first_below};

/// Candidates that are kept beside the k, in whose order 32 bits may be wrong.
const SPARE: usize = 8;
/// Half of the place of the last bit, and a little for what errors do to each other.
const UNIT: f64 = 1.01 / (1 << 24) as f64;

/// How far a score in 32 bits may be from the true one, as in [`crate::kmeans`], of a row of
/// this norm and points of these at most.
pub(super) fn error_of(d: usize, norm: f64, norm_max: f64) -> f64 {
    UNIT * ((d + 3) as f64 * norm * norm_max + 1.5 * norm_max * norm_max)
}

pub(super) fn squared_norm(row: &[f32]) -> f64 {
    row.iter().map(|x| f64::from(*x).powi(2)).sum()
}

/// A score and a row as one number, in the order of scores and, of equal ones, of rows.
fn key(score: f32, row: u32) -> u64 {
    let bits = score.to_bits();
    let ordered = if bits & SIGN != 0 { !bits } else { bits | SIGN };
    u64::from(ordered) << 32 | u64::from(row)
}

fn score_of(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(if ordered & SIGN != 0 { ordered & !SIGN } else { !ordered })
}

const SIGN: u32 = 1 << 31;

/// The least scores seen, and of equal ones the first. There is room for as many again, so that
/// they are put in order once in a while, not one by one.
#[derive(Debug, Clone)]
pub(super) struct Candidates {
    /// By [`key`].
    found: Vec<u64>,
    most: usize,
    /// What was left out is not below.
    limit: f32,
}

impl Candidates {
    /// For k neighbours: with [`SPARE`], and the row itself, which is among them.
    pub(super) fn for_neighbours(k: usize) -> Self {
        Self::new(k + SPARE + 1)
    }

    pub(super) fn new(most: usize) -> Self {
        Self { found: Vec::with_capacity(2 * most + LANES), most, limit: f32::INFINITY }
    }

    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.limit = f32::INFINITY;
    }

    /// The scores of points from number `first` on.
    pub(super) fn take(&mut self, level: Level, scores: &[f32], first: u32) {
        let mut from = 0;
        while let Some((at, mut below)) = first_below(level, scores, from, self.limit) {
            while below != 0 {
                let place = at + below.trailing_zeros() as usize;
                below &= below - 1;
                if let Some(score) = scores.get(place) {
                    self.found.push(key(*score, first + place as u32));
                }
            }
            if self.found.len() >= 2 * self.most {
                self.shrink();
            }
            from = at + LANES;
        }
    }

    fn shrink(&mut self) {
        let (_, worst, _) = self.found.select_nth_unstable(self.most - 1);
        self.limit = score_of(*worst);
        self.found.truncate(self.most);
    }

    /// The points that are left, in no order.
    pub(super) fn left(&mut self) -> impl Iterator<Item = u32> {
        if self.found.len() > self.most {
            self.shrink();
        }
        self.found.iter().map(|key| *key as u32)
    }

    /// The points that are left and their scores, the least first.
    pub(super) fn in_order(&mut self) -> impl Iterator<Item = (f32, u32)> {
        self.found.sort_unstable();
        self.found.iter().take(self.most).map(|key| (score_of(*key), *key as u32))
    }

    /// Whether no point that was left out can be as near as one of this squared distance, once
    /// [`Candidates::left`] was called. `norm` is the row's, `norm_max` the points' largest.
    pub(super) fn is_sure(&self, d: usize, norm: f64, norm_max: f64, farthest: f64) -> bool {
        if self.limit == f32::INFINITY || farthest == 0.0 {
            // All points are here, or none can be nearer.
            return true;
        }
        // Half of its squared distance is the score of a point and half of the row's own square.
        f64::from(self.limit) + norm * norm / 2.0 - 2.0 * error_of(d, norm, norm_max)
            > farthest / 2.0
    }
}

/// Nearest first; of equally near ones the first.
pub(super) fn sort(found: &mut [(f64, u32)]) {
    found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_scores() {
        let scores = [f32::NEG_INFINITY, -7.5, -1e-30, -0.0, 0.0, 1e-30, 3.0, f32::INFINITY];
        let keys: Vec<u64> =
            scores.iter().flat_map(|score| [key(*score, 3), key(*score, 9)]).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        for (keys, score) in keys.chunks(2).zip(scores) {
            assert!(keys.iter().all(|key| score_of(*key).to_bits() == score.to_bits()));
        }
    }

    #[test]
    fn the_least_are_left_whatever_their_order() {
        let random = crate::random::Random::new(9, 0);
        let scores: Vec<f32> = (0..500).map(|at| (random.unit(at) * 60.0).floor() as f32).collect();
        let mut expected: Vec<(f32, u32)> = scores.iter().copied().zip(100..).collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut candidates = Candidates::new(30);
        for (nth, scores) in scores.chunks(90).enumerate() {
            candidates.take(Level::detect(), scores, 100 + nth as u32 * 90);
        }
        let mut left: Vec<u32> = candidates.left().collect();
        left.sort_unstable();
        let mut rows: Vec<u32> = expected.iter().take(30).map(|(_, row)| *row).collect();
        rows.sort_unstable();
        assert_eq!(left, rows);
        assert!(candidates.in_order().eq(expected.into_iter().take(30)));
    }
}
