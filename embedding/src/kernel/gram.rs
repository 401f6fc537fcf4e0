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
    /// In the order in which they are worked out, so that they are gone through one after another:
    /// of each panel its tiles, each of [`TILE`] columns with the panel's.
    sums: Vec<i64>,
    /// Panels of [`PANEL_WIDTH`] columns, each row after row.
    panels: Vec<f32>,
}

impl Gram {
    /// For values of 1 at most, either way; `units` make sums of [`GRAM_ROWS`] products whole.
    pub(crate) fn new(level: Level, d: usize, units: f64) -> Self {
        let width = d.next_multiple_of(PANEL_WIDTH);
        let sums = (0..width / PANEL_WIDTH).map(|nth| tiles(nth, d) * TILE * PANEL_WIDTH).sum();
        Self { level, d, units, sums: vec![0; sums], panels: vec![0.0; width * GRAM_ROWS] }
    }

    /// d × d, of which a column's products with itself and later ones are worked out; the rest is 0.
    pub(crate) fn sums(&self) -> Vec<i64> {
        let d = self.d;
        let mut found = vec![0; d * d];
        let mut all = self.sums.chunks_exact(PANEL_WIDTH);
        for nth in 0..d.div_ceil(PANEL_WIDTH) {
            let first = nth * PANEL_WIDTH;
            for (row, sums) in (0..tiles(nth, d) * TILE).zip(&mut all) {
                let columns = row.max(first)..(first + PANEL_WIDTH).min(d);
                let from = columns.start - first;
                if let Some(slots) = found.get_mut(row * d + columns.start..row * d + columns.end)
                    && row < d
                {
                    slots.iter_mut().zip(&sums[from..]).for_each(|(slot, sum)| *slot = *sum);
                }
            }
        }
        found
    }

    /// Takes in the sums of other rows.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| *sum += other);
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
        let mut all = sums.chunks_exact_mut(TILE * PANEL_WIDTH);
        for (nth, across) in panels.chunks_exact(PANEL_WIDTH * GRAM_ROWS).enumerate() {
            let first = nth * PANEL_WIDTH;
            let end = (first + PANEL_WIDTH).min(d);
            // Columns past the panel's last have their products with it in another panel.
            for (from, sums) in (0..end).step_by(TILE).zip(&mut all) {
                let (panel, place) = (from / PANEL_WIDTH, from % PANEL_WIDTH);
                // Of its own panel a column has its products with itself and later ones.
                let begin = if panel == nth { place / LANES } else { 0 };
                let down = panels[panel * PANEL_WIDTH * GRAM_ROWS + place..].as_ptr();
                let mut v = begin;
                while v < PANEL_VECTORS && first + v * LANES < d {
                    let left = V.min(PANEL_VECTORS - v);
                    // SAFETY: a panel has GRAM_ROWS rows of PANEL_WIDTH columns, of which
                    // there are TILE from this place on, and so many vectors from v on.
                    unsafe {
                        match left {
                            4 => tiled::<L, 4>(down, across, v, n, &mut tile),
                            3 => tiled::<L, 3>(down, across, v, n, &mut tile),
                            2 => tiled::<L, 2>(down, across, v, n, &mut tile),
                            _ => tiled::<L, 1>(down, across, v, n, &mut tile),
                        }
                    }
                    v += left;
                }
                let begin = begin * LANES;
                for (found, sums) in tile.iter().zip(sums.chunks_exact_mut(PANEL_WIDTH)) {
                    add_whole::<true>(*level, &mut sums[begin..], &found[begin..], *units);
                }
            }
        }
    }
}

/// Tiles of a panel: those of columns up to its last.
fn tiles(nth: usize, d: usize) -> usize {
    ((nth + 1) * PANEL_WIDTH).min(d).div_ceil(TILE)
}

/// Products of [`TILE`] columns with `V` vectors of others from vector `v` on.
///
/// # Safety
/// Behind `down` are `n` rows of a panel from a column's place on, which has [`TILE`] columns there;
/// `across` are `n` rows of a panel at least, and the processor has the features of `L`.
#[inline(always)]
unsafe fn tiled<L: Lanes, const V: usize>(
    down: *const f32,
    across: &[f32],
    v: usize,
    n: usize,
    tile: &mut [[f32; PANEL_WIDTH]; TILE],
) {
    const { assert!(V <= PANEL_VECTORS) };
    // SAFETY: the caller's.
    unsafe {
        let across = across.as_ptr().add(v * LANES);
        let found = products::<L, TILE, V, true>((down, 1, PANEL_WIDTH), (across, PANEL_WIDTH), n);
        for (slots, found) in tile.iter_mut().zip(found) {
            let slots = slots.as_mut_ptr().add(v * LANES);
            for (at, lanes) in found.into_iter().enumerate() {
                lanes.store(slots.add(at * LANES));
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
                gram.sums()
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
