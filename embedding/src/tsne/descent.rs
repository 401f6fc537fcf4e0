//! Points moved down the gradient of the Kullback-Leibler divergence: neighbours pull, all push.
//! Every point moves at once, by what it saw of where the others were, so that neither threads
//! nor the order of rows make a difference.
#![allow(unsafe_code)]

use crate::Error;
use crate::kernel::Level;
use crate::threads::for_each;
use crate::watch::Watch;

use super::affinities::{Affinities, PADDING};
use super::exact::Pairs;
use super::field::Field;
use crate::exponential::ln;

/// Rows that are moved together.
const ROWS_AT_ONCE: usize = 256;
/// Bonds that are worth another thread.
const BONDS_A_THREAD: usize = 1 << 16;
/// A coordinate's own rate grows by so much where it goes on in one direction, is multiplied by
/// so much where it turns, and is never less than so much.
const GAIN_MORE: f32 = 0.2;
const GAIN_LESS: f32 = 0.8;
const GAIN_LEAST: f32 = 0.01;
/// The farthest that a point moves at once.
const STEP_MAX: f32 = 5.0;
/// The second variance of neighbours about each other, in shares of the first, that makes a line.
const LINE: f64 = 1e-3;

/// How pushes are worked out.
#[derive(Debug)]
pub(super) enum Repulsion {
    Exact(Pairs),
    Grid(Box<Field>),
}

impl Repulsion {
    fn update(
        &mut self,
        points: &[[f32; 2]],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        match self {
            Self::Exact(pairs) => pairs.update(points, threads, watch),
            Self::Grid(field) => field.update(points, threads, watch),
        }
    }

    #[inline(always)]
    fn force(&self, row: usize, point: &[f32; 2]) -> [f32; 2] {
        match self {
            Self::Exact(pairs) => pairs.force(row),
            Self::Grid(field) => field.force(point),
        }
    }
}

/// How a step is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// What affinities are multiplied by.
    pub(super) exaggeration: f32,
    pub(super) rate: f32,
    pub(super) momentum: f32,
}

/// Points on their way. Those of one dimension have 0 for the second.
pub(super) struct Descent<'a> {
    affinities: &'a Affinities,
    repulsion: Repulsion,
    pub(super) points: Vec<[f32; 2]>,
    next: Vec<[f32; 2]>,
    motions: Vec<Motion>,
    /// 1 or 2.
    dimensions: usize,
    threads: usize,
    pub(super) level: Level,
}

#[derive(Debug, Clone, Copy)]
struct Motion {
    step: [f32; 2],
    gains: [f32; 2],
}

impl<'a> Descent<'a> {
    pub(super) fn new(
        affinities: &'a Affinities,
        repulsion: Repulsion,
        points: Vec<[f32; 2]>,
        dimensions: usize,
        threads: usize,
    ) -> Self {
        let motions = vec![Motion { step: [0.0; 2], gains: [1.0; 2] }; points.len()];
        // Only of such others may points be read without a look.
        let n = points.len();
        let known = affinities.others.iter().all(|other| (*other as usize) < n);
        let level = if known { Level::detect() } else { Level::Portable };
        let next = points.clone();
        Self { affinities, repulsion, points, next, motions, dimensions, threads, level }
    }

    /// Threads for what is done with each bond.
    fn workers(&self) -> Vec<()> {
        vec![(); self.threads.min(self.affinities.others.len() / BONDS_A_THREAD).max(1)]
    }

    /// Moves all points once.
    pub(super) fn step(&mut self, pace: Pace, watch: &dyn Watch) -> Result<(), Error> {
        let sum = self.repulsion.update(&self.points, self.threads, watch)?;
        // Points that are too far from each other to feel it have nothing that pushes.
        let share = if sum > 0.0 { (1.0 / sum) as f32 } else { 0.0 };
        let (mut next, mut motions) =
            (std::mem::take(&mut self.next), std::mem::take(&mut self.motions));
        let mut items: Vec<_> =
            next.chunks_mut(ROWS_AT_ONCE).zip(motions.chunks_mut(ROWS_AT_ONCE)).collect();
        for_each(&mut items, &mut self.workers(), watch, |(), index, (next, motions)| {
            let first = index * ROWS_AT_ONCE;
            match self.level {
                // The same sums and products on every processor, so the same bits.
                // SAFETY: the level was found by asking the processor.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 | Level::Avx2 => unsafe {
                    self.rows_avx2(first, (pace, share), next, motions);
                },
                _ => self
                    .rows(first, (pace, share), next, motions, |row, point| self.pull(row, point)),
            }
            Ok(())
        })?;
        self.motions = motions;
        self.next = std::mem::replace(&mut self.points, next);
        Ok(())
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn rows_avx2(
        &self,
        first: usize,
        (pace, share): (Pace, f32),
        next: &mut [[f32; 2]],
        motions: &mut [Motion],
    ) {
        // SAFETY: of this one the features were asked for; of pulls, new() has looked.
        let pull = |row, point: &_| unsafe { self.pull_avx2(row, point) };
        self.rows(first, (pace, share), next, motions, pull);
    }

    /// Moves rows from the first on; `share` is what pushes are multiplied by.
    #[inline(always)]
    fn rows(
        &self,
        first: usize,
        (pace, share): (Pace, f32),
        next: &mut [[f32; 2]],
        motions: &mut [Motion],
        pull: impl Fn(usize, &[f32; 2]) -> [f32; 2],
    ) {
        for (row, (next, motion)) in (first..).zip(next.iter_mut().zip(motions)) {
            let point = self.points[row];
            let pull = pull(row, &point);
            let push = self.repulsion.force(row, &point);
            let mut gradient = [0.0; 2];
            for axis in 0..self.dimensions {
                gradient[axis] = pace.exaggeration * pull[axis] - share * push[axis];
            }
            let step = motion.follow(gradient, pace);
            *next = [point[0] + step[0], point[1] + step[1]];
        }
    }

    /// The sum of p · (y − y′) / (1 + d²) over a row's neighbours.
    #[inline(always)]
    fn pull(&self, row: usize, point: &[f32; 2]) -> [f32; 2] {
        let (others, shares) = self.affinities.of(row);
        let (mut x_sums, mut y_sums) = ([0.0; PADDING], [0.0; PADDING]);
        let each = others.as_chunks::<PADDING>().0.iter().zip(shares.as_chunks::<PADDING>().0);
        for (others, shares) in each {
            for lane in 0..PADDING {
                let other = self.points[others[lane] as usize];
                let (x, y) = (point[0] - other[0], point[1] - other[1]);
                let force = shares[lane] / (1.0 + (x * x + y * y));
                x_sums[lane] += force * x;
                y_sums[lane] += force * y;
            }
        }
        [x_sums.iter().sum(), y_sums.iter().sum()]
    }

    /// The same sums and products as [`Self::pull`], so the same bits: left to itself the compiler
    /// makes vectors of x and y, which are short.
    ///
    /// # Safety
    /// All others are points, which [`Self::new`] looks at.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    unsafe fn pull_avx2(&self, row: usize, point: &[f32; 2]) -> [f32; 2] {
        use std::arch::x86_64::*;
        let (others, shares) = self.affinities.of(row);
        let points = self.points.as_ptr().cast::<f64>();
        // SAFETY: the caller's; both numbers of a point are moved as one, whatever they are.
        let one_of = |at: u32| unsafe { points.add(at as usize).read_unaligned() };
        let two = |a: u32, b: u32| _mm_set_pd(one_of(b), one_of(a));
        let four = |a, b, c, d| _mm256_castpd_ps(_mm256_set_m128d(two(c, d), two(a, b)));
        let [own_x, own_y] = point.map(|x| _mm256_set1_ps(x));
        let one = _mm256_set1_ps(1.0);
        let (mut x_sums, mut y_sums) = (_mm256_setzero_ps(), _mm256_setzero_ps());
        let each = others.as_chunks::<PADDING>().0.iter().zip(shares.as_chunks::<PADDING>().0);
        for ([a, b, c, d, e, f, g, h], shares) in each {
            let (outer, inner) = (four(*a, *b, *e, *f), four(*c, *d, *g, *h));
            let x = _mm256_sub_ps(own_x, _mm256_shuffle_ps::<0x88>(outer, inner));
            let y = _mm256_sub_ps(own_y, _mm256_shuffle_ps::<0xdd>(outer, inner));
            let square = _mm256_add_ps(_mm256_mul_ps(x, x), _mm256_mul_ps(y, y));
            // SAFETY: there are eight.
            let shares = unsafe { _mm256_loadu_ps(shares.as_ptr()) };
            let force = _mm256_div_ps(shares, _mm256_add_ps(one, square));
            x_sums = _mm256_add_ps(x_sums, _mm256_mul_ps(force, x));
            y_sums = _mm256_add_ps(y_sums, _mm256_mul_ps(force, y));
        }
        [x_sums, y_sums].map(|sums| {
            let mut array = [0.0; PADDING];
            // SAFETY: it has room for eight.
            unsafe { _mm256_storeu_ps(array.as_mut_ptr(), sums) };
            array.iter().sum()
        })
    }

    /// The Kullback-Leibler divergence: the sum of p ln(p / q).
    pub(super) fn divergence(&mut self, watch: &dyn Watch) -> Result<f64, Error> {
        let sum = self.repulsion.update(&self.points, self.threads, watch)?;
        let n = self.points.len();
        let mut parts = vec![0.0_f64; n.div_ceil(ROWS_AT_ONCE)];
        for_each(&mut parts, &mut self.workers(), watch, |(), index, part| {
            let first = index * ROWS_AT_ONCE;
            for row in first..(first + ROWS_AT_ONCE).min(n) {
                let point = self.points[row];
                let (others, shares) = self.affinities.of(row);
                for (other, share) in others.iter().zip(shares) {
                    let p = f64::from(*share);
                    if p >= f64::MIN_POSITIVE {
                        let other = self.points[*other as usize];
                        let way = [0, 1].map(|axis| f64::from(point[axis] - other[axis]));
                        let square = way[0] * way[0] + way[1] * way[1];
                        *part += p * ln(p * (1.0 + square));
                    }
                }
            }
            Ok(())
        })?;
        let divergence: f64 = parts.iter().sum();
        Ok(divergence + if sum > 0.0 { ln(sum) } else { 0.0 })
    }
    /// Whether neighbours are beside each other in one direction only, in all places the same one.
    /// Far heaps are no line, although they may lie on one.
    pub(super) fn is_line(&self) -> bool {
        let [mut xx, mut xy, mut yy] = [0.0; 3];
        for (row, point) in self.points.iter().enumerate() {
            let (others, shares) = self.affinities.of(row);
            for (other, share) in others.iter().zip(shares) {
                let (other, share) = (self.points[*other as usize], f64::from(*share));
                let [x, y] = [0, 1].map(|axis| f64::from(point[axis] - other[axis]));
                (xx, xy, yy) = (xx + share * x * x, xy + share * x * y, yy + share * y * y);
            }
        }
        // Eigenvalues of a symmetric matrix of two rows.
        let (mean, half) = ((xx + yy) / 2.0, (xx - yy) / 2.0);
        let apart = (half * half + xy * xy).sqrt();
        mean - apart < LINE * (mean + apart)
    }
}

impl Motion {
    /// The next step, by the gradient.
    #[inline(always)]
    fn follow(&mut self, gradient: [f32; 2], pace: Pace) -> [f32; 2] {
        for (axis, gradient) in gradient.into_iter().enumerate() {
            let (gain, step) = (self.gains[axis], self.step[axis]);
            // A step against the gradient goes on as before.
            let on = step * gradient < 0.0;
            let gain = if on { gain + GAIN_MORE } else { gain * GAIN_LESS };
            self.gains[axis] = gain.max(GAIN_LEAST);
            self.step[axis] = pace.momentum * step - pace.rate * self.gains[axis] * gradient;
        }
        let [x, y] = self.step;
        let length = (x * x + y * y).sqrt();
        if length > STEP_MAX {
            self.step = [x * (STEP_MAX / length), y * (STEP_MAX / length)];
        }
        self.step
    }
}
