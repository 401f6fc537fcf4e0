//! Distances of pairs of rows, which several measures are made of.

use crate::kernel::{self, Level, Panels};

/// Numbers that distances are worked out of, which take about a quarter of a second of two cores.
pub(super) const WORK: f64 = 6e9;
/// Rows that are looked at together.
pub(super) const GROUP: usize = 24;

/// Many rows, to which distances are asked for.
pub(super) struct Crowd {
    panels: Panels,
    rows: usize,
}

impl Crowd {
    pub(super) fn new(rows: &[f32], d: usize) -> Self {
        Self { panels: Panels::new(rows, d), rows: rows.len() / d }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The squared distances to all of them, row by row of those that ask.
    pub(super) fn distances<'a>(
        &self,
        asked: &[f32],
        out: &'a mut Vec<f32>,
    ) -> impl Iterator<Item = &'a [f32]> {
        kernel::squared_distances_about(Level::detect(), asked, &self.panels, out);
        let rows = self.rows;
        out.chunks_exact(self.panels.width()).map(move |line| &line[..rows])
    }
}

/// Rows that tests share: no two as far apart as two others.
#[cfg(test)]
pub(super) fn scattered(n: usize, d: usize) -> Vec<f32> {
    let value =
        |at: usize| ((at * at * 7 + at * 13) % 101) as f32 + (at * at * 37 % 4093) as f32 / 4096.0;
    (0..n * d).map(value).collect()
}

/// What a bad projection may make of them: two numbers a row.
#[cfg(test)]
pub(super) fn distorted(rows: &[f32], d: usize) -> Vec<f32> {
    let other =
        |at: usize| ((at * at * 3 + at * 29) % 97) as f32 + (at * at * 53 % 4093) as f32 / 4096.0;
    let rows = rows.chunks_exact(d).enumerate();
    rows.flat_map(|(nth, row)| [row[0] + other(2 * nth) / 4.0, row[1] - other(2 * nth + 1) / 2.0])
        .collect()
}
