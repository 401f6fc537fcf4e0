//! Points in a polygon: even-odd, edges and corners included.

use arrow_array::Array;
use arrow_buffer::NullBuffer;

use super::ternary::Ternary;
use super::words::words_by;
use crate::bind::{Coordinate, Outline};
use crate::column::{Values, floats_of};
use crate::mask::{WORD_BITS, words_of};

/// Whether each point of two plain columns is in a polygon. NaN is nowhere.
pub(super) fn ternary_within(x: &dyn Array, y: &dyn Array, outline: &Outline) -> Ternary {
    let len = x.len();
    if let (Some(Values::Float32(xs)), Some(Values::Float32(ys)), false) =
        (Values::of(x), Values::of(y), outline.is_box())
    {
        return Ternary::new(words_in(outline, xs, ys), both_valid(x.nulls(), y.nulls()), len);
    }
    let (Some((xs, x_nulls)), Some((ys, y_nulls))) = (floats_of(x), floats_of(y)) else {
        return Ternary::unknown(len);
    };
    let pass = match outline.is_box() {
        true => words_in_box(outline, &xs, &ys),
        false => words_in(outline, &xs, &ys),
    };
    Ternary::new(pass, both_valid(x_nulls.as_ref(), y_nulls.as_ref()), len)
}

/// Where there is an x and a y; `None` for everywhere.
fn both_valid(x: Option<&NullBuffer>, y: Option<&NullBuffer>) -> Option<Vec<u64>> {
    let words = |nulls: &NullBuffer| words_of(nulls.inner());
    match (x.map(words), y.map(words)) {
        (Some(x), Some(y)) => Some(x.iter().zip(y).map(|(x, y)| x & y).collect()),
        (x, y) => x.or(y),
    }
}

/// A bit for each point in an outline.
fn words_in<T: Coordinate>(outline: &Outline, xs: &[T], ys: &[T]) -> Vec<u64> {
    let pairs = xs.chunks(WORD_BITS).zip(ys.chunks(WORD_BITS));
    pairs.map(|(xs, ys)| outline.word(xs, ys)).collect()
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
