//! Sums of products, of which all that are kept are in registers: the heart of every kernel.
#![allow(unsafe_code)]

use super::lanes::Lanes;

/// For `R` rows and `V` vectors of lanes: Σ over t of `x[r · r_step + t · t_step] ·
/// c[t · c_step + lane]`. Each term is rounded once on every processor where it `IS_EXACT`, else
/// as is quicker.
///
/// # Safety
/// `x` is of at least (R − 1) · `r_step` + (depth − 1) · `t_step` + 1 floats, `c` of at least
/// (depth − 1) · `c_step` + V · LANES, and the processor has the features of `L`.
#[inline(always)]
pub(super) unsafe fn products<L: Lanes, const R: usize, const V: usize, const IS_EXACT: bool>(
    (x, r_step, t_step): (*const f32, usize, usize),
    (c, c_step): (*const f32, usize),
    depth: usize,
) -> [[L; V]; R] {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [[L::splat(0.0); V]; R];
        for t in 0..depth {
            let mut lanes = [L::splat(0.0); V];
            for (v, lanes) in lanes.iter_mut().enumerate() {
                *lanes = L::load(c.add(t * c_step + v * super::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let value = L::splat(*x.add(r * r_step + t * t_step));
                for (sum, lanes) in sums.iter_mut().zip(lanes) {
                    *sum = match IS_EXACT {
                        true => value.fma(lanes, *sum),
                        false => value.mul_add(lanes, *sum),
                    };
                }
            }
        }
        sums
    }
}
