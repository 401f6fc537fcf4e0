//! Distances of rows to a few points, each in one order of its terms.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::{LANES, Level};

/// Replaces `out` by the squared distance of each row to each of some points, point by point:
/// `out[p * rows + r]`. Sixteen sums of every sixteenth term, added in pairs: to the bit the
/// same whatever the processor has.
pub(crate) fn squared_distances(
    level: Level,
    rows: &[f32],
    points: &[f32],
    d: usize,
    out: &mut Vec<f32>,
) {
    out.clear();
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { distances_avx512(rows, points, d, out) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { distances_avx2(rows, points, d, out) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { distances_neon(rows, points, d, out) },
        // SAFETY: needs no feature.
        Level::Portable => unsafe { sweep::<Plain>(rows, points, d, out) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn distances_avx512(rows: &[f32], points: &[f32], d: usize, out: &mut Vec<f32>) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx512>(rows, points, d, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn distances_avx2(rows: &[f32], points: &[f32], d: usize, out: &mut Vec<f32>) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx2>(rows, points, d, out) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn distances_neon(rows: &[f32], points: &[f32], d: usize, out: &mut Vec<f32>) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::arm::Neon>(rows, points, d, out) }
}

/// Points that a row is compared with at once: a sum waits for its last term, and so many of
/// them for each other.
const POINTS: usize = 4;

#[inline(always)]
unsafe fn sweep<L: Lanes>(rows: &[f32], points: &[f32], d: usize, out: &mut Vec<f32>) {
    let n = rows.len() / d;
    out.resize(n * (points.len() / d), 0.0);
    for (r, row) in rows.chunks_exact(d).enumerate() {
        let mut groups = points.chunks_exact(POINTS * d);
        let mut slots = out.iter_mut().skip(r).step_by(n);
        for points in groups.by_ref() {
            // SAFETY: the features are the caller's, and there are so many points.
            let found = unsafe { squared_distances_of::<L, POINTS>(row, points) };
            for found in found {
                if let Some(slot) = slots.next() {
                    *slot = found;
                }
            }
        }
        for (point, slot) in groups.remainder().chunks_exact(d).zip(slots) {
            // SAFETY: as above, for one point.
            let [found] = unsafe { squared_distances_of::<L, 1>(row, point) };
            *slot = found;
        }
    }
}

/// Of a row to `P` points.
#[inline(always)]
unsafe fn squared_distances_of<L: Lanes, const P: usize>(row: &[f32], points: &[f32]) -> [f32; P] {
    let d = row.len();
    assert!(points.len() == P * d);
    let whole = d / LANES * LANES;
    // SAFETY: the features are the caller's; `whole` is of whole vectors of lanes within a row.
    unsafe {
        let (row, points) = (row.as_ptr(), points.as_ptr());
        let mut sums = [L::splat(0.0); P];
        for t in (0..whole).step_by(LANES) {
            let own = L::load(row.add(t));
            for (p, sum) in sums.iter_mut().enumerate() {
                let difference = own.sub(L::load(points.add(p * d + t)));
                *sum = difference.fma(difference, *sum);
            }
        }
        let mut found = [0.0; P];
        for (p, (sum, found)) in sums.into_iter().zip(&mut found).enumerate() {
            let mut last = [0.0; LANES];
            for (at, slot) in last.iter_mut().enumerate().take(d - whole) {
                *slot = *row.add(whole + at) - *points.add(p * d + whole + at);
            }
            let last = L::load(last.as_ptr());
            *found = in_pairs(last.fma(last, sum).to_array());
        }
        found
    }
}

#[inline(always)]
fn in_pairs(mut sums: [f32; LANES]) -> f32 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        let (low, high) = sums.split_at_mut(width);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_gives_the_same_bits() {
        let random = Random::new(2, 0);
        for d in [1, 15, 16, 17, 100] {
            let some = |from: u64, n: usize| -> Vec<f32> {
                (0..n as u64).map(|at| random.unit(from + at) as f32 - 0.3).collect()
            };
            let (rows, points) = (some(0, 9 * d), some(10_000, 3 * d));
            let mut expected = Vec::new();
            squared_distances(Level::Portable, &rows, &points, d, &mut expected);
            for level in Level::all() {
                let mut found = Vec::new();
                squared_distances(level, &rows, &points, d, &mut found);
                assert_eq!(found, expected, "{level:?} {d}");
            }
            let exact = |row: &[f32], point: &[f32]| -> f64 {
                row.iter().zip(point).map(|(a, b)| f64::from(a - b).powi(2)).sum()
            };
            for (at, found) in expected.iter().enumerate() {
                let (point, row) = (at / 9, at % 9);
                let exact = exact(&rows[row * d..][..d], &points[point * d..][..d]);
                assert!((f64::from(*found) - exact).abs() <= 1e-5 * exact, "{found} {exact}");
            }
        }
    }
}
