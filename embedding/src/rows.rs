//! Where rows come from: a matrix in memory, or blocks of one that is larger than memory.

use std::borrow::Cow;
use std::ops::Range;

use crate::Error;

/// Rows of one block at most: enough to keep a core busy for some milliseconds, few enough
/// that each core finds another.
pub const BLOCK_ROWS: usize = 1024;

/// An n × d matrix of finite 32-bit floats, read by blocks of [`BLOCK_ROWS`] rows, by several
/// threads, and once for each pass over the data.
pub trait RowSource: Sync {
    fn rows(&self) -> usize;

    fn dimensions(&self) -> usize;

    /// The rows of a block, one after another; the last may have fewer.
    fn block(&self, index: usize) -> Result<Cow<'_, [f32]>, Error>;

    fn n_blocks(&self) -> usize {
        self.rows().div_ceil(BLOCK_ROWS)
    }

    /// Which rows those of a block are.
    fn block_rows(&self, index: usize) -> Range<usize> {
        let first = index * BLOCK_ROWS;
        first..(first + BLOCK_ROWS).min(self.rows())
    }

    /// One row.
    fn row(&self, row: usize) -> Result<Vec<f32>, Error> {
        let block = self.block(row / BLOCK_ROWS)?;
        let row = block.chunks_exact(self.dimensions()).nth(row % BLOCK_ROWS);
        row.map(<[f32]>::to_vec).ok_or_else(|| Error::Source("a block is too short".to_owned()))
    }
}

/// Whether all are numbers, and none infinite.
pub fn are_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    // Without an end before the last, so that the compiler makes vectors of it.
    !values.iter().fold(false, |is_bad, x| is_bad | (x.to_bits() & EXPONENT == EXPONENT))
}

/// The least norm that a vector is divided by.
const NORM_MIN: f64 = 1e-10;

/// Divides a vector by its length, which is worked out in 64 bits, term by term.
pub fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let norm = norm.max(NORM_MIN);
    vector.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
}

/// Rows in memory.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    dimensions: usize,
}

impl<'a> Matrix<'a> {
    /// `values` are rows of `dimensions` numbers, one after another.
    pub fn new(values: &'a [f32], dimensions: usize) -> Result<Self, Error> {
        if dimensions == 0 {
            return Err(Error::NoDimensions);
        }
        if !values.len().is_multiple_of(dimensions) {
            let rows = values.len() / dimensions;
            return Err(Error::BadShape { given: values.len(), rows, dimensions });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { row: at / dimensions });
        }
        Ok(Self::of_finite(values, dimensions))
    }

    /// Of rows that are known to be whole and finite.
    pub(crate) fn of_finite(values: &'a [f32], dimensions: usize) -> Self {
        Self { values, dimensions }
    }
}

impl RowSource for Matrix<'_> {
    fn rows(&self) -> usize {
        self.values.len() / self.dimensions
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn block(&self, index: usize) -> Result<Cow<'_, [f32]>, Error> {
        let rows = self.block_rows(index);
        let range = rows.start * self.dimensions..rows.end * self.dimensions;
        let block = self.values.get(range).unwrap_or_default();
        Ok(Cow::Borrowed(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_found_wherever_it_is() {
        let mut values = [f32::MAX, f32::MIN_POSITIVE, -0.0, 1e-45].repeat(9);
        assert!(are_finite(&values) && are_finite(&[]));
        for (at, bad) in [(0, f32::NAN), (17, f32::INFINITY), (35, f32::NEG_INFINITY)] {
            let was = std::mem::replace(&mut values[at], bad);
            assert!(!are_finite(&values), "{bad}");
            values[at] = was;
        }
    }

    #[test]
    fn vectors_have_the_length_of_one_or_none() {
        let mut vector = [3.0, -4.0];
        normalize(&mut vector);
        assert_eq!(vector, [0.6, -0.8]);
        let mut nothing = [0.0; 3];
        normalize(&mut nothing);
        assert_eq!(nothing, [0.0; 3]);
    }
}
