//! Neighbours beside those of a plain loop, and what was measured of them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::metrics::squared_distance;
use crate::random::Random;
use crate::rows::Matrix;
use crate::watch::Unwatched;

fn random_rows(n: usize, d: usize, offset: f32) -> Vec<f32> {
    let random = Random::new(7, 0);
    (0..n * d).map(|at| random.unit(at as u64) as f32 + offset).collect()
}

#[test]
fn neighbours_are_those_of_a_plain_loop() {
    for (n, d, k, offset) in
        [(50, 3, 5, 0.0), (1500, 8, 15, 0.0), (1100, 17, 4, 30.0), (1030, 5, 6, 1e4)]
    {
        let values = random_rows(n, d, offset);
        let rows = Matrix::new(&values, d).unwrap();
        let found = exact(&rows, k, Some(3), &Unwatched).unwrap();
        for (row, own) in values.chunks(d).enumerate().step_by(7) {
            let distance = |other: &[f32]| squared_distance(own, other);
            let mut all: Vec<(f64, u32)> = (0..)
                .zip(values.chunks(d))
                .filter(|(other, _)| *other != row as u32)
                .map(|(other, values)| (distance(values), other))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let expected: Vec<u32> = all.iter().take(k).map(|(_, other)| *other).collect();
            assert_eq!(found.rows[row * k..(row + 1) * k], expected, "{n} {d} {row}");
            let nearest = all[0].0.sqrt() as f32;
            assert_eq!(found.distances[row * k], nearest);
        }
    }
}

#[test]
fn neighbours_far_from_the_middle_are_found_all_the_same() {
    // Two clouds a long way from each other, each much smaller than that.
    let cloud = random_rows(1400, 4, 0.0);
    let far = |at: usize| if (at / 4).is_multiple_of(2) { 3000.0 } else { -3000.0 };
    let values: Vec<f32> = cloud.iter().enumerate().map(|(at, x)| x + far(at)).collect();
    let rows = Matrix::new(&values, 4).unwrap();
    let found = exact(&rows, 10, Some(2), &Unwatched).unwrap();
    for row in (0..1400).step_by(11) {
        let own = &values[row * 4..(row + 1) * 4];
        let mut all: Vec<(f64, u32)> = (0..)
            .zip(values.chunks(4))
            .filter(|(other, _)| *other != row as u32)
            .map(|(other, values)| (squared_distance(own, values), other))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let expected: Vec<u32> = all.iter().take(10).map(|(_, other)| *other).collect();
        assert_eq!(found.rows[row * 10..(row + 1) * 10], expected, "{row}");
    }
    let huge = [1e20_f32, -1e20, 3e20, 2e20];
    let found = exact(&Matrix::new(&huge, 1).unwrap(), 2, Some(1), &Unwatched);
    assert_eq!(found.unwrap_err(), Error::TooFar { row: 0 });
}

#[test]
fn rows_that_are_alike_are_neighbours_of_each_other_not_of_themselves() {
    let values = [1.0; 20];
    let found = exact(&Matrix::new(&values, 2).unwrap(), 3, Some(2), &Unwatched).unwrap();
    for (row, near) in found.rows.chunks(3).enumerate() {
        assert!(near.iter().all(|other| *other as usize != row), "{row} {near:?}");
    }
    assert!(found.distances.iter().all(|distance| *distance == 0.0));
    let few = exact(&Matrix::new(&values, 10).unwrap(), 2, None, &Unwatched);
    assert_eq!(few.unwrap_err(), Error::BadNeighbours { neighbours: 2, most: 1 });
}
