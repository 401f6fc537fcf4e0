//! How far the neighbours of rows stay their neighbours in a projection, on a sample where all
//! rows would take too long. What was sampled is told with the value.

use super::pairs::{Crowd, GROUP, WORK};
use super::ranks::{excess_ranks, nearest};
use crate::Error;
use crate::rows::{Matrix, RowSource};
use crate::sample::{self, Sample};
use crate::threads::for_each;
use crate::watch::Watch;

/// What is done with a distance beside working it out, in numbers: compared with those to some
/// neighbours.
const RANKED: usize = 100;
const SAMPLE_MIN: usize = 500;
/// Rows among which neighbours are looked for.
const CROWD_MAX: usize = 50_000;

const CROWD_STREAM: u64 = 0x52;
const ASKED_STREAM: u64 = 0x53;

/// Whether neighbours in a projection were neighbours before: 1 if all were, about 0.5 by
/// chance (Venna and Kaski 2001).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trustworthiness {
    pub value: f64,
    pub neighbours: usize,
    /// Rows whose neighbours were looked at.
    pub rows: usize,
    /// Rows among which they were looked for.
    pub among: usize,
}

/// What a projection keeps of the neighbourhoods of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbourhoods {
    /// As [`Trustworthiness`].
    pub trustworthiness: f64,
    /// Whether those that were neighbours before still are: 1 if all are, about 0.5 by chance
    /// (Venna and Kaski 2001).
    pub continuity: f64,
    /// The share of the neighbours before that are neighbours in the projection.
    pub preservation: f64,
    pub neighbours: usize,
    /// Rows whose neighbours were looked at.
    pub rows: usize,
    /// Rows among which they were looked for.
    pub among: usize,
}

/// `projected` has as many rows, of any number of dimensions. None where there are too few rows
/// for so many neighbours.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn trustworthiness(
    rows: &dyn RowSource,
    projected: &[f32],
    neighbours: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Trustworthiness>, Error> {
    let Some(view) = View::new(rows, projected, neighbours, seed)? else { return Ok(None) };
    let [excess] = view.sums(threads, watch, |before, after, row| {
        let near = nearest(after, row, neighbours);
        [excess_ranks(&near, before, row, neighbours)]
    })?;
    let (rows, among) = (view.asked.numbers.len(), view.among());
    Ok(Some(Trustworthiness { value: view.kept(excess), neighbours, rows, among }))
}

/// All that there is to say of neighbours, in twice the time that [`trustworthiness`] takes at most.
/// `projected` has as many rows, of any number of dimensions. None where there are too few
/// rows for so many neighbours.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn neighbourhoods(
    rows: &dyn RowSource,
    projected: &[f32],
    neighbours: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Neighbourhoods>, Error> {
    let Some(view) = View::new(rows, projected, neighbours, seed)? else { return Ok(None) };
    let [new, gone, both] = view.sums(threads, watch, |before, after, row| {
        let (was, is) = (nearest(before, row, neighbours), nearest(after, row, neighbours));
        let new = excess_ranks(&is, before, row, neighbours);
        let gone = excess_ranks(&was, after, row, neighbours);
        [new, gone, was.iter().filter(|other| is.contains(other)).count() as u64]
    })?;
    let (rows, among) = (view.asked.numbers.len(), view.among());
    Ok(Some(Neighbourhoods {
        trustworthiness: view.kept(new),
        continuity: view.kept(gone),
        preservation: both as f64 / (rows * neighbours) as f64,
        neighbours,
        rows,
        among,
    }))
}

/// Rows whose neighbours are looked at, those among which they are looked for, and both of these
/// in the projection.
struct View {
    /// Rows among which neighbours are looked for, and where the projection has them.
    high: Crowd,
    low: Crowd,
    /// What `low` is made of.
    projected: Vec<f32>,
    dimensions: [usize; 2],
    /// By their place in the crowd.
    asked: Sample,
    neighbours: usize,
}

impl View {
    fn new(
        rows: &dyn RowSource,
        projected: &[f32],
        neighbours: usize,
        seed: u64,
    ) -> Result<Option<Self>, Error> {
        let (n, d) = (rows.rows(), rows.dimensions());
        let m = projected.len() / n.max(1);
        let crowd = sample::draw(rows, CROWD_MAX, seed, CROWD_STREAM)?;
        let among = crowd.numbers.len();
        if m == 0 || neighbours == 0 || 2 * neighbours >= among {
            return Ok(None);
        }
        let projected = gather(projected, &crowd.numbers, m);
        let many = ((WORK / (among * (d + RANKED)) as f64) as usize).max(SAMPLE_MIN);
        let asked = sample::draw(&Matrix::of_finite(&crowd.values, d), many, seed, ASKED_STREAM)?;
        let (high, low) = (Crowd::new(&crowd.values, d), Crowd::new(&projected, m));
        Ok(Some(Self { high, low, projected, dimensions: [d, m], asked, neighbours }))
    }

    fn among(&self) -> usize {
        self.high.rows()
    }

    /// Sums over the rows that are asked for of what `of` makes of squared distances before and
    /// after, to all of the crowd, and of the row's place there.
    fn sums<const N: usize>(
        &self,
        threads: usize,
        watch: &dyn Watch,
        of: impl Fn(&[f32], &[f32], usize) -> [u64; N] + Sync,
    ) -> Result<[u64; N], Error> {
        let [d, m] = self.dimensions;
        let mut sums = vec![[0_u64; N]; self.asked.numbers.len().div_ceil(GROUP)];
        let mut workers = vec![(Vec::new(), Vec::new()); threads.max(1)];
        for_each(&mut sums, &mut workers, watch, |(before, after), group, sums| {
            let rows = self.asked.numbers.chunks(GROUP).nth(group).unwrap_or_default();
            let high = self.asked.values.chunks(GROUP * d).nth(group).unwrap_or_default();
            let low = gather(&self.projected, rows, m);
            let before = self.high.distances(high, before);
            let each = before.zip(self.low.distances(&low, after)).zip(rows);
            for ((before, after), row) in each {
                let own = of(before, after, *row);
                sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
            Ok(())
        })?;
        Ok(sums.into_iter().fold([0; N], |all, sums| std::array::from_fn(|at| all[at] + sums[at])))
    }

    /// 1 less the ranks in excess, by the most that there could be.
    fn kept(&self, excess: u64) -> f64 {
        let (of, all) = (self.asked.numbers.len() as f64, self.among() as f64);
        let k = self.neighbours as f64;
        1.0 - 2.0 / (of * k * (2.0 * all - 3.0 * k - 1.0)) * excess as f64
    }
}

/// Some rows, one after another.
fn gather(rows: &[f32], numbers: &[usize], d: usize) -> Vec<f32> {
    let row = |row: &usize| rows.get(row * d..(row + 1) * d).unwrap_or_default();
    numbers.iter().flat_map(row).copied().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::pairs::{distorted, scattered};
    use super::*;
    use crate::watch::Unwatched;

    #[test]
    fn a_projection_that_keeps_the_order_is_trusted() {
        let values: Vec<f32> = (0..40).map(|at| (at * at) as f32).collect();
        let rows = Matrix::new(&values, 1).unwrap();
        let trust = |projected: &[f32]| {
            trustworthiness(&rows, projected, 3, 1, 2, &Unwatched).unwrap().unwrap().value
        };
        assert_eq!(trust(&values), 1.0);
        let shuffled: Vec<f32> = (0..40).map(|at| (at * 17 % 40) as f32).collect();
        assert!(trust(&shuffled) < 0.7);
    }

    /// Figures of scikit-learn 1.9.1: trustworthiness both ways, and neighbours that are kept.
    #[test]
    fn neighbourhoods_are_as_scikit_learn_has_them() {
        let values = scattered(60, 4);
        let rows = Matrix::new(&values, 4).unwrap();
        let projected = distorted(&values, 4);
        for threads in [1, 3] {
            let found = neighbourhoods(&rows, &projected, 5, 1, threads, &Unwatched);
            let found = found.unwrap().unwrap();
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
            close(found.trustworthiness, 0.790_576_923_076_923_1);
            close(found.continuity, 0.870_961_538_461_538_5);
            close(found.preservation, 0.346_666_666_666_666_6);
            let trust = trustworthiness(&rows, &projected, 5, 1, threads, &Unwatched);
            assert_eq!(trust.unwrap().unwrap().value, found.trustworthiness);
        }
        let same = neighbourhoods(&rows, &values, 5, 1, 1, &Unwatched).unwrap().unwrap();
        assert_eq!((same.trustworthiness, same.continuity, same.preservation), (1.0, 1.0, 1.0));
        assert_eq!(neighbourhoods(&rows, &values, 30, 1, 1, &Unwatched).unwrap(), None);
    }
}
