//! Points moved down the gradient of the Kullback-Leibler divergence: neighbours pull, all push.
//! Every point moves at once, by what it saw of where the others were, so that neither threads
//! nor the order of rows make a difference.
#![allow(unsafe_code)]

use crate::Error;
use crate::kernel::Level;
use crate::threads::for_each;
use crate::watch::Watch;

use super::affinities::{Affinities, PADDING};
use super::exact::{Pairs, square};
use super::field::Field;
use super::tree::Tree;
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

/// How all points push a point away.
pub(super) trait Push<const M: usize>: Sync {
    /// Works the pushes of these points out, and gives the sum of 1 / (1 + d²) over all ordered
    /// pairs of them.
    fn update(
        &mut self,
        points: &[[f32; M]],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error>;

    /// The sum of (y − y′) / (1 + d²)² of one of them.
    fn force(&self, row: usize, point: &[f32; M]) -> [f32; M];
}

/// On a plane.
#[derive(Debug)]
pub(super) enum Repulsion {
    Exact(Pairs<2>),
    Grid(Box<Field>),
}

impl Push<2> for Repulsion {
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

/// In space, where a grid would have too many nodes.
#[derive(Debug)]
pub(super) enum RepulsionInSpace {
    Exact(Pairs<3>),
    Tree(Box<Tree>),
}

impl Push<3> for RepulsionInSpace {
    fn update(
        &mut self,
        points: &[[f32; 3]],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        match self {
            Self::Exact(pairs) => pairs.update(points, threads, watch),
            Self::Tree(tree) => tree.update(points, threads, watch),
        }
    }

    #[inline(always)]
    fn force(&self, row: usize, _: &[f32; 3]) -> [f32; 3] {
        match self {
            Self::Exact(pairs) => pairs.force(row),
            Self::Tree(tree) => tree.force(row),
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
pub(super) struct Descent<'a, R, const M: usize> {
    affinities: &'a Affinities,
    repulsion: R,
    pub(super) points: Vec<[f32; M]>,
    next: Vec<[f32; M]>,
    motions: Vec<Motion<M>>,
    /// Up to `M`.
    dimensions: usize,
    threads: usize,
    pub(super) level: Level,
}

#[derive(Debug, Clone, Copy)]
struct Motion<const M: usize> {
    step: [f32; M],
    gains: [f32; M],
}

impl<'a, R: Push<M>, const M: usize> Descent<'a, R, M> {
    pub(super) fn new(
        affinities: &'a Affinities,
        repulsion: R,
        points: Vec<[f32; M]>,
        dimensions: usize,
        threads: usize,
    ) -> Self {
        let motions = vec![Motion { step: [0.0; M], gains: [1.0; M] }; points.len()];
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
        next: &mut [[f32; M]],
        motions: &mut [Motion<M>],
    ) {
        let pull = |row, point: &_| match M {
            // SAFETY: of this one the features were asked for; of pulls, new() has looked.
            2 => unsafe { self.pull_avx2(row, point) },
            _ => self.pull(row, point),
        };
        self.rows(first, (pace, share), next, motions, pull);
    }

    /// Moves rows from the first on; `share` is what pushes are multiplied by.
    #[inline(always)]
    fn rows(
        &self,
        first: usize,
        (pace, share): (Pace, f32),
        next: &mut [[f32; M]],
        motions: &mut [Motion<M>],
        pull: impl Fn(usize, &[f32; M]) -> [f32; M],
    ) {
        for (row, (next, motion)) in (first..).zip(next.iter_mut().zip(motions)) {
            let point = self.points[row];
            let pull = pull(row, &point);
            let push = self.repulsion.force(row, &point);
            let mut gradient = [0.0; M];
            for axis in 0..self.dimensions {
                gradient[axis] = pace.exaggeration * pull[axis] - share * push[axis];
            }
            let step = motion.follow(gradient, pace);
            *next = std::array::from_fn(|axis| point[axis] + step[axis]);
        }
    }

    /// The sum of p · (y − y′) / (1 + d²) over a row's neighbours.
    #[inline(always)]
    fn pull(&self, row: usize, point: &[f32; M]) -> [f32; M] {
        let (others, shares) = self.affinities.of(row);
        let mut sums = [[0.0; PADDING]; M];
        let each = others.as_chunks::<PADDING>().0.iter().zip(shares.as_chunks::<PADDING>().0);
        for (others, shares) in each {
            for lane in 0..PADDING {
                let other = self.points[others[lane] as usize];
                let way: [f32; M] = std::array::from_fn(|axis| point[axis] - other[axis]);
                let force = shares[lane] / (1.0 + square(&way));
                for (sums, way) in sums.iter_mut().zip(way) {
                    sums[lane] += force * way;
                }
            }
        }
        sums.map(|sums| sums.iter().sum())
    }

    /// The same sums and products as [`Self::pull`], so the same bits: left to itself the compiler
    /// makes vectors of x and y, which are short.
    ///
    /// # Safety
    /// Points have two axes. All others are points, which [`Self::new`] looks at.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    unsafe fn pull_avx2(&self, row: usize, point: &[f32; M]) -> [f32; M] {
        use std::arch::x86_64::*;
        let (others, shares) = self.affinities.of(row);
        let points = self.points.as_ptr().cast::<f64>();
        // SAFETY: the caller's; both numbers of a point are moved as one, whatever they are.
        let one_of = |at: u32| unsafe { points.add(at as usize).read_unaligned() };
        let two = |a: u32, b: u32| _mm_set_pd(one_of(b), one_of(a));
        let four = |a, b, c, d| _mm256_castpd_ps(_mm256_set_m128d(two(c, d), two(a, b)));
        let [own_x, own_y] = [0, 1].map(|axis| _mm256_set1_ps(point[axis]));
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
        let both = [x_sums, y_sums].map(|sums| -> f32 {
            let mut array = [0.0; PADDING];
            // SAFETY: it has room for eight.
            unsafe { _mm256_storeu_ps(array.as_mut_ptr(), sums) };
            array.iter().sum()
        });
        std::array::from_fn(|axis| both[axis])
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
                        let way = |axis: usize| f64::from(point[axis] - other[axis]);
                        let square: f64 = (0..M).map(|axis| way(axis) * way(axis)).sum();
                        *part += p * ln(p * (1.0 + square));
                    }
                }
            }
            Ok(())
        })?;
        let divergence: f64 = parts.iter().sum();
        Ok(divergence + if sum > 0.0 { ln(sum) } else { 0.0 })
    }

    /// Whether neighbours on a plane are beside each other in one direction only, in all places the
    /// same one. Far heaps are no line, although they may lie on one.
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

impl<const M: usize> Motion<M> {
    /// The next step, by the gradient.
    #[inline(always)]
    fn follow(&mut self, gradient: [f32; M], pace: Pace) -> [f32; M] {
        for (axis, gradient) in gradient.into_iter().enumerate() {
            let (gain, step) = (self.gains[axis], self.step[axis]);
            // A step against the gradient goes on as before.
            let on = step * gradient < 0.0;
            let gain = if on { gain + GAIN_MORE } else { gain * GAIN_LESS };
            self.gains[axis] = gain.max(GAIN_LEAST);
            self.step[axis] = pace.momentum * step - pace.rate * self.gains[axis] * gradient;
        }
        let length = square(&self.step).sqrt();
        if length > STEP_MAX {
            self.step = self.step.map(|x| x * (STEP_MAX / length));
        }
        self.step
    }
}
