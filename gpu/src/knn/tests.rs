//! Neighbours of a device held to those of the processor.
#![allow(clippy::unwrap_used)]

use embedding::knn::exact;
use embedding::rows::Matrix;
use embedding::watch::Unwatched;
use pollster::block_on;

use super::*;
use crate::clouds::{Impatient, blobs, gpu};
use crate::rows::{PIECE_BYTES, QUAD};

/// Looks for neighbours on both; of how many rows the device did not know enough.
fn same(values: &[f32], d: usize, k: usize, bytes: u64) -> usize {
    let rows = Matrix::new(values, d).unwrap();
    let session = block_on(Session::in_pieces(gpu(), &rows, bytes, &Unwatched)).unwrap();
    let (found, unsure) = block_on(session.neighbours(&rows, k, &Unwatched)).unwrap();
    let wanted = exact(&rows, k, None, &Unwatched).unwrap();
    assert_eq!(found, wanted, "{} {d} {k}", values.len() / d);
    unsure
}

#[test]
fn neighbours_are_those_of_the_processor() {
    for (n, d, k) in [(50, 3, 5), (700, 8, 15), (1100, 17, 32), (300, 768, 4)] {
        let unsure = same(&blobs(n, d, 5, 3), d, k, PIECE_BYTES);
        assert!(unsure * 50 <= n, "{unsure} of {n}");
    }
    // In pieces that neither blocks nor runs end with.
    let few = (2 * QUAD * size_of::<f32>() * 320) as u64;
    same(&blobs(1100, 7, 5, 3), 7, 9, few);
}

#[test]
fn runs_are_put_together() {
    let values = blobs(1300, 3, 40, 9);
    let rows = Matrix::new(&values, 3).unwrap();
    let bytes = (1100 * QUAD * size_of::<f32>()) as u64;
    let session = block_on(Session::in_pieces(gpu(), &rows, bytes, &Unwatched)).unwrap();
    let wanted = exact(&rows, 6, None, &Unwatched).unwrap();
    for run in [300, 512] {
        let found = block_on(session.neighbours_by(&rows, 6, run, &Unwatched)).unwrap();
        assert_eq!(found.0, wanted, "{run}");
        assert!(found.1 * 10 < 1300, "{}", found.1);
    }
}

#[test]
fn duplicates_ties_and_rows_far_away_have_the_same_neighbours() {
    same(&[2.5; 300], 2, 7, PIECE_BYTES);
    let whole: Vec<f32> = blobs(500, 3, 4, 2).iter().map(|x| x.round()).collect();
    same(&whole, 3, 10, PIECE_BYTES);
    let far: Vec<f32> = blobs(400, 6, 4, 2).iter().map(|x| x + 1e6).collect();
    same(&far, 6, 10, PIECE_BYTES);
    // Heaps that are much smaller than they are apart.
    let heaps = blobs(400, 4, 1, 2);
    let heaps: Vec<f32> =
        heaps.iter().enumerate().map(|(at, x)| 1e-5 * x + (at / 4 % 8) as f32).collect();
    same(&heaps, 4, 10, PIECE_BYTES);
    for n in [2, 3, 49] {
        same(&blobs(n, 5, 2, 2), 5, 1, PIECE_BYTES);
    }
}

#[test]
fn what_cannot_be_done_is_told() {
    let values = blobs(100, 3, 4, 2);
    let rows = Matrix::new(&values, 3).unwrap();
    let session = block_on(Session::new(gpu(), &rows, &Unwatched)).unwrap();
    let error = |k: usize, watch: &dyn Watch| {
        block_on(session.neighbours(&rows, k, watch)).map(|_| ()).unwrap_err()
    };
    let bad = embedding::Error::BadNeighbours { neighbours: 100, most: 99 };
    assert_eq!(error(100, &Unwatched), Error::Compute(bad));
    assert!(matches!(error(33, &Unwatched), Error::TooLarge { .. }));
    assert_eq!(error(5, &Impatient), Error::Compute(embedding::Error::Cancelled));
}
