//! Stable sorting of row numbers by words, digit by digit, in steps.

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// A sort under way. Words and rows lie side by side, so that passes read in sequence.
pub(super) struct Radix {
    pairs: Vec<(u64, u32)>,
    spare: Vec<(u64, u32)>,
    /// Where the next pair of each digit goes; counts while they are counted.
    starts: Vec<u32>,
    low: u64,
    high: u64,
    phase: Phase,
    /// The next pair that the phase has to see.
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Gather,
    Count { shift: u32 },
    Scatter { shift: u32 },
    Emit,
    Done,
}

impl Radix {
    pub(super) fn new() -> Self {
        let starts = vec![0; DIGITS];
        let (pairs, spare) = (Vec::new(), Vec::new());
        Self { pairs, spare, starts, low: u64::MAX, high: 0, phase: Phase::Gather, at: 0 }
    }

    /// Works on about `budget` rows more and tells whether `order` is in order of the
    /// words; equal words keep their order. Until then `order` and words stay as they are.
    pub(super) fn step(
        &mut self,
        order: &mut [u32],
        word: impl Fn(u32) -> u64,
        budget: usize,
    ) -> bool {
        let mut left = budget.max(1);
        while left > 0 && self.phase != Phase::Done {
            let end = self.at.saturating_add(left).min(order.len());
            left -= end - self.at;
            match self.phase {
                Phase::Gather => self.gather(order.get(self.at..end).unwrap_or_default(), &word),
                Phase::Count { shift } => self.count(shift, end),
                Phase::Scatter { shift } => self.scatter(shift, end),
                Phase::Emit => {
                    let sorted = self.pairs.get(self.at..end).unwrap_or_default();
                    let places = order.get_mut(self.at..end).unwrap_or_default();
                    places.iter_mut().zip(sorted).for_each(|(place, (_, row))| *place = *row);
                }
                Phase::Done => {}
            }
            self.at = end;
            if end == order.len() {
                self.at = 0;
                self.phase = self.next_phase();
            }
        }
        self.phase == Phase::Done
    }

    fn next_phase(&mut self) -> Phase {
        match self.phase {
            Phase::Gather if self.low >= self.high => Phase::Done,
            Phase::Gather => {
                self.spare = vec![(0, 0); self.pairs.len()];
                Phase::Count { shift: 0 }
            }
            // A digit that all words share puts nothing in order.
            Phase::Count { shift } if self.is_shared() => self.next_digit(shift),
            Phase::Count { shift } => {
                let mut start = 0;
                for count in &mut self.starts {
                    start += std::mem::replace(count, start);
                }
                Phase::Scatter { shift }
            }
            Phase::Scatter { shift } => {
                std::mem::swap(&mut self.pairs, &mut self.spare);
                self.next_digit(shift)
            }
            Phase::Emit | Phase::Done => Phase::Done,
        }
    }

    fn next_digit(&mut self, shift: u32) -> Phase {
        self.starts.fill(0);
        let shift = shift + DIGIT_BITS;
        // Counted from the lowest, words of a narrow range have few digits.
        let has_more = shift < u64::BITS && (self.high - self.low) >> shift > 0;
        if has_more { Phase::Count { shift } } else { Phase::Emit }
    }

    fn is_shared(&self) -> bool {
        self.starts.iter().any(|count| *count as usize == self.pairs.len())
    }

    fn gather(&mut self, rows: &[u32], word: &impl Fn(u32) -> u64) {
        for row in rows {
            let word = word(*row);
            self.low = self.low.min(word);
            self.high = self.high.max(word);
            self.pairs.push((word, *row));
        }
    }

    fn count(&mut self, shift: u32, end: usize) {
        for (word, _) in self.pairs.get(self.at..end).unwrap_or_default() {
            if let Some(count) = self.starts.get_mut(digit(*word - self.low, shift)) {
                *count += 1;
            }
        }
    }

    fn scatter(&mut self, shift: u32, end: usize) {
        for pair in self.pairs.get(self.at..end).unwrap_or_default() {
            let Some(start) = self.starts.get_mut(digit(pair.0 - self.low, shift)) else {
                continue;
            };
            if let Some(place) = self.spare.get_mut(*start as usize) {
                *place = *pair;
            }
            *start += 1;
        }
    }
}

#[inline]
fn digit(word: u64, shift: u32) -> usize {
    (word >> shift) as usize % DIGITS
}

/// Puts rows in the order of their words, at once.
pub(super) fn sort_by_words(order: &mut [u32], words: &[u64]) {
    let word = |row: u32| words.get(row as usize).copied().unwrap_or_default();
    let mut radix = Radix::new();
    while !radix.step(order, word, usize::MAX) {}
}
