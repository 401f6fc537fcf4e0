//! Vectors as they came, made ready: rows that are none are left out and remembered, never taken
//! for zeros, and others are divided by their length where that is asked for.

use app::mapping::{LeftOut, MapRequest, NO_VECTOR};
use embedding::rows;
use engine::steps::Normalize;

use crate::run::Failure;

/// The rows that have vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Those rows' values, one after another.
    pub values: Vec<f32>,
    pub dimensions: usize,
    pub left_out: LeftOut,
    /// Of each row that was given, whether it has a vector.
    has_vector: Vec<bool>,
}

impl Taken {
    /// Of rows × dimensions values.
    ///
    /// # Errors
    /// Where there are not so many, or none of the rows has a vector.
    pub fn new(request: &MapRequest, mut values: Vec<f32>) -> Result<Self, Failure> {
        let (rows, d) = (request.rows, request.dimensions);
        if d == 0 {
            return Err(embedding::Error::NoDimensions.into());
        }
        if rows.checked_mul(d) != Some(values.len()) {
            let given = values.len();
            return Err(embedding::Error::BadShape { given, rows, dimensions: d }.into());
        }
        let mut left_out = LeftOut::default();
        let mut has_vector = Vec::with_capacity(rows);
        let mut kept = 0;
        for row in 0..rows {
            let from = row * d;
            let has = is_vector(&values[from..from + d], &mut left_out);
            has_vector.push(has);
            if has {
                values.copy_within(from..from + d, kept * d);
                normalize(&mut values[kept * d..][..d], request.normalize, &mut left_out);
                kept += 1;
            }
        }
        if kept == 0 {
            let LeftOut { without_vector, not_finite, .. } = left_out;
            return Err(Failure::NoVectors { rows, without_vector, not_finite });
        }
        values.truncate(kept * d);
        values.shrink_to_fit();
        Ok(Self { values, dimensions: d, left_out, has_vector })
    }

    pub fn rows(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// Numbers of the rows that have vectors, `width` to each, as numbers of all rows.
    pub fn floats(&self, own: &[f32], width: usize) -> Vec<f32> {
        self.spread(own, width, f32::NAN)
    }

    /// Labels of the rows that have vectors, as those of all rows.
    pub fn labels(&self, own: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let own: Vec<i32> = own.into_iter().collect();
        self.spread(&own, 1, NO_VECTOR)
    }

    fn spread<T: Copy>(&self, own: &[T], width: usize, none: T) -> Vec<T> {
        let mut own = own.chunks_exact(width);
        let mut all = Vec::with_capacity(self.has_vector.len() * width);
        for has_vector in &self.has_vector {
            match has_vector.then(|| own.next()).flatten() {
                Some(line) => all.extend_from_slice(line),
                None => all.extend(std::iter::repeat_n(none, width)),
            }
        }
        all
    }

    /// Which of the rows that were given one of those that have vectors is.
    pub fn number(&self, own: usize) -> usize {
        let all = self.has_vector.iter().enumerate().filter(|(_, has_vector)| **has_vector);
        all.map(|(row, _)| row).nth(own).unwrap_or(own)
    }
}

fn is_vector(row: &[f32], left_out: &mut LeftOut) -> bool {
    if rows::are_finite(row) {
        return true;
    }
    match row.iter().all(|x| x.is_nan()) {
        true => left_out.without_vector += 1,
        false => left_out.not_finite += 1,
    }
    false
}

fn normalize(row: &mut [f32], how: Normalize, left_out: &mut LeftOut) {
    left_out.zero += usize::from(row.iter().all(|x| *x == 0.0));
    if how == Normalize::L2 {
        rows::normalize(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(rows: usize, dimensions: usize, normalize: Normalize) -> MapRequest {
        let backend = app::mapping::Backend::Auto;
        MapRequest { rows, dimensions, normalize, seed: 1, backend, steps: Vec::new() }
    }

    #[test]
    fn what_is_no_vector_is_left_out_and_counted() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let values = vec![nan, nan, 3.0, 4.0, 1.0, nan, 0.0, 0.0, inf, 0.0, 5.0, 0.0];
        let taken = Taken::new(&request(6, 2, Normalize::L2), values.clone()).unwrap();
        assert_eq!(taken.left_out, LeftOut { without_vector: 1, not_finite: 2, zero: 1 });
        assert_eq!(taken.values, [0.6, 0.8, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(taken.labels([7, -1, 8]), [NO_VECTOR, 7, NO_VECTOR, -1, NO_VECTOR, 8]);
        let spread = taken.floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2);
        assert_eq!(spread[2..4], [1.0, 2.0]);
        assert_eq!(spread.iter().filter(|x| x.is_nan()).count(), 6);
        assert_eq!(taken.number(2), 5);
        let taken = Taken::new(&request(6, 2, Normalize::None), values).unwrap();
        assert_eq!(taken.values, [3.0, 4.0, 0.0, 0.0, 5.0, 0.0]);
    }

    #[test]
    fn what_has_no_vectors_is_refused() {
        for (rows, dimensions, values, words) in [
            (2, 2, vec![1.0; 3], "3 numbers are not 2 rows of 2"),
            (usize::MAX, 2, vec![1.0; 4], "are not"),
            (0, 3, vec![], "there are no vectors: of 0 rows"),
            (1, 0, vec![], "no dimensions"),
            (2, 1, vec![f32::NAN, f32::INFINITY], "1 have none, and 1 one that is not finite"),
        ] {
            let refused = Taken::new(&request(rows, dimensions, Normalize::L2), values);
            let said = refused.unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
