//! The bin of each row of a number or time column, found once, a block at a time: what
//! histograms, heat maps and lines count by.

use arrow_array::Array;

use crate::worker::bins::Extent;
use crate::worker::cut::{Cut, Cutting, Scratch};
use crate::worker::numbers::{Measure, floats_into, wholes_into};
use crate::worker::resident::column::{Column, NULL_CODE};
use crate::worker::tally::Codes;

/// So many bins have codes of a byte: the greatest stands for null, the one before it for
/// what is in no bin.
const BYTE_CODES_MAX: usize = u8::MAX as usize - 1;

/// The extent of a column, a block at a time.
#[derive(Debug, Clone, Default)]
pub struct ExtentScan {
    pub extent: Option<Extent>,
    /// The least value above zero, in data units, where it is looked for.
    least: Option<f64>,
    /// Whether it is.
    above_zero: bool,
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
                self.look_above_zero(block.as_ref());
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
                self.look_above_zero(block.as_ref());
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
    fn look_above_zero(&mut self, block: &dyn Array) {
        if self.above_zero && floats_into(block, &mut self.floats) {
            let above = self.floats.iter().filter(|value| **value > 0.0 && value.is_finite());
            self.least = above.copied().chain(self.least).min_by(f64::total_cmp);
        }
    }
}

#[derive(Debug)]
pub struct Binner {
    pub column: String,
    cutting: Cutting,
    pub measure: Measure,
    scan: ExtentScan,
    /// What the companion states: more than has arrived, and maybe more than there is.
    known: Option<Extent>,
    /// The extent that the bins are of.
    pub extent: Option<Extent>,
    pub cut: Option<Cut>,
    codes: Vec<RowBins>,
    scratch: Scratch,
    /// Counts the changes of the bins.
    pub revision: u32,
}

/// The bins of a block's rows, as [`Codes`] of as few bytes as do.
#[derive(Debug)]
enum RowBins {
    Bytes(Vec<u8>),
    Narrow(Vec<u16>),
}

impl RowBins {
    fn of(codes: Vec<u16>, n_codes: usize) -> Self {
        if n_codes > BYTE_CODES_MAX {
            return Self::Narrow(codes);
        }
        let byte = |code: &u16| match *code {
            NULL_CODE => u8::MAX,
            code => code.min(BYTE_CODES_MAX as u16) as u8,
        };
        Self::Bytes(codes.iter().map(byte).collect())
    }

    fn codes(&self) -> Codes<'_> {
        match self {
            Self::Bytes(codes) => Codes::Bytes(codes),
            Self::Narrow(codes) => Codes::Narrow(codes),
        }
    }
}

/// What a step of a [`Binner`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binned {
    /// Looked at a block.
    Looked,
    /// Coded the block of this number.
    Coded(usize),
    Done,
}

impl Binner {
    /// `None` where the column is no number or time.
    pub fn new(column: &Column, cutting: Cutting, known: Option<Extent>) -> Option<Self> {
        let measure = Measure::of(column.field().data_type())?;
        let above_zero = matches!(cutting, Cutting::Log { .. });
        Some(Self {
            column: column.name().to_owned(),
            cutting,
            measure,
            scan: ExtentScan { above_zero, ..ExtentScan::default() },
            known,
            extent: None,
            cut: None,
            codes: Vec::new(),
            scratch: Scratch::default(),
            revision: 0,
        })
    }

    pub fn is_of(&self, column: &str, cutting: Cutting) -> bool {
        self.column == column && self.cutting == cutting
    }

    /// Finds the bins of one more block. What is counted by them starts over where they
    /// change: block 0 is coded again then.
    pub fn step(&mut self, column: &Column) -> Binned {
        if self.scan.step(column) {
            return Binned::Looked;
        }
        let Some(extent) = self.extent_of(column.is_complete()) else { return Binned::Done };
        self.extent = Some(extent);
        let Some(cut_extent) = self.cut_extent(extent) else {
            // Nothing is above zero: one bin that holds nothing.
            let cut = Cut::Powers { edges: vec![1.0, 10.0], closed: true };
            return self.code(column, cut);
        };
        let cut = self.cutting.cut(column.field().data_type(), self.measure, cut_extent);
        self.code(column, cut)
    }

    fn code(&mut self, column: &Column, cut: Cut) -> Binned {
        if self.cut.as_ref() != Some(&cut) {
            self.cut = Some(cut);
            self.codes.clear();
            self.revision += 1;
        }
        let index = self.codes.len();
        let (Some(block), Some(cut)) = (column.blocks().get(index), &self.cut) else {
            return Binned::Done;
        };
        self.codes.push(RowBins::of(cut.codes(block.as_ref(), &mut self.scratch), cut.n_codes()));
        Binned::Coded(index)
    }

    /// Until all is here, what is stated counts too, so that axes stand still.
    fn extent_of(&self, is_complete: bool) -> Option<Extent> {
        match (self.scan.extent, self.known.filter(|_| !is_complete)) {
            (Some(found), Some(known)) => Some(found.union(known)),
            (found, _) => found,
        }
    }

    /// The extent that is cut: what has a logarithm, where that is asked for.
    fn cut_extent(&self, extent: Extent) -> Option<Extent> {
        if !self.scan.above_zero {
            return Some(extent);
        }
        let least = self.scan.least?;
        Some(match extent {
            Extent::Floats { high, .. } => Extent::Floats { low: least, high },
            Extent::Wholes { high, .. } => {
                Extent::Wholes { low: self.measure.stored_above(least), high }
            }
        })
    }

    /// The bins of a block's rows.
    pub fn block(&self, index: usize) -> Option<Codes<'_>> {
        self.codes.get(index).map(RowBins::codes)
    }

    pub fn n_blocks(&self) -> usize {
        self.codes.len()
    }

    /// The code of each row, block by block, and how many codes there are.
    pub fn codes(&self) -> Option<(Vec<Codes<'_>>, usize)> {
        let codes = self.codes.iter().map(RowBins::codes).collect();
        Some((codes, self.cut.as_ref()?.n_codes()))
    }
}
