//! Eight floats of 64 bits at once, by each kind of register. Nothing is fused and each lane is
//! on its own, so the bits are the same whatever the register is.
#![allow(unsafe_code)]

/// Floats of 64 bits that are worked on together.
pub(crate) const DOUBLES: usize = 8;

/// Eight floats. Every function is inlined into a loop that was compiled for the processor's
/// features; elsewhere they must not be called on a processor without them. Left to itself the
/// compiler works on what lies across lanes.
pub(super) trait Doubles: Copy {
    unsafe fn splat(value: f64) -> Self;
    unsafe fn load(from: &[f64; DOUBLES]) -> Self;
    unsafe fn store(self, to: &mut [f64; DOUBLES]);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// Where `a < b` the lanes of `then`, else those of `or`.
    unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self;

    /// The sum of the lanes, in pairs.
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        let mut lanes = [0.0; DOUBLES];
        // SAFETY: the caller's.
        unsafe { self.store(&mut lanes) };
        let [a, b, c, d, e, f, g, h] = lanes;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

/// Whatever the compiler makes of it.
#[derive(Clone, Copy)]
pub(super) struct Plain([f64; DOUBLES]);

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|at| of(self.0[at], other.0[at])))
    }
}

impl Doubles for Plain {
    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        Self([value; DOUBLES])
    }

    #[inline(always)]
    unsafe fn load(from: &[f64; DOUBLES]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f64; DOUBLES]) {
        *to = self.0;
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
        Self(std::array::from_fn(|at| if a.0[at] < b.0[at] { then.0[at] } else { or.0[at] }))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::{DOUBLES, Doubles};

    // SAFETY of all blocks: the caller has the processor's features, and arrays have as many
    // floats as registers.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512d);

    impl Doubles for Avx512 {
        #[inline(always)]
        unsafe fn splat(value: f64) -> Self {
            Self(unsafe { _mm512_set1_pd(value) })
        }

        #[inline(always)]
        unsafe fn load(from: &[f64; DOUBLES]) -> Self {
            Self(unsafe { _mm512_loadu_pd(from.as_ptr()) })
        }

        #[inline(always)]
        unsafe fn store(self, to: &mut [f64; DOUBLES]) {
            unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) };
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_pd(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm512_sub_pd(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm512_mul_pd(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(unsafe { _mm512_div_pd(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
            Self(unsafe {
                let less = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a.0, b.0);
                _mm512_mask_blend_pd(less, or.0, then.0)
            })
        }
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Avx2([__m256d; 2]);

    impl Avx2 {
        #[inline(always)]
        unsafe fn each(of: impl Fn(usize) -> __m256d) -> Self {
            Self([of(0), of(1)])
        }
    }

    impl Doubles for Avx2 {
        #[inline(always)]
        unsafe fn splat(value: f64) -> Self {
            unsafe { Self::each(|_| _mm256_set1_pd(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: &[f64; DOUBLES]) -> Self {
            unsafe { Self::each(|at| _mm256_loadu_pd(from.as_ptr().add(4 * at))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: &mut [f64; DOUBLES]) {
            for (at, part) in self.0.into_iter().enumerate() {
                unsafe { _mm256_storeu_pd(to.as_mut_ptr().add(4 * at), part) };
            }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_add_pd(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_sub_pd(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_mul_pd(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            unsafe { Self::each(|at| _mm256_div_pd(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
            unsafe {
                Self::each(|at| {
                    let less = _mm256_cmp_pd::<_CMP_LT_OQ>(a.0[at], b.0[at]);
                    _mm256_blendv_pd(or.0[at], then.0[at], less)
                })
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) mod arm {
    use std::arch::aarch64::*;

    use super::{DOUBLES, Doubles};

    // SAFETY of all blocks: the caller has the processor's features, and arrays have as many
    // floats as registers.
    #[derive(Clone, Copy)]
    pub(crate) struct Neon([float64x2_t; 4]);

    impl Neon {
        #[inline(always)]
        unsafe fn each(of: impl Fn(usize) -> float64x2_t) -> Self {
            Self([of(0), of(1), of(2), of(3)])
        }
    }

    impl Doubles for Neon {
        #[inline(always)]
        unsafe fn splat(value: f64) -> Self {
            unsafe { Self::each(|_| vdupq_n_f64(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: &[f64; DOUBLES]) -> Self {
            unsafe { Self::each(|at| vld1q_f64(from.as_ptr().add(2 * at))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: &mut [f64; DOUBLES]) {
            for (at, part) in self.0.into_iter().enumerate() {
                unsafe { vst1q_f64(to.as_mut_ptr().add(2 * at), part) };
            }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { Self::each(|at| vaddq_f64(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { Self::each(|at| vsubq_f64(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            unsafe { Self::each(|at| vmulq_f64(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            unsafe { Self::each(|at| vdivq_f64(self.0[at], other.0[at])) }
        }

        #[inline(always)]
        unsafe fn where_less(a: Self, b: Self, then: Self, or: Self) -> Self {
            unsafe { Self::each(|at| vbslq_f64(vcltq_f64(a.0[at], b.0[at]), then.0[at], or.0[at])) }
        }
    }
}
