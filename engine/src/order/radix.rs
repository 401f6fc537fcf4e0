//! Stable sorting of row numbers by words, digit by digit, in steps.

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// A sort under way. Words and rows lie side by side, so that passes read in sequence.
pub(super) struct Radix {
    /// Bits that only some words have.
    varying: u64,
    first: Option<u64>,
    low: u64,
    high: u64,
    pairs: Pairs,
    /// Where the next pair of each digit goes; counts while they are counted.
    starts: Vec<u32>,
    phase: Phase,
    /// The next pair that the phase has to see.
    at: usize,
}

/// Words and rows, and as much room again. Words that differ in few bits, as those of most
/// columns do, share 64 bits with their rows: half the memory to move.
enum Pairs {
    Narrow([Vec<u64>; 2]),
    Wide([Vec<(u64, u32)>; 2]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Measure,
    Gather,
    Count { shift: u32 },
    Scatter { shift: u32 },
    Emit,
    Done,
}

impl Radix {
    pub(super) fn new() -> Self {
        Self {
            varying: 0,
            first: None,
            low: u64::MAX,
            high: 0,
            pairs: Pairs::Narrow([Vec::new(), Vec::new()]),
            starts: vec![0; DIGITS],
            phase: Phase::Measure,
            at: 0,
        }
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
            let rows = order.get_mut(self.at..end).unwrap_or_default();
            match (self.phase, &mut self.pairs) {
                (Phase::Measure, _) => self.measure(rows, &word),
                (Phase::Gather, pairs) => {
                    let (low, shift) = (self.low, self.varying.trailing_zeros());
                    let reduced = |row: u32| word(row).wrapping_sub(low) >> shift;
                    match pairs {
                        Pairs::Narrow([pairs, _]) => gather(pairs, rows, reduced),
                        Pairs::Wide([pairs, _]) => gather(pairs, rows, reduced),
                    }
                }
                (Phase::Count { shift }, Pairs::Narrow([pairs, _])) => {
                    count(pairs.get(self.at..end), shift, &mut self.starts);
                }
                (Phase::Count { shift }, Pairs::Wide([pairs, _])) => {
                    count(pairs.get(self.at..end), shift, &mut self.starts);
                }
                (Phase::Scatter { shift }, Pairs::Narrow([pairs, spare])) => {
                    scatter(pairs.get(self.at..end), shift, &mut self.starts, spare);
                }
                (Phase::Scatter { shift }, Pairs::Wide([pairs, spare])) => {
                    scatter(pairs.get(self.at..end), shift, &mut self.starts, spare);
                }
                (Phase::Emit, Pairs::Narrow([pairs, _])) => emit(pairs.get(self.at..end), rows),
                (Phase::Emit, Pairs::Wide([pairs, _])) => emit(pairs.get(self.at..end), rows),
                (Phase::Done, _) => {}
            }
            self.at = end;
            if end == order.len() {
                self.at = 0;
                self.phase = self.next_phase(order.len());
            }
        }
        self.phase == Phase::Done
    }

    fn next_phase(&mut self, rows: usize) -> Phase {
        match self.phase {
            Phase::Measure if self.low >= self.high => Phase::Done,
            Phase::Measure => {
                self.pairs = match self.widest() <= u64::from(u32::MAX) {
                    true => Pairs::Narrow([Vec::with_capacity(rows), Vec::new()]),
                    false => Pairs::Wide([Vec::with_capacity(rows), Vec::new()]),
                };
                Phase::Gather
            }
            Phase::Gather => {
                match &mut self.pairs {
                    Pairs::Narrow([pairs, spare]) => *spare = vec![0; pairs.len()],
                    Pairs::Wide([pairs, spare]) => *spare = vec![(0, 0); pairs.len()],
                }
                Phase::Count { shift: 0 }
            }
            // A digit that all words share puts nothing in order.
            Phase::Count { shift } if self.is_shared(rows) => self.next_digit(shift),
            Phase::Count { shift } => {
                let mut start = 0;
                for count in &mut self.starts {
                    start += std::mem::replace(count, start);
                }
                Phase::Scatter { shift }
            }
            Phase::Scatter { shift } => {
                match &mut self.pairs {
                    Pairs::Narrow(both) => both.swap(0, 1),
                    Pairs::Wide(both) => both.swap(0, 1),
                }
                self.next_digit(shift)
            }
            Phase::Emit | Phase::Done => Phase::Done,
        }
    }

    /// The largest of the words once they are counted from the lowest, in steps of their
    /// lowest varying bit.
    fn widest(&self) -> u64 {
        (self.high - self.low) >> self.varying.trailing_zeros()
    }

    fn next_digit(&mut self, shift: u32) -> Phase {
        self.starts.fill(0);
        let shift = shift + DIGIT_BITS;
        let has_more = shift < u64::BITS && self.widest() >> shift > 0;
        if has_more { Phase::Count { shift } } else { Phase::Emit }
    }

    fn is_shared(&self, rows: usize) -> bool {
        self.starts.iter().any(|count| *count as usize == rows)
    }

    fn measure(&mut self, rows: &[u32], word: &impl Fn(u32) -> u64) {
        for row in rows {
            let word = word(*row);
            self.varying |= word ^ *self.first.get_or_insert(word);
            self.low = self.low.min(word);
            self.high = self.high.max(word);
        }
    }
}

/// A word and its row.
trait Pair: Copy {
    fn of(word: u64, row: u32) -> Self;
    fn word(self) -> u64;
    fn row(self) -> u32;
}

impl Pair for u64 {
    fn of(word: u64, row: u32) -> Self {
        word << 32 | u64::from(row)
    }

    fn word(self) -> u64 {
        self >> 32
    }

    fn row(self) -> u32 {
        self as u32
    }
}

impl Pair for (u64, u32) {
    fn of(word: u64, row: u32) -> Self {
        (word, row)
    }

    fn word(self) -> u64 {
        self.0
    }

    fn row(self) -> u32 {
        self.1
    }
}

fn gather<P: Pair>(pairs: &mut Vec<P>, rows: &[u32], word: impl Fn(u32) -> u64) {
    pairs.extend(rows.iter().map(|row| P::of(word(*row), *row)));
}

fn count<P: Pair>(pairs: Option<&[P]>, shift: u32, starts: &mut [u32]) {
    for pair in pairs.unwrap_or_default() {
        if let Some(count) = starts.get_mut(digit(pair.word(), shift)) {
            *count += 1;
        }
    }
}

fn scatter<P: Pair>(pairs: Option<&[P]>, shift: u32, starts: &mut [u32], spare: &mut [P]) {
    for pair in pairs.unwrap_or_default() {
        let Some(start) = starts.get_mut(digit(pair.word(), shift)) else { continue };
        if let Some(place) = spare.get_mut(*start as usize) {
            *place = *pair;
        }
        *start += 1;
    }
}

fn emit<P: Pair>(sorted: Option<&[P]>, rows: &mut [u32]) {
    let sorted = sorted.unwrap_or_default();
    rows.iter_mut().zip(sorted).for_each(|(place, pair)| *place = pair.row());
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
