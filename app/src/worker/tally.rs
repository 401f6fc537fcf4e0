//! How many rows of each code there are under a mask: histograms and bars. A tally knows
//! the mask that it was last taken under, and counts only rows that came or went since, so
//! that a step of a brush costs what it moves. Pure.

use engine::mask::WORD_BITS;

/// What rows are counted by: a bin or a text, as a number below the number of counts.
/// Other codes are not counted.
#[derive(Debug, Clone, Copy)]
pub enum Codes<'a> {
    Bytes(&'a [u8]),
    Narrow(&'a [u16]),
    Wide(&'a [u32]),
}

/// A row's code as it is kept; its greatest value stands for null.
pub trait Code: Copy {
    fn code(self) -> Option<usize>;
}

macro_rules! code {
    ($($native:ty),*) => {$(
        impl Code for $native {
            fn code(self) -> Option<usize> {
                (self != Self::MAX).then_some(self as usize)
            }
        }
    )*};
}
code!(u8, u16, u32);

impl Codes<'_> {
    /// The code of a row, `None` inside for null; `None` past the end.
    pub fn get(&self, row: usize) -> Option<Option<usize>> {
        Some(match self {
            Self::Bytes(codes) => codes.get(row)?.code(),
            Self::Narrow(codes) => codes.get(row)?.code(),
            Self::Wide(codes) => codes.get(row)?.code(),
        })
    }

    /// Something else for each row's code, `None` for null.
    pub fn map<T>(&self, of: impl Fn(Option<usize>) -> T) -> Vec<T> {
        match self {
            Self::Bytes(codes) => codes.iter().map(|code| of(code.code())).collect(),
            Self::Narrow(codes) => codes.iter().map(|code| of(code.code())).collect(),
            Self::Wide(codes) => codes.iter().map(|code| of(code.code())).collect(),
        }
    }
}

/// A mask by what it is made of: the clauses that rows pass, and among how many rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Under {
    /// A clause has another one each time that it changes.
    pub serials: Vec<u64>,
    pub rows: usize,
}

/// Counts by code.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    counts: Vec<u32>,
    /// Rows without a value.
    nulls: u32,
    /// The rows that are counted.
    words: Vec<u64>,
    /// Counts that were found another way, nulls last; empty where they were not.
    given: Vec<u32>,
    /// The mask that was followed to its end.
    under: Option<Under>,
}

/// The code that wide codes have for null.
pub const NULL_WIDE: u32 = u32::MAX;

impl Tally {
    /// Of `n_codes`, of no rows yet.
    pub fn new(n_codes: usize) -> Self {
        Self {
            counts: vec![0; n_codes],
            nulls: 0,
            words: Vec::new(),
            given: Vec::new(),
            under: None,
        }
    }

    pub fn counts(&self) -> &[u32] {
        self.given.split_last().map_or(&self.counts, |(_, counts)| counts)
    }

    pub fn nulls(&self) -> u32 {
        self.given.last().copied().unwrap_or(self.nulls)
    }

    /// Takes counts that were found another way, nulls last, until a mask is followed again.
    pub fn give(&mut self, counts: Vec<u32>) {
        self.given = counts;
    }

    /// Whether a mask is the one that was followed last, and so there is nothing to count.
    pub fn is_under(&mut self, mask: &Under) -> bool {
        let is_same = self.under.as_ref() == Some(mask);
        if is_same {
            self.given.clear();
        }
        is_same
    }

    /// The mask that is followed has come to its end.
    pub fn conclude(&mut self, mask: Under) {
        self.under = Some(mask);
    }

    /// Makes room for codes that were not known before.
    pub fn grow(&mut self, n_codes: usize) {
        if n_codes > self.counts.len() {
            self.counts.resize(n_codes, 0);
        }
    }

    /// Before a mask is followed: if more rows change than stay, counting starts anew.
    pub fn prepare(&mut self, mask: &[u64]) {
        self.given.clear();
        self.under = None;
        if self.words.len() > mask.len() {
            self.reset();
        }
        self.words.resize(mask.len(), 0);
        let (mut changed, mut wanted) = (0, 0);
        for (old, new) in self.words.iter().zip(mask) {
            changed += u64::from((old ^ new).count_ones());
            wanted += u64::from(new.count_ones());
        }
        if changed > wanted {
            self.reset();
            self.words.resize(mask.len(), 0);
        }
    }

    fn reset(&mut self) {
        self.counts.fill(0);
        self.nulls = 0;
        self.words.clear();
    }

    /// Follows a mask over the rows of one block, whose first word is `first`. The block's
    /// mask may have fewer words than its codes have rows.
    pub fn follow(&mut self, first: usize, mask: &[u64], codes: Codes<'_>) {
        let end = first + mask.len();
        if self.words.len() < end {
            self.words.resize(end, 0);
        }
        let Some(words) = self.words.get_mut(first..end) else { return };
        let (counts, nulls) = (self.counts.as_mut_slice(), &mut self.nulls);
        match codes {
            Codes::Bytes(codes) => count(words, mask, codes, counts, nulls),
            Codes::Narrow(codes) => count(words, mask, codes, counts, nulls),
            Codes::Wide(codes) => count(words, mask, codes, counts, nulls),
        }
    }

    /// Counts all rows of a block, whatever mask comes: nothing is followed from then on.
    pub fn add(&mut self, codes: Codes<'_>) {
        let (counts, nulls) = (self.counts.as_mut_slice(), &mut self.nulls);
        match codes {
            Codes::Bytes(codes) => codes.iter().for_each(|code| add(*code, 1, counts, nulls)),
            Codes::Narrow(codes) => codes.iter().for_each(|code| add(*code, 1, counts, nulls)),
            Codes::Wide(codes) => codes.iter().for_each(|code| add(*code, 1, counts, nulls)),
        }
    }
}

fn add(code: impl Code, by: u32, counts: &mut [u32], nulls: &mut u32) {
    match code.code() {
        Some(index) => {
            if let Some(count) = counts.get_mut(index) {
                *count = count.wrapping_add(by);
            }
        }
        None => *nulls = nulls.wrapping_add(by),
    }
}

#[inline(never)]
fn count<C: Code>(
    words: &mut [u64],
    mask: &[u64],
    codes: &[C],
    counts: &mut [u32],
    nulls: &mut u32,
) {
    let mut add = |code: C, by: u32| add(code, by, counts, nulls);
    let places = words.iter_mut().zip(mask).zip(codes.chunks(WORD_BITS));
    for ((word, &new), codes) in places {
        let old = std::mem::replace(word, new);
        let mut came = new & !old;
        let mut went = old & !new;
        if came == u64::MAX {
            codes.iter().for_each(|&code| add(code, 1));
            continue;
        }
        while came != 0 {
            if let Some(&code) = codes.get(came.trailing_zeros() as usize) {
                add(code, 1);
            }
            came &= came - 1;
        }
        while went != 0 {
            if let Some(&code) = codes.get(went.trailing_zeros() as usize) {
                add(code, u32::MAX);
            }
            went &= went - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::mask::Mask;

    use super::*;

    fn counts_of(codes: &[u16], mask: &Mask, n_codes: usize) -> (Vec<u32>, u32) {
        let mut counts = vec![0; n_codes];
        let mut nulls = 0;
        for row in mask.iter_ones() {
            match codes[row] {
                u16::MAX => nulls += 1,
                code if usize::from(code) < n_codes => counts[usize::from(code)] += 1,
                _ => {}
            }
        }
        (counts, nulls)
    }

    #[test]
    fn following_any_masks_counts_what_counting_anew_does() {
        let len = 1000;
        let codes: Vec<u16> = (0..len)
            .map(|row| match row % 13 {
                11 => u16::MAX,
                12 => u16::MAX - 1,
                code => code as u16,
            })
            .collect();
        let wide: Vec<u32> = codes
            .iter()
            .map(|&code| if code == u16::MAX { NULL_WIDE } else { u32::from(code) })
            .collect();
        let mut shorter = Tally::new(11);
        for len in [1000, 500] {
            let mask = Mask::all(len);
            shorter.prepare(mask.words());
            shorter.follow(0, mask.words(), Codes::Narrow(&codes));
            assert_eq!(shorter.counts(), counts_of(&codes, &mask, 11).0);
        }
        let mut narrow_tally = Tally::new(11);
        let mut wide_tally = Tally::new(11);
        for (start, end) in [(0, 1000), (10, 990), (500, 510), (0, 0), (3, 1000), (64, 128)] {
            let mask = Mask::from_fn(len, |row| (start..end).contains(&row));
            for (tally, codes) in
                [(&mut narrow_tally, Codes::Narrow(&codes)), (&mut wide_tally, Codes::Wide(&wide))]
            {
                tally.prepare(mask.words());
                tally.follow(0, mask.words(), codes);
            }
            let (counts, nulls) = counts_of(&codes, &mask, 11);
            assert_eq!((narrow_tally.counts(), narrow_tally.nulls()), (&counts[..], nulls));
            assert_eq!((wide_tally.counts(), wide_tally.nulls()), (&counts[..], nulls));
        }
    }

    #[test]
    fn a_mask_that_was_followed_is_known_again() {
        let codes = vec![1_u16; 64];
        let under = |serial| Under { serials: vec![serial], rows: 64 };
        let mut tally = Tally::new(2);
        assert!(!tally.is_under(&under(1)));
        tally.prepare(&[7]);
        tally.follow(0, &[7], Codes::Narrow(&codes));
        tally.conclude(under(1));
        // Counts that came another way do not outlive the return to that mask.
        tally.give(vec![9, 9, 0]);
        assert!(!tally.is_under(&under(2)));
        assert_eq!(tally.counts(), [9, 9]);
        assert!(tally.is_under(&under(1)));
        assert_eq!(tally.counts(), [0, 3]);
        // One that was not followed to its end is not known.
        tally.prepare(&[1]);
        assert!(!tally.is_under(&under(1)));
    }

    #[test]
    fn blocks_are_followed_one_by_one() {
        let codes = vec![1_u16; 128];
        let mask = Mask::all(256);
        let mut tally = Tally::new(2);
        tally.prepare(mask.words());
        tally.follow(0, &mask.words()[..2], Codes::Narrow(&codes));
        assert_eq!(tally.counts(), [0, 128]);
        tally.follow(2, &mask.words()[2..], Codes::Narrow(&codes));
        assert_eq!(tally.counts(), [0, 256]);
        tally.grow(3);
        assert_eq!(tally.counts(), [0, 256, 0]);
    }
}
