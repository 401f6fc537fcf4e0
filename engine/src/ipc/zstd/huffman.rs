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

/// What the next bits of a stream stand for: the symbol, and above it the bits it takes.
type Code = u16;

const CODES: usize = 1 << CODE_BITS_MAX;

/// Indexed by the next bits; a table of shorter codes fills its first part.
struct HuffmanTable {
    codes: Box<[Code; CODES]>,
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
        let mut codes = Box::new([0; CODES]);
        let mut places = codes.iter_mut();
        let mut n_codes = 0;
        for weight in 1..=n_bits as u8 {
            let n_code_bits = n_bits as u8 + 1 - weight;
            for (symbol, _) in weights.iter().enumerate().filter(|(_, w)| **w == weight) {
                let symbol = u8::try_from(symbol).map_err(|_| BAD)?;
                let code = u16::from_le_bytes([symbol, n_code_bits]);
                let n_places = 1 << (weight - 1);
                places.by_ref().take(n_places).for_each(|place| *place = code);
                n_codes += n_places;
            }
        }
        if n_codes == 1 << n_bits { Ok(Self { codes, n_bits }) } else { Err(BAD) }
    }

    /// Decodes as many symbols as a window surely holds, or less.
    #[inline(always)]
    fn decode_window<'s>(
        &self,
        bits: &mut BackwardBits<'_>,
        symbols: impl IntoIterator<Item = &'s mut u8>,
    ) {
        let mut window = bits.window();
        let mut n_used = 0;
        for symbol in symbols {
            // The mask changes nothing, but shows that the index is in bounds.
            let index = (window >> (64 - self.n_bits)) as usize & (CODES - 1);
            let [value, n_bits] = self.codes[index].to_le_bytes();
            *symbol = value;
            window <<= n_bits;
            n_used += u32::from(n_bits);
        }
        bits.consume(n_used);
    }

    /// Decodes one stream, which must fill `output` exactly.
    fn decode(&self, stream: &[u8], output: &mut [u8]) -> Result<(), Corrupt> {
        let mut bits = BackwardBits::new(stream)?;
        for symbols in output.chunks_mut(CODES_PER_WINDOW) {
            self.decode_window(&mut bits, symbols);
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
            Lane::new(first, out_first)?,
            Lane::new(second, out_second)?,
            Lane::new(third, out_third)?,
            Lane::new(fourth, out_fourth)?,
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
    windows: std::slice::IterMut<'a, [u8; CODES_PER_WINDOW]>,
    rest: &'a mut [u8],
}

impl<'a> Lane<'a> {
    fn new(stream: &'a [u8], output: &'a mut [u8]) -> Result<Self, Corrupt> {
        let (windows, rest) = output.as_chunks_mut();
        Ok(Self { bits: BackwardBits::new(stream)?, windows: windows.iter_mut(), rest })
    }

    /// Decodes one window's worth; false once less than that is left.
    #[inline(always)]
    fn step(&mut self, table: &HuffmanTable) -> bool {
        let Some(symbols) = self.windows.next() else { return false };
        table.decode_window(&mut self.bits, symbols);
        true
    }

    fn finish(mut self, table: &HuffmanTable) -> Result<(), Corrupt> {
        table.decode_window(&mut self.bits, self.rest);
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
