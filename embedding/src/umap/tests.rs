//! Layouts: that neighbours stay neighbours, odd rows, and that nothing but the seed decides.
#![allow(clippy::unwrap_used)]

use super::beginning::Along;
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
    let Layout { points, neighbour_recall, begun } = fit(&rows, &options(2), &Unwatched).unwrap();
    assert_eq!(neighbour_recall, 1.0, "so few are looked at by all pairs");
    assert_eq!(begun, Begun::Pca(Why::Asked));
    let labels: Vec<u32> = (0..n as u32).map(|row| row % k as u32).collect();
    let drawn = Matrix::new(&points, 2).unwrap();
    let apart = metrics::silhouette(&drawn, &labels, 1, 1, &Unwatched).unwrap().unwrap();
    assert!(apart.mean > 0.7, "{apart:?}");
    let trust = metrics::trustworthiness(&rows, &points, 15, 1, 1, &Unwatched).unwrap().unwrap();
    assert!(trust.value > 0.9, "{trust:?}");
}

#[test]
fn eigenvectors_begin_a_layout_as_well() {
    let (n, d) = (900, 12);
    let values = clouds(n, d, 3);
    let rows = Matrix::new(&values, d).unwrap();
    let with = |init: Init, threads| {
        fit(&rows, &Options { init, ..options(threads) }, &Unwatched).unwrap()
    };
    let found = with(Init::Spectral, 2);
    assert_eq!(found.begun, Begun::Spectral { parts: 3 });
    let trust = |points: &[f32]| {
        metrics::trustworthiness(&rows, points, 15, 1, 1, &Unwatched).unwrap().unwrap().value
    };
    let by_components = with(Init::Pca, 2);
    let [one, other] = [&found, &by_components].map(|layout| trust(&layout.points));
    assert!(one > other - 0.005, "{one} {other}");
    assert_eq!(found, with(Init::Spectral, 1));
}

#[test]
fn from_where_it_ended_a_layout_does_not_go_far() {
    let values = clouds(900, 12, 8);
    let rows = Matrix::new(&values, 12).unwrap();
    let with = |init| fit(&rows, &Options { init, ..options(1) }, &Unwatched).unwrap();
    let first = with(Init::Pca).points;
    let again = with(Init::Given(first.clone()));
    assert_eq!(again.begun, Begun::Given);
    let trust = |points: &[f32]| {
        metrics::trustworthiness(&rows, points, 15, 1, 1, &Unwatched).unwrap().unwrap().value
    };
    assert!(trust(&again.points) > trust(&first) - 0.01);
    // Clouds turn about each other while steps are long, few as they are.
    let far = Matrix::new(&first, 2).unwrap();
    let apart = metrics::correlation(&far, &again.points, 1, 1, &Unwatched).unwrap().unwrap();
    assert!(apart.value > 0.7, "{apart:?}");
}

#[test]
fn a_ring_begins_as_a_ring() {
    let n = 1500;
    let angle = |row: usize| row as f64 / n as f64 * std::f64::consts::TAU;
    // Wound about itself, so that principal components have it cross itself.
    let of = |row: usize| {
        let a = angle(row);
        [a.cos(), a.sin(), (5.0 * a).cos() * 3.0, (5.0 * a).sin() * 3.0].map(|x| x as f32)
    };
    let values: Vec<f32> = (0..n).flat_map(of).collect();
    let rows = Matrix::new(&values, 4).unwrap();
    let begin = |init: Init| {
        let pca = crate::pca::fit(&rows, 2, None, &Unwatched).unwrap();
        let along = Along::new(&rows, &pca, &Options::new(2, 1), &Unwatched).unwrap();
        let neighbours = knn::exact(&rows, 14, Some(1), &Unwatched).unwrap();
        let graph = graph::Graph::new(&neighbours, 500);
        let options = Options { init, ..options(1) };
        beginning::points(&graph, &along, &options, 1, &Unwatched).unwrap()
    };
    let (points, begun) = begin(Init::Spectral);
    assert_eq!(begun, Begun::Spectral { parts: 1 });
    // All are about as far from the middle, in their order.
    for (row, point) in points.chunks(2).enumerate() {
        let [x, y] = [point[0] - 5.0, point[1] - 5.0];
        assert!(((x * x + y * y).sqrt() - 5.0).abs() < 0.3, "{row}: {point:?}");
        let next = &points[(row + 1) % n * 2..][..2];
        assert!((point[0] - next[0]).abs() + (point[1] - next[1]).abs() < 0.1, "{row}");
    }
    assert_eq!(begin(Init::Pca).1, Begun::Pca(Why::Asked));
}

#[test]
fn what_has_no_eigenvectors_begins_by_components() {
    let begun = |values: &[f32], d: usize| {
        let options = Options { init: Init::Spectral, epochs: Some(20), ..options(1) };
        let found = fit(&Matrix::new(values, d).unwrap(), &options, &Unwatched).unwrap();
        assert!(found.points.iter().all(|x| x.is_finite()));
        found.begun
    };
    assert_eq!(begun(&[1.0, 2.0, 4.0], 1), Begun::Pca(Why::Few));
    // More parts than there are ends of axes, some of rows that are one and too few for more.
    let many: Vec<f32> = (0..400).map(|row| (row / 20 * 100 + row % 20 / 10) as f32).collect();
    assert_eq!(begun(&many, 1), Begun::Spectral { parts: 20 });
    let ones: Vec<f32> = (0..200).map(|row| (row / 4) as f32).collect();
    let options = |init| Options { init, neighbours: 4, epochs: Some(20), ..options(1) };
    let rows = Matrix::new(&ones, 1).unwrap();
    let found = fit(&rows, &options(Init::Spectral), &Unwatched).unwrap();
    assert_eq!(found.begun, Begun::Spectral { parts: 50 });
    for given in [vec![0.0; 399], vec![f32::NAN; 400]] {
        let n = given.len();
        let found = fit(&rows, &options(Init::Given(given)), &Unwatched);
        let bad = Error::BadBeginning { given: n, rows: 200, dimensions: 2 };
        assert_eq!(found.unwrap_err(), bad);
    }
    let one = fit(&rows, &options(Init::Given(vec![1.0; 400])), &Unwatched).unwrap();
    assert!(one.begun == Begun::Given && one.points.iter().all(|x| x.is_finite()));
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
