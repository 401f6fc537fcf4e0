//! Points in a polygon: even-odd, edges and corners included.

use arrow_array::Array;

use super::ternary::Ternary;
use super::words::{words_by, words_of_text as words_of_rows};
use crate::column::floats_of;
use crate::mask::words_of;

/// Whether each point of two plain columns is in a polygon. NaN is nowhere.
pub(super) fn ternary_within(x: &dyn Array, y: &dyn Array, polygon: &[[f64; 2]]) -> Ternary {
    let len = x.len();
    let (Some((xs, x_nulls)), Some((ys, y_nulls))) = (floats_of(x), floats_of(y)) else {
        return Ternary::unknown(len);
    };
    let outline = Outline::new(polygon);
    let at = |values: &[f64], row: usize| values.get(row).copied().unwrap_or(f64::NAN);
    let pass = match outline.is_box {
        true => outline.words_in_box(&xs, &ys),
        false => words_of_rows(len, |row| outline.contains(at(&xs, row), at(&ys, row))),
    };
    let x_valid = x_nulls.map(|nulls| words_of(nulls.inner()));
    let y_valid = y_nulls.map(|nulls| words_of(nulls.inner()));
    let valid = match (x_valid, y_valid) {
        (Some(x), Some(y)) => Some(x.iter().zip(y).map(|(x, y)| x & y).collect()),
        (x, y) => x.or(y),
    };
    Ternary::new(pass, valid, len)
}

/// A closed outline and the box around it.
struct Outline {
    edges: Vec<([f64; 2], [f64; 2])>,
    low: [f64; 2],
    high: [f64; 2],
    /// The box itself: a selection drawn as one.
    is_box: bool,
}

impl Outline {
    fn new(polygon: &[[f64; 2]]) -> Self {
        let ends = polygon.iter().skip(1).chain(polygon.first());
        let axis =
            |place: usize| polygon.iter().map(move |[x, y]| if place == 0 { *x } else { *y });
        let low = [0, 1].map(|place| axis(place).fold(f64::INFINITY, f64::min));
        let high = [0, 1].map(|place| axis(place).fold(f64::NEG_INFINITY, f64::max));
        let edges: Vec<_> = polygon.iter().copied().zip(ends.copied()).collect();
        let turns = edges.windows(2).all(|pair| match pair {
            // Each edge leaves along the axis that the last did not run along.
            &[([ax, ay], [bx, by]), (_, [cx, cy])] => {
                (ax == bx && by == cy && ay != by) || (ay == by && bx == cx && ax != bx)
            }
            _ => true,
        });
        let is_box = turns && edges.len() == 4;
        Self { edges, low, high, is_box }
    }

    /// A bit for each point in the box around the outline.
    fn words_in_box(&self, xs: &[f64], ys: &[f64]) -> Vec<u64> {
        let ([low_x, low_y], [high_x, high_y]) = (self.low, self.high);
        let mut words = words_by(xs, |x| (x >= low_x) & (x <= high_x));
        let others = words_by(ys, |y| (y >= low_y) & (y <= high_y));
        words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
        words
    }

    fn contains(&self, x: f64, y: f64) -> bool {
        let [low_x, low_y] = self.low;
        let [high_x, high_y] = self.high;
        if !(x >= low_x && x <= high_x && y >= low_y && y <= high_y) {
            return false;
        }
        let mut is_inside = false;
        for &([ax, ay], [bx, by]) in &self.edges {
            // Positive where the point lies to the left of the edge.
            let side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
            let is_beside =
                x >= ax.min(bx) && x <= ax.max(bx) && y >= ay.min(by) && y <= ay.max(by);
            if side == 0.0 && is_beside {
                return true;
            }
            if (ay > y) != (by > y) && (side > 0.0) == (by > ay) {
                is_inside = !is_inside;
            }
        }
        is_inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_in_and_crossings_count_twice() {
        let square = Outline::new(&[[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]);
        for (x, y) in [(0.0, 0.0), (4.0, 4.0), (2.0, 0.0), (4.0, 1.0), (0.0, 3.5), (2.0, 2.0)] {
            assert!(square.contains(x, y), "{x} {y}");
        }
        for (x, y) in
            [(-0.1, 2.0), (4.1, 4.0), (2.0, 4.000_001), (f64::NAN, 2.0), (2.0, f64::INFINITY)]
        {
            assert!(!square.contains(x, y), "{x} {y}");
        }
        let turned = Outline::new(&[[0.0, 4.0], [0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]);
        assert!(square.is_box && turned.is_box && turned.contains(4.0, 0.0));
        let (xs, ys) = ([0.0, 4.0, f64::NAN, 2.0, 5.0], [4.0, 0.0, 1.0, f64::NAN, 1.0]);
        assert_eq!(turned.words_in_box(&xs, &ys), [0b00011]);
        for corners in [
            [[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]],
            [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [1.0, 4.0]],
            [[0.0, 0.0], [4.0, 0.0], [0.0, 0.0], [4.0, 0.0]],
        ] {
            assert!(!Outline::new(&corners).is_box, "{corners:?}");
        }
        // A pentagram leaves its middle out under the even-odd rule.
        let star: Vec<[f64; 2]> = (0..5)
            .map(|corner| {
                let angle = f64::from(corner) * 4.0 * std::f64::consts::PI / 5.0;
                [angle.sin(), angle.cos()]
            })
            .collect();
        let star = Outline::new(&star);
        assert!(!star.contains(0.0, 0.0));
        assert!(star.contains(0.0, 0.9));
        let spike = Outline::new(&[[0.0, 0.0], [2.0, 2.0], [4.0, 0.0], [2.0, 1.0]]);
        assert!(spike.contains(2.0, 1.5) && !spike.contains(2.0, 0.5));
        assert!(spike.contains(1.0, 1.0) && spike.contains(3.0, 0.5));
    }
}
