//! Layouts: that neighbours stay neighbours, that pushes and pulls are what the divergence asks
//! for, odd rows, and that nothing but the seed decides.
#![allow(clippy::unwrap_used)]

mod space;

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clouds::clouds;
use crate::kernel::Level;
use crate::metrics;
use crate::rows::Matrix;
use crate::watch::Unwatched;

/// Points of a layout in nine heaps, within so many units.
fn heaps(n: usize, reach: f64) -> Vec<[f32; 2]> {
    let random = Random::new(5, 1);
    let unit = |at: usize| random.unit(at as u64);
    let point = |row: usize| {
        let heap = (unit(3 * row) * 9.0) as usize;
        let near = |at: usize, place: usize| {
            let middle = (place % 3) as f64 / 3.0;
            ((middle + 0.2 * unit(3 * row + at)) * reach) as f32
        };
        [near(1, heap), near(2, heap / 3)]
    };
    (0..n).map(point).collect()
}

fn options(threads: usize) -> Options {
    Options { threads: Some(threads), ..Options::new(2, 5) }
}

fn affinities(rows: &dyn RowSource, k: usize, perplexity: f64) -> Affinities {
    let neighbours = knn::exact(rows, k, Some(1), &Unwatched).unwrap();
    Affinities::new(&neighbours, perplexity, 1, &Unwatched).unwrap()
}

#[test]
fn clouds_stay_apart_and_whole() {
    let (n, d, k) = (900, 12, 3);
    let values = clouds(n, d, k);
    let rows = Matrix::new(&values, d).unwrap();
    let layout = fit(&rows, &options(2), &Unwatched).unwrap();
    assert!(!layout.restarted && layout.neighbours == 91 && layout.perplexity == 30.0);
    let labels: Vec<u32> = (0..n as u32).map(|row| row % k as u32).collect();
    let drawn = Matrix::new(&layout.points, 2).unwrap();
    let apart = metrics::silhouette(&drawn, &labels, 1, 1, &Unwatched).unwrap().unwrap();
    assert!(apart.mean > 0.5, "{apart:?}");
    let trust = metrics::trustworthiness(&rows, &layout.points, 15, 1, 1, &Unwatched);
    let trust = trust.unwrap().unwrap();
    assert!(trust.value > 0.93, "{trust:?}");
}

#[test]
fn a_grid_pushes_as_pairs_do() {
    const FLAT: usize = 1501;
    // Of one dimension where they are flat.
    for (n, reach, finer, most) in [
        (1500, 1e-4, 1.0, 1e-5),
        (1500, 0.3, 1.0, 1e-5),
        (1500, 9.0, 1.0, 1e-3),
        (1500, 80.0, 1.0, 1e-2),
        (1500, 80.0, 3.0, 1e-3),
        (800, 300.0, 3.0, 2e-3),
        (FLAT, 2.0, 1.0, 1e-3),
        (FLAT, 900.0, 3.0, 1e-3),
    ] {
        let mut points = heaps(n, reach);
        if n == FLAT {
            points.iter_mut().for_each(|point| point[1] = 0.0);
        }
        let (mut pairs, mut field) = (Pairs::default(), Field::new(finer));
        let wanted = pairs.update(&points, 1, &Unwatched).unwrap();
        let found = field.update(&points, 2, &Unwatched).unwrap();
        assert!((found / wanted - 1.0).abs() < most, "{reach}: {found} {wanted}");
        let (mut off, mut all) = (0.0_f64, 0.0_f64);
        for (row, point) in points.iter().enumerate() {
            for (found, wanted) in field.force(point).iter().zip(pairs.force(row)) {
                off += f64::from(found - wanted).powi(2);
                all += f64::from(wanted).powi(2);
            }
        }
        assert!((off / all).sqrt() < most, "{reach}: {}", (off / all).sqrt());
    }
}

#[test]
fn a_grid_that_is_used_again_is_as_good_as_a_new_one() {
    let mut used = Field::new(1.0);
    for reach in [1e-3, 20.0, 21.0, 40.0, 300.0, 36.0, 5.0] {
        let points = heaps(600, reach);
        let mut new = Field::new(1.0);
        let sums = [&mut used, &mut new].map(|field| field.update(&points, 1, &Unwatched).unwrap());
        assert!((sums[0] / sums[1] - 1.0).abs() < 1e-4, "{reach}: {sums:?}");
        for point in &points {
            let [one, other] = [used.force(point), new.force(point)];
            let scale = 1e-4 * reach.min(1.0) * 600.0;
            assert!((f64::from(one[0]) - f64::from(other[0])).abs() < scale, "{one:?} {other:?}");
        }
    }
}

/// The divergence by its definition, and what is left of it where points are anywhere.
fn divergence(affinities: &Affinities, points: &[[f64; 2]]) -> f64 {
    let near =
        |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    let all = points.iter().flat_map(|a| points.iter().map(|b| near(*a, *b)));
    let sum = all.sum::<f64>() - points.len() as f64;
    let mut divergence = 0.0;
    for (row, point) in points.iter().enumerate() {
        let (others, shares) = affinities.of(row);
        for (other, share) in others.iter().zip(shares).filter(|(_, share)| **share > 0.0) {
            let p = f64::from(*share);
            divergence += p * (p / (near(*point, points[*other as usize]) / sum)).ln();
        }
    }
    divergence
}

#[test]
fn a_step_goes_down_the_divergence() {
    let values = clouds(150, 6, 3);
    let rows = Matrix::new(&values, 6).unwrap();
    let affinities = affinities(&rows, 60, 20.0);
    let points = heaps(150, 12.0);
    let wide: Vec<[f64; 2]> = points.iter().map(|point| point.map(f64::from)).collect();
    let exact = Repulsion::Exact(Pairs::default());
    let mut descent = Descent::new(&affinities, exact, points.clone(), 2, 1);
    let found = descent.divergence(&Unwatched).unwrap();
    assert!((found / divergence(&affinities, &wide) - 1.0).abs() < 1e-6, "{found}");
    // No momentum, and a first gain of 0.8, since there was no step before.
    let pace = Pace { exaggeration: 1.0, rate: 100.0, momentum: 0.0 };
    descent.step(pace, &Unwatched).unwrap();
    for row in (0..150).step_by(17) {
        for axis in 0..2 {
            let at = |offset: f64| {
                let mut moved = wide.clone();
                moved[row][axis] += offset;
                divergence(&affinities, &moved)
            };
            let slope = (at(1e-4) - at(-1e-4)) / 2e-4;
            let step = f64::from(descent.points[row][axis] - points[row][axis]);
            let wanted = -slope / 4.0 * 0.8 * 100.0;
            assert!((step - wanted).abs() < 1e-4 * wanted.abs() + 1e-6, "{step} {wanted}");
        }
    }
}

#[test]
fn threads_make_no_difference_and_seeds_do() {
    for n in [700, EXACT_MAX + 500] {
        let values = clouds(n, 5, 4);
        let rows = Matrix::new(&values, 5).unwrap();
        let few = |threads| Options { iterations: 60, ..options(threads) };
        let one = fit(&rows, &few(1), &Unwatched).unwrap();
        for threads in [2, 3] {
            let same = fit(&rows, &few(threads), &Unwatched).unwrap();
            assert_eq!(one.kl.to_bits(), same.kl.to_bits());
            assert_eq!(one, same);
        }
        let other = Options { seed: 6, ..few(3) };
        assert_ne!(one.points, fit(&rows, &other, &Unwatched).unwrap().points);
    }
    let points = heaps(70_000, 150.0);
    let forces = |threads: usize| {
        let mut field = Field::new(1.0);
        let sum = field.update(&points, threads, &Unwatched).unwrap();
        let forces: Vec<[f32; 2]> = points.iter().map(|point| field.force(point)).collect();
        (sum.to_bits(), forces)
    };
    assert!(forces(1) == forces(3));
}

#[test]
fn processors_make_no_difference() {
    let values = clouds(500, 5, 4);
    let rows = Matrix::new(&values, 5).unwrap();
    let affinities = affinities(&rows, 90, 30.0);
    let points = heaps(500, 30.0);
    let moved = |level: Level, grid: bool| {
        let repulsion = match grid {
            true => Repulsion::Grid(Box::new(Field::at(level, 1.0))),
            false => Repulsion::Exact(Pairs::at(level)),
        };
        let mut descent = Descent::new(&affinities, repulsion, points.clone(), 2, 1);
        descent.level = level;
        let pace = Pace { exaggeration: 1.0, rate: 500.0, momentum: 0.8 };
        for _ in 0..5 {
            descent.step(pace, &Unwatched).unwrap();
        }
        let divergence = descent.divergence(&Unwatched).unwrap();
        (descent.points, divergence.to_bits())
    };
    for grid in [false, true] {
        let portable = moved(Level::Portable, grid);
        for level in Level::all() {
            assert!(moved(level, grid) == portable, "{level:?} {grid}");
        }
    }
}

#[test]
fn lines_are_known_and_left() {
    let values = clouds(100, 6, 2);
    let rows = Matrix::new(&values, 6).unwrap();
    let affinities = affinities(&rows, 10, 3.0);
    let is_line = |point: &dyn Fn(usize) -> [f32; 2]| {
        let points = (0..100).map(point).collect();
        let exact = Repulsion::Exact(Pairs::default());
        Descent::new(&affinities, exact, points, 2, 1).is_line()
    };
    assert!(is_line(&|row| [row as f32, 0.5 * row as f32]));
    let heap = heaps(100, 1.0);
    assert!(!is_line(&|row| heap[row]));
    // Far from each other, and no line all the same.
    assert!(!is_line(&|row| [
        heap[row][0] + if row % 2 == 0 { 50.0 } else { -50.0 },
        heap[row][1]
    ]));
    // Begun again they are laid out as well.
    let start = Start::new(&rows, 2, 1, &Unwatched).unwrap();
    assert!(start.plane);
    let options = options(1);
    let run = Run { affinities: &affinities, start: &start, options: &options, threads: 1 };
    let (mut first, restarted) = run.descend::<Repulsion, 2>(&Unwatched).unwrap();
    let mut again = run.begin_again();
    assert_ne!(again.points, start.points(2, 5, SHAKEN));
    run.steps(&mut again, 0..options.iterations, &Unwatched).unwrap();
    let kls = [&mut first, &mut again].map(|descent| descent.divergence(&Unwatched).unwrap());
    assert!(!restarted && (kls[0] - kls[1]).abs() < 0.1 * kls[0], "{kls:?}");
    let flat = Matrix::new(&values, 1).unwrap();
    assert!(!Start::new(&flat, 2, 1, &Unwatched).unwrap().plane);
}

#[test]
fn odd_rows_have_a_layout_or_an_error() {
    let lay = |values: &[f32], d: usize, options: Options| {
        fit(&Matrix::new(values, d).unwrap(), &options, &Unwatched)
    };
    let twice = [clouds(30, 6, 2), clouds(30, 6, 2)].concat();
    for (values, d) in [
        (vec![1.0, 2.0], 2),
        (vec![1.0, 2.0, 3.0, 4.0], 2),
        (vec![1.0, 2.0, 1.0, 2.0], 2),
        (vec![1.0, 2.0, 4.0], 1),
        (vec![1.0, 2.0, 3.0, 4.0, 9.0, 7.0, 7.0, 7.0], 2),
        (vec![5.0; 60], 3),
        (vec![5.0; (EXACT_MAX + 9) * 2], 2),
        ((0..50).map(|row| row as f32).collect(), 1),
        (twice, 6),
        (clouds(40, 6, 2).iter().map(|x| x + 1e6).collect(), 6),
        (clouds(40, 6, 2).iter().map(|x| x * 1e15).collect(), 6),
    ] {
        for m in [1, 2, 3] {
            let few = if values.len() > 1000 { 30 } else { 750 };
            let options = Options { dimensions: m, iterations: few, ..options(1) };
            let layout = lay(&values, d, options).unwrap();
            assert_eq!(layout.points.len(), values.len() / d * m);
            assert!(layout.points.iter().all(|x| x.is_finite()), "{values:?} {m}");
            assert!(layout.kl.is_finite() && layout.kl > -1e-6, "{values:?} {m} {}", layout.kl);
        }
    }
    let values = clouds(40, 6, 2);
    for dimensions in [0, 4] {
        let found = lay(&values, 6, Options { dimensions, ..options(1) });
        assert_eq!(found.unwrap_err(), Error::BadComponents { components: dimensions, most: 3 });
    }
    for bad in [f64::NAN, f64::INFINITY, 0.5, -3.0] {
        assert!(lay(&values, 6, Options { perplexity: Some(bad), ..options(1) }).is_err());
    }
    let wide = Options { perplexity: Some(500.0), iterations: 0, ..options(1) };
    let layout = lay(&values, 6, wide).unwrap();
    assert_eq!((layout.perplexity, layout.neighbours), (13.0, 39));
    assert_eq!(lay(&[], 6, options(1)).unwrap_err(), Error::NoRows);
}

#[test]
fn a_layout_ends_where_it_is_cancelled() {
    struct Impatient(AtomicU64);
    impl Watch for Impatient {
        fn progress(&self, phase: Phase, done: u64, of: u64) {
            if phase == Phase::Epochs {
                assert_eq!(of, 750);
                self.0.store(done, Ordering::Relaxed);
            }
        }

        fn is_cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed) >= 3
        }
    }
    let values = clouds(200, 6, 2);
    let watch = Impatient(AtomicU64::new(0));
    let found = fit(&Matrix::new(&values, 6).unwrap(), &options(2), &watch);
    assert_eq!(found.unwrap_err(), Error::Cancelled);
    assert_eq!(watch.0.load(Ordering::Relaxed), 3);
}
