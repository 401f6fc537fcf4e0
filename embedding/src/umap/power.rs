//! Powers by sums and products alone: the same bits on every machine, which a library's are not.

/// x to the power of b, for x above 0, to some five digits: forces need no more.
#[inline(always)]
pub(super) fn power(x: f32, b: f32) -> f32 {
    exp2(b * log2(x))
}

/// Of what is left without the power of two, from √½ to √2, by a polynomial: off by 2e-6 at most.
#[inline(always)]
fn log2(x: f32) -> f32 {
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let exponent = (shifted as i32) >> 23;
    let t = f32::from_bits((shifted & 0x007f_ffff) + SQRT_HALF_BITS) - 1.0;
    let tt = t * t;
    let low = 1.442_713_5 - 0.721_131_86 * t;
    let middle = 0.479_348 - 0.367_49 * t;
    let high = 0.322_154_9 - 0.206_591_85 * t;
    exponent as f32 + t * (low + tt * (middle + tt * high))
}

/// A power of two of what is whole, and a polynomial of what is left, off by 3e-6 of it at most.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    // Added and taken away again it rounds to whole numbers, which are then its last bits: no
    // conversion that would have to look at each lane.
    const ROUNDING: f32 = 12_582_912.0;
    let x = x.clamp(-126.0, 126.0);
    let shifted = x + ROUNDING;
    let exponent = shifted.to_bits().wrapping_sub(ROUNDING.to_bits()).wrapping_add(127);
    let y = x - (shifted - ROUNDING);
    let yy = y * y;
    let low = 0.999_999_3 + 0.693_121_8 * y;
    let middle = 0.240_247_45 + 0.055_917_86 * y;
    f32::from_bits(exponent << 23) * (low + yy * (middle + yy * 0.009_570_102))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_have_five_digits() {
        for x in [1e-12_f32, 3e-7, 0.01, 0.5, 0.999, 1.0, 1.5, 7.0, 1e3, 2.5e8] {
            for b in [-0.105_f32, 0.79, 0.895, 1.0, 1.334] {
                let wanted = f64::from(x).powf(f64::from(b));
                let found = f64::from(power(x, b));
                assert!((found / wanted - 1.0).abs() < 1e-5, "{x}^{b}: {found} {wanted}");
            }
        }
    }
}
