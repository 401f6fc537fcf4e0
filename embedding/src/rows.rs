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
