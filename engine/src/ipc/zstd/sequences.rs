//! The sequences of a block: so many literals, then a match of so many bytes so far back
//! (RFC 8878, sections 3.1.1.3.2 and 3.1.1.4).

use super::bits::BackwardBits;
use super::fse::FseTable;
use super::{Corrupt, Output};

const CUT: Corrupt = "the sequences of a zstd block are cut";
/// Bits that a window of the bit stream surely holds.
const WINDOW_BITS: u32 = 56;

/// The three kinds of codes: how their tables are limited and what stands in for them.
struct Kind {
    accuracy_log_max: u32,
    symbol_max: usize,
    codes: &'static [(u32, u8)],
    default: &'static [i16],
    default_accuracy_log: u32,
}

const LITERAL_LENGTHS: Kind = Kind {
    accuracy_log_max: 9,
    symbol_max: 35,
    codes: &LITERAL_LENGTH_CODES,
    default: &[
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1,
        1, 1, -1, -1, -1, -1,
    ],
    default_accuracy_log: 6,
};

const OFFSETS: Kind = Kind {
    accuracy_log_max: 8,
    symbol_max: 31,
    codes: &OFFSET_CODES,
    default: &[
        1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
    ],
    default_accuracy_log: 5,
};

const MATCH_LENGTHS: Kind = Kind {
    accuracy_log_max: 9,
    symbol_max: 52,
    codes: &MATCH_LENGTH_CODES,
    default: &[
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
    default_accuracy_log: 6,
};

/// Extra bits of each literal length code; from 16 on, before it the code is the length.
const LITERAL_LENGTH_BITS: [u8; 20] =
    [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
/// Extra bits of each match length code; from 32 on, before it the length is code + 3.
const MATCH_LENGTH_BITS: [u8; 21] =
    [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// The least number that each code stands for, and how many bits come on top.
type Codes = [(u32, u8); 64];

const LITERAL_LENGTH_CODES: Codes = lengths(16, 0, &LITERAL_LENGTH_BITS);
const MATCH_LENGTH_CODES: Codes = lengths(32, 3, &MATCH_LENGTH_BITS);
const OFFSET_CODES: Codes = powers();

/// Codes below `n_plain` are lengths from `least` on, the others lie end to end after them.
const fn lengths(n_plain: usize, least: u32, extra_bits: &[u8]) -> Codes {
    let mut codes = [(0, 0); 64];
    let mut length = least;
    let mut code = 0;
    while code < n_plain + extra_bits.len() {
        let n_bits = if code < n_plain { 0 } else { extra_bits[code - n_plain] };
        codes[code] = (length, n_bits);
        length += 1 << n_bits;
        code += 1;
    }
    codes
}

/// An offset code is the number of bits after the highest.
const fn powers() -> Codes {
    let mut codes = [(0, 0); 64];
    let mut code = 0;
    while code < 32 {
        codes[code] = (1 << code, code as u8);
        code += 1;
    }
    codes
}

/// A state of one of the three tables, with what its symbol stands for.
#[derive(Clone, Copy, Default)]
struct State {
    least: u32,
    n_extra_bits: u8,
    n_bits: u8,
    base: u16,
}

/// The largest table.
const STATES: usize = 512;

/// A decoding table, whose states are all below its size.
struct Table {
    states: Box<[State; STATES]>,
    accuracy_log: u32,
}

impl Table {
    fn new(table: &FseTable, codes: &[(u32, u8)]) -> Result<Self, Corrupt> {
        let mut states = Box::new([State::default(); STATES]);
        for (state, from) in states.iter_mut().zip(table.states()) {
            let code = codes.get(usize::from(from.symbol)).copied();
            let (least, n_extra_bits) = code.ok_or("a zstd code does not exist")?;
            *state = State { least, n_extra_bits, n_bits: from.n_bits, base: from.base };
        }
        Ok(Self { states, accuracy_log: table.accuracy_log() })
    }

    #[inline(always)]
    fn state(&self, idx: usize) -> State {
        // The mask changes nothing, but shows that the index is in bounds.
        self.states[idx & (STATES - 1)]
    }
}

/// What one block leaves to the next: tables that may be reused, and the last offsets.
pub(super) struct Sequences {
    literal_lengths: Option<Table>,
    offsets: Option<Table>,
    match_lengths: Option<Table>,
    recent: [usize; 3],
}

impl Default for Sequences {
    fn default() -> Self {
        Self { literal_lengths: None, offsets: None, match_lengths: None, recent: [1, 4, 8] }
    }
}

struct Sequence {
    n_literals: usize,
    n_match: usize,
    offset_value: u32,
}

impl Sequences {
    /// Reads the sequences in `section` and writes what they say to `output`.
    pub(super) fn execute(
        &mut self,
        section: &[u8],
        mut literals: &[u8],
        output: &mut Output<'_>,
    ) -> Result<(), Corrupt> {
        let (n_sequences, rest) = read_count(section)?;
        if n_sequences == 0 {
            return if rest.is_empty() {
                output.push(literals)
            } else {
                Err("bytes follow a zstd block without sequences")
            };
        }
        let stream = self.read_tables(rest)?;
        let mut reader = Reader::new(self, stream)?;
        let mut recent = self.recent;
        for idx in 0..n_sequences {
            let sequence = reader.next(idx + 1 == n_sequences);
            output.push_first(literals, sequence.n_literals)?;
            literals =
                literals.get(sequence.n_literals..).ok_or("a zstd block has too few literals")?;
            let offset =
                offset_from_value(sequence.offset_value, sequence.n_literals == 0, &mut recent)?;
            output.repeat(offset, sequence.n_match)?;
        }
        reader.bits.check_used_up()?;
        self.recent = recent;
        output.push(literals)
    }

    /// Reads the tables in front of the sequences; answers their bit stream.
    fn read_tables<'a>(&mut self, section: &'a [u8]) -> Result<&'a [u8], Corrupt> {
        let (&modes, rest) = section.split_first().ok_or(CUT)?;
        if modes & 0x03 != 0 {
            return Err("a zstd block with an unknown kind of table");
        }
        let rest = read_table(&mut self.literal_lengths, modes >> 6, &LITERAL_LENGTHS, rest)?;
        let rest = read_table(&mut self.offsets, (modes >> 4) & 0x03, &OFFSETS, rest)?;
        read_table(&mut self.match_lengths, (modes >> 2) & 0x03, &MATCH_LENGTHS, rest)
    }
}

fn read_count(section: &[u8]) -> Result<(usize, &[u8]), Corrupt> {
    match *section {
        [first, ref rest @ ..] if first < 128 => Ok((usize::from(first), rest)),
        [255, low, high, ref rest @ ..] => {
            Ok((usize::from(u16::from_le_bytes([low, high])) + 0x7F00, rest))
        }
        [first, second, ref rest @ ..] if first < 255 => {
            Ok(((usize::from(first) - 128) * 256 + usize::from(second), rest))
        }
        _ => Err(CUT),
    }
}

fn read_table<'a>(
    table: &mut Option<Table>,
    mode: u8,
    kind: &Kind,
    bytes: &'a [u8],
) -> Result<&'a [u8], Corrupt> {
    let (read, rest) = match mode {
        0 => (FseTable::from_probabilities(kind.default, kind.default_accuracy_log)?, bytes),
        1 => {
            let (&symbol, rest) = bytes.split_first().ok_or(CUT)?;
            if usize::from(symbol) > kind.symbol_max {
                return Err("a zstd table of a symbol that does not exist");
            }
            (FseTable::of_one_symbol(symbol), rest)
        }
        2 => FseTable::read(bytes, kind.accuracy_log_max, kind.symbol_max)?,
        _ if table.is_some() => return Ok(bytes),
        _ => return Err("a zstd block reuses a table of none"),
    };
    *table = Some(Table::new(&read, kind.codes)?);
    Ok(rest)
}

/// Three states that advance over one bit stream.
struct Reader<'t, 'b> {
    literal_lengths: &'t Table,
    offsets: &'t Table,
    match_lengths: &'t Table,
    literal_length: State,
    offset: State,
    match_length: State,
    bits: BackwardBits<'b>,
}

impl<'t, 'b> Reader<'t, 'b> {
    fn new(tables: &'t Sequences, stream: &'b [u8]) -> Result<Self, Corrupt> {
        let (Some(literal_lengths), Some(offsets), Some(match_lengths)) =
            (&tables.literal_lengths, &tables.offsets, &tables.match_lengths)
        else {
            return Err(CUT);
        };
        let mut bits = BackwardBits::new(stream)?;
        let mut first = |table: &Table| table.state(bits.read(table.accuracy_log) as usize);
        let literal_length = first(literal_lengths);
        let offset = first(offsets);
        let match_length = first(match_lengths);
        Ok(Self {
            literal_lengths,
            offsets,
            match_lengths,
            literal_length,
            offset,
            match_length,
            bits,
        })
    }

    #[inline(always)]
    fn next(&mut self, is_last: bool) -> Sequence {
        let n_extra = [self.offset, self.match_length, self.literal_length]
            .map(|state| u32::from(state.n_extra_bits));
        let [offset, match_length, literal_length] = self.read_numbers(n_extra);
        let sequence = Sequence {
            n_literals: (self.literal_length.least + literal_length) as usize,
            n_match: (self.match_length.least + match_length) as usize,
            offset_value: self.offset.least + offset,
        };
        if !is_last {
            let states = [self.literal_length, self.match_length, self.offset];
            let steps = self.read_numbers(states.map(|state| u32::from(state.n_bits)));
            let next = |state: State, step: u32| usize::from(state.base) + step as usize;
            self.literal_length = self.literal_lengths.state(next(states[0], steps[0]));
            self.match_length = self.match_lengths.state(next(states[1], steps[1]));
            self.offset = self.offsets.state(next(states[2], steps[2]));
        }
        sequence
    }

    /// Three numbers of so many bits, out of one window where they fit.
    #[inline(always)]
    fn read_numbers(&mut self, n_bits: [u32; 3]) -> [u32; 3] {
        let n_all = n_bits[0] + n_bits[1] + n_bits[2];
        if n_all > WINDOW_BITS {
            return n_bits.map(|n| self.bits.read(n));
        }
        let window = self.bits.window();
        self.bits.consume(n_all);
        // Two shifts, because one by all 64 bits would overflow.
        let top = |window: u64, n: u32| ((window >> 1) >> (63 - n)) as u32;
        let second = window << n_bits[0];
        let third = second << n_bits[1];
        [top(window, n_bits[0]), top(second, n_bits[1]), top(third, n_bits[2])]
    }
}

/// The offset that a value means: the least values name recent offsets.
#[inline(always)]
fn offset_from_value(
    value: u32,
    is_without_literals: bool,
    recent: &mut [usize; 3],
) -> Result<usize, Corrupt> {
    let [first, second, third] = *recent;
    let (offset, kept) = match (value, is_without_literals) {
        (1, false) => return Ok(first),
        (2, false) | (1, true) => (second, [first, third]),
        (3, false) | (2, true) => (third, [first, second]),
        (3, true) => (first.saturating_sub(1), [first, second]),
        (value, _) => (value.saturating_sub(3) as usize, [first, second]),
    };
    if offset == 0 {
        return Err("a zstd offset of zero");
    }
    *recent = [offset, kept[0], kept[1]];
    Ok(offset)
}
