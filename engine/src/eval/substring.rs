//! Substrings: where texts lie end to end, they are searched as one.

use memchr::memmem::Finder;

use super::words::words_of_text;
use crate::column::ByteValues;
use crate::mask::WORD_BITS;

/// A bit for each text that holds what the finder looks for.
pub(super) fn words_that_contain(
    finder: &Finder<'_>,
    values: ByteValues<'_>,
    len: usize,
) -> Vec<u64> {
    match values {
        _ if finder.needle().is_empty() => vec![u64::MAX; len.div_ceil(WORD_BITS)],
        ByteValues::Small { offsets, bytes } => {
            search(finder, bytes, len, |row| offsets.get(row).map(|offset| *offset as usize))
        }
        ByteValues::Large { offsets, bytes } => {
            search(finder, bytes, len, |row| offsets.get(row).map(|offset| *offset as usize))
        }
        _ => words_of_text(len, |row| finder.find(values.get(row)).is_some()),
    }
}

/// `offset` tells where the text of a row starts, and where the last one ends.
fn search(
    finder: &Finder<'_>,
    bytes: &[u8],
    len: usize,
    offset: impl Fn(usize) -> Option<usize>,
) -> Vec<u64> {
    let mut words = vec![0_u64; len.div_ceil(WORD_BITS)];
    let (Some(mut from), Some(end)) = (offset(0), offset(len)) else { return words };
    let mut row = 0;
    while let Some(found) = bytes.get(from..end).and_then(|rest| finder.find(rest)) {
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
        if found + finder.needle().len() <= row_end {
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
