//! The scores of rows against all points of some panels, kept: ½‖p‖² − x·p, which orders points
//! as their distance from the row does.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::panels::{Panel, Panels};
use super::products::products;
use super::{LANES, Level};

/// Replaces `out` by a line of [`Panels::width`] scores for each row; those past the last point
/// are infinite.
pub(crate) fn scores(level: Level, rows: &[f32], panels: &Panels, out: &mut Vec<f32>) {
    // Every one of them is written: what was there need not be wiped out.
    out.resize(rows.len() / panels.dimensions * panels.width(), f32::INFINITY);
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { scores_avx512(rows, panels, out) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { scores_avx2(rows, panels, out) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { scores_neon(rows, panels, out) },
        // SAFETY: needs no feature.
        Level::Portable => unsafe { sweep::<Plain, 2, 1>(rows, panels, out) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn scores_avx512(rows: &[f32], panels: &Panels, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx512, 6, 4>(rows, panels, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn scores_avx2(rows: &[f32], panels: &Panels, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx2, 6, 1>(rows, panels, out) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn scores_neon(rows: &[f32], panels: &Panels, out: &mut [f32]) {
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
            // SAFETY: a tile is R rows, and its lines as many.
            unsafe { by_width::<L, R, V>(rows, d, &panel, lines, width) };
        }
        let lines = lines.flat_map(|lines| lines.chunks_mut(width));
        for (row, line) in tiles.remainder().chunks_exact(d).zip(lines) {
            // SAFETY: as above, for one row.
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
    // SAFETY: the caller's; a group is within the panel's vectors.
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
    // SAFETY: rows are R × d floats, a panel's values d × own, at + V its vectors at most, and
    // lines R of `width`, which has room for all vectors.
    unsafe {
        let points = panel.values.as_ptr().add(at * LANES);
        let sums = products::<L, R, V, false>((rows.as_ptr(), d, 1), (points, own), d);
        let halves = panel.half_norms.as_ptr().add(at * LANES);
        for v in 0..V {
            let half = L::load(halves.add(v * LANES));
            for (r, sums) in sums.iter().enumerate() {
                half.sub(sums[v]).store(lines.as_mut_ptr().add(r * width + first + v * LANES));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_scores_as_a_plain_loop_does() {
        let random = Random::new(2, 0);
        for (n, k, d) in [(1, 1, 1), (7, 17, 3), (13, 64, 5), (6, 100, 2), (20, 130, 9)] {
            // Small whole numbers: exact in 32 bits.
            let value = |at: usize| (random.unit(at as u64) * 8.0).floor() as f32 - 4.0;
            let rows: Vec<f32> = (0..n * d).map(value).collect();
            let points: Vec<f32> = (0..k * d).map(|at| value(at + 9999)).collect();
            let panels = Panels::new(&points, d);
            for level in Level::all() {
                let mut found = Vec::new();
                scores(level, &rows, &panels, &mut found);
                for (row, line) in rows.chunks(d).zip(found.chunks(panels.width())) {
                    for (place, score) in line.iter().enumerate() {
                        let expected = points.chunks(d).nth(place).map_or(f32::INFINITY, |point| {
                            point.iter().zip(row).map(|(p, x)| p * p / 2.0 - p * x).sum()
                        });
                        assert_eq!(*score, expected, "{level:?} {n} {k} {d} {place}");
                    }
                }
            }
        }
    }
}
