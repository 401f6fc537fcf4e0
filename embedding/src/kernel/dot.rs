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

#[inline(always)]
unsafe fn sweep<L: Lanes>(rows: &[f32], points: &[f32], d: usize, out: &mut Vec<f32>) {
    let n = rows.len() / d;
    out.resize(n * (points.len() / d), 0.0);
    for (r, row) in rows.chunks_exact(d).enumerate() {
        for (p, point) in points.chunks_exact(d).enumerate() {
            // SAFETY: the features are the caller's.
            let distance = unsafe { squared_distance::<L>(row, point) };
            if let Some(slot) = out.get_mut(p * n + r) {
                *slot = distance;
            }
        }
    }
}

#[inline(always)]
unsafe fn squared_distance<L: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    // SAFETY: the features are the caller's, and chunks are of as many floats as lanes.
    unsafe {
        let mut sums = L::splat(0.0);
        for (a, b) in a.iter().zip(b) {
            let difference = L::load(a.as_ptr()).sub(L::load(b.as_ptr()));
            sums = difference.fma(difference, sums);
        }
        let mut last = [0.0; LANES];
        for ((slot, a), b) in last.iter_mut().zip(rest_a).zip(rest_b) {
            *slot = a - b;
        }
        let last = L::load(last.as_ptr());
        let mut sums = last.fma(last, sums).to_array();
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for at in 0..width {
                sums[at] += sums[at + width];
            }
        }
        sums[0]
    }
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
