//! The inner loops: a test on each value, 64 bits at a time, without branches, so that
//! the compiler turns them into vector instructions.

use crate::bind::{Ranges, Stored};
use crate::mask::{WORD_BITS, packed};

/// A bit for each value that passes.
#[inline(always)]
pub(super) fn words_by<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Vec<u64> {
    let mut words = Vec::with_capacity(values.len().div_ceil(WORD_BITS));
    let (chunks, rest) = values.as_chunks::<WORD_BITS>();
    for chunk in chunks {
        // Bytes first: comparing and packing them apart keeps both loops vectorised.
        let mut bytes = [0; WORD_BITS];
        for (byte, value) in bytes.iter_mut().zip(chunk) {
            *byte = u8::from(test(*value));
        }
        words.push(packed(&bytes));
    }
    if !rest.is_empty() {
        let mut bytes = [0; WORD_BITS];
        for (byte, value) in bytes.iter_mut().zip(rest) {
            *byte = u8::from(test(*value));
        }
        words.push(packed(&bytes));
    }
    words
}

/// A bit for each value inside the ranges, or outside if they are negated.
pub(super) fn words_in_ranges<T: Stored>(values: &[T], ranges: &Ranges<T>) -> Vec<u64> {
    let spans = ranges.ranges.as_slice();
    let mut words = match spans {
        [] => vec![0; values.len().div_ceil(WORD_BITS)],
        [first, rest @ ..] if rest.len() < PASSES_MAX => {
            let mut words = words_in_span(values, *first);
            for span in rest {
                let more = words_in_span(values, *span);
                words.iter_mut().zip(more).for_each(|(word, more)| *word |= more);
            }
            words
        }
        [(low, first_high), rest @ ..] => {
            match Table::new(spans, *low, rest.last().map_or(*first_high, |(_, high)| *high)) {
                Some(table) => words_by(values, |value| table.contains(value)),
                None => {
                    let inside = Ranges { ranges: spans.to_vec(), negated: false };
                    words_by(values, |value| inside.contains(value))
                }
            }
        }
    };
    if ranges.negated {
        words.iter_mut().for_each(|word| *word = !*word);
    }
    words
}

/// So many vectorised passes cost no more than one search per value.
const PASSES_MAX: usize = 6;

fn words_in_span<T: Stored>(values: &[T], (low, high): (T, T)) -> Vec<u64> {
    match (low == T::LOWEST, high == T::HIGHEST) {
        _ if low == high => words_by(values, |value| value == low),
        (true, false) => words_by(values, |value| value <= high),
        (false, true) => words_by(values, |value| value >= low),
        _ => words_by(values, |value| (value >= low) & (value <= high)),
    }
}

/// A bit per integer from the lowest to the highest of many ranges that lie close.
struct Table<T> {
    low: T,
    bits: Vec<u64>,
}

const TABLE_BITS_MAX: usize = 1 << 16;

impl<T: Stored> Table<T> {
    fn new(spans: &[(T, T)], low: T, high: T) -> Option<Self> {
        let len = high.steps_above(low).filter(|len| *len < TABLE_BITS_MAX)? + 1;
        let mut bits = vec![0; len.div_ceil(WORD_BITS)];
        for (start, end) in spans {
            for place in start.steps_above(low)?..=end.steps_above(low)? {
                if let Some(word) = bits.get_mut(place / WORD_BITS) {
                    *word |= 1 << (place % WORD_BITS);
                }
            }
        }
        Some(Self { low, bits })
    }

    #[inline]
    fn contains(&self, value: T) -> bool {
        let place = value.steps_above(self.low).unwrap_or(usize::MAX);
        let word = self.bits.get(place / WORD_BITS).copied().unwrap_or_default();
        word >> (place % WORD_BITS) & 1 == 1
    }
}

/// A bit for each row whose text passes.
pub(super) fn words_of_text(len: usize, test: impl Fn(usize) -> bool) -> Vec<u64> {
    let starts = (0..len).step_by(WORD_BITS);
    let word = |start: usize| {
        let rows = start..(start + WORD_BITS).min(len);
        rows.fold(0, |word, row| word | u64::from(test(row)) << (row - start))
    };
    starts.map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(words: &[u64], len: usize) -> Vec<usize> {
        (0..len).filter(|row| words[row / 64] >> (row % 64) & 1 == 1).collect()
    }

    #[test]
    fn words_hold_each_value_once() {
        for len in [0, 1, 7, 63, 64, 65, 200] {
            let values: Vec<i32> = (0..len).map(|row| (row * 7919) % 13).collect();
            let words = words_by(&values, |value| value < 5);
            assert_eq!(words.len(), values.len().div_ceil(64));
            let expected: Vec<usize> = (0..values.len()).filter(|row| values[*row] < 5).collect();
            assert_eq!(ones(&words, values.len()), expected);
        }
    }

    #[test]
    fn few_many_near_and_far_ranges_agree() {
        let values: Vec<i64> = (-500..500).map(|value| value * 3).collect();
        for (count, gap) in [(0, 1), (1, 9), (5, 11), (40, 11), (40, 1 << 40)] {
            for negated in [false, true] {
                let spans = (0..count).map(|place| (place * gap, place * gap + 4)).collect();
                let ranges = Ranges::new(spans, negated);
                let words = words_in_ranges(&values, &ranges);
                let passes = |row: &usize| ranges.contains(values[*row]);
                let expected: Vec<usize> = (0..values.len()).filter(passes).collect();
                assert_eq!(ones(&words, values.len()), expected, "{count} {gap} {negated}");
            }
        }
    }
}
