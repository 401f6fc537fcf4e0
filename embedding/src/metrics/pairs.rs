//! Distances of pairs of rows, which several measures are made of.

use crate::kernel::{self, Level};

/// Numbers that distances are worked out of, which take about a second.
pub(super) const WORK: f64 = 2e10;
/// Rows that are looked at together; and of those that they are held against, which stay in a
/// cache.
pub(super) const GROUP: usize = 16;
const TILE_FLOATS: usize = 1 << 16;

/// The squared distances of a few rows to many: `out[asked * all + row]`.
pub(super) fn distances_to_all(asked: &[f32], all: &[f32], d: usize, out: &mut Vec<f32>) {
    let (level, n) = (Level::detect(), all.len() / d);
    out.clear();
    out.resize(asked.len() / d * n, 0.0);
    let tile_rows = (TILE_FLOATS / d).max(1);
    let mut found = Vec::new();
    for (tile, rows) in all.chunks(tile_rows * d).enumerate() {
        kernel::squared_distances_about(level, rows, asked, d, &mut found);
        let width = rows.len() / d;
        for (point, found) in found.chunks_exact(width).enumerate() {
            let from = point * n + tile * tile_rows;
            if let Some(slots) = out.get_mut(from..from + width) {
                slots.copy_from_slice(found);
            }
        }
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
