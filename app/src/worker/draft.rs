//! A map that is not a table yet: its points where they are by now, and in which cluster, ready
//! to be drawn as a scatter is. Pure.

use std::cmp::Reverse;

use crate::draw::palette::{CATEGORIES, MISSING, OTHER};
use crate::draw::points::Points;
use crate::mapping::NO_VECTOR;

/// What is drawn of it.
#[derive(Debug)]
pub struct Draft {
    pub points: Points,
    /// Of x and of y; the low end is above the high one where there is nothing finite.
    pub extent: ([f64; 2], [f64; 2]),
}

/// Points and clusters of all rows, as far as they are known.
#[derive(Debug, Default)]
pub struct Live {
    /// Two numbers a row, or none.
    points: Vec<f32>,
    /// Palette indices, or none.
    colors: Vec<u8>,
}

impl Live {
    /// Of rows × dimensions numbers, of which the first two are shown.
    pub fn place(&mut self, points: &[f32], dimensions: usize) {
        let first_two = |row: &[f32]| match row {
            [x, y, ..] => [*x, *y],
            [x] => [*x, 0.0],
            [] => [f32::NAN; 2],
        };
        self.points = points.chunks_exact(dimensions.max(1)).flat_map(first_two).collect();
    }

    /// The largest cluster has the first colour, as in a scatter; noise and rows without a vector
    /// have that of what is missing.
    pub fn color(&mut self, labels: &[i32]) {
        let mut counts: Vec<(usize, usize)> = Vec::new();
        for label in labels.iter().filter_map(|label| usize::try_from(*label).ok()) {
            if label >= counts.len() {
                counts.resize_with(label + 1, Default::default);
                counts.iter_mut().enumerate().for_each(|(at, (own, _))| *own = at);
            }
            if let Some((_, count)) = counts.get_mut(label) {
                *count += 1;
            }
        }
        let n = counts.len();
        counts.sort_unstable_by_key(|(label, count)| (Reverse(*count), *label));
        let mut indices = vec![OTHER; n];
        for (index, (label, _)) in (0..).zip(counts.iter().take(CATEGORIES)) {
            if let Some(slot) = indices.get_mut(*label) {
                *slot = index;
            }
        }
        let index = |label: &i32| match *label {
            NO_VECTOR => MISSING,
            label => {
                let known = usize::try_from(label).ok().and_then(|label| indices.get(label));
                known.copied().unwrap_or(MISSING)
            }
        };
        self.colors = labels.iter().map(index).collect();
    }

    /// None where no point is anywhere yet.
    pub fn draft(&self) -> Option<Draft> {
        if self.points.is_empty() {
            return None;
        }
        let axis = |axis: usize| -> Vec<f64> {
            self.points.iter().skip(axis).step_by(2).map(|place| f64::from(*place)).collect()
        };
        let (x, y) = (axis(0), axis(1));
        let colors = if self.colors.len() == x.len() { self.colors.as_slice() } else { &[] };
        let mut points = Points::new();
        points.append(&x, &y, colors);
        Some(Draft { points, extent: (extent(&x), extent(&y)) })
    }
}

fn extent(values: &[f64]) -> [f64; 2] {
    let finite = values.iter().filter(|value| value.is_finite());
    finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(*value), high.max(*value)]
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_largest_cluster_has_the_first_colour() {
        let mut live = Live::default();
        live.color(&[2, 2, 0, 2, -1, NO_VECTOR, 0, 1]);
        assert_eq!(live.colors, [0, 0, 1, 0, MISSING, MISSING, 1, 2]);
        let many: Vec<i32> = (0..30).collect();
        live.color(&many);
        assert_eq!((live.colors[19], live.colors[20]), (19, OTHER));
        live.color(&[]);
        assert!(live.colors.is_empty());
    }

    #[test]
    fn two_dimensions_are_shown() {
        let mut live = Live::default();
        live.place(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
        assert_eq!(live.points, [1.0, 2.0, 4.0, 5.0]);
        live.place(&[1.0, 2.0], 1);
        assert_eq!(live.points, [1.0, 0.0, 2.0, 0.0]);
        // Clusters of other rows are none of these.
        live.color(&[0]);
        assert!(!live.draft().unwrap().points.is_colored());
        live.color(&[0, NO_VECTOR]);
        let draft = live.draft().unwrap();
        assert_eq!((draft.points.color(1), draft.extent), (MISSING, ([1.0, 2.0], [0.0, 0.0])));
        assert!(Live::default().draft().is_none());
    }
}
