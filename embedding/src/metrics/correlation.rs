//! How far what is far apart stays far apart in a projection.

use super::pairs::{Crowd, GROUP};
use crate::Error;
use crate::rows::RowSource;
use crate::sample;
use crate::threads::for_each;
use crate::watch::Watch;

/// Rows of which all pairs are looked at: half a million.
const SAMPLE_MAX: usize = 1000;
const STREAM: u64 = 0x54;

/// The correlation of ranks (Spearman 1904) of the distances of pairs of rows before and after: 1
/// where a projection keeps their order, about 0 by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    pub value: f64,
    /// Rows that were drawn, and looked at by all their pairs.
    pub rows: usize,
}

/// `projected` has as many rows, of any number of dimensions. None where on one side all are
/// equally far apart.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn correlation(
    rows: &dyn RowSource,
    projected: &[f32],
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Correlation>, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    let m = projected.len() / n.max(1);
    if m == 0 {
        return Ok(None);
    }
    let drawn = sample::draw(rows, SAMPLE_MAX, seed, STREAM)?;
    let of = |row: &usize| projected.get(row * m..(row + 1) * m).unwrap_or_default();
    let low: Vec<f32> = drawn.numbers.iter().flat_map(of).copied().collect();
    let before = ranks(&of_pairs(&drawn.values, d, threads, watch)?);
    let after = ranks(&of_pairs(&low, m, threads, watch)?);
    let rows = drawn.numbers.len();
    Ok(correlated(&before, &after).map(|value| Correlation { value, rows }))
}

/// The squared distances of each two rows, the first before the second.
fn of_pairs(
    values: &[f32],
    d: usize,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let crowd = Crowd::new(values, d);
    let mut groups = vec![Vec::new(); crowd.rows().div_ceil(GROUP)];
    for_each(&mut groups, &mut vec![Vec::new(); threads.max(1)], watch, |found, group, pairs| {
        let asked = values.chunks(GROUP * d).nth(group).unwrap_or_default();
        for (nth, found) in crowd.distances(asked, found).enumerate() {
            pairs.extend_from_slice(found.get(group * GROUP + nth + 1..).unwrap_or_default());
        }
        Ok(())
    })?;
    Ok(groups.concat())
}

/// Twice the place of each in their order, less what it is on the average; equal ones share one.
fn ranks(values: &[f32]) -> Vec<i64> {
    let value = |at: usize| values.get(at).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| value(*a).total_cmp(&value(*b)));
    let (mut ranks, mut first) = (vec![0; values.len()], 0);
    for same in order.chunk_by(|a, b| value(*a) == value(*b)) {
        let last = first + same.len() - 1;
        for at in same {
            ranks[*at] = (first + last) as i64 - (values.len() as i64 - 1);
        }
        first = last + 1;
    }
    ranks
}

/// Of numbers that sum up to 0 on either side: whole until the very end.
fn correlated(a: &[i64], b: &[i64]) -> Option<f64> {
    let product = |a: &[i64], b: &[i64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| i128::from(*a) * i128::from(*b)).sum::<i128>() as f64
    };
    let widths = (product(a, a) * product(b, b)).sqrt();
    (widths > 0.0).then(|| product(a, b) / widths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::pairs::{distorted, scattered};
    use super::*;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    /// The figure is of scipy's spearmanr of the distances of all pairs.
    #[test]
    fn correlation_is_as_scipy_has_it() {
        let values = scattered(60, 4);
        let rows = Matrix::new(&values, 4).unwrap();
        let of = |projected: &[f32], threads| {
            correlation(&rows, projected, 1, threads, &Unwatched).unwrap()
        };
        let projected = distorted(&values, 4);
        let found = of(&projected, 1).unwrap();
        assert!((found.value - 0.646_032_251_030_224_4).abs() < 1e-6, "{found:?}");
        assert_eq!((found.rows, Some(found)), (60, of(&projected, 3)));
        let larger: Vec<f32> = values.iter().map(|x| 2.0 * x).collect();
        assert_eq!(of(&larger, 1).unwrap().value, 1.0);
        assert_eq!(of(&[1.0; 60], 1), None);
    }

    #[test]
    fn equal_numbers_share_a_place() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2, -3, 2, -1]);
        assert_eq!(correlated(&[-1, 1], &[1, -1]), Some(-1.0));
    }
}
