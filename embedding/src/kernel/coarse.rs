//! Which centroids may be the nearest to a row, by products of 16 bits (bfloat16), of which AVX-512
//! adds two where it adds one of 32: all of them whose score, less what it can be wrong by, is not
//! above the least one and what that can be wrong by. For thousands of products a row; those few
//! that are left are looked at again in 32 bits.
//!
//! Rows and centroids are taken about the centroids' middle: X is a row there, C a centroid, X̂ and
//! Ĉ what they are in 16 bits. X·C − X̂·Ĉ = (X − X̂)·C + X̂·(C − Ĉ), by Cauchy and Schwarz at most
//! ‖X − X̂‖·‖C‖ + ‖X̂‖·‖C − Ĉ‖, whose norms are measured. Two terms that are added at once are rounded
//! four times at most (Intel's manual, VDPBF16PS), so that a sum of d is wrong by 2·(d + 4)·2⁻²⁴
//! of ‖X̂‖·‖Ĉ‖ at most; what is below the smallest normal float is taken for zero.
#![allow(unsafe_code)]

use super::below::first_below;
use super::{LANES, Level};

/// Centroids whose products are added together: four vectors.
const WIDTH: usize = 4 * LANES;
/// Rows of a tile, and those whose scores are kept at once.
const TILE: usize = 6;
const ROWS_AT_ONCE: usize = 48;
/// From here on it is quicker.
const CENTROIDS_MIN: usize = 256;
const DIMENSIONS_MIN: usize = 64;
const UNIT: f64 = 1.0 / (1 << 24) as f64;
/// Of norms that were worked out with rounding.
const SPARE: f64 = 1.001;
/// Norms of centroids in between.
const NORMS: std::ops::Range<f64> = 1e-15..1e15;

/// Centroids in 16 bits.
#[derive(Debug, Clone)]
pub(crate) struct Coarse {
    k: usize,
    d: usize,
    centre: Vec<f32>,
    /// By panels of [`WIDTH`] centroids, for each word of a vector those of all of them.
    pairs: Vec<u32>,
    /// Half of the squares about the middle; infinite past the last.
    half_norms: Vec<f32>,
    /// The largest of norms, of norms in 16 bits, and of what those have lost.
    norm: f64,
    own_norm: f64,
    lost: f64,
}

/// Room for rows on their way.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pairs: Vec<u32>,
    scores: Vec<f32>,
    candidates: Vec<u32>,
}

impl Coarse {
    /// Of centroids in rows, where the processor adds products of 16 bits and it is worth while.
    pub(crate) fn new(level: Level, centroids: &[f32], d: usize) -> Option<Self> {
        let k = centroids.len() / d.max(1);
        if !has(level) || k < CENTROIDS_MIN || d < DIMENSIONS_MIN {
            return None;
        }
        let mut sums = vec![0.0_f64; d];
        for row in centroids.chunks_exact(d) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let centre: Vec<f32> = sums.iter().map(|sum| (sum / k as f64) as f32).collect();
        let (width, half) = (k.next_multiple_of(WIDTH), d.div_ceil(2));
        let mut found = Self {
            k,
            d,
            centre,
            pairs: vec![0; width * half],
            half_norms: vec![f32::INFINITY; width],
            norm: 0.0,
            own_norm: 0.0,
            lost: 0.0,
        };
        let mut pairs = vec![0; half];
        for (at, row) in centroids.chunks_exact(d).enumerate() {
            let of = halved(level, row, &found.centre, &mut pairs);
            let panel = found.pairs.chunks_exact_mut(half * WIDTH).nth(at / WIDTH)?;
            let slots = panel.iter_mut().skip(at % WIDTH).step_by(WIDTH);
            slots.zip(&pairs).for_each(|(slot, pair)| *slot = *pair);
            *found.half_norms.get_mut(at)? = half_square(row, &found.centre) as f32;
            found.norm = found.norm.max(of.norm * SPARE);
            found.own_norm = found.own_norm.max(of.own_norm * SPARE);
            found.lost = found.lost.max(of.lost * SPARE);
        }
        NORMS.contains(&found.norm).then_some(found)
    }

    /// Tells of each row, in their order, which centroids may be its nearest.
    pub(crate) fn candidates(
        &self,
        level: Level,
        rows: &[f32],
        room: &mut Room,
        mut tell: impl FnMut(&[f32], &[u32]),
    ) {
        let (d, half, width) = (self.d, self.d.div_ceil(2), self.half_norms.len());
        for rows in rows.chunks(ROWS_AT_ONCE * d) {
            let n = rows.len() / d;
            room.pairs.resize(ROWS_AT_ONCE.next_multiple_of(TILE) * half, 0);
            room.scores.resize(ROWS_AT_ONCE.next_multiple_of(TILE) * width, 0.0);
            let mut errors = [0.0; ROWS_AT_ONCE];
            let pairs = room.pairs.chunks_exact_mut(half);
            for ((row, pairs), error) in rows.chunks_exact(d).zip(pairs).zip(&mut errors) {
                *error = self.error(halved(level, row, &self.centre, pairs));
            }
            self.score(n, room);
            let lines = room.scores.chunks_exact(width).zip(&errors);
            for (row, (scores, error)) in rows.chunks_exact(d).zip(lines) {
                let limit = ((f64::from(least(scores)) + 2.0 * error) as f32).next_up();
                room.candidates.clear();
                if !limit.is_finite() {
                    // Out of all bounds, this row says nothing.
                    room.candidates.extend(0..self.k as u32);
                }
                let mut from = 0;
                while limit.is_finite()
                    && let Some((at, mut below)) = first_below(level, scores, from, limit)
                {
                    while below != 0 {
                        room.candidates.push((at + below.trailing_zeros() as usize) as u32);
                        below &= below - 1;
                    }
                    from = at + LANES;
                }
                tell(row, &room.candidates);
            }
        }
    }

    /// What a score of a row may be wrong by.
    fn error(&self, row: Halved) -> f64 {
        let d = self.d as f64;
        let of_bits = row.lost * self.norm + row.own_norm * self.lost;
        let of_sums = 2.0 * (d + 4.0) * UNIT * row.own_norm * self.own_norm;
        // Half of the square, the product less it, and both compared.
        let of_scores = 4.0 * UNIT * (self.norm * self.norm + row.own_norm * self.own_norm);
        let of_zeros = 4.0 * d * f64::from(f32::MIN_POSITIVE) * (1.0 + self.norm + row.norm);
        SPARE * (of_bits + of_sums + of_scores) + of_zeros
    }

    #[cfg(target_arch = "x86_64")]
    fn score(&self, rows: usize, room: &mut Room) {
        // SAFETY: there is none of these where the processor has no such products.
        unsafe { self.score_avx512(rows, room) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn score(&self, _: usize, _: &mut Room) {}

    /// Scores of all centroids, of each row in a line of its own.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn score_avx512(&self, rows: usize, room: &mut Room) {
        use std::arch::x86_64::{
            __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
            _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps, _mm512_sub_ps,
        };
        /// Both are 512 bits.
        fn bits(of: __m512i) -> __m512bh {
            // SAFETY: any bits will do.
            unsafe { std::mem::transmute(of) }
        }
        const VECTORS: usize = WIDTH / LANES;
        let (half, width) = (self.d.div_ceil(2), self.half_norms.len());
        assert!(room.pairs.len() >= rows.next_multiple_of(TILE) * half);
        assert!(room.scores.len() >= rows.next_multiple_of(TILE) * width);
        let panels = self.pairs.chunks_exact(half * WIDTH).zip(self.half_norms.chunks_exact(WIDTH));
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
}

/// Half of a square about the centre, in 64 bits.
fn half_square(row: &[f32], centre: &[f32]) -> f64 {
    let apart = row.iter().zip(centre).map(|(x, centre)| f64::from(*x) - f64::from(*centre));
    apart.map(|x| x * x).sum::<f64>() / 2.0
}

/// Whether the processor adds products of 16 bits.
fn has(level: Level) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        matches!(level, Level::Avx512) && is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = level;
        false
    }
}

/// Norms of a vector, of what it is in 16 bits, and of what it has lost.
#[derive(Debug, Clone, Copy)]
struct Halved {
    norm: f64,
    own_norm: f64,
    lost: f64,
}

/// A vector about the centre, two values to a word: one of its first half and one of its second.
fn halved(level: Level, row: &[f32], centre: &[f32], pairs: &mut [u32]) -> Halved {
    match level {
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { halved_avx512(row, centre, pairs) },
        _ => halve(row, centre, pairs),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn halved_avx512(row: &[f32], centre: &[f32], pairs: &mut [u32]) -> Halved {
    halve(row, centre, pairs)
}

#[inline(always)]
fn halve(row: &[f32], centre: &[f32], pairs: &mut [u32]) -> Halved {
    let half = pairs.len();
    let ((low, high), (low_centre, high_centre)) = (row.split_at(half), centre.split_at(half));
    let mut sums = Sums::default();
    let (low_lanes, high_lanes) = (low.as_chunks::<LANES>().0, high.as_chunks::<LANES>().0);
    let whole = low_lanes.len().min(high_lanes.len());
    let (low_centres, high_centres) =
        (low_centre.as_chunks::<LANES>().0, high_centre.as_chunks::<LANES>().0);
    let (words, rest) = pairs.split_at_mut(whole * LANES);
    let lanes = low_lanes.iter().zip(low_centres).zip(high_lanes.iter().zip(high_centres));
    for (((low, low_centre), (high, high_centre)), words) in
        lanes.zip(words.as_chunks_mut::<LANES>().0)
    {
        for at in 0..LANES {
            let first = sums.take(at, low[at] - low_centre[at]);
            words[at] = first >> 16 | sums.take(at, high[at] - high_centre[at]);
        }
    }
    for (at, word) in rest.iter_mut().enumerate() {
        let at = whole * LANES + at;
        let value = |values: &[f32], centres: &[f32]| {
            values.get(at).zip(centres.get(at)).map_or(0.0, |(x, centre)| x - centre)
        };
        let first = sums.take(0, value(low, low_centre));
        *word = first >> 16 | sums.take(0, value(high, high_centre));
    }
    sums.norms(row.len())
}

/// Sums of squares, by lanes.
#[derive(Default)]
struct Sums {
    squares: [f32; LANES],
    own: [f32; LANES],
    lost: [f32; LANES],
}

impl Sums {
    /// The upper 16 bits of a value, rounded to the nearest, to even from the middle.
    #[inline(always)]
    fn take(&mut self, lane: usize, value: f32) -> u32 {
        let bits = value.to_bits();
        let kept = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000;
        let back = f32::from_bits(kept);
        self.squares[lane] += value * value;
        self.own[lane] += back * back;
        self.lost[lane] += (value - back) * (value - back);
        kept
    }

    /// Of so many terms, no less than they are.
    fn norms(&self, d: usize) -> Halved {
        let norm = |lanes: [f32; LANES]| {
            let sum: f64 = lanes.iter().map(|lane| f64::from(*lane)).sum();
            sum.sqrt() * (1.0 + (d + 8) as f64 * UNIT)
        };
        let [norm, own_norm, lost] = [self.squares, self.own, self.lost].map(norm);
        // The difference from the centre was rounded, too.
        Halved { norm, own_norm, lost: lost + 2.0 * UNIT * norm }
    }
}

fn least(scores: &[f32]) -> f32 {
    let (lanes, rest) = scores.as_chunks::<LANES>();
    let mut found = [f32::INFINITY; LANES];
    for lanes in lanes {
        for (found, score) in found.iter_mut().zip(lanes) {
            *found = if score < found { *score } else { *found };
        }
    }
    found.iter().chain(rest).copied().fold(f32::INFINITY, f32::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn the_nearest_is_among_the_candidates() {
        let level = Level::detect();
        let random = Random::new(7, 0);
        for (n, k, d, offset) in
            [(100, 256, 64, 0.0), (97, 300, 65, 40.0), (50, 1000, 131, -3.0), (49, 257, 96, 1e6)]
        {
            let value = |at: usize| (random.unit(at as u64) * 4.0 - 2.0) as f32 + offset;
            let rows: Vec<f32> = (0..n * d).map(value).collect();
            let centroids: Vec<f32> = (0..k * d).map(|at| value(at + (1 << 30))).collect();
            let Some(coarse) = Coarse::new(level, &centroids, d) else {
                assert!(!has(level), "it would be quicker");
                return;
            };
            let (mut at, mut many) = (0, 0);
            coarse.candidates(level, &rows, &mut Room::default(), |row, candidates| {
                assert_eq!(row, &rows[at * d..(at + 1) * d]);
                let apart = |c: &[f32]| -> f64 {
                    let both = row.iter().zip(c);
                    both.map(|(x, c)| (f64::from(*x) - f64::from(*c)).powi(2)).sum()
                };
                let squares: Vec<f64> = centroids.chunks(d).map(apart).collect();
                let nearest = (0..k).min_by(|a, b| squares[*a].total_cmp(&squares[*b]));
                assert!(candidates.contains(&(nearest.unwrap_or(k) as u32)), "{n} {k} {d}");
                assert!(candidates.iter().all(|c| (*c as usize) < k));
                at += 1;
                many += candidates.len();
            });
            assert_eq!(at, n);
            assert!(offset > 1e5 || many < n * k / 4, "{many} of {}", n * k);
        }
        // Fewer are quicker as they are, and what is out of bounds is not for 16 bits.
        assert!(Coarse::new(level, &[1.0; 100 * 64], 64).is_none());
        assert!(Coarse::new(level, &vec![0.5; 300 * 64], 64).is_none(), "all the same");
        let huge: Vec<f32> = (0..300 * 64).map(|at| (at % 7) as f32 * 1e20).collect();
        assert!(Coarse::new(level, &huge, 64).is_none());
        assert!(Coarse::new(Level::Portable, &huge, 64).is_none());
    }
}
