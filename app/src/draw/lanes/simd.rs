//! Lanes in a SIMD register of wasm.

use core::arch::wasm32 as simd;

#[derive(Debug, Clone, Copy)]
pub struct Lanes(simd::v128);

impl Lanes {
    #[inline(always)]
    pub fn of([a, b, c, d]: [f32; 4]) -> Self {
        Self(simd::f32x4(a, b, c, d))
    }

    /// Four values from `first` on.
    #[inline(always)]
    pub fn load<const LENGTH: usize>(values: &[f32; LENGTH], first: usize) -> Self {
        let bytes = bytemuck::cast_slice::<f32, u8>(&values[first..first + 4]);
        Self(bytemuck::pod_read_unaligned(bytes))
    }

    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Self(simd::f32x4_splat(value))
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Self(simd::f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn minus(self, other: Self) -> Self {
        Self(simd::f32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        Self(simd::f32x4_mul(self.0, other.0))
    }

    #[inline(always)]
    pub fn floor(self) -> Self {
        Self(simd::f32x4_floor(self.0))
    }

    /// Bit i is set where `low <= self[i] < high`; NaN is nowhere.
    #[inline(always)]
    pub fn within(self, low: Self, high: Self) -> u32 {
        let inside = simd::v128_and(simd::f32x4_ge(self.0, low.0), simd::f32x4_lt(self.0, high.0));
        u32::from(simd::i32x4_bitmask(inside))
    }

    /// Towards zero; what i32 cannot hold becomes some number.
    #[inline(always)]
    pub fn truncated(self) -> [i32; 4] {
        lanes(simd::i32x4_trunc_sat_f32x4(self.0))
    }

    /// `y × width + x` of the numbers truncated, wrapping.
    #[inline(always)]
    pub fn places(x: Self, y: Self, width: i32) -> [i32; 4] {
        let (x, y) = (simd::i32x4_trunc_sat_f32x4(x.0), simd::i32x4_trunc_sat_f32x4(y.0));
        lanes(simd::i32x4_add(simd::i32x4_mul(y, simd::i32x4_splat(width)), x))
    }

    /// Rounded to bytes, the first lane lowest.
    #[inline(always)]
    pub fn bytes(self) -> u32 {
        let rounded = simd::f32x4_add(self.0, simd::f32x4_splat(0.5));
        let words = simd::i32x4_trunc_sat_f32x4(rounded);
        let halves = simd::i16x8_narrow_i32x4(words, words);
        simd::u32x4_extract_lane::<0>(simd::u8x16_narrow_i16x8(halves, halves))
    }
}

#[inline(always)]
fn lanes(words: simd::v128) -> [i32; 4] {
    [
        simd::i32x4_extract_lane::<0>(words),
        simd::i32x4_extract_lane::<1>(words),
        simd::i32x4_extract_lane::<2>(words),
        simd::i32x4_extract_lane::<3>(words),
    ]
}

#[derive(Debug, Clone, Copy)]
pub struct Counts(simd::v128);

impl Default for Counts {
    #[inline(always)]
    fn default() -> Self {
        Self(simd::u32x4_splat(0))
    }
}

impl Counts {
    #[inline(always)]
    pub fn of([a, b, c, d]: [u32; 4]) -> Self {
        Self(simd::u32x4(a, b, c, d))
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Self(simd::u32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn times(self, factor: u32) -> Self {
        Self(simd::u32x4_mul(self.0, simd::u32x4_splat(factor)))
    }

    #[inline(always)]
    pub fn first(self) -> u32 {
        simd::u32x4_extract_lane::<0>(self.0)
    }

    /// As f32, rounded.
    #[inline(always)]
    pub fn lanes(self) -> Lanes {
        Lanes(simd::f32x4_convert_u32x4(self.0))
    }
}
