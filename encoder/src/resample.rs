//! Pictures of another size, as Pillow makes them: two passes, across and then down, in whole
//! numbers, so that a picture has the same pixels here, there and on every machine.
//!
//! A filter is as wide as what a new pixel covers of the old ones: shrinking leaves no moiré.

use serde::Serialize;

/// What a new pixel takes of the old ones around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
}

/// A picture: height × width × 3, each of a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    pub width: usize,
    pub height: usize,
    pub values: Vec<u8>,
}

/// Bits after the point of a weight: what sums of bytes leave of 32.
const BITS: u32 = 32 - 8 - 2;

impl Filter {
    /// How far from its middle it is not zero.
    fn reach(self) -> f64 {
        match self {
            Self::Nearest => 0.5,
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        let x = x.abs();
        if x >= self.reach() {
            return 0.0;
        }
        match self {
            Self::Nearest => 1.0,
            Self::Bilinear => 1.0 - x,
            // Keys' cubic with a = -0.5.
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Lanczos => sinc(x) * sinc(x / 3.0),
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// What a new pixel takes: from which old one on, and how much of each.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

fn taps(from: usize, to: usize, filter: Filter) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    (0..to).map(|at| taps_of(at, scale, from, filter)).collect()
}

fn taps_of(at: usize, scale: f64, from: usize, filter: Filter) -> Taps {
    let centre = (at as f64 + 0.5) * scale;
    if filter == Filter::Nearest {
        return Taps { first: (centre as usize).min(from - 1), weights: vec![1 << BITS] };
    }
    let stretch = scale.max(1.0);
    let reach = filter.reach() * stretch;
    let first = (centre - reach + 0.5).max(0.0) as usize;
    let end = ((centre + reach + 0.5) as usize).min(from);
    let shrink = stretch.recip();
    let weight = |old: usize| filter.at((old as f64 - centre + 0.5) * shrink);
    let weights: Vec<f64> = (first..end).map(weight).collect();
    let part = weights.iter().sum::<f64>().recip();
    let whole = |weight: &f64| (weight * part * f64::from(1_u32 << BITS)).round() as i32;
    Taps { first, weights: weights.iter().map(whole).collect() }
}

/// The weighted sum of bytes, as a byte.
fn byte(sum: i64) -> u8 {
    ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
}

/// The picture at `width` × `height`, both of them and its own 1 at least.
pub fn resize(pixels: Pixels, width: usize, height: usize, filter: Filter) -> Pixels {
    let pixels = if pixels.width == width { pixels } else { across(&pixels, width, filter) };
    if pixels.height == height { pixels } else { down(&pixels, height, filter) }
}

/// The same of pixels that are needed afterwards too.
pub(crate) fn resized(pixels: &Pixels, width: usize, height: usize, filter: Filter) -> Pixels {
    down(&across(pixels, width, filter), height, filter)
}

fn across(pixels: &Pixels, width: usize, filter: Filter) -> Pixels {
    let taps = taps(pixels.width, width, filter);
    let mut values = Vec::with_capacity(pixels.height * width * 3);
    for row in pixels.values.chunks_exact(pixels.width * 3) {
        for Taps { first, weights } in &taps {
            let mut sums = [0_i64; 3];
            for (pixel, weight) in row[first * 3..].chunks_exact(3).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += i64::from(*value) * i64::from(*weight);
                }
            }
            values.extend(sums.map(byte));
        }
    }
    Pixels { width, height: pixels.height, values }
}

fn down(pixels: &Pixels, height: usize, filter: Filter) -> Pixels {
    let stride = pixels.width * 3;
    let mut values = Vec::with_capacity(height * stride);
    let mut sums = vec![0_i64; stride];
    for Taps { first, weights } in taps(pixels.height, height, filter) {
        sums.fill(0);
        for (row, weight) in pixels.values[first * stride..].chunks_exact(stride).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i64::from(*value) * i64::from(weight);
            }
        }
        values.extend(sums.iter().map(|sum| byte(*sum)));
    }
    Pixels { width: pixels.width, height, values }
}
