//! e to a power and the logarithm, in 64 bits and by sums and products alone: the same bits on
//! every machine, which a library's are not.

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// ln 2 in two parts, the first so short that a whole number times it is exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Below it the power would leave the normal numbers.
const LEAST: f64 = -708.0;
/// 1 / n!, the highest n first.
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// e to the power of x, which is 0 or less; of x below [`LEAST`] as of that.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f64) -> f64 {
    // Added and taken away again it rounds to whole numbers, which are then its last bits.
    const ROUNDING: f64 = 6_755_399_441_055_744.0;
    let x = if x < LEAST { LEAST } else { x };
    let shifted = x * LOG2_E + ROUNDING;
    let whole = shifted - ROUNDING;
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let mut series = 0.0;
    for factor in INVERSE_FACTORIALS {
        series = series * rest + factor;
    }
    let exponent = shifted.to_bits().wrapping_sub(ROUNDING.to_bits()).wrapping_add(1023);
    f64::from_bits(exponent << 52) * series
}

/// The natural logarithm of a normal number above 0: ln m = 2 artanh((m − 1) / (m + 1)), with m
/// near 1, and a whole number of ln 2.
pub(crate) fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const TERMS: u32 = 12;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if m > SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let t = (m - 1.0) / (m + 1.0);
    let square = t * t;
    let mut series = 0.0;
    for term in (0..TERMS).rev() {
        series = series * square + 1.0 / f64::from(2 * term + 1);
    }
    exponent as f64 * LN_2 + 2.0 * t * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_and_logarithms_are_those_of_the_library() {
        for nth in 0..20_000 {
            let x = -f64::from(nth) * 0.0349;
            let (found, wanted) = (exp_of_negative(x), x.exp());
            assert!((found / wanted - 1.0).abs() < 1e-15, "{x}: {found} {wanted}");
            let y = (f64::from(nth) - 9_999.5) * 0.01;
            let (found, wanted) = (ln(y.exp()), y.exp().ln());
            assert!((found - wanted).abs() < 4e-16 * (1.0 + wanted.abs()), "{y}: {found} {wanted}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(-1e9) < 1e-300);
        assert_eq!(ln(1.0), 0.0);
    }
}
