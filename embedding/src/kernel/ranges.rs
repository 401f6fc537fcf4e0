//! What is known of each column after one pass: how far it reaches, and its sums.
#![allow(unsafe_code)]

use super::Level;

/// Of the columns of some rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranges {
    pub least: Vec<f32>,
    pub most: Vec<f32>,
    /// Of the differences from an origin, so that an offset of all values does no harm.
    pub sums: Vec<f64>,
    /// Of their squares.
    pub squares: Vec<f64>,
}

impl Ranges {
    /// Of rows of as many values as `origin` has; the first row that is not finite otherwise.
    pub(crate) fn of(level: Level, rows: &[f32], origin: &[f32]) -> Result<Self, usize> {
        let d = origin.len();
        let mut found = Self {
            least: origin.to_vec(),
            most: origin.to_vec(),
            sums: vec![0.0; d],
            squares: vec![0.0; d],
        };
        let is_finite = match level {
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { found.add_avx512(rows, origin) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { found.add_avx2(rows, origin) },
            #[cfg(target_arch = "aarch64")]
            Level::Neon => found.add(rows, origin),
            Level::Portable => found.add(rows, origin),
        };
        match is_finite {
            true => Ok(found),
            false => {
                let is_bad = |row: &[f32]| row.iter().any(|value| !value.is_finite());
                Err(rows.chunks_exact(d).position(is_bad).unwrap_or_default())
            }
        }
    }

    /// Takes in the columns of other rows about the same origin.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.least.iter_mut().zip(&other.least).for_each(|(a, b)| *a = a.min(*b));
        self.most.iter_mut().zip(&other.most).for_each(|(a, b)| *a = a.max(*b));
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a += b);
        self.squares.iter_mut().zip(&other.squares).for_each(|(a, b)| *a += b);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn add_avx512(&mut self, rows: &[f32], origin: &[f32]) -> bool {
        self.add(rows, origin)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn add_avx2(&mut self, rows: &[f32], origin: &[f32]) -> bool {
        self.add(rows, origin)
    }

    /// Whether all values are finite. Some columns at a time, so that what is known of them stays in
    /// registers from row to row.
    #[inline(always)]
    fn add(&mut self, rows: &[f32], origin: &[f32]) -> bool {
        let d = origin.len();
        let mut first = 0;
        while first + WIDTH <= d {
            self.add_columns::<WIDTH>(rows, origin, first);
            first += WIDTH;
        }
        while first + NARROW <= d {
            self.add_columns::<NARROW>(rows, origin, first);
            first += NARROW;
        }
        while first < d {
            self.add_columns::<1>(rows, origin, first);
            first += 1;
        }
        // What is not finite leaves no sum that is.
        self.sums.iter().all(|sum| sum.is_finite())
    }

    #[inline(always)]
    fn add_columns<const W: usize>(&mut self, rows: &[f32], origin: &[f32], first: usize) {
        let own = first..first + W;
        let (Some(origins), Some(least), Some(most), Some(sums), Some(squares)) = (
            origin[own.clone()].first_chunk::<W>(),
            self.least[own.clone()].first_chunk_mut::<W>(),
            self.most[own.clone()].first_chunk_mut::<W>(),
            self.sums[own.clone()].first_chunk_mut::<W>(),
            self.squares[own.clone()].first_chunk_mut::<W>(),
        ) else {
            return;
        };
        let origins = origins.map(f64::from);
        let (mut low, mut high, mut sum, mut square) = (*least, *most, *sums, *squares);
        for row in rows.chunks_exact(origin.len()) {
            let Some(values) = row[own.clone()].first_chunk::<W>() else { return };
            for at in 0..W {
                low[at] = if values[at] < low[at] { values[at] } else { low[at] };
            }
            for at in 0..W {
                high[at] = if values[at] > high[at] { values[at] } else { high[at] };
            }
            for at in 0..W {
                let difference = f64::from(values[at]) - origins[at];
                sum[at] += difference;
                square[at] += difference * difference;
            }
        }
        (*least, *most, *sums, *squares) = (low, high, sum, square);
    }
}

/// Columns at a time.
const WIDTH: usize = 32;
const NARROW: usize = 8;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_level_finds_what_a_plain_loop_does() {
        let random = Random::new(2, 0);
        for (n, d) in [(1, 1), (50, 7), (300, 33)] {
            let rows: Vec<f32> = (0..n * d).map(|at| random.unit(at as u64) as f32 - 0.4).collect();
            let origin = rows[..d].to_vec();
            let column = |at: usize| rows.iter().skip(at).step_by(d).copied();
            for level in Level::all() {
                let found = Ranges::of(level, &rows, &origin).unwrap();
                for (at, origin) in origin.iter().enumerate() {
                    let off = |x: f32| f64::from(x) - f64::from(*origin);
                    assert_eq!(found.least[at], column(at).fold(f32::INFINITY, f32::min));
                    assert_eq!(found.most[at], column(at).fold(f32::NEG_INFINITY, f32::max));
                    // In the same order, so to the last bit.
                    let sum = column(at).map(off).fold(0.0, |sum, x| sum + x);
                    let square = column(at).map(off).fold(0.0, |sum, x| sum + x * x);
                    assert_eq!((found.sums[at], found.squares[at]), (sum, square), "{level:?}");
                }
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut rows = rows.clone();
                    rows[(n - 1) * d] = bad;
                    assert_eq!(Ranges::of(level, &rows, &vec![0.0; d]), Err(n - 1));
                }
            }
        }
    }
}
