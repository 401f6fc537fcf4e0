//! How far scores of a device may be from the true ones.

use crate::rows::QUAD;

/// By how much the next point must be farther, in scores, for the nearest to be sure.
///
/// A device may round either way, fuse, and add in any order: a unit is 2⁻²³, and a product of d
/// terms is within d units of ‖x‖·‖c‖, c being the longest point (Higham: Accuracy and
/// Stability of Numerical Algorithms, section 3.1). One more is the rounding of values to the
/// frame, one the last subtraction; of ‖c‖² it is half a unit for the frame, half for the
/// subtraction, a quarter for half the norm. It may take numbers below the least normal one for
/// 0. And where 64 bits decide, they are off by some units of theirs of the squared distance, which
/// must not show either.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Margin {
    pub by_norm: f32,
    pub by_square: f32,
    pub always: f32,
}

impl Margin {
    /// Of points in d dimensions, the longest of them of `norm_max`.
    pub(crate) fn new(d: usize, norm_max: f64) -> Self {
        const UNIT: f64 = 1.0 / (1 << 23) as f64;
        const DOUBLE_UNIT: f64 = UNIT / (1 << 30) as f64;
        let d = d.next_multiple_of(QUAD) as f64;
        // Twice, of the one score and the other, and a little for what it is worked out with.
        let twice = 2.0 * 1.02 / (1.0 - d * UNIT).max(0.5);
        let double = (d + 12.0) * DOUBLE_UNIT;
        let lost = f64::from(f32::MIN_POSITIVE) * (12.0 * d + 4.0 * d.sqrt() * norm_max);
        let squares = (1.25 * UNIT + double) * norm_max * norm_max;
        Self {
            by_norm: (twice * (d + 2.0) * UNIT * norm_max) as f32,
            by_square: (twice * double) as f32,
            always: (twice * (squares + lost)) as f32,
        }
    }

    /// How much nearer a point may be, squared, than its score says of a row of this norm. The
    /// row's own square was rounded to the frame, too.
    pub(crate) fn of_distance(self, norm: f64) -> f64 {
        const OWN_UNITS: f64 = 4.0 / (1 << 23) as f64;
        let Self { by_norm, by_square, always } = self;
        let parts = [by_norm, by_square, always].map(f64::from);
        1.01 * (((parts[1] + OWN_UNITS) * norm + parts[0]) * norm + parts[2])
    }
}
