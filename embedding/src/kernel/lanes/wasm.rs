//! Sixteen floats in four registers of WebAssembly. There is no instruction that multiplies and
//! adds with one rounding, and its replacement in a library goes float by float: [`Lanes::fma`]
//! is worked out in 64 bits here, two at a time, to the same bits.

use std::arch::wasm32::*;

use super::{LANES, Lanes};

const REGISTERS: usize = 4;
const WIDTH: usize = LANES / REGISTERS;

#[derive(Clone, Copy)]
pub(crate) struct Simd128([v128; REGISTERS]);

impl Simd128 {
    #[inline(always)]
    fn each(of: impl Fn(usize) -> v128) -> Self {
        Self([of(0), of(1), of(2), of(3)])
    }
}

// SAFETY of all blocks: the program is compiled for these instructions, and pointers are the
// caller's, to sixteen floats.
impl Lanes for Simd128 {
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self::each(|_| f32x4_splat(value))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self::each(|at| unsafe { v128_load(from.add(WIDTH * at).cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for (at, lanes) in self.0.into_iter().enumerate() {
            unsafe { v128_store(to.add(WIDTH * at).cast(), lanes) };
        }
    }

    #[inline(always)]
    unsafe fn fma(self, by: Self, add: Self) -> Self {
        Self::each(|at| fused(self.0[at], by.0[at], add.0[at]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, add: Self) -> Self {
        Self::each(|at| f32x4_add(f32x4_mul(self.0[at], by.0[at]), add.0[at]))
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self::each(|at| f32x4_sub(self.0[at], other.0[at]))
    }

    // The other way round: `pmin(a, b)` is b where b < a.
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Self::each(|at| f32x4_pmin(other.0[at], self.0[at]))
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Self::each(|at| f32x4_pmax(other.0[at], self.0[at]))
    }

    #[inline(always)]
    unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
        Self::each(|at| v128_bitselect(then.0[at], or.0[at], f32x4_lt(a.0[at], b.0[at])))
    }

    #[inline(always)]
    unsafe fn less(self, other: Self) -> u32 {
        let mut less = 0;
        for at in 0..REGISTERS {
            less |= u32::from(i32x4_bitmask(f32x4_lt(self.0[at], other.0[at]))) << (WIDTH * at);
        }
        less
    }
}

/// `a * b + c` of four floats, rounded once.
#[inline(always)]
fn fused(a: v128, b: v128, c: v128) -> v128 {
    let high = |x: v128| i32x4_shuffle::<2, 3, 0, 0>(x, x);
    let low = fused_two(a, b, c);
    let high = fused_two(high(a), high(b), high(c));
    i32x4_shuffle::<0, 1, 4, 5>(low, high)
}

/// Of the first two floats of each. Their product is exact in 64 bits. The sum is rounded there
/// to odd, which leaves its last bit to say that something was lost: rounded once more, to 32
/// bits, it is what the true sum would be (Boldo, Melquiond: Emulation of FMA and correctly
/// rounded sums. IEEE Transactions on Computers 2008).
#[inline(always)]
fn fused_two(a: v128, b: v128, c: v128) -> v128 {
    let product = f64x2_mul(f64x2_promote_low_f32x4(a), f64x2_promote_low_f32x4(b));
    let c = f64x2_promote_low_f32x4(c);
    let sum = f64x2_add(product, c);
    // What the rounding of the sum lost, exactly (Knuth).
    let other = f64x2_sub(sum, product);
    let lost = f64x2_add(f64x2_sub(product, f64x2_sub(sum, other)), f64x2_sub(c, other));
    // False of NaN, as it comes of a sum that is infinite.
    let is_lost = f64x2_gt(f64x2_abs(lost), f64x2_splat(0.0));
    // Towards zero where it was rounded away from it, which takes one from the bits.
    let is_beyond = i64x2_lt(v128_xor(lost, sum), i64x2_splat(0));
    let towards = i64x2_add(sum, v128_and(is_lost, is_beyond));
    let odd = v128_or(towards, v128_and(is_lost, i64x2_splat(1)));
    f32x4_demote_f64x2_zero(odd)
}
