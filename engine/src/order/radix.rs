//! Stable sorting of row numbers by words, digit by digit.

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Puts rows in the order of their words; equal words keep their order.
pub(super) fn sort_by_words(order: &mut [u32], words: &[u64]) {
    let word_of = |row: u32| words.get(row as usize).copied().unwrap_or_default();
    let (low, high) =
        words.iter().fold((u64::MAX, 0), |(low, high), word| (low.min(*word), high.max(*word)));
    if low >= high {
        return;
    }
    // Counted from the lowest, words of a narrow range have few digits.
    let mut pairs: Vec<(u64, u32)> = order.iter().map(|row| (word_of(*row) - low, *row)).collect();
    let mut spare = vec![(0, 0); pairs.len()];
    let varying = pairs.iter().fold(0, |bits, (word, _)| bits | word);
    for shift in (0..u64::BITS).step_by(DIGIT_BITS as usize) {
        let digit = |word: u64| (word >> shift) as usize % DIGITS;
        if digit(varying) == 0 {
            continue;
        }
        let mut starts = [0_u32; DIGITS];
        for (word, _) in &pairs {
            if let Some(count) = starts.get_mut(digit(*word)) {
                *count += 1;
            }
        }
        let mut start = 0;
        for count in &mut starts {
            start += std::mem::replace(count, start);
        }
        for pair in &pairs {
            let Some(start) = starts.get_mut(digit(pair.0)) else { continue };
            if let Some(place) = spare.get_mut(*start as usize) {
                *place = *pair;
            }
            *start += 1;
        }
        std::mem::swap(&mut pairs, &mut spare);
    }
    order.iter_mut().zip(pairs).for_each(|(row, (_, sorted))| *row = sorted);
}

/// Puts rows in the order of their classes, of which there are few.
pub(super) fn sort_by_classes(order: &mut Vec<u32>, classes: &[u8]) {
    if classes.is_empty() {
        return;
    }
    let class_of = |row: u32| classes.get(row as usize).copied().unwrap_or_default();
    let parts =
        (0..=3).map(|class| order.iter().copied().filter(move |row| class_of(*row) == class));
    *order = parts.flatten().collect();
}
