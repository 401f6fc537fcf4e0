//! Whichever computes, the clusters are the same, and whoever asked is told which it was.
#![allow(clippy::unwrap_used)]

use embedding::metrics;
use embedding::random::Random;
use embedding::watch::Unwatched;
use pollster::block_on;

use super::*;

fn values(n: usize, d: usize) -> Vec<f32> {
    let random = Random::new(3, 1);
    (0..n * d).map(|at| (random.unit(at as u64) + (at / d % 4) as f64) as f32).collect()
}

fn clustered(device: &Device, values: &[f32], k: usize) -> (Clustering, Backend) {
    let rows = Matrix::new(values, 6).unwrap();
    block_on(device.kmeans(&rows, &kmeans::Options::new(k, 1), &Unwatched)).unwrap()
}

#[test]
fn a_device_and_the_processor_find_the_same() {
    let values = values(900, 6);
    let (device, processor) = (Device::new(Choice::Always), Device::new(Choice::Never));
    for k in [4, 7] {
        let (found, by) = clustered(&device, &values, k);
        assert_eq!((by.name(), by.message()), ("webgpu", None), "{by:?}");
        let (wanted, by) = clustered(&processor, &values, k);
        assert_eq!((by.name(), by.message()), ("cpu", None));
        assert_eq!((found.labels, found.centroids), (wanted.labels, wanted.centroids));
    }
    // So few rows gain nothing, and nothing is opened.
    let chosen = Device::new(Choice::WhereItGains);
    assert_eq!(clustered(&chosen, &values, 4).1, Backend::Processor);
    assert!(matches!(*chosen.state.borrow(), State::Untried));
}

#[test]
fn a_layout_is_as_good_whoever_computes_it() {
    let values = values(400, 6);
    let rows = Matrix::new(&values, 6).unwrap();
    let laid_out = |choice: Choice, neighbours: usize, dimensions: usize| {
        let device = Device::new(choice);
        let mut options = umap::Options::new(dimensions, 3);
        (options.neighbours, options.epochs) = (neighbours, Some(100));
        block_on(device.umap(&rows, &options, &Unwatched)).unwrap()
    };
    let trust = |layout: &Layout| {
        let found = metrics::trustworthiness(&rows, &layout.points, 15, 1, 1, &Unwatched);
        found.unwrap().unwrap().value
    };
    // More neighbours than a device keeps leave it the epochs.
    for neighbours in [15, 60] {
        let (found, by) = laid_out(Choice::Always, neighbours, 2);
        let (wanted, by_processor) = laid_out(Choice::Never, neighbours, 2);
        assert_eq!((by.name(), by_processor.name()), ("webgpu", "cpu"));
        assert_eq!((found.begun, found.neighbour_recall), (wanted.begun, 1.0));
        assert!(trust(&found) > trust(&wanted) - 0.01, "{neighbours}");
        assert_eq!(laid_out(Choice::Always, neighbours, 2).0, found);
    }
    // More dimensions than it has leave it the neighbours, and the layout is the processor's.
    let (found, by) = laid_out(Choice::Always, 15, 5);
    assert_eq!((found, by.name()), (laid_out(Choice::Never, 15, 5).0, "webgpu"));
    let neither = laid_out(Choice::Always, 60, 5);
    assert_eq!(neither, (laid_out(Choice::Never, 60, 5).0, Backend::Processor));
}

#[test]
fn components_of_a_device_are_near_those_of_the_processor() {
    let values = values(700, 12);
    let rows = Matrix::new(&values, 12).unwrap();
    let found = |choice| {
        let device = Device::new(choice);
        block_on(device.pca(&rows, 3, &Unwatched)).unwrap()
    };
    let ((own, by), (wanted, processor)) = (found(Choice::Always), found(Choice::Never));
    assert_eq!((by.name(), processor), ("webgpu", Backend::Processor));
    assert_eq!(wanted, pca::fit(&rows, 3, None, &Unwatched).unwrap());
    for (own, wanted) in own.explained_variance.iter().zip(&wanted.explained_variance) {
        assert!((own / wanted - 1.0).abs() < 1e-5, "{own} {wanted}");
    }
    assert_eq!(found(Choice::WhereItGains).1, Backend::Processor, "so few are soon done");
}

#[test]
fn a_device_that_is_lost_leaves_it_to_the_processor() {
    let values = values(900, 6);
    let device = Device::new(Choice::Always);
    let (wanted, _) = clustered(&device, &values, 5);
    if let State::Ready(session) = &*device.state.borrow() {
        session.gpu().close();
    }
    for _ in 0..2 {
        let (found, by) = clustered(&device, &values, 5);
        assert_eq!((found.labels, by.name()), (wanted.labels.clone(), "cpu"));
        assert!(by.message().unwrap().contains("lost"), "{by:?}");
    }
}

#[test]
fn what_the_algorithm_says_is_no_fault_of_the_device() {
    let values = values(10, 6);
    let device = Device::new(Choice::Always);
    let rows = Matrix::new(&values, 6).unwrap();
    for _ in 0..2 {
        let options = kmeans::Options::new(11, 1);
        let error = block_on(device.kmeans(&rows, &options, &Unwatched)).unwrap_err();
        assert_eq!(error, Error::BadK { k: 11, rows: 10 });
    }
    assert_eq!(clustered(&device, &values, 2).1.name(), "webgpu");
}

#[test]
fn a_device_that_is_lost_leaves_epochs_to_the_processor() {
    let values = values(300, 6);
    let rows = Matrix::new(&values, 6).unwrap();
    let options = umap::Options { neighbours: 40, epochs: Some(20), ..umap::Options::new(2, 3) };
    let device = Device::new(Choice::Always);
    let lay_out = || block_on(device.umap(&rows, &options, &Unwatched)).unwrap();
    assert_eq!(lay_out().1.name(), "webgpu");
    if let State::Open(gpu) = &*device.state.borrow() {
        gpu.close();
    }
    let (found, by) = lay_out();
    assert!(by.name() == "cpu" && by.message().unwrap().contains("lost"), "{by:?}");
    assert_eq!(found, umap::fit(&rows, &options, &Unwatched).unwrap());
}
