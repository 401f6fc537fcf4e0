//! Layouts: that neighbours stay neighbours, odd rows, and that nothing but the seed decides.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::clouds::clouds;
use crate::metrics;
use crate::rows::Matrix;
use crate::watch::Unwatched;

fn options(threads: usize) -> Options {
    Options { threads: Some(threads), ..Options::new(2, 5) }
}

#[test]
fn clouds_stay_apart_and_whole() {
    let (n, d, k) = (900, 12, 3);
    let values = clouds(n, d, k);
    let rows = Matrix::new(&values, d).unwrap();
    let Layout { points, neighbour_recall } = fit(&rows, &options(2), &Unwatched).unwrap();
    assert_eq!(neighbour_recall, 1.0, "so few are looked at by all pairs");
    let labels: Vec<u32> = (0..n as u32).map(|row| row % k as u32).collect();
    let drawn = Matrix::new(&points, 2).unwrap();
    let apart = metrics::silhouette(&drawn, &labels, 1, 1, &Unwatched).unwrap().unwrap();
    assert!(apart.mean > 0.7, "{apart:?}");
    let trust = metrics::trustworthiness(&rows, &points, 15, 1, 1, &Unwatched).unwrap().unwrap();
    assert!(trust.value > 0.9, "{trust:?}");
}

#[test]
fn threads_make_no_difference_and_seeds_do() {
    let values = clouds(20_000, 4, 3);
    let rows = Matrix::new(&values, 4).unwrap();
    let few = |threads| Options { epochs: Some(12), ..options(threads) };
    let one = fit(&rows, &few(1), &Unwatched).unwrap();
    assert_eq!(one, fit(&rows, &few(3), &Unwatched).unwrap());
    let other = Options { seed: 6, ..few(3) };
    assert_ne!(one, fit(&rows, &other, &Unwatched).unwrap());
}

#[test]
fn odd_rows_have_a_layout_or_an_error() {
    let lay = |values: &[f32], d: usize, options: Options| {
        fit(&Matrix::new(values, d).unwrap(), &options, &Unwatched).map(|layout| layout.points)
    };
    for (values, d) in [
        (vec![1.0, 2.0], 2),
        (vec![1.0, 2.0, 3.0, 4.0], 2),
        (vec![5.0; 60], 3),
        (vec![1.0, 2.0, 3.0, 4.0, 9.0], 1),
        (clouds(40, 6, 2).iter().map(|x| x + 1e6).collect(), 6),
    ] {
        for m in [1, 2, 3] {
            let points = lay(&values, d, Options { dimensions: m, ..options(1) }).unwrap();
            assert_eq!(points.len(), values.len() / d * m);
            assert!(points.iter().all(|x| x.is_finite()), "{values:?} {m}");
        }
    }
    let values = clouds(40, 6, 2);
    assert!(lay(&values, 6, Options { dimensions: 9, ..options(1) }).is_err());
    assert!(lay(&values, 6, Options { neighbours: 1, ..options(1) }).is_err());
    assert!(lay(&values, 6, Options { min_distance: f64::NAN, ..options(1) }).is_err());
    assert!(lay(&[], 6, options(1)).is_err());
}

#[test]
fn neighbours_may_be_known_before() {
    let values = clouds(300, 6, 3);
    let rows = Matrix::new(&values, 6).unwrap();
    let options = Options { epochs: Some(20), ..Options::new(2, 5) };
    assert!(knn::is_exact(300, 6) && !knn::is_exact(1_000_000, 6));
    let found = |k| {
        let neighbours = knn::exact(&rows, k, None, &Unwatched).unwrap();
        knn::Found { neighbours, recall: 1.0 }
    };
    let wanted = fit(&rows, &options, &Unwatched).unwrap();
    let k = options.found_of(300);
    assert_eq!(fit_among(&rows, &options, found(k), &Unwatched).unwrap(), wanted);
    let others = fit_among(&rows, &options, found(k - 1), &Unwatched).unwrap_err();
    assert_eq!(others, Error::BadShape { given: 300 * 13, rows: 300, dimensions: 14 });
}
