//! Eigenvalues held to spectra that are known and to Jacobi's rotations, eigenvectors to what
//! they must satisfy.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::kernel::blocks_before;
use crate::random::Random;
use crate::watch::{Phase, Unwatched};

/// Full rows.
type Rows = Vec<Vec<f64>>;

fn rows(n: usize, value: impl Fn(usize, usize) -> f64) -> Rows {
    (0..n).map(|i| (0..n).map(|j| value(i.max(j), i.min(j))).collect()).collect()
}

fn symmetric(rows: &Rows) -> Symmetric {
    Symmetric::from_fn(rows.len(), |i, j| rows[i][j])
}

fn random(seed: u64, n: usize) -> Rows {
    let random = Random::new(seed, 1);
    rows(n, |i, j| random.unit((i * n + j) as u64) - 0.5)
}

/// Of given eigenvalues, by reflections at random.
fn of_spectrum(spectrum: &[f64], seed: u64) -> Rows {
    let n = spectrum.len();
    let mut a = rows(n, |i, j| if i == j { spectrum[i] } else { 0.0 });
    for nth in 0..6 {
        let random = Random::new(seed, nth);
        let v: Vec<f64> = (0..n).map(|at| random.unit(at as u64) - 0.5).collect();
        let square: f64 = v.iter().map(|x| x * x).sum();
        for _ in 0..2 {
            for row in &mut a {
                let along: f64 = row.iter().zip(&v).map(|(x, v)| x * v).sum();
                row.iter_mut().zip(&v).for_each(|(x, v)| *x -= 2.0 * along * v / square);
            }
            a = (0..n).map(|i| a.iter().map(|row| row[i]).collect()).collect();
        }
    }
    a
}

fn found(a: &Rows, k: usize) -> Eigen {
    largest(symmetric(a), k, 2, &Unwatched).unwrap()
}

fn norm(a: &Rows) -> f64 {
    a.iter().map(|row| row.iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max)
}

/// That vectors are at right angles, of norm 1, and eigenvectors of their values.
fn check(a: &Rows, eigen: &Eigen, k: usize) {
    let (n, norm) = (a.len(), norm(a));
    assert_eq!((eigen.values.len(), eigen.vectors.len()), (k, k * n));
    assert!(eigen.values.is_sorted_by(|a, b| a >= b), "{:?}", eigen.values);
    let vectors: Vec<&[f64]> = eigen.vectors.chunks(n).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for (i, v) in vectors.iter().enumerate() {
        for (j, w) in vectors.iter().enumerate().take(i + 1) {
            let expected = f64::from(u8::from(i == j));
            assert!((dot(v, w) - expected).abs() < 1e-13, "{i} {j} of {n}: {}", dot(v, w));
        }
        // Near 1, so that squares are floats.
        let left: f64 = a
            .iter()
            .zip(*v)
            .map(|(row, x)| (dot(row, v) - eigen.values[i] * x) / norm.max(f64::MIN_POSITIVE))
            .map(|left| left * left)
            .sum();
        assert!(left.sqrt() < 1e-14 * (n as f64).sqrt().max(2.0), "{i} of {n}: {}", left.sqrt());
    }
}

fn check_values(eigen: &Eigen, expected: &[f64], tolerance: f64) {
    for (value, expected) in eigen.values.iter().zip(expected) {
        assert!((value - expected).abs() <= tolerance, "{value} {expected}");
    }
}

/// The largest first (Golub, Van Loan: Matrix Computations, section 8.5).
fn by_rotations(mut a: Rows) -> Vec<f64> {
    let n = a.len();
    for _ in 0..30 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = 1.0_f64.copysign(theta) / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (above, below) = a.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
    }
    let mut values: Vec<f64> = (0..n).map(|at| a[at][at]).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[test]
fn second_differences_have_their_waves() {
    for n in [1, 2, 3, 7, 8, 9, 32, 33, 64, 150] {
        let a = rows(n, |i, j| if i == j { 2.0 } else { -f64::from(u8::from(i == j + 1)) });
        let eigen = found(&a, n);
        check(&a, &eigen, n);
        let step = std::f64::consts::PI / (n + 1) as f64;
        let expected: Vec<f64> =
            (1..=n).rev().map(|nth| 2.0 - 2.0 * (nth as f64 * step).cos()).collect();
        check_values(&eigen, &expected, 1e-14);
    }
}

#[test]
fn matrices_of_known_spectra_have_them() {
    // Wilkinson: The Algebraic Eigenvalue Problem, section 5.45: pairs that agree to 14 digits.
    let wilkinson = rows(21, |i, j| match i - j {
        0 => (i as f64 - 10.0).abs(),
        1 => 1.0,
        _ => 0.0,
    });
    let eigen = found(&wilkinson, 21);
    check(&wilkinson, &eigen, 21);
    let expected = [10.746194182903393, 10.746194182903322, 9.210678647361332, 9.210678647304919];
    check_values(&eigen, &expected, 1e-14);
    let hilbert = rows(5, |i, j| 1.0 / (i + j + 1) as f64);
    let eigen = found(&hilbert, 5);
    check(&hilbert, &eigen, 5);
    let expected = [1.5670506910982311, 0.20853421861101333, 0.011407491623419806];
    check_values(&eigen, &expected, 1e-15);
    // A spectrum, as wide as can be, of which most is below rounding.
    let hilbert = rows(40, |i, j| 1.0 / (i + j + 1) as f64);
    let eigen = found(&hilbert, 40);
    check(&hilbert, &eigen, 40);
    check_values(&eigen, &by_rotations(hilbert), 1e-14);
}

#[test]
fn repeated_and_clustered_eigenvalues_have_vectors_of_their_own() {
    let n = 90;
    let spectra: [fn(usize) -> f64; 8] = [
        // Flat, and but for rounding.
        |_| 1.0,
        |at| 1.0 + at as f64 * 1e-15,
        // In steps; two kinds; one that stands out; low rank.
        |at| -((at / 10) as f64),
        |at| if at < 45 { 3.0 } else { -3.0 },
        |at| f64::from(u8::from(at == 0)),
        |at| if at < 7 { 1.0 + at as f64 } else { 0.0 },
        // Clusters of clusters, and a spectrum that falls by many powers.
        |at| 1.0 - (at / 30) as f64 * 1e-3 - (at % 30 / 5) as f64 * 1e-9 - at as f64 * 1e-14,
        |at| 0.5_f64.powi(at as i32),
    ];
    for (which, spectrum) in spectra.iter().enumerate() {
        let mut spectrum: Vec<f64> = (0..n).map(spectrum).collect();
        spectrum.sort_by(|a, b| b.total_cmp(a));
        let a = of_spectrum(&spectrum, which as u64);
        for k in [1, 12, n] {
            let eigen = found(&a, k);
            check(&a, &eigen, k);
            check_values(&eigen, &spectrum, 3e-14 * spectrum[0].abs().max(spectrum[n - 1].abs()));
        }
    }
}

#[test]
fn plain_matrices_have_plain_answers() {
    for n in [1, 2, 5, 40, 65] {
        for diagonal in [|_| 0.0, |_| 1.0, |_| -7.5, |at| ((at * 37) % 11) as f64 - 5.0] {
            let a = rows(n, |i, j| if i == j { diagonal(i) } else { 0.0 });
            let mut expected: Vec<f64> = (0..n).map(diagonal).collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            let eigen = found(&a, n);
            check(&a, &eigen, n);
            check_values(&eigen, &expected, 1e-14);
        }
        let ones = rows(n, |_, _| 1.0);
        let eigen = found(&ones, n);
        check(&ones, &eigen, n);
        check_values(&eigen, &[n as f64, 0.0, 0.0], 1e-14 * n as f64);
        assert!(eigen.vectors[..n].iter().all(|x| (x * x - 1.0 / n as f64).abs() < 1e-14));
    }
}

#[test]
fn the_range_of_numbers_makes_no_difference() {
    let a = random(3, 50);
    let expected = found(&a, 50);
    check(&a, &expected, 50);
    for power in [-1000, -664, 664, 1000] {
        let by = 2_f64.powi(power);
        let eigen = found(&rows(50, |i, j| a[i][j] * by), 50);
        assert_eq!(eigen.vectors, expected.vectors, "{power}");
        let values: Vec<f64> = eigen.values.iter().map(|value| value / by).collect();
        assert_eq!(values, expected.values, "{power}");
    }
    // From one end of the range to the other, and what has no room for a square.
    let wide = rows(40, |i, j| a[i][j] * 10_f64.powi(5 * (20 - i as i32) + 5 * (20 - j as i32)));
    check(&wide, &found(&wide, 40), 40);
    for beside in [1e-10, 1e-160, 1e-300] {
        // Vectors that fall by as much from each number to the next.
        let steep = rows(60, |i, j| match i - j {
            0 => 1.0 + (i % 7) as f64 / 7.0,
            1 => beside,
            _ => 0.0,
        });
        check(&steep, &found(&steep, 60), 60);
        let corner = rows(9, |i, j| if i == j { 1.0 } else { beside });
        check(&corner, &found(&corner, 9), 9);
    }
    let smallest = rows(3, |i, j| if i == j { f64::from_bits(40) } else { f64::from_bits(3) });
    check_values(&found(&smallest, 3), &[46.0 * f64::from_bits(1)], 0.0);
}

#[test]
fn vectors_that_fall_steeply_are_found() {
    // Of eigenvalue 1 the vector falls by ten powers of ten from each number to the next.
    let n = 200;
    let a = rows(n, |i, j| match i - j {
        0 => f64::from(u8::from(i > 0)),
        1 => 1e-10,
        _ => 0.0,
    });
    let eigen = found(&a, n);
    check(&a, &eigen, n);
    let last = &eigen.vectors[(n - 1) * n..];
    assert!((last[0].abs() - 1.0).abs() < 1e-15 && last[2].abs() < 1e-15, "{:?}", &last[..3]);
}

#[test]
fn every_level_and_any_threads_give_the_same_bits() {
    for n in [5, 70, 300, SHARED + 5] {
        let a = symmetric(&random(9, n));
        let expected = largest_at(Level::Portable, a.clone(), n.min(40), 1, &Unwatched).unwrap();
        for (level, threads) in Level::all().into_iter().zip([3, 2, 5]) {
            let eigen = largest_at(level, a.clone(), n.min(40), threads, &Unwatched).unwrap();
            assert!(eigen == expected, "{level:?} {n} {threads}");
        }
        let few = largest(a, 3, 1, &Unwatched).unwrap();
        assert_eq!(few.values, expected.values[..3]);
        assert_eq!(few.vectors, expected.vectors[..3 * n]);
    }
}

#[test]
fn products_in_stripes_are_those_of_rows() {
    let n = 2120;
    // Sixteenths: exact.
    let random = Random::new(5, 0);
    let sixteenth = |at: usize| (random.unit(at as u64) * 32.0).floor() / 16.0 - 1.0;
    let value = |i: usize, j: usize| sixteenth((i + 7 * j) % 9001);
    let by: Vec<f64> = (0..n).map(sixteenth).collect();
    let n_blocks = blocks_before(n / 4);
    let mut blocks = Vec::with_capacity(n_blocks);
    for tile in 0..n / 4 {
        for column in 0..=tile / 2 {
            blocks.push(std::array::from_fn(|r| {
                std::array::from_fn(|c| {
                    let (i, j) = (tile * 4 + r, column * 8 + c);
                    value(i.max(j), i.min(j))
                })
            }));
        }
    }
    assert_eq!(blocks.len(), n_blocks);
    let row = |i: usize| (0..n).map(|j| value(i.max(j), i.min(j)) * by[j]).sum::<f64>();
    let expected: Vec<f64> = (0..n).map(row).collect();
    for threads in [1, 3] {
        let mut sums = vec![0.0; n];
        let level = Level::detect();
        tridiagonal::product(level, &blocks, &by, &mut sums, threads, &Unwatched).unwrap();
        assert_eq!(sums, expected);
    }
}

/// Whatever the machine: a different sum is a change of every map that has been made.
#[test]
fn bits_are_those_that_they_were() {
    let eigen = found(&random(1, 100), 7);
    let bits = eigen.values.iter().chain(&eigen.vectors).map(|x| x.to_bits());
    let sum = bits.fold(0xcbf2_9ce4_8422_2325, |sum: u64, bits| {
        (sum ^ bits).wrapping_mul(0x0000_0100_0000_01b3)
    });
    assert_eq!(sum, 0x6963_e7ff_6980_dddc);
}

struct Cancels {
    after: usize,
    asked: AtomicUsize,
    told: AtomicUsize,
}

impl Watch for Cancels {
    fn progress(&self, phase: Phase, done: u64, of: u64) {
        assert!(phase == Phase::Measures && done < of);
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.after
    }
}

#[test]
fn it_can_be_cancelled_at_every_step() {
    let a = symmetric(&random(2, 70));
    let watch = |after| Cancels { after, asked: 0.into(), told: 0.into() };
    let all = watch(usize::MAX);
    let eigen = largest(a.clone(), 20, 1, &all).unwrap();
    let (asked, told) = (all.asked.into_inner(), all.told.into_inner());
    // Each row and each vector, and groups of both.
    assert!(asked > 70 + 20 && told == 3, "{asked} {told}");
    for after in (0..asked).step_by(3) {
        assert_eq!(largest(a.clone(), 20, 1, &watch(after)), Err(Error::Cancelled));
    }
    assert_eq!(largest(a, 20, 1, &watch(asked)), Ok(eigen));
}

#[test]
fn what_is_not_finite_has_none() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for at in [0, 7, 19] {
            let a = Symmetric::from_fn(20, |i, j| if i == at && j == at { bad } else { 1.0 });
            let error = Error::NoEigenvectors("it is not finite".to_owned());
            assert_eq!(largest(a, 2, 1, &Unwatched), Err(error));
        }
    }
}

#[test]
fn the_trace_is_the_sum_of_all() {
    let a = random(8, 61);
    let (trace, eigen) = (symmetric(&a).trace(), found(&a, 61));
    assert!((trace - eigen.values.iter().sum::<f64>()).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_matrix_is_put_together_again(
        n in 1_usize..40,
        seed in any::<u64>(),
        spread in 0_i32..30,
        is_sparse in any::<bool>(),
    ) {
        let random = Random::new(seed, 2);
        let a = rows(n, |i, j| {
            let at = (i * n + j) as u64 * 3;
            let power = -(random.below(at + 1, spread as u64 + 1) as i32);
            let value = (random.unit(at) - 0.5) * 2_f64.powi(power);
            if is_sparse && random.below(at + 2, 4) > 0 { 0.0 } else { value }
        });
        let eigen = found(&a, n);
        check(&a, &eigen, n);
        check_values(&eigen, &by_rotations(a.clone()), 2e-14 * norm(&a));
        for i in 0..n {
            for j in 0..n {
                let vectors = eigen.vectors.chunks(n).zip(&eigen.values);
                let sum: f64 = vectors.map(|(v, value)| v[i] * v[j] * value).sum();
                prop_assert!((sum - a[i][j]).abs() <= 1e-13 * norm(&a));
            }
        }
    }
}
