//! Eigenvalues of a tridiagonal matrix by bisection: how many lie below a number is the number
//! of negative pivots (Barth, Martin, Wilkinson: Calculation of the eigenvalues of a symmetric
//! tridiagonal matrix by the method of bisection. Numer. Math. 9, 1967; LAPACK's dstebz). Each
//! is looked for on its own, sixteen at a time.

use super::tridiagonal::Tridiagonal;
use crate::Error;
use crate::kernel::{Counted, DOUBLES, Level, counts_below};
use crate::threads::for_each;
use crate::watch::Watch;

/// Eigenvalues that are looked for together.
const GROUP: usize = size_of::<Counted>() / size_of::<f64>();
/// Far more than halve any interval to neighbouring floats of what matters.
const STEPS_MAX: usize = 128;

/// The `k` largest, the largest first.
pub(super) fn largest(
    matrix: &Tridiagonal,
    k: usize,
    level: Level,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f64>, Error> {
    let search = Search::new(matrix, level);
    let mut values = vec![0.0; k];
    let mut groups: Vec<&mut [f64]> = values.chunks_mut(GROUP).collect();
    let workers = threads.min(groups.len()).max(1);
    for_each(&mut groups, &mut vec![(); workers], watch, |(), index, values| {
        search.find(index * GROUP, values);
        Ok(())
    })?;
    // Each is found to within a bit of its own; some that are as good as equal may be swapped.
    values.sort_by(|a, b| b.total_cmp(a));
    Ok(values)
}

struct Search<'a> {
    matrix: &'a Tridiagonal,
    level: Level,
    /// Of what is beside the diagonal; the first has nothing before it.
    squares: Vec<f64>,
    /// The least that a pivot may be, so that quotients stay finite.
    pivot: f64,
    low: f64,
    high: f64,
}

impl<'a> Search<'a> {
    fn new(matrix: &'a Tridiagonal, level: Level) -> Self {
        let squares: Vec<f64> =
            std::iter::once(0.0).chain(matrix.beside.iter().map(|x| x * x)).collect();
        let pivot = squares.iter().fold(1.0, |most: f64, x| most.max(*x)) * f64::MIN_POSITIVE;
        let (low, high) = matrix.bounds();
        // Rounding may put a count off by as much.
        let margin = 4.0 * matrix.diagonal.len() as f64 * f64::EPSILON * matrix.norm();
        Self { matrix, level, squares, pivot, low: low - margin, high: high + margin }
    }

    /// The eigenvalues from `first` on, as many as there are slots.
    fn find(&self, first: usize, values: &mut [f64]) {
        let n = self.matrix.diagonal.len();
        let nothing = f64::EPSILON / 8.0 * self.matrix.norm();
        let (mut low, mut high) = ([self.low; GROUP], [self.high; GROUP]);
        let (mut middle, mut counts) = (Counted::default(), Counted::default());
        for _ in 0..STEPS_MAX {
            let mut is_done = true;
            for (at, middle) in middle.as_flattened_mut().iter_mut().enumerate() {
                let at = at.min(values.len() - 1);
                *middle = low[at] + (high[at] - low[at]) / 2.0;
                is_done &= is_narrow(low[at], high[at], nothing);
            }
            if is_done {
                break;
            }
            let numbers = (&self.matrix.diagonal, &self.squares);
            counts_below(self.level, numbers.0, numbers.1, self.pivot, &middle, &mut counts);
            for at in 0..values.len() {
                let (middle, count) =
                    (middle[at / DOUBLES][at % DOUBLES], counts[at / DOUBLES][at % DOUBLES]);
                // Those that are done stay as they are, whatever the others beside them are.
                if !is_narrow(low[at], high[at], nothing) {
                    // Below are the one that is meant and all after it.
                    let is_below = count >= (n - first - at) as f64;
                    *(if is_below { &mut high[at] } else { &mut low[at] }) = middle;
                }
            }
        }
        for (value, middle) in values.iter_mut().zip(middle.as_flattened()) {
            *value = *middle;
        }
    }
}

/// To two bits of an eigenvalue, or of the whole matrix's rounding.
fn is_narrow(low: f64, high: f64, nothing: f64) -> bool {
    high - low <= (2.0 * f64::EPSILON * low.abs().max(high.abs())).max(nothing)
}
