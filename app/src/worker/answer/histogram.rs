//! A histogram of a number or time column: the bin of each row once, and the counts under
//! whatever mask comes.

use crate::protocol::{Form, MarkResult};
use crate::worker::bins::Extent;
use crate::worker::cut::{Cut, Cutting};
use crate::worker::resident::column::Column;
use crate::worker::tally::Tally;

use super::binner::{Binned, Binner};
use super::masks::BLOCK_WORDS;

#[derive(Debug)]
pub struct Histogram {
    pub binner: Binner,
    unfiltered: Tally,
    tally: Tally,
}

/// The bins that a histogram asks for.
pub fn cutting(bins: u16, domain: Option<[f64; 2]>, form: Form) -> Cutting {
    match form.log_axis {
        true => Cutting::Log { bins, domain },
        false => Cutting::Equal { bins, domain },
    }
}

impl Histogram {
    /// `None` where the column is no number or time.
    pub fn new(column: &Column, cutting: Cutting, known: Option<Extent>) -> Option<Self> {
        let binner = Binner::new(column, cutting, known)?;
        Some(Self { binner, unfiltered: Tally::default(), tally: Tally::default() })
    }

    /// Finds the bins of one more block; false where all have theirs.
    pub fn step(&mut self, column: &Column) -> bool {
        let index = match self.binner.step(column) {
            Binned::Looked => return true,
            Binned::Done => return false,
            Binned::Coded(index) => index,
        };
        if index == 0 {
            let n_codes = self.binner.cut.as_ref().map_or(0, Cut::n_codes);
            self.unfiltered = Tally::new(n_codes);
            self.tally = Tally::new(n_codes);
        }
        if let Some(codes) = self.binner.block(index) {
            self.unfiltered.add(codes);
        }
        true
    }

    /// Counts under a mask; a block a step, from `block` on. False past the last.
    pub fn count(&mut self, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.tally.prepare(mask);
        }
        let first = block * BLOCK_WORDS;
        let Some(codes) = self.binner.block(block) else { return false };
        let end = (first + BLOCK_WORDS).min(mask.len());
        let Some(mask) = mask.get(first..end).filter(|mask| !mask.is_empty()) else { return false };
        self.tally.follow(first, mask, codes);
        true
    }

    /// The counts under the mask.
    pub fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    pub fn result(&self) -> MarkResult {
        let nulls = u64::from(self.tally.nulls());
        let Some((cut, extent)) = self.binner.cut.as_ref().zip(self.binner.extent) else {
            // No row has a value.
            return empty(nulls);
        };
        let count = cut.count();
        let extent = extent.in_units(self.binner.measure);
        let [counts, unfiltered] = [&self.tally, &self.unfiltered]
            .map(|tally| tally.counts().get(..count).unwrap_or_default().to_vec());
        let without = self.tally.counts().get(count).copied().unwrap_or_default();
        result(cut, extent, [counts, unfiltered], nulls, u64::from(without))
    }
}

/// Of no value at all.
pub fn empty(nulls: u64) -> MarkResult {
    MarkResult::Histogram {
        domain: [0.0, 1.0],
        extent: [0.0, 1.0],
        edges: Vec::new(),
        counts: Vec::new(),
        unfiltered: Vec::new(),
        nulls,
        without_log: 0,
    }
}

/// What is counted, filtered and not, with the edges that it is counted between.
pub fn result(
    cut: &Cut,
    extent: [f64; 2],
    [counts, unfiltered]: [Vec<u32>; 2],
    nulls: u64,
    without_log: u64,
) -> MarkResult {
    let edges = match cut {
        Cut::Equal(_) => Vec::new(),
        other => other.edges(),
    };
    let domain = match (cut, edges.as_slice()) {
        (Cut::Equal(bins), _) => bins.domain(),
        (_, [low, .., high]) => [*low, *high],
        _ => extent,
    };
    MarkResult::Histogram { domain, extent, edges, counts, unfiltered, nulls, without_log }
}
