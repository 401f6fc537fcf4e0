//! What a score of halves can be wrong by.
//!
//! A = s·(x − m) is a row about the centre of all, times a power of two, and B a centroid in the
//! same way; Â and B̂ are their halves. The true score is S = ½‖B‖² − A·B, the least for the
//! nearest centroid. What is known of it is h − P, where h is ½‖B‖² in 32 bits and P is what
//! tensor cores make of Â·B̂.
//!
//! - A·B − Â·B̂ = (A − Â)·B + Â·(B − B̂), by Cauchy and Schwarz at most ‖A − Â‖·‖B‖ + ‖Â‖·‖B − B̂‖.
//!   Both differences are measured in 64 bits rather than assumed.
//! - Products of halves are exact in 32 bits. Tensor cores bring products and the sum so far to
//!   the exponent of the largest, cut off what is below 24 bits, add, and cut off again (Fasi,
//!   Higham, Mikaitis, Pranesh: Numerical behavior of NVIDIA tensor cores, 2021). Every operand
//!   is at most ‖Â‖·‖B̂‖, so each cut is at most 2⁻²³ of that; a step of 16 dimensions has at most
//!   [`CUTS`] of them, if it is done in two halves of eight products and a sum each.
//! - h, h − P, the error itself and two comparisons are rounded to 32 bits.
//! - The cores decide what they are not sure of by distances in 64 bits. So that these decide as
//!   the truth does, a margin also covers what those distances are wrong by.
//!
//! All of it is linear in two numbers of the row, e = ‖A − Â‖ and ‖Â‖: three numbers of a centroid
//! are enough ([`Terms`]).

use crate::half::{from_single, to_single};
use crate::tile::{COLUMNS, DEPTH, padded};

/// Cuts in a step of 16 dimensions.
const CUTS: f64 = 20.0;
const UNIT: f64 = 1.0 / (1 << 24) as f64;
const UNIT_64: f64 = UNIT * UNIT / 32.0;
/// Values of rows are below 2 to the power of this.
const ROW_BITS: i32 = 13;
/// Rounding of what errors are worked out with.
const SPARE: f64 = 1.001;
/// The same of a row's terms, as the kernel multiplies by it.
pub const ROW_SPARE: f32 = 1.0 + 1.0 / (1 << 16) as f32;
/// Scores of centroids farther away would leave 32 bits.
const NORM_MAX: f64 = (1_u64 << 60) as f64;
/// Of more dimensions, cuts would leave little of a sum.
pub(crate) const DIMENSIONS_MAX: usize = 1 << 20;

/// The power of two that has room for values that reach so far from the centre.
pub fn scale(reach: f64) -> f64 {
    match reach > 0.0 {
        // The exponent as it is stored: a logarithm would be rounded.
        true => 2_f64.powi(ROW_BITS - 1 - ((reach.to_bits() >> 52) as i32 - 1023)),
        false => 1.0,
    }
}

/// Of a centroid: the score's first part and what the error is made of,
/// e·`norm` + ‖Â‖·`share` + `rest`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    pub half_square: f32,
    pub norm: f32,
    pub share: f32,
    pub rest: f32,
}

impl Terms {
    /// Of padding: never the nearest, and no rival.
    pub(crate) const NOBODY: Self =
        Self { half_square: f32::INFINITY, norm: 0.0, share: 0.0, rest: 0.0 };

    /// As the kernels read them.
    pub(crate) fn words(self) -> [f32; 4] {
        [self.half_square, self.norm, self.share, self.rest]
    }
}

/// Centroids as the kernel wants them.
#[derive(Debug, Clone, PartialEq)]
pub struct Centroids {
    /// Padded to [`COLUMNS`] × depth.
    pub halves: Vec<u16>,
    pub terms: Vec<Terms>,
    /// Whether one is so far away, or of so many dimensions, that no bound holds.
    pub beyond: bool,
}

impl Centroids {
    /// Of k × d numbers.
    pub fn new(centroids: &[f32], centre: &[f32], scale: f64) -> Self {
        let d = centre.len();
        let depth = padded(d, DEPTH);
        let columns = padded(centroids.len() / d, COLUMNS);
        let mut halves = vec![0; columns * depth];
        let mut terms = vec![Terms::NOBODY; columns];
        let mut beyond = d > DIMENSIONS_MAX;
        let places = halves.chunks_mut(depth).zip(&mut terms);
        for (centroid, (halves, terms)) in centroids.chunks(d).zip(places) {
            let halved = halved(centroid, centre, scale, halves);
            beyond |= halved.is_beyond();
            *terms = halved.terms(d, 1);
        }
        Self { halves, terms, beyond }
    }
}

/// What is known of a vector that was halved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Halved {
    pub norm: f64,
    pub half_norm: f64,
    pub lost: f64,
}

impl Halved {
    /// Whether scores would leave 32 bits.
    pub(crate) fn is_beyond(&self) -> bool {
        self.norm.is_nan() || self.norm > NORM_MAX
    }
}

/// Centres, scales and halves a vector.
pub(crate) fn halved(vector: &[f32], centre: &[f32], scale: f64, halves: &mut [u16]) -> Halved {
    let (mut square, mut half_square, mut lost) = (0.0, 0.0, 0.0);
    for ((value, centre), half) in vector.iter().zip(centre).zip(halves) {
        let value = (f64::from(*value) - f64::from(*centre)) * scale;
        *half = from_single(value as f32);
        let back = f64::from(to_single(*half));
        square += value * value;
        half_square += back * back;
        lost += (value - back) * (value - back);
    }
    Halved { norm: square.sqrt(), half_norm: half_square.sqrt(), lost: lost.sqrt() }
}

/// Of a half, what it has lost, as a share of it or, next to nothing, on its own.
const FINE: f64 = 1.0 / (1 << 10) as f64;
const FINE_LEAST: f64 = UNIT;

impl Halved {
    /// Where values are sums of two halves, products have three parts: Â·B̂, and the fine ones of
    /// each with the coarse ones of the other. `lost` is what both have lost, and `half_norm` that of
    /// the coarse ones alone. What is left out, the product of the fine ones, is at most that of
    /// their norms, each of them at most [`FINE`] of the coarse one's and [`FINE_LEAST`]·√d.
    pub(crate) fn terms(self, d: usize, parts: u32) -> Terms {
        let products = if parts == 1 { 1.0 } else { 3.0 };
        let steps = products * padded(d, DEPTH) as f64 / 16.0;
        // With fine ones, sums are a little larger than coarse ones have them.
        let cuts = steps * CUTS * 2.0 * UNIT * (1.0 + 4.0 * FINE);
        // What was cut off has a share in all cuts after it.
        let cuts = cuts / (1.0 - cuts);
        let least = FINE_LEAST * (d as f64).sqrt();
        let fine = FINE * self.half_norm + least;
        let (of_share, of_rest) = match parts {
            1 => (0.0, 0.0),
            _ => (FINE * (fine + self.lost), least * (fine + self.lost + cuts * self.half_norm)),
        };
        // Of ‖A‖² only ‖A‖ is known to the row, and the other no larger than this.
        let rows = 2_f64.powi(ROW_BITS) * (d as f64).sqrt();
        let of_64 = (d + 16) as f64 * UNIT_64;
        let tiny = UNIT_64 * 8.0 * self.norm;
        let norm = self.norm + of_64 * rows + tiny;
        let share =
            self.lost + of_share + (cuts + 6.0 * UNIT) * self.half_norm + of_64 * rows + tiny;
        let rest = of_rest + (6.0 * UNIT + of_64 * 2.0) * self.norm * self.norm;
        Terms {
            half_square: (0.5 * self.norm * self.norm) as f32,
            norm: above(norm),
            share: above(share),
            rest: above(rest),
        }
    }
}

/// In 32 bits, and no less.
fn above(value: f64) -> f32 {
    (value * SPARE) as f32 + f32::MIN_POSITIVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fill_the_room_of_halves() {
        for reach in [1e-40, 1e-3, 0.77, 1.0, 4095.9, 3e38] {
            let scaled = reach * scale(reach);
            assert!((4096.0..8192.0).contains(&scaled), "{reach} becomes {scaled}");
        }
        assert_eq!(scale(0.0), 1.0);
    }

    #[test]
    fn padding_is_nobody_and_what_is_too_far_is_told() {
        let found = Centroids::new(&[1.0, 2.0, 3.0, 4.0], &[2.0, 3.0], 4.0);
        assert_eq!((found.halves.len(), found.terms.len()), (128 * 32, 128));
        assert_eq!(found.terms[2..], vec![Terms::NOBODY; 126][..]);
        // ½·(4² + 4²) of (1, 2) about (2, 3), four times as large.
        assert_eq!((found.terms[0].half_square, found.terms[1].half_square), (16.0, 16.0));
        assert!(!found.beyond);
        assert!(Centroids::new(&[1e30, 0.0], &[0.0, 0.0], 2_f64.powi(60)).beyond);
    }
}
