//! Rows along a few directions.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::products::products;
use super::{LANES, Level};

/// Rows that are worked on at once.
const TILE: usize = 6;

/// The products of each row with each of some directions, row by row: n × m.
pub(crate) fn project(level: Level, rows: &[f32], directions: &[f32], d: usize, out: &mut [f32]) {
    let m = directions.len() / d;
    for first in (0..m).step_by(LANES) {
        let some = directions.chunks_exact(d).skip(first).take(LANES);
        // For each dimension the values of all directions; none are zero.
        let mut lanes = vec![0.0; d * LANES];
        for (place, direction) in some.enumerate() {
            let slots = lanes.iter_mut().skip(place).step_by(LANES);
            slots.zip(direction).for_each(|(slot, value)| *slot = *value);
        }
        let place = (m, first, LANES.min(m - first));
        match level {
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { project_avx512(rows, &lanes, d, place, out) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { project_avx2(rows, &lanes, d, place, out) },
            #[cfg(target_arch = "aarch64")]
            Level::Neon => unsafe { project_neon(rows, &lanes, d, place, out) },
            // SAFETY: needs no feature.
            Level::Portable => unsafe { sweep::<Plain>(rows, &lanes, d, place, out) },
        }
    }
}

/// Of how many numbers of a row, from which on, so many are meant.
type Place = (usize, usize, usize);

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn project_avx512(rows: &[f32], lanes: &[f32], d: usize, place: Place, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx512>(rows, lanes, d, place, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn project_avx2(rows: &[f32], lanes: &[f32], d: usize, place: Place, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::x86::Avx2>(rows, lanes, d, place, out) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn project_neon(rows: &[f32], lanes: &[f32], d: usize, place: Place, out: &mut [f32]) {
    // SAFETY: the features are this function's.
    unsafe { sweep::<super::lanes::arm::Neon>(rows, lanes, d, place, out) }
}

#[inline(always)]
unsafe fn sweep<L: Lanes>(
    rows: &[f32],
    lanes: &[f32],
    d: usize,
    (m, first, many): Place,
    out: &mut [f32],
) {
    debug_assert!(lanes.len() == d * LANES);
    let mut tiles = rows.chunks_exact(TILE * d);
    let mut outs = out.chunks_mut(TILE * m);
    for (rows, out) in tiles.by_ref().zip(outs.by_ref()) {
        // SAFETY: a tile is TILE rows of d floats, and lanes are d × LANES.
        let found = unsafe {
            products::<L, TILE, 1, true>((rows.as_ptr(), d, 1), (lanes.as_ptr(), LANES), d)
        };
        for (out, [found]) in out.chunks_mut(m).zip(found) {
            // SAFETY: the features are the caller's.
            put(out, first, many, unsafe { found.to_array() });
        }
    }
    let outs = outs.flat_map(|out| out.chunks_mut(m));
    for (row, out) in tiles.remainder().chunks_exact(d).zip(outs) {
        // SAFETY: as above, for one row.
        let [[found]] =
            unsafe { products::<L, 1, 1, true>((row.as_ptr(), d, 1), (lanes.as_ptr(), LANES), d) };
        // SAFETY: the features are the caller's.
        put(out, first, many, unsafe { found.to_array() });
    }
}

fn put(out: &mut [f32], first: usize, many: usize, found: [f32; LANES]) {
    let slots = out.iter_mut().skip(first).take(many);
    slots.zip(found).for_each(|(slot, found)| *slot = found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_gives_the_same_bits() {
        let random = Random::new(16, 0);
        let (n, d, m) = (20, 97, 18);
        let values = |from: u64, n: usize| -> Vec<f32> {
            (0..n as u64).map(|at| random.unit(from + at) as f32 - 0.5).collect()
        };
        let (rows, directions) = (values(0, n * d), values(10_000, m * d));
        let places = |level: Level| {
            let mut found = vec![0.0; n * m];
            project(level, &rows, &directions, d, &mut found);
            found
        };
        let expected = places(Level::Portable);
        assert!(Level::all().into_iter().all(|level| places(level) == expected));
    }

    #[test]
    fn every_level_projects_alike() {
        let random = Random::new(6, 0);
        for (n, d, m) in [(1, 1, 1), (13, 7, 2), (6, 33, 16), (20, 5, 19)] {
            // Quarters: exact in 32 bits.
            let value = |at: usize| (random.unit(at as u64) * 16.0).floor() as f32 / 4.0 - 2.0;
            let rows: Vec<f32> = (0..n * d).map(value).collect();
            let directions: Vec<f32> = (0..m * d).map(|at| value(at + 9999)).collect();
            let pairs =
                rows.chunks(d).flat_map(|row| directions.chunks(d).map(move |to| (row, to)));
            let dot = |(row, to): (&[f32], &[f32])| row.iter().zip(to).map(|(a, b)| a * b).sum();
            let expected: Vec<f32> = pairs.map(dot).collect();
            for level in Level::all() {
                let mut found = vec![0.0; n * m];
                project(level, &rows, &directions, d, &mut found);
                assert_eq!(found, expected, "{level:?} {n} {d} {m}");
            }
        }
    }
}
