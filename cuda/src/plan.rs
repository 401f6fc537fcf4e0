//! What lies where: how much of the rows is kept in the device's memory.

use crate::error::CudaError;
use crate::tile::{COLUMNS, DEPTH, ROWS, padded};

/// Of free memory, so much is taken at most: others may want some too.
pub(crate) const SHARE_PERCENT: u64 = 85;
/// Bytes of 32-bit rows that are on their way at a time.
pub const STAGING: u64 = 64 << 20;
/// Rows that are sent at a time at least: fewer would leave the device waiting.
const CHUNK_ROWS_MIN: usize = 1 << 14;

/// Rows, dimensions and clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    pub n: usize,
    pub d: usize,
    pub k: usize,
}

/// Where rows are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Halves on the device.
    Resident,
    /// Halves beside it, sent in turns of so many rows to two places on the device.
    Sent { rows: usize },
}

impl Shape {
    /// Dimensions of a row of halves.
    pub fn depth(self) -> usize {
        padded(self.d, DEPTH)
    }

    /// Centroids of the kernel.
    pub fn columns(self) -> usize {
        padded(self.k, COLUMNS)
    }

    /// Bytes of so many rows of halves.
    fn halves(self, rows: usize) -> u64 {
        (padded(rows, ROWS) * self.depth() * 2) as u64
    }

    /// Bytes that are needed wherever rows are: of each row two terms and a label; centroids and
    /// their terms; and rows of 32 bits that are on their way.
    fn always(self) -> u64 {
        let rows = padded(self.n, ROWS) * 12;
        let centroids = self.columns() * (self.depth() * 2 + 16) + self.d * 4;
        let staging = STAGING.min((padded(self.n, ROWS) * self.d * 4) as u64);
        (rows + centroids) as u64 + staging
    }

    /// Where rows go when so many bytes are free.
    ///
    /// # Errors
    /// Where not even the shortest turns fit.
    pub fn plan(self, free: u64) -> Result<Place, CudaError> {
        let usable = free / 100 * SHARE_PERCENT;
        let left = usable.saturating_sub(self.always());
        // The kernel counts rows in 32 bits.
        if left >= self.halves(self.n) && u32::try_from(self.n).is_ok() {
            return Ok(Place::Resident);
        }
        let least = CHUNK_ROWS_MIN.min(padded(self.n, ROWS));
        // What does not fit whole is sent in turns of at most a gibibyte: longer ones save no time.
        let rows = (left.min(2 << 30) / 2 / self.halves(1)) as usize * ROWS;
        if rows < least {
            let needed = (self.always() + 2 * self.halves(least)).div_ceil(SHARE_PERCENT) * 100;
            return Err(CudaError::NoRoom { needed, free });
        }
        Ok(Place::Sent { rows })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn rows_are_kept_as_near_as_there_is_room() {
        let large = Shape { n: 10_000_000, d: 768, k: 1000 };
        assert_eq!(large.plan(139 * GIB), Ok(Place::Resident));
        assert_eq!(large.plan(40 * GIB), Ok(Place::Resident));
        let Ok(Place::Sent { rows }) = large.plan(8 * GIB) else { panic!("is sent") };
        assert!(rows.is_multiple_of(ROWS) && rows >= CHUNK_ROWS_MIN, "{rows}");
        assert!(2 * large.halves(rows) + large.always() <= 8 * GIB);
        let found = large.plan(GIB / 8).unwrap_err();
        let CudaError::NoRoom { needed, free } = found else { panic!("{found}") };
        assert_eq!(free, GIB / 8);
        assert!(large.plan(needed).is_ok(), "what is said to be needed is enough");
        let text = found.to_string();
        assert!(text.contains(&needed.to_string()) && text.contains(&free.to_string()), "{text}");
    }

    #[test]
    fn few_rows_need_no_more_than_they_are() {
        let small = Shape { n: 100, d: 3, k: 4 };
        assert_eq!(small.plan(GIB), Ok(Place::Resident));
        assert_eq!((small.depth(), small.columns()), (32, 128));
        let needed = small.always() + small.halves(100);
        assert_eq!(small.plan(needed * 2), Ok(Place::Resident));
        assert!(small.plan(needed / 4).is_err());
    }
}
