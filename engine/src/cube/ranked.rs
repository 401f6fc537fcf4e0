//! The rows of a column in order of its values, as far as a brush needs it: dealt to buckets
//! that are in order ([`super::ranking`]), and put in order within a bucket once an edge of
//! the brush comes there. Sorting a million rows took 103 ms in the browser, dealing them some 23
//! (W1 of `benches/`).

use std::collections::BTreeMap;
use std::ops::Range;

use super::key::End;
use super::splitters::Splitters;
use crate::mask::WORD_BITS;

/// The bucket of rows that have no place in the order: null and NaN.
pub(super) const NO_BUCKET: u16 = u16::MAX;
/// Stretches at most: enough for a stretch to be counted row by row, few enough for a cube
/// to stay in the processor's cache while it is built, which takes twice as long with 2048.
const STRETCHES_MAX: usize = 1024;

/// The rows of a column in ascending order of value, by buckets, and the bucket of each row.
/// Buckets come together in stretches.
#[derive(Debug, Clone)]
pub struct Ranked {
    splitters: Splitters,
    pages: Pages,
    /// Where each bucket begins in the order, and the end.
    starts: Vec<u32>,
    /// The stretch of each row and one, by row; 0 for those without a value.
    lines: Vec<u16>,
    /// The buckets that an end has come to.
    sorted: BTreeMap<usize, Sorted>,
    /// A bucket's number less these bits is its stretch.
    shift: u32,
    is_blurred: bool,
}

/// All rows by page and bucket. A page is of rows that follow one another, few enough to be
/// numbered by 16 bits; a bucket has a part in each. Written and read page by page, they stay
/// in the processor's cache, and so does what is read for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages {
    /// The first row of each page.
    pub firsts: Vec<u32>,
    /// Where each bucket begins among the rows of its page, and the end; page after page.
    pub starts: Vec<u32>,
    /// By bucket, how far each row is from the first of its page, whose place this is in.
    pub rows: Vec<u16>,
}

impl Pages {
    /// The rows of some buckets in each page.
    #[inline(never)]
    fn each(&self, n_buckets: usize, buckets: Range<usize>, mut visit: impl FnMut(u32)) {
        for (first, starts) in self.firsts.iter().zip(self.starts.chunks(n_buckets + 1)) {
            let place = |bucket: usize| starts.get(bucket).map_or(0, |start| first + start);
            let range = place(buckets.start) as usize..place(buckets.end) as usize;
            for row in self.rows.get(range).unwrap_or_default() {
                visit(first + u32::from(*row));
            }
        }
    }

    /// Puts the rows of some buckets into a mask, or takes them out.
    fn set<const IS_IN: bool>(&self, n_buckets: usize, buckets: Range<usize>, words: &mut [u64]) {
        for (first, starts) in self.firsts.iter().zip(self.starts.chunks(n_buckets + 1)) {
            let place = |bucket: usize| starts.get(bucket).map_or(0, |start| first + start);
            let range = place(buckets.start) as usize..place(buckets.end) as usize;
            let (word, bit) = (*first as usize / WORD_BITS, *first as usize % WORD_BITS);
            let rows = self.rows.get(range).unwrap_or_default();
            set_page::<IS_IN>(words.get_mut(word..).unwrap_or_default(), bit, rows);
        }
    }

    /// The first row of each page by bucket, of those that have any.
    fn any(&self, n_buckets: usize) -> Option<u32> {
        let mut pages = self.firsts.iter().zip(self.starts.chunks(n_buckets + 1));
        let (first, _) = pages.find(|(_, starts)| starts.last().is_some_and(|end| *end > 0))?;
        Some(first + u32::from(*self.rows.get(*first as usize)?))
    }
}

// A function of its own, which leaves the processor's registers to the loop.
#[inline(never)]
fn set_page<const IS_IN: bool>(words: &mut [u64], first: usize, rows: &[u16]) {
    for row in rows {
        set_row::<IS_IN>(words, first + usize::from(*row));
    }
}

#[inline(always)]
fn set_row<const IS_IN: bool>(words: &mut [u64], row: usize) {
    if let Some(word) = words.get_mut(row / WORD_BITS) {
        let bit = 1 << (row % WORD_BITS);
        *word = if IS_IN { *word | bit } else { *word & !bit };
    }
}

/// A run of the order: rows of a bucket that it begins in, whole buckets, and rows of one that
/// it ends in.
struct Parts<'a> {
    before: &'a [u32],
    whole: Range<usize>,
    after: &'a [u32],
}

#[derive(Debug, Clone)]
enum Sorted {
    /// All rows have this key.
    Alike(u64),
    Rows(Vec<u32>),
}

/// The bits less which a bucket's number is its stretch.
pub(super) fn shift_for(n_buckets: usize) -> u32 {
    let mut shift = 0;
    while n_buckets.div_ceil(1 << shift) > STRETCHES_MAX {
        shift += 1;
    }
    shift
}

impl Ranked {
    pub(super) fn new(
        splitters: Splitters,
        pages: Pages,
        lines: Vec<u16>,
        is_blurred: bool,
    ) -> Self {
        let n_buckets = splitters.n_buckets();
        let mut starts = vec![0; n_buckets + 1];
        for of_page in pages.starts.chunks(n_buckets + 1) {
            starts.iter_mut().zip(of_page).for_each(|(all, of_page)| *all += of_page);
        }
        let shift = shift_for(n_buckets);
        Self { splitters, pages, starts, lines, sorted: BTreeMap::new(), shift, is_blurred }
    }

    /// The stretch of each row and one, by row; 0 of those without a value.
    pub(super) fn lines(&self) -> &[u16] {
        &self.lines
    }

    /// Rows of all, those without a value among them.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// A row with a value, if there is one.
    pub(crate) fn any_row(&self) -> Option<u32> {
        self.pages.any(self.n_buckets())
    }

    pub fn byte_count(&self) -> usize {
        let of_sorted = self.sorted.values().map(|sorted| match sorted {
            Sorted::Alike(_) => 0,
            Sorted::Rows(rows) => 4 * rows.len(),
        });
        let of_rows = 2 * (self.pages.rows.len() + self.lines.len());
        of_sorted.sum::<usize>() + of_rows + 4 * self.pages.starts.len()
    }

    fn n_buckets(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(super) fn n_stretches(&self) -> usize {
        self.n_buckets().div_ceil(1 << self.shift)
    }

    /// Where a bucket begins, and beyond all of them the end.
    fn start(&self, bucket: usize) -> usize {
        self.starts.get(bucket).or(self.starts.last()).map_or(0, |start| *start as usize)
    }

    /// The last bucket that begins at a place of the order or before it, and how far into it
    /// the place is.
    fn bucket_at(&self, place: usize) -> (usize, usize) {
        let bucket = self.starts.partition_point(|start| *start as usize <= place);
        let bucket = bucket.saturating_sub(1);
        (bucket, place.saturating_sub(self.start(bucket)))
    }

    /// The end of a stretch that is nearest to a place of the order: how many stretches lie
    /// before it, and its place.
    pub(super) fn nearest_end(&self, place: usize) -> (usize, usize) {
        let stretch = self.bucket_at(place).0 >> self.shift;
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

    /// The rows of a run of the order, in no order among themselves. Its ends are ends of
    /// stretches, or were found as places.
    pub fn each(&self, run: Range<usize>, mut visit: impl FnMut(u32)) {
        let Parts { before, whole, after } = self.parts(run);
        before.iter().copied().for_each(&mut visit);
        self.pages.each(self.n_buckets(), whole, &mut visit);
        after.iter().copied().for_each(visit);
    }

    /// Puts the rows of such a run into a mask of all rows, words of 64, the first row lowest.
    pub fn put_in(&self, run: Range<usize>, words: &mut [u64]) {
        self.set::<true>(run, words);
    }

    /// Takes the rows of such a run out of a mask of all rows.
    pub fn take_out(&self, run: Range<usize>, words: &mut [u64]) {
        self.set::<false>(run, words);
    }

    fn set<const IS_IN: bool>(&self, run: Range<usize>, words: &mut [u64]) {
        let Parts { before, whole, after } = self.parts(run);
        for row in before.iter().chain(after) {
            set_row::<IS_IN>(words, *row as usize);
        }
        self.pages.set::<IS_IN>(self.n_buckets(), whole, words);
    }

    fn parts(&self, run: Range<usize>) -> Parts<'_> {
        let ((first, skip), (last, take)) = (self.bucket_at(run.start), self.bucket_at(run.end));
        let sorted = |bucket: usize| match self.sorted.get(&bucket) {
            Some(Sorted::Rows(rows)) => rows.as_slice(),
            _ => &[],
        };
        if run.is_empty() {
            return Parts { before: &[], whole: 0..0, after: &[] };
        }
        if first == last {
            let before = sorted(first).get(skip..take).unwrap_or_default();
            return Parts { before, whole: 0..0, after: &[] };
        }
        let is_cut = skip > 0;
        Parts {
            before: if is_cut { sorted(first).get(skip..).unwrap_or_default() } else { &[] },
            whole: first + usize::from(is_cut)..last,
            after: sorted(last).get(..take).unwrap_or_default(),
        }
    }

    /// The place in the order before which the keys of all rows lie below an end and after
    /// which none does. Rows about that place are put in order.
    pub(crate) fn place(&mut self, key_of: &dyn Fn(u32) -> Option<u64>, end: End) -> usize {
        let bucket = match self.splitters.bucket(end.key()) {
            NO_BUCKET => self.n_buckets(),
            bucket => usize::from(bucket),
        };
        let (start, next) = (self.start(bucket), self.start(bucket + 1));
        if start == next {
            return start;
        }
        if !self.sorted.contains_key(&bucket) {
            let sorted = self.sort(bucket, key_of);
            self.sorted.insert(bucket, sorted);
        }
        match self.sorted.get(&bucket) {
            Some(Sorted::Alike(key)) if end.has(*key) => next,
            Some(Sorted::Rows(rows)) => {
                start + rows.partition_point(|row| key_of(*row).is_some_and(|key| end.has(key)))
            }
            _ => start,
        }
    }

    fn sort(&self, bucket: usize, key_of: &dyn Fn(u32) -> Option<u64>) -> Sorted {
        let mut rows = Vec::with_capacity(self.start(bucket + 1) - self.start(bucket));
        self.pages.each(self.n_buckets(), bucket..bucket + 1, |row| rows.push(row));
        let mut keys = rows.iter().map(|row| key_of(*row));
        // A value that very many rows have.
        if let Some(first) = keys.next().flatten()
            && keys.all(|key| key == Some(first))
        {
            return Sorted::Alike(first);
        }
        let mut keyed: Vec<_> = rows.iter().map(|row| (key_of(*row), *row)).collect();
        keyed.sort_unstable();
        rows.iter_mut().zip(keyed).for_each(|(row, (_, sorted))| *row = sorted);
        Sorted::Rows(rows)
    }
}
