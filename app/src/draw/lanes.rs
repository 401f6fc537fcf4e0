//! Four f32 at once: wasm's 128-bit SIMD where there is some, arrays elsewhere. Just what
//! the raster's loops need; the same operations in the same order on both.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod lanes_of_target {
    use core::arch::wasm32 as simd;

    #[derive(Debug, Clone, Copy)]
    pub struct Lanes(simd::v128);

    impl Lanes {
        #[inline(always)]
        pub fn of([a, b, c, d]: [f32; 4]) -> Self {
            Self(simd::f32x4(a, b, c, d))
        }

        /// Whole numbers of any size, rounded.
        #[inline(always)]
        pub fn of_counts([a, b, c, d]: [u32; 4]) -> Self {
            Self(simd::f32x4_convert_u32x4(simd::u32x4(a, b, c, d)))
        }

        /// Rounded to bytes, the first lane lowest.
        #[inline(always)]
        pub fn bytes(self) -> u32 {
            let rounded = simd::f32x4_add(self.0, simd::f32x4_splat(0.5));
            let words = simd::i32x4_trunc_sat_f32x4(rounded);
            let halves = simd::i16x8_narrow_i32x4(words, words);
            simd::u32x4_extract_lane::<0>(simd::u8x16_narrow_i16x8(halves, halves))
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

        /// Bit i is set where `low <= self[i] < high`; NaN is nowhere.
        #[inline(always)]
        pub fn within(self, low: Self, high: Self) -> u32 {
            let inside =
                simd::v128_and(simd::f32x4_ge(self.0, low.0), simd::f32x4_lt(self.0, high.0));
            u32::from(simd::i32x4_bitmask(inside))
        }

        /// Towards zero; what i32 cannot hold becomes some number.
        #[inline(always)]
        pub fn truncated(self) -> [i32; 4] {
            let whole = simd::i32x4_trunc_sat_f32x4(self.0);
            [
                simd::i32x4_extract_lane::<0>(whole),
                simd::i32x4_extract_lane::<1>(whole),
                simd::i32x4_extract_lane::<2>(whole),
                simd::i32x4_extract_lane::<3>(whole),
            ]
        }

        #[inline(always)]
        pub fn floor(self) -> Self {
            Self(simd::f32x4_floor(self.0))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod lanes_of_target {
    #[derive(Debug, Clone, Copy)]
    pub struct Lanes([f32; 4]);

    impl Lanes {
        #[inline(always)]
        pub fn of(values: [f32; 4]) -> Self {
            Self(values)
        }

        /// Whole numbers of any size, rounded.
        #[inline(always)]
        pub fn of_counts(counts: [u32; 4]) -> Self {
            Self(counts.map(|count| count as f32))
        }

        /// Rounded to bytes, the first lane lowest.
        #[inline(always)]
        pub fn bytes(self) -> u32 {
            u32::from_le_bytes(self.0.map(|value| (value + 0.5) as u8))
        }

        #[inline(always)]
        pub fn splat(value: f32) -> Self {
            Self([value; 4])
        }

        #[inline(always)]
        pub fn plus(self, other: Self) -> Self {
            self.zip(other, |a, b| a + b)
        }

        #[inline(always)]
        pub fn minus(self, other: Self) -> Self {
            self.zip(other, |a, b| a - b)
        }

        #[inline(always)]
        pub fn times(self, other: Self) -> Self {
            self.zip(other, |a, b| a * b)
        }

        /// Bit i is set where `low <= self[i] < high`; NaN is nowhere.
        #[inline(always)]
        pub fn within(self, low: Self, high: Self) -> u32 {
            let Self([a, b, c, d]) = self;
            let inside = |value: f32| u32::from(value >= low.0[0] && value < high.0[0]);
            inside(a) | inside(b) << 1 | inside(c) << 2 | inside(d) << 3
        }

        /// Towards zero; what i32 cannot hold becomes some number.
        #[inline(always)]
        pub fn truncated(self) -> [i32; 4] {
            self.0.map(|value| value as i32)
        }

        #[inline(always)]
        pub fn floor(self) -> Self {
            Self(self.0.map(f32::floor))
        }

        #[inline(always)]
        fn zip(self, other: Self, op: impl Fn(f32, f32) -> f32) -> Self {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            Self([op(a, e), op(b, f), op(c, g), op(d, h)])
        }
    }
}

pub use lanes_of_target::Lanes;
