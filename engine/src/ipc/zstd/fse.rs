//! Finite state entropy: table descriptions → decoding tables (RFC 8878, section 4.1).

use super::Corrupt;
use super::bits::{BackwardBits, ForwardBits};

/// One state: the symbol it stands for, and where its bits lead.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    pub(super) symbol: u8,
    pub(super) n_bits: u8,
    pub(super) base: u16,
}

/// A decoding table. Its size is a power of two that every state number is below.
#[derive(Clone, Default)]
pub(super) struct FseTable {
    states: Vec<State>,
    accuracy_log: u32,
}

/// Probability of a symbol that is less likely than one in the table's size.
const RARE: i16 = -1;

impl FseTable {
    /// Reads a table description; answers the table and what follows it.
    pub(super) fn read(
        bytes: &[u8],
        accuracy_log_max: u32,
        symbol_max: usize,
    ) -> Result<(Self, &[u8]), Corrupt> {
        const BAD: Corrupt = "a zstd table description is corrupt";
        let mut bits = ForwardBits::new(bytes);
        let accuracy_log = bits.read(4)? + 5;
        if accuracy_log > accuracy_log_max {
            return Err("a zstd table is over its size");
        }
        let mut probabilities = Vec::with_capacity(symbol_max + 1);
        let mut left: u32 = 1 << accuracy_log;
        while left > 0 {
            // A value needs as many bits as left + 1 has, or one less where it is small.
            let n_bits = (left + 1).ilog2() + 1;
            let word = bits.peek(n_bits);
            let low = word & ((1 << (n_bits - 1)) - 1);
            let threshold = (1 << n_bits) - 1 - (left + 1);
            let value = if low < threshold {
                bits.consume(n_bits - 1)?;
                low
            } else {
                bits.consume(n_bits)?;
                if word >> (n_bits - 1) == 1 { word - threshold } else { word }
            };
            let probability = i16::try_from(value).map_err(|_| BAD)? - 1;
            left = left.checked_sub(u32::from(probability.unsigned_abs())).ok_or(BAD)?;
            probabilities.push(probability);
            if probability == 0 {
                loop {
                    let n_zeros = bits.read(2)?;
                    probabilities.extend((0..n_zeros).map(|_| 0));
                    if n_zeros < 3 || probabilities.len() > symbol_max + 1 {
                        break;
                    }
                }
            }
            if probabilities.len() > symbol_max + 1 {
                return Err("a zstd table has too many symbols");
            }
        }
        Ok((Self::from_probabilities(&probabilities, accuracy_log)?, bits.rest()))
    }

    pub(super) fn from_probabilities(
        probabilities: &[i16],
        accuracy_log: u32,
    ) -> Result<Self, Corrupt> {
        const BAD: Corrupt = "a zstd table does not add up";
        let size = 1_usize << accuracy_log;
        let mut states = vec![State::default(); size];
        // Rare symbols take the last states, one each; the others are strewn over the rest.
        let mut end = size;
        for (symbol, _) in probabilities.iter().enumerate().filter(|(_, p)| **p == RARE) {
            end = end.checked_sub(1).ok_or(BAD)?;
            states.get_mut(end).ok_or(BAD)?.symbol = u8::try_from(symbol).map_err(|_| BAD)?;
        }
        let step = (size >> 1) + (size >> 3) + 3;
        let mut position = 0;
        for (symbol, probability) in probabilities.iter().enumerate() {
            for _ in 0..(*probability).max(0) {
                states.get_mut(position).ok_or(BAD)?.symbol =
                    u8::try_from(symbol).map_err(|_| BAD)?;
                position = (position + step) & (size - 1);
                while position >= end && end > 0 {
                    position = (position + step) & (size - 1);
                }
            }
        }
        if position != 0 {
            return Err(BAD);
        }
        let mut next: Vec<u32> =
            probabilities.iter().map(|p| u32::from(p.unsigned_abs())).collect();
        for state in &mut states {
            let next = next.get_mut(usize::from(state.symbol)).ok_or(BAD)?;
            let n_bits = accuracy_log.checked_sub(next.checked_ilog2().ok_or(BAD)?).ok_or(BAD)?;
            state.n_bits = n_bits as u8;
            state.base = u16::try_from((*next << n_bits) - size as u32).map_err(|_| BAD)?;
            *next += 1;
        }
        Ok(Self { states, accuracy_log })
    }

    /// A table of one symbol, which takes no bits.
    pub(super) fn of_one_symbol(symbol: u8) -> Self {
        Self { states: vec![State { symbol, n_bits: 0, base: 0 }], accuracy_log: 0 }
    }

    pub(super) fn states(&self) -> &[State] {
        &self.states
    }

    pub(super) fn accuracy_log(&self) -> u32 {
        self.accuracy_log
    }

    /// The first state of a stream.
    pub(super) fn start(&self, bits: &mut BackwardBits<'_>) -> usize {
        bits.read(self.accuracy_log) as usize
    }

    pub(super) fn symbol(&self, state: usize) -> Result<u8, Corrupt> {
        self.states.get(state).map(|state| state.symbol).ok_or("a zstd state does not exist")
    }

    /// The state after `state`, and the bits it took.
    pub(super) fn step(&self, state: usize, bits: &mut BackwardBits<'_>) -> usize {
        let state = self.states.get(state).copied().unwrap_or_default();
        usize::from(state.base) + bits.read(u32::from(state.n_bits)) as usize
    }
}
