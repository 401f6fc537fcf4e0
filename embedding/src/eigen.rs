//! The largest eigenvalues of a symmetric matrix and their eigenvectors, in 64 bits: the
//! matrix made tridiagonal by reflections ([`tridiagonal`]), its eigenvalues by bisection
//! ([`bisection`]), its eigenvectors by inverse iteration ([`inverse`]), and these reflected
//! back (Golub, Van Loan: Matrix Computations, chapter 8; in LAPACK dsytrd, dstebz, dstein and
//! dormtr). Only the first of these works on all of the matrix, so that a few eigenvectors
//! take hardly longer than none.
//!
//! All is sums, products, quotients and square roots, each in its place: the same bits on
//! every machine, with any number of threads.

mod bisection;
mod inverse;
mod tridiagonal;

pub(crate) use tridiagonal::Symmetric;

use crate::Error;
use crate::kernel::{DOUBLES, Level};
use crate::threads::for_each;
use crate::watch::Watch;
use tridiagonal::Reduced;

/// Rows from which on threads are worth waking.
const SHARED: usize = 1024;

/// The largest eigenvalues first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Eigen {
    pub values: Vec<f64>,
    /// A row of norm 1 for each, all at right angles.
    pub vectors: Vec<f64>,
}

/// Finds the `k` largest eigenvalues, of as many as the matrix has rows.
pub(crate) fn largest(
    matrix: Symmetric,
    k: usize,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Eigen, Error> {
    largest_at(Level::detect(), matrix, k, threads, watch)
}

fn largest_at(
    level: Level,
    mut matrix: Symmetric,
    k: usize,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Eigen, Error> {
    let far = matrix.farthest();
    if !far.is_finite() {
        return Err(Error::NoEigenvectors("it is not finite".to_owned()));
    }
    // Brought near 1, so that squares stay within the range of floats.
    let scale = power_towards_one(far);
    matrix.scale(scale);
    let n = matrix.order();
    let threads = if n < SHARED { 1 } else { threads.max(1) };
    let reduced = tridiagonal::reduce(matrix, level, threads, watch)?;
    let mut values = bisection::largest(&reduced.tridiagonal, k, level, threads, watch)?;
    let (vectors, stride) = inverse::vectors(&reduced.tridiagonal, &values, level, watch)?;
    let vectors = reflected_back(&reduced, &vectors, stride, n, level, threads, watch)?;
    values.iter_mut().for_each(|value| *value /= scale);
    Ok(Eigen { values, vectors })
}

/// The power of two that brings a number near 1.
fn power_towards_one(x: f64) -> f64 {
    let exponent = x.to_bits() >> 52;
    if x == 0.0 { 1.0 } else { f64::from_bits((2046_u64.saturating_sub(exponent)).max(1) << 52) }
}

/// Eigenvectors of the matrix of those of the tridiagonal one: rows of `n`. Eight at a time,
/// for all of which each reflection is read once.
fn reflected_back(
    reduced: &Reduced,
    vectors: &[f64],
    stride: usize,
    n: usize,
    level: Level,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f64>, Error> {
    let mut found = vec![0.0; vectors.len() / stride * n];
    let mut groups: Vec<(&[f64], &mut [f64])> =
        vectors.chunks(DOUBLES * stride).zip(found.chunks_mut(DOUBLES * n)).collect();
    let workers = threads.min(groups.len()).max(1);
    let mut workers = vec![vec![[0.0; DOUBLES]; n.next_multiple_of(DOUBLES)]; workers];
    for_each(&mut groups, &mut workers, watch, |lanes, _, (from, to)| {
        lanes.fill([0.0; DOUBLES]);
        for (lane, vector) in from.chunks_exact(stride).enumerate() {
            lanes.iter_mut().zip(vector).for_each(|(lanes, x)| lanes[lane] = *x);
        }
        reduced.reflect_back(level, lanes);
        for (lane, vector) in to.chunks_exact_mut(n).enumerate() {
            vector.iter_mut().zip(lanes.iter()).for_each(|(x, lanes)| *x = lanes[lane]);
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests;
