//! Products of all pairs of columns of some rows: what a covariance is made of.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::panels::PANEL_VECTORS;
use super::products::products;
use super::whole::add_whole;
use super::{LANES, Level};

/// Rows that are multiplied at once, whose columns stay in the second cache.
pub(crate) const GRAM_ROWS: usize = 256;
const PANEL_WIDTH: usize = PANEL_VECTORS * LANES;
/// Columns by panels: of sums there are as many as registers hold, of every kind.
const TILE: usize = 6;

/// Sums of products of columns, as whole numbers, and the room to work them out in.
#[derive(Debug, Clone)]
pub(crate) struct Gram {
    level: Level,
    d: usize,
    units: f64,
    /// d × d, of which a column's products with itself and later ones are worked out.
    sums: Vec<i64>,
    /// Columns one after another, and panels of [`PANEL_WIDTH`] columns row after row.
    columns: Vec<f32>,
    panels: Vec<f32>,
}

impl Gram {
    /// For values of 1 at most, either way; `units` make sums of [`GRAM_ROWS`] products whole.
    pub(crate) fn new(level: Level, d: usize, units: f64) -> Self {
        let width = d.next_multiple_of(PANEL_WIDTH);
        let height = d.next_multiple_of(TILE);
        Self {
            level,
            d,
            units,
            sums: vec![0; d * d],
            columns: vec![0.0; height * GRAM_ROWS],
            panels: vec![0.0; width * GRAM_ROWS],
        }
    }

    pub(crate) fn sums(&self) -> &[i64] {
        &self.sums
    }

    /// Adds at most [`GRAM_ROWS`] rows, each value as `value` has it for its column.
    pub(crate) fn add(&mut self, rows: &[f32], value: impl Fn(usize, f32) -> f32) {
        let d = self.d;
        let n = rows.len() / d;
        for (t, row) in rows.chunks_exact(d).enumerate() {
            for (column, x) in row.iter().enumerate() {
                let x = value(column, *x);
                let (panel, place) = (column / PANEL_WIDTH, column % PANEL_WIDTH);
                let panel = (panel * GRAM_ROWS + t) * PANEL_WIDTH + place;
                if let (Some(down), Some(across)) =
                    (self.columns.get_mut(column * GRAM_ROWS + t), self.panels.get_mut(panel))
                {
                    (*down, *across) = (x, x);
                }
            }
        }
        match self.level {
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.multiply_avx512(n) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.multiply_avx2(n) },
            #[cfg(target_arch = "aarch64")]
            Level::Neon => unsafe { self.multiply_neon(n) },
            // SAFETY: needs no feature.
            Level::Portable => unsafe { self.multiply::<Plain, 1>(n) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn multiply_avx512(&mut self, n: usize) {
        // SAFETY: the features are this function's.
        unsafe { self.multiply::<super::lanes::x86::Avx512, 4>(n) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn multiply_avx2(&mut self, n: usize) {
        // SAFETY: the features are this function's.
        unsafe { self.multiply::<super::lanes::x86::Avx2, 1>(n) }
    }

    #[cfg(target_arch = "aarch64")]
    #[target_feature(enable = "neon")]
    fn multiply_neon(&mut self, n: usize) {
        // SAFETY: the features are this function's.
        unsafe { self.multiply::<super::lanes::arm::Neon, 1>(n) }
    }

    /// By tiles of [`TILE`] columns and `V` vectors of others.
    #[inline(always)]
    unsafe fn multiply<L: Lanes, const V: usize>(&mut self, n: usize) {
        let Self { level, d, units, sums, columns, panels } = self;
        let (d, n) = (*d, n.min(GRAM_ROWS));
        let mut tile = [[0.0_f32; PANEL_WIDTH]; TILE];
        for (nth, panel) in panels.chunks_exact(PANEL_WIDTH * GRAM_ROWS).enumerate() {
            let first = nth * PANEL_WIDTH;
            let end = (first + PANEL_WIDTH).min(d);
            // Columns past the panel's last have their products with it in another panel.
            for from in (0..end).step_by(TILE) {
                for v in (0..PANEL_VECTORS).step_by(V).filter(|v| first + v * LANES < d) {
                    // SAFETY: there are TILE columns of GRAM_ROWS rows from here on, and a
                    // panel has V vectors from v on in each of them.
                    unsafe {
                        let down = columns.as_ptr().add(from * GRAM_ROWS);
                        let across = panel.as_ptr().add(v * LANES);
                        let found =
                            products::<L, TILE, V>((down, GRAM_ROWS), (across, PANEL_WIDTH), n);
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
    fn products_of_columns_are_those_of_a_plain_loop() {
        let random = Random::new(4, 0);
        for (n, d) in [(1, 1), (256, 3), (100, 64), (37, 65), (256, 130)] {
            // Sixteenths: exact in 32 bits.
            let value = |at: usize| (random.unit(at as u64) * 32.0).floor() as f32 / 16.0 - 1.0;
            let rows: Vec<f32> = (0..n * d).map(value).collect();
            for level in Level::all() {
                let mut gram = Gram::new(level, d, 256.0);
                // Twice: what was there before is gone.
                gram.add(&rows, |_, x| x);
                gram.add(&rows[..d * n.div_ceil(2)], |_, x| -x);
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
