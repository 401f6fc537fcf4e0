//! Scores of 16 bits by whoever adds them: those of AMX are played where the processor has none.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod player;

use super::*;
use crate::random::Random;

/// How somebody is made to run.
type Run = fn(&mut dyn FnMut());

/// Whoever can be tried on this machine.
fn all() -> Vec<(Products, Run)> {
    let level = Level::detect();
    let mut all: Vec<(Products, Run)> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    if matches!(level, Level::Avx512) && is_x86_feature_detected!("avx512bf16") {
        all.push((Products::Avx512, |run| run()));
    }
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    all.push((Products::Amx, |run| {
        let is_there = amx::has();
        let played = player::play(player::Fault::None, run);
        assert_eq!(played == 0, is_there, "{played} instructions were played");
    }));
    let _ = level;
    all
}

fn values(n: usize, from: usize, offset: f32) -> Vec<f32> {
    let random = Random::new(7, 0);
    (from..from + n).map(|at| (random.unit(at as u64) * 4.0 - 2.0) as f32 + offset).collect()
}

#[test]
fn the_nearest_is_among_the_candidates() {
    for (products, run) in all() {
        for (n, k, d, offset) in
            [(100, 256, 64, 0.0), (97, 300, 65, 40.0), (50, 1000, 131, -3.0), (49, 257, 96, 1e6)]
        {
            let (rows, centroids) = (values(n * d, 0, offset), values(k * d, 1 << 30, offset));
            run(&mut || look_for_the_nearest(products, &rows, &centroids, d, offset));
        }
    }
}

fn look_for_the_nearest(
    products: Products,
    rows: &[f32],
    centroids: &[f32],
    d: usize,
    offset: f32,
) {
    let (level, n, k) = (Level::detect(), rows.len() / d, centroids.len() / d);
    let coarse = Coarse::by(products, level, centroids, d).unwrap();
    let (mut at, mut many) = (0, 0);
    coarse.candidates(level, rows, &mut Room::default(), |row, candidates| {
        assert_eq!(row, &rows[at * d..(at + 1) * d]);
        let apart = |c: &[f32]| -> f64 {
            let both = row.iter().zip(c);
            both.map(|(x, c)| (f64::from(*x) - f64::from(*c)).powi(2)).sum()
        };
        let squares: Vec<f64> = centroids.chunks(d).map(apart).collect();
        let nearest = (0..k).min_by(|a, b| squares[*a].total_cmp(&squares[*b]));
        assert!(candidates.contains(&(nearest.unwrap_or(k) as u32)), "{products:?} {n} {k} {d}");
        assert!(candidates.iter().all(|c| (*c as usize) < k));
        at += 1;
        many += candidates.len();
    });
    assert_eq!(at, n);
    assert!(offset > 1e5 || many < n * k / 4, "{many} of {}", n * k);
}

#[test]
fn no_score_is_wrong_by_more_than_is_said() {
    for (products, run) in all() {
        for (n, k, d, offset) in [(40, 256, 64, 0.0), (33, 290, 99, 5.0), (7, 256, 770, 0.0)] {
            let (rows, centroids) = (values(n * d, 3, offset), values(k * d, 1 << 29, offset));
            run(&mut || {
                let worst = worst_of(products, &rows, &centroids, d);
                assert!(worst <= 1.0, "{products:?} {n} {k} {d}: {worst} times the bound");
                assert!(worst > 1e-3, "{products:?} {n} {k} {d}: a bound of nothing, {worst}");
            });
        }
    }
}

/// The largest error of a score, as a share of what it may be.
fn worst_of(products: Products, rows: &[f32], centroids: &[f32], d: usize) -> f64 {
    let level = Level::detect();
    let coarse = Coarse::by(products, level, centroids, d).unwrap();
    let (half, n) = (coarse.half, rows.len() / d);
    let width = coarse.half_norms.len();
    let mut room = Room {
        pairs: vec![0; products.rows_at_once() * half],
        scores: vec![0.0; products.rows_at_once() * width],
        ..Room::default()
    };
    let pairs = room.pairs.chunks_exact_mut(half);
    let own: Vec<Halved> = rows
        .chunks_exact(d)
        .zip(pairs)
        .map(|(row, to)| halved(level, row, &coarse.centre, to))
        .collect();
    coarse.score(n, &mut room);
    let mut worst = 0.0_f64;
    for ((row, scores), own) in rows.chunks(d).zip(room.scores.chunks(width)).zip(own) {
        for (centroid, score) in centroids.chunks(d).zip(scores) {
            let about = |x: &f32, at: usize| f64::from(*x) - f64::from(coarse.centre[at]);
            let both = row.iter().zip(centroid).enumerate();
            let product: f64 = both.map(|(at, (x, c))| about(x, at) * about(c, at)).sum();
            let exact = half_square(centroid, &coarse.centre) - product;
            worst = worst.max((exact - f64::from(*score)).abs() / coarse.error(own));
        }
        assert!(scores[centroids.len() / d..].iter().all(|score| *score == f32::INFINITY));
    }
    worst
}

#[test]
fn some_centroids_are_not_for_sixteen_bits() {
    let level = Level::detect();
    for (products, _) in all() {
        let of = |centroids: &[f32]| Coarse::by(products, level, centroids, 64);
        // Fewer are quicker as they are, and what is out of bounds is not for 16 bits.
        assert!(of(&[1.0; 100 * 64]).is_none());
        assert!(of(&vec![0.5; 300 * 64]).is_none(), "all the same");
        let huge: Vec<f32> = (0..300 * 64).map(|at| (at % 7) as f32 * 1e20).collect();
        assert!(of(&huge).is_none());
        assert!(Coarse::new(Level::Portable, &huge, 64).is_none());
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn tiles_that_compute_something_else_are_found_out() {
    use player::Fault;
    if amx::has() {
        // Of real ones no fault can be had.
        return;
    }
    for (fault, is_right) in [(Fault::None, true), (Fault::Product, false), (Fault::Line, false)] {
        let mut found = None;
        let played = player::play(fault, &mut || found = Some(amx::is_right()));
        assert_eq!(found, Some(is_right), "{fault:?}");
        // Two steps of eight instructions in two halves, and what is around them.
        assert_eq!(played, 2 * (4 + 2 * 8 + 4) + 2);
    }
}
