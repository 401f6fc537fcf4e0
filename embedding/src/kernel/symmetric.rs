//! Symmetric matrices in 64 bits, and reflections. Sums and products alone, each term in its
//! place, so the bits are the same on every processor.
#![allow(unsafe_code)]

use super::Level;
use super::doubles::{DOUBLES, Doubles};

/// Rows that are worked on at once: of sums there are no more than registers hold.
pub(crate) const TILE: usize = 4;

/// [`TILE`] rows and [`DOUBLES`] columns. A matrix is kept by tiles of rows, and of each tile
/// the blocks from the first column to the one that holds the diagonal: what is read together
/// lies together.
pub(crate) type Block = [[f64; DOUBLES]; TILE];

const _: () = assert!(DOUBLES == 2 * TILE);

/// How many blocks lie before those of a tile.
pub(crate) fn blocks_before(tile: usize) -> usize {
    let pairs = tile / 2;
    (pairs + tile % 2) * (pairs + 1)
}

by_level! {
    /// Adds to `out` what tiles of a matrix, the first of a number, and the columns that mirror
    /// them give times a vector. Both are at least as long as the last tile reaches.
    pub(crate) fn symmetric_product = product(
        blocks: &[Block],
        first: usize,
        by: &[[f64; DOUBLES]],
        out: &mut [[f64; DOUBLES]],
    );

    /// Takes the sum over p of `left[p][row] · right[p][column]` away from tiles of a matrix,
    /// the first of a number. Of `left` there are all p for each tile, `right` are rows of a
    /// stride.
    pub(crate) fn subtract_products = subtract(
        blocks: &mut [Block],
        first: usize,
        left: &[[f64; TILE]],
        right: &[f64],
        stride: usize,
    );

    /// Takes `tau` v v' times vectors, which lie lane by lane, away from them. v is a row of a
    /// tile.
    pub(crate) fn reflect = reflect_lanes(
        tile: &[Block],
        row: usize,
        tau: f64,
        vectors: &mut [[f64; DOUBLES]],
    );
}

#[inline(always)]
unsafe fn product<L: Doubles>(
    mut blocks: &[Block],
    first: usize,
    by: &[[f64; DOUBLES]],
    out: &mut [[f64; DOUBLES]],
) {
    let mut tile = first;
    while !blocks.is_empty() {
        let (last, half) = (tile / 2, tile % 2 * TILE);
        let (row, rest) = blocks.split_at(last + 1);
        let (block, row) = (&row[last], &row[..last]);
        let (by_last, by) = (&by[last], &by[..last]);
        // SAFETY: the features are the caller's.
        unsafe {
            let mut own = [L::splat(0.0); TILE];
            for (own, by) in own.iter_mut().zip(&by_last[half..]) {
                *own = L::splat(*by);
            }
            let mut sums = [L::splat(0.0); TILE];
            for ((block, by), out) in row.iter().zip(by).zip(out.iter_mut()) {
                let by = L::load(by);
                let mut found = L::load(out);
                for r in 0..TILE {
                    let values = L::load(&block[r]);
                    found = found.add(values.mul(own[r]));
                    sums[r] = sums[r].add(values.mul(by));
                }
                found.store(out);
            }
            // On the diagonal both triangles are there.
            let by = L::load(by_last);
            for r in 0..TILE {
                out[last][half + r] += sums[r].add(L::load(&block[r]).mul(by)).sum();
            }
        }
        (blocks, tile) = (rest, tile + 1);
    }
}

#[inline(always)]
unsafe fn subtract<L: Doubles>(
    blocks: &mut [Block],
    first: usize,
    left: &[[f64; TILE]],
    right: &[f64],
    stride: usize,
) {
    let depth = right.len() / stride;
    let n_tiles = left.len() / depth;
    for column in 0..(first + n_tiles).div_ceil(2) {
        // Tiles whose diagonal is left of the column have nothing here.
        let above = first.max(2 * column);
        let tiles = left.chunks_exact(depth).skip(above - first);
        for (tile, left) in (above..).zip(tiles) {
            let block = &mut blocks[blocks_before(tile) - blocks_before(first) + column];
            // SAFETY: the features are the caller's.
            unsafe {
                let mut rows = [L::splat(0.0); TILE];
                for (row, values) in rows.iter_mut().zip(block.iter()) {
                    *row = L::load(values);
                }
                for (left, right) in left.iter().zip(right.chunks_exact(stride)) {
                    let right = L::load(&right.as_chunks().0[column]);
                    for (row, left) in rows.iter_mut().zip(left) {
                        *row = row.sub(right.mul(L::splat(*left)));
                    }
                }
                for (row, values) in rows.into_iter().zip(block) {
                    row.store(values);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn reflect_lanes<L: Doubles>(
    tile: &[Block],
    row: usize,
    tau: f64,
    vectors: &mut [[f64; DOUBLES]],
) {
    let vectors = vectors.as_chunks_mut::<DOUBLES>().0;
    // SAFETY: the features are the caller's.
    unsafe {
        let mut sums = [L::splat(0.0); DOUBLES];
        for (block, vectors) in tile.iter().zip(vectors.iter()) {
            for ((sum, v), vectors) in sums.iter_mut().zip(&block[row]).zip(vectors) {
                *sum = sum.add(L::load(vectors).mul(L::splat(*v)));
            }
        }
        let [a, b, c, d, e, f, g, h] = sums;
        let along = a.add(e).add(c.add(g)).add(b.add(f).add(d.add(h))).mul(L::splat(tau));
        for (block, vectors) in tile.iter().zip(vectors) {
            for (v, vector) in block[row].iter().zip(vectors) {
                L::load(vector).sub(along.mul(L::splat(*v))).store(vector);
            }
        }
    }
}
