//! What is told of rows and of clusters. Sums over rows are of blocks, each in order, and then
//! of the blocks' sums in order: the same with any number of threads. The last digits of those that
//! look at pairs of rows are the processor's.

mod agreement;
mod chance;
mod correlation;
mod dispersion;
mod neighbourhoods;
mod pairs;
mod ranks;
mod silhouette;

pub use agreement::{Agreement, agreement};
pub use chance::chance_information;
pub use correlation::{Correlation, correlation};
pub use dispersion::{Dispersion, dispersion};
pub use neighbourhoods::{Neighbourhoods, Trustworthiness, neighbourhoods, trustworthiness};
pub use silhouette::{Silhouette, Silhouettes, silhouette, silhouettes};

use crate::Error;
use crate::kernel::{self, Level, Ranges};
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;

/// How far values spread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    /// The largest value, whichever its sign.
    pub largest: f32,
    /// The mean over dimensions of their variances, those of a population.
    pub mean_variance: f64,
    /// The mean of each dimension, rounded to 32 bits.
    pub centre: Vec<f32>,
    /// The farthest that a value is from the centre of its dimension.
    pub reach: f64,
}

pub(crate) fn spread(
    rows: &dyn RowSource,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Spread, Error> {
    let origin = rows.row(0)?;
    let ranges = ranges(rows, &origin, threads, watch)?;
    let ends = ranges.least.iter().chain(&ranges.most);
    let largest = ends.fold(0.0, |largest: f32, end| largest.max(end.abs()));
    let (n, d) = (rows.rows() as f64, rows.dimensions() as f64);
    let variances = ranges.sums.iter().zip(&ranges.squares);
    let variances = variances.map(|(sum, square)| (square / n - (sum / n).powi(2)).max(0.0));
    let mean_variance = variances.sum::<f64>() / d;
    let means = origin.iter().zip(&ranges.sums).map(|(from, sum)| f64::from(*from) + sum / n);
    let centre: Vec<f32> = means.map(|mean| mean as f32).collect();
    let off = |(end, centre): (&f32, &f32)| (f64::from(*end) - f64::from(*centre)).abs();
    let (least, most) = (ranges.least.iter(), ranges.most.iter());
    let reach = least.zip(&centre).chain(most.zip(&centre)).map(off).fold(0.0, f64::max);
    Ok(Spread { largest, mean_variance, centre, reach })
}

/// How far each column reaches, and its sums about an origin.
pub(crate) fn ranges(
    rows: &dyn RowSource,
    origin: &[f32],
    threads: usize,
    watch: &dyn Watch,
) -> Result<Ranges, Error> {
    let level = Level::detect();
    let mut parts = vec![None; rows.n_blocks()];
    for_each(&mut parts, &mut vec![(); threads], watch, |(), index, part| {
        let block = rows.block(index)?;
        let wanted = rows.block_rows(index).len() * origin.len();
        if block.len() != wanted {
            let has = block.len();
            return Err(Error::Source(format!(
                "block {index} has {has} values rather than {wanted}"
            )));
        }
        let found = Ranges::of(level, &block, origin);
        *part = Some(found.map_err(|at| Error::NotFinite { row: index * BLOCK_ROWS + at })?);
        Ok(())
    })?;
    let mut parts = parts.into_iter().flatten();
    let mut all = parts.next().ok_or(Error::NoRows)?;
    parts.for_each(|part| all.merge(&part));
    Ok(all)
}

/// The squared norm of each row.
pub(crate) fn squared_norms(
    rows: &dyn RowSource,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let d = rows.dimensions();
    let (level, zero) = (Level::detect(), vec![0.0; d]);
    let mut norms = vec![0.0; rows.rows()];
    let mut items: Vec<&mut [f32]> = norms.chunks_mut(BLOCK_ROWS).collect();
    for_each(&mut items, &mut vec![Vec::new(); threads], watch, |found, index, norms| {
        kernel::squared_distances(level, &rows.block(index)?, &zero, d, found);
        norms.iter_mut().zip(found).for_each(|(norm, found)| *norm = *found);
        Ok(())
    })?;
    Ok(norms)
}

/// Between two points, in 64 bits: eight sums, since one would have each term wait for the last.
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    const SUMS: usize = 8;
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<SUMS>(), b.as_chunks::<SUMS>());
    let square = |a: &f32, b: &f32| (f64::from(*a) - f64::from(*b)).powi(2);
    let mut sums = [0.0; SUMS];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += square(a, b);
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| square(a, b)).sum();
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}

/// The squared distance of each row to its centroid, in 64 bits.
pub(crate) fn squared_distances(
    rows: &dyn RowSource,
    centroids: &[f32],
    labels: &[u32],
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f64>, Error> {
    let d = rows.dimensions();
    let mut distances = vec![0.0; labels.len()];
    let mut blocks: Vec<(&mut [f64], &[u32])> =
        distances.chunks_mut(BLOCK_ROWS).zip(labels.chunks(BLOCK_ROWS)).collect();
    for_each(&mut blocks, &mut vec![(); threads], watch, |(), index, (distances, labels)| {
        let block = rows.block(index)?;
        let rows = block.chunks_exact(d).zip(labels.iter()).zip(distances.iter_mut());
        for ((row, label), distance) in rows {
            let from = *label as usize * d;
            let centroid = centroids.get(from..from + d).unwrap_or_default();
            *distance = squared_distance(row, centroid);
        }
        Ok(())
    })?;
    Ok(distances)
}

/// The distance of each row to its centroid, of k × d.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn distances(
    rows: &dyn RowSource,
    centroids: &[f32],
    labels: &[u32],
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let squares = squared_distances(rows, centroids, labels, threads, watch)?;
    Ok(squares.iter().map(|square| square.sqrt() as f32).collect())
}

/// The sum of the squared distances of all rows to their centroids.
pub(crate) fn inertia(
    rows: &dyn RowSource,
    centroids: &[f32],
    labels: &[u32],
    threads: usize,
    watch: &dyn Watch,
) -> Result<f64, Error> {
    let distances = squared_distances(rows, centroids, labels, threads, watch)?;
    Ok(distances.chunks(BLOCK_ROWS).map(|block| block.iter().sum::<f64>()).sum())
}
