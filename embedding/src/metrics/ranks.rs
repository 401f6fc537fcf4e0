//! Which of many distances are the least, and how many are below some of them.

use crate::kernel::{LANES, Level, first_below};

/// The k nearest others of a row, whose distances come part by part; of equally near ones the first.
#[derive(Debug, Clone)]
pub(super) struct Least {
    k: usize,
    /// Nearest first.
    near: Vec<(f32, usize)>,
}

impl Least {
    pub(super) fn new(k: usize) -> Self {
        Self { k, near: Vec::with_capacity(k + 1) }
    }

    /// Distances to the rows from `first` on, which come after all that came before.
    pub(super) fn take(&mut self, distances: &[f32], first: usize, own: usize) {
        let level = Level::detect();
        let (mut from, mut limit) = (0, self.limit());
        while let Some((at, bits)) = first_below(level, distances, from, limit) {
            from = at + LANES;
            for at in (0..LANES).filter(|nth| bits >> nth & 1 == 1).map(|nth| at + nth) {
                let distance = distances[at];
                if first + at == own || distance >= limit {
                    continue;
                }
                let place = self.near.partition_point(|(other, _)| *other <= distance);
                self.near.insert(place, (distance, first + at));
                self.near.truncate(self.k);
                limit = self.limit();
            }
        }
    }

    fn limit(&self) -> f32 {
        match self.near.last() {
            Some((worst, _)) if self.near.len() == self.k => *worst,
            _ => f32::INFINITY,
        }
    }

    /// Those that another has found in other parts.
    pub(super) fn merge(&mut self, other: &Self) {
        self.near.extend_from_slice(&other.near);
        self.near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.near.truncate(self.k);
    }

    pub(super) fn rows(&self) -> Vec<usize> {
        self.near.iter().map(|(_, row)| *row).collect()
    }
}

/// How many others are nearer to a row than some, by distances that come part by part; of equally
/// near ones those before.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    /// Some rows, and how far they are.
    fars: Vec<(f32, usize)>,
    nearer: Vec<u64>,
}

/// Distances that are compared at once, while they are in a cache.
const AT_ONCE: usize = 2048;

impl Ranks {
    pub(super) fn new(fars: Vec<(f32, usize)>) -> Self {
        let nearer = vec![0; fars.len()];
        Self { fars, nearer }
    }

    /// Distances to the rows from `first` on.
    pub(super) fn take(&mut self, distances: &[f32], first: usize, own: usize) {
        for (nth, distances) in distances.chunks(AT_ONCE).enumerate() {
            let first = first + nth * AT_ONCE;
            let own_distance = own.checked_sub(first).and_then(|at| distances.get(at));
            for ((far, row), nearer) in self.fars.iter().zip(&mut self.nearer) {
                let [mut less, mut up_to] = [0_u32; 2];
                for distance in distances {
                    less += u32::from(distance < far);
                    up_to += u32::from(distance <= far);
                }
                *nearer += u64::from(less);
                *nearer -= u64::from(own_distance.is_some_and(|distance| distance < far));
                if up_to > less {
                    let before = distances.iter().zip(first..*row);
                    let same = before.filter(|(distance, at)| *distance == far && *at != own);
                    *nearer += same.count() as u64;
                }
            }
        }
    }

    /// What was counted in other parts.
    pub(super) fn add(&mut self, other: &Self) {
        self.nearer.iter_mut().zip(&other.nearer).for_each(|(all, other)| *all += other);
    }

    /// The sum, over all of them, of how far beyond the k nearest they are.
    pub(super) fn excess(&self, k: usize) -> u64 {
        self.nearer.iter().map(|nearer| (nearer + 1).saturating_sub(k as u64)).sum()
    }
}

/// The k nearest others; of equally near ones the first.
pub(super) fn nearest(distances: &[f32], own: usize, k: usize) -> Vec<usize> {
    let mut least = Least::new(k);
    least.take(distances, 0, own);
    least.rows()
}

/// The sum, over what is near on one side, of how far beyond the k nearest it is on the other.
pub(super) fn excess_ranks(near: &[usize], other_side: &[f32], own: usize, k: usize) -> u64 {
    let mut ranks = Ranks::new(near.iter().map(|row| (other_side[*row], *row)).collect());
    ranks.take(other_side, 0, own);
    ranks.excess(k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn ranks_are_those_of_a_sort() {
        let random = Random::new(3, 0);
        for (n, of, k) in [(3, 4, 1), (40, 8, 5), (5000, 1 << 30, 15), (5000, 40, 15)] {
            // Some of them the same.
            let side = |from: u64| -> Vec<f32> {
                (0..n).map(|at| random.below(from + at as u64, of) as f32).collect()
            };
            let (before, after) = (side(0), side(1 << 20));
            for own in [0, n / 2, n - 1] {
                let order = |distances: &[f32]| {
                    let mut rows: Vec<usize> = (0..n).filter(|row| *row != own).collect();
                    rows.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]));
                    rows
                };
                let (was, is) = (order(&before), order(&after));
                assert_eq!(nearest(&before, own, k), was[..k], "{n} {own}");
                let rank =
                    |row: &usize| is.iter().position(|other| other == row).map_or(0, |at| at + 1);
                let wanted: usize = was[..k].iter().map(|row| rank(row).saturating_sub(k)).sum();
                assert_eq!(excess_ranks(&was[..k], &after, own, k), wanted as u64, "{n} {own}");
            }
        }
    }

    #[test]
    fn parts_are_as_good_as_the_whole() {
        let random = Random::new(4, 0);
        let (n, k, own) = (3000, 12, 1717);
        for of in [30, 1 << 30] {
            let side = |from: u64| -> Vec<f32> {
                (0..n).map(|at| random.below(from + at, of) as f32).collect()
            };
            let (before, after) = (side(0), side(1 << 20));
            let near = nearest(&before, own, k);
            let fars: Vec<_> = near.iter().map(|row| (after[*row], *row)).collect();
            // Two who have every other part each.
            let mut both = [0, 1].map(|_| (Least::new(k), Ranks::new(fars.clone())));
            for (nth, (before, after)) in before.chunks(70).zip(after.chunks(70)).enumerate() {
                let (least, ranks) = &mut both[nth % 2];
                least.take(before, nth * 70, own);
                ranks.take(after, nth * 70, own);
            }
            let [(mut least, mut ranks), (other_least, other_ranks)] = both;
            least.merge(&other_least);
            ranks.add(&other_ranks);
            assert_eq!(least.rows(), near);
            assert_eq!(ranks.excess(k), excess_ranks(&near, &after, own, k));
        }
    }

    #[test]
    fn fewer_than_are_wanted_are_all() {
        assert_eq!(nearest(&[3.0, 1.0, f32::INFINITY], 1, 2), [0]);
    }
}
