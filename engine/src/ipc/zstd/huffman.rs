//! The literals of a block: stored, repeated, or Huffman-coded in one or four streams
//! (RFC 8878, sections 3.1.1.3.1 and 4.2).

use super::bits::BackwardBits;
use super::fse::FseTable;
use super::{BLOCK_BYTES_MAX, Corrupt};

/// The longest code.
const CODE_BITS_MAX: u32 = 11;
/// Codes that a window of the bit stream surely holds.
const CODES_PER_WINDOW: usize = 5;
const WEIGHTS_MAX: usize = 255;
const CUT: Corrupt = "the literals of a zstd block are cut";

/// The literals of the block at hand, and the table that the next block may reuse.
#[derive(Default)]
pub(super) struct Literals {
    bytes: Vec<u8>,
    table: Option<HuffmanTable>,
}

enum Coding {
    Stored,
    Repeated,
    Huffman { is_table_reused: bool },
}

struct Section {
    coding: Coding,
    /// Length once decoded, and as it stands in the block.
    n_literals: usize,
    n_bytes: usize,
    n_streams: usize,
}

impl Literals {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the literals at the start of a block; answers what follows them.
    pub(super) fn read<'a>(&mut self, block: &'a [u8]) -> Result<&'a [u8], Corrupt> {
        let (section, rest) = Section::read(block)?;
        if section.n_literals > BLOCK_BYTES_MAX {
            return Err("a zstd block has too many literals");
        }
        let (bytes, rest) = rest.split_at_checked(section.n_bytes).ok_or(CUT)?;
        self.bytes.clear();
        match (section.coding, bytes) {
            (Coding::Stored, bytes) => self.bytes.extend_from_slice(bytes),
            (Coding::Repeated, &[byte]) => self.bytes.resize(section.n_literals, byte),
            (Coding::Repeated, _) => return Err(CUT),
            (Coding::Huffman { is_table_reused }, mut bytes) => {
                if !is_table_reused {
                    let (table, after) = HuffmanTable::read(bytes)?;
                    self.table = Some(table);
                    bytes = after;
                }
                let table = self.table.as_ref().ok_or("a zstd block reuses a table of none")?;
                self.bytes.resize(section.n_literals, 0);
                if section.n_streams == 1 {
                    table.decode(bytes, &mut self.bytes)?;
                } else {
                    table.decode_four(bytes, &mut self.bytes)?;
                }
            }
        }
        Ok(rest)
    }
}

impl Section {
    fn read(block: &[u8]) -> Result<(Self, &[u8]), Corrupt> {
        let first = *block.first().ok_or(CUT)?;
        let format = (first >> 2) & 0x03;
        let coding = match first & 0x03 {
            0 => Coding::Stored,
            1 => Coding::Repeated,
            2 => Coding::Huffman { is_table_reused: false },
            _ => Coding::Huffman { is_table_reused: true },
        };
        let is_plain = matches!(coding, Coding::Stored | Coding::Repeated);
        // Bytes of the header, bits before the lengths, and bits of each length.
        let (n_header, n_skip, n_size_bits) = match (is_plain, format) {
            (true, 0 | 2) => (1, 3, 5),
            (true, 1) => (2, 4, 12),
            (true, _) => (3, 4, 20),
            (false, 0 | 1) => (3, 4, 10),
            (false, 2) => (4, 4, 14),
            (false, _) => (5, 4, 18),
        };
        let (header, rest) = block.split_at_checked(n_header).ok_or(CUT)?;
        let lengths = super::little_endian(header) >> n_skip;
        let mask = (1_u64 << n_size_bits) - 1;
        let n_literals = (lengths & mask) as usize;
        let n_bytes = match coding {
            Coding::Stored => n_literals,
            Coding::Repeated => 1,
            Coding::Huffman { .. } => ((lengths >> n_size_bits) & mask) as usize,
        };
        let n_streams = if format == 0 { 1 } else { 4 };
        Ok((Self { coding, n_literals, n_bytes, n_streams }, rest))
    }
}

/// What the next bits of a stream stand for.
#[derive(Clone, Copy, Default)]
struct Code {
    symbol: u8,
    n_bits: u8,
}

/// Indexed by the next `n_bits` bits.
struct HuffmanTable {
    codes: Vec<Code>,
    n_bits: u32,
}

impl HuffmanTable {
    /// Reads a tree description; answers the table and what follows it.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Corrupt> {
        let (&header, rest) = bytes.split_first().ok_or(CUT)?;
        let mut weights = Vec::with_capacity(WEIGHTS_MAX + 1);
        let rest = if header < 128 {
            let (coded, rest) = rest.split_at_checked(usize::from(header)).ok_or(CUT)?;
            read_coded_weights(coded, &mut weights)?;
            rest
        } else {
            let n_weights = usize::from(header) - 127;
            let (packed, rest) = rest.split_at_checked(n_weights.div_ceil(2)).ok_or(CUT)?;
            weights.extend(packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]));
            weights.truncate(n_weights);
            rest
        };
        Ok((Self::from_weights(weights)?, rest))
    }

    /// The last weight is not written: it is what completes a power of two.
    fn from_weights(mut weights: Vec<u8>) -> Result<Self, Corrupt> {
        const BAD: Corrupt = "a zstd literals table is corrupt";
        if weights.iter().any(|weight| u32::from(*weight) > CODE_BITS_MAX) {
            return Err(BAD);
        }
        let sum: u32 = weights.iter().filter(|w| **w > 0).map(|w| 1_u32 << (w - 1)).sum();
        let n_bits = sum.checked_ilog2().ok_or(BAD)? + 1;
        let missing = (1_u32 << n_bits) - sum;
        if n_bits > CODE_BITS_MAX || !missing.is_power_of_two() {
            return Err(BAD);
        }
        weights.push(missing.ilog2() as u8 + 1);
        let mut codes = Vec::with_capacity(1 << n_bits);
        for weight in 1..=n_bits as u8 {
            let n_code_bits = n_bits as u8 + 1 - weight;
            for (symbol, _) in weights.iter().enumerate().filter(|(_, w)| **w == weight) {
                let symbol = u8::try_from(symbol).map_err(|_| BAD)?;
                let code = Code { symbol, n_bits: n_code_bits };
                codes.resize(codes.len() + (1 << (weight - 1)), code);
            }
        }
        if codes.len() == 1 << n_bits { Ok(Self { codes, n_bits }) } else { Err(BAD) }
    }

    #[inline]
    fn code(&self, window: u64) -> Code {
        self.codes.get((window >> (64 - self.n_bits)) as usize).copied().unwrap_or_default()
    }

    /// Decodes one stream, which must fill `output` exactly.
    fn decode(&self, stream: &[u8], output: &mut [u8]) -> Result<(), Corrupt> {
        let mut bits = BackwardBits::new(stream)?;
        for symbols in output.chunks_mut(CODES_PER_WINDOW) {
            let mut window = bits.window();
            let mut n_used = 0;
            for symbol in symbols {
                let code = self.code(window);
                *symbol = code.symbol;
                window <<= code.n_bits;
                n_used += u32::from(code.n_bits);
            }
            bits.consume(n_used);
        }
        bits.check_used_up()
    }

    /// Decodes four streams, each a quarter of `output`; side by side, because each alone
    /// waits for its own last symbol.
    fn decode_four(&self, bytes: &[u8], output: &mut [u8]) -> Result<(), Corrupt> {
        let (jumps, bytes) = bytes.split_first_chunk::<6>().ok_or(CUT)?;
        let [a0, a1, b0, b1, c0, c1] = *jumps;
        let (first, rest) = split_stream(bytes, [a0, a1])?;
        let (second, rest) = split_stream(rest, [b0, b1])?;
        let (third, fourth) = split_stream(rest, [c0, c1])?;
        let quarter = output.len().div_ceil(4);
        let too_few = "a zstd block has too few literals for four streams";
        let (out_first, rest) = output.split_at_mut_checked(quarter).ok_or(too_few)?;
        let (out_second, rest) = rest.split_at_mut_checked(quarter).ok_or(too_few)?;
        let (out_third, out_fourth) = rest.split_at_mut_checked(quarter).ok_or(too_few)?;
        let mut lanes = [
            Lane {
                bits: BackwardBits::new(first)?,
                output: out_first.chunks_exact_mut(CODES_PER_WINDOW),
            },
            Lane {
                bits: BackwardBits::new(second)?,
                output: out_second.chunks_exact_mut(CODES_PER_WINDOW),
            },
            Lane {
                bits: BackwardBits::new(third)?,
                output: out_third.chunks_exact_mut(CODES_PER_WINDOW),
            },
            Lane {
                bits: BackwardBits::new(fourth)?,
                output: out_fourth.chunks_exact_mut(CODES_PER_WINDOW),
            },
        ];
        loop {
            let mut is_done = true;
            for lane in &mut lanes {
                is_done &= !lane.step(self);
            }
            if is_done {
                break;
            }
        }
        lanes.into_iter().try_for_each(|lane| lane.finish(self))
    }
}

fn split_stream(bytes: &[u8], n_bytes: [u8; 2]) -> Result<(&[u8], &[u8]), Corrupt> {
    bytes.split_at_checked(usize::from(u16::from_le_bytes(n_bytes))).ok_or(CUT)
}

/// One of four streams on its way.
struct Lane<'a> {
    bits: BackwardBits<'a>,
    output: std::slice::ChunksExactMut<'a, u8>,
}

impl Lane<'_> {
    /// Decodes one window's worth; false once less than that is left.
    #[inline]
    fn step(&mut self, table: &HuffmanTable) -> bool {
        let Some(symbols) = self.output.next() else { return false };
        let mut window = self.bits.window();
        let mut n_used = 0;
        for symbol in symbols {
            let code = table.code(window);
            *symbol = code.symbol;
            window <<= code.n_bits;
            n_used += u32::from(code.n_bits);
        }
        self.bits.consume(n_used);
        true
    }

    fn finish(mut self, table: &HuffmanTable) -> Result<(), Corrupt> {
        for symbol in self.output.into_remainder() {
            let code = table.code(self.bits.window());
            *symbol = code.symbol;
            self.bits.consume(u32::from(code.n_bits));
        }
        self.bits.check_used_up()
    }
}

/// Weights are symbols of two interleaved states, until the bits run out.
fn read_coded_weights(bytes: &[u8], weights: &mut Vec<u8>) -> Result<(), Corrupt> {
    const ACCURACY_LOG_MAX: u32 = 6;
    let (table, stream) = FseTable::read(bytes, ACCURACY_LOG_MAX, WEIGHTS_MAX)?;
    let mut bits = BackwardBits::new(stream)?;
    let mut state = table.start(&mut bits);
    let mut other = table.start(&mut bits);
    if bits.n_left() < 0 {
        return Err(CUT);
    }
    loop {
        weights.push(table.symbol(state)?);
        state = table.step(state, &mut bits);
        if bits.n_left() < 0 {
            weights.push(table.symbol(other)?);
            break;
        }
        std::mem::swap(&mut state, &mut other);
        if weights.len() > WEIGHTS_MAX {
            break;
        }
    }
    if weights.len() > WEIGHTS_MAX {
        return Err("a zstd literals table has too many symbols");
    }
    Ok(())
}
