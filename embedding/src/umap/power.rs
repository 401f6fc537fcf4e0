//! Powers by sums and products alone: the same bits on every machine, which a library's are not.

/// x to the power of b, for x above 0, to some seven digits.
#[inline(always)]
pub(super) fn power(x: f32, b: f32) -> f32 {
    exp2(b * log2(x))
}

/// ln m = 2 artanh((m − 1) / (m + 1)), with m near 1.
#[inline(always)]
fn log2(x: f32) -> f32 {
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let exponent = (shifted as i32) >> 23;
    let m = f32::from_bits((shifted & 0x007f_ffff) + SQRT_HALF_BITS);
    let t = (m - 1.0) / (m + 1.0);
    let s = t * t;
    let series = 1.0 + s * (1.0 / 3.0 + s * (0.2 + s * (1.0 / 7.0 + s * (1.0 / 9.0))));
    exponent as f32 + t * series * (2.0 * std::f32::consts::LOG2_E)
}

/// A power of two of what is whole, and a series of what is left.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    // Added and taken away again it rounds to whole numbers, which are then its last bits: no
    // conversion that would have to look at each lane.
    const ROUNDING: f32 = 12_582_912.0;
    let shifted = x.clamp(-126.0, 126.0) + ROUNDING;
    let exponent = shifted.to_bits().wrapping_sub(ROUNDING.to_bits()).wrapping_add(127);
    let y = (x - (shifted - ROUNDING)) * std::f32::consts::LN_2;
    let tail = y * (1.0 / 24.0 + y * (1.0 / 120.0 + y * (1.0 / 720.0)));
    let series = 1.0 + y * (1.0 + y * (0.5 + y * (1.0 / 6.0 + tail)));
    f32::from_bits(exponent << 23) * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_have_seven_digits() {
        for x in [1e-12_f32, 3e-7, 0.01, 0.5, 0.999, 1.0, 1.5, 7.0, 1e3, 2.5e8] {
            for b in [-0.105_f32, 0.79, 0.895, 1.0, 1.334] {
                let wanted = f64::from(x).powf(f64::from(b));
                let found = f64::from(power(x, b));
                assert!((found / wanted - 1.0).abs() < 4e-6, "{x}^{b}: {found} {wanted}");
            }
        }
    }
}
