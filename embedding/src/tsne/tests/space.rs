//! Layouts in space: that a tree pushes as pairs do, that steps go down the divergence, and that
//! a third dimension keeps more.

use super::super::tree::Tree;
use super::{affinities, options};
use crate::clouds::clouds;
use crate::kernel::Level;
use crate::metrics;
use crate::random::Random;
use crate::rows::{Matrix, RowSource};
use crate::tsne::descent::{Descent, Pace, RepulsionInSpace};
use crate::tsne::exact::Pairs;
use crate::tsne::{EXACT_MAX, Options, fit};
use crate::watch::Unwatched;

/// Points in eight heaps, within so many units.
fn heaps(n: usize, reach: f64) -> Vec<[f32; 3]> {
    let random = Random::new(5, 1);
    let unit = |at: usize| random.unit(at as u64);
    let point = |row: usize| {
        let heap = (unit(4 * row) * 8.0) as usize;
        [1, 2, 3].map(|at| {
            let middle = (heap >> (at - 1) & 1) as f64 / 2.0;
            ((middle + 0.3 * unit(4 * row + at)) * reach) as f32
        })
    };
    (0..n).map(point).collect()
}

#[test]
fn a_tree_pushes_as_pairs_do() {
    for (n, reach, most) in [
        (1, 1.0, 0.0),
        (17, 3.0, 3e-2),
        (1500, 1e-4, 1e-2),
        (3000, 2.0, 2e-2),
        (3000, 30.0, 1e-2),
        (900, 400.0, 1e-2),
    ] {
        let points = heaps(n, reach);
        let (mut pairs, mut tree) = (Pairs::default(), Tree::default());
        let wanted = pairs.update(&points, 1, &Unwatched).unwrap();
        let found = tree.update(&points, 2, &Unwatched).unwrap();
        assert!((found - wanted).abs() <= 5e-3 * wanted + 1e-4, "{reach}: {found} {wanted}");
        let (mut off, mut all) = (0.0_f64, 1e-12_f64);
        for row in 0..n {
            for (found, wanted) in tree.force(row).iter().zip(pairs.force(row)) {
                off += f64::from(found - wanted).powi(2);
                all += f64::from(wanted).powi(2);
            }
        }
        assert!((off / all).sqrt() <= most, "{reach}: {}", (off / all).sqrt());
    }
    // Points that are one are many all the same.
    let points = vec![[1.0, 2.0, 3.0]; 50];
    let mut tree = Tree::default();
    assert_eq!(tree.update(&points, 1, &Unwatched).unwrap(), 50.0 * 49.0);
    assert_eq!(tree.force(7), [0.0; 3]);
}

#[test]
fn neither_threads_nor_processors_make_a_difference() {
    let points = heaps(5000, 40.0);
    let with = |level: Level, threads: usize| {
        let mut tree = Tree::at(level);
        let sum = tree.update(&points, threads, &Unwatched).unwrap();
        let forces: Vec<[f32; 3]> = (0..points.len()).map(|row| tree.force(row)).collect();
        (sum.to_bits(), forces)
    };
    let wanted = with(Level::Portable, 1);
    for level in Level::all() {
        assert!(with(level, 1) == wanted && with(level, 3) == wanted, "{level:?}");
    }
    let values = clouds(EXACT_MAX + 200, 5, 4);
    let rows = Matrix::new(&values, 5).unwrap();
    let few = |threads| Options { dimensions: 3, iterations: 40, ..options(threads) };
    let one = fit(&rows, &few(1), &Unwatched).unwrap();
    assert_eq!(one, fit(&rows, &few(3), &Unwatched).unwrap());
}

#[test]
fn a_step_goes_down_the_divergence() {
    let values = clouds(120, 6, 3);
    let rows = Matrix::new(&values, 6).unwrap();
    let affinities = affinities(&rows, 60, 20.0);
    let points = heaps(120, 12.0);
    let at = |points: Vec<[f32; 3]>| {
        let exact = RepulsionInSpace::Exact(Pairs::default());
        Descent::new(&affinities, exact, points, 3, 1)
    };
    let mut descent = at(points.clone());
    // No momentum, and a first gain of 0.8, since there was no step before.
    descent.step(Pace { exaggeration: 1.0, rate: 100.0, momentum: 0.0 }, &Unwatched).unwrap();
    for row in (0..120).step_by(17) {
        for axis in 0..3 {
            let divergence = |offset: f32| {
                let mut moved = points.clone();
                moved[row][axis] += offset;
                let beyond = f64::from(moved[row][axis]);
                (at(moved).divergence(&Unwatched).unwrap(), beyond)
            };
            let (above, below) = (divergence(0.05), divergence(-0.05));
            let slope = (above.0 - below.0) / (above.1 - below.1);
            let step = f64::from(descent.points[row][axis] - points[row][axis]);
            let wanted = -slope / 4.0 * 0.8 * 100.0;
            assert!((step - wanted).abs() < 0.02 * wanted.abs() + 1e-3, "{step} {wanted}");
        }
    }
}

#[test]
fn a_third_dimension_keeps_more() {
    // Below and above where pairs are quicker.
    for n in [900, EXACT_MAX + 300] {
        let values = clouds(n, 12, 3);
        let rows = Matrix::new(&values, 12).unwrap();
        let trust = |dimensions: usize| {
            let found = fit(&rows, &Options { dimensions, ..options(2) }, &Unwatched).unwrap();
            assert_eq!(found.points.len(), rows.rows() * dimensions);
            let trust = metrics::trustworthiness(&rows, &found.points, 15, 1, 1, &Unwatched);
            (trust.unwrap().unwrap().value, found.kl)
        };
        let (plane, space) = (trust(2), trust(3));
        assert!(space.0 > plane.0 && space.1 < plane.1, "{plane:?} {space:?}");
    }
}
