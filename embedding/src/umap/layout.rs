//! Points moved by their bonds, and away from others. In an epoch each bond acts as often as it
//! is strong, one after another, on both of its points at once, as in umap-learn. Rows that move
//! side by side, each by what it sees of the others, tear what belongs together to shards where
//! points are many and near (50,000 in two moons: trustworthiness 0.94 rather than 0.999). One
//! bond takes some 80 ns of one core, its pull and its pushes being worked out in lanes: where
//! vectors are long, most of the time is spent on finding neighbours.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use super::curve::Curve;
use super::graph::Graph;
use super::power::power;
use crate::Error;
use crate::kernel::Level;
use crate::random::Random;
use crate::threads::for_each;
use crate::watch::{Phase, Watch};

/// Random others that a point is pushed away from, for each bond that acts.
const PUSHES: usize = 5;
/// The farthest that one push or pull moves a point, along each axis and at first.
const CLIP: f32 = 4.0;
/// Keeps a push of points that are one from being infinite.
const SOFT: f32 = 1e-3;
const PUSH_STREAM: u64 = 0x61;

/// What a layout is made by.
pub(super) struct Run<'a> {
    pub(super) graph: &'a Graph,
    pub(super) curve: Curve,
    pub(super) epochs: u32,
    pub(super) seed: u64,
}

impl Run<'_> {
    /// Moves points of `m` dimensions, from 1 to [`super::DIMENSIONS_MAX`].
    pub(super) fn layout(
        &self,
        points: Vec<f32>,
        m: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        match m {
            1 => self.layout_in::<1>(points, watch),
            2 => self.layout_in::<2>(points, watch),
            3 => self.layout_in::<3>(points, watch),
            4 => self.layout_in::<4>(points, watch),
            5 => self.layout_in::<5>(points, watch),
            6 => self.layout_in::<6>(points, watch),
            7 => self.layout_in::<7>(points, watch),
            _ => self.layout_in::<8>(points, watch),
        }
    }

    fn layout_in<const M: usize>(
        &self,
        mut points: Vec<f32>,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        let level = Level::detect();
        for epoch in 0..self.epochs {
            watch.progress(Phase::Epochs, u64::from(epoch), u64::from(self.epochs));
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if watch.wants_layout() {
                watch.layout(epoch, &points);
            }
            let points: &mut [[f32; M]] = points.as_chunks_mut().0;
            match level {
                // The same sums and products on every processor, so the same bits.
                // SAFETY: the level was found by asking the processor.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 | Level::Avx2 => unsafe { self.epoch_avx2(epoch, points) },
                _ => self.epoch(epoch, points),
            }
        }
        Ok(points)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn epoch_avx2<const M: usize>(&self, epoch: u32, points: &mut [[f32; M]]) {
        self.epoch(epoch, points);
    }

    #[inline(always)]
    fn epoch<const M: usize>(&self, epoch: u32, points: &mut [[f32; M]]) {
        let rate = 1.0 - epoch as f32 / self.epochs as f32;
        let random = Random::new(self.seed, PUSH_STREAM ^ (u64::from(epoch) << 8));
        for (row, bonds) in self.graph.starts.windows(2).enumerate() {
            let (others, weights) = self.graph.bonds(bonds[0]..bonds[1]);
            let mut dice = Dice::new(random.words(row as u64));
            for (other, weight) in others.iter().zip(weights) {
                // One of weight w acts in the epochs in which w, summed up, passes a whole number.
                let times = |epoch: u32| (epoch as f32 * weight) as u32;
                if epoch == 0 || times(epoch) == times(epoch - 1) {
                    continue;
                }
                let point = points[row];
                let mut forces = Forces::new();
                forces.put(0, &point, &points[*other as usize]);
                for lane in 1..=PUSHES {
                    forces.put(lane, &point, &points[dice.below(points.len())]);
                }
                let (all, pull) = forces.shifts(self.curve);
                let ends = all.into_iter().zip(pull).enumerate();
                for (axis, (all, pull)) in ends {
                    points[row][axis] += all * rate;
                    points[*other as usize][axis] -= pull * rate;
                }
            }
        }
    }
}

/// Rows that are placed together.
const ROWS_AT_ONCE: usize = 512;
/// What the first step of rows that are placed is, in shares of one of rows that are laid out.
const RATE_OF_NEW: f32 = 0.25;
const PLACE_STREAM: u64 = 0x64;

impl Run<'_> {
    /// Moves points of `m` dimensions by their bonds to others, which stay where they are.
    pub(super) fn place(
        &self,
        mut points: Vec<f32>,
        others: &[f32],
        m: usize,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        let mut blocks: Vec<&mut [f32]> = points.chunks_mut(ROWS_AT_ONCE * m).collect();
        let (done, of) = (AtomicU64::new(0), blocks.len() as u64);
        for_each(&mut blocks, &mut vec![(); threads], watch, |(), index, points| {
            let first = index * ROWS_AT_ONCE;
            match m {
                1 => self.place_in::<1>(first, points, others),
                2 => self.place_in::<2>(first, points, others),
                3 => self.place_in::<3>(first, points, others),
                4 => self.place_in::<4>(first, points, others),
                5 => self.place_in::<5>(first, points, others),
                6 => self.place_in::<6>(first, points, others),
                7 => self.place_in::<7>(first, points, others),
                _ => self.place_in::<8>(first, points, others),
            }
            watch.progress(Phase::Epochs, done.fetch_add(1, Ordering::Relaxed) + 1, of);
            Ok(())
        })?;
        Ok(points)
    }

    fn place_in<const M: usize>(&self, first: usize, points: &mut [f32], others: &[f32]) {
        let (points, others) = (points.as_chunks_mut().0, others.as_chunks().0);
        match Level::detect() {
            // The same sums and products on every processor, so the same bits.
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => unsafe { self.place_avx2::<M>(first, points, others) },
            _ => self.place_rows::<M>(first, points, others),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn place_avx2<const M: usize>(
        &self,
        first: usize,
        points: &mut [[f32; M]],
        others: &[[f32; M]],
    ) {
        self.place_rows(first, points, others);
    }

    /// Row by row through all epochs: a row has to do with none of the others that are moved.
    #[inline(always)]
    fn place_rows<const M: usize>(&self, first: usize, points: &mut [[f32; M]], all: &[[f32; M]]) {
        let random = Random::new(self.seed, PLACE_STREAM);
        for (row, point) in (first..).zip(points) {
            let bonds = self.graph.starts[row]..self.graph.starts[row + 1];
            let (others, weights) = self.graph.bonds(bonds);
            let mut dice = Dice::new(random.words(u64::from(others[0])));
            for epoch in 1..self.epochs {
                let rate = RATE_OF_NEW * (1.0 - epoch as f32 / self.epochs as f32);
                for (other, weight) in others.iter().zip(weights) {
                    let times = |epoch: u32| (epoch as f32 * weight) as u32;
                    if times(epoch) == times(epoch - 1) {
                        continue;
                    }
                    let mut forces = Forces::new();
                    forces.put(0, point, &all[*other as usize]);
                    for lane in 1..=PUSHES {
                        forces.put(lane, point, &all[dice.below(all.len())]);
                    }
                    let (shifts, _) = forces.shifts(self.curve);
                    point.iter_mut().zip(shifts).for_each(|(x, shift)| *x += shift * rate);
                }
            }
        }
    }
}

const LANES: usize = 8;

/// A pull, in the first lane, and pushes in others.
struct Forces<const M: usize> {
    /// By axis, from the others to the point. None in lanes that are empty, and none from the
    /// point to itself: nothing is moved by either.
    ways: [[f32; LANES]; M],
}

impl<const M: usize> Forces<M> {
    #[inline(always)]
    fn new() -> Self {
        Self { ways: [[0.0; LANES]; M] }
    }

    #[inline(always)]
    fn put(&mut self, lane: usize, point: &[f32; M], other: &[f32; M]) {
        for (way, (x, other)) in self.ways.iter_mut().zip(point.iter().zip(other)) {
            way[lane] = x - other;
        }
    }

    /// How far all of them move the point, and how far the pull alone does.
    #[inline(always)]
    fn shifts(&self, Curve { a, b }: Curve) -> ([f32; M], [f32; M]) {
        // Lane by lane in loops that do one thing each: the compiler makes one vector of each.
        let mut squares = [f32::MIN_POSITIVE; LANES];
        for way in &self.ways {
            for (square, x) in squares.iter_mut().zip(way) {
                *square += x * x;
            }
        }
        let mut nears = [0.0; LANES];
        for (near, square) in nears.iter_mut().zip(&squares) {
            *near = power(*square, b);
        }
        let mut above = [2.0 * b; LANES];
        above[0] = -2.0 * a * b * nears[0];
        let mut below = [0.0; LANES];
        for (below, square) in below.iter_mut().zip(&squares) {
            *below = SOFT + square;
        }
        below[0] = squares[0];
        let mut forces = [0.0; LANES];
        for (force, ((above, below), near)) in
            forces.iter_mut().zip(above.iter().zip(&below).zip(&nears))
        {
            *force = above / (below * (1.0 + a * near));
        }
        let (mut all, mut pull) = ([0.0; M], [0.0; M]);
        for (axis, way) in self.ways.iter().enumerate() {
            let mut shifts = [0.0; LANES];
            for (shift, (force, way)) in shifts.iter_mut().zip(forces.iter().zip(way)) {
                *shift = (force * way).clamp(-CLIP, CLIP);
            }
            all[axis] = shifts.iter().sum();
            pull[axis] = shifts[0];
        }
        (all, pull)
    }
}

/// Quick random numbers from a seed of 128 bits: xorshift (Marsaglia 2003).
struct Dice([u32; 4]);

impl Dice {
    fn new(seed: [u32; 4]) -> Self {
        // All zeros would stay so.
        Self([seed[0] | 1, seed[1], seed[2], seed[3]])
    }

    #[inline(always)]
    fn below(&mut self, n: usize) -> usize {
        let [a, b, c, d] = self.0;
        let t = a ^ (a << 11);
        let next = d ^ (d >> 19) ^ t ^ (t >> 8);
        self.0 = [b, c, d, next];
        ((u64::from(next) * n as u64) >> 32) as usize
    }
}
