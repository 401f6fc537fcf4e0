//! How good a clustering or a projection is, on a sample where all rows would take too long.
//! What was sampled is told with the value.

use crate::Error;
use crate::kernel::{self, Level};
use crate::rows::RowSource;
use crate::sample::{self, Sample};
use crate::threads::for_each;
use crate::watch::Watch;

/// Numbers that distances are worked out of, which take about a second.
const WORK: f64 = 2e10;
/// What else is done with a distance, in numbers: added to a sum, or compared with those to
/// some neighbours.
const SUMMED: usize = 100;
const RANKED: usize = 400;
const SAMPLE_MIN: usize = 500;
const SILHOUETTE_MAX: usize = 10_000;
/// Rows among which neighbours are looked for.
const CROWD_MAX: usize = 50_000;
/// Rows of which the neighbours are looked at together; and of the crowd, which stay in a cache.
const GROUP: usize = 16;
const TILE_FLOATS: usize = 1 << 16;

const SILHOUETTE_STREAM: u64 = 0x51;
const CROWD_STREAM: u64 = 0x52;
const ASKED_STREAM: u64 = 0x53;

/// The mean over rows of (b − a) / max(a, b), a being the mean distance to the others of the
/// row's cluster and b that to the nearest other cluster (Rousseeuw 1987).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silhouette {
    pub mean: f64,
    /// Rows that were drawn.
    pub rows: usize,
}

/// None where there are not at least two clusters among the rows drawn.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn silhouette(
    rows: &dyn RowSource,
    labels: &[u32],
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Silhouette>, Error> {
    let d = rows.dimensions();
    let many = ((WORK / (d + SUMMED) as f64).sqrt() as usize).clamp(SAMPLE_MIN, SILHOUETTE_MAX);
    let Sample { numbers: drawn, values } = sample::draw(rows, many, seed, SILHOUETTE_STREAM)?;
    let labels: Vec<usize> =
        drawn.iter().filter_map(|row| labels.get(*row)).map(|label| *label as usize).collect();
    let k = labels.iter().max().map_or(0, |most| most + 1);
    let mut sizes = vec![0_usize; k];
    for label in &labels {
        if let Some(size) = sizes.get_mut(*label) {
            *size += 1;
        }
    }
    if sizes.iter().filter(|size| **size > 0).count() < 2 || labels.len() != drawn.len() {
        return Ok(None);
    }
    let mut sums = vec![0.0; drawn.len().div_ceil(GROUP)];
    let mut workers = vec![(Vec::new(), Vec::new()); threads.max(1)];
    for_each(&mut sums, &mut workers, watch, |(distances, to), group, sum| {
        let asked = values.chunks(GROUP * d).nth(group).unwrap_or_default();
        distances_to_all(asked, &values, d, distances);
        let of = labels.chunks(GROUP).nth(group).unwrap_or_default();
        let each = distances.chunks_exact(labels.len()).zip(of);
        *sum =
            each.map(|(distances, own)| row_silhouette(distances, &labels, *own, &sizes, to)).sum();
        Ok(())
    })?;
    let mean = sums.iter().sum::<f64>() / labels.len() as f64;
    Ok(Some(Silhouette { mean, rows: labels.len() }))
}

/// `to` is room for the sums of distances to each cluster.
fn row_silhouette(
    distances: &[f32],
    labels: &[usize],
    own: usize,
    sizes: &[usize],
    to: &mut Vec<f64>,
) -> f64 {
    to.clear();
    to.resize(sizes.len(), 0.0);
    for (distance, label) in distances.iter().zip(labels) {
        if let Some(sum) = to.get_mut(*label) {
            *sum += f64::from(*distance).sqrt();
        }
    }
    let within = sizes.get(own).map_or(0, |size| size - 1);
    if within == 0 {
        return 0.0;
    }
    let a = to.get(own).copied().unwrap_or_default() / within as f64;
    let others = to.iter().zip(sizes).enumerate();
    let others = others.filter(|(label, (_, size))| *label != own && **size > 0);
    let b = others.map(|(_, (sum, size))| sum / *size as f64).fold(f64::INFINITY, f64::min);
    let most = a.max(b);
    if most > 0.0 { (b - a) / most } else { 0.0 }
}

/// Whether neighbours in a projection were neighbours before: 1 if all were, about 0.5 by
/// chance (Venna and Kaski 2001).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trustworthiness {
    pub value: f64,
    pub neighbours: usize,
    /// Rows whose neighbours were looked at.
    pub rows: usize,
    /// Rows among which they were looked for.
    pub among: usize,
}

/// `projected` has as many rows, of any number of dimensions. None where there are too few rows
/// for so many neighbours.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn trustworthiness(
    rows: &dyn RowSource,
    projected: &[f32],
    neighbours: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Trustworthiness>, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    let m = projected.len() / n.max(1);
    let crowd = sample::draw(rows, CROWD_MAX, seed, CROWD_STREAM)?;
    let among = crowd.numbers.len();
    let k = neighbours;
    if m == 0 || k == 0 || 2 * k >= among {
        return Ok(None);
    }
    let low: Vec<f32> = crowd
        .numbers
        .iter()
        .flat_map(|row| projected.get(row * m..(row + 1) * m).unwrap_or_default())
        .copied()
        .collect();
    let many = ((WORK / (among * (d + RANKED)) as f64) as usize).max(SAMPLE_MIN);
    let high = crate::rows::Matrix::of_finite(&crowd.values, d);
    let asked = sample::draw(&high, many, seed, ASKED_STREAM)?;
    let mut sums = vec![0_u64; asked.numbers.len().div_ceil(GROUP)];
    let mut workers = vec![(Vec::new(), Vec::new()); threads.max(1)];
    for_each(&mut sums, &mut workers, watch, |(before, after), group, sum| {
        let of = asked.numbers.chunks(GROUP).nth(group).unwrap_or_default();
        let high = asked.values.chunks(GROUP * d).nth(group).unwrap_or_default();
        let projected: Vec<f32> = of
            .iter()
            .flat_map(|row| low.get(row * m..(row + 1) * m).unwrap_or_default())
            .copied()
            .collect();
        distances_to_all(high, &crowd.values, d, before);
        distances_to_all(&projected, &low, m, after);
        let each = before.chunks_exact(among).zip(after.chunks_exact(among)).zip(of);
        *sum = each.map(|((before, after), row)| excess_ranks(before, after, *row, k)).sum();
        Ok(())
    })?;
    let excess = sums.iter().sum::<u64>() as f64;
    let (of, all, k) = (asked.numbers.len() as f64, among as f64, k as f64);
    let value = 1.0 - 2.0 / (of * k * (2.0 * all - 3.0 * k - 1.0)) * excess;
    Ok(Some(Trustworthiness { value, neighbours, rows: asked.numbers.len(), among }))
}

/// The sum, over the k nearest in the projection, of how far beyond the k nearest they were.
fn excess_ranks(before: &[f32], after: &[f32], own: usize, k: usize) -> u64 {
    let mut near: Vec<usize> = (0..after.len()).filter(|row| *row != own).collect();
    let distance = |row: &usize| after.get(*row).copied().unwrap_or(f32::INFINITY);
    let order = |a: &usize, b: &usize| distance(a).total_cmp(&distance(b)).then(a.cmp(b));
    if k < near.len() {
        near.select_nth_unstable_by(k - 1, order);
        near.truncate(k);
    }
    let rank = |row: &usize| {
        let far = before.get(*row).copied().unwrap_or_default();
        let nearer = before.iter().enumerate().filter(|(other, distance)| {
            *other != own && (**distance < far || (**distance == far && *other < *row))
        });
        nearer.count() as u64 + 1
    };
    near.iter().map(|row| rank(row).saturating_sub(k as u64)).sum()
}

/// The squared distances of a few rows to many: `out[asked * all + row]`.
fn distances_to_all(asked: &[f32], all: &[f32], d: usize, out: &mut Vec<f32>) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    #[test]
    fn a_silhouette_worked_out_by_hand() {
        // On a line: 0 and 1, then 4 and 6. The first: a = 1, b = 5; (5 − 1) / 5. The last is alone.
        let values = [0.0, 1.0, 4.0, 6.0, 20.0];
        let rows = Matrix::new(&values, 1).unwrap();
        let found = silhouette(&rows, &[0, 0, 1, 1, 2], 1, 2, &Unwatched).unwrap().unwrap();
        let wanted = (4.0 / 5.0 + 3.0 / 4.0 + (3.5 - 2.0) / 3.5 + (5.5 - 2.0) / 5.5 + 0.0) / 5.0;
        assert!((found.mean - wanted).abs() < 1e-12, "{found:?} {wanted}");
        assert_eq!(silhouette(&rows, &[0; 5], 1, 1, &Unwatched).unwrap(), None);
    }

    #[test]
    fn a_projection_that_keeps_the_order_is_trusted() {
        let values: Vec<f32> = (0..40).map(|at| (at * at) as f32).collect();
        let rows = Matrix::new(&values, 1).unwrap();
        let trust = |projected: &[f32]| {
            trustworthiness(&rows, projected, 3, 1, 2, &Unwatched).unwrap().unwrap().value
        };
        assert_eq!(trust(&values), 1.0);
        let shuffled: Vec<f32> = (0..40).map(|at| (at * 17 % 40) as f32).collect();
        assert!(trust(&shuffled) < 0.7);
    }
}
