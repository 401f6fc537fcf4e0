//! Fourier transforms of sixteen columns of complex numbers at once, in 32 bits: the same
//! sums and products in each lane, so that the width of registers changes no bit. Lengths are
//! 2ᵃ or 3·2ᵃ; frequencies come out, and go in again, in the order that needs no sorting.
#![allow(unsafe_code)]

use std::f64::consts::FRAC_1_SQRT_2;

use crate::kernel::{LANES, Level};

/// A number of each of sixteen columns.
pub(super) type Lane = [f32; LANES];

/// How to transform columns of one length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fourier {
    len: usize,
    stages: Vec<Stage>,
    /// Where the coefficient of each frequency is.
    places: Vec<usize>,
    /// The cosine of 2πk/len, of all k.
    pub(super) cosines: Vec<f64>,
}

/// One factor of the length: blocks of `radix` parts of `stride` numbers each.
#[derive(Debug, Clone, PartialEq)]
struct Stage {
    radix: usize,
    stride: usize,
    /// By place in a part, those of all parts but the first: cosine and minus sine.
    twiddles: Vec<[f32; 2]>,
}

/// Columns of complex numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) re: Vec<Lane>,
    pub(super) im: Vec<Lane>,
}

impl Columns {
    /// So many zeros in each.
    pub(super) fn clear(&mut self, len: usize) {
        for part in [&mut self.re, &mut self.im] {
            part.clear();
            part.resize(len, [0.0; LANES]);
        }
    }
}

/// The least length from 32 on that is 2ᵃ or 3·2ᵃ and holds so many.
pub(super) fn length_for(many: usize) -> usize {
    let power = many.max(32).next_power_of_two();
    if power > 64 && power / 4 * 3 >= many { power / 4 * 3 } else { power }
}

impl Fourier {
    /// Of a length that [`length_for`] gives.
    pub(super) fn new(len: usize) -> Self {
        let roots = roots(len);
        let mut radices = vec![];
        let mut rest = len;
        for radix in [3, 4, 2] {
            while rest.is_multiple_of(radix) {
                radices.push(radix);
                rest /= radix;
            }
        }
        let mut stages = Vec::with_capacity(radices.len());
        let mut block = len;
        for &radix in &radices {
            let stride = block / radix;
            let mut twiddles = Vec::with_capacity(stride * (radix - 1));
            for at in 0..stride {
                for part in 1..radix {
                    let [cosine, sine] = roots[at * part * (len / block)];
                    twiddles.push([cosine as f32, -sine as f32]);
                }
            }
            stages.push(Stage { radix, stride, twiddles });
            block = stride;
        }
        // From the last stage to the first: part p of a block has each radix-th frequency from
        // p on, in the order that the part has.
        let mut order = vec![0];
        for &radix in radices.iter().rev() {
            order = (0..radix)
                .flat_map(|part| order.iter().map(move |frequency| part + radix * frequency))
                .collect();
        }
        let mut places = vec![0; len];
        for (place, frequency) in order.into_iter().enumerate() {
            places[frequency] = place;
        }
        let cosines = roots.iter().map(|root| root[0]).collect();
        Self { len, stages, places, cosines }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where [`Self::forward`] leaves a frequency below the length.
    pub(super) fn place(&self, frequency: usize) -> usize {
        self.places[frequency]
    }

    /// Numbers to coefficients, which are at their places.
    pub(super) fn forward(&self, level: Level, columns: &mut Columns) {
        self.run::<false>(level, columns);
    }

    /// Back, each number times the length.
    pub(super) fn backward(&self, level: Level, columns: &mut Columns) {
        self.run::<true>(level, columns);
    }

    fn run<const BACK: bool>(&self, level: Level, columns: &mut Columns) {
        match level {
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.run_avx512::<BACK>(columns) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.run_avx2::<BACK>(columns) },
            _ => self.all_stages::<BACK>(columns),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn run_avx512<const BACK: bool>(&self, columns: &mut Columns) {
        self.all_stages::<BACK>(columns);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2<const BACK: bool>(&self, columns: &mut Columns) {
        self.all_stages::<BACK>(columns);
    }

    #[inline(always)]
    fn all_stages<const BACK: bool>(&self, columns: &mut Columns) {
        let (re, im) = (&mut columns.re[..self.len], &mut columns.im[..self.len]);
        if BACK {
            for stage in self.stages.iter().rev() {
                stage.run::<BACK>(re, im);
            }
        } else {
            for stage in &self.stages {
                stage.run::<BACK>(re, im);
            }
        }
    }
}

impl Stage {
    #[inline(always)]
    fn run<const BACK: bool>(&self, re: &mut [Lane], im: &mut [Lane]) {
        match self.radix {
            4 => self.of_radix::<4, BACK, Fours<BACK>>(re, im),
            3 => self.of_radix::<3, BACK, Threes<BACK>>(re, im),
            _ => self.of_radix::<2, BACK, Twos>(re, im),
        }
    }

    #[inline(always)]
    fn of_radix<const R: usize, const BACK: bool, S: Small<R>>(
        &self,
        re: &mut [Lane],
        im: &mut [Lane],
    ) {
        let block = R * self.stride;
        for (re, im) in re.chunks_exact_mut(block).zip(im.chunks_exact_mut(block)) {
            for (at, twiddles) in self.twiddles.chunks_exact(R - 1).enumerate() {
                let mut x = [Complex::ZERO; R];
                for (part, x) in x.iter_mut().enumerate() {
                    let place = part * self.stride + at;
                    *x = Complex { re: re[place], im: im[place] };
                }
                if BACK {
                    x = turned::<R, BACK>(x, twiddles);
                }
                x = S::transform(x);
                if !BACK {
                    x = turned::<R, BACK>(x, twiddles);
                }
                for (part, x) in x.iter().enumerate() {
                    let place = part * self.stride + at;
                    (re[place], im[place]) = (x.re, x.im);
                }
            }
        }
    }
}

/// One number of each column.
#[derive(Clone, Copy)]
struct Complex {
    re: Lane,
    im: Lane,
}

// In each function a loop of one kind over all lanes: the compiler makes one vector of each.
impl Complex {
    const ZERO: Self = Self { re: [0.0; LANES], im: [0.0; LANES] };

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self {
            re: each(&self.re, &other.re, |a, b| a + b),
            im: each(&self.im, &other.im, |a, b| a + b),
        }
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self {
            re: each(&self.re, &other.re, |a, b| a - b),
            im: each(&self.im, &other.im, |a, b| a - b),
        }
    }

    #[inline(always)]
    fn times(&self, cosine: f32, sine: f32) -> Self {
        Self {
            re: each(&self.re, &self.im, |re, im| re * cosine - im * sine),
            im: each(&self.re, &self.im, |re, im| re * sine + im * cosine),
        }
    }

    /// Times i.
    #[inline(always)]
    fn turned(&self) -> Self {
        Self { re: each(&self.im, &self.im, |im, _| -im), im: self.re }
    }

    #[inline(always)]
    fn scaled(&self, by: f32) -> Self {
        Self {
            re: each(&self.re, &self.re, |x, _| x * by),
            im: each(&self.im, &self.im, |x, _| x * by),
        }
    }
}

#[inline(always)]
fn each(a: &Lane, b: &Lane, of: impl Fn(f32, f32) -> f32) -> Lane {
    let mut out = [0.0; LANES];
    for lane in 0..LANES {
        out[lane] = of(a[lane], b[lane]);
    }
    out
}

/// Times the twiddles, or what undoes them.
#[inline(always)]
fn turned<const R: usize, const BACK: bool>(
    mut x: [Complex; R],
    twiddles: &[[f32; 2]],
) -> [Complex; R] {
    for (x, [cosine, sine]) in x.iter_mut().skip(1).zip(twiddles) {
        *x = x.times(*cosine, if BACK { -sine } else { *sine });
    }
    x
}

/// A transform of few numbers.
trait Small<const R: usize> {
    fn transform(x: [Complex; R]) -> [Complex; R];
}

struct Twos;
struct Threes<const BACK: bool>;
struct Fours<const BACK: bool>;

impl Small<2> for Twos {
    #[inline(always)]
    fn transform([a, b]: [Complex; 2]) -> [Complex; 2] {
        [a.add(&b), a.sub(&b)]
    }
}

impl<const BACK: bool> Small<3> for Threes<BACK> {
    #[inline(always)]
    fn transform([a, b, c]: [Complex; 3]) -> [Complex; 3] {
        const HALF_SQRT_3: f32 = 0.866_025_4;
        let sine = if BACK { HALF_SQRT_3 } else { -HALF_SQRT_3 };
        let sum = b.add(&c);
        let middle = a.sub(&sum.scaled(0.5));
        let turn = b.sub(&c).turned().scaled(sine);
        [a.add(&sum), middle.add(&turn), middle.sub(&turn)]
    }
}

impl<const BACK: bool> Small<4> for Fours<BACK> {
    #[inline(always)]
    fn transform([a, b, c, d]: [Complex; 4]) -> [Complex; 4] {
        let (even, odd) = (a.add(&c), b.add(&d));
        let (rest, turn) = (a.sub(&c), b.sub(&d).turned());
        let (less, more) = (rest.sub(&turn), rest.add(&turn));
        match BACK {
            false => [even.add(&odd), less, even.sub(&odd), more],
            true => [even.add(&odd), more, even.sub(&odd), less],
        }
    }
}

/// Cosine and sine of 2πk/len. Angles are halved by square roots, and an angle is the product of
/// those halves that make it up: no more than one factor for each bit.
fn roots(len: usize) -> Vec<[f64; 2]> {
    let thirds = len.is_multiple_of(3);
    let whole = if thirds { 3 } else { 4 };
    let mut roots = match thirds {
        true => vec![[1.0, 0.0], [-0.5, 0.75_f64.sqrt()], [-0.5, -0.75_f64.sqrt()]],
        false => vec![[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]],
    };
    // The sixth of a circle, or the eighth.
    let mut half = match thirds {
        true => [0.5, 0.75_f64.sqrt()],
        false => [FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    };
    let mut many = whole;
    while many < len {
        let between = |root: &[f64; 2]| {
            [root[0] * half[0] - root[1] * half[1], root[0] * half[1] + root[1] * half[0]]
        };
        roots = roots.iter().flat_map(|root| [*root, between(root)]).collect();
        let cosine = ((1.0 + half[0]) / 2.0).sqrt();
        half = [cosine, half[1] / (2.0 * cosine)];
        many *= 2;
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::f64::consts::TAU;

    #[test]
    fn lengths_hold_what_they_are_for() {
        for (many, len) in [(1, 32), (33, 64), (65, 96), (96, 96), (97, 128), (300, 384)] {
            assert_eq!(length_for(many), len);
        }
    }

    #[test]
    fn transforms_are_those_of_the_definition_on_every_processor() {
        let random = Random::new(3, 0);
        for len in [32, 64, 96, 128, 384] {
            let fourier = Fourier::new(len);
            let at = |place: usize, lane: usize| (place * LANES + lane) as u64;
            let mut columns = Columns::default();
            columns.clear(len);
            for place in 0..len {
                for lane in 0..LANES {
                    columns.re[place][lane] = random.unit(at(place, lane)) as f32 - 0.5;
                    columns.im[place][lane] = random.unit(at(place, lane) + 1_000_000) as f32;
                }
            }
            let mut found = columns.clone();
            fourier.forward(Level::Portable, &mut found);
            for (frequency, lane) in [(0, 0), (1, 15), (7, 3), (len / 2, 8), (len - 1, 2)] {
                let (mut re, mut im) = (0.0, 0.0);
                for place in 0..len {
                    let angle = -TAU * (frequency * place % len) as f64 / len as f64;
                    let (x, y) = (columns.re[place][lane], columns.im[place][lane]);
                    let (x, y) = (f64::from(x), f64::from(y));
                    re += x * angle.cos() - y * angle.sin();
                    im += x * angle.sin() + y * angle.cos();
                }
                let place = fourier.place(frequency);
                assert!((f64::from(found.re[place][lane]) - re).abs() < 1e-4, "{len} {frequency}");
                assert!((f64::from(found.im[place][lane]) - im).abs() < 1e-4, "{len} {frequency}");
            }
            for level in Level::all() {
                let mut same = columns.clone();
                fourier.forward(level, &mut same);
                assert!(same.re == found.re && same.im == found.im, "{len} {level:?}");
                fourier.backward(level, &mut same);
                let pairs = same.re.iter().flatten().zip(columns.re.iter().flatten());
                for (found, wanted) in pairs {
                    assert!((found / len as f32 - wanted).abs() < 1e-6, "{len}: {found} {wanted}");
                }
            }
        }
    }
}
