//! Floats of 16 bits, as the hardware rounds to them: to even from the middle.

/// The largest that is finite.
pub const LARGEST: f32 = 65504.0;

/// The nearest half, as bits; values beyond the largest are the largest.
pub fn from_single(value: f32) -> u16 {
    let bits = value.clamp(-LARGEST, LARGEST).to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    // Below 2⁻¹⁴ halves are multiples of 2⁻²⁴: adding ½ leaves that multiple in the last bits.
    if magnitude < 113 << 23 {
        let sum = f32::from_bits(magnitude) + 0.5;
        return sign | (sum.to_bits() - 0.5_f32.to_bits()) as u16;
    }
    let is_odd = magnitude >> 13 & 1;
    let rounded = (magnitude + 0xfff + is_odd) >> 13;
    sign | (rounded - (112 << 10)) as u16
}

/// What a half is worth.
pub fn to_single(bits: u16) -> f32 {
    let (exponent, fraction) = (u32::from(bits >> 10 & 31), u32::from(bits & 0x3ff));
    let value = match exponent {
        0 => fraction as f32 / (1 << 24) as f32,
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_itself_and_middles_go_to_even() {
        for bits in 0..0x7c00_u16 {
            let value = to_single(bits);
            assert_eq!((from_single(value), from_single(-value)), (bits, bits | 0x8000));
            if bits == 0x7bff {
                continue;
            }
            let next = to_single(bits + 1);
            let middle = (value + next) / 2.0;
            let even = if bits % 2 == 0 { bits } else { bits + 1 };
            assert_eq!(from_single(middle), even, "between {value} and {next}");
            assert_eq!(from_single(f32::from_bits(middle.to_bits() - 1)), bits);
            assert_eq!(from_single(f32::from_bits(middle.to_bits() + 1)), bits + 1);
        }
        assert_eq!(
            (to_single(0x3c00), to_single(1), to_single(0x7bff)),
            (1.0, 2_f32.powi(-24), LARGEST)
        );
        assert_eq!((from_single(1e30), from_single(-1e30)), (0x7bff, 0xfbff));
        assert_eq!(from_single(1e-30), 0);
    }
}
