//! A picture of counts per bin in two dimensions: what a scatter is where the companion
//! counted the rows because there are too many for the browser.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Size;
use crate::protocol::Viewport;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Immutable: a new answer is a new density.
#[derive(Debug)]
pub struct Density {
    id: u64,
    columns: usize,
    rows: usize,
    extent: Viewport,
    counts: Vec<u32>,
}

impl Density {
    /// `counts` row by row, the lowest y first, each row from the lowest x; `columns` of
    /// them a row. Missing ones are zero. Counts beyond 32 bits are all halved until they
    /// fit, which the logarithmic tone hardly shows; none becomes zero.
    pub fn new(counts: &[u64], columns: usize, extent: Viewport) -> Self {
        let columns = columns.max(1);
        let rows = counts.len().div_ceil(columns);
        let most = counts.iter().copied().max().unwrap_or(0);
        let halvings = u64::BITS.saturating_sub(most.leading_zeros()).saturating_sub(u32::BITS);
        let narrow = |count: u64| (count >> halvings).max(u64::from(count > 0)) as u32;
        let mut narrowed: Vec<u32> = counts.iter().copied().map(narrow).collect();
        narrowed.resize(rows * columns, 0);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self { id, columns, rows, extent, counts: narrowed }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn extent(&self) -> Viewport {
        self.extent
    }

    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The bin's column under each column of pixels and its row under each row of them,
    /// -1 where there is none.
    pub fn bins_under(&self, viewport: Viewport, size: Size) -> (Vec<i32>, Vec<i32>) {
        let Viewport { x: [left, right], y: [bottom, top] } = viewport;
        (
            bins_along([left, right], self.extent.x, self.columns, size.width),
            bins_along([top, bottom], self.extent.y, self.rows, size.height),
        )
    }
}

fn bins_along([start, end]: [f64; 2], [low, high]: [f64; 2], bins: usize, pixels: u32) -> Vec<i32> {
    let length = high - low;
    let bin_at = |pixel: u32| {
        let value = start + (f64::from(pixel) + 0.5) / f64::from(pixels) * (end - start);
        let bin = ((value - low) / length * bins as f64).floor();
        // NaN is in no bin; the comparison says so.
        if bin >= 0.0 && bin < bins as f64 { bin as i32 } else { -1 }
    };
    (0..pixels).map(bin_at).collect()
}
