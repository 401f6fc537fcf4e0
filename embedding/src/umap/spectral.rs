//! Where a walk along bonds mixes last: the eigenvectors of its matrix, the largest eigenvalues
//! first, of which the first says nothing, being the same everywhere. In them neighbours are near,
//! and what hangs together by little is far apart (Belkin, Niyogi: Laplacian eigenmaps. 2003); they
//! are those of the normalised Laplacian, the least first, as umap-learn has them.
//!
//! A block of vectors is filtered by polynomials of the matrix that are large where eigenvalues are
//! wanted and small elsewhere (Zhou, Saad, Tiago, Chelikowsky: Self-consistent-field calculations
//! using Chebyshev-filtered subspace iteration. 2006): products of the matrix with the whole block, for
//! which each bond is read once, and one line of a cache. Graphs of few rows have their eigenvectors
//! as any matrix has. Sums have one order: the same bits on every machine, with any number of threads.

use super::graph::Graph;
use crate::Error;
use crate::eigen::{self, Symmetric};
use crate::exponential::ln;
use crate::random::Random;
use crate::threads::for_each;
use crate::watch::Watch;

/// Up to so many rows all of the matrix is looked at.
const DENSE_MAX: usize = 128;
/// Vectors of a block: those wanted, the first, and some beside, without which they would be slow.
const FEW: usize = 8;
const MANY: usize = 16;
/// How wrong a vector may be, in shares of what sets its eigenvalue apart from the first, and at
/// all: what begins a layout is moved later.
const TOLERANCE: f64 = 0.02;
const TOLERANCE_LEAST: f64 = 1e-9;
/// Products of the matrix and a block after which it is given up.
const PRODUCTS_MAX: usize = 400;
/// By then vectors will do that are mixed with others of the block alone, where all of these belong
/// to eigenvalues so near 1: many parts that all but fall apart, in any order.
const NEAR_ONE: f64 = 0.1;
const MIXED: f64 = 0.5;
/// Those of one filter, and the logarithm of how much larger it may make some than others: beyond,
/// vectors would be one but for rounding.
const DEGREE: (usize, usize) = (4, 60);
const GROWTH: f64 = 18.0;
const ROWS_AT_ONCE: usize = 4096;
const BONDS_A_THREAD: usize = 1 << 16;
const STREAM: u64 = 0x62;

/// The `m` eigenvectors after the first, n × m, of a graph all of which hangs together and which
/// has more than m + 1 rows. None where they were not found in time.
pub(super) fn vectors(
    graph: &Graph,
    m: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Vec<f64>>, Error> {
    let walk = Walk::new(graph, threads);
    match m {
        _ if walk.degrees.len() <= DENSE_MAX => walk.of_all(m, watch).map(Some),
        m if m <= FEW / 2 => walk.vectors::<FEW>(m, seed, watch),
        _ => walk.vectors::<MANY>(m, seed, watch),
    }
}

/// From each row to others, with a chance in proportion to the bond.
struct Walk<'a> {
    graph: &'a Graph,
    /// The sum of a row's bonds.
    degrees: Vec<f64>,
    threads: usize,
    products_max: usize,
}

/// What is made of a row: `times` its share of `from` beyond the middle, less `back` of what it was.
#[derive(Clone, Copy)]
struct Step {
    middle: f64,
    times: f64,
    back: f64,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph, threads: usize) -> Self {
        let degree = |bonds: &[usize]| -> f64 {
            let (_, weights) = graph.bonds(bonds[0]..bonds[1]);
            weights.iter().map(|weight| f64::from(*weight)).sum()
        };
        let degrees: Vec<f64> = graph.starts.windows(2).map(degree).collect();
        let n_bonds = graph.starts.last().copied().unwrap_or_default();
        Self {
            graph,
            degrees,
            threads: threads.min(n_bonds / BONDS_A_THREAD).max(1),
            products_max: PRODUCTS_MAX,
        }
    }

    /// By the whole matrix.
    fn of_all(&self, m: usize, watch: &dyn Watch) -> Result<Vec<f64>, Error> {
        let n = self.degrees.len();
        let mut matrix = vec![0.0; n * n];
        for (row, bonds) in self.graph.starts.windows(2).enumerate() {
            let (others, weights) = self.graph.bonds(bonds[0]..bonds[1]);
            for (other, weight) in others.iter().zip(weights) {
                let other = *other as usize;
                let both = (self.degrees[row] * self.degrees[other]).sqrt();
                matrix[row * n + other] = f64::from(*weight) / both;
            }
        }
        let symmetric = Symmetric::from_fn(n, |i, j| matrix[i * n + j]);
        let found = eigen::largest(symmetric, m + 1, 1, watch)?;
        let of_row = |row| (1..=m).map(move |at| (at, row));
        Ok((0..n).flat_map(of_row).map(|(at, row)| found.vectors[at * n + row]).collect())
    }

    /// By a block of `B` vectors, more than `m`.
    fn vectors<const B: usize>(
        &self,
        m: usize,
        seed: u64,
        watch: &dyn Watch,
    ) -> Result<Option<Vec<f64>>, Error> {
        let n = self.degrees.len();
        let random = Random::new(seed, STREAM);
        let begin = |row: usize, at: usize| match at {
            0 => 1.0,
            at => random.bell((row * B + at) as u64),
        };
        let mut block: Vec<[f64; B]> =
            (0..n).map(|row| std::array::from_fn(|at| begin(row, at))).collect();
        let mut next = vec![[0.0; B]; n];
        let mut products = 0;
        loop {
            self.set_right(&mut block);
            let plain = Step { middle: 0.0, times: 1.0, back: 0.0 };
            self.product(&block, &mut next, plain, watch)?;
            products += 1;
            let values = self.turn(&mut block, &mut next, watch)?;
            let is_late = products > self.products_max;
            if self.is_near(&block, &next, &values, m, is_late) {
                let row = |(row, degree): (&[f64; B], &f64)| {
                    let (scale, row) = (degree.sqrt(), *row);
                    (1..=m).map(move |at| row[at] * scale)
                };
                return Ok(Some(block.iter().zip(&self.degrees).flat_map(row).collect()));
            }
            if is_late {
                return Ok(None);
            }
            products += self.filter(&mut block, &mut next, values[B - 1], watch)?;
        }
    }

    /// Makes what belongs to eigenvalues below `end` small beside what belongs to 1; `next` holds
    /// the first product. Gives how many there were.
    fn filter<const B: usize>(
        &self,
        block: &mut Vec<[f64; B]>,
        next: &mut Vec<[f64; B]>,
        end: f64,
        watch: &dyn Watch,
    ) -> Result<usize, Error> {
        let end = end.clamp(-0.9, 1.0 - 1e-9);
        let (middle, half) = ((end - 1.0) / 2.0, (end + 1.0) / 2.0);
        let beyond = (1.0 - middle) / half;
        let growth = ln(beyond + (beyond * beyond - 1.0).sqrt());
        let degree = ((GROWTH / growth) as usize).clamp(DEGREE.0, DEGREE.1);
        // Chebyshev's polynomials, each in shares of what it is at 1.
        let first = 1.0 / beyond;
        let mut share = first;
        for (next, row) in next.iter_mut().zip(block.iter()) {
            next.iter_mut().zip(row).for_each(|(y, x)| *y = (*y - middle * x) * (first / half));
        }
        for _ in 1..degree {
            let then = 1.0 / (2.0 / first - share);
            let step = Step { middle, times: 2.0 * then / half, back: share * then };
            self.product(next, block, step, watch)?;
            std::mem::swap(block, next);
            share = then;
        }
        std::mem::swap(block, next);
        Ok(degree - 1)
    }

    fn product<const B: usize>(
        &self,
        from: &[[f64; B]],
        to: &mut [[f64; B]],
        step: Step,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let mut parts: Vec<&mut [[f64; B]]> = to.chunks_mut(ROWS_AT_ONCE).collect();
        for_each(&mut parts, &mut vec![(); self.threads], watch, |(), part, to| {
            for (row, to) in (part * ROWS_AT_ONCE..).zip(to.iter_mut()) {
                let bonds = self.graph.starts[row]..self.graph.starts[row + 1];
                let (others, weights) = self.graph.bonds(bonds);
                let mut sums = [0.0; B];
                for (other, weight) in others.iter().zip(weights) {
                    let (other, weight) = (&from[*other as usize], f64::from(*weight));
                    sums.iter_mut().zip(other).for_each(|(sum, x)| *sum += weight * x);
                }
                let (degree, own) = (self.degrees[row], &from[row]);
                for ((to, sum), x) in to.iter_mut().zip(sums).zip(own) {
                    *to = (sum / degree - step.middle * x) * step.times - step.back * *to;
                }
            }
            Ok(())
        })
    }

    /// Makes all vectors of length 1 and at right angles, as the walk measures: by degrees. Each is
    /// freed of those before it twice, since what rounding left the first time is gone the second.
    fn set_right<const B: usize>(&self, block: &mut [[f64; B]]) {
        for at in 0..B {
            for _ in 0..2 {
                let mut sums = [0.0; B];
                for (row, degree) in block.iter().zip(&self.degrees) {
                    let own = row[at] * degree;
                    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += own * x);
                }
                for row in block.iter_mut() {
                    let of_others: f64 = (0..at).map(|other| sums[other] * row[other]).sum();
                    row[at] -= of_others;
                }
            }
            let square: f64 = block
                .iter()
                .zip(&self.degrees)
                .map(|(row, degree)| row[at] * row[at] * degree)
                .sum();
            let scale = if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 };
            block.iter_mut().for_each(|row| row[at] *= scale);
        }
    }

    /// Turns vectors and their products to the eigenvectors among all that they span, the largest
    /// eigenvalues first.
    fn turn<const B: usize>(
        &self,
        block: &mut [[f64; B]],
        next: &mut [[f64; B]],
        watch: &dyn Watch,
    ) -> Result<Vec<f64>, Error> {
        let mut sums = [[0.0; B]; B];
        for ((row, product), degree) in block.iter().zip(next.iter()).zip(&self.degrees) {
            for (sums, x) in sums.iter_mut().zip(row) {
                let own = x * degree;
                sums.iter_mut().zip(product).for_each(|(sum, y)| *sum += own * y);
            }
        }
        let mean = |i: usize, j: usize| (sums[i][j] + sums[j][i]) / 2.0;
        let found = eigen::largest(Symmetric::from_fn(B, mean), B, 1, watch)?;
        for rows in [block, next] {
            for row in rows.iter_mut() {
                let mut turned = [0.0; B];
                for (to, vector) in turned.iter_mut().zip(found.vectors.chunks_exact(B)) {
                    *to = vector.iter().zip(row.iter()).map(|(share, x)| share * x).sum();
                }
                *row = turned;
            }
        }
        Ok(found.values)
    }

    /// Whether those after the first are as good as they need be.
    fn is_near<const B: usize>(
        &self,
        block: &[[f64; B]],
        next: &[[f64; B]],
        values: &[f64],
        m: usize,
        is_late: bool,
    ) -> bool {
        let rest = 1.0 - values[B - 1];
        let mixed = if is_late && rest < NEAR_ONE { MIXED * rest } else { 0.0 };
        (1..=m).all(|at| {
            let rows = block.iter().zip(next).zip(&self.degrees);
            let square: f64 =
                rows.map(|((x, y), degree)| (y[at] - values[at] * x[at]).powi(2) * degree).sum();
            square.sqrt() <= mixed.max(TOLERANCE * (1.0 - values[at])) + TOLERANCE_LEAST
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clouds::clouds;
    use crate::knn;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    fn graph(n: usize, d: usize) -> Graph {
        // Near enough to each other that all hang together.
        let values: Vec<f32> = clouds(n, d, 1).iter().map(|x| x * 0.5).collect();
        let rows = Matrix::new(&values, d).unwrap();
        Graph::new(&knn::exact(&rows, 14, Some(1), &Unwatched).unwrap(), 500)
    }

    #[test]
    fn a_block_finds_what_all_of_the_matrix_has() {
        for (n, d) in [(400, 2), (300, 3)] {
            let graph = graph(n, d);
            for m in [1, 2, 6] {
                let walk = Walk::new(&graph, 1);
                let wanted = walk.of_all(m, &Unwatched).unwrap();
                let found = vectors(&graph, m, 5, 1, &Unwatched).unwrap().unwrap();
                for at in 0..m {
                    let column = |of: &[f64]| -> Vec<f64> {
                        of.iter().skip(at).step_by(m).copied().collect()
                    };
                    let (a, b) = (column(&wanted), column(&found));
                    let cosine: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
                    assert!(cosine.abs() > 0.995, "{n} {m} {at}: {cosine}");
                    let square: f64 = b.iter().map(|x| x * x).sum();
                    assert!((square - 1.0).abs() < 1e-9, "{square}");
                }
            }
        }
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let graph = graph(400, 2);
        let hasty = Walk { products_max: 0, ..Walk::new(&graph, 1) };
        assert_eq!(hasty.vectors::<FEW>(2, 5, &Unwatched).unwrap(), None);
    }

    #[test]
    fn threads_make_no_difference() {
        let graph = graph(9000, 3);
        let with = |threads| vectors(&graph, 2, 5, threads, &Unwatched).unwrap().unwrap();
        assert!(with(1) == with(3));
    }
}
