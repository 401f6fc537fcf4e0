//! Neighbours by lists beside those of all pairs: how many, odd rows, and that nothing but the
//! seed decides.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::knn::exact;
use crate::random::Random;
use crate::watch::{Phase, Unwatched};

/// Lists for any number of rows, and all rows for the measure.
fn plan() -> Plan {
    Plan { exact_work: 0.0, sampled: usize::MAX, ..Plan::default() }
}

fn noise(n: usize, d: usize) -> Vec<f32> {
    let random = Random::new(21, 0);
    (0..n * d).map(|at| random.unit(at as u64) as f32).collect()
}

/// Clouds about corners of a cube, row after row of another.
fn clouds(n: usize, d: usize) -> Vec<f32> {
    let corner = |at: usize| if (at / d * 31) >> (at % d) & 1 == 1 { 2.0 } else { 0.0 };
    noise(n, d).into_iter().enumerate().map(|(at, x)| x + corner(at)).collect()
}

fn find(values: &[f32], d: usize, k: usize, plan: &Plan, threads: usize) -> Found {
    let rows = Matrix::new(values, d).unwrap();
    nearest(&rows, k, threads, 5, plan, &Unwatched).unwrap()
}

/// The share of a row's k others that are as near as the k-th of all pairs, by a plain loop.
fn recall_of(values: &[f32], d: usize, found: &Neighbours) -> f64 {
    let rows = Matrix::new(values, d).unwrap();
    let all = exact(&rows, found.k, Some(2), &Unwatched).unwrap();
    let mut hits = 0;
    for (row, true_distances) in all.distances.chunks(found.k).enumerate() {
        let slots = row * found.k..(row + 1) * found.k;
        let (near, distances) = (&found.rows[slots.clone()], &found.distances[slots]);
        assert!(distances.is_sorted() && !near.contains(&(row as u32)), "{row} {near:?}");
        let mut others = near.to_vec();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), found.k, "nobody is there twice: {row}");
        for (other, distance) in near.iter().zip(distances) {
            let of = |row: usize| &values[row * d..(row + 1) * d];
            let square = crate::metrics::squared_distance(of(row), of(*other as usize));
            assert_eq!(*distance, square.sqrt() as f32);
        }
        let farthest = true_distances[found.k - 1];
        hits += distances.iter().filter(|distance| **distance <= farthest).count();
    }
    hits as f64 / all.distances.len() as f64
}

#[test]
fn what_is_told_of_recall_is_so() {
    for (values, d) in [(clouds(6000, 8), 8), (noise(6000, 6), 6), (noise(5000, 2), 2)] {
        let found = find(&values, d, 15, &plan(), 2);
        let recall = recall_of(&values, d, &found.neighbours);
        assert_eq!(found.recall, recall);
        assert!((0.95..1.0).contains(&recall), "lists are used, and enough of them: {recall}");
        // By a sample, nearly.
        let sampled = find(&values, d, 15, &Plan { sampled: 500, ..plan() }, 2);
        let recall = recall_of(&values, d, &sampled.neighbours);
        assert!(recall >= 0.95 && (sampled.recall - recall).abs() < 0.01, "{recall}");
    }
}

#[test]
fn where_lists_are_of_no_use_all_pairs_are_looked_at() {
    let values = noise(3000, 100);
    assert_eq!(find(&values, 100, 10, &plan(), 2).recall, 1.0);
    let few = Matrix::new(&values, 100).unwrap();
    let all = exact(&few, 10, Some(1), &Unwatched).unwrap();
    assert_eq!(find(&values, 100, 10, &plan(), 1).neighbours, all);
}

#[test]
fn all_rows_are_looked_at_up_to_some_work() {
    let values = noise(1200, 2);
    let work = 1200_f64.powi(2) * (2 + PAIR) as f64;
    let up_to = |exact_work: f64| find(&values, 2, 5, &Plan { exact_work, ..plan() }, 1).recall;
    assert_eq!(up_to(work), 1.0);
    assert!(up_to(work - 1.0) < 1.0);
}

#[test]
fn threads_and_memory_make_no_difference_and_seeds_do() {
    let values = noise(9000, 5);
    let one = find(&values, 5, 12, &plan(), 1);
    assert!(one.recall < 1.0, "lists are used");
    assert_eq!(one, find(&values, 5, 12, &plan(), 3));
    // A few lists at a time, and one.
    for bytes in [200_000, 1] {
        assert_eq!(one, find(&values, 5, 12, &Plan { bytes, ..plan() }, 2), "{bytes}");
    }
    let rows = Matrix::new(&values, 5).unwrap();
    let other = nearest(&rows, 12, 2, 6, &plan(), &Unwatched).unwrap();
    assert_ne!(one, other);
}

/// What a row found is what a plain loop finds in the lists that it looked at: so rounding in
/// 32 bits, which is not the same on every processor, has no part in it.
#[test]
fn in_its_lists_a_row_finds_the_nearest_without_doubt() {
    let (n, d, k) = (4000, 5, 9);
    // Far from zero, and rows alike but for the last place.
    let near = |x: f32| 900.0 + (x * 64.0).floor() / 512.0;
    let values: Vec<f32> = noise(n, d).into_iter().map(near).collect();
    let rows = Matrix::new(&values, d).unwrap();
    let lists = Lists::new(&rows, 60, 5, 2, &Unwatched).unwrap();
    let watch = &Unwatched;
    let ivf = Ivf { rows: &rows, lists: &lists, n_probes: 4, threads: 2, watch };
    let found = ivf.at_once(k, &Steps::new(1, watch)).unwrap();
    for row in (0..n).step_by(13) {
        let own = &values[row * d..(row + 1) * d];
        let probes = &lists.in_order(own, lists.list(row))[..4];
        let others = (0..n).filter(|other| *other != row && probes.contains(&lists.list(*other)));
        let square = |other: usize| {
            crate::metrics::squared_distance(own, &values[other * d..(other + 1) * d])
        };
        let mut expected: Vec<(f64, u32)> =
            others.map(|other| (square(other), other as u32)).collect();
        crate::knn::candidates::sort(&mut expected);
        let expected: Vec<u32> = expected.iter().take(k).map(|(_, other)| *other).collect();
        assert_eq!(found.rows[row * k..(row + 1) * k], expected, "{row}");
    }
}

#[test]
fn odd_rows_have_neighbours_all_the_same() {
    // All alike; half alike; three kinds; two rows far from all others.
    let alike = vec![3.5; 3000 * 3];
    let mut half = noise(3000, 3);
    half[..4500].fill(0.25);
    let kinds: Vec<f32> = (0..3000 * 3).map(|at| (at / 3 % 3) as f32).collect();
    let mut far = clouds(3000, 3);
    far[..6].fill(1e6);
    for (which, values) in [alike, half, kinds, far].iter().enumerate() {
        let found = find(values, 3, 15, &plan(), 2);
        let recall = recall_of(values, 3, &found.neighbours);
        assert!(recall >= 0.95 && found.recall == recall, "{which}: {recall}");
    }
}

#[test]
fn lists_may_be_shorter_than_neighbours_are_many() {
    let values = clouds(800, 4);
    for (lists, k) in [(10.0, 15), (20.0, 15), (28.0, 3), (1.0, 120), (1.0, 799), (0.0, 5)] {
        let found = find(&values, 4, k, &Plan { lists, ..plan() }, 2);
        let recall = recall_of(&values, 4, &found.neighbours);
        assert!(recall >= 0.95 && found.recall == recall, "{lists} {k}: {recall}");
    }
    let (few, d) = ([1.0, 2.0, 4.0], 1);
    assert_eq!(find(&few, d, 2, &plan(), 2).neighbours.rows, [1, 2, 0, 2, 1, 0]);
}

/// Cancels when it was asked so many times, and keeps what it is told.
struct Impatient {
    asked: AtomicU64,
    most: u64,
    told: Mutex<Vec<(u64, u64)>>,
}

impl Watch for Impatient {
    fn progress(&self, phase: Phase, done: u64, of: u64) {
        assert_eq!(phase, Phase::Neighbours);
        self.told.lock().unwrap().push((done, of));
    }

    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.most
    }
}

#[test]
fn it_is_watched_and_may_be_cancelled_at_any_time() {
    let values = clouds(7000, 8);
    let rows = Matrix::new(&values, 8).unwrap();
    let run = |most: u64| {
        let watch = Impatient { asked: AtomicU64::new(0), most, told: Mutex::default() };
        let found = nearest(&rows, 8, 1, 5, &plan(), &watch);
        (found, watch.asked.into_inner(), watch.told.into_inner().unwrap())
    };
    let (found, asked, told) = run(u64::MAX);
    assert!(found.unwrap().recall < 1.0);
    assert!(told.is_sorted() && told.last() == Some(&(7, 7)), "{told:?}");
    for most in (0..asked).step_by(asked as usize / 9) {
        let (found, asked, _) = run(most);
        assert_eq!(found.unwrap_err(), Error::Cancelled);
        assert_eq!(asked, most + 1, "nobody is asked again");
    }
}
