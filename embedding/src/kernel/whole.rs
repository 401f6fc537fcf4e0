//! Rows added to sums of whole numbers.
#![allow(unsafe_code)]

use super::Level;

/// Values times the unit stay below 2⁵⁰, where a float of 64 bits has room for a whole number
/// beside [`ROUNDER`].
pub(crate) const VALUE_BITS_MAX: i32 = 50;
/// 1.5 · 2⁵²: what is added to it is rounded to a whole number, to even from the middle, and
/// stands in its last bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Adds a row's values, each times `units` and rounded, to sums; or takes them away.
pub(crate) fn add_whole<const IS_IN: bool>(
    level: Level,
    sums: &mut [i64],
    row: &[f32],
    units: f64,
) {
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { add_avx512::<IS_IN>(sums, row, units) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { add_avx2::<IS_IN>(sums, row, units) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => add::<IS_IN>(sums, row, units),
        Level::Portable => add::<IS_IN>(sums, row, units),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn add_avx512<const IS_IN: bool>(sums: &mut [i64], row: &[f32], units: f64) {
    add::<IS_IN>(sums, row, units);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2<const IS_IN: bool>(sums: &mut [i64], row: &[f32], units: f64) {
    add::<IS_IN>(sums, row, units);
}

#[inline(always)]
fn add<const IS_IN: bool>(sums: &mut [i64], row: &[f32], units: f64) {
    for (sum, value) in sums.iter_mut().zip(row) {
        let rounded = (f64::from(*value) * units + ROUNDER).to_bits();
        let whole = rounded.wrapping_sub(ROUNDER.to_bits()).cast_signed();
        *sum = if IS_IN { sum.wrapping_add(whole) } else { sum.wrapping_sub(whole) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_and_taken_away_again() {
        let row: Vec<f32> = (0..37).map(|at| (at as f32 - 18.0) * 0.37).collect();
        let units = 2_f64.powi(45);
        for level in Level::all() {
            let mut sums = vec![5; 37];
            add_whole::<true>(level, &mut sums, &row, units);
            for (sum, value) in sums.iter().zip(&row) {
                assert_eq!(*sum, 5 + (f64::from(*value) * units).round_ties_even() as i64);
            }
            add_whole::<false>(level, &mut sums, &row, units);
            assert_eq!(sums, vec![5; 37]);
        }
        let mut sums = vec![0; 4];
        add_whole::<true>(Level::Portable, &mut sums, &[0.5, 1.5, -0.5, -2.5], 1.0);
        assert_eq!(sums, [0, 2, 0, -2]);
    }
}
