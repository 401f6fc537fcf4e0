//! Sixteen floats at once, by each kind of register.
#![allow(unsafe_code)]

use super::LANES;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use wasm::Simd128 as Plain;

/// Sixteen floats. Every function is inlined into a loop that was compiled for the processor's
/// features; elsewhere they must not be called on a processor without them.
pub(super) trait Lanes: Copy {
    unsafe fn splat(value: f32) -> Self;
    /// Reads [`LANES`] floats, wherever they are aligned to.
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// `self * by + add`, rounded once.
    unsafe fn fma(self, by: Self, add: Self) -> Self;
    /// `self * by + add`, rounded once or twice, whichever is quicker.
    #[inline(always)]
    unsafe fn mul_add(self, by: Self, add: Self) -> Self {
        // SAFETY: the caller's.
        unsafe { self.fma(by, add) }
    }
    unsafe fn sub(self, other: Self) -> Self;
    /// The lesser; of NaN either.
    unsafe fn min(self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    /// Where `a < b` the bits of `then`, else those of `or`.
    unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self;

    /// A bit for each lane that is less than another's, the first the lowest.
    #[inline(always)]
    unsafe fn less(self, other: Self) -> u32 {
        // SAFETY: the caller's.
        let (own, others) = unsafe { (self.to_array(), other.to_array()) };
        let mut less = 0;
        for (at, (own, other)) in own.into_iter().zip(others).enumerate() {
            less |= u32::from(own < other) << at;
        }
        less
    }

    /// The least of the lanes.
    #[inline(always)]
    unsafe fn least(self) -> f32 {
        // SAFETY: the caller's.
        let lanes = unsafe { self.to_array() };
        let mut least = f32::INFINITY;
        for lane in lanes {
            least = if lane < least { lane } else { least };
        }
        least
    }

    #[inline(always)]
    unsafe fn to_array(self) -> [f32; LANES] {
        let mut array = [0.0; LANES];
        // SAFETY: the array has as many floats as there are lanes.
        unsafe { self.store(array.as_mut_ptr()) };
        array
    }
}

/// `a * b + c`, rounded once, without the instruction: a library's function takes far longer. In
/// 64 bits the product is exact; their sum is rounded to odd, after which rounding to 32 bits is
/// as if it were the only one (Boldo, Melquiond: Emulation of a FMA and correctly rounded sums:
/// proved algorithms using rounding to odd. IEEE Transactions on Computers 57, 2008).
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // What the sum lacks (Knuth).
    let rest = sum - product;
    let lacks = (product - (sum - rest)) + (c - rest);
    let bits = sum.to_bits();
    let is_even = u64::from(bits & 1 == 0);
    let is_farther = lacks != 0.0 && (lacks > 0.0) == (sum > 0.0);
    let is_nearer = lacks != 0.0 && (lacks > 0.0) != (sum > 0.0);
    let odd = bits + is_even * u64::from(is_farther) - is_even * u64::from(is_nearer);
    // Beyond the range there is nothing to round.
    (if sum.is_finite() { f64::from_bits(odd) } else { sum }) as f32
}

/// Whatever the compiler makes of it.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; LANES]);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, of: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|at| of(self.0[at], other.0[at])))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Lanes for Plain {
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn fma(self, by: Self, add: Self) -> Self {
        Self(std::array::from_fn(|at| fused(self.0[at], by.0[at], add.0[at])))
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, add: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] * by.0[at] + add.0[at]))
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
        Self(std::array::from_fn(|at| if a.0[at] < b.0[at] { then.0[at] } else { or.0[at] }))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::Lanes;

    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512);

    // SAFETY of all blocks: the caller has the processor's features, and gives pointers to
    // sixteen floats.
    impl Lanes for Avx512 {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self.0) };
        }

        #[inline(always)]
        unsafe fn fma(self, by: Self, add: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, by.0, add.0) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm512_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(unsafe { _mm512_min_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(unsafe { _mm512_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
            Self(unsafe {
                let less = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a.0, b.0);
                _mm512_mask_blend_ps(less, or.0, then.0)
            })
        }

        #[inline(always)]
        unsafe fn less(self, other: Self) -> u32 {
            unsafe { u32::from(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0)) }
        }

        #[inline(always)]
        unsafe fn least(self) -> f32 {
            unsafe { _mm512_reduce_min_ps(self.0) }
        }
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Avx2([__m256; 2]);

    impl Avx2 {
        #[inline(always)]
        unsafe fn each(of: impl Fn(usize) -> __m256) -> Self {
            Self([of(0), of(1)])
        }
    }

    impl Lanes for Avx2 {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { Self::each(|_| _mm256_set1_ps(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Self::each(|at| _mm256_loadu_ps(from.add(8 * at))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe {
                _mm256_storeu_ps(to, self.0[0]);
                _mm256_storeu_ps(to.add(8), self.0[1]);
            }
        }

        #[inline(always)]
        unsafe fn fma(self, by: Self, add: Self) -> Self {
            unsafe { Self::each(|at| _mm256_fmadd_ps(self.0[at], by.0[at], add.0[at])) }
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_sub_ps(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_min_ps(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_max_ps(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
            unsafe {
                Self::each(|at| {
                    let less = _mm256_cmp_ps::<_CMP_LT_OQ>(a.0[at], b.0[at]);
                    _mm256_blendv_ps(or.0[at], then.0[at], less)
                })
            }
        }

        #[inline(always)]
        unsafe fn less(self, other: Self) -> u32 {
            unsafe {
                let low = _mm256_cmp_ps::<_CMP_LT_OQ>(self.0[0], other.0[0]);
                let high = _mm256_cmp_ps::<_CMP_LT_OQ>(self.0[1], other.0[1]);
                (_mm256_movemask_ps(low) | _mm256_movemask_ps(high) << 8).cast_unsigned()
            }
        }

        #[inline(always)]
        unsafe fn least(self) -> f32 {
            unsafe {
                let eight = _mm256_min_ps(self.0[0], self.0[1]);
                let (low, high) =
                    (_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
                let four = _mm_min_ps(low, high);
                let two = _mm_min_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_min_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) mod arm {
    use std::arch::aarch64::*;

    use super::Lanes;

    #[derive(Clone, Copy)]
    pub(crate) struct Neon([float32x4_t; 4]);

    impl Neon {
        #[inline(always)]
        unsafe fn each(of: impl Fn(usize) -> float32x4_t) -> Self {
            Self([of(0), of(1), of(2), of(3)])
        }
    }

    // SAFETY of all blocks: the caller has the processor's features, and gives pointers to
    // sixteen floats.
    impl Lanes for Neon {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { Self::each(|_| vdupq_n_f32(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Self::each(|at| vld1q_f32(from.add(4 * at))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            for (at, lanes) in self.0.into_iter().enumerate() {
                unsafe { vst1q_f32(to.add(4 * at), lanes) };
            }
        }

        #[inline(always)]
        unsafe fn fma(self, by: Self, add: Self) -> Self {
            unsafe { Self::each(|at| vfmaq_f32(add.0[at], self.0[at], by.0[at])) }
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { Self::each(|at| vsubq_f32(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            unsafe { Self::each(|at| vminq_f32(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            unsafe { Self::each(|at| vmaxq_f32(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
            unsafe { Self::each(|at| vbslq_f32(vcltq_f32(a.0[at], b.0[at]), then.0[at], or.0[at])) }
        }

        #[inline(always)]
        unsafe fn least(self) -> f32 {
            let [a, b, c, d] = self.0;
            unsafe { vminvq_f32(vminq_f32(vminq_f32(a, b), vminq_f32(c, d))) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn without_the_instruction_bits_are_the_same() {
        let check = |a: f32, b: f32, c: f32| {
            let (found, expected) = (fused(a, b, c), a.mul_add(b, c));
            let is_same = found.to_bits() == expected.to_bits();
            assert!(
                is_same || (found.is_nan() && expected.is_nan()),
                "{a:e} {b:e} {c:e}: {found:e}"
            );
        };
        let odd = [0.0, 1.0, 1.0 + f32::EPSILON, 3.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY];
        let odd = odd.into_iter().chain([f32::NAN, f32::from_bits(1), f32::from_bits(0x7f_ffff)]);
        let odd: Vec<f32> = odd.flat_map(|x| [x, -x, x / 3.0, 1.0 / x]).collect();
        for a in &odd {
            for b in &odd {
                odd.iter().for_each(|c| check(*a, *b, *c));
            }
        }
        let random = Random::new(11, 0);
        for at in 0..400_000 {
            let [a, b, c, exponent] = random.words(at);
            // Any bits; exponents such that sums are of all digits of both; and halfway cases.
            check(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
            let near = |bits: u32, by: u32| f32::from_bits(bits & 0x807f_ffff | (100 + by) << 23);
            let (a, b) = (near(a, exponent % 40), near(b, 27));
            check(a, b, near(c, exponent / 64 % 100));
            check(near(c & 0x8070_0000, 27), near(exponent & 0x8000_000f, 3), a);
        }
    }
}
