//! What a model gives for a row, made one vector: where it has one a token, by their mean or by
//! the first; and its length made one.

use crate::error::Failure;

/// How vectors of tokens become the one of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The mean of those that are no padding.
    Mean,
    /// The first, of the token that stands for the whole.
    First,
}

/// The vector of `values`, tokens × `dimensions`. Of `mask`, 0 says that a token is padding.
pub(crate) fn pool(values: &[f32], dimensions: usize, mask: &[i64], how: Pooling) -> Vec<f32> {
    match how {
        Pooling::First => values.iter().take(dimensions).copied().collect(),
        Pooling::Mean => {
            // Sums in 64 bits: a long text is as exact as a short one.
            let mut sums = vec![0.0_f64; dimensions];
            let mut count = 0.0_f64;
            for (token, row) in values.chunks_exact(dimensions).enumerate() {
                if mask.get(token).is_none_or(|kept| *kept != 0) {
                    count += 1.0;
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum += f64::from(*value);
                    }
                }
            }
            sums.iter().map(|sum| (sum / count.max(1.0)) as f32).collect()
        }
    }
}

/// Holds a vector to be numbers; where `is_unit`, of length one.
pub(crate) fn finish(mut vector: Vec<f32>, is_unit: bool) -> Result<Vec<f32>, Failure> {
    if vector.iter().any(|value| !value.is_finite()) {
        return Err(Failure::NotFinite);
    }
    if is_unit {
        let square: f64 = vector.iter().map(|value| f64::from(*value).powi(2)).sum();
        if square == 0.0 {
            return Err(Failure::Zero);
        }
        let scale = square.sqrt().recip();
        for value in &mut vector {
            *value = (f64::from(*value) * scale) as f32;
        }
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: [f32; 6] = [1.0, 2.0, 3.0, 6.0, 100.0, 100.0];

    #[test]
    fn padding_is_no_part_of_the_mean() {
        assert_eq!(pool(&TOKENS, 2, &[1, 1, 0], Pooling::Mean), [2.0, 4.0]);
        assert_eq!(pool(&TOKENS[..4], 2, &[], Pooling::Mean), [2.0, 4.0]);
        assert_eq!(pool(&TOKENS, 2, &[1, 1, 0], Pooling::First), [1.0, 2.0]);
    }

    #[test]
    fn what_has_no_direction_is_no_unit_vector() {
        assert_eq!(finish(vec![3.0, 4.0], true), Ok(vec![0.6, 0.8]));
        assert_eq!(finish(vec![3.0, 4.0], false), Ok(vec![3.0, 4.0]));
        assert_eq!(finish(vec![0.0, 0.0], true), Err(Failure::Zero));
        assert_eq!(finish(vec![1.0, f32::NAN], false), Err(Failure::NotFinite));
        // Squares that 32 bits do not hold.
        let large = 2.0_f32.powi(100);
        assert_eq!(finish(vec![3.0 * large, 4.0 * large], true), Ok(vec![0.6, 0.8]));
    }
}
