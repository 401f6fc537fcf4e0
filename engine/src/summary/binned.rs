//! Histograms of equal bins: a column is put into bins once, and counted under each mask.

use arrow_array::ArrayRef;

use super::tally::{count_bytes, count_codes};
use crate::column::{floats_of, plain};
use crate::error::QueryError;
use crate::mask::Mask;

/// Equal bins from `low` to `high`, which is in the last one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bins {
    pub low: f64,
    pub high: f64,
    pub count: u16,
}

impl Bins {
    /// Where bin `place` starts: `low + place × step`, as a binned group of a query has it.
    pub fn edge(&self, place: u16) -> f64 {
        if place == self.count { self.high } else { self.low + f64::from(place) * self.step() }
    }

    pub fn step(&self) -> f64 {
        (self.high - self.low) / f64::from(self.count.max(1))
    }

    /// The bin of a value; `None` outside and for NaN.
    pub fn bin_of(&self, value: f64) -> Option<u16> {
        let code = self.code_of(value, self.step());
        (code < self.count).then_some(code)
    }

    /// The bin of a value, or `count`.
    #[inline]
    fn code_of(&self, value: f64, step: f64) -> u16 {
        let is_inside = value >= self.low && value <= self.high;
        // Bins of no width hold what is there in the first.
        let place = if step > 0.0 { (value - self.low) / step } else { 0.0 };
        let place = (place as u16).min(self.count.saturating_sub(1));
        if is_inside { place } else { self.count }
    }
}

/// The bins of the rows of a column, one after the other.
#[derive(Debug, Clone)]
pub struct BinnedColumn {
    bins: Bins,
    codes: Codes,
}

/// The bin of each row; the number of bins for rows in none.
#[derive(Debug, Clone)]
enum Codes {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
}

/// How many rows are in each bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    pub counts: Vec<u32>,
    /// Rows outside the bins, null or NaN.
    pub outside: u32,
}

impl BinnedColumn {
    pub fn new(bins: Bins) -> Self {
        let codes = match bins.count {
            0..=255 => Codes::Bytes(Vec::new()),
            _ => Codes::Shorts(Vec::new()),
        };
        Self { bins, codes }
    }

    pub fn bins(&self) -> Bins {
        self.bins
    }

    /// How many rows were put into bins.
    pub fn len(&self) -> usize {
        match &self.codes {
            Codes::Bytes(codes) => codes.len(),
            Codes::Shorts(codes) => codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bin of a row; `None` for rows in no bin.
    pub fn bin_at(&self, row: usize) -> Option<u16> {
        let code = self.code_at(row);
        (code < self.bins.count).then_some(code)
    }

    #[inline]
    fn code_at(&self, row: usize) -> u16 {
        match &self.codes {
            Codes::Bytes(codes) => codes.get(row).copied().map(u16::from),
            Codes::Shorts(codes) => codes.get(row).copied(),
        }
        .unwrap_or(self.bins.count)
    }

    /// Puts the rows of the batch that follows into bins. Columns that are neither numbers
    /// nor times are in none.
    pub fn push(&mut self, array: &ArrayRef) -> Result<(), QueryError> {
        let array = plain(array)?;
        let (bins, step, none) = (self.bins, self.bins.step(), self.bins.count);
        let Some((values, nulls)) = floats_of(&*array) else {
            match &mut self.codes {
                Codes::Bytes(codes) => codes.resize(codes.len() + array.len(), none as u8),
                Codes::Shorts(codes) => codes.resize(codes.len() + array.len(), none),
            }
            return Ok(());
        };
        let start = self.len();
        let codes = values.iter().map(|value| bins.code_of(*value, step));
        match &mut self.codes {
            // Bytes hold every code, since there are at most 255 bins.
            Codes::Bytes(bytes) => bytes.extend(codes.map(|code| code as u8)),
            Codes::Shorts(shorts) => shorts.extend(codes),
        }
        for row in nulls.iter().flat_map(|nulls| (!nulls.inner()).set_indices().collect::<Vec<_>>())
        {
            match &mut self.codes {
                Codes::Bytes(codes) => set(codes, start + row, none as u8),
                Codes::Shorts(codes) => set(codes, start + row, none),
            }
        }
        Ok(())
    }

    /// The histogram of the rows in a mask.
    pub fn counts(&self, mask: &Mask) -> Histogram {
        let count = usize::from(self.bins.count);
        let mut counts = match &self.codes {
            Codes::Bytes(codes) => count_bytes(codes, mask).into_iter().take(count + 1).collect(),
            Codes::Shorts(codes) => {
                let code = |row: usize| codes.get(row).copied().map_or(usize::MAX, usize::from);
                count_codes(code, codes.len(), mask, count + 1)
            }
        };
        let outside = if counts.len() > count { counts.pop().unwrap_or_default() } else { 0 };
        Histogram { counts, outside }
    }
}

/// How many rows of a mask are in each cell of a grid, row by row from the lowest `y`.
pub fn density(x: &BinnedColumn, y: &BinnedColumn, mask: &Mask) -> Vec<u32> {
    let (width, height) = (usize::from(x.bins.count), usize::from(y.bins.count));
    let cell = |row: usize| match (x.bin_at(row), y.bin_at(row)) {
        (Some(x), Some(y)) => usize::from(y) * width + usize::from(x),
        _ => usize::MAX,
    };
    count_codes(cell, x.len().min(y.len()), mask, width * height)
}

fn set<T>(codes: &mut [T], row: usize, code: T) {
    if let Some(slot) = codes.get_mut(row) {
        *slot = code;
    }
}
