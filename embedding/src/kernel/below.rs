//! Which of many scores are below a limit: few are, so that most are passed over by lanes.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::{LANES, Level};

/// Vectors that are looked at with one comparison.
const VECTORS: usize = 4;

/// The first [`LANES`] of `scores`, from `from` on, among which there is one below `limit`:
/// where they begin, and a bit for each that is.
pub(crate) fn first_below(
    level: Level,
    scores: &[f32],
    from: usize,
    limit: f32,
) -> Option<(usize, u32)> {
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { first_avx512(scores, from, limit) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { first_avx2(scores, from, limit) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { first_neon(scores, from, limit) },
        // SAFETY: needs no feature.
        Level::Portable => unsafe { first::<Plain>(scores, from, limit) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn first_avx512(scores: &[f32], from: usize, limit: f32) -> Option<(usize, u32)> {
    // SAFETY: the features are this function's.
    unsafe { first::<super::lanes::x86::Avx512>(scores, from, limit) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn first_avx2(scores: &[f32], from: usize, limit: f32) -> Option<(usize, u32)> {
    // SAFETY: the features are this function's.
    unsafe { first::<super::lanes::x86::Avx2>(scores, from, limit) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn first_neon(scores: &[f32], from: usize, limit: f32) -> Option<(usize, u32)> {
    // SAFETY: the features are this function's.
    unsafe { first::<super::lanes::arm::Neon>(scores, from, limit) }
}

#[inline(always)]
unsafe fn first<L: Lanes>(scores: &[f32], from: usize, limit: f32) -> Option<(usize, u32)> {
    let n = scores.len();
    let mut at = from;
    // SAFETY: the features are the caller's, and loads end at `n`.
    unsafe {
        let limits = L::splat(limit);
        while at + VECTORS * LANES <= n {
            let mut least = L::load(scores.as_ptr().add(at));
            for v in 1..VECTORS {
                least = least.min(L::load(scores.as_ptr().add(at + v * LANES)));
            }
            if least.less(limits) != 0 {
                break;
            }
            at += VECTORS * LANES;
        }
        while at + LANES <= n {
            let less = L::load(scores.as_ptr().add(at)).less(limits);
            if less != 0 {
                return Some((at, less));
            }
            at += LANES;
        }
    }
    let mut less = 0;
    for (nth, score) in scores.get(at..).unwrap_or_default().iter().enumerate() {
        less |= u32::from(*score < limit) << nth;
    }
    (less != 0).then_some((at, less))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_finds_those_that_a_plain_loop_does() {
        let random = Random::new(3, 0);
        for n in [0, 1, 15, 16, 17, 63, 64, 65, 200, 257] {
            let scores: Vec<f32> = (0..n).map(|at| random.unit(at) as f32).collect();
            for limit in [0.0, 0.01, 0.1, f32::INFINITY] {
                let places = 0..scores.len();
                let expected: Vec<usize> = places.filter(|at| scores[*at] < limit).collect();
                for level in Level::all() {
                    let (mut found, mut from) = (Vec::new(), 0);
                    while let Some((at, less)) = first_below(level, &scores, from, limit) {
                        found.extend((0..LANES).filter(|nth| less >> nth & 1 == 1).map(|x| x + at));
                        from = at + LANES;
                    }
                    assert_eq!(found, expected, "{level:?} {n} {limit}");
                }
            }
        }
    }
}
