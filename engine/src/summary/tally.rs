//! The inner loops: how often each code stands in the rows of a mask.

use crate::mask::{Mask, WORD_BITS};

/// Words fuller than this are added up whole, each row weighing 1 or 0.
const DENSE: u32 = 24;

/// Counts of codes below 256, in the rows of a mask.
pub(super) fn count_bytes(codes: &[u8], mask: &Mask) -> [u32; 256] {
    // Neighbouring rows often have the same code: four tables, so that one addition
    // need not wait for the last.
    let mut tables = [[0_u32; 256]; 4];
    for (chunk, word) in codes.chunks(WORD_BITS).zip(mask.words()) {
        let mut word = *word;
        if word.count_ones() > DENSE {
            let (fours, rest) = chunk.as_chunks::<4>();
            for four in fours {
                for (table, code) in tables.iter_mut().zip(four) {
                    table[usize::from(*code)] += (word & 1) as u32;
                    word >>= 1;
                }
            }
            for code in rest {
                tables[0][usize::from(*code)] += (word & 1) as u32;
                word >>= 1;
            }
        } else {
            while word != 0 {
                if let Some(code) = chunk.get(word.trailing_zeros() as usize) {
                    tables[0][usize::from(*code)] += 1;
                }
                word &= word - 1;
            }
        }
    }
    let [mut total, others @ ..] = tables;
    for table in others {
        total.iter_mut().zip(table).for_each(|(total, count)| *total += count);
    }
    total
}

/// Counts of codes below `slots`, in the rows of a mask; larger codes are left out.
pub(super) fn count_codes(
    codes: impl Fn(usize) -> usize,
    len: usize,
    mask: &Mask,
    slots: usize,
) -> Vec<u32> {
    let mut counts = vec![0_u32; slots];
    for (start, word) in (0..len).step_by(WORD_BITS).zip(mask.words()) {
        let mut word = *word;
        while word != 0 {
            let row = start + word.trailing_zeros() as usize;
            if let Some(count) = counts.get_mut(codes(row)) {
                *count += 1;
            }
            word &= word - 1;
        }
    }
    counts
}
