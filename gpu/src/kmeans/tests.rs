//! K-means of a device held to that of the processor, to the bit.
#![allow(clippy::unwrap_used)]

use embedding::kmeans::{Init, fit};
use embedding::random::Random;
use embedding::rows::Matrix;
use embedding::watch::Unwatched;
use pollster::block_on;

use super::*;
use crate::clouds::{Impatient, blobs, gpu};

fn options(k: usize, seed: u64) -> Options {
    Options { threads: Some(1), ..Options::new(k, seed) }
}

/// What both find, once for all.
fn same(gpu: &Rc<Gpu>, values: &[f32], d: usize, options: &Options, bytes: u64) -> Clustering {
    let rows = Matrix::new(values, d).unwrap();
    let session = block_on(Session::in_pieces(Rc::clone(gpu), &rows, bytes, &Unwatched)).unwrap();
    let found = block_on(session.kmeans(&rows, options, &Unwatched)).unwrap();
    let wanted = fit(&rows, options, &Unwatched).unwrap();
    let about = (values.len() / d, d, options.k);
    assert_eq!(found.labels, wanted.labels, "{about:?}");
    assert_eq!(found.centroids, wanted.centroids, "{about:?}");
    assert_eq!((&found.sizes, found.inertia), (&wanted.sizes, wanted.inertia), "{about:?}");
    let course = (found.iterations, found.has_converged);
    assert_eq!(course, (wanted.iterations, wanted.has_converged), "{about:?}");
    found
}

#[test]
fn clusters_are_those_of_the_processor() {
    let gpu = gpu();
    let shapes = [(3000, 2, 7), (1500, 33, 20), (2000, 64, 70), (700, 17, 130), (500, 768, 5)];
    for (n, d, k) in shapes {
        let values = blobs(n, d, 9, 5);
        for seed in [1, 2] {
            same(&gpu, &values, d, &options(k, seed), PIECE_BYTES);
        }
        // In pieces that neither blocks nor tiles end with.
        let few = (d.next_multiple_of(QUAD) * size_of::<f32>() * 320) as u64;
        same(&gpu, &values, d, &options(k, 3), few);
    }
}

/// Whole numbers from 0 to 16 in 64 dimensions, as scans of digits are.
#[test]
fn whole_numbers_are_clustered_as_on_the_processor() {
    let gpu = gpu();
    let values = blobs(1797, 64, 10, 4);
    let values: Vec<f32> = values.iter().map(|x| (x * 3.0).round().clamp(0.0, 16.0)).collect();
    for k in [3, 10, 24] {
        same(&gpu, &values, 64, &options(k, 614), PIECE_BYTES);
    }
}

#[test]
fn one_cluster_and_as_many_as_rows() {
    let gpu = gpu();
    let values = blobs(70, 5, 4, 8);
    for k in [1, 2, 69, 70] {
        same(&gpu, &values, 5, &options(k, 614), PIECE_BYTES);
    }
    same(&gpu, &[7.0, -1.0], 2, &options(1, 1), PIECE_BYTES);
}

/// Whole numbers, their neighbours in 32 bits, far from zero and near it, most of them twice.
#[test]
fn near_ties_and_duplicates_are_decided_as_on_the_processor() {
    let gpu = gpu();
    let random = Random::new(8, 1);
    for (nth, offset) in [0.0_f32, 1.0, 1e3, 1e6, 1e-20, -1e30, 1e-42].into_iter().enumerate() {
        for (d, k) in [(1, 5), (3, 9), (6, 20)] {
            let value = |at: usize| {
                let [whole, nudge, ..] = random.words((nth * 5000 + at) as u64);
                let scale = if offset.abs() > 1e20 { 1e29 } else { 1.0 };
                let value = (whole % 6) as f32 * scale + offset;
                f32::from_bits(value.to_bits().wrapping_add(nudge % 3))
            };
            let values: Vec<f32> = (0..400 * d).map(value).collect();
            let given = Init::Given(values.iter().rev().copied().take(k * d).collect());
            let given = Options { init: given, tolerance: 0.0, ..options(k, 1) };
            same(&gpu, &values, d, &given, PIECE_BYTES);
        }
    }
    same(&gpu, &[2.5; 640], 2, &options(3, 1), PIECE_BYTES);
    same(&gpu, &[0.0; 30], 3, &options(4, 1), PIECE_BYTES);
}

#[test]
fn few_rows_are_in_doubt() {
    let gpu = gpu();
    for offset in [0.0, 1e6] {
        let values: Vec<f32> = blobs(4000, 32, 12, 6).iter().map(|x| x + offset).collect();
        let found = same(&gpu, &values, 32, &options(12, 4), PIECE_BYTES);
        let seen = found.labels.len() as u64 * u64::from(found.iterations + 1);
        assert!(found.rechecked * 50 < seen, "{offset}: {} of {seen}", found.rechecked);
    }
}

#[test]
fn a_session_is_asked_again() {
    let gpu = gpu();
    let values = blobs(2000, 20, 6, 3);
    let rows = Matrix::new(&values, 20).unwrap();
    let session = block_on(Session::new(Rc::clone(&gpu), &rows, &Unwatched)).unwrap();
    for k in [2, 9, 3] {
        let found = block_on(session.kmeans(&rows, &options(k, 7), &Unwatched)).unwrap();
        assert_eq!(found.labels, fit(&rows, &options(k, 7), &Unwatched).unwrap().labels, "{k}");
    }
    let others = Matrix::new(&values, 10).unwrap();
    let error = block_on(session.kmeans(&others, &options(2, 1), &Unwatched)).unwrap_err();
    assert!(matches!(error, Error::Compute(embedding::Error::Source(_))), "{error}");
}

#[test]
fn what_cannot_be_done_is_told() {
    let gpu = gpu();
    let values = blobs(300, 3, 4, 2);
    let rows = Matrix::new(&values, 3).unwrap();
    let session = block_on(Session::new(Rc::clone(&gpu), &rows, &Unwatched)).unwrap();
    let error = |options: &Options, watch: &dyn Watch| {
        block_on(session.kmeans(&rows, options, watch)).unwrap_err()
    };
    let bad = embedding::Error::BadK { k: 301, rows: 300 };
    assert_eq!(error(&options(301, 1), &Unwatched), Error::Compute(bad));
    assert_eq!(error(&options(3, 1), &Impatient), Error::Compute(embedding::Error::Cancelled));
    let far = Options { init: Init::Given(vec![1e30; 6]), ..options(2, 1) };
    assert!(matches!(error(&far, &Unwatched), Error::OutOfRange { .. }));
    let none = Matrix::new(&[], 3).unwrap();
    let refused = block_on(Session::new(Rc::clone(&gpu), &none, &Unwatched)).err();
    assert_eq!(refused, Some(Error::Compute(embedding::Error::NoRows)));
    gpu.close();
    let lost = error(&options(3, 1), &Unwatched);
    assert!(matches!(lost, Error::Lost(_)), "{lost:?}");
}
