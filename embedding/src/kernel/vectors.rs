//! Vectors of 64 bits along many others. Sums and products alone, each term in its place, so
//! the bits are the same on every processor: a sum is of eight sums of every eighth term.
#![allow(unsafe_code)]

use super::Level;
use super::doubles::{DOUBLES, Doubles};

/// Vectors that are worked on at once: a sum waits for its last term, and so many of them for
/// each other.
const ROWS: usize = 4;

/// So many counts wait for each other's quotients.
const COUNTED: usize = 2;
/// Numbers below which eigenvalues are counted together.
pub(crate) type Counted = [[f64; DOUBLES]; COUNTED];

by_level! {
    /// The products of rows of a stride with a vector, which is of whole lanes.
    pub(crate) fn dots = dot_each(rows: &[f64], stride: usize, vector: &[f64], out: &mut [f64]);

    /// Takes multiples of rows of a stride away from a vector, which is of whole lanes.
    pub(crate) fn subtract_rows = subtract_each(
        rows: &[f64],
        stride: usize,
        factors: &[f64],
        out: &mut [f64],
    );

    /// How many eigenvalues a tridiagonal matrix has below each of some numbers: as many as it
    /// has negative pivots, less the number on its diagonal (Golub, Van Loan: Matrix
    /// Computations, section 8.4). `squares` are of what stands before the diagonal; a pivot is
    /// at least `pivot` from zero.
    pub(crate) fn counts_below = count(
        diagonal: &[f64],
        squares: &[f64],
        pivot: f64,
        numbers: &Counted,
        counts: &mut Counted,
    );
}

#[inline(always)]
unsafe fn dot_each<L: Doubles>(rows: &[f64], stride: usize, vector: &[f64], out: &mut [f64]) {
    let vector = vector.as_chunks::<DOUBLES>().0;
    let mut tiles = rows.chunks_exact(ROWS * stride);
    let mut outs = out.chunks_exact_mut(ROWS);
    for (rows, out) in tiles.by_ref().zip(outs.by_ref()) {
        // SAFETY: the features are the caller's.
        out.copy_from_slice(&unsafe { dot::<L, ROWS>(rows, stride, vector) });
    }
    let left = tiles.remainder().chunks_exact(stride);
    for (row, out) in left.zip(outs.into_remainder()) {
        // SAFETY: the features are the caller's.
        [*out] = unsafe { dot::<L, 1>(row, stride, vector) };
    }
}

#[inline(always)]
unsafe fn dot<L: Doubles, const R: usize>(
    rows: &[f64],
    stride: usize,
    vector: &[[f64; DOUBLES]],
) -> [f64; R] {
    let rows = parts::<R>(rows, stride, vector.len());
    // SAFETY: the features are the caller's.
    unsafe {
        let mut sums = [L::splat(0.0); R];
        for (t, vector) in vector.iter().enumerate() {
            let vector = L::load(vector);
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum = sum.add(L::load(&row[t]).mul(vector));
            }
        }
        let mut found = [0.0; R];
        for (found, sum) in found.iter_mut().zip(sums) {
            *found = sum.sum();
        }
        found
    }
}

#[inline(always)]
unsafe fn subtract_each<L: Doubles>(rows: &[f64], stride: usize, factors: &[f64], out: &mut [f64]) {
    let out = out.as_chunks_mut::<DOUBLES>().0;
    let mut tiles = rows.chunks_exact(ROWS * stride);
    let (factors, rest) = factors.as_chunks::<ROWS>();
    for (rows, factors) in tiles.by_ref().zip(factors) {
        // SAFETY: the features are the caller's.
        unsafe { subtract::<L, ROWS>(rows, stride, *factors, out) };
    }
    for (row, factor) in tiles.remainder().chunks_exact(stride).zip(rest) {
        // SAFETY: the features are the caller's.
        unsafe { subtract::<L, 1>(row, stride, [*factor], out) };
    }
}

#[inline(always)]
unsafe fn subtract<L: Doubles, const R: usize>(
    rows: &[f64],
    stride: usize,
    factors: [f64; R],
    out: &mut [[f64; DOUBLES]],
) {
    let rows = parts::<R>(rows, stride, out.len());
    // SAFETY: the features are the caller's.
    unsafe {
        for (t, out) in out.iter_mut().enumerate() {
            let mut left = L::load(out);
            for (row, factor) in rows.iter().zip(factors) {
                left = left.sub(L::load(&row[t]).mul(L::splat(factor)));
            }
            left.store(out);
        }
    }
}

/// The beginnings of rows of a stride, so many lanes of each.
#[inline(always)]
fn parts<const R: usize>(rows: &[f64], stride: usize, n: usize) -> [&[[f64; DOUBLES]]; R] {
    let mut parts: [&[[f64; DOUBLES]]; R] = [&[]; R];
    for (part, row) in parts.iter_mut().zip(rows.chunks_exact(stride)) {
        *part = &row.as_chunks().0[..n];
    }
    parts
}

#[inline(always)]
unsafe fn count<L: Doubles>(
    diagonal: &[f64],
    squares: &[f64],
    pivot: f64,
    numbers: &Counted,
    counts: &mut Counted,
) {
    // SAFETY: the features are the caller's.
    unsafe {
        let (zero, one) = (L::splat(0.0), L::splat(1.0));
        let (above, below) = (L::splat(pivot), L::splat(-pivot));
        let mut numbers_of = [zero; COUNTED];
        for (lanes, numbers) in numbers_of.iter_mut().zip(numbers) {
            *lanes = L::load(numbers);
        }
        let mut found = [zero; COUNTED];
        let mut pivots = [one; COUNTED];
        for (x, square) in diagonal.iter().zip(squares) {
            let (x, square) = (L::splat(*x), L::splat(*square));
            for ((pivot, number), found) in pivots.iter_mut().zip(numbers_of).zip(&mut found) {
                let exact = x.sub(number).sub(square.div(*pivot));
                let least = L::where_less(exact, below, exact, below);
                *pivot = L::where_less(exact, above, least, exact);
                *found = found.add(L::where_less(*pivot, zero, one, zero));
            }
        }
        for (found, counts) in found.into_iter().zip(counts) {
            found.store(counts);
        }
    }
}
