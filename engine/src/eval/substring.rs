//! Substrings and patterns: where texts lie end to end, they are searched as one.

use memchr::memmem::Finder;

use super::words::words_of_text;
use crate::bind::{FoldedFinder, Pattern};
use crate::column::ByteValues;
use crate::mask::WORD_BITS;

/// A bit for each text that holds what the finder looks for.
pub(super) fn words_that_contain(
    finder: &Finder<'_>,
    values: ByteValues<'_>,
    len: usize,
) -> Vec<u64> {
    let n_bytes = finder.needle().len();
    match EndToEnd::of(&values) {
        _ if n_bytes == 0 => vec![u64::MAX; len.div_ceil(WORD_BITS)],
        Some(texts) => search(&|text| finder.find(text), n_bytes, &texts, len),
        None => words_of_text(len, |row| finder.find(values.get(row)).is_some()),
    }
}

/// As [`words_that_contain`], in any case.
pub(super) fn words_that_contain_folded(
    finder: &FoldedFinder,
    values: ByteValues<'_>,
    len: usize,
) -> Vec<u64> {
    match EndToEnd::of(&values) {
        _ if finder.len() == 0 => vec![u64::MAX; len.div_ceil(WORD_BITS)],
        Some(texts) if texts.all(len).is_some_and(<[u8]>::is_ascii) => {
            search(&|text| finder.find_in_ascii(text), finder.len(), &texts, len)
        }
        _ => words_of_text(len, |row| finder.is_in(values.get(row))),
    }
}

/// A bit for each text that a pattern matches.
pub(super) fn words_that_match(pattern: &Pattern, values: ByteValues<'_>, len: usize) -> Vec<u64> {
    let Some(matcher) = pattern.brought() else {
        return words_of_text(len, |row| pattern.is_match(values.get(row)));
    };
    // All at once: each call is one out of the program.
    let mut ends = Vec::with_capacity(len);
    if let Some(texts) = EndToEnd::of(&values)
        && let (Some(start), Some(all)) = (texts.offset(0), texts.all(len))
    {
        let end = |row: usize| texts.offset(row + 1).unwrap_or(start) - start;
        ends.extend((0..len).map(|row| end(row) as u32));
        return matcher.words(all, &ends);
    }
    let mut all = Vec::new();
    for row in 0..len {
        all.extend_from_slice(values.get(row));
        ends.push(all.len() as u32);
    }
    matcher.words(&all, &ends)
}

/// Texts without gaps between them.
struct EndToEnd<'a> {
    bytes: &'a [u8],
    offsets: Offsets<'a>,
}

enum Offsets<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
}

impl<'a> EndToEnd<'a> {
    fn of(values: &ByteValues<'a>) -> Option<Self> {
        match *values {
            ByteValues::Small { offsets, bytes } => {
                Some(Self { bytes, offsets: Offsets::Small(offsets) })
            }
            ByteValues::Large { offsets, bytes } => {
                Some(Self { bytes, offsets: Offsets::Large(offsets) })
            }
            _ => None,
        }
    }

    /// Where the text of a row starts, and where the last one ends.
    #[inline]
    fn offset(&self, row: usize) -> Option<usize> {
        match self.offsets {
            Offsets::Small(offsets) => offsets.get(row).map(|offset| *offset as usize),
            Offsets::Large(offsets) => offsets.get(row).map(|offset| *offset as usize),
        }
    }

    /// All of the texts of so many rows.
    fn all(&self, len: usize) -> Option<&'a [u8]> {
        self.bytes.get(self.offset(0)?..self.offset(len)?)
    }
}

/// `find` tells where the first match in some bytes starts; all have `n_bytes`.
fn search(
    find: &dyn Fn(&[u8]) -> Option<usize>,
    n_bytes: usize,
    texts: &EndToEnd<'_>,
    len: usize,
) -> Vec<u64> {
    let (bytes, offset) = (texts.bytes, |row: usize| texts.offset(row));
    let mut words = vec![0_u64; len.div_ceil(WORD_BITS)];
    let (Some(mut from), Some(end)) = (offset(0), offset(len)) else { return words };
    let mut row = 0;
    while let Some(found) = bytes.get(from..end).and_then(find) {
        let found = from + found;
        // The row whose text the match starts in; texts without a match are stepped over.
        let ends_before = |row: usize| offset(row + 1).is_some_and(|end| end <= found);
        let mut stride = 1;
        while row + stride < len && ends_before(row + stride - 1) {
            row += stride;
            stride *= 2;
        }
        while row < len && ends_before(row) {
            row += 1;
        }
        let Some(row_end) = offset(row + 1).filter(|_| row < len) else { break };
        if found + n_bytes <= row_end {
            if let Some(word) = words.get_mut(row / WORD_BITS) {
                *word |= 1 << (row % WORD_BITS);
            }
            from = row_end;
        } else {
            // Across the end of the text: no match, but one may start within it.
            from = found + 1;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_stay_inside_their_texts() {
        let cases: [(&[&str], &str); 6] = [
            (&["ab", "ab", "aab", "b", "", "a", "b"], "ab"),
            (&["aa", "a", "aaa", "", "aaaa"], "aaa"),
            (&["", "", "x", "", "xy", "yx"], "x"),
            (&["abab", "abcab", "c"], "abc"),
            (&["", ""], "a"),
            (&[], "a"),
        ];
        for (texts, needle) in cases {
            let repeated: Vec<&str> = (0..50).flat_map(|_| texts.iter().copied()).collect();
            let bytes: String = repeated.concat();
            let mut offsets = vec![0_i32];
            for text in &repeated {
                offsets.push(offsets.last().unwrap() + text.len() as i32);
            }
            let finder = Finder::new(needle);
            for (start, end) in [(0, repeated.len()), (repeated.len() / 3, repeated.len() * 2 / 3)]
            {
                let values =
                    ByteValues::Small { offsets: &offsets[start..=end], bytes: bytes.as_bytes() };
                let words = words_that_contain(&finder, values, end - start);
                let found: Vec<bool> =
                    (0..end - start).map(|row| words[row / 64] >> (row % 64) & 1 == 1).collect();
                let expected: Vec<bool> =
                    repeated[start..end].iter().map(|text| text.contains(needle)).collect();
                assert_eq!(found, expected, "{needle:?} in {texts:?}");
            }
        }
    }
}
