//! How well rows lie in their clusters: by the distances of pairs of rows, on a sample where all
//! would take too long. What was sampled is told with the value.

use super::pairs::{Crowd, GROUP, WORK};
use crate::Error;
use crate::rows::RowSource;
use crate::sample::{self, Sample};
use crate::threads::for_each;
use crate::watch::Watch;

/// What is done with a distance beside working it out, in numbers: added to a sum.
const SUMMED: usize = 100;
const SAMPLE_MIN: usize = 500;
const SAMPLE_MAX: usize = 10_000;
const STREAM: u64 = 0x51;

/// The mean over rows of (b − a) / max(a, b), a being the mean distance to the others of the
/// row's cluster and b that to the nearest other cluster (Rousseeuw 1987).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silhouette {
    pub mean: f64,
    /// Rows that were drawn.
    pub rows: usize,
}

/// The same, and of each cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Silhouettes {
    pub all: Silhouette,
    /// By label: the mean over its rows. None of a label that no row that was drawn has.
    pub clusters: Vec<Option<Silhouette>>,
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
    Ok(silhouettes(rows, labels, seed, threads, watch)?.map(|found| found.all))
}

/// None where there are not at least two clusters among the rows drawn.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn silhouettes(
    rows: &dyn RowSource,
    labels: &[u32],
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Silhouettes>, Error> {
    let d = rows.dimensions();
    let many = ((WORK / (d + SUMMED) as f64).sqrt() as usize).clamp(SAMPLE_MIN, SAMPLE_MAX);
    let Sample { numbers: drawn, values } = sample::draw(rows, many, seed, STREAM)?;
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
    let crowd = Crowd::new(&values, d);
    let mut own = vec![0.0; drawn.len()];
    let mut groups: Vec<&mut [f64]> = own.chunks_mut(GROUP).collect();
    let mut workers = vec![(Vec::new(), Vec::new()); threads.max(1)];
    for_each(&mut groups, &mut workers, watch, |(distances, to), group, own| {
        let asked = values.chunks(GROUP * d).nth(group).unwrap_or_default();
        let of = labels.chunks(GROUP).nth(group).unwrap_or_default();
        let each = crowd.distances(asked, distances).zip(of).zip(own.iter_mut());
        for ((distances, label), own) in each {
            *own = row_silhouette(distances, &labels, *label, &sizes, to);
        }
        Ok(())
    })?;
    let sum: f64 = own.chunks(GROUP).map(|group| group.iter().sum::<f64>()).sum();
    let all = Silhouette { mean: sum / labels.len() as f64, rows: labels.len() };
    let mut sums = vec![0.0; k];
    for (own, label) in own.iter().zip(&labels) {
        sums[*label] += own;
    }
    let mean = |(sum, rows): (f64, usize)| {
        (rows > 0).then(|| Silhouette { mean: sum / rows as f64, rows })
    };
    Ok(Some(Silhouettes { all, clusters: sums.into_iter().zip(sizes).map(mean).collect() }))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
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

    /// Means of scikit-learn 1.9.1's silhouette_samples.
    #[test]
    fn clusters_have_silhouettes_of_their_own() {
        let values = super::super::pairs::scattered(60, 4);
        let rows = Matrix::new(&values, 4).unwrap();
        // No row has the label 1.
        let labels: Vec<u32> = (0..60).map(|row| [0, 2, 3][row * 5 % 3]).collect();
        let found = silhouettes(&rows, &labels, 1, 2, &Unwatched).unwrap().unwrap();
        let wanted = [
            Some(0.008_348_965_785_947_588),
            None,
            Some(-0.022_481_358_335_416_948),
            Some(-0.042_869_986_512_851_48),
        ];
        for (found, wanted) in found.clusters.iter().zip(wanted) {
            match (found, wanted) {
                (Some(found), Some(wanted)) => {
                    assert!((found.mean - wanted).abs() < 1e-6, "{found:?} {wanted}");
                    assert_eq!(found.rows, 20);
                }
                (None, None) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(found.clusters.len(), 4);
        let mean = found.clusters.iter().flatten().map(|found| found.mean / 3.0).sum::<f64>();
        assert!((found.all.mean - mean).abs() < 1e-12);
    }
}
