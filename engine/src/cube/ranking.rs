//! Dealing the rows of a column to buckets that are in order of value.

use arrow_array::ArrayRef;

use super::key::{Keyable, NO_KEY};
use super::ranked::{Pages, Ranked, shift_for};
use super::splitters::Splitters;

/// Buckets at most, about, and rows of one at least: to be sorted in no time.
const BUCKETS_MAX: usize = 4096;
const BUCKET_ROWS_MIN: usize = 512;
const SAMPLES_A_BUCKET: usize = 8;
const PAGE_ROWS: usize = 1 << 16;
/// Rows whose keys are in hand at once.
const ROWS_AT_ONCE: usize = 1024;

/// Rows on their way into order, a block of the column at a time.
#[derive(Debug)]
pub struct Ranking {
    rows: usize,
    n_buckets: usize,
    stage: Stage,
    /// The block that is next.
    block: usize,
    keys: Vec<u64>,
    /// The buckets of a page, and of all rows the line that a cube counts them in.
    buckets: Vec<u16>,
    lines: Vec<u16>,
    pages: Pages,
    /// Where the next row of each bucket goes.
    next: Vec<u32>,
    are_fractions: bool,
    is_blurred: bool,
}

#[derive(Debug)]
enum Stage {
    Sample(Vec<u64>),
    Deal(Splitters),
}

impl Ranking {
    /// For the rows of a column's blocks; `None` where its values have no order of numbers.
    pub fn new(blocks: &[ArrayRef]) -> Option<Self> {
        let are_fractions = match blocks.first() {
            Some(first) => Keyable::new(first)?.are_fractions(),
            None => false,
        };
        let rows = blocks.iter().map(|block| block.len()).sum::<usize>();
        Some(Self {
            rows,
            n_buckets: (rows / BUCKET_ROWS_MIN).clamp(1, BUCKETS_MAX),
            stage: Stage::Sample(Vec::new()),
            block: 0,
            keys: Vec::new(),
            buckets: Vec::new(),
            lines: Vec::new(),
            pages: Pages::default(),
            next: Vec::new(),
            are_fractions,
            is_blurred: false,
        })
    }

    /// Goes through one more block; true when all rows have their places.
    pub fn step(&mut self, blocks: &[ArrayRef]) -> bool {
        let Some(block) = blocks.get(self.block) else {
            let Stage::Sample(samples) = &mut self.stage else { return true };
            let samples = std::mem::take(samples);
            let splitters = Splitters::new(samples, self.are_fractions, self.n_buckets);
            // All at once: growing would copy them again and again.
            let n_pages: usize = blocks.iter().map(|block| block.len().div_ceil(PAGE_ROWS)).sum();
            self.lines.reserve_exact(self.rows);
            self.pages.rows.reserve_exact(self.rows);
            self.pages.starts.reserve_exact(n_pages * (splitters.n_buckets() + 1));
            self.stage = Stage::Deal(splitters);
            self.block = 0;
            return false;
        };
        let values = Keyable::new(block);
        match (&mut self.stage, &values) {
            (Stage::Sample(samples), Some(values)) => {
                let every = (self.rows / (self.n_buckets * SAMPLES_A_BUCKET)).max(1);
                sample(values, block.len(), every, &mut self.keys, samples);
            }
            (Stage::Deal(_), Some(values)) => {
                for first in (0..block.len()).step_by(PAGE_ROWS) {
                    self.deal(values, first..(first + PAGE_ROWS).min(block.len()));
                }
            }
            // Of another type than the first block.
            (_, None) => self.is_blurred = true,
        }
        self.block += 1;
        false
    }

    /// Deals the rows of a page, which are these of their block.
    fn deal(&mut self, values: &Keyable<'_>, rows: std::ops::Range<usize>) {
        let Stage::Deal(splitters) = &self.stage else { return };
        let first_row = self.lines.len();
        self.buckets.clear();
        for from in rows.clone().step_by(ROWS_AT_ONCE) {
            let some = from..(from + ROWS_AT_ONCE).min(rows.end);
            self.is_blurred |= values.read(some, &mut self.keys);
            splitters.deal(&self.keys, &mut self.buckets);
        }
        let n_buckets = splitters.n_buckets();
        self.next.clear();
        self.next.resize(n_buckets + 1, 0);
        let shift = shift_for(n_buckets);
        // No bucket is the last number of all, past which the sum wraps to 0.
        let line = |bucket: &u16| bucket.wrapping_add(1 << shift) >> shift;
        self.lines.extend(self.buckets.iter().map(line));
        self.pages.rows.resize(self.lines.len(), 0);
        let rows = self.pages.rows.get_mut(first_row..).unwrap_or_default();
        starts(&self.buckets, &mut self.next);
        self.pages.firsts.push(first_row as u32);
        self.pages.starts.extend_from_slice(&self.next);
        place(&self.buckets, &mut self.next, rows);
    }

    /// What came of it, once all rows have their places.
    pub fn into_ranked(self) -> Ranked {
        let Self { stage, pages, lines, is_blurred, n_buckets, are_fractions, .. } = self;
        let splitters = match stage {
            Stage::Deal(splitters) => splitters,
            Stage::Sample(samples) => Splitters::new(samples, are_fractions, n_buckets),
        };
        Ranked::new(splitters, pages, lines, is_blurred)
    }
}

/// Where the rows of each bucket begin, and the end.
#[inline(never)]
fn starts(buckets: &[u16], starts: &mut [u32]) {
    for bucket in buckets {
        if let Some(count) = starts.get_mut(usize::from(*bucket)) {
            *count += 1;
        }
    }
    let mut before = 0;
    for count in starts {
        let many = std::mem::replace(count, before);
        before += many;
    }
}

/// Puts rows where the next of their buckets go; those without a value leave a gap at the end.
#[inline(never)]
fn place(buckets: &[u16], next: &mut [u32], rows: &mut [u16]) {
    for (row, bucket) in buckets.iter().enumerate() {
        let Some(next) = next.get_mut(usize::from(*bucket)) else { continue };
        if let Some(place) = rows.get_mut(*next as usize) {
            *place = row as u16;
        }
        *next += 1;
    }
}

/// One key of each so many, here and there among them: tables repeat themselves.
fn sample(
    values: &Keyable<'_>,
    rows: usize,
    every: usize,
    keys: &mut Vec<u64>,
    samples: &mut Vec<u64>,
) {
    for (nth, first) in (0..rows).step_by(every).enumerate() {
        let many = every.min(rows - first);
        let row = first + (nth.wrapping_mul(0x9e37_79b9) >> 8) % many;
        values.read(row..row + 1, keys);
        samples.extend(keys.iter().filter(|key| **key != NO_KEY));
    }
}
