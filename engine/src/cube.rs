//! Brushing without counting anew. The rows of a column are put in order of value once, as far
//! as that is needed ([`Ranked`]); whatever interval is then brushed, its rows are a run of
//! that order, found by binary search ([`crate::bind::Bound::runs`]). A [`Cube`] holds, for
//! another column's codes, how many rows of each code lie before each stretch of the order:
//! the counts of a run are one line less another, and the codes of the few rows between run
//! and stretch.
//!
//! Prefix sums over the bins of a brushed axis are Falcon's (Moritz, Howe, Heer: Falcon,
//! CHI 2019). Stretches of equal size in rank instead of bins of equal width make them exact
//! at any value and indifferent to skew.

mod ranked;

use std::ops::Range;

pub(crate) use self::ranked::Key;
use self::ranked::NO_BUCKET;
pub use self::ranked::{Ranked, Ranking};

/// Counts by code before each stretch of an order.
#[derive(Debug, Clone)]
pub struct Cube {
    /// A line of `width` counts for each stretch; while it is filled, those of the stretch
    /// before it, then of all stretches before. The last line is of all rows with a value.
    lines: Vec<u32>,
    /// Of the rows without a value, which no run has.
    valueless: Vec<u32>,
    width: usize,
    filled: usize,
}

impl Cube {
    /// For codes below `width`, over an order.
    pub fn new(ranked: &Ranked, width: usize) -> Self {
        let lines = vec![0; (ranked.n_stretches() + 1) * width];
        Self { lines, valueless: vec![0; width], width, filled: 0 }
    }

    /// What a cube takes.
    pub fn byte_count(ranked: &Ranked, width: usize) -> usize {
        (ranked.n_stretches() + 2) * width * size_of::<u32>()
    }

    /// Counts rows that follow one another: their codes, and one bit for each in `mask`
    /// (words of 64, the first row lowest) that says whether it counts. Codes that `index`
    /// gives no place below the width are left out.
    pub fn add<C: Copy>(
        &mut self,
        ranked: &Ranked,
        codes: &[C],
        mask: &[u64],
        index: impl Fn(C) -> Option<usize>,
    ) {
        let buckets = ranked.buckets().get(self.filled..).unwrap_or_default();
        let shift = ranked.shift();
        self.filled += codes.len();
        let width = self.width;
        let words = codes.chunks(64).zip(buckets.chunks(64)).zip(mask);
        for ((codes, buckets), &word) in words {
            let mut count = |row: usize| {
                let (Some(&code), Some(&bucket)) = (codes.get(row), buckets.get(row)) else {
                    return;
                };
                let Some(code) = index(code).filter(|code| *code < width) else { return };
                let slot = match bucket {
                    NO_BUCKET => self.valueless.get_mut(code),
                    bucket => {
                        let stretch = usize::from(bucket) >> shift;
                        self.lines.get_mut((stretch + 1) * width + code)
                    }
                };
                if let Some(slot) = slot {
                    *slot += 1;
                }
            };
            if word == u64::MAX {
                (0..codes.len()).for_each(&mut count);
                continue;
            }
            let mut left = word;
            while left != 0 {
                count(left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    /// Sums the lines up, once all rows are in.
    pub fn finish(&mut self) {
        for at in self.width..self.lines.len() {
            let before = self.lines.get(at - self.width).copied().unwrap_or_default();
            if let Some(count) = self.lines.get_mut(at) {
                *count += before;
            }
        }
    }

    /// The counts of all rows, those without a value too.
    pub fn all(&self, out: &mut Vec<u32>) {
        out.clear();
        let last = self.lines.len().saturating_sub(self.width);
        let ends = self.lines.get(last..).unwrap_or_default().iter().zip(&self.valueless);
        out.extend(ends.map(|(valued, valueless)| valued + valueless));
    }

    /// The counts of some runs of the order. `code` is the place of a row's code, `None`
    /// where the row does not count: asked of the few rows past the last whole stretch.
    pub fn counts(
        &self,
        ranked: &Ranked,
        runs: &[Range<usize>],
        code: impl Fn(u32) -> Option<usize>,
        out: &mut Vec<u32>,
    ) {
        out.clear();
        out.resize(self.width, 0);
        for run in runs {
            self.add_before(ranked, run.end, &code, out, |count, by| count.wrapping_add(by));
            self.add_before(ranked, run.start, &code, out, |count, by| count.wrapping_sub(by));
        }
    }

    /// Changes counts by those of the rows before a place of the order.
    fn add_before(
        &self,
        ranked: &Ranked,
        place: usize,
        code: &impl Fn(u32) -> Option<usize>,
        out: &mut [u32],
        change: impl Fn(u32, u32) -> u32,
    ) {
        let (near, at) = ranked.nearest_end(place);
        let line = self.lines.get(near * self.width..).unwrap_or_default();
        for (count, by) in out.iter_mut().zip(line) {
            *count = change(*count, *by);
        }
        // The nearer of the two lines: rows up to it are taken back, rows past it added.
        let (rest, by) = if at > place { (place..at, u32::MAX) } else { (at..place, 1) };
        for row in ranked.order().get(rest).unwrap_or_default() {
            if let Some(count) = code(*row).and_then(|code| out.get_mut(code)) {
                *count = change(*count, by);
            }
        }
    }
}

/// Runs that come, and runs that go.
pub type Moved = (Vec<Range<usize>>, Vec<Range<usize>>);

/// The rows that a mask has to gain and to lose to go from some runs of an order to others.
/// Both are sorted and do not meet.
pub fn moved(from: &[Range<usize>], to: &[Range<usize>]) -> Moved {
    (without(to, from), without(from, to))
}

/// What of some runs is in none of others.
fn without(runs: &[Range<usize>], others: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut left = Vec::new();
    for run in runs {
        let mut start = run.start;
        for other in others.iter().filter(|other| other.end > run.start && other.start < run.end) {
            if other.start > start {
                left.push(start..other.start);
            }
            start = start.max(other.end);
        }
        if start < run.end {
            left.push(start..run.end);
        }
    }
    left
}

#[cfg(test)]
mod tests;
