//! Products of all pairs of columns of some rows: what a covariance is made of.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::panels::PANEL_VECTORS;
use super::products::products;
use super::whole::add_whole;
use super::{LANES, Level};

/// Rows that are multiplied at once, whose columns stay in the second cache.
pub(crate) const GRAM_ROWS: usize = 128;
const PANEL_WIDTH: usize = PANEL_VECTORS * LANES;
/// Columns by panels: of sums there are no more than registers hold, of every kind; and a panel
/// is of whole tiles.
const TILE: usize = 4;

/// Sums of products of columns, as whole numbers, and the room to work them out in.
#[derive(Debug, Clone)]
pub(crate) struct Gram {
    level: Level,
    d: usize,
    units: f64,
    /// d × d, of which a column's products with itself and later ones are worked out.
    sums: Vec<i64>,
    /// Panels of [`PANEL_WIDTH`] columns, each row after row.
    panels: Vec<f32>,
}

impl Gram {
    /// For values of 1 at most, either way; `units` make sums of [`GRAM_ROWS`] products whole.
    pub(crate) fn new(level: Level, d: usize, units: f64) -> Self {
        let width = d.next_multiple_of(PANEL_WIDTH);
        Self { level, d, units, sums: vec![0; d * d], panels: vec![0.0; width * GRAM_ROWS] }
    }

    pub(crate) fn sums(&self) -> &[i64] {
        &self.sums
    }

    pub(crate) fn into_sums(self) -> Vec<i64> {
        self.sums
    }

    /// Adds at most [`GRAM_ROWS`] rows, of which each value counts as its difference from its
    /// column's centre, times that column's scale.
    pub(crate) fn add(&mut self, rows: &[f32], centres: &[f32], scales: &[f32]) {
        match self.level {
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.add_avx512(rows, centres, scales) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.add_avx2(rows, centres, scales) },
            #[cfg(target_arch = "aarch64")]
            Level::Neon => unsafe { self.add_neon(rows, centres, scales) },
            Level::Portable => {
                self.fill(rows, centres, scales);
                // SAFETY: needs no feature.
                unsafe { self.multiply::<Plain, 1>(rows.len() / self.d) }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn add_avx512(&mut self, rows: &[f32], centres: &[f32], scales: &[f32]) {
        self.fill(rows, centres, scales);
        // SAFETY: the features are this function's.
        unsafe { self.multiply::<super::lanes::x86::Avx512, 4>(rows.len() / self.d) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn add_avx2(&mut self, rows: &[f32], centres: &[f32], scales: &[f32]) {
        self.fill(rows, centres, scales);
        // SAFETY: the features are this function's.
        unsafe { self.multiply::<super::lanes::x86::Avx2, 1>(rows.len() / self.d) }
    }

    #[cfg(target_arch = "aarch64")]
    #[target_feature(enable = "neon")]
    fn add_neon(&mut self, rows: &[f32], centres: &[f32], scales: &[f32]) {
        self.fill(rows, centres, scales);
        // SAFETY: the features are this function's.
        unsafe { self.multiply::<super::lanes::arm::Neon, 1>(rows.len() / self.d) }
    }

    #[inline(always)]
    fn fill(&mut self, rows: &[f32], centres: &[f32], scales: &[f32]) {
        for (t, row) in rows.chunks_exact(self.d).enumerate() {
            let panels = self.panels.chunks_exact_mut(PANEL_WIDTH * GRAM_ROWS);
            let parts = row.chunks(PANEL_WIDTH).zip(centres.chunks(PANEL_WIDTH));
            for ((panel, (row, centres)), scales) in
                panels.zip(parts).zip(scales.chunks(PANEL_WIDTH))
            {
                let slots = panel.iter_mut().skip(t * PANEL_WIDTH);
                for (((slot, x), centre), scale) in slots.zip(row).zip(centres).zip(scales) {
                    *slot = (x - centre) * scale;
                }
            }
        }
    }

    /// By tiles of [`TILE`] columns and `V` vectors of others.
    #[inline(always)]
    unsafe fn multiply<L: Lanes, const V: usize>(&mut self, n: usize) {
        const { assert!(PANEL_WIDTH.is_multiple_of(TILE) && PANEL_VECTORS.is_multiple_of(V)) };
        let Self { level, d, units, sums, panels } = self;
        let (d, n) = (*d, n.min(GRAM_ROWS));
        let mut tile = [[0.0_f32; PANEL_WIDTH]; TILE];
        for (nth, across) in panels.chunks_exact(PANEL_WIDTH * GRAM_ROWS).enumerate() {
            let first = nth * PANEL_WIDTH;
            let end = (first + PANEL_WIDTH).min(d);
            // Columns past the panel's last have their products with it in another panel.
            for from in (0..end).step_by(TILE) {
                let (panel, place) = (from / PANEL_WIDTH, from % PANEL_WIDTH);
                for v in (0..PANEL_VECTORS).step_by(V).filter(|v| first + v * LANES < d) {
                    // SAFETY: a panel has GRAM_ROWS rows of PANEL_WIDTH columns, of which
                    // there are TILE from this place on, and V vectors from v on.
                    unsafe {
                        let down = panels.as_ptr().add(panel * PANEL_WIDTH * GRAM_ROWS + place);
                        let across = across.as_ptr().add(v * LANES);
                        let found = products::<L, TILE, V, true>(
                            (down, 1, PANEL_WIDTH),
                            (across, PANEL_WIDTH),
                            n,
                        );
                        for (slots, found) in tile.iter_mut().zip(found) {
                            let slots = slots.as_mut_ptr().add(v * LANES);
                            for (at, lanes) in found.into_iter().enumerate() {
                                lanes.store(slots.add(at * LANES));
                            }
                        }
                    }
                }
                for (r, found) in tile.iter().enumerate().take(d.saturating_sub(from)) {
                    let row = (from + r) * d;
                    if let Some(sums) = sums.get_mut(row + first..row + end) {
                        add_whole::<true>(*level, sums, found, *units);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_gives_the_same_bits() {
        let random = Random::new(14, 0);
        for (n, d) in [(128, 70), (99, 131)] {
            let rows: Vec<f32> =
                (0..n * d).map(|at| random.unit(at as u64) as f32 * 2.0 - 1.0).collect();
            let sums = |level: Level| {
                let mut gram = Gram::new(level, d, 2_f64.powi(42));
                gram.add(&rows, &vec![0.1; d], &vec![0.7; d]);
                gram.sums().to_vec()
            };
            let expected = sums(Level::Portable);
            assert!(Level::all().into_iter().all(|level| sums(level) == expected), "{n} {d}");
        }
    }

    #[test]
    fn products_of_columns_are_those_of_a_plain_loop() {
        let random = Random::new(4, 0);
        for (n, d) in [(1, 1), (128, 3), (100, 64), (37, 65), (128, 130)] {
            // Sixteenths: exact in 32 bits.
            let value = |at: usize| (random.unit(at as u64) * 32.0).floor() as f32 / 16.0 - 1.0;
            let rows: Vec<f32> = (0..n * d).map(value).collect();
            for level in Level::all() {
                let mut gram = Gram::new(level, d, 256.0);
                // Twice: what was there before is gone.
                gram.add(&rows, &vec![0.0; d], &vec![1.0; d]);
                gram.add(&rows[..d * n.div_ceil(2)], &vec![0.0; d], &vec![-1.0; d]);
                for i in 0..d {
                    for j in i..d {
                        let sum =
                            |rows: &[f32]| rows.chunks(d).map(|row| row[i] * row[j]).sum::<f32>();
                        let expected = sum(&rows) + sum(&rows[..d * n.div_ceil(2)]);
                        let found = gram.sums()[i * d + j];
                        assert_eq!(found, (expected * 256.0) as i64, "{level:?} {n} {d} {i} {j}");
                    }
                }
            }
        }
    }
}
