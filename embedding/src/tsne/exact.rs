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

/// Points by axis, and what they feel.
#[derive(Debug)]
pub(super) struct Pairs {
    level: Level,
    axes: [Vec<f32>; 2],
    forces: Vec<[f32; 2]>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self::at(Level::detect())
    }
}

impl Pairs {
    pub(super) fn at(level: Level) -> Self {
        Self { level, axes: Default::default(), forces: Vec::new() }
    }

    /// Works out what these points feel, and gives the sum of 1 / (1 + d²) over all ordered pairs
    /// of them.
    pub(super) fn update(
        &mut self,
        points: &[[f32; 2]],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        let n = points.len();
        for (axis, values) in self.axes.iter_mut().enumerate() {
            values.clear();
            values.extend(points.iter().map(|point| point[axis]));
            values.resize(n.next_multiple_of(LANES), FAR);
        }
        self.forces.resize(n, [0.0; 2]);
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
    pub(super) fn force(&self, row: usize) -> [f32; 2] {
        self.forces[row]
    }
}

fn push(
    level: Level,
    axes: [&[[f32; LANES]]; 2],
    points: &[[f32; 2]],
    forces: &mut [[f32; 2]],
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
fn push_avx512(axes: [&[[f32; LANES]]; 2], points: &[[f32; 2]], forces: &mut [[f32; 2]]) -> f64 {
    push_all(axes, points, forces)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn push_avx2(axes: [&[[f32; LANES]]; 2], points: &[[f32; 2]], forces: &mut [[f32; 2]]) -> f64 {
    push_all(axes, points, forces)
}

#[inline(always)]
fn push_all(axes: [&[[f32; LANES]]; 2], points: &[[f32; 2]], forces: &mut [[f32; 2]]) -> f64 {
    let mut all = 0.0;
    for (point, force) in points.iter().zip(forces) {
        let (mut sums, mut x_sums, mut y_sums) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (xs, ys) in axes[0].iter().zip(axes[1]) {
            for lane in 0..LANES {
                let (x, y) = (point[0] - xs[lane], point[1] - ys[lane]);
                let near = 1.0 / (1.0 + (x * x + y * y));
                let square = near * near;
                sums[lane] += near;
                x_sums[lane] += square * x;
                y_sums[lane] += square * y;
            }
        }
        *force = [x_sums.iter().sum(), y_sums.iter().sum()];
        all += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
    }
    all
}
