//! How all points push a point away, pair by pair: quicker than a grid where there are few.
#![allow(unsafe_code)]

use crate::Error;
use crate::kernel::{LANES, Level};
use crate::threads::for_each;
use crate::watch::Watch;

/// Rows of which the forces are worked out together.
const ROWS_AT_ONCE: usize = 64;
/// So far off that nothing is felt of it.
const FAR: f32 = 1e15;
/// Pairs that are worth another thread.
const PAIRS_A_THREAD: usize = 1 << 18;

/// Points of `M` axes, by axis, and what they feel.
#[derive(Debug)]
pub(super) struct Pairs<const M: usize> {
    level: Level,
    axes: [Vec<f32>; M],
    forces: Vec<[f32; M]>,
}

impl<const M: usize> Default for Pairs<M> {
    fn default() -> Self {
        Self::at(Level::detect())
    }
}

impl<const M: usize> Pairs<M> {
    pub(super) fn at(level: Level) -> Self {
        Self { level, axes: std::array::from_fn(|_| Vec::new()), forces: Vec::new() }
    }

    /// Works out what these points feel, and gives the sum of 1 / (1 + d²) over all ordered pairs
    /// of them.
    pub(super) fn update(
        &mut self,
        points: &[[f32; M]],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        let n = points.len();
        for (axis, values) in self.axes.iter_mut().enumerate() {
            values.clear();
            values.extend(points.iter().map(|point| point[axis]));
            values.resize(n.next_multiple_of(LANES), FAR);
        }
        self.forces.resize(n, [0.0; M]);
        let level = self.level;
        let axes = self.axes.each_ref().map(|values| values.as_chunks().0);
        let mut sums = vec![0.0; n.div_ceil(ROWS_AT_ONCE)];
        let blocks = points.chunks(ROWS_AT_ONCE).zip(self.forces.chunks_mut(ROWS_AT_ONCE));
        let mut items: Vec<_> = blocks.zip(&mut sums).collect();
        let threads = threads.min(n * n / PAIRS_A_THREAD).max(1);
        for_each(&mut items, &mut vec![(); threads], watch, |(), _, ((points, forces), sum)| {
            **sum = push(level, axes, points, forces);
            Ok(())
        })?;
        Ok(sums.iter().sum::<f64>() - n as f64)
    }

    /// The sum of (y − y′) / (1 + d²)² of a row.
    #[inline(always)]
    pub(super) fn force(&self, row: usize) -> [f32; M] {
        self.forces[row]
    }
}

fn push<const M: usize>(
    level: Level,
    axes: [&[[f32; LANES]]; M],
    points: &[[f32; M]],
    forces: &mut [[f32; M]],
) -> f64 {
    match level {
        // The same sums and products on every processor, so the same bits.
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { push_avx512(axes, points, forces) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { push_avx2(axes, points, forces) },
        _ => push_all(axes, points, forces),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn push_avx512<const M: usize>(
    axes: [&[[f32; LANES]]; M],
    points: &[[f32; M]],
    forces: &mut [[f32; M]],
) -> f64 {
    push_all(axes, points, forces)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn push_avx2<const M: usize>(
    axes: [&[[f32; LANES]]; M],
    points: &[[f32; M]],
    forces: &mut [[f32; M]],
) -> f64 {
    push_all(axes, points, forces)
}

#[inline(always)]
fn push_all<const M: usize>(
    axes: [&[[f32; LANES]]; M],
    points: &[[f32; M]],
    forces: &mut [[f32; M]],
) -> f64 {
    let mut all = 0.0;
    let n_groups = axes[0].len();
    for (point, force) in points.iter().zip(forces) {
        let (mut sums, mut by_axis) = ([0.0; LANES], [[0.0; LANES]; M]);
        for group in 0..n_groups {
            let others = axes.map(|axis| &axis[group]);
            for lane in 0..LANES {
                let way: [f32; M] = std::array::from_fn(|axis| point[axis] - others[axis][lane]);
                let near = 1.0 / (1.0 + square(&way));
                let square = near * near;
                sums[lane] += near;
                for (sums, way) in by_axis.iter_mut().zip(way) {
                    sums[lane] += square * way;
                }
            }
        }
        *force = by_axis.map(|sums| sums.iter().sum());
        all += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
    }
    all
}

/// Of the length of a way: axis by axis, in their order.
#[inline(always)]
pub(super) fn square<const M: usize>(way: &[f32; M]) -> f32 {
    let mut sum = way[0] * way[0];
    for x in &way[1..] {
        sum += x * x;
    }
    sum
}
