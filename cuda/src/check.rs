//! A device is tried on a few rows before it is trusted with all: where it does not compute as the
//! processor does, the processor does it.

use std::rc::Rc;

use embedding::Error;
use embedding::kmeans::UNSURE;
use embedding::random::Random;
use embedding::rows::Matrix;
use embedding::watch::Unwatched;
use embedding::{kmeans, knn, pca, umap};

use crate::card::Card;
use crate::error::{CudaError, Failure};
use crate::kmeans::{Deal, Device};
use crate::{neighbours, pca as by_device, umap as laid_out};

const ROWS: usize = 200;
const DIMENSIONS: usize = 40;
const CLUSTERS: usize = 5;

/// So many more than Hopper has stages for, and tiles.
const MANY_DIMENSIONS: usize = 456;
const MANY_CLUSTERS: usize = 300;

/// Clouds.
fn values() -> Vec<f32> {
    let (places, noise) = (Random::new(1, 1), Random::new(1, 2));
    let value = |row: usize, t: usize| {
        let place = places.unit((row % CLUSTERS * DIMENSIONS + t) as u64);
        (4.0 * place + noise.unit((row * DIMENSIONS + t) as u64)) as f32
    };
    (0..ROWS).flat_map(|row| (0..DIMENSIONS).map(move |t| value(row, t))).collect()
}

/// Rows of k kinds, in turns, each of which stands out in one dimension of its own: who leaves any
/// out cannot tell them apart.
fn kinds(n: usize, d: usize, k: usize) -> Vec<f32> {
    let noise = Random::new(1, 2);
    let value = |row: usize, t: usize| {
        let own = if t == row % k * d / k { 5.0 } else { 0.0 };
        own + noise.unit((row * d + t) as u64) as f32
    };
    (0..n).flat_map(|row| (0..d).map(move |t| value(row, t))).collect()
}

fn wrong(what: &'static str) -> Failure {
    CudaError::Wrong(what).into()
}

/// Rows dealt to centroids. Hopper's kernels are left alone from now on where others are right.
pub(crate) fn clusters(card: &Rc<dyn Card>) -> Result<(), Failure> {
    if card.hoppers().is_some() {
        match clusters_by_hopper(card) {
            Ok(()) => return Ok(()),
            Err(Failure::Device(_)) => card.distrust_hoppers(),
            Err(failure) => return Err(failure),
        }
    }
    clusters_of(card, DIMENSIONS, CLUSTERS)
}

/// Boxes go round all stages, past the last dimension and centroid.
pub(crate) fn clusters_by_hopper(card: &Rc<dyn Card>) -> Result<(), Failure> {
    clusters_of(card, MANY_DIMENSIONS, CLUSTERS)?;
    clusters_of(card, MANY_DIMENSIONS, MANY_CLUSTERS)
}

fn clusters_of(card: &Rc<dyn Card>, d: usize, k: usize) -> Result<(), Failure> {
    let n = ROWS.max(2 * k);
    let values = kinds(n, d, k);
    let rows = Matrix::new(&values, d)?;
    let prepared = kmeans::Prepared::new(&rows, Some(1), &Unwatched)?;
    let mut device = Device::new(card, &rows, &prepared, k, None, &Unwatched)?;
    let labels = device.deal(values.get(..k * d).unwrap_or_default())?;
    // Each of the first rows is of a kind of its own.
    let is_right = |(row, label): (usize, &u32)| *label == (row % k) as u32;
    let is_sure = labels.iter().filter(|label| **label != UNSURE).count() > n / 2;
    let mut sure = labels.iter().enumerate().filter(|(_, label)| **label != UNSURE);
    if is_sure && sure.all(is_right) { Ok(()) } else { Err(wrong("labels")) }
}

/// Neighbours of rows.
pub(crate) fn neighbours(card: &Rc<dyn Card>) -> Result<(), Failure> {
    if card.hoppers().is_some() {
        match neighbours_of(card, &kinds(2 * MANY_CLUSTERS, MANY_DIMENSIONS, 50), MANY_DIMENSIONS) {
            Ok(()) => return Ok(()),
            Err(Failure::Device(_)) => card.distrust_hoppers(),
            Err(failure) => return Err(failure),
        }
    }
    neighbours_of(card, &values(), DIMENSIONS)
}

fn neighbours_of(card: &Rc<dyn Card>, values: &[f32], d: usize) -> Result<(), Failure> {
    let rows = Matrix::new(values, d)?;
    let search = neighbours::Search::prepared(card, (&rows, 8), Some(1), 1, &Unwatched)?;
    let found = search.all(&rows, (Some(1), 50), &Unwatched)?;
    let expected = knn::exact(&rows, 8, Some(1), &Unwatched)?;
    if found == Some(expected) { Ok(()) } else { Err(wrong("neighbours")) }
}

/// Sums of products.
pub(crate) fn sums(card: &Rc<dyn Card>) -> Result<(), Failure> {
    let values = values();
    let rows = Matrix::new(&values, DIMENSIONS)?;
    let prepared = pca::Prepared::new(&rows, 1, Some(1), &Unwatched)?;
    let found = by_device::sums_on(std::slice::from_ref(card), &rows, &prepared, &Unwatched)?;
    let expected = prepared.sums(&rows, &Unwatched)?;
    let mut pairs = found.iter().zip(&expected).enumerate();
    // Of each pair of columns once.
    let is_same = pairs.all(|(at, (a, b))| at / DIMENSIONS > at % DIMENSIONS || a == b);
    if is_same { Ok(()) } else { Err(wrong("sums of products")) }
}

/// The first epochs of a layout, before what is rounded otherwise has grown.
pub(crate) fn epochs(card: &Rc<dyn Card>, dimensions: usize) -> Result<(), Failure> {
    let values = values();
    let rows = Matrix::new(&values, DIMENSIONS)?;
    let mut options = umap::Options::new(dimensions, 1);
    (options.epochs, options.threads) = (Some(2), Some(1));
    let prepared = umap::Prepared::new(&rows, &options, &Unwatched)?;
    let found = laid_out::lay_out(card, &prepared, &Unwatched)?;
    let expected: Result<_, Error> = prepared.compute(&Unwatched);
    let mut off: Vec<f32> =
        found.iter().zip(&expected?.points).map(|(a, b)| (a - b).abs()).collect();
    off.sort_by(f32::total_cmp);
    let is_near = off.get(off.len() / 2).is_some_and(|off| *off < 1e-3);
    if is_near { Ok(()) } else { Err(wrong("points")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::emulator::Adding;
    use crate::machine::Machine;

    #[test]
    fn the_committed_kernels_pass() {
        for adding in [Adding::Cut, Adding::Rounded] {
            let card: Rc<dyn Card> = Machine::new(adding);
            clusters(&card).unwrap();
            neighbours(&card).unwrap();
            let card: Rc<dyn Card> = Machine::of_hopper(adding);
            clusters(&card).unwrap();
            neighbours(&card).unwrap();
            assert!(card.hoppers().is_some(), "is trusted");
        }
        let card: Rc<dyn Card> = Machine::new(Adding::Cut);
        sums(&card).unwrap();
        (1..=8).for_each(|dimensions| epochs(&card, dimensions).unwrap());
    }

    #[test]
    fn a_device_that_computes_otherwise_is_found_out() {
        let card: Rc<dyn Card> = Machine::that_errs();
        for found in [clusters(&card), neighbours(&card), sums(&card), epochs(&card, 2)] {
            let told = found.unwrap_err().to_string();
            assert!(told.contains("are not those of the processor"), "{told}");
        }
    }
}
