//! How clusters lie beside each other, by their means alone: quick, where a silhouette looks at
//! pairs of rows.

use super::{spread, squared_distance, squared_distances};
use crate::Error;
use crate::rows::RowSource;
use crate::watch::Watch;

/// How far apart clusters are, for how wide they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    /// The variance between clusters over that within them, each by its degrees of freedom:
    /// more is better (Caliński, Harabasz 1974). None where there is one cluster, or one to
    /// each row.
    pub calinski_harabasz: Option<f64>,
    /// The mean over clusters of how much they and the one that is most like them overlap: less
    /// is better (Davies, Bouldin 1979). None where there is one cluster.
    pub davies_bouldin: Option<f64>,
}

/// Of rows and the means of their clusters, k × d. Clusters without rows are none.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn dispersion(
    rows: &dyn RowSource,
    means: &[f32],
    labels: &[u32],
    threads: usize,
    watch: &dyn Watch,
) -> Result<Dispersion, Error> {
    let (n, d) = (rows.rows() as f64, rows.dimensions());
    let squares = squared_distances(rows, means, labels, threads, watch)?;
    let k = means.len() / d;
    let mut clusters = vec![(0_u64, 0.0_f64); k];
    for (label, square) in labels.iter().zip(&squares) {
        if let Some((size, width)) = clusters.get_mut(*label as usize) {
            *size += 1;
            *width += square.sqrt();
        }
    }
    let within: f64 = squares.iter().sum();
    let total = spread(rows, threads, watch)?.mean_variance * d as f64 * n;
    let present: Vec<(f64, &[f32])> = clusters
        .iter()
        .zip(means.chunks_exact(d))
        .filter(|((size, _), _)| *size > 0)
        .map(|((size, width), mean)| (width / *size as f64, mean))
        .collect();
    let parts = present.len() as f64;
    if present.len() < 2 {
        return Ok(Dispersion { calinski_harabasz: None, davies_bouldin: None });
    }
    let between = (total - within).max(0.0) / (parts - 1.0);
    let calinski_harabasz = (n > parts && within > 0.0).then(|| between / (within / (n - parts)));
    let overlap = |(at, (width, mean)): (usize, &(f64, &[f32]))| {
        let others = present.iter().enumerate().filter(|(other, _)| *other != at);
        others
            .map(|(_, (other, beside))| {
                let apart = squared_distance(mean, beside).sqrt();
                if apart > 0.0 { (width + other) / apart } else { 0.0 }
            })
            .fold(0.0, f64::max)
    };
    let davies_bouldin = present.iter().enumerate().map(overlap).sum::<f64>() / parts;
    Ok(Dispersion { calinski_harabasz, davies_bouldin: Some(davies_bouldin) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    #[test]
    fn two_pairs_are_as_by_hand() {
        let values = [0.0, 2.0, 10.0, 14.0];
        let rows = Matrix::new(&values, 1).unwrap();
        let found = dispersion(&rows, &[1.0, 12.0], &[0, 0, 1, 1], 2, &Unwatched).unwrap();
        // Within 1 + 1 + 4 + 4, between 2 · 5.5² · 2 = 121, and (1 + 2) / 11.
        assert!((found.calinski_harabasz.unwrap() - 121.0 / 5.0).abs() < 1e-9, "{found:?}");
        assert!((found.davies_bouldin.unwrap() - 3.0 / 11.0).abs() < 1e-9);
        // A cluster without rows is none.
        let empty = dispersion(&rows, &[1.0, 12.0, 50.0], &[0, 0, 1, 1], 1, &Unwatched).unwrap();
        assert_eq!(empty, found);
        let one = dispersion(&rows, &[6.5], &[0; 4], 1, &Unwatched).unwrap();
        assert_eq!((one.calinski_harabasz, one.davies_bouldin), (None, None));
        let each = dispersion(&rows, &values, &[0, 1, 2, 3], 1, &Unwatched).unwrap();
        assert_eq!((each.calinski_harabasz, each.davies_bouldin), (None, Some(0.0)));
    }
}
