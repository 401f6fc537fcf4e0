//! Which of many distances are the least, and how many are below some of them.

use crate::kernel::{LANES, Level, first_below};

/// The k nearest others; of equally near ones the first.
pub(super) fn nearest(distances: &[f32], own: usize, k: usize) -> Vec<usize> {
    let mut near: Vec<(f32, usize)> = Vec::with_capacity(k + 1);
    let level = Level::detect();
    let (mut from, mut limit) = (0, f32::INFINITY);
    while let Some((at, bits)) = first_below(level, distances, from, limit) {
        from = at + LANES;
        for row in (0..LANES).filter(|nth| bits >> nth & 1 == 1).map(|nth| at + nth) {
            let distance = distances[row];
            if row == own || distance >= limit {
                continue;
            }
            let place = near.partition_point(|(other, _)| *other <= distance);
            near.insert(place, (distance, row));
            near.truncate(k);
            if let [.., (worst, _)] = &near[..]
                && near.len() == k
            {
                limit = *worst;
            }
        }
    }
    near.into_iter().map(|(_, row)| row).collect()
}

/// Distances that are compared at once, while they are in a cache.
const AT_ONCE: usize = 2048;

/// The sum, over what is near on one side, of how far beyond the k nearest it is on the other.
pub(super) fn excess_ranks(near: &[usize], other_side: &[f32], own: usize, k: usize) -> u64 {
    let fars: Vec<f32> = near.iter().map(|row| other_side[*row]).collect();
    let mut below = vec![[0_u32; 2]; fars.len()];
    for distances in other_side.chunks(AT_ONCE) {
        for (far, counts) in fars.iter().zip(&mut below) {
            let [mut less, mut up_to] = [0_u32; 2];
            for distance in distances {
                less += u32::from(distance < far);
                up_to += u32::from(distance <= far);
            }
            *counts = [counts[0] + less, counts[1] + up_to];
        }
    }
    let each = near.iter().zip(fars).zip(below);
    let ranks = each.map(|((row, far), [less, up_to])| {
        let mut nearer = u64::from(less) - u64::from(other_side[own] < far);
        // Of equally near ones, those before it.
        if up_to - less > 1 {
            let same = other_side[..*row].iter().enumerate();
            nearer +=
                same.filter(|(other, distance)| *other != own && **distance == far).count() as u64;
        }
        nearer + 1
    });
    ranks.map(|rank| rank.saturating_sub(k as u64)).sum()
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
    fn fewer_than_are_wanted_are_all() {
        assert_eq!(nearest(&[3.0, 1.0, f32::INFINITY], 1, 2), [0]);
    }
}
