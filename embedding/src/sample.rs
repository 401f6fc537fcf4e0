//! Some rows of many, drawn by a seed, in memory.

use std::borrow::Cow;

use crate::Error;
use crate::random::Random;
use crate::rows::{BLOCK_ROWS, RowSource};

/// Rows that were drawn, in their order.
pub(crate) struct Sample {
    pub(crate) numbers: Vec<usize>,
    /// The rows themselves, one after another.
    pub(crate) values: Vec<f32>,
}

/// Draws `many` rows, or all where there are no more: one of each so many that follow one
/// another, so that all parts of a table are seen.
pub(crate) fn draw(
    rows: &dyn RowSource,
    many: usize,
    seed: u64,
    stream: u64,
) -> Result<Sample, Error> {
    let numbers = numbers(rows.rows(), many, seed, stream);
    let mut values = Vec::with_capacity(numbers.len() * rows.dimensions());
    fetch(rows, &numbers, &mut values)?;
    Ok(Sample { numbers, values })
}

/// The numbers of rows that are drawn of n, in their order.
pub(crate) fn numbers(n: usize, many: usize, seed: u64, stream: u64) -> Vec<usize> {
    let many = many.min(n);
    let random = Random::new(seed, stream);
    let place = |nth: u64| (u128::from(nth) * n as u128 / many as u128) as u64;
    let number = |nth: u64| {
        let (first, next) = (place(nth), place(nth + 1));
        (first + random.below(nth, next - first)) as usize
    };
    (0..many as u64).map(number).collect()
}

/// Puts rows of these numbers, which are in order, behind what is there.
pub(crate) fn fetch(
    rows: &dyn RowSource,
    numbers: &[usize],
    values: &mut Vec<f32>,
) -> Result<(), Error> {
    let d = rows.dimensions();
    let mut block = (usize::MAX, Cow::Borrowed(&[][..]));
    for row in numbers {
        if block.0 != row / BLOCK_ROWS {
            block = (row / BLOCK_ROWS, rows.block(row / BLOCK_ROWS)?);
        }
        let from = row % BLOCK_ROWS * d;
        let short = || Error::Source("a block is too short".to_owned());
        values.extend_from_slice(block.1.get(from..from + d).ok_or_else(short)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rows::Matrix;

    #[test]
    fn every_row_is_drawn_about_as_often() {
        let values: Vec<f32> = (0..10).map(|at| at as f32).collect();
        let rows = Matrix::new(&values, 1).unwrap();
        let mut often = [0; 10];
        for seed in 0..2000 {
            let drawn = draw(&rows, 3, seed, 0).unwrap();
            assert!(drawn.numbers.len() == 3 && drawn.numbers.is_sorted());
            for (number, value) in drawn.numbers.into_iter().zip(drawn.values) {
                assert_eq!(number as f32, value);
                often[number] += 1;
            }
        }
        // Of three rows, or of four, one each time: 667 or 500, with deviations of 21 and 19.
        assert!(often.iter().all(|often| (420..740).contains(often)), "{often:?}");
        assert_eq!(draw(&rows, 20, 0, 0).unwrap().values, values);
    }
}
