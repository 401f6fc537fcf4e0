//! K-means held to Lloyd's algorithm in 64 bits, and to itself on other machines.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::random::Random;
use crate::rows::Matrix;
use crate::watch::{Phase, Unwatched};

/// Lloyd's algorithm as it is written down, with sums and distances in 64 bits and centroids
/// kept in 32: labels and centroids after so many iterations, or fewer where it rests.
fn reference(rows: &[f32], d: usize, init: &[f32], iterations: u32) -> (Vec<u32>, Vec<f32>) {
    let mut centroids = init.to_vec();
    let mut labels = vec![u32::MAX; rows.len() / d];
    for nth in 0..=iterations {
        let next: Vec<u32> = rows.chunks(d).map(|row| nearest_in_64(row, &centroids)).collect();
        let is_over = next == labels || nth == iterations;
        labels = next;
        if is_over {
            break;
        }
        for (cluster, centroid) in centroids.chunks_mut(d).enumerate() {
            let own = rows.chunks(d).zip(&labels).filter(|(_, label)| **label as usize == cluster);
            let own: Vec<&[f32]> = own.map(|(row, _)| row).collect();
            for (t, value) in centroid.iter_mut().enumerate().filter(|_| !own.is_empty()) {
                let sum: f64 = own.iter().map(|row| f64::from(row[t])).sum();
                *value = (sum / own.len() as f64) as f32;
            }
        }
    }
    (labels, centroids)
}

fn nearest_in_64(row: &[f32], centroids: &[f32]) -> u32 {
    let distance = |c: &[f32]| -> f64 {
        row.iter().zip(c).map(|(x, c)| (f64::from(*x) - f64::from(*c)).powi(2)).sum()
    };
    let mut best = (f64::INFINITY, 0);
    for (at, centroid) in centroids.chunks(row.len()).enumerate() {
        let distance = distance(centroid);
        if distance < best.0 {
            best = (distance, at as u32);
        }
    }
    best.1
}

/// Rows about some centres, some of them far apart.
fn blobs(n: usize, d: usize, centres: u64, seed: u64) -> Vec<f32> {
    let (places, noise) = (Random::new(seed, 10), Random::new(seed, 11));
    let value = |row: u64, t: u64| {
        let centre = Random::new(seed, 12).below(row, centres);
        let place = places.unit(centre * d as u64 + t) * 4.0;
        // A sum of some is near enough to a bell.
        let bell: f64 = (0..4).map(|nth| noise.unit(4 * (row * d as u64 + t) + nth) - 0.5).sum();
        (place + bell) as f32
    };
    (0..n as u64)
        .flat_map(|row| (0..d as u64).map(move |t| (row, t)))
        .map(|(r, t)| value(r, t))
        .collect()
}

fn squares_of(rows: &[f32], d: usize) -> Vec<f32> {
    rows.chunks(d).map(|row| row.iter().map(|x| x * x).sum()).collect()
}

fn options(k: usize) -> Options {
    Options { threads: Some(2), ..Options::new(k, 614) }
}

#[test]
fn labels_are_those_of_64_bits() {
    for (n, d, k) in [(3000, 2, 7), (2500, 33, 20), (4000, 64, 70), (1500, 100, 5)] {
        let values = blobs(n, d, 9, 5);
        let init = values[..k * d].to_vec();
        let rows = Matrix::new(&values, d).unwrap();
        for iterations in [1, 4, 200] {
            let given = Options {
                init: Init::Given(init.clone()),
                max_iterations: iterations,
                tolerance: 0.0,
                ..options(k)
            };
            let found = fit(&rows, &given, &Unwatched).unwrap();
            let (labels, centroids) = reference(&values, d, &init, iterations);
            let differ = labels.iter().zip(&found.labels).filter(|(a, b)| a != b).count();
            assert_eq!(differ, 0, "{n} {d} {k} {iterations}");
            // At the very end a reference in whole numbers may round to the other side.
            for (a, b) in centroids.iter().zip(&found.centroids) {
                assert!((a - b).abs() <= 1e-6 * a.abs().max(1.0), "{a} {b}");
            }
            assert!(found.rechecked < found.labels.len() as u64 * u64::from(found.iterations) / 20);
        }
    }
}

#[test]
fn threads_and_processors_make_no_difference() {
    let values = blobs(5000, 24, 12, 8);
    let rows = Matrix::new(&values, 24).unwrap();
    let one = fit(&rows, &Options { threads: Some(1), ..options(12) }, &Unwatched).unwrap();
    for threads in [2, 3, 8] {
        let more = fit(&rows, &Options { threads: Some(threads), ..options(12) }, &Unwatched);
        assert_eq!(more.unwrap(), one);
    }
    let panels = Panels::new(&one.centroids, 24);
    let squares = squares_of(&values, 24);
    for level in Level::all() {
        let mut assigner = Assigner::new(level);
        assert_eq!(
            assigner.assign(&values, &squares, &one.centroids, &panels),
            one.labels,
            "{level:?}"
        );
    }
}

proptest! {
    /// Rows and centroids that nearly tie: whole numbers and their neighbours in 32 bits.
    #[test]
    fn near_ties_are_decided_as_in_64_bits(
        values in prop::collection::vec((-3_i8..3, -2_i8..3), 12..240),
        d in 1_usize..6,
        k in 1_usize..20,
        offset in prop::sample::select(vec![0.0_f32, 1.0, 1e3, 1e6, -1e-20]),
    ) {
        let value = |(whole, nudge): &(i8, i8)| {
            let value = f32::from(*whole) + offset;
            f32::from_bits(value.to_bits().wrapping_add_signed(i32::from(*nudge)))
        };
        let values: Vec<f32> = values.iter().map(value).filter(|value| value.is_finite()).collect();
        let n = values.len() / d;
        let rows = &values[..n * d];
        let centroids: Vec<f32> = rows.iter().rev().copied().cycle().take(k * d).collect();
        let expected: Vec<u32> = rows.chunks(d).map(|row| nearest_in_64(row, &centroids)).collect();
        let panels = Panels::new(&centroids, d);
        let squares = squares_of(rows, d);
        for level in Level::all() {
            let mut assigner = Assigner::new(level);
            prop_assert_eq!(assigner.assign(rows, &squares, &centroids, &panels), &expected[..], "{:?}", level);
        }
    }
}

#[test]
fn what_16_bits_rule_out_is_not_the_nearest() {
    let (n, k) = (700, 270);
    for (d, offset, apart) in [(64, 0.0, 1.0), (97, 100.0, 0.01), (130, -5.0, 1e-6), (80, 0.0, 0.0)]
    {
        // Rows all but half-way between two centroids.
        let random = Random::new(5, 1);
        let value = |at: usize| (random.unit(at as u64) as f32 - 0.5) * 8.0 + offset;
        let centroids: Vec<f32> = (0..k * d).map(value).collect();
        let between = |row: usize| {
            let (a, b) = (&centroids[row % k * d..][..d], &centroids[row * 7 % k * d..][..d]);
            let shift = 0.5 + (row % 11) as f32 / 11.0 * apart;
            a.iter().zip(b).map(move |(a, b)| a + (b - a) * shift)
        };
        let rows: Vec<f32> = (0..n).flat_map(between).collect();
        let expected: Vec<u32> = rows.chunks(d).map(|row| nearest_in_64(row, &centroids)).collect();
        let squares = squares_of(&rows, d);
        for level in Level::all() {
            let panels = Panels::to_assign(level, &centroids, d);
            let mut assigner = Assigner::new(level);
            let found = assigner.assign(&rows, &squares, &centroids, &panels);
            assert_eq!(found, expected, "{level:?} {d}");
        }
    }
}

#[test]
fn clusters_that_are_there_are_found() {
    let values = blobs(6000, 16, 10, 3);
    let truth: Vec<u32> = (0..6000).map(|row| Random::new(3, 12).below(row, 10) as u32).collect();
    let rows = Matrix::new(&values, 16).unwrap();
    let agreements = (0..20).map(|seed| {
        let found = fit(&rows, &Options { seed, ..options(10) }, &Unwatched).unwrap();
        assert!(found.has_converged);
        assert_eq!(found.sizes.iter().sum::<u64>(), 6000);
        metrics::agreement(&truth, &found.labels).adjusted_rand
    });
    let all = agreements.collect::<Vec<_>>();
    let found = all.iter().filter(|index| **index > 0.95).count();
    // As often as scikit-learn does: about every second time.
    assert!(found >= 6, "{all:?}");
}

#[test]
fn many_clusters_begin_as_well_by_rounds_as_one_by_one() {
    let values = blobs(8000, 12, 300, 4);
    let rows = Matrix::new(&values, 12).unwrap();
    let begun = |init: Init, seed: u64, threads: usize| {
        let options =
            Options { init, seed, threads: Some(threads), max_iterations: 5, ..options(300) };
        fit(&rows, &options, &Unwatched).unwrap()
    };
    let mean =
        |init: Init| -> f64 { (0..5).map(|seed| begun(init.clone(), seed, 2).inertia / 5.0).sum() };
    let ratio = mean(Init::Parallel) / mean(Init::PlusPlus);
    assert!((0.97..1.03).contains(&ratio), "{ratio}");
    assert_eq!(begun(Init::Auto, 1, 1), begun(Init::Parallel, 1, 3));
    // Fewer rows that differ than clusters.
    let few: Vec<f32> = (0..900).map(|row| (row % 7) as f32).collect();
    let options = Options { init: Init::Parallel, ..options(300) };
    let found = fit(&Matrix::new(&few, 1).unwrap(), &options, &Unwatched).unwrap();
    assert_eq!(found.inertia, 0.0);
}

#[test]
fn odd_rows_have_clusters_too() {
    let fitted = |values: &[f32], d: usize, k: usize| {
        fit(&Matrix::new(values, d).unwrap(), &options(k), &Unwatched).unwrap()
    };
    // All rows alike: some clusters stay empty, and every row is with an equally near one.
    let alike = fitted(&[2.5; 40], 2, 3);
    assert_eq!((alike.inertia, alike.labels), (0.0, vec![0; 20]));
    let one = fitted(&[7.0, -1.0], 2, 1);
    assert_eq!((one.centroids, one.sizes, one.inertia), (vec![7.0, -1.0], vec![1], 0.0));
    // As many clusters as rows.
    let mut each = fitted(&[0.0, 5.0, 1.0, 9.0], 1, 4);
    assert_eq!(each.inertia, 0.0);
    each.labels.sort_unstable();
    assert_eq!(each.labels, [0, 1, 2, 3]);
    // Far from zero, and all zeros.
    let far: Vec<f32> = (0..300).map(|row| 1e6 + (row % 3) as f32).collect();
    assert_eq!(fitted(&far, 1, 3).inertia, 0.0);
    assert_eq!(fitted(&[0.0; 12], 3, 2).inertia, 0.0);
    // Values whose squares are beyond 32 bits.
    let huge = fitted(&[1e30, 1.1e30, -1e30, -1.1e30], 1, 2);
    assert_eq!(huge.labels[0], huge.labels[1]);
    assert_ne!(huge.labels[0], huge.labels[2]);
}

#[test]
fn empty_clusters_take_the_farthest_rows() {
    let values = [0.0, 0.1, 0.2, 10.0, 20.0];
    let rows = Matrix::new(&values, 1).unwrap();
    let given = Options { init: Init::Given(vec![0.1, 500.0, 600.0]), ..options(3) };
    let found = fit(&rows, &given, &Unwatched).unwrap();
    assert_eq!(found.labels, [0, 0, 0, 2, 1]);
    assert!((found.inertia - 0.02).abs() < 1e-6, "{}", found.inertia);
}

#[test]
fn no_iteration_gives_the_labels_of_the_first_centroids() {
    let rows = Matrix::new(&[0.0, 1.0, 9.0], 1).unwrap();
    let given = Options { init: Init::Given(vec![8.0, 1.0]), max_iterations: 0, ..options(2) };
    let found = fit(&rows, &given, &Unwatched).unwrap();
    assert_eq!((found.labels, found.centroids), (vec![1, 1, 0], vec![8.0, 1.0]));
    assert_eq!((found.inertia, found.iterations, found.has_converged), (2.0, 0, false));
}

#[test]
fn what_cannot_be_clustered_is_refused() {
    let values = [1.0, 2.0, 3.0, 4.0];
    let rows = Matrix::new(&values, 2).unwrap();
    let fitted = |options: &Options| fit(&rows, options, &Unwatched).unwrap_err();
    assert_eq!(fitted(&options(3)), Error::BadK { k: 3, rows: 2 });
    assert_eq!(fitted(&options(0)), Error::BadK { k: 0, rows: 2 });
    let given = Options { init: Init::Given(vec![1.0]), ..options(2) };
    assert_eq!(fitted(&given), Error::BadInit { given: 1, k: 2, dimensions: 2 });
    assert_eq!(Matrix::new(&[1.0, f32::NAN, 2.0], 1).unwrap_err(), Error::NotFinite { row: 1 });
    assert_eq!(Matrix::new(&[], 0).unwrap_err(), Error::NoDimensions);
    let none = Matrix::new(&[], 3).unwrap();
    assert_eq!(fit(&none, &options(1), &Unwatched).unwrap_err(), Error::NoRows);
}

#[test]
fn a_cancelled_fit_ends() {
    struct Impatient;
    impl Watch for Impatient {
        fn progress(&self, _: Phase, _: u64, _: u64) {}
        fn is_cancelled(&self) -> bool {
            true
        }
    }
    let values = blobs(3000, 4, 3, 1);
    let rows = Matrix::new(&values, 4).unwrap();
    assert_eq!(fit(&rows, &options(3), &Impatient).unwrap_err(), Error::Cancelled);
}
