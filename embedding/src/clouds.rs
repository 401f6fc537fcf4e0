//! Rows that tests of layouts share.

use crate::random::Random;

/// Clouds about corners that are far from each other, row after row of another.
pub(crate) fn clouds(n: usize, d: usize, clouds: usize) -> Vec<f32> {
    let random = Random::new(11, 0);
    let noise = |at: usize| {
        let words = random.words(at as u64);
        words.iter().map(|word| f64::from(*word) / f64::from(u32::MAX) - 0.5).sum::<f64>() as f32
    };
    (0..n * d)
        .map(|at| {
            let (row, column) = (at / d, at % d);
            noise(at) + if column == row % clouds { 8.0 } else { 0.0 }
        })
        .collect()
}
