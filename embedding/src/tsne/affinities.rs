//! How much each two rows are neighbours: of each row a distribution over its neighbours, as wide
//! as the perplexity asks for, and of each two rows the mean of both directions.

use crate::Error;
use crate::knn::Neighbours;
use crate::threads::for_each;
use crate::watch::Watch;

use crate::exponential::{exp_of_negative, ln};

/// Affinities by row, both ways; all of them sum up to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Affinities {
    /// Where a row begins; one more than there are rows.
    pub(super) starts: Vec<usize>,
    pub(super) others: Vec<u32>,
    pub(super) shares: Vec<f32>,
}

/// A row has a multiple of so many, the last of which may be itself, with a share of 0.
pub(super) const PADDING: usize = 8;
/// Rows that are calibrated together.
const ROWS_AT_ONCE: usize = 512;
const STEPS: usize = 200;
/// How near the logarithm of the perplexity has to be.
const TOLERANCE: f64 = 1e-6;
/// Terms that are summed up side by side, whatever the registers hold.
const SUMS: usize = 8;

impl Affinities {
    /// `perplexity` is at least 1.
    pub(super) fn new(
        neighbours: &Neighbours,
        perplexity: f64,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let (k, goal) = (neighbours.k, ln(perplexity));
        let mut shares = vec![0.0_f32; neighbours.rows.len()];
        let lines = neighbours.distances.chunks(ROWS_AT_ONCE * k);
        let mut items: Vec<(&mut [f32], &[f32])> =
            shares.chunks_mut(ROWS_AT_ONCE * k).zip(lines).collect();
        for_each(&mut items, &mut vec![Row::default(); threads], watch, |row, _, item| {
            for (shares, distances) in item.0.chunks_exact_mut(k).zip(item.1.chunks_exact(k)) {
                row.calibrate(distances, goal);
                shares.iter_mut().zip(row.shares()).for_each(|(slot, share)| *slot = share as f32);
            }
            Ok(())
        })?;
        Ok(Self::both_ways(&neighbours.rows, &shares, k))
    }

    /// Others of a row, and its shares of them.
    #[inline(always)]
    pub(super) fn of(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.others[range.clone()], &self.shares[range])
    }

    /// (p(j|i) + p(i|j)) / 2n.
    fn both_ways(others: &[u32], shares: &[f32], k: usize) -> Self {
        let n = others.len() / k;
        let scale = 1.0 / (2.0 * n as f64);
        let mut ends = vec![k; n];
        for other in others {
            ends[*other as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        // Now where a row begins; then, as it fills, where it ends.
        let mut pairs = vec![(0_u32, 0.0_f32); sum];
        let lines = others.chunks_exact(k).zip(shares.chunks_exact(k));
        for (row, (others, shares)) in lines.enumerate() {
            for (other, share) in others.iter().zip(shares) {
                for (from, to) in [(row, *other), (*other as usize, row as u32)] {
                    pairs[ends[from]] = (to, *share);
                    ends[from] += 1;
                }
            }
        }
        let mut all = Self { starts: vec![0], others: Vec::new(), shares: Vec::new() };
        let mut begin = 0;
        for (row, end) in ends.into_iter().enumerate() {
            let own = &mut pairs[begin..end];
            own.sort_unstable_by_key(|(other, share)| (*other, share.to_bits()));
            for same in own.chunk_by(|a, b| a.0 == b.0) {
                let sum: f64 = same.iter().map(|(_, share)| f64::from(*share)).sum();
                all.others.push(same[0].0);
                all.shares.push((sum * scale) as f32);
            }
            let padded = all.others.len().next_multiple_of(PADDING);
            all.others.resize(padded, row as u32);
            all.shares.resize(padded, 0.0);
            all.starts.push(padded);
            begin = end;
        }
        all
    }
}

/// Room for one row.
#[derive(Debug, Clone, Default)]
struct Row {
    /// Squared distances beyond the nearest, in shares of their mean.
    squares: Vec<f64>,
    weights: Vec<f64>,
    sum: f64,
}

impl Row {
    /// Finds how narrow the bell over the squared distances must be for the entropy to be `goal`,
    /// by Newton's steps, and by halves where they would leave what is known.
    fn calibrate(&mut self, distances: &[f32], goal: f64) {
        self.squares.clear();
        self.squares.extend(distances.iter().map(|x| f64::from(*x) * f64::from(*x)));
        let least = self.squares.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = self.squares.iter().map(|x| x - least).sum::<f64>() / distances.len() as f64;
        let scale = if mean > 0.0 { 1.0 / mean } else { 0.0 };
        self.squares.iter_mut().for_each(|x| *x = (*x - least) * scale);
        let (mut low, mut high, mut narrow) = (0.0, f64::INFINITY, 1.0);
        for _ in 0..STEPS {
            let (entropy, slope) = self.entropy(narrow);
            let above = entropy - goal;
            if above.abs() < TOLERANCE || scale == 0.0 {
                break;
            }
            if above > 0.0 {
                low = narrow
            } else {
                high = narrow
            }
            let newton = narrow - above / slope;
            narrow = match high {
                // Where more neighbours are one with the row than the perplexity asks for, no
                // bell is narrow enough.
                f64::INFINITY if narrow > 1e30 => break,
                _ if slope < 0.0 && newton > low && newton < high => newton,
                f64::INFINITY => narrow * 2.0,
                _ => (low + high) / 2.0,
            };
        }
    }

    /// The entropy of the weights, and how it changes with `narrow`.
    fn entropy(&mut self, narrow: f64) -> (f64, f64) {
        self.weights.clear();
        self.weights.extend(self.squares.iter().map(|x| exp_of_negative(-x * narrow)));
        let mut sums = [[0.0_f64; SUMS]; 3];
        for (squares, weights) in self.squares.chunks(SUMS).zip(self.weights.chunks(SUMS)) {
            for (at, (x, weight)) in squares.iter().zip(weights).enumerate() {
                sums[0][at] += weight;
                sums[1][at] += weight * x;
                sums[2][at] += weight * x * x;
            }
        }
        let [sum, first, second] = sums.map(|sums| sums.iter().sum::<f64>());
        self.sum = sum;
        let (first, second) = (first / sum, second / sum);
        (ln(sum) + narrow * first, -narrow * (second - first * first))
    }

    fn shares(&self) -> impl Iterator<Item = f64> {
        self.weights.iter().map(|weight| weight / self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perplexity(shares: impl Iterator<Item = f64>) -> f64 {
        shares.filter(|share| *share > 0.0).map(|share| -share * share.ln()).sum::<f64>().exp()
    }

    #[test]
    fn each_row_has_the_perplexity_that_is_asked_for() {
        let mut row = Row::default();
        let few: Vec<f32> = (0..90).map(|at| 1.0 + (at as f32).sqrt()).collect();
        let far: Vec<f32> = few.iter().map(|x| x * 1e-3 + 1e3).collect();
        let huge: Vec<f32> = few.iter().map(|x| x * 1e17).collect();
        let odd: Vec<f32> = (0..90).map(|at| if at < 7 { 1e-9 } else { 5.0 + at as f32 }).collect();
        for distances in [few, far, huge, odd] {
            for wanted in [8.0, 29.0, 80.0] {
                row.calibrate(&distances, f64::ln(wanted));
                let found = perplexity(row.shares());
                assert!((found / wanted - 1.0).abs() < 1e-5, "{found} {wanted}");
            }
        }
        // Rows that are one with their neighbours have no bell to measure by.
        for distances in [vec![0.0; 12], [vec![0.0; 12], vec![1.0; 3]].concat()] {
            row.calibrate(&distances, f64::ln(4.0));
            assert!(row.shares().all(|share| share.is_finite()));
            assert!((perplexity(row.shares()) - 12.0).abs() < 1e-3);
        }
    }

    #[test]
    fn affinities_are_the_same_from_either_side_and_sum_up_to_one() {
        // Row 2 has row 1 for its nearest, of which row 0 is the nearest.
        let all = Affinities::both_ways(&[1, 0, 1], &[1.0; 3], 1);
        let of = |row: usize| {
            let (others, shares) = all.of(row);
            assert_eq!(others.len() % PADDING, 0);
            let pairs = others.iter().copied().zip(shares.iter().copied());
            pairs.filter(|pair| pair.1 > 0.0).collect::<Vec<(u32, f32)>>()
        };
        let (third, sixth) = (1.0 / 3.0, 1.0 / 6.0);
        let expected = [vec![(1, third)], vec![(0, third), (2, sixth)], vec![(1, sixth)]];
        assert_eq!([0, 1, 2].map(of), expected);
        assert!((all.shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
