//! The rows of a column in order of its values, as far as a brush needs it: dealt to buckets
//! that are in order, and put in order within a bucket once an edge of the brush comes there.
//! Dealing compares few of the rows; sorting them all took twice as long in the browser
//! (W1 of `benches/`: 103 ms of a million rows against 49).
//!
//! Splitting by a sorted sample is samplesort's (Frazer, McKellar: Samplesort, JACM 1970).

use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use half::f16;

use crate::column::Values;

/// The bucket of rows that have no place in the order: null and NaN.
pub(super) const NO_BUCKET: u16 = u16::MAX;
/// Buckets at most, and rows of one at least, about: to be sorted in no time.
const BUCKETS_MAX: usize = 8192;
const BUCKET_ROWS_MIN: usize = 256;
/// Stretches at most: enough for a stretch to be counted row by row, few enough for a cube
/// to stay in the processor's cache while it is built.
const STRETCHES_MAX: usize = 1024;
const SAMPLES_A_BUCKET: usize = 8;
/// Cells that the keys are looked up in before they are compared.
const CELLS: usize = 1 << 16;
/// More keys than these in a cell are searched by halves.
const KEYS_A_CELL: usize = 8;
/// Stands for no value among keys.
const NO_KEY: u64 = u64::MAX;

/// The rows of a column in ascending order of value, by buckets, and the bucket of each row.
/// Buckets come together in stretches.
#[derive(Debug, Clone, Default)]
pub struct Ranked {
    order: Vec<u32>,
    /// Where each bucket begins in the order, and the end.
    starts: Vec<u32>,
    is_sorted: Vec<bool>,
    bucket_of: Vec<u16>,
    /// A bucket's number less these bits is its stretch.
    shift: u32,
    is_blurred: bool,
}

/// An end among keys: those below it, or up to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    key: u64,
    is_inclusive: bool,
}

impl End {
    fn has(self, key: u64) -> bool {
        key < self.key || (self.is_inclusive && key == self.key)
    }
}

impl Ranked {
    /// The rows by bucket; in order of value within those that an end has come to.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The bucket of each row, by row; [`NO_BUCKET`] of those without a value.
    pub(super) fn buckets(&self) -> &[u16] {
        &self.bucket_of
    }

    pub(super) fn shift(&self) -> u32 {
        self.shift
    }

    /// Rows of all, those without a value among them.
    pub fn rows(&self) -> usize {
        self.bucket_of.len()
    }

    pub fn byte_count(&self) -> usize {
        self.order.len() * size_of::<u32>() + self.bucket_of.len() * size_of::<u16>()
    }

    fn n_buckets(&self) -> usize {
        self.is_sorted.len()
    }

    pub(super) fn n_stretches(&self) -> usize {
        self.n_buckets().div_ceil(1 << self.shift)
    }

    fn start(&self, bucket: usize) -> usize {
        self.starts.get(bucket).map_or(self.order.len(), |start| *start as usize)
    }

    /// The end of a stretch that is nearest to a place of the order: how many stretches lie
    /// before it, and its place.
    pub(super) fn nearest_end(&self, place: usize) -> (usize, usize) {
        let bucket = self.starts.partition_point(|start| *start as usize <= place);
        let stretch = bucket.saturating_sub(1) >> self.shift;
        let end = |stretch: usize| self.start(stretch << self.shift);
        let (low, high) = (end(stretch), end(stretch + 1));
        match place.saturating_sub(low) <= high.saturating_sub(place) {
            true => (stretch, low),
            false => ((stretch + 1).min(self.n_stretches()), high),
        }
    }

    /// Whether values lie beyond what keys can tell apart, and the order is of no use.
    pub(crate) fn is_blurred(&self) -> bool {
        self.is_blurred
    }

    /// The place in the order before which the keys of all rows lie below an end and after
    /// which none does. Rows about that place are put in order, which moves none across a
    /// place that was found before.
    pub(crate) fn place(&mut self, key_of: &dyn Fn(u32) -> Option<u64>, end: End) -> usize {
        let is_below = |row: &u32| key_of(*row).is_some_and(|key| end.has(key));
        // Any row of a bucket tells of all buckets but the one with the edge; an empty one
        // has the first row after it.
        let first = |start: &u32| self.order.get(*start as usize).is_some_and(is_below);
        let buckets = self.starts.get(..self.n_buckets()).unwrap_or_default();
        let near = buckets.partition_point(first);
        let (low, high) = (near.saturating_sub(1), self.filled_from(near));
        for bucket in [low, high] {
            self.sort(bucket, key_of);
        }
        let (from, to) = (self.start(low), self.start(high + 1));
        let around = self.order.get(from..to).unwrap_or_default();
        from + around.partition_point(is_below)
    }

    /// The first bucket from one on that has rows.
    fn filled_from(&self, bucket: usize) -> usize {
        let end = self.n_buckets();
        (bucket..end).find(|at| self.start(*at) < self.start(at + 1)).unwrap_or(end)
    }

    fn sort(&mut self, bucket: usize, key_of: &dyn Fn(u32) -> Option<u64>) {
        let range = self.start(bucket)..self.start(bucket + 1);
        let Some(is_sorted) = self.is_sorted.get_mut(bucket) else { return };
        if std::mem::replace(is_sorted, true) {
            return;
        }
        let Some(rows) = self.order.get_mut(range) else { return };
        let mut keyed: Vec<_> = rows.iter().map(|row| (key_of(*row), *row)).collect();
        keyed.sort_unstable();
        for (row, (_, sorted)) in rows.iter_mut().zip(keyed) {
            *row = sorted;
        }
    }
}

/// Rows on their way into order, a block of the column at a time.
#[derive(Debug)]
pub struct Ranking {
    rows: usize,
    n_buckets: usize,
    stage: Stage,
    /// The block that is next, and its first row.
    block: usize,
    first_row: usize,
    keys: Vec<u64>,
    bucket_of: Vec<u16>,
    /// Rows of each bucket; then where its next row goes.
    counts: Vec<u32>,
    order: Vec<u32>,
    is_blurred: bool,
}

#[derive(Debug)]
enum Stage {
    Sample(Vec<u64>),
    Deal(Splitters),
    Place,
}

impl Ranking {
    /// For the rows of a column's blocks; `None` where its values have no order of numbers.
    pub fn new(blocks: &[ArrayRef]) -> Option<Self> {
        let mut keys = Vec::new();
        if let Some(first) = blocks.first() {
            keys_into(first.slice(0, 0).as_ref(), &mut keys)?;
        }
        let rows = blocks.iter().map(|block| block.len()).sum::<usize>();
        Some(Self {
            rows,
            n_buckets: (rows / BUCKET_ROWS_MIN).clamp(1, BUCKETS_MAX),
            stage: Stage::Sample(Vec::new()),
            block: 0,
            first_row: 0,
            keys,
            bucket_of: Vec::with_capacity(rows),
            counts: Vec::new(),
            order: Vec::new(),
            is_blurred: false,
        })
    }

    /// Goes through one more block; true when all rows have their places.
    pub fn step(&mut self, blocks: &[ArrayRef]) -> bool {
        let Some(block) = blocks.get(self.block) else { return self.next_stage() };
        match &mut self.stage {
            Stage::Sample(samples) => {
                self.is_blurred |= keys_into(block.as_ref(), &mut self.keys).unwrap_or(true);
                let every = (self.rows / (self.n_buckets * SAMPLES_A_BUCKET)).max(1);
                // One of each so many, here and there among them: tables repeat themselves.
                for (nth, some) in self.keys.chunks(every).enumerate() {
                    let at = nth.wrapping_mul(0x9e37_79b9) >> 8;
                    samples.extend(some.get(at % some.len()).filter(|key| **key != NO_KEY));
                }
            }
            Stage::Deal(splitters) => {
                keys_into(block.as_ref(), &mut self.keys);
                for key in &self.keys {
                    let bucket = splitters.bucket(*key);
                    self.bucket_of.push(bucket);
                    if let Some(count) = self.counts.get_mut(usize::from(bucket)) {
                        *count += 1;
                    }
                }
            }
            Stage::Place => {
                let end = self.first_row + block.len();
                let buckets = self.bucket_of.get(self.first_row..end).unwrap_or_default();
                for (row, bucket) in (self.first_row as u32..).zip(buckets) {
                    let Some(next) = self.counts.get_mut(usize::from(*bucket)) else { continue };
                    if let Some(place) = self.order.get_mut(*next as usize) {
                        *place = row;
                    }
                    *next += 1;
                }
            }
        }
        self.block += 1;
        self.first_row += block.len();
        false
    }

    fn next_stage(&mut self) -> bool {
        (self.block, self.first_row) = (0, 0);
        self.stage = match std::mem::replace(&mut self.stage, Stage::Place) {
            Stage::Sample(samples) => {
                let splitters = Splitters::new(samples, self.n_buckets);
                self.counts = vec![0; splitters.keys.len() + 1];
                Stage::Deal(splitters)
            }
            Stage::Deal(_) => {
                let mut before = 0;
                for count in &mut self.counts {
                    let many = std::mem::replace(count, before);
                    before += many;
                }
                self.order = vec![0; before as usize];
                Stage::Place
            }
            Stage::Place => return true,
        };
        false
    }

    /// What came of it, once all rows have their places.
    pub fn into_ranked(self) -> Ranked {
        let n_buckets = self.counts.len();
        // Where the next row of a bucket would go, the bucket after it begins.
        let mut starts = self.counts;
        starts.insert(0, 0);
        let mut shift = 0;
        while n_buckets.div_ceil(1 << shift) > STRETCHES_MAX {
            shift += 1;
        }
        let is_sorted = vec![false; n_buckets];
        let Self { order, bucket_of, is_blurred, .. } = self;
        Ranked { order, starts, is_sorted, bucket_of, shift, is_blurred }
    }
}

/// Keys that buckets begin at.
#[derive(Debug)]
struct Splitters {
    keys: Vec<u64>,
    low: u64,
    shift: u32,
    /// How many of them lie before each cell, and in all.
    cells: Vec<u16>,
}

impl Splitters {
    fn new(mut samples: Vec<u64>, n_buckets: usize) -> Self {
        samples.sort_unstable();
        let at = |nth: usize| samples.get(samples.len() * nth / n_buckets).copied();
        let mut keys: Vec<u64> = (1..n_buckets).filter_map(at).collect();
        keys.dedup();
        let low = samples.first().copied().unwrap_or_default();
        // Nothing is known to lie before the lowest.
        keys.retain(|key| *key > low);
        let span = samples.last().copied().unwrap_or_default() - low;
        let mut shift = 0;
        while span >> shift >= CELLS as u64 {
            shift += 1;
        }
        let mut cells = Vec::with_capacity(CELLS + 1);
        let mut before = 0;
        for cell in 0..CELLS {
            let start = low.saturating_add((cell as u64) << shift);
            while keys.get(before).is_some_and(|key| *key < start) {
                before += 1;
            }
            cells.push(before as u16);
        }
        cells.push(keys.len() as u16);
        Self { keys, low, shift, cells }
    }

    fn bucket(&self, key: u64) -> u16 {
        if key == NO_KEY {
            return NO_BUCKET;
        }
        let cell = (key.saturating_sub(self.low) >> self.shift).min(CELLS as u64 - 1) as usize;
        let Some(&[from, to]) = self.cells.get(cell..cell + 2) else { return 0 };
        let near = self.keys.get(usize::from(from)..usize::from(to)).unwrap_or_default();
        let many = match near.len() <= KEYS_A_CELL {
            true => near.iter().map(|splitter| u16::from(*splitter <= key)).sum(),
            false => near.partition_point(|splitter| *splitter <= key) as u16,
        };
        from + many
    }
}

/// What a value is as a key: a number that rises with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyed {
    Exactly(u64),
    /// Below or above all keys.
    Below,
    Above,
    /// Of NaN there is none.
    Not,
}

pub(crate) trait Key: Copy {
    fn keyed(self) -> Keyed;

    fn key(self) -> Option<u64> {
        match self.keyed() {
            Keyed::Exactly(key) => Some(key),
            _ => None,
        }
    }

    /// The end that has all keys of values below this one; of equal ones too.
    fn end(self, is_inclusive: bool) -> End {
        match self.keyed() {
            Keyed::Exactly(key) => End { key, is_inclusive },
            Keyed::Above => End { key: u64::MAX, is_inclusive: true },
            Keyed::Below | Keyed::Not => End { key: 0, is_inclusive: false },
        }
    }
}

macro_rules! whole_keys {
    ($($native:ty),*) => {$(
        impl Key for $native {
            fn keyed(self) -> Keyed {
                Keyed::Exactly(i64::from(self).cast_unsigned() ^ (1 << 63))
            }
        }
    )*};
}
whole_keys!(i8, i16, i32, i64, u8, u16, u32);

impl Key for u64 {
    fn keyed(self) -> Keyed {
        Keyed::Exactly(self)
    }
}

impl Key for i128 {
    fn keyed(self) -> Keyed {
        match i64::try_from(self) {
            Ok(near) => near.keyed(),
            Err(_) if self < 0 => Keyed::Below,
            Err(_) => Keyed::Above,
        }
    }
}

impl Key for i256 {
    fn keyed(self) -> Keyed {
        match self.to_i128() {
            Some(near) => near.keyed(),
            None if self.is_negative() => Keyed::Below,
            None => Keyed::Above,
        }
    }
}

impl Key for f64 {
    fn keyed(self) -> Keyed {
        if self.is_nan() {
            return Keyed::Not;
        }
        // One zero.
        let bits = (self + 0.0).to_bits();
        Keyed::Exactly(if bits >> 63 == 1 { !bits } else { bits | 1 << 63 })
    }
}

impl Key for f32 {
    fn keyed(self) -> Keyed {
        f64::from(self).keyed()
    }
}

impl Key for f16 {
    fn keyed(self) -> Keyed {
        self.to_f64().keyed()
    }
}

/// The keys of an array in place of those that are there, and whether any value has none of
/// its own. `None` for what is no number, time or decimal.
fn keys_into(array: &dyn Array, keys: &mut Vec<u64>) -> Option<bool> {
    keys.clear();
    let mut is_blurred = false;
    macro_rules! of {
        ($values:expr) => {
            keys.extend($values.iter().map(|value| match value.keyed() {
                Keyed::Exactly(key) if key != NO_KEY => key,
                Keyed::Not => NO_KEY,
                // Null or not, which is not known yet.
                _ => {
                    is_blurred = true;
                    NO_KEY
                }
            }))
        };
    }
    match Values::of(array)? {
        Values::Int8(values) => of!(values),
        Values::Int16(values) => of!(values),
        Values::Int32(values) => of!(values),
        Values::Int64(values) => of!(values),
        Values::UInt8(values) => of!(values),
        Values::UInt16(values) => of!(values),
        Values::UInt32(values) => of!(values),
        Values::UInt64(values) => of!(values),
        Values::Int128(values) => of!(values),
        Values::Int256(values) => of!(values),
        Values::Float16(values) => of!(values),
        Values::Float32(values) => of!(values),
        Values::Float64(values) => of!(values),
        Values::Boolean(_) | Values::Text(_) | Values::Bytes(_) => return None,
    }
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (row, key) in keys.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *key = NO_KEY;
            }
        }
    }
    Some(is_blurred)
}
