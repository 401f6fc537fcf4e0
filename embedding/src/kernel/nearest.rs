//! The nearest centroid of each row, and how much nearer it is than the next: one sweep of
//! products without a matrix of distances, since only the least two scores of a row are kept.
//! The score of row x and centroid c is ½‖c‖² − x·c, which orders centroids as distance does.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::panels::{PANEL_VECTORS, Panel, Panels};
use super::products::products;
use super::{LANES, Level};

/// Of a row: its nearest centroid, that one's score, and the least score of any other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near {
    pub label: u32,
    pub best: f32,
    pub second: f32,
}

/// Replaces `out` by what is nearest to each of the rows, as far as 32 bits tell.
pub(crate) fn nearest(level: Level, rows: &[f32], panels: &Panels, out: &mut Vec<Near>) {
    out.clear();
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { nearest_avx512(rows, panels, out) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { nearest_avx2(rows, panels, out) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { nearest_neon(rows, panels, out) },
        // SAFETY: needs no feature.
        Level::Portable => unsafe { sweep::<Plain, 2, 1>(rows, panels, out) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn nearest_avx512(rows: &[f32], panels: &Panels, out: &mut Vec<Near>) {
    // 24 of 32 registers hold sums.
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx512, 6, 4>(rows, panels, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn nearest_avx2(rows: &[f32], panels: &Panels, out: &mut Vec<Near>) {
    // Twelve of 16 registers, two to a vector of lanes.
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx2, 6, 1>(rows, panels, out) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn nearest_neon(rows: &[f32], panels: &Panels, out: &mut Vec<Near>) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::arm::Neon, 6, 1>(rows, panels, out) }
}

/// Rows that stay in the second cache while all centroids go by.
const ROWS_AT_ONCE: usize = 96;

/// What the lanes have seen of a row's scores.
#[derive(Clone, Copy)]
struct Seen<L> {
    best: L,
    second: L,
    /// The number of the vector that `best` was in: a float holds those of
    /// 2²⁴ centroids.
    vector: L,
}

/// `R` rows by at most `V` vectors of centroids at once.
#[inline(always)]
unsafe fn sweep<L: Lanes, const R: usize, const V: usize>(
    rows: &[f32],
    panels: &Panels,
    out: &mut Vec<Near>,
) {
    let d = panels.dimensions;
    // SAFETY: the features are the caller's.
    let infinite = unsafe { L::splat(f32::INFINITY) };
    let none = Seen { best: infinite, second: infinite, vector: infinite };
    for rows in rows.chunks(ROWS_AT_ONCE * d) {
        let mut seen = [none; ROWS_AT_ONCE];
        let n = rows.len() / d;
        let Some(seen) = seen.get_mut(..n) else { return };
        for panel in panels.panels() {
            let mut tiles = rows.chunks_exact(R * d);
            let (many, few) = seen.as_chunks_mut::<R>();
            for (rows, seen) in tiles.by_ref().zip(many) {
                // SAFETY: a tile is R rows, and a panel what it says.
                unsafe { by_width::<L, R, V>(rows, d, &panel, seen) };
            }
            for (row, seen) in tiles.remainder().chunks_exact(d).zip(few) {
                // SAFETY: as above, for one row.
                unsafe { by_width::<L, 1, V>(row, d, &panel, std::array::from_mut(seen)) };
            }
        }
        // No closure: it would be compiled without the caller's features.
        for seen in seen {
            // SAFETY: the features are the caller's.
            out.push(unsafe { near(seen) });
        }
    }
}

/// A panel in groups of at most `V` vectors.
#[inline(always)]
unsafe fn by_width<L: Lanes, const R: usize, const V: usize>(
    rows: &[f32],
    d: usize,
    panel: &Panel<'_>,
    seen: &mut [Seen<L>; R],
) {
    const { assert!(V == 1 || V == PANEL_VECTORS) };
    // SAFETY: the caller's; a group is within the panel's vectors.
    unsafe {
        match (V, panel.vectors) {
            (4, 4) => tile::<L, R, 4>(rows, d, panel, 0, seen),
            (4, 3) => tile::<L, R, 3>(rows, d, panel, 0, seen),
            (4, 2) => tile::<L, R, 2>(rows, d, panel, 0, seen),
            (_, vectors) => {
                for at in 0..vectors {
                    tile::<L, R, 1>(rows, d, panel, at, seen);
                }
            }
        }
    }
}

/// Scores `R` rows against `V` vectors of a panel's centroids, from vector `at` on.
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const V: usize>(
    rows: &[f32],
    d: usize,
    panel: &Panel<'_>,
    at: usize,
    seen: &mut [Seen<L>; R],
) {
    let width = panel.vectors * LANES;
    debug_assert!(rows.len() >= R * d && panel.values.len() >= d * width);
    debug_assert!((at + V) * LANES <= width);
    // SAFETY: rows are R × d floats, a panel's values d × width, and at + V its vectors at most.
    unsafe {
        let centroids = panel.values.as_ptr().add(at * LANES);
        let sums = products::<L, R, V, false>((rows.as_ptr(), d, 1), (centroids, width), d);
        let halves = panel.half_norms.as_ptr().add(at * LANES);
        for v in 0..V {
            let half = L::load(halves.add(v * LANES));
            let number = L::splat((panel.first_vector + at + v) as f32);
            for (seen, sums) in seen.iter_mut().zip(sums) {
                let score = half.sub(sums[v]);
                seen.second = seen.second.min(score.max(seen.best));
                seen.vector = L::where_less(score, seen.best, number, seen.vector);
                seen.best = seen.best.min(score);
            }
        }
    }
}

/// What all lanes of a row saw. Of equal scores the first centroid's is the best.
#[inline(always)]
unsafe fn near<L: Lanes>(seen: &Seen<L>) -> Near {
    // SAFETY: the features are the caller's.
    unsafe {
        let infinite = L::splat(f32::INFINITY);
        let best = seen.best.least();
        let labels = seen.vector.mul_add(L::splat(LANES as f32), L::load(NUMBERS.as_ptr()));
        let labels = L::where_less(L::splat(best), seen.best, infinite, labels);
        let label = labels.least();
        // The best of all lanes but that one.
        let others = L::where_less(L::splat(label), labels, seen.best, infinite);
        Near { label: label as u32, best, second: others.min(seen.second).least() }
    }
}

/// Of the lanes.
const NUMBERS: [f32; LANES] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_finds_what_a_plain_loop_does() {
        let random = Random::new(1, 0);
        let mut at = 0;
        let mut some = |n: usize| -> Vec<f32> {
            (0..n)
                .map(|_| {
                    at += 1;
                    (random.unit(at) * 8.0).floor() as f32 - 4.0
                })
                .collect()
        };
        for (n, k, d) in [
            (1, 1, 1),
            (7, 3, 2),
            (100, 16, 5),
            (97, 17, 33),
            (40, 64, 7),
            (200, 150, 20),
            (13, 65, 3),
            (30, 112, 4),
        ] {
            let (rows, centroids) = (some(n * d), some(k * d));
            let panels = Panels::new(&centroids, d);
            let expected: Vec<Near> = rows
                .chunks(d)
                .map(|row| {
                    // Small whole numbers: exact in 32 bits.
                    let score = |c: &[f32]| {
                        c.iter().zip(row).map(|(c, x)| c * c / 2.0 - c * x).sum::<f32>()
                    };
                    let scores: Vec<f32> = centroids.chunks(d).map(score).collect();
                    let mut order: Vec<usize> = (0..k).collect();
                    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
                    let second = order.get(1).map_or(f32::INFINITY, |at| scores[*at]);
                    Near { label: order[0] as u32, best: scores[order[0]], second }
                })
                .collect();
            for level in Level::all() {
                let mut found = Vec::new();
                nearest(level, &rows, &panels, &mut found);
                assert_eq!(found, expected, "{level:?} {n} {k} {d}");
            }
        }
    }
}
