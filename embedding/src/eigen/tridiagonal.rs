//! A symmetric matrix made tridiagonal by Householder's reflections, from its last row up. As
//! LAPACK's dsytrd and dlatrd have it they are gathered in panels: what they change of the
//! matrix is taken away once for all of a panel, which is where the processor is quickest, and
//! until then from the one row and the one product that each reflection needs.

use crate::Error;
use crate::kernel::{
    Block, DOUBLES, Level, TILE, blocks_before, dots, reflect, subtract_products, subtract_rows,
    symmetric_product,
};
use crate::threads::for_each;
use crate::watch::{Phase, Watch};

/// Reflections of a panel.
const PANEL: usize = 32;
const PANEL_TILES: usize = PANEL / TILE;
/// Rows from which on threads are worth waking for a single product, which then is of stripes
/// of so many tiles.
const SHARED_PRODUCT: usize = 2048;
const STRIPE_TILES: usize = 64;
/// A sum of squares that is smaller has lost digits, and of a matrix near 1 is nothing.
const NOTHING: f64 = 1e-280;

/// A symmetric matrix, of which the lower triangle is kept.
#[derive(Debug, Clone)]
pub(crate) struct Symmetric {
    order: usize,
    blocks: Vec<Block>,
}

impl Symmetric {
    /// Of values by row and column, which is not after the row.
    pub(crate) fn from_fn(order: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let n_tiles = order.next_multiple_of(DOUBLES) / TILE;
        let mut blocks = Vec::with_capacity(blocks_before(n_tiles));
        for tile in 0..n_tiles {
            for column in 0..=tile / 2 {
                let mut block = [[0.0; DOUBLES]; TILE];
                for (r, row) in block.iter_mut().enumerate() {
                    for (c, slot) in row.iter_mut().enumerate() {
                        let (i, j) = (tile * TILE + r, column * DOUBLES + c);
                        if i.max(j) < order {
                            *slot = value(i.max(j), i.min(j));
                        }
                    }
                }
                blocks.push(block);
            }
        }
        Self { order, blocks }
    }

    pub(crate) fn order(&self) -> usize {
        self.order
    }

    /// The sum of the diagonal, and so of all eigenvalues.
    pub(crate) fn trace(&self) -> f64 {
        (0..self.order).map(|at| self.tile(at / TILE)[at / DOUBLES][at % TILE][at % DOUBLES]).sum()
    }

    /// The number that is farthest from zero, without its sign; one that is not finite if any is.
    pub(super) fn farthest(&self) -> f64 {
        let values = self.blocks.as_flattened().as_flattened().iter();
        values.fold(0.0, |far: f64, x| if x.abs() <= far || far.is_nan() { far } else { x.abs() })
    }

    pub(super) fn scale(&mut self, by: f64) {
        self.blocks.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|x| *x *= by);
    }

    fn tile(&self, tile: usize) -> &[Block] {
        &self.blocks[blocks_before(tile)..blocks_before(tile + 1)]
    }

    fn read_row(&self, i: usize, row: &mut [f64]) {
        let tile = self.tile(i / TILE).iter();
        for (slots, block) in row.as_chunks_mut().0.iter_mut().zip(tile) {
            *slots = block[i % TILE];
        }
    }

    fn write_row(&mut self, i: usize, row: &[f64]) {
        let tile = blocks_before(i / TILE)..blocks_before(i / TILE + 1);
        for (block, values) in self.blocks[tile].iter_mut().zip(row.as_chunks().0) {
            block[i % TILE] = *values;
        }
    }
}

/// A symmetric matrix of three diagonals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tridiagonal {
    pub diagonal: Vec<f64>,
    /// Of each row, but the last, with the next.
    pub beside: Vec<f64>,
}

impl Tridiagonal {
    /// Between which all eigenvalues are (Gershgorin).
    pub(super) fn bounds(&self) -> (f64, f64) {
        let before = std::iter::once(&0.0).chain(&self.beside);
        let after = self.beside.iter().chain(std::iter::once(&0.0));
        let rows = self.diagonal.iter().zip(before.zip(after));
        rows.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (x, (before, after))| {
            let off = before.abs() + after.abs();
            (low.min(x - off), high.max(x + off))
        })
    }

    /// What no eigenvalue is farther from zero than.
    pub(super) fn norm(&self) -> f64 {
        let (low, high) = self.bounds();
        low.abs().max(high.abs())
    }

    /// The norm of what a vector of norm 1 leaves: of the matrix times it, less `value` times it.
    pub(super) fn residual(&self, value: f64, x: &[f64]) -> f64 {
        let mut squares = 0.0;
        let mut before = 0.0;
        for (i, own) in self.diagonal.iter().enumerate() {
            let after = self.beside.get(i).map_or(0.0, |beside| beside * x[i + 1]);
            let left = (own - value) * x[i] + before + after;
            squares += left * left;
            before = self.beside.get(i).map_or(0.0, |beside| beside * x[i]);
        }
        squares.sqrt()
    }
}

/// The tridiagonal matrix and the reflections that led to it.
#[derive(Debug)]
pub(super) struct Reduced {
    pub tridiagonal: Tridiagonal,
    /// Each reflection stands in the row that it left with one number beside the diagonal.
    reflections: Symmetric,
    taus: Vec<f64>,
}

impl Reduced {
    /// Takes vectors, lane by lane, from where the matrix is tridiagonal to where it was.
    pub(super) fn reflect_back(&self, level: Level, vectors: &mut [[f64; DOUBLES]]) {
        for (i, tau) in self.taus.iter().enumerate().filter(|(_, tau)| **tau != 0.0) {
            reflect(level, self.reflections.tile(i / TILE), i % TILE, *tau, vectors);
        }
    }
}

pub(super) fn reduce(
    matrix: Symmetric,
    level: Level,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Reduced, Error> {
    let n = matrix.order;
    let mut reduction = Reduction::new(matrix, level, threads);
    let mut end = n;
    while end > 0 {
        watch.progress(Phase::Measures, (n - end) as u64, n as u64);
        let begin = (end - 1) / PANEL * PANEL;
        reduction.panel(begin, end, watch)?;
        reduction.subtract_panel(begin, watch)?;
        end = begin;
    }
    let Reduction { matrix, diagonal, beside, taus, .. } = reduction;
    Ok(Reduced { tridiagonal: Tridiagonal { diagonal, beside }, reflections: matrix, taus })
}

struct Reduction {
    matrix: Symmetric,
    level: Level,
    threads: usize,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
    taus: Vec<f64>,
    /// The panel's: of each reflection v, and then w, such that what they all change of the
    /// matrix is the sum of -(v w' + w v'). Rows of the stride.
    vectors: Vec<f64>,
    stride: usize,
    row: Vec<f64>,
    factors: Vec<f64>,
    /// Of the panel, in the order in which tiles of the matrix need it.
    by_tiles: Vec<[f64; TILE]>,
}

impl Reduction {
    fn new(matrix: Symmetric, level: Level, threads: usize) -> Self {
        let n = matrix.order;
        // An odd number of lanes: rows do not all fall on the same few lines of a cache.
        let stride = (n.div_ceil(DOUBLES) | 1) * DOUBLES;
        Self {
            matrix,
            level,
            threads,
            diagonal: vec![0.0; n],
            beside: vec![0.0; n.saturating_sub(1)],
            taus: vec![0.0; n],
            vectors: vec![0.0; 2 * PANEL * stride],
            stride,
            row: vec![0.0; stride],
            factors: vec![0.0; 2 * PANEL],
            by_tiles: Vec::new(),
        }
    }

    /// Makes rows tridiagonal, the last first.
    fn panel(&mut self, begin: usize, end: usize, watch: &dyn Watch) -> Result<(), Error> {
        self.vectors.fill(0.0);
        for (p, i) in (begin..end).rev().enumerate() {
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.update_row(p, i);
            self.diagonal[i] = self.row[i];
            if i > 0 && self.reflection(i) {
                self.second_vector(p, i, watch)?;
            }
        }
        Ok(())
    }

    /// Reads a row, less what the panel's first `p` reflections change of it.
    fn update_row(&mut self, p: usize, i: usize) {
        let row = &mut self.row[..(i + 1).next_multiple_of(DOUBLES)];
        self.matrix.read_row(i, row);
        let before = &self.vectors[..2 * p * self.stride];
        let factors = &mut self.factors[..2 * p];
        for (at, vector) in before.chunks_exact(self.stride).enumerate() {
            factors[at ^ 1] = vector[i];
        }
        subtract_rows(self.level, before, self.stride, factors, row);
    }

    /// Replaces the row by the v of the reflection that leaves nothing of it but one number
    /// beside the diagonal; or there is nothing already (dlarfg).
    fn reflection(&mut self, i: usize) -> bool {
        let row = &mut self.row[..(i + 1).next_multiple_of(DOUBLES)];
        row[i..].fill(0.0);
        let alpha = std::mem::take(&mut row[i - 1]);
        let mut square = [0.0];
        dots(self.level, row, row.len(), row, &mut square);
        let [square] = square;
        if square < NOTHING {
            self.beside[i - 1] = alpha;
            return false;
        }
        let norm = (alpha * alpha + square).sqrt();
        let beta = if alpha > 0.0 { -norm } else { norm };
        let scale = 1.0 / (alpha - beta);
        row.iter_mut().for_each(|x| *x *= scale);
        row[i - 1] = 1.0;
        self.beside[i - 1] = beta;
        self.taus[i] = (beta - alpha) / beta;
        self.matrix.write_row(i, row);
        true
    }

    /// Works out w, for the v that the row is.
    fn second_vector(&mut self, p: usize, i: usize, watch: &dyn Watch) -> Result<(), Error> {
        let Self { level, stride, ref matrix, ref row, ref mut factors, ref mut vectors, .. } =
            *self;
        let width = i.next_multiple_of(DOUBLES);
        let (before, new) = vectors.split_at_mut(2 * p * stride);
        let (v, w) = new.split_at_mut(stride);
        let (v, w) = (&mut v[..width], &mut w[..width]);
        v.copy_from_slice(&row[..width]);
        let blocks = &matrix.blocks[..blocks_before(width / TILE)];
        product(level, blocks, v, w, self.threads, watch)?;
        let factors = &mut factors[..2 * p];
        dots(level, before, stride, v, factors);
        for pair in factors.as_chunks_mut::<2>().0 {
            pair.reverse();
        }
        subtract_rows(level, before, stride, factors, w);
        // Rows from i on are no part of the matrix any more.
        w[i..].fill(0.0);
        let tau = self.taus[i];
        w.iter_mut().for_each(|x| *x *= tau);
        let mut along = [0.0];
        dots(level, w, width, v, &mut along);
        subtract_rows(level, v, width, &[tau * along[0] / 2.0], w);
        Ok(())
    }

    /// Takes what the panel changes of the rows before it away from them.
    fn subtract_panel(&mut self, rows: usize, watch: &dyn Watch) -> Result<(), Error> {
        let Self { level, stride, ref vectors, ref mut by_tiles, .. } = *self;
        by_tiles.clear();
        for tile in 0..rows / TILE {
            for p in 0..2 * PANEL {
                let mut some = [0.0; TILE];
                some.copy_from_slice(&vectors[(p ^ 1) * stride + tile * TILE..][..TILE]);
                by_tiles.push(some);
            }
        }
        let mut items = Vec::with_capacity(rows / PANEL);
        let mut rest = &mut *self.matrix.blocks;
        for (nth, left) in by_tiles.chunks_exact(2 * PANEL * PANEL_TILES).enumerate() {
            let first = nth * PANEL_TILES;
            let (own, after) =
                rest.split_at_mut(blocks_before(first + PANEL_TILES) - blocks_before(first));
            items.push((first, left, own));
            rest = after;
        }
        // The last are the longest.
        items.reverse();
        let workers = self.threads.min(items.len()).max(1);
        for_each(&mut items, &mut vec![(); workers], watch, |(), _, (first, left, blocks)| {
            subtract_products(level, blocks, *first, left, vectors, stride);
            Ok(())
        })
    }
}

/// The product of a matrix with a vector, added to `out`: in stripes where it is large, which
/// do not depend on how many threads there are.
pub(super) fn product(
    level: Level,
    blocks: &[Block],
    by: &[f64],
    out: &mut [f64],
    threads: usize,
    watch: &dyn Watch,
) -> Result<(), Error> {
    let (by, out) = (by.as_chunks().0, out.as_chunks_mut().0);
    let n_tiles = by.len() * DOUBLES / TILE;
    if n_tiles * TILE < SHARED_PRODUCT {
        symmetric_product(level, blocks, 0, by, out);
        return Ok(());
    }
    let stripes = (0..n_tiles).step_by(STRIPE_TILES).rev();
    let mut stripes: Vec<(usize, Vec<[f64; DOUBLES]>)> =
        stripes.map(|first| (first, Vec::new())).collect();
    for_each(&mut stripes, &mut vec![(); threads], watch, |(), _, (first, sums)| {
        let end = (*first + STRIPE_TILES).min(n_tiles);
        sums.resize(end.div_ceil(2), [0.0; DOUBLES]);
        let blocks = &blocks[blocks_before(*first)..blocks_before(end)];
        symmetric_product(level, blocks, *first, by, sums);
        Ok(())
    })?;
    for (_, sums) in &stripes {
        let slots = out.as_flattened_mut().iter_mut();
        slots.zip(sums.as_flattened()).for_each(|(slot, sum)| *slot += sum);
    }
    Ok(())
}
