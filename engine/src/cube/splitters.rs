//! Which keys belong to which bucket: as many cells of equal width as tell most rows apart,
//! by a sample of them, are joined to buckets, and only cells that hold too much are split by
//! keys, so that few keys have to be compared.
//!
//! Splitting by a sorted sample is samplesort's (Frazer, McKellar: Samplesort, JACM 1970).

use super::key::{NO_KEY, number_of};
use super::ranked::NO_BUCKET;

const CELLS: usize = 1 << 15;
const LAST_CELL: f64 = (CELLS - 1) as f64;
/// From here on neighbours of f64 are one apart.
const TO_WHOLE: f64 = (1_u64 << 52) as f64;
/// Marks a cell that is split, whose number among those follows.
const IS_SPLIT: u16 = 1 << 15;

/// Which keys belong to which bucket.
#[derive(Debug, Clone)]
pub(super) struct Splitters {
    scale: Scale,
    /// The bucket of each cell, or which of the splits it is.
    cells: Vec<u16>,
    splits: Vec<Split>,
    n_buckets: usize,
}

/// A cell of several buckets: the first of them, and the keys that the others begin at.
#[derive(Debug, Clone)]
struct Split {
    first: u16,
    keys: Vec<u64>,
}

/// The cell of a key, which rises with it.
#[derive(Debug, Clone, Copy)]
enum Scale {
    /// Its distance from the lowest less some bits: by logarithms where it is of a fraction.
    Bits { low: u64, shift: u32 },
    /// The distance of its number from the lowest times this.
    Line { low: f64, factor: f64 },
}

impl Scale {
    fn by_bits(samples: &[u64]) -> Self {
        let low = samples.iter().copied().min().unwrap_or_default();
        let span = samples.iter().copied().max().unwrap_or_default() - low;
        let mut shift = 0;
        while span >> shift >= CELLS as u64 {
            shift += 1;
        }
        Self::Bits { low, shift }
    }

    fn by_line(samples: &[u64]) -> Self {
        let numbers = samples.iter().map(|key| number_of(*key)).filter(|number| number.is_finite());
        let (low, high) = numbers
            .fold((f64::MAX, f64::MIN), |(low, high), number| (low.min(number), high.max(number)));
        let factor = LAST_CELL / (high - low);
        Self::Line { low, factor: if factor.is_normal() { factor } else { 0.0 } }
    }

    fn cell(self, key: u64) -> usize {
        match self {
            Self::Bits { low, shift } => cell_by_bits(key, low, shift),
            Self::Line { low, factor } => cell_by_line(key, low, factor),
        }
    }

    /// What of some samples comes into each cell.
    fn cells(self, samples: &[u64]) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); CELLS];
        for key in samples {
            if let Some(cell) = cells.get_mut(self.cell(*key)) {
                cell.is_mixed |= cell.many > 0 && cell.key != *key;
                cell.key = *key;
                cell.many += 1;
            }
        }
        cells
    }
}

fn cell_by_bits(key: u64, low: u64, shift: u32) -> usize {
    (key.saturating_sub(low) >> shift).min(CELLS as u64 - 1) as usize
}

/// What lies below or above all, infinities too, is at the ends.
fn cell_by_line(key: u64, low: f64, factor: f64) -> usize {
    let place = (number_of(key) - low) * factor;
    // Of an infinity times zero, too.
    let place = if place > 0.0 { place } else { 0.0 };
    let place = if place < LAST_CELL { place } else { LAST_CELL };
    // The nearest whole number is in the lowest bits of the sum, which no conversion is as
    // quick as.
    (place + TO_WHOLE).to_bits() as usize & (CELLS - 1)
}

/// The samples of a cell: how many, one of their keys, and whether there are others.
#[derive(Debug, Clone, Default)]
struct Cell {
    many: u32,
    key: u64,
    is_mixed: bool,
}

impl Splitters {
    /// By the keys of a sample, whether they are of fractions, for about so many buckets.
    pub(super) fn new(samples: Vec<u64>, are_fractions: bool, n_buckets: usize) -> Self {
        let full = (samples.len() / n_buckets).max(1) as u32;
        let is_crowded = |cell: &Cell| cell.is_mixed && cell.many > 2 * full;
        let crowd = |cells: &[Cell]| {
            cells.iter().filter(|cell| is_crowded(cell)).map(|cell| cell.many).sum::<u32>()
        };
        let mut scale = Scale::by_bits(&samples);
        let mut cells = scale.cells(&samples);
        if are_fractions && crowd(&cells) > 0 {
            let line = Scale::by_line(&samples);
            let others = line.cells(&samples);
            if crowd(&others) < crowd(&cells) {
                (scale, cells) = (line, others);
            }
        }
        let mut crowded: Vec<u64> = samples
            .into_iter()
            .filter(|key| cells.get(scale.cell(*key)).is_some_and(is_crowded))
            .collect();
        crowded.sort_unstable();
        let mut crowded = crowded.chunk_by(|left, right| scale.cell(*left) == scale.cell(*right));

        let mut found =
            Self { scale, cells: Vec::with_capacity(CELLS), splits: Vec::new(), n_buckets: 0 };
        // Samples of the bucket that is being filled.
        let mut filled = 0;
        for cell in &cells {
            if filled > 0 && (filled >= full || cell.many > 2 * full) {
                found.n_buckets += 1;
                filled = 0;
            }
            let first = found.n_buckets as u16;
            if !is_crowded(cell) {
                found.cells.push(first);
                filled += cell.many;
                continue;
            }
            let keys = split(crowded.next().unwrap_or_default(), full as usize);
            found.cells.push(IS_SPLIT | found.splits.len() as u16);
            found.n_buckets += keys.len() + 1;
            found.splits.push(Split { first, keys });
        }
        found.n_buckets += 1;
        found
    }

    pub(super) fn n_buckets(&self) -> usize {
        self.n_buckets
    }

    /// The bucket of a key, which rises with it; none of no key.
    pub(super) fn bucket(&self, key: u64) -> u16 {
        self.in_cell(self.scale.cell(key), key)
    }

    /// Adds the buckets of some keys.
    #[inline(never)]
    pub(super) fn deal(&self, keys: &[u64], buckets: &mut Vec<u16>) {
        // What is the same for all keys is decided once.
        match self.scale {
            Scale::Bits { low, shift } => {
                let bucket = |key: &u64| self.in_cell(cell_by_bits(*key, low, shift), *key);
                buckets.extend(keys.iter().map(bucket));
            }
            Scale::Line { low, factor } => {
                let bucket = |key: &u64| self.in_cell(cell_by_line(*key, low, factor), *key);
                buckets.extend(keys.iter().map(bucket));
            }
        }
    }

    fn in_cell(&self, cell: usize, key: u64) -> u16 {
        if key == NO_KEY {
            return NO_BUCKET;
        }
        let found = self.cells.get(cell).copied().unwrap_or_default();
        if found & IS_SPLIT == 0 {
            return found;
        }
        let split = self.splits.get(usize::from(found & !IS_SPLIT));
        split.map_or(0, |split| {
            split.first + split.keys.partition_point(|start| *start <= key) as u16
        })
    }
}

/// The keys at which buckets of so many of some sorted samples begin, the first left out.
fn split(samples: &[u64], many: usize) -> Vec<u64> {
    let lowest = samples.first().copied().unwrap_or_default();
    let mut keys: Vec<u64> =
        samples.iter().copied().step_by(many).filter(|key| *key > lowest).collect();
    keys.dedup();
    keys
}
