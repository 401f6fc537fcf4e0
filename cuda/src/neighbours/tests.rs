//! Neighbours by the committed kernels, held against those of the cores.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use embedding::knn::exact;
use embedding::rows::Matrix;
use embedding::watch::Unwatched;

use super::*;
use crate::emulator::Adding;
use crate::machine::Machine;

/// Clouds, of which some rows are the same.
fn clouds(n: usize, d: usize, apart: f32) -> Vec<f32> {
    let (places, noise) = (Random::new(3, 1), Random::new(3, 2));
    let value = |row: u64, t: u64| {
        let place = places.unit(row % 7 * d as u64 + t) as f32 * apart;
        place + noise.unit(row * d as u64 + t) as f32 - 0.5
    };
    let mut values: Vec<f32> =
        (0..n as u64).flat_map(|row| (0..d as u64).map(move |t| value(row, t))).collect();
    values.copy_within(0..3 * d, (n - 3) * d);
    values
}

#[track_caller]
fn same(card: &Rc<dyn Card>, values: &[f32], d: usize, k: usize) {
    let rows = Matrix::new(values, d).unwrap();
    let expected = exact(&rows, k, None, &Unwatched).unwrap();
    let found = nearest_on(card, &rows, k, None, &Unwatched).unwrap();
    assert!(found == expected, "other neighbours");
}

#[test]
fn neighbours_are_those_of_the_cores() {
    for adding in [Adding::Cut, Adding::Rounded] {
        let card: Rc<dyn Card> = Machine::new(adding);
        same(&card, &clouds(350, 33, 8.0), 33, 15);
    }
    let card: Rc<dyn Card> = Machine::new(Adding::Cut);
    same(&card, &clouds(1100, 2, 3.0), 2, 4);
    same(&card, &clouds(260, 70, 0.5), 70, 91);
    same(&card, &clouds(1100, 3, 9.0), 3, 128);
    same(&card, &clouds(20, 5, 1.0), 5, 19);
    same(&card, &[1.0; 64], 2, 3);
}

#[test]
fn hopper_finds_those_of_the_cores() {
    let card: Rc<dyn Card> = Machine::of_hopper(Adding::Rounded);
    same(&card, &clouds(350, 33, 8.0), 33, 15);
    let card: Rc<dyn Card> = Machine::of_hopper(Adding::Cut);
    same(&card, &clouds(1100, 2, 3.0), 2, 4);
    same(&card, &clouds(260, 330, 4.0), 330, 20);
    same(&card, &clouds(20, 5, 1.0), 5, 19);
    assert!(card.hoppers().is_some(), "is trusted");
}

#[test]
fn lots_follow_each_other() {
    let values = clouds(400, 12, 5.0);
    let rows = Matrix::new(&values, 12).unwrap();
    for (machine, parts) in [(Machine::new(Adding::Cut), 2), (Machine::of_hopper(Adding::Cut), 1)] {
        let card: Rc<dyn Card> = machine;
        let prepared = embedding::kmeans::Prepared::new(&rows, None, &Unwatched).unwrap();
        let mut search = Search::new(&card, (&rows, 9), &prepared, parts, &Unwatched).unwrap();
        search.lot = 128;
        let found = search.all(&rows, (None, 100), &Unwatched).unwrap();
        assert!(found == Some(exact(&rows, 9, None, &Unwatched).unwrap()));
    }
}

#[test]
fn rows_far_from_each_other_s_middle_take_two_halves() {
    // Clouds so small that one half cannot tell rows of one apart.
    let values = clouds(400, 6, 40.0);
    let rows = Matrix::new(&values, 6).unwrap();
    let card: Rc<dyn Card> = Machine::new(Adding::Cut);
    let prepared = embedding::kmeans::Prepared::new(&rows, None, &Unwatched).unwrap();
    let search = |parts| Search::new(&card, (&rows, 9), &prepared, parts, &Unwatched).unwrap();
    let ask = |parts, most| search(parts).all(&rows, (None, most), &Unwatched).unwrap();
    assert!(ask(1, UNSURE_PERCENT).is_none());
    assert!(ask(2, UNSURE_PERCENT) == Some(exact(&rows, 9, None, &Unwatched).unwrap()));
}

#[test]
fn what_it_cannot_do_is_told() {
    let card: Rc<dyn Card> = Machine::new(Adding::Cut);
    let values = clouds(100, 3, 1.0);
    let rows = Matrix::new(&values, 3).unwrap();
    let told = nearest_on(&card, &rows, 40, None, &Unwatched);
    assert!(told.is_ok());
    let more = clouds(200, 3, 1.0);
    let more = Matrix::new(&more, 3).unwrap();
    let told = nearest_on(&card, &more, 140, None, &Unwatched).unwrap_err().to_string();
    assert!(told.contains("128 neighbours at most"), "{told}");
    let told = nearest_on(&card, &rows, 100, None, &Unwatched).unwrap_err();
    assert!(matches!(told, Failure::Input(_)), "{told}");
    let card: Rc<dyn Card> = Machine::with_memory(Adding::Cut, 100_000);
    let told = nearest_on(&card, &rows, 4, None, &Unwatched).unwrap_err();
    let Failure::Device(CudaError::NoRoom { needed, free: 100_000 }) = told else {
        panic!("{told}")
    };
    let card: Rc<dyn Card> = Machine::with_memory(Adding::Cut, needed);
    assert!(nearest_on(&card, &rows, 4, None, &Unwatched).is_ok(), "{needed} is enough");
}

#[test]
fn neighbours_by_a_device_are_those_of_the_cores() {
    match Gpu::find() {
        Ok(gpu) => {
            let values = clouds(30_000, 64, 4.0);
            let rows = Matrix::new(&values, 64).unwrap();
            let found = nearest(&gpu, &rows, 15, None, 1, &Unwatched).unwrap();
            assert_eq!(found.fell_back, None);
            assert!(found.made.neighbours == exact(&rows, 15, None, &Unwatched).unwrap());
        }
        Err(error) => println!("not run, since it wants a device: {error}"),
    }
}
