//! One bit per row: what evaluating a predicate over a slice gives, and what summaries,
//! groups, orders and samples are taken under. Words of 64 bits, least significant
//! first, which is Arrow's own layout. Knows nothing of columns.

use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, Buffer};

/// A set of the rows of a slice. Bits past `len` are always clear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    words: Vec<u64>,
    len: usize,
}

/// Rows per word.
pub const WORD_BITS: usize = 64;

impl Mask {
    /// No row of `len`.
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD_BITS)], len }
    }

    /// Every row of `len`.
    pub fn all(len: usize) -> Self {
        Self::from_words(vec![u64::MAX; len.div_ceil(WORD_BITS)], len)
    }

    /// From whole words; bits past `len` are cleared, missing words are empty.
    pub fn from_words(mut words: Vec<u64>, len: usize) -> Self {
        words.resize(len.div_ceil(WORD_BITS), 0);
        clear_tail(&mut words, len);
        Self { words, len }
    }

    /// Rows for which `passes` holds.
    pub fn from_fn(len: usize, mut passes: impl FnMut(usize) -> bool) -> Self {
        let word = |start: usize, passes: &mut dyn FnMut(usize) -> bool| {
            let end = (start + WORD_BITS).min(len);
            (start..end).fold(0, |word, row| word | u64::from(passes(row)) << (row - start))
        };
        let starts = (0..len).step_by(WORD_BITS);
        Self { words: starts.map(|start| word(start, &mut passes)).collect(), len }
    }

    /// The same rows as an Arrow bit buffer, whatever its offset.
    pub fn from_buffer(buffer: &BooleanBuffer) -> Self {
        Self { words: words_of(buffer), len: buffer.len() }
    }

    /// The rows as an Arrow bit buffer; copies no bits.
    pub fn into_buffer(self) -> BooleanBuffer {
        let words = match cfg!(target_endian = "big") {
            true => self.words.into_iter().map(u64::swap_bytes).collect(),
            false => self.words,
        };
        BooleanBuffer::new(Buffer::from_vec(words), 0, self.len)
    }

    /// The rows as an Arrow array, as `arrow_select::filter` takes it.
    pub fn to_array(&self) -> BooleanArray {
        BooleanArray::new(self.clone().into_buffer(), None)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many rows are in the mask.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether every row is in the mask.
    pub fn is_full(&self) -> bool {
        self.count() == self.len
    }

    /// Whether a row is in the mask; false past the end.
    pub fn get(&self, row: usize) -> bool {
        let word = self.words.get(row / WORD_BITS).copied().unwrap_or_default();
        word >> (row % WORD_BITS) & 1 == 1
    }

    /// Puts a row in or takes it out; rows past the end are ignored.
    pub fn set(&mut self, row: usize, passes: bool) {
        if row >= self.len {
            return;
        }
        if let Some(word) = self.words.get_mut(row / WORD_BITS) {
            let bit = 1 << (row % WORD_BITS);
            *word = if passes { *word | bit } else { *word & !bit };
        }
    }

    /// Keeps the rows that are also in `other`.
    pub fn and(&mut self, other: &Self) {
        self.combine(other, |a, b| a & b);
    }

    /// Adds the rows of `other`.
    pub fn or(&mut self, other: &Self) {
        self.combine(other, |a, b| a | b);
    }

    /// Takes the rows of `other` out.
    pub fn and_not(&mut self, other: &Self) {
        self.combine(other, |a, b| a & !b);
    }

    /// Turns the mask round.
    pub fn not(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        clear_tail(&mut self.words, self.len);
    }

    /// How many rows are in both masks.
    pub fn count_and(&self, other: &Self) -> usize {
        let words = self.words.iter().zip(&other.words);
        words.map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    fn combine(&mut self, other: &Self, op: impl Fn(u64, u64) -> u64) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter_mut().zip(others).for_each(|(word, other)| *word = op(*word, other));
        clear_tail(&mut self.words, self.len);
    }

    /// Appends the rows of the batch that follows.
    pub fn append(&mut self, other: &Self) {
        let shift = self.len % WORD_BITS;
        if shift == 0 {
            self.words.extend_from_slice(&other.words);
        } else {
            for &word in &other.words {
                if let Some(last) = self.words.last_mut() {
                    *last |= word << shift;
                }
                self.words.push(word >> (WORD_BITS - shift));
            }
        }
        self.len += other.len;
        self.words.truncate(self.len.div_ceil(WORD_BITS));
    }

    /// The mask of `len` rows from `start` on, cut at the end.
    pub fn slice(&self, start: usize, len: usize) -> Self {
        let start = start.min(self.len);
        let len = len.min(self.len - start);
        let (first, shift) = (start / WORD_BITS, start % WORD_BITS);
        let at = |index: usize| self.words.get(index).copied().unwrap_or_default();
        let words = (0..len.div_ceil(WORD_BITS)).map(|index| match shift {
            0 => at(first + index),
            _ => at(first + index) >> shift | at(first + index + 1) << (WORD_BITS - shift),
        });
        Self::from_words(words.collect(), len)
    }

    /// The rows in the mask, ascending.
    pub fn iter_ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(index, &word)| Ones { word, base: index * WORD_BITS })
    }
}

/// The set bits of one word.
struct Ones {
    word: u64,
    base: usize,
}

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        (self.word != 0).then(|| {
            let bit = self.word.trailing_zeros() as usize;
            self.word &= self.word - 1;
            self.base + bit
        })
    }
}

/// The bits of an Arrow buffer as words of ours.
pub(crate) fn words_of(buffer: &BooleanBuffer) -> Vec<u64> {
    let chunks = buffer.bit_chunks();
    let mut words: Vec<u64> = chunks.iter_padded().collect();
    words.truncate(buffer.len().div_ceil(WORD_BITS));
    clear_tail(&mut words, buffer.len());
    words
}

/// The low bits of 64 bytes as one word.
#[inline(always)]
pub(crate) fn packed(bytes: &[u8; WORD_BITS]) -> u64 {
    // The product moves bit 8i of eight bytes to bit 56 + i, and no two terms meet.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = bytes.as_chunks::<8>();
    let mut word = 0;
    for (place, eight) in eights.iter().enumerate() {
        word |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (8 * place);
    }
    word
}

/// Clears the bits of the last word that stand for no row.
pub(crate) fn clear_tail(words: &mut [u64], len: usize) {
    let used = len % WORD_BITS;
    if used != 0
        && let Some(last) = words.get_mut(len / WORD_BITS)
    {
        *last &= u64::MAX >> (WORD_BITS - used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(step: usize, len: usize) -> Mask {
        Mask::from_fn(len, |row| row % step == 0)
    }

    #[test]
    fn lengths_that_fill_no_word_stay_clean() {
        for len in [0, 1, 63, 64, 65, 128, 130] {
            assert_eq!(Mask::all(len).count(), len);
            assert!(Mask::all(len).is_full());
            let mut none = Mask::all(len);
            none.not();
            assert_eq!(none, Mask::none(len));
            none.not();
            assert_eq!(none, Mask::all(len));
        }
    }

    #[test]
    fn arrow_buffers_convert_at_any_offset() {
        let mask = every(3, 200);
        let buffer = mask.clone().into_buffer();
        assert_eq!(Mask::from_buffer(&buffer), mask);
        for (start, len) in [(1, 100), (63, 70), (64, 64), (199, 1), (200, 0)] {
            let sliced = Mask::from_buffer(&buffer.slice(start, len));
            assert_eq!(sliced, mask.slice(start, len));
            assert_eq!(sliced.count(), (start..start + len).filter(|row| row % 3 == 0).count());
        }
    }

    #[test]
    fn parts_append_to_the_whole() {
        let whole = every(5, 300);
        for cut in [0, 1, 63, 64, 65, 299, 300] {
            let mut parts = whole.slice(0, cut);
            parts.append(&whole.slice(cut, 300 - cut));
            assert_eq!(parts, whole, "{cut}");
        }
    }

    #[test]
    fn sets_combine() {
        let (threes, fives) = (every(3, 100), every(5, 100));
        let mut both = threes.clone();
        both.and(&fives);
        assert_eq!(both.iter_ones().collect::<Vec<_>>(), [0, 15, 30, 45, 60, 75, 90]);
        assert_eq!(threes.count_and(&fives), 7);
        let mut either = threes.clone();
        either.or(&fives);
        assert_eq!(either.count(), 34 + 20 - 7);
        let mut rest = threes.clone();
        rest.and_not(&fives);
        assert_eq!(rest.count(), 34 - 7);
        rest.set(0, true);
        rest.set(100, true);
        assert!(rest.get(0) && !rest.get(15) && !rest.get(100));
    }
}
