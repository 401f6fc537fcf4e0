//! What is told of rows and of clusters. Sums over rows are of blocks, each in order, and then
//! of the blocks' sums in order: the same with any number of threads.

mod agreement;
mod quality;

pub use agreement::{Agreement, agreement};
pub use quality::{Silhouette, Trustworthiness, silhouette, trustworthiness};

use crate::Error;
use crate::kernel::{self, Level};
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;

/// How far values spread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    /// The squared norm of each row.
    pub squares: Vec<f32>,
    /// The largest value, whichever its sign.
    pub largest: f32,
    /// The mean over dimensions of their variances, those of a population.
    pub mean_variance: f64,
}

pub(crate) fn spread(
    rows: &dyn RowSource,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Spread, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    #[derive(Clone)]
    struct Part {
        largest: f32,
        // About a row of its own, so that an offset of all values does no harm.
        sums: Vec<f64>,
        squares: Vec<f64>,
    }
    let origin = rows.row(0)?;
    let (level, zero) = (Level::detect(), vec![0.0; d]);
    let mut parts = vec![None; rows.n_blocks()];
    let mut norms = vec![0.0; n];
    let mut items: Vec<(&mut Option<Part>, &mut [f32])> =
        parts.iter_mut().zip(norms.chunks_mut(BLOCK_ROWS)).collect();
    for_each(&mut items, &mut vec![Vec::new(); threads], watch, |found, index, (part, norms)| {
        let block = rows.block(index)?;
        kernel::squared_distances(level, &block, &zero, d, found);
        if found.len() != norms.len() {
            let (has, wanted) = (found.len(), norms.len());
            return Err(Error::Source(format!(
                "block {index} has {has} rows rather than {wanted}"
            )));
        }
        norms.copy_from_slice(found);
        let mut sums = vec![0.0; d];
        let mut squares = vec![0.0; d];
        let mut largest = 0_f32;
        for (at, row) in block.chunks_exact(d).enumerate() {
            if row.iter().any(|value| !value.is_finite()) {
                return Err(Error::NotFinite { row: index * BLOCK_ROWS + at });
            }
            let slots = sums.iter_mut().zip(&mut squares);
            for ((value, origin), (sum, square)) in row.iter().zip(&origin).zip(slots) {
                largest = largest.max(value.abs());
                let value = f64::from(*value) - f64::from(*origin);
                *sum += value;
                *square += value * value;
            }
        }
        **part = Some(Part { largest, sums, squares });
        Ok(())
    })?;
    let mut all = Part { largest: 0.0, sums: vec![0.0; d], squares: vec![0.0; d] };
    for part in parts.into_iter().flatten() {
        all.largest = all.largest.max(part.largest);
        all.sums.iter_mut().zip(&part.sums).for_each(|(sum, part)| *sum += part);
        all.squares.iter_mut().zip(&part.squares).for_each(|(sum, part)| *sum += part);
    }
    let n = n as f64;
    let variances = all.sums.iter().zip(&all.squares);
    let variances = variances.map(|(sum, square)| (square / n - (sum / n).powi(2)).max(0.0));
    let mean_variance = variances.sum::<f64>() / d as f64;
    Ok(Spread { squares: norms, largest: all.largest, mean_variance })
}

/// Between two points, in 64 bits.
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
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
