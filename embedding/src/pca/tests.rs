//! Components held to eigenvectors found by Jacobi's rotations in 64 bits.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::random::Random;
use crate::rows::Matrix;
use crate::watch::Unwatched;

/// Eigenvalues, the largest first, and eigenvectors of the covariance (Golub, Van Loan: Matrix
/// Computations, section 8.5).
fn reference(rows: &[f32], d: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = rows.len() / d;
    let mean: Vec<f64> = (0..d)
        .map(|t| rows.chunks(d).map(|row| f64::from(row[t])).sum::<f64>() / n as f64)
        .collect();
    let mut a = vec![vec![0.0; d]; d];
    for row in rows.chunks(d) {
        for i in 0..d {
            for j in 0..d {
                let (x, y) = (f64::from(row[i]) - mean[i], f64::from(row[j]) - mean[j]);
                a[i][j] += x * y / (n - 1) as f64;
            }
        }
    }
    let mut v: Vec<Vec<f64>> =
        (0..d).map(|i| (0..d).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..60 {
        for p in 0..d {
            for q in p + 1..d {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for row in a.iter_mut().chain(&mut v) {
                    let (x, y) = (row[p], row[q]);
                    (row[p], row[q]) = (c * x - s * y, s * x + c * y);
                }
                let (above, below) = a.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|i, j| a[*j][*j].total_cmp(&a[*i][*i]));
    let values = order.iter().map(|at| a[*at][*at]).collect();
    (values, order.iter().map(|at| v.iter().map(|row| row[*at]).collect()).collect())
}

/// Rows that spread more along some directions than along others, about an offset.
fn rows(n: usize, d: usize, offset: f32) -> Vec<f32> {
    let random = Random::new(7, d as u64);
    let bell = |at: u64| (0..6).map(|nth| random.unit(6 * at + nth) - 0.5).sum::<f64>();
    let mut rows = Vec::with_capacity(n * d);
    for row in 0..n as u64 {
        let hidden: Vec<f64> =
            (0..3).map(|nth| bell(row * 100 + nth) * 4.0 / (nth + 1) as f64).collect();
        for t in 0..d as u64 {
            let along: f64 =
                (0..3).map(|nth| hidden[nth] * ((t + 1) as f64 * (nth + 1) as f64).sin()).sum();
            rows.push((along + bell(1_000_000 + row * d as u64 + t) * 0.2) as f32 + offset);
        }
    }
    rows
}

fn check(values: &[f32], d: usize, tolerance: f64) {
    let pca = fit(&Matrix::new(values, d).unwrap(), 3.min(d), Some(2), &Unwatched).unwrap();
    let (variances, vectors) = reference(values, d);
    let total: f64 = variances.iter().sum();
    for nth in 0..pca.n_components() {
        let (found, expected) = (pca.explained_variance[nth], variances[nth]);
        assert!((found - expected).abs() <= tolerance * expected, "{found} {expected}");
        let share = pca.explained_variance_ratio[nth];
        assert!((share - expected / total).abs() <= tolerance * share, "{share}");
        let component = &pca.components[nth * d..][..d];
        let cosine: f64 = component.iter().zip(&vectors[nth]).map(|(a, b)| f64::from(*a) * b).sum();
        assert!(cosine.abs() > 0.9999, "component {nth}: {cosine}");
        let far = component
            .iter()
            .copied()
            .fold(0.0_f32, |far, x| if x.abs() > far.abs() { x } else { far });
        assert!(far > 0.0, "{component:?}");
    }
}

#[test]
fn components_are_eigenvectors_of_the_covariance() {
    check(&rows(2000, 5, 0.0), 5, 1e-6);
    check(&rows(1500, 70, 3.0), 70, 1e-6);
    check(&rows(300, 2, -1e3), 2, 1e-4);
}

#[test]
fn columns_of_any_range_keep_their_digits() {
    let mut values = rows(3000, 4, 0.0);
    for row in values.chunks_mut(4) {
        row[0] = row[0] * 1e-6 + 5.0e-6;
        row[1] *= 1e5;
        row[3] = 7.0;
    }
    let pca = fit(&Matrix::new(&values, 4).unwrap(), 4, Some(3), &Unwatched).unwrap();
    let variance = |t: usize| {
        let column: Vec<f64> = values.chunks(4).map(|row| f64::from(row[t])).collect();
        let mean = column.iter().sum::<f64>() / 3000.0;
        column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2999.0
    };
    // A constant column has none, and the diagonal keeps the least of them.
    let sum: f64 = pca.explained_variance.iter().sum();
    assert!((sum - (0..4).map(variance).sum::<f64>()).abs() <= 1e-6 * sum);
    assert!((pca.explained_variance[0] - variance(1)).abs() <= 1e-6 * variance(1));
    assert!(pca.explained_variance[3] < 1e-12 * pca.explained_variance[0]);
}

#[test]
fn columns_next_to_zero_are_columns() {
    // The first reaches as far as powers of two in 32 bits do, the second no further than 2⁻¹³².
    let shares = rows(800, 2, 0.0);
    let far = shares.iter().fold(0.0_f32, |far, x| far.max(x.abs()));
    let least = [f32::MIN_POSITIVE, f32::MIN_POSITIVE / 64.0];
    let values: Vec<f32> =
        shares.iter().enumerate().map(|(at, x)| x / far * least[at % 2]).collect();
    let matrix = Matrix::new(&values, 2).unwrap();
    let pca = fit(&matrix, 2, Some(1), &Unwatched).unwrap();
    let trace: f64 = reference(&values, 2).0.iter().sum();
    let sum: f64 = pca.explained_variance.iter().sum();
    assert!((sum / trace - 1.0).abs() < 1e-5, "{sum} {trace}");
    let ratios: f64 = pca.explained_variance_ratio.iter().sum();
    assert!((ratios - 1.0).abs() < 1e-12 && pca.components.iter().all(|x| x.is_finite()));
    check(&values.iter().skip(1).step_by(2).copied().collect::<Vec<f32>>(), 1, 1e-4);
}

#[test]
fn rows_are_projected_from_their_mean() {
    let values = rows(1300, 9, 2.0);
    let matrix = Matrix::new(&values, 9).unwrap();
    let pca = fit(&matrix, 2, Some(2), &Unwatched).unwrap();
    let places = pca.project(&matrix, Some(2), &Unwatched).unwrap();
    for axis in 0..2 {
        let along: Vec<f64> = places.chunks(2).map(|place| f64::from(place[axis])).collect();
        let mean = along.iter().sum::<f64>() / 1300.0;
        let variance = along.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1299.0;
        assert!(mean.abs() < 1e-5, "{mean}");
        let expected = pca.explained_variance[axis];
        assert!((variance - expected).abs() < 1e-5 * expected, "{variance} {expected}");
    }
}

#[test]
fn threads_make_no_difference() {
    let values = rows(6000, 20, 1.0);
    let matrix = Matrix::new(&values, 20).unwrap();
    let one = fit(&matrix, 5, Some(1), &Unwatched).unwrap();
    for threads in [2, 5] {
        assert_eq!(fit(&matrix, 5, Some(threads), &Unwatched).unwrap(), one);
    }
}

#[test]
fn odd_rows_have_components_or_an_error() {
    let fitted = |values: &[f32], d: usize, m: usize| {
        fit(&Matrix::new(values, d).unwrap(), m, Some(1), &Unwatched)
    };
    let alike = fitted(&[4.0; 30], 3, 2).unwrap();
    assert_eq!(
        (alike.explained_variance, alike.explained_variance_ratio),
        (vec![0.0; 2], vec![0.0; 2])
    );
    let one = fitted(&[1.0, 2.0], 2, 1).unwrap();
    assert_eq!((one.mean, one.explained_variance), (vec![1.0, 2.0], vec![0.0]));
    let most = |components, most| Err(Error::BadComponents { components, most });
    assert_eq!(fitted(&[1.0, 2.0], 2, 2), most(2, 1));
    assert_eq!(fitted(&[1.0, 2.0], 1, 0), most(0, 1));
    assert_eq!(fitted(&[], 3, 1), Err(Error::NoRows));
}
