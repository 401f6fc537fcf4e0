//! The bound and the algorithm held to the cores, with the kernels' arithmetic emulated; and the
//! device itself, where there is one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::rc::Rc;

use embedding::kmeans::{Clustering, Init, Options, Prepared, UNSURE, fit};
use embedding::random::Random;
use embedding::rows::{BLOCK_ROWS, Matrix};
use embedding::watch::Unwatched;
use proptest::prelude::*;

use crate::bound::{Centroids, scale};
use crate::card::Card;
use crate::device::{Gpu, Wanted};
use crate::emulator::{Adding, Emulator, Mirror, assign, error, product, without_error};
use crate::error::{CudaError, Failure};
use crate::half::to_single;
use crate::kmeans::several::Several;
use crate::kmeans::{Deal, Device, Fitted, fit_on};
use crate::machine::Machine;
use crate::plan::{Place, Shape};
use crate::tile::padded;

/// Rows and centroids where each row is all but half-way between two of them.
struct Torn {
    rows: Vec<f32>,
    centroids: Vec<f32>,
    d: usize,
}

impl Torn {
    /// `apart` is how far rows are from the middle, as a share of what a float can tell.
    fn new(n: usize, d: usize, k: usize, seed: u64, apart: f32, offset: f32) -> Self {
        let (places, choices) = (Random::new(seed, 1), Random::new(seed, 2));
        let value = |at: usize| (places.unit(at as u64) as f32 - 0.5) * 8.0 + offset;
        let centroids: Vec<f32> = (0..k * d).map(value).collect();
        let mut rows = Vec::new();
        for row in 0..n as u64 {
            let a = choices.below(3 * row, k as u64) as usize;
            let b = choices.below(3 * row + 1, k as u64) as usize;
            let shift = (choices.unit(3 * row + 2) as f32 - 0.5) * apart;
            for t in 0..d {
                let (a, b) = (centroids[a * d + t], centroids[b * d + t]);
                rows.push((a + b) / 2.0 + (b - a) * shift);
            }
        }
        Self { rows, centroids, d }
    }

    fn centre(&self) -> (Vec<f32>, f64) {
        let n = (self.rows.len() / self.d) as f64;
        let column = |t: usize| self.rows.iter().skip(t).step_by(self.d);
        let mean = |t: usize| column(t).map(|value| f64::from(*value)).sum::<f64>() / n;
        let centre: Vec<f32> = (0..self.d).map(|t| mean(t) as f32).collect();
        let off =
            |(at, value): (usize, &f32)| (f64::from(*value) - f64::from(centre[at % self.d])).abs();
        let reach = self.rows.iter().enumerate().map(off).fold(0.0, f64::max);
        (centre, reach)
    }
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

/// Rows that are sure, and of these the ones that are wrong, with and without a bound.
fn sure_and_wrong(torn: &Torn, adding: Adding, is_bound: bool) -> (usize, usize) {
    let (centre, reach) = torn.centre();
    let scale = scale(reach);
    let mirror = Mirror::new(&torn.rows, &centre, scale);
    let given = Centroids::new(&torn.centroids, &centre, scale);
    let halves: Vec<f32> = given.halves.iter().map(|bits| to_single(*bits)).collect();
    let terms = if is_bound { given.terms } else { without_error(&given.terms) };
    let (mut sure, mut wrong) = (0, 0);
    for (at, row) in mirror.halves.chunks(mirror.depth).enumerate() {
        let (label, is_sure) = assign(row, mirror.terms[at], (&halves, &terms), adding);
        let of = &torn.rows[at * torn.d..(at + 1) * torn.d];
        if is_sure {
            sure += 1;
            wrong += usize::from(label != nearest_in_64(of, &torn.centroids));
        }
    }
    (sure, wrong)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_sure_row_is_wrong(
        d in 1_usize..140, k in 2_usize..150, seed in 0_u64..1 << 40, power in 0_i32..24,
        offset in prop_oneof![Just(0.0_f32), Just(1.0), Just(1e4)], is_cut: bool,
    ) {
        let torn = Torn::new(40, d, k, seed, 0.5_f32.powi(power), offset);
        let adding = if is_cut { Adding::Cut } else { Adding::Rounded };
        let (_, wrong) = sure_and_wrong(&torn, adding, true);
        prop_assert_eq!(wrong, 0);
    }

    #[test]
    fn scores_are_within_their_errors(
        d in 1_usize..300, seed in 0_u64..1 << 40, offset in -100_f32..100.0, is_cut: bool,
    ) {
        let torn = Torn::new(12, d, 5, seed, 1.0, offset);
        let (centre, reach) = torn.centre();
        let scale = scale(reach);
        let mirror = Mirror::new(&torn.rows, &centre, scale);
        let given = Centroids::new(&torn.centroids, &centre, scale);
        let adding = if is_cut { Adding::Cut } else { Adding::Rounded };
        let off = |value: &f32, at: usize| (f64::from(*value) - f64::from(centre[at])) * scale;
        for (i, row) in torn.rows.chunks(d).enumerate() {
            for (j, centroid) in torn.centroids.chunks(d).enumerate() {
                let depth = mirror.depth;
                let half: Vec<f32> = given.halves[j * depth..(j + 1) * depth]
                    .iter().map(|bits| to_single(*bits)).collect();
                let own = &mirror.halves[i * depth..(i + 1) * depth];
                let score = given.terms[j].half_square - product(own, &half, 0.0, adding);
                let exact: f64 = (0..d).map(|t| {
                    let (a, b) = (off(&row[t], t), off(&centroid[t], t));
                    0.5 * b * b - a * b
                }).sum();
                let error = f64::from(error(mirror.terms[i], &given.terms[j]));
                prop_assert!((f64::from(score) - exact).abs() <= error, "{score} {exact} {error}");
            }
        }
    }
}

#[test]
fn without_the_bound_labels_are_wrong() {
    let torn = Torn::new(400, 24, 20, 7, 2_f32.powi(-12), 0.0);
    let (sure, wrong) = sure_and_wrong(&torn, Adding::Cut, false);
    assert!(sure > 300 && wrong > 20, "{wrong} of {sure}");
    assert_eq!(sure_and_wrong(&torn, Adding::Cut, true).1, 0);
}

#[test]
fn most_rows_of_clouds_are_sure() {
    let torn = Torn::new(400, 64, 16, 3, 1.9, 5.0);
    let (sure, wrong) = sure_and_wrong(&torn, Adding::Cut, true);
    assert!(sure > 380 && wrong == 0, "{sure} sure, {wrong} wrong");
}

/// Whether the emulated device finds what the cores find.
fn same(values: &[f32], d: usize, options: &Options, adding: Adding) {
    let rows = Matrix::new(values, d).unwrap();
    let by_cores = fit(&rows, options, &Unwatched).unwrap();
    let open = |prepared: &Prepared| Ok(Emulator::new(&rows, prepared, adding));
    is_that_of_the_cores(fit_on(open, &rows, options, &Unwatched).unwrap(), &by_cores);
}

#[track_caller]
fn is_that_of_the_cores(found: Fitted, by_cores: &Clustering) {
    assert_eq!(found.fell_back, None);
    assert_eq!(Clustering { rechecked: by_cores.rechecked, ..found.clustering }, *by_cores);
}

fn given(k: usize, init: Vec<f32>) -> Options {
    Options { init: Init::Given(init), max_iterations: 12, ..Options::new(k, 5) }
}

#[test]
fn clusters_are_those_of_the_cores() {
    for adding in [Adding::Cut, Adding::Rounded] {
        for (n, d, k) in [(1500, 3, 7), (700, 33, 130), (300, 96, 1)] {
            let torn = Torn::new(n, d, k, 11, 0.8, 20.0);
            same(&torn.rows, d, &given(k, torn.centroids.clone()), adding);
            let auto = Options { max_iterations: 12, ..Options::new(k.min(8), 5) };
            same(&torn.rows, d, &auto, adding);
        }
    }
}

#[test]
fn odd_rows_are_dealt_as_the_cores_deal_them() {
    let same = |values: &[f32], d, options: &Options| same(values, d, options, Adding::Cut);
    // All the same, no spread at all, duplicates, ties, and centroids out of every bound.
    same(&[3.5; 60], 2, &given(3, vec![3.5, 3.5, 3.5, 3.5, 0.0, 0.0]));
    same(&[0.0; 60], 2, &Options::new(1, 3));
    let steps: Vec<f32> = (0..200).map(|at| (at % 8) as f32).collect();
    same(&steps, 1, &given(2, vec![3.0, 4.0]));
    same(&steps, 1, &given(3, vec![1.0, 1e30, 5.0]));
    let huge: Vec<f32> = (0..90).map(|at| (at % 9) as f32 * 1e37 - 4e37).collect();
    same(&huge, 3, &Options::new(4, 1));
    let tiny: Vec<f32> = (0..90).map(|at| (at % 9) as f32 * 1e-40).collect();
    same(&tiny, 3, &Options::new(4, 1));
}

#[test]
fn where_the_device_is_lost_the_cores_go_on_and_say_why() {
    let torn = Torn::new(1500, 3, 7, 11, 0.8, 20.0);
    let (rows, options) = (Matrix::new(&torn.rows, 3).unwrap(), Options::new(7, 5));
    let by_cores = fit(&rows, &options, &Unwatched).unwrap();
    assert!(by_cores.iterations > 3, "{}", by_cores.iterations);
    for left in [0, 1, 3] {
        let open = |prepared: &Prepared| {
            let mut emulator = Emulator::new(&rows, prepared, Adding::Cut);
            emulator.left = Some(left);
            Ok(emulator)
        };
        let found = fit_on(open, &rows, &options, &Unwatched).unwrap();
        let told = found.fell_back.clone().unwrap();
        assert!(told.starts_with("the device failed to deal rows to centroids: an ill"), "{told}");
        is_that_of_the_cores(Fitted { fell_back: None, ..found }, &by_cores);
    }
}

#[test]
fn where_there_is_no_room_it_says_how_much_is_needed_and_free() {
    let torn = Torn::new(500, 8, 6, 2, 1.0, 0.0);
    let (rows, options) = (Matrix::new(&torn.rows, 8).unwrap(), Options::new(6, 4));
    let open = |_: &Prepared| -> Result<Emulator, Failure> {
        Err(Shape { n: 500, d: 8, k: 6 }.plan(1000).map(|_| ()).unwrap_err().into())
    };
    let found = fit_on(open, &rows, &options, &Unwatched).unwrap();
    let told = found.fell_back.clone().unwrap();
    assert!(told.contains("bytes are needed and 1000 are free"), "{told}");
    let by_cores = fit(&rows, &options, &Unwatched).unwrap();
    is_that_of_the_cores(Fitted { fell_back: None, ..found }, &by_cores);
}

#[test]
fn what_nobody_can_do_is_an_error() {
    let torn = Torn::new(50, 8, 6, 2, 1.0, 0.0);
    let rows = Matrix::new(&torn.rows, 8).unwrap();
    let open =
        |_: &Prepared| -> Result<Emulator, Failure> { Err(embedding::Error::Cancelled.into()) };
    let found = fit_on(open, &rows, &Options::new(5, 4), &Unwatched);
    assert_eq!(found, Err(embedding::Error::Cancelled));
}

#[test]
fn without_a_driver_a_device_that_is_asked_for_is_an_error() {
    let work = crate::cost::kmeans(1e7, 768.0, 1000.0, 25.0);
    assert!(Gpu::choose(Wanted::Cores, &work, 1e6).unwrap().is_none());
    assert!(Gpu::choose(Wanted::Auto, &work, 0.1).unwrap().is_none(), "too little to do");
    match Gpu::find() {
        Err(error) => {
            if error == CudaError::NoDriver {
                assert!(error.to_string().starts_with("no NVIDIA driver: libcuda"), "{error}");
            }
            assert_eq!(Gpu::choose(Wanted::Cuda, &work, 1.0).err(), Some(error));
            assert!(Gpu::choose(Wanted::Auto, &work, 1e6).unwrap().is_none());
        }
        Ok(_) => assert!(Gpu::choose(Wanted::Auto, &work, 1e6).unwrap().is_some()),
    }
}

/// Rows and centroids, dealt by a device that has them all and by one that is sent them.
fn deals_as_the_cores_do(card: &Rc<dyn Card>, shapes: &[(usize, usize, usize)]) {
    for (n, d, k) in shapes.iter().copied() {
        let torn = Torn::new(n, d, k, 11, 0.8, 20.0);
        let rows = Matrix::new(&torn.rows, d).unwrap();
        let options = Options { max_iterations: 3, ..given(k, torn.centroids) };
        let by_cores = fit(&rows, &options, &Unwatched).unwrap();
        let sent = Place::Sent { rows: padded(n / 3, BLOCK_ROWS) };
        for place in [None, Some(sent)] {
            let open =
                |prepared: &Prepared| Device::new(card, &rows, prepared, k, place, &Unwatched);
            let found = fit_on(open, &rows, &options, &Unwatched).unwrap();
            assert_eq!(found.place, place.or(Some(Place::Resident)));
            is_that_of_the_cores(found, &by_cores);
        }
    }
}

#[test]
fn the_committed_kernels_deal_as_the_cores_do() {
    for adding in [Adding::Cut, Adding::Rounded] {
        let card: Rc<dyn Card> = Machine::new(adding);
        deals_as_the_cores_do(&card, &[(500, 33, 130), (2500, 3, 5)]);
    }
}

#[test]
fn hopper_deals_as_the_cores_do() {
    // Boxes that arrays end in, one step and many, one tile of centroids and three.
    let shapes = [(500, 33, 130), (300, 200, 129), (2500, 3, 5), (140, 470, 90), (310, 64, 300)];
    for adding in [Adding::Cut, Adding::Rounded] {
        let card: Rc<dyn Card> = Machine::of_hopper(adding);
        deals_as_the_cores_do(&card, &shapes);
    }
}

#[test]
fn several_devices_deal_as_one() {
    let torn = Torn::new(2300, 5, 7, 11, 0.8, 20.0);
    let rows = Matrix::new(&torn.rows, 5).unwrap();
    let options = Options { max_iterations: 3, ..given(7, torn.centroids) };
    let by_cores = fit(&rows, &options, &Unwatched).unwrap();
    // More than there are blocks of rows.
    for many in [1, 2, 4] {
        let cards: Vec<Rc<dyn Card>> =
            (0..many).map(|_| Machine::new(Adding::Cut) as Rc<dyn Card>).collect();
        let open = |prepared: &Prepared| Several::new(&cards, &rows, prepared, 7, &Unwatched);
        let found = fit_on(open, &rows, &options, &Unwatched).unwrap();
        is_that_of_the_cores(found, &by_cores);
    }
}

#[test]
fn the_committed_kernels_are_what_is_emulated() {
    let (n, d, k) = (200, 70, 140);
    let torn = Torn::new(n, d, k, 5, 0.9, 3.0);
    let rows = Matrix::new(&torn.rows, d).unwrap();
    let prepared = Prepared::new(&rows, None, &Unwatched).unwrap();
    for adding in [Adding::Cut, Adding::Rounded] {
        let mut emulated = Emulator::new(&rows, &prepared, adding);
        let expected = emulated.deal(&torn.centroids).unwrap();
        assert!(expected.iter().any(|label| *label != UNSURE));
        for machine in [Machine::new(adding), Machine::of_hopper(adding)] {
            let card: Rc<dyn Card> = machine;
            let mut device = Device::new(&card, &rows, &prepared, k, None, &Unwatched).unwrap();
            assert_eq!(device.deal(&torn.centroids).unwrap(), expected);
        }
    }
}

#[test]
fn where_the_device_is_lost_the_cores_go_on() {
    let torn = Torn::new(500, 8, 6, 2, 1.0, 0.0);
    let (rows, options) = (Matrix::new(&torn.rows, 8).unwrap(), Options::new(6, 4));
    let by_cores = fit(&rows, &options, &Unwatched).unwrap();
    for left in [0, 1, 3] {
        let machine = Machine::new(Adding::Cut);
        machine.left.set(Some(left));
        let card: Rc<dyn Card> = machine;
        let open = |prepared: &Prepared| Device::new(&card, &rows, prepared, 6, None, &Unwatched);
        let found = fit_on(open, &rows, &options, &Unwatched).unwrap();
        let told = found.fell_back.clone().unwrap();
        assert!(told.contains("an illegal memory access"), "{told}");
        is_that_of_the_cores(Fitted { fell_back: None, ..found }, &by_cores);
    }
}

#[test]
fn what_is_not_there_for_the_device_is_told() {
    let torn = Torn::new(500, 8, 6, 2, 1.0, 0.0);
    let (rows, options) = (Matrix::new(&torn.rows, 8).unwrap(), Options::new(6, 4));
    let card: Rc<dyn Card> = Machine::with_memory(Adding::Cut, 20_000);
    let open = |prepared: &Prepared| Device::new(&card, &rows, prepared, 6, None, &Unwatched);
    let told = fit_on(open, &rows, &options, &Unwatched).unwrap().fell_back.unwrap();
    assert!(told.contains("bytes are needed and 20000 are free"), "{told}");
}

#[test]
fn the_device_s_clusters_are_those_of_the_cores() {
    let gpu = match Gpu::find() {
        Ok(gpu) => gpu,
        Err(error) => {
            println!("not run, since it wants a device: {error}");
            return;
        }
    };
    let shapes = [(1500, 3, 7), (40_000, 33, 130), (5000, 768, 64), (300, 96, 1)];
    deals_as_the_cores_do(&gpu.card, &shapes);
}
