//! Eigenvectors of a tridiagonal matrix by inverse iteration (Peters, Wilkinson: The calculation
//! of specified eigenvectors by inverse iteration. In: Handbook for Automatic Computation, 1971;
//! LAPACK's dstein). A vector is kept at right angles to all those before it whose eigenvalues
//! are not far away, and accepted by what it leaves.

use super::tridiagonal::Tridiagonal;
use crate::Error;
use crate::kernel::{DOUBLES, Level, dots, subtract_rows};
use crate::random::Random;
use crate::watch::Watch;

/// The share of the norm from which on eigenvalues keep their vectors apart by themselves.
const FAR: f64 = 0.1;
/// Roundings of the norm that a vector may leave.
const ACCEPTED: f64 = 8.0;
/// Solutions that are tried. One or two do; of the rest the best is kept.
const TRIES: usize = 8;
const SEED: u64 = 0x4c69_6d6e;
/// Beyond it a solution is brought back, before it overflows.
const LARGE: f64 = 1e150;

/// A row of norm 1 for each eigenvalue, of which the largest come first, and how far rows are
/// apart.
pub(super) fn vectors(
    matrix: &Tridiagonal,
    values: &[f64],
    level: Level,
    watch: &dyn Watch,
) -> Result<(Vec<f64>, usize), Error> {
    let n = matrix.diagonal.len();
    let stride = (n.div_ceil(DOUBLES) | 1) * DOUBLES;
    let norm = if matrix.norm() > 0.0 { matrix.norm() } else { 1.0 };
    let mut found = vec![0.0; values.len() * stride];
    let mut factors = Factors::default();
    let mut near = 0;
    for (nth, value) in values.iter().enumerate() {
        if watch.is_cancelled() {
            return Err(Error::Cancelled);
        }
        while values[near] - value > FAR * norm {
            near += 1;
        }
        factors.set(matrix, *value, norm);
        let (before, own) = found.split_at_mut(nth * stride);
        let among = Among { before: &before[near * stride..], stride, level };
        iterate(matrix, (nth, *value), &factors, &among, &mut own[..stride]);
    }
    Ok((found, stride))
}

/// Solves until what is left is rounding, and keeps the best.
fn iterate(
    matrix: &Tridiagonal,
    (nth, value): (usize, f64),
    factors: &Factors,
    among: &Among<'_>,
    own: &mut [f64],
) {
    let n = matrix.diagonal.len();
    let random = Random::new(SEED, nth as u64);
    let accepted = ACCEPTED * f64::EPSILON * factors.norm;
    let mut least = f64::INFINITY;
    let mut x = vec![0.0; own.len()];
    let mut is_new = true;
    for attempt in 0..TRIES {
        if is_new {
            for (t, x) in x.iter_mut().take(n).enumerate() {
                *x = random.unit((attempt * n + t) as u64) - 0.5;
            }
        }
        factors.solve(&mut x[..n]);
        // Twice is enough (Kahan, in Parlett: The Symmetric Eigenvalue Problem, section 6.9).
        let is_apart = normalise(&mut x) && among.separate(&mut x) && among.separate(&mut x);
        // Else it was nothing but what there is before.
        is_new = !is_apart;
        if is_apart {
            let left = matrix.residual(value, &x);
            if left < least {
                least = left;
                own.copy_from_slice(&x);
            }
            if left <= accepted {
                break;
            }
        }
    }
}

/// Brings a vector to norm 1, unless it is zero.
fn normalise(x: &mut [f64]) -> bool {
    let far = x.iter().fold(0.0, |far: f64, x| far.max(x.abs()));
    if far == 0.0 {
        return false;
    }
    // By the largest first, so that the sum of squares neither overflows nor vanishes.
    x.iter_mut().for_each(|x| *x /= far);
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    x.iter_mut().for_each(|x| *x /= norm);
    true
}

/// The vectors before one whose eigenvalues are near.
struct Among<'a> {
    before: &'a [f64],
    stride: usize,
    level: Level,
}

impl Among<'_> {
    /// Takes away from a vector what is along the others, and brings it back to norm 1.
    fn separate(&self, x: &mut [f64]) -> bool {
        let mut along = vec![0.0; self.before.len() / self.stride];
        dots(self.level, self.before, self.stride, x, &mut along);
        subtract_rows(self.level, self.before, self.stride, &along, x);
        normalise(x)
    }
}

/// A tridiagonal matrix, less an eigenvalue on its diagonal, as L and U with rows exchanged
/// where that keeps multipliers at 1 at most (LAPACK's dgttrf).
#[derive(Debug, Default)]
struct Factors {
    /// Of U the diagonal and the two above it, which rows that are exchanged have.
    rows: Vec<[f64; 3]>,
    /// What a row, or the one exchanged for it, takes away of the next, and which it was.
    multipliers: Vec<(f64, bool)>,
    norm: f64,
}

impl Factors {
    fn set(&mut self, matrix: &Tridiagonal, value: f64, norm: f64) {
        self.rows.clear();
        self.multipliers.clear();
        self.norm = norm;
        let smallest = f64::EPSILON * norm;
        // Singular, as it should be, but for as much as rounding.
        let pivot = |x: f64| match x.abs() < smallest {
            true if x < 0.0 => -smallest,
            true => smallest,
            false => x,
        };
        let n = matrix.diagonal.len();
        let mut own = matrix.diagonal[0] - value;
        let mut above = matrix.beside.first().copied().unwrap_or_default();
        for (i, below) in matrix.beside.iter().enumerate() {
            let next = matrix.diagonal[i + 1] - value;
            let next_above = if i + 2 < n { matrix.beside[i + 1] } else { 0.0 };
            if below.abs() > own.abs() {
                let by = own / below;
                self.multipliers.push((by, true));
                self.rows.push([pivot(*below), next, next_above]);
                (own, above) = (above - by * next, -by * next_above);
            } else {
                let by = if own == 0.0 { 0.0 } else { below / own };
                self.multipliers.push((by, false));
                self.rows.push([pivot(own), above, 0.0]);
                (own, above) = (next - by * above, next_above);
            }
        }
        self.rows.push([pivot(own), 0.0, 0.0]);
    }

    /// Replaces a vector by one that gives it, or a part of it.
    fn solve(&self, x: &mut [f64]) {
        for (i, (by, is_exchanged)) in self.multipliers.iter().enumerate() {
            if *is_exchanged {
                x.swap(i, i + 1);
            }
            x[i + 1] -= by * x[i];
        }
        let (mut next, mut second) = (0.0, 0.0);
        for (i, [own, above, second_above]) in self.rows.iter().enumerate().rev() {
            let mut found = (x[i] - above * next - second_above * second) / own;
            if found.abs() > LARGE {
                // The same system, as it were, with a smaller vector on its other side.
                x.iter_mut().for_each(|x| *x /= LARGE);
                (found, next) = (found / LARGE, next / LARGE);
            }
            x[i] = found;
            (next, second) = (found, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_that_would_overflow_are_brought_back() {
        let n = 100;
        let rows = vec![[1e-16, 1.0, 0.0]; n];
        let factors = Factors { rows, multipliers: vec![(0.0, false); n - 1], norm: 1.0 };
        let mut x = vec![1.0; n];
        factors.solve(&mut x);
        assert!(normalise(&mut x));
        // The more so the earlier: all but the first are below rounding.
        assert!((x[0].abs() - 1.0).abs() < 1e-15 && (x[1] / x[0] + 1e-16).abs() < 1e-30);
    }
}
