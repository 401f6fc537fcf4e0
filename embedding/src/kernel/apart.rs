//! Squared distances of rows to all points of some panels, where nothing is decided by the last
//! bits: those depend on whether the processor multiplies and adds at once.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::panels::{Panel, Panels};
use super::{LANES, Level};

/// Replaces `out` by a line of [`Panels::width`] squared distances for each row; those past the
/// last point are of none.
pub(crate) fn squared_distances_about(
    level: Level,
    rows: &[f32],
    panels: &Panels,
    out: &mut Vec<f32>,
) {
    // Every one of them is written: what was there need not be wiped out.
    out.resize(rows.len() / panels.dimensions * panels.width(), 0.0);
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { apart_avx512(rows, panels, out) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { apart_avx2(rows, panels, out) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { apart_neon(rows, panels, out) },
        // SAFETY: needs no feature.
        Level::Portable => unsafe { sweep::<Plain, 2, 1>(rows, panels, out) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn apart_avx512(rows: &[f32], panels: &Panels, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx512, 6, 4>(rows, panels, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn apart_avx2(rows: &[f32], panels: &Panels, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx2, 6, 1>(rows, panels, out) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn apart_neon(rows: &[f32], panels: &Panels, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::arm::Neon, 6, 1>(rows, panels, out) }
}

/// `R` rows by `V` vectors of points at once, and what is left over one by one.
#[inline(always)]
unsafe fn sweep<L: Lanes, const R: usize, const V: usize>(
    rows: &[f32],
    panels: &Panels,
    out: &mut [f32],
) {
    let (d, width) = (panels.dimensions, panels.width());
    for panel in panels.panels() {
        let mut tiles = rows.chunks_exact(R * d);
        let mut lines = out.chunks_mut(R * width);
        for (rows, lines) in tiles.by_ref().zip(lines.by_ref()) {
            // SAFETY: the caller's.
            unsafe { by_width::<L, R, V>(rows, d, &panel, lines, width) };
        }
        let lines = lines.flat_map(|lines| lines.chunks_mut(width));
        for (row, line) in tiles.remainder().chunks_exact(d).zip(lines) {
            // SAFETY: the caller's.
            unsafe { by_width::<L, 1, V>(row, d, &panel, line, width) };
        }
    }
}

#[inline(always)]
unsafe fn by_width<L: Lanes, const R: usize, const V: usize>(
    rows: &[f32],
    d: usize,
    panel: &Panel<'_>,
    lines: &mut [f32],
    width: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        if V == panel.vectors {
            return tile::<L, R, V>(rows, d, panel, 0, lines, width);
        }
        for at in 0..panel.vectors {
            tile::<L, R, 1>(rows, d, panel, at, lines, width);
        }
    }
}

#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const V: usize>(
    rows: &[f32],
    d: usize,
    panel: &Panel<'_>,
    at: usize,
    lines: &mut [f32],
    width: usize,
) {
    let own = panel.vectors * LANES;
    let first = (panel.first_vector + at) * LANES;
    assert!(rows.len() >= R * d && panel.values.len() >= d * own && (at + V) * LANES <= own);
    assert!(lines.len() >= (R - 1) * width + first + V * LANES);
    // SAFETY: the features are the caller's; rows are R × d floats, a panel's values d × own,
    // at + V its vectors at most, and lines R of `width`, which has room for all vectors.
    unsafe {
        let (rows, points) = (rows.as_ptr(), panel.values.as_ptr().add(at * LANES));
        let mut sums = [[L::splat(0.0); V]; R];
        for t in 0..d {
            let point: [L; V] = std::array::from_fn(|v| L::load(points.add(t * own + v * LANES)));
            for (r, sums) in sums.iter_mut().enumerate() {
                let own = L::splat(*rows.add(r * d + t));
                for (sum, point) in sums.iter_mut().zip(point) {
                    let difference = point.sub(own);
                    *sum = difference.mul_add(difference, *sum);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                sum.store(lines.as_mut_ptr().add(r * width + first + v * LANES));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_has_the_distances_of_a_plain_loop() {
        let random = Random::new(3, 0);
        for (n, k, d) in [(1, 1, 1), (7, 16, 2), (13, 65, 3), (6, 130, 20), (25, 200, 7)] {
            let values = |from: u64, many: usize| -> Vec<f32> {
                (0..many as u64).map(|at| 100.0 + random.unit(from + at) as f32).collect()
            };
            let (rows, points) = (values(0, n * d), values(1 << 20, k * d));
            let panels = Panels::new(&points, d);
            for level in Level::all() {
                let mut out = vec![7.0; 3];
                squared_distances_about(level, &rows, &panels, &mut out);
                for (row, line) in rows.chunks(d).zip(out.chunks(panels.width())) {
                    for (point, found) in points.chunks(d).zip(line) {
                        let pairs = row.iter().zip(point).map(|(a, b)| f64::from(a - b));
                        let wanted: f64 = pairs.map(|x| x * x).sum();
                        let off = (f64::from(*found) - wanted).abs();
                        assert!(off <= 1e-6 * wanted, "{level:?} {n} {k} {d}: {found} {wanted}");
                    }
                }
            }
        }
    }
}
