//! What a view shows of a slice under a mask: extents, histograms, counts of categories
//! and of the cells of a grid. Columns are binned or coded once; under each new mask they
//! are only counted. Knows nothing of predicates.

mod binned;
mod category;
mod tally;

use arrow_array::{Array, ArrayRef};

pub use self::binned::{BinnedColumn, Bins, Histogram, density};
pub use self::category::{CategoryColumn, CategoryCount, CategoryCounts};
use crate::column::{floats_of, plain};
use crate::error::QueryError;
use crate::mask::{Mask, words_of};

/// A column of numbers or times at a glance, times as the integers they are stored as.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overview {
    pub rows: u64,
    pub nulls: u64,
    pub nans: u64,
    /// Least and greatest value, NaN aside; none where nothing is left.
    pub extent: Option<[f64; 2]>,
}

impl Overview {
    /// Adds the rows of the batch that follows: those in the mask, all without one. Columns
    /// that are neither numbers nor times have rows and nulls alone.
    pub fn push(&mut self, array: &ArrayRef, mask: Option<&Mask>) -> Result<(), QueryError> {
        let array = plain(array)?;
        let rows = mask.map_or_else(|| Mask::all(array.len()), Clone::clone);
        let valid = array
            .logical_nulls()
            .map(|nulls| Mask::from_words(words_of(nulls.inner()), array.len()));
        self.rows += rows.count() as u64;
        let mut present = rows;
        if let Some(valid) = &valid {
            let before = present.count();
            present.and(valid);
            self.nulls += (before - present.count()) as u64;
        }
        let Some((values, _)) = floats_of(&*array) else { return Ok(()) };
        let [mut low, mut high] = self.extent.unwrap_or([f64::INFINITY, f64::NEG_INFINITY]);
        let mut numbers = 0;
        let mut add = |value: f64| {
            // Comparisons with NaN are false, so it changes neither end.
            low = if value < low { value } else { low };
            high = if value > high { value } else { high };
            numbers += u64::from(!value.is_nan());
        };
        if present.is_full() {
            values.iter().for_each(|value| add(*value));
        } else {
            present.iter_ones().filter_map(|row| values.get(row)).for_each(|value| add(*value));
        }
        self.nans += present.count() as u64 - numbers;
        if numbers > 0 || self.extent.is_some() {
            self.extent = Some([low, high]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
