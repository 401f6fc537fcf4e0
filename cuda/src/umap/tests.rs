//! Epochs by the committed kernels, held to those of the cores: the first ones to their very
//! points, all of them to as good a layout.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Mutex;

use embedding::metrics;
use embedding::random::Random;
use embedding::rows::Matrix;
use embedding::umap;
use embedding::watch::Unwatched;

use super::*;
use crate::emulator::Adding;
use crate::machine::Machine;

fn blobs(n: usize, d: usize) -> Vec<f32> {
    let (places, noise) = (Random::new(5, 1), Random::new(5, 2));
    let value = |row: u64, t: u64| {
        let place = places.unit(row % 5 * d as u64 + t) * 9.0;
        (place + noise.unit(row * d as u64 + t)) as f32
    };
    (0..n as u64).flat_map(|row| (0..d as u64).map(move |t| value(row, t))).collect()
}

fn machine() -> Rc<dyn Card> {
    Machine::new(Adding::Cut)
}

#[test]
fn the_first_epochs_are_those_of_the_cores() {
    let card = machine();
    for (n, m) in [(3, 2), (300, 1), (1100, 2), (500, 3), (200, 4), (200, 5), (90, 7), (90, 8)] {
        let values = blobs(n, 9);
        let rows = Matrix::new(&values, 9).unwrap();
        let options = Options { epochs: Some(3), ..Options::new(m, 7) };
        let wanted = umap::fit(&rows, &options, &Unwatched).unwrap();
        let prepared = Prepared::new(&rows, &options, &Unwatched).unwrap();
        let found = lay_out(&card, &prepared, &Unwatched).unwrap();
        let apart = |other: &[f32]| {
            let pairs = found.chunks(m).zip(other.chunks(m));
            let square = |(a, b): (&[f32], &[f32])| -> f32 {
                a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let mut apart: Vec<f32> = pairs.map(square).map(f32::sqrt).collect();
            apart.sort_by(f32::total_cmp);
            apart.get(n / 2).copied().unwrap()
        };
        // What is rounded otherwise grows with each step.
        let (off, moved) = (apart(&wanted.points), apart(prepared.points()));
        assert!(off < 2e-3 * moved && moved > 0.1, "{n} {m}: {off} of {moved}");
    }
}

#[test]
fn layouts_are_as_good_and_always_the_same() {
    let (card, values) = (machine(), blobs(500, 12));
    let rows = Matrix::new(&values, 12).unwrap();
    let options = Options { epochs: Some(120), ..Options::new(2, 5) };
    let trust = |points: &[f32]| {
        metrics::trustworthiness(&rows, points, 15, 1, 1, &Unwatched).unwrap().unwrap().value
    };
    let wanted = umap::fit(&rows, &options, &Unwatched).unwrap();
    let prepared = Prepared::new(&rows, &options, &Unwatched).unwrap();
    let found = lay_out(&card, &prepared, &Unwatched).unwrap();
    assert!(trust(&found) > trust(&wanted.points) - 0.005);
    assert_eq!(lay_out(&card, &prepared, &Unwatched).unwrap(), found);
}

/// Looks at each layout, and cancels after some.
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

    fn is_cancelled(&self) -> bool {
        self.0.lock().unwrap().len() >= 4
    }
}

#[test]
fn layouts_are_shown_and_cancelled() {
    let values = blobs(100, 4);
    let rows = Matrix::new(&values, 4).unwrap();
    let options = Options { epochs: Some(9), ..Options::new(2, 5) };
    let prepared = Prepared::new(&rows, &options, &Unwatched).unwrap();
    let onlooker = Onlooker::default();
    let told = lay_out(&machine(), &prepared, &onlooker).unwrap_err();
    assert_eq!(told, Failure::Input(embedding::Error::Cancelled));
    assert_eq!(*onlooker.0.lock().unwrap(), [1, 2, 3, 4]);
}

#[test]
fn a_device_that_is_lost_is_told() {
    let values = blobs(200, 4);
    let rows = Matrix::new(&values, 4).unwrap();
    let options = Options { epochs: Some(20), ..Options::new(2, 5) };
    let machine = Machine::new(Adding::Cut);
    machine.left.set(Some(70));
    let card: Rc<dyn Card> = machine;
    let prepared = Prepared::new(&rows, &options, &Unwatched).unwrap();
    let told = lay_out(&card, &prepared, &Unwatched).unwrap_err().to_string();
    assert!(told.contains("an illegal memory access"), "{told}");
}

#[test]
fn layouts_by_a_device_are_as_good() {
    let gpu = match Gpu::find() {
        Ok(gpu) => gpu,
        Err(error) => {
            println!("not run, since it wants a device: {error}");
            return;
        }
    };
    let values = blobs(5000, 12);
    let rows = Matrix::new(&values, 12).unwrap();
    let options = Options::new(2, 5);
    let near = embedding::knn::exact(&rows, 14, None, &Unwatched).unwrap();
    let near = embedding::knn::Found { neighbours: near, recall: 1.0 };
    let found = fit_among(&gpu, &rows, &options, near.clone(), &Unwatched).unwrap();
    let wanted = umap::fit_among(&rows, &options, near, &Unwatched).unwrap();
    let trust = |points: &[f32]| {
        metrics::trustworthiness(&rows, points, 15, 1, 1, &Unwatched).unwrap().unwrap().value
    };
    assert_eq!(found.fell_back, None);
    assert!(trust(&found.made.points) > trust(&wanted.points) - 0.005);
}
