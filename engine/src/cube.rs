//! Brushing without counting anew. The rows of a column are put in order of value once, as far
//! as that is needed ([`Ranked`]); whatever interval is then brushed, its rows are a run of
//! that order, whose ends are each found in one bucket ([`crate::bind::Bound::runs`]). A [`Cube`] holds, for
//! another column's codes, how many rows of each code lie before each stretch of the order:
//! the counts of a run are one line less another, and the codes of the few rows between run
//! and stretch.
//!
//! Prefix sums over the bins of a brushed axis are Falcon's (Moritz, Howe, Heer: Falcon,
//! CHI 2019). Stretches of equal size in rank instead of bins of equal width make them exact
//! at any value and indifferent to skew.

mod key;
mod ranked;
mod ranking;
mod splitters;

use std::ops::Range;

pub(crate) use self::key::Key;
pub use self::ranked::Ranked;
pub use self::ranking::Ranking;

/// Counts by code before each stretch of an order.
#[derive(Debug, Clone)]
pub struct Cube {
    /// A line of `width` counts, and one of what is left out, for each stretch; while it is
    /// filled, those of the stretch before it, and in the first line those of rows without a
    /// value; then of all stretches before. The last line is of all rows with a value.
    lines: Vec<u32>,
    /// Of the rows without a value, which no run has.
    valueless: Vec<u32>,
    width: usize,
    filled: usize,
}

impl Cube {
    /// For codes below `width`, over an order.
    pub fn new(ranked: &Ranked, width: usize) -> Self {
        let lines = vec![0; (ranked.n_stretches() + 1) * (width + 1)];
        Self { lines, valueless: vec![0; width], width, filled: 0 }
    }

    /// What a cube takes.
    pub fn byte_count(ranked: &Ranked, width: usize) -> usize {
        (ranked.n_stretches() + 2) * (width + 1) * size_of::<u32>()
    }

    /// Counts rows that follow one another: their codes, and one bit for each in `mask`
    /// (words of 64, the first row lowest) that says whether it counts. `index` is the place
    /// of a code; what has none below the width is left out.
    pub fn add<C: Copy>(
        &mut self,
        ranked: &Ranked,
        codes: &[C],
        mask: &[u64],
        index: impl Fn(C) -> usize,
    ) {
        let lines_of = ranked.lines().get(self.filled..).unwrap_or_default();
        let lines_of = lines_of.get(..codes.len()).unwrap_or(lines_of);
        self.filled += codes.len();
        let words = mask.get(..codes.len().div_ceil(64));
        if codes.len().is_multiple_of(64)
            && words.is_some_and(|words| words.iter().all(|word| *word == u64::MAX))
        {
            count_all(&mut self.lines, self.width, codes, lines_of, index);
        } else {
            count_some(&mut self.lines, self.width, codes, lines_of, mask, index);
        }
    }

    /// Sums the lines up, once all rows are in.
    pub fn finish(&mut self) {
        for (valueless, first) in self.valueless.iter_mut().zip(&mut self.lines) {
            *valueless = std::mem::take(first);
        }
        let line = self.width + 1;
        for at in line..self.lines.len() {
            let before = self.lines.get(at - line).copied().unwrap_or_default();
            if let Some(count) = self.lines.get_mut(at) {
                *count += before;
            }
        }
    }

    /// The counts of all rows, those without a value too.
    pub fn all(&self, out: &mut Vec<u32>) {
        out.clear();
        let last = self.lines.len().saturating_sub(self.width + 1);
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
        let line = self.lines.get(near * (self.width + 1)..).unwrap_or_default();
        for (count, by) in out.iter_mut().zip(line) {
            *count = change(*count, *by);
        }
        // The nearer of the two lines: rows up to it are taken back, rows past it added.
        let (rest, by) = if at > place { (place..at, u32::MAX) } else { (at..place, 1) };
        ranked.each(rest, |row| {
            if let Some(count) = code(row).and_then(|code| out.get_mut(code)) {
                *count = change(*count, by);
            }
        });
    }
}

// Each in a function of its own, which leaves the processor's registers to the loop: twice
// as fast in the browser.

#[inline(never)]
fn count_all<C: Copy>(
    lines: &mut [u32],
    width: usize,
    codes: &[C],
    lines_of: &[u16],
    index: impl Fn(C) -> usize,
) {
    for (code, line) in codes.iter().zip(lines_of) {
        // Without a branch: past the width there is one more place, which nobody reads.
        let at = usize::from(*line) * (width + 1) + index(*code).min(width);
        if let Some(slot) = lines.get_mut(at) {
            *slot += 1;
        }
    }
}

#[inline(never)]
fn count_some<C: Copy>(
    lines: &mut [u32],
    width: usize,
    codes: &[C],
    lines_of: &[u16],
    mask: &[u64],
    index: impl Fn(C) -> usize,
) {
    for ((codes, lines_of), &word) in codes.chunks(64).zip(lines_of.chunks(64)).zip(mask) {
        let mut left = word;
        while left != 0 {
            let row = left.trailing_zeros() as usize;
            left &= left - 1;
            let (Some(code), Some(line)) = (codes.get(row), lines_of.get(row)) else { break };
            let at = usize::from(*line) * (width + 1) + index(*code).min(width);
            if let Some(slot) = lines.get_mut(at) {
                *slot += 1;
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
