//! Scores by AVX-512: two products of 16 bits are added to each of sixteen sums at once.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::{Centroids, LANES, Room, WIDTH};

/// Rows of a tile: with four vectors of centroids their sums fill the registers.
pub(super) const TILE: usize = 6;
const VECTORS: usize = WIDTH / LANES;

/// Both are 512 bits.
fn bits(of: __m512i) -> __m512bh {
    // SAFETY: any bits will do.
    unsafe { std::mem::transmute(of) }
}

/// # Safety
/// The processor has these products, and there is room for whole tiles of the rows.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) unsafe fn score(of: &Centroids<'_>, rows: usize, room: &mut Room) {
    let (half, width) = (of.half, of.half_norms.len());
    let panels = of.pairs.chunks_exact(half * WIDTH).zip(of.half_norms.chunks_exact(WIDTH));
    for (nth, (panel, half_norms)) in panels.enumerate() {
        for first in (0..rows).step_by(TILE) {
            // SAFETY: a panel is half × WIDTH pairs; TILE rows of pairs and of scores are there
            // from every first one on.
            unsafe {
                let own = room.pairs.as_ptr().add(first * half);
                let mut sums = [[_mm512_setzero_ps(); VECTORS]; TILE];
                for t in 0..half {
                    let at = panel.as_ptr().add(t * WIDTH);
                    let mut of = [bits(_mm512_loadu_si512(at.cast())); VECTORS];
                    for (v, of) in of.iter_mut().enumerate().skip(1) {
                        *of = bits(_mm512_loadu_si512(at.add(v * LANES).cast()));
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let pair = (*own.add(r * half + t)).cast_signed();
                        let pair = bits(_mm512_set1_epi32(pair));
                        for (sum, of) in sums.iter_mut().zip(of) {
                            *sum = _mm512_dpbf16_ps(*sum, pair, of);
                        }
                    }
                }
                for (r, sums) in sums.iter().enumerate() {
                    let to = room.scores.as_mut_ptr().add((first + r) * width + nth * WIDTH);
                    for (v, sum) in sums.iter().enumerate() {
                        let halves = _mm512_loadu_ps(half_norms.as_ptr().add(v * LANES));
                        _mm512_storeu_ps(to.add(v * LANES), _mm512_sub_ps(halves, *sum));
                    }
                }
            }
        }
    }
}
