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
    fn each(mut of: impl FnMut(usize) -> v128) -> Self {
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
        let mut doubt = i64x2_splat(0);
        let quick = Self::each(|at| {
            let (a, b, c) = (self.0[at], by.0[at], add.0[at]);
            let (low, of_low) = about_two(a, b, c);
            let (high, of_high) = about_two(high(a), high(b), high(c));
            doubt = v128_or(doubt, v128_or(of_low, of_high));
            let both = i32x4_shuffle::<0, 1, 4, 5>(low, high);
            doubt = v128_or(doubt, is_subnormal(both));
            both
        });
        match v128_any_true(doubt) {
            true => fused(self, by, add),
            false => quick,
        }
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

/// The last two floats as the first two.
#[inline(always)]
fn high(x: v128) -> v128 {
    i32x4_shuffle::<2, 3, 0, 0>(x, x)
}

/// Products, which are exact in 64 bits, and what they are added to, of the first two floats.
#[inline(always)]
fn wide(a: v128, b: v128, c: v128) -> (v128, v128) {
    let product = f64x2_mul(f64x2_promote_low_f32x4(a), f64x2_promote_low_f32x4(b));
    (product, f64x2_promote_low_f32x4(c))
}

/// `a * b + c` of the first two floats of each, rounded to 64 bits and then to 32; and where the
/// first rounding could have made a tie of the second, which then decides otherwise than it would
/// of the true sum.
#[inline(always)]
fn about_two(a: v128, b: v128, c: v128) -> (v128, v128) {
    /// Of the bits that 32 have no room for, those of a tie.
    const LOST: i64 = 0x1fff_ffff;
    const TIE: i64 = 0x1000_0000;
    let (product, c) = wide(a, b, c);
    let sum = f64x2_add(product, c);
    let is_tie = i64x2_eq(v128_and(sum, i64x2_splat(LOST)), i64x2_splat(TIE));
    (f32x4_demote_f64x2_zero(sum), is_tie)
}

/// Where floats have fewer bits than others, and ties elsewhere.
#[inline(always)]
fn is_subnormal(x: v128) -> v128 {
    let size = i32x4_sub(i32x4_shl(x, 1), i32x4_splat(1));
    u32x4_lt(size, u32x4_splat(0x00ff_ffff))
}

/// `a * b + c`, rounded once, whatever they are.
#[cold]
fn fused(a: Simd128, b: Simd128, c: Simd128) -> Simd128 {
    Simd128::each(|at| {
        let (a, b, c) = (a.0[at], b.0[at], c.0[at]);
        i32x4_shuffle::<0, 1, 4, 5>(fused_two(a, b, c), fused_two(high(a), high(b), high(c)))
    })
}

/// Of the first two floats of each. The sum is rounded in 64 bits to odd, which leaves its last
/// bit to say that something was lost: rounded once more, to 32 bits, it is what the true sum
/// would be (Boldo, Melquiond: Emulation of FMA and correctly rounded sums. IEEE Transactions on
/// Computers 2008).
fn fused_two(a: v128, b: v128, c: v128) -> v128 {
    let (product, c) = wide(a, b, c);
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
