//! The nearest centroid of each row of a block, without doubt.
//!
//! A product x·c that was summed up in 32 bits, in whatever order, is within d·u·‖x‖·‖c‖ of the
//! true one, u being 2⁻²⁴ (Higham: Accuracy and Stability of Numerical Algorithms, section
//! 3.1); ½‖c‖² and the score ½‖c‖² − x·c are each rounded once more. Where the best score and the
//! next differ by more than twice as much, and a little to spare, the best is the nearest.
//! Elsewhere all centroids that are not ruled out are compared in 64 bits.
//!
//! Of many centroids of many dimensions most are ruled out by 16 bits first ([`Coarse`]), and
//! those that are left are compared by distances in 32, which are sums of squares and so
//! wrong by a share of themselves.

use crate::kernel::{Coarse, Level, Near, Panels, Room, nearest, squared_distances};
use crate::metrics::squared_distance;

/// How much larger than the bound the margin is: rounding of what it is worked out with.
const SPARE: f64 = 1.01;
const UNIT: f64 = 1.0 / (1 << 24) as f64;

pub(super) struct Assigner {
    level: Level,
    near: Vec<Near>,
    labels: Vec<u32>,
    pub rechecked: u64,
    room: Room,
    distances: Vec<f32>,
}

/// Where 16 bits leave more than one in so many centroids, 32 are quicker.
const LEFT_MOST: usize = 20;
/// Rows of a block by which that is known: what is done depends on the block alone.
const TRIED: usize = 96;

impl Assigner {
    pub(super) fn new(level: Level) -> Self {
        Self {
            level,
            near: Vec::new(),
            labels: Vec::new(),
            rechecked: 0,
            room: Room::default(),
            distances: Vec::new(),
        }
    }

    /// The label of each row, of which the squared norms are known.
    pub(super) fn assign(
        &mut self,
        rows: &[f32],
        squares: &[f32],
        centroids: &[f32],
        panels: &Panels,
    ) -> &[u32] {
        let d = panels.dimensions;
        self.labels.clear();
        let mut done = 0;
        if let Some(coarse) = &panels.coarse {
            let (tried, rest) = rows.split_at((TRIED * d).min(rows.len()));
            let left = self.assign_coarsely(tried, centroids, coarse);
            done = tried.len();
            if left * LEFT_MOST * d < tried.len() * (centroids.len() / d) {
                self.assign_coarsely(rest, centroids, coarse);
                done = rows.len();
            }
        }
        let rows = rows.get(done..).unwrap_or_default();
        let squares = squares.get(done / d..).unwrap_or_default();
        nearest(self.level, rows, panels, &mut self.near);
        for ((row, near), square) in rows.chunks_exact(d).zip(&self.near).zip(squares) {
            // Of d terms in 32 bits, so wrong by less than a share of (d + 1)·u.
            let norm = f64::from(*square).sqrt() * (1.0 + d as f64 * UNIT);
            let error = error_of(d, norm, panels.norm_max);
            let is_sure = f64::from(near.second) - f64::from(near.best) > 2.0 * error;
            let label = match is_sure {
                true => near.label,
                false => {
                    self.rechecked += 1;
                    recheck(row, centroids, panels, f64::from(near.best) + 2.0 * error)
                }
            };
            self.labels.push(label);
        }
        &self.labels
    }
}

impl Assigner {
    /// By 16 bits first; how many centroids those have left, of all rows.
    fn assign_coarsely(&mut self, rows: &[f32], centroids: &[f32], coarse: &Coarse) -> usize {
        let Self { level, labels, rechecked, room, distances, .. } = self;
        let mut candidates = 0;
        coarse.candidates(*level, rows, room, |row, left| {
            candidates += left.len();
            labels.push(match left {
                [only] => *only,
                _ => {
                    let (label, is_sure) = nearest_of(*level, row, centroids, left, distances);
                    *rechecked += u64::from(!is_sure);
                    label
                }
            });
        });
        candidates
    }
}

/// The nearest of some centroids, and whether 32 bits were enough to tell.
fn nearest_of(
    level: Level,
    row: &[f32],
    centroids: &[f32],
    some: &[u32],
    distances: &mut Vec<f32>,
) -> (u32, bool) {
    let d = row.len();
    let of = |at: u32| centroids.get(at as usize * d..(at as usize + 1) * d).unwrap_or_default();
    let (mut best, mut second, mut label) = (f32::INFINITY, f32::INFINITY, 0);
    for at in some {
        squared_distances(level, row, of(*at), d, distances);
        let distance = distances.first().copied().unwrap_or(f32::NAN);
        // What is not a number is the best, which nothing is sure to be farther than.
        if distance >= best {
            second = second.min(distance);
        } else {
            (second, best, label) = (best, distance, *at);
        }
    }
    // Differences, squares and sums are rounded: sixteen sums, added in pairs.
    let share = SPARE * UNIT * (d as f64 / 16.0 + 10.0);
    let limit = f64::from(best) * (1.0 + share) + f64::from(f32::MIN_POSITIVE) * d as f64;
    if f64::from(second) * (1.0 - share) > limit {
        return (label, true);
    }
    let (mut best, mut label) = (f64::INFINITY, 0);
    for at in some {
        let distance = squared_distance(row, of(*at));
        if distance < best {
            (best, label) = (distance, *at);
        }
    }
    (label, false)
}

/// How far a score in 32 bits may be from the true one.
fn error_of(d: usize, norm: f64, norm_max: f64) -> f64 {
    let rounding = (d + 3) as f64 * norm * norm_max + 1.5 * norm_max * norm_max;
    SPARE * UNIT * rounding + f64::from(f32::MIN_POSITIVE)
}

/// The nearest of the centroids by 64 bits, among those whose score may be at most `limit`.
fn recheck(row: &[f32], centroids: &[f32], panels: &Panels, limit: f64) -> u32 {
    let (mut best, mut label) = (f64::INFINITY, 0);
    for (at, centroid) in centroids.chunks_exact(row.len()).enumerate() {
        if f64::from(panels.half_norm(at) - dot(row, centroid)) > limit {
            continue;
        }
        let distance = squared_distance(row, centroid);
        if distance < best {
            (best, label) = (distance, at as u32);
        }
    }
    label
}

/// Summed up in an order of its own: as wrong as the kernels' at most.
fn dot(row: &[f32], centroid: &[f32]) -> f32 {
    const WIDE: usize = 16;
    let ((x, rest_x), (c, rest_c)) = (row.as_chunks::<WIDE>(), centroid.as_chunks::<WIDE>());
    let mut sums = [0_f32; WIDE];
    for (x, c) in x.iter().zip(c) {
        for ((sum, x), c) in sums.iter_mut().zip(x).zip(c) {
            *sum += x * c;
        }
    }
    let rest: f32 = rest_x.iter().zip(rest_c).map(|(x, c)| x * c).sum();
    sums.iter().sum::<f32>() + rest
}
