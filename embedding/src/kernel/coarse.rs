//! Which centroids may be the nearest to a row, by products of 16 bits (bfloat16), of which AVX-512
//! adds two where it adds one of 32, and AMX sixteen: all of them whose score, less what it can be
//! wrong by, is not above the least one and what that can be wrong by. For thousands of products a
//! row; those few that are left are looked at again in 32 bits.
//!
//! Rows and centroids are taken about the centroids' middle: X is a row there, C a centroid, X̂ and
//! Ĉ what they are in 16 bits. X·C − X̂·Ĉ = (X − X̂)·C + X̂·(C − Ĉ), by Cauchy and Schwarz at most
//! ‖X − X̂‖·‖C‖ + ‖X̂‖·‖C − Ĉ‖, whose norms are measured. Two terms that are added at once are rounded
//! four times at most (Intel's manual, VDPBF16PS), so that a sum of d is wrong by 2·(d + 4)·2⁻²⁴
//! of ‖X̂‖·‖Ĉ‖ at most; what is below the smallest normal float is taken for zero. AMX adds sixteen
//! to a sum, rounded once each, and two of those, then to what there is (TDPBF16PS): a term is
//! rounded 18 + d / 32 times at most, which is fewer.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
mod tests;

use super::below::first_below;
use super::{LANES, Level};

/// Centroids whose products are added together: four vectors.
const WIDTH: usize = 4 * LANES;
/// Rows whose scores are kept at once, at most.
const ROWS_MAX: usize = 64;
/// From here on it is quicker.
const CENTROIDS_MIN: usize = 256;
const DIMENSIONS_MIN: usize = 64;
const UNIT: f64 = 1.0 / (1 << 24) as f64;
/// Of norms that were worked out with rounding.
const SPARE: f64 = 1.001;
/// Norms of centroids in between.
const NORMS: std::ops::Range<f64> = 1e-15..1e15;

/// Who adds products of 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Products {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
}

impl Products {
    /// The best that the processor has.
    fn of(level: Level) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if matches!(level, Level::Avx512) {
            #[cfg(target_os = "linux")]
            if amx::has() {
                return Some(Self::Amx);
            }
            return is_x86_feature_detected!("avx512bf16").then_some(Self::Avx512);
        }
        let _ = level;
        None
    }

    /// Words of a vector, two values each, are a multiple of these.
    fn words(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 1,
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Self::Amx => amx::WORDS,
        }
    }

    /// Rows that are scored together, and those whose scores are kept at once.
    fn tile(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::TILE,
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Self::Amx => amx::TILE,
        }
    }

    fn rows_at_once(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 48,
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Self::Amx => ROWS_MAX,
        }
    }
}

/// Centroids in 16 bits.
#[derive(Debug, Clone)]
pub(crate) struct Coarse {
    products: Products,
    k: usize,
    d: usize,
    /// Words of a vector.
    half: usize,
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

/// What a kernel knows of them.
#[cfg(target_arch = "x86_64")]
struct Centroids<'a> {
    half: usize,
    pairs: &'a [u32],
    half_norms: &'a [f32],
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
        Self::by(Products::of(level)?, level, centroids, d)
    }

    fn by(products: Products, level: Level, centroids: &[f32], d: usize) -> Option<Self> {
        let k = centroids.len() / d.max(1);
        if k < CENTROIDS_MIN || d < DIMENSIONS_MIN {
            return None;
        }
        let mut sums = vec![0.0_f64; d];
        for row in centroids.chunks_exact(d) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let centre: Vec<f32> = sums.iter().map(|sum| (sum / k as f64) as f32).collect();
        let (width, half) =
            (k.next_multiple_of(WIDTH), d.div_ceil(2).next_multiple_of(products.words()));
        let mut found = Self {
            products,
            k,
            d,
            half,
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
        let (d, half, width) = (self.d, self.half, self.half_norms.len());
        let at_once = self.products.rows_at_once();
        // A whole number of tiles.
        room.pairs.resize(at_once * half, 0);
        room.scores.resize(at_once * width, 0.0);
        for rows in rows.chunks(at_once * d) {
            let n = rows.len() / d;
            let mut errors = [0.0; ROWS_MAX];
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
    fn centroids(&self) -> Centroids<'_> {
        Centroids { half: self.half, pairs: &self.pairs, half_norms: &self.half_norms }
    }

    /// Scores of all centroids, of each row in a line of its own.
    fn score(&self, rows: usize, room: &mut Room) {
        let half = self.half;
        let (tile, width) = (self.products.tile(), self.half_norms.len());
        assert!(room.pairs.len() >= rows.next_multiple_of(tile) * half);
        assert!(room.scores.len() >= rows.next_multiple_of(tile) * width);
        match self.products {
            // SAFETY: the processor has them, and there is room for whole tiles.
            #[cfg(target_arch = "x86_64")]
            Products::Avx512 => unsafe { avx512::score(&self.centroids(), rows, room) },
            // SAFETY: as above.
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Products::Amx => unsafe { amx::score(&self.centroids(), rows, room) },
        }
    }
}

/// Half of a square about the centre, in 64 bits.
fn half_square(row: &[f32], centre: &[f32]) -> f64 {
    let apart = row.iter().zip(centre).map(|(x, centre)| f64::from(*x) - f64::from(*centre));
    apart.map(|x| x * x).sum::<f64>() / 2.0
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
