//! Points in a polygon: even-odd, edges and corners included.

use arrow_array::Array;

use super::ternary::Ternary;
use super::words::{words_by, words_of_text as words_of_rows};
use crate::bind::Outline;
use crate::column::floats_of;
use crate::mask::words_of;

/// Whether each point of two plain columns is in a polygon. NaN is nowhere.
pub(super) fn ternary_within(x: &dyn Array, y: &dyn Array, outline: &Outline) -> Ternary {
    let len = x.len();
    let (Some((xs, x_nulls)), Some((ys, y_nulls))) = (floats_of(x), floats_of(y)) else {
        return Ternary::unknown(len);
    };
    let at = |values: &[f64], row: usize| values.get(row).copied().unwrap_or(f64::NAN);
    let pass = match outline.is_box() {
        true => words_in_box(outline, &xs, &ys),
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

/// A bit for each point in the box around an outline.
fn words_in_box(outline: &Outline, xs: &[f64], ys: &[f64]) -> Vec<u64> {
    let [[low_x, high_x], [low_y, high_y]] = outline.bounds();
    let mut words = words_by(xs, |x| (x >= low_x) & (x <= high_x));
    let others = words_by(ys, |y| (y >= low_y) & (y <= high_y));
    words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_tested_side_by_side() {
        let turned = Outline::new(vec![[0.0, 4.0], [0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]);
        assert!(turned.is_box() && turned.contains(4.0, 0.0));
        let (xs, ys) = ([0.0, 4.0, f64::NAN, 2.0, 5.0], [4.0, 0.0, 1.0, f64::NAN, 1.0]);
        assert_eq!(words_in_box(&turned, &xs, &ys), [0b00011]);
    }
}
