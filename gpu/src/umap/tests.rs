//! Epochs of a device held to those of the processor: the first ones to its very points, all of
//! them to as good a layout.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use embedding::rows::Matrix;
use embedding::umap::{self, Options};
use embedding::watch::Unwatched;
use embedding::{metrics, random::Random};
use pollster::block_on;

use super::*;
use crate::clouds::{Impatient, blobs, gpu};

fn prepared(values: &[f32], d: usize, options: &Options) -> Prepared {
    Prepared::new(&Matrix::new(values, d).unwrap(), options, &Unwatched).unwrap()
}

#[test]
fn the_first_epochs_are_those_of_the_processor() {
    let gpu = gpu();
    for (n, m) in [(3, 2), (500, 1), (2100, 2), (700, 3), (300, 4)] {
        let values = blobs(n, 5, 4, 3);
        let few = |epochs| Options { epochs: Some(epochs), ..Options::new(m, 7) };
        let wanted = umap::fit(&Matrix::new(&values, 5).unwrap(), &few(3), &Unwatched).unwrap();
        let prepared = prepared(&values, 5, &few(3));
        let found = block_on(lay_out(&gpu, &prepared, &Unwatched)).unwrap();
        let began = prepared.points();
        let apart = |other: &[f32]| {
            let rows = found.chunks(m).zip(other.chunks(m));
            let square = |(a, b): (&[f32], &[f32])| -> f32 {
                a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let mut apart: Vec<f32> = rows.map(square).map(f32::sqrt).collect();
            apart.sort_by(f32::total_cmp);
            (apart[n / 2], apart[n * 9 / 10])
        };
        // What is rounded otherwise grows with each step, on a line most of all, where a point
        // passes through others.
        let ((middle, most), (far, _)) = (apart(&wanted.points), apart(began));
        assert!(middle < 0.02 * far && far > 0.1, "{n} {m}: {middle} of {far}");
        assert!(m == 1 || most < 2e-3 * far, "{n} {m}: {most} of {far}");
    }
}

#[test]
fn layouts_are_as_good_and_always_the_same() {
    let (gpu, values, d) = (gpu(), blobs(900, 12, 6, 3), 12);
    let rows = Matrix::new(&values, d).unwrap();
    let options = Options { epochs: Some(200), ..Options::new(2, 5) };
    let trust = |points: &[f32]| {
        metrics::trustworthiness(&rows, points, 15, 1, 1, &Unwatched).unwrap().unwrap().value
    };
    let wanted = umap::fit(&rows, &options, &Unwatched).unwrap();
    let prepared = prepared(&values, d, &options);
    let found = block_on(lay_out(&gpu, &prepared, &Unwatched)).unwrap();
    let (own, processors) = (trust(&found), trust(&wanted.points));
    assert!(own > processors - 0.005, "{own} {processors}");
    assert_eq!(block_on(lay_out(&gpu, &prepared, &Unwatched)).unwrap(), found);
    let layout = prepared.end(found.clone()).unwrap();
    assert_eq!((layout.points, layout.begun), (found, wanted.begun));
}

/// Looks at each layout.
#[derive(Default)]
struct Onlooker(Mutex<Vec<u32>>);

impl Watch for Onlooker {
    fn progress(&self, _: Phase, _: u64, _: u64) {}

    fn wants_layout(&self) -> bool {
        true
    }

    fn layout(&self, epoch: u32, points: &[f32]) {
        assert!(points.iter().all(|x| x.is_finite()));
        self.0.lock().unwrap().push(epoch);
    }
}

#[test]
fn layouts_are_seen_on_their_way_and_may_be_given_up() {
    let (gpu, values) = (gpu(), blobs(200, 3, 2, 3));
    let prepared = prepared(&values, 3, &Options { epochs: Some(5), ..Options::new(2, 5) });
    let onlooker = Onlooker::default();
    let seen = block_on(lay_out(&gpu, &prepared, &onlooker)).unwrap();
    assert_eq!(*onlooker.0.lock().unwrap(), [1, 2, 3, 4]);
    assert_eq!(seen, block_on(lay_out(&gpu, &prepared, &Unwatched)).unwrap());
    let given_up = block_on(lay_out(&gpu, &prepared, &Impatient)).unwrap_err();
    assert_eq!(given_up, Error::Compute(embedding::Error::Cancelled));
}

#[test]
fn what_a_device_cannot_lay_out_is_told() {
    let gpu = gpu();
    let random = Random::new(1, 1);
    let values: Vec<f32> = (0..600).map(|at| random.unit(at) as f32).collect();
    let wide = prepared(&values, 6, &Options { epochs: Some(3), ..Options::new(5, 5) });
    let two = prepared(&values[..4], 2, &Options::new(2, 5));
    for prepared in [wide, two] {
        assert!(!can(&prepared));
        assert!(matches!(
            block_on(lay_out(&gpu, &prepared, &Unwatched)),
            Err(Error::TooLarge { .. })
        ));
    }
}
