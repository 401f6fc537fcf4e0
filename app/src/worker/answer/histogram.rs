//! A histogram of a number or time column: its extent, the bin of each row once, and the
//! counts under whatever mask comes.

use crate::protocol::MarkResult;
use crate::worker::bins::{Bins, Extent};
use crate::worker::numbers::{Measure, floats_into, wholes_into};
use crate::worker::resident::column::{Column, NULL_CODE};
use crate::worker::tally::{Codes, Tally};

use super::masks::BLOCK_WORDS;

/// The extent of a column, a block at a time.
#[derive(Debug, Clone, Default)]
pub struct ExtentScan {
    pub extent: Option<Extent>,
    n_blocks: usize,
    wholes: Vec<i64>,
    floats: Vec<f64>,
}

impl ExtentScan {
    /// Looks at one more block; false where there is none.
    pub fn step(&mut self, column: &Column) -> bool {
        let Some(block) = column.blocks().get(self.n_blocks) else { return false };
        self.n_blocks += 1;
        let found = match Measure::of(block.data_type()) {
            Some(Measure::Whole { .. }) => {
                wholes_into(block.as_ref(), &mut self.wholes);
                let valid = |row: usize| block.is_valid(row);
                let values = self.wholes.iter().enumerate();
                let mut values = values.filter(|(row, _)| valid(*row)).map(|(_, &value)| value);
                values.next().map(|first| {
                    let ends = (first, first);
                    let ends =
                        values.fold(ends, |(low, high), value| (low.min(value), high.max(value)));
                    Extent::Wholes { low: ends.0, high: ends.1 }
                })
            }
            Some(Measure::Float) => {
                floats_into(block.as_ref(), &mut self.floats);
                let finite = self.floats.iter().filter(|value| value.is_finite());
                let ends = finite
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                        (low.min(value), high.max(value))
                    });
                (ends.0 <= ends.1).then_some(Extent::Floats { low: ends.0, high: ends.1 })
            }
            None => None,
        };
        self.extent = match (self.extent, found) {
            (Some(before), Some(found)) => Some(before.union(found)),
            (before, found) => before.or(found),
        };
        true
    }
}

#[derive(Debug)]
pub struct Histogram {
    pub column: String,
    wanted: u16,
    domain: Option<[f64; 2]>,
    measure: Measure,
    scan: ExtentScan,
    /// What the companion states: more than has arrived, and maybe more than there is.
    known: Option<Extent>,
    /// The extent that the bins are of.
    extent: Option<Extent>,
    bins: Option<Bins>,
    /// A block's bins each; [`NULL_CODE`] for null.
    codes: Vec<Vec<u16>>,
    unfiltered: Tally,
    tally: Tally,
}

impl Histogram {
    /// `None` where the column is no number or time.
    pub fn new(
        column: &Column,
        wanted: u16,
        domain: Option<[f64; 2]>,
        known: Option<Extent>,
    ) -> Option<Self> {
        let measure = Measure::of(column.field().data_type())?;
        Some(Self {
            column: column.name().to_owned(),
            wanted,
            domain,
            measure,
            scan: ExtentScan::default(),
            known,
            extent: None,
            bins: None,
            codes: Vec::new(),
            unfiltered: Tally::default(),
            tally: Tally::default(),
        })
    }

    pub fn is_of(&self, column: &str, wanted: u16, domain: Option<[f64; 2]>) -> bool {
        self.column == column && self.wanted == wanted && self.domain == domain
    }

    /// Finds the bins of one more block; false where all have theirs.
    pub fn step(&mut self, column: &Column) -> bool {
        if self.scan.step(column) {
            return true;
        }
        let Some(extent) = self.extent_of(column.is_complete()) else { return false };
        self.extent = Some(extent);
        let bins = Bins::new(self.measure, extent, self.domain, self.wanted);
        if self.bins != Some(bins) {
            self.bins = Some(bins);
            self.codes.clear();
            self.unfiltered = Tally::new(usize::from(bins.count));
            self.tally = Tally::new(usize::from(bins.count));
        }
        let index = self.codes.len();
        let Some(block) = column.blocks().get(index) else { return false };
        let mut codes = Vec::with_capacity(block.len());
        match self.measure {
            Measure::Float => {
                floats_into(block.as_ref(), &mut self.scan.floats);
                bins.codes_of_floats(&self.scan.floats, &mut codes);
            }
            Measure::Whole { .. } => {
                wholes_into(block.as_ref(), &mut self.scan.wholes);
                bins.codes_of_wholes(&self.scan.wholes, &mut codes);
            }
        }
        if let Some(nulls) = block.nulls().filter(|nulls| nulls.null_count() > 0) {
            for (row, code) in codes.iter_mut().enumerate() {
                if nulls.is_null(row) {
                    *code = NULL_CODE;
                }
            }
        }
        let all = super::full_words(codes.len());
        self.unfiltered.follow(index * BLOCK_WORDS, &all, Codes::Narrow(&codes));
        self.codes.push(codes);
        true
    }

    /// Until all is here, what is stated counts too, so that axes stand still.
    fn extent_of(&self, is_complete: bool) -> Option<Extent> {
        match (self.scan.extent, self.known.filter(|_| !is_complete)) {
            (Some(found), Some(known)) => Some(found.union(known)),
            (found, _) => found,
        }
    }

    /// Counts under a mask; a block a step, from `block` on. False past the last.
    pub fn count(&mut self, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.tally.prepare(mask);
        }
        let first = block * BLOCK_WORDS;
        let Some(codes) = self.codes.get(block) else { return false };
        let end = (first + BLOCK_WORDS).min(mask.len());
        let Some(mask) = mask.get(first..end).filter(|mask| !mask.is_empty()) else { return false };
        self.tally.follow(first, mask, Codes::Narrow(codes));
        true
    }

    /// The code of each row, block by block, and how many codes there are.
    pub fn codes(&self) -> Option<(Vec<Codes<'_>>, usize)> {
        let codes = self.codes.iter().map(|codes| Codes::Narrow(codes)).collect();
        Some((codes, usize::from(self.bins?.count)))
    }

    /// Takes counts that were found another way, nulls last.
    pub fn give(&mut self, counts: Vec<u32>) {
        self.tally.give(counts);
    }

    pub fn result(&self) -> MarkResult {
        let Some((bins, extent)) = self.bins.zip(self.extent) else {
            // No row has a value.
            let nulls = u64::from(self.tally.nulls());
            let (domain, extent) = ([0.0, 1.0], [0.0, 1.0]);
            let (counts, unfiltered) = (Vec::new(), Vec::new());
            return MarkResult::Histogram { domain, extent, counts, unfiltered, nulls };
        };
        MarkResult::Histogram {
            domain: bins.domain(),
            extent: extent.in_units(self.measure),
            counts: self.tally.counts().to_vec(),
            unfiltered: self.unfiltered.counts().to_vec(),
            nulls: u64::from(self.tally.nulls()),
        }
    }
}
