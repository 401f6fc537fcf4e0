//! The two bit streams of Zstandard: tables are written forwards, content backwards from
//! a stop bit in its last byte.

use super::Corrupt;

const RUN_OUT: Corrupt = "a zstd bit stream runs out";

/// Reads from the first byte on, lowest bit first.
pub(super) struct ForwardBits<'a> {
    bytes: &'a [u8],
    /// Bits consumed.
    position: usize,
}

impl<'a> ForwardBits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `n_bits` (at most 16), which stay to be consumed. Past the end are zeros.
    pub(super) fn peek(&self, n_bits: u32) -> u32 {
        let first = self.position / 8;
        let word = (0..3).rev().fold(0_u32, |word, i| {
            (word << 8) | u32::from(self.bytes.get(first + i).copied().unwrap_or(0))
        });
        (word >> (self.position % 8)) & ((1 << n_bits) - 1)
    }

    pub(super) fn consume(&mut self, n_bits: u32) -> Result<(), Corrupt> {
        self.position += n_bits as usize;
        if self.position > self.bytes.len() * 8 { Err(RUN_OUT) } else { Ok(()) }
    }

    pub(super) fn read(&mut self, n_bits: u32) -> Result<u32, Corrupt> {
        let bits = self.peek(n_bits);
        self.consume(n_bits)?;
        Ok(bits)
    }

    /// What follows, from the next whole byte on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position.div_ceil(8)..).unwrap_or(&[])
    }
}

/// Reads from the stop bit backwards, highest bit first.
pub(super) struct BackwardBits<'a> {
    bytes: &'a [u8],
    /// Bits not yet consumed. Below zero, more was read than there is.
    n_left: isize,
}

impl<'a> BackwardBits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        match bytes.last() {
            None | Some(0) => Err("a zstd bit stream without its stop bit"),
            Some(last) => {
                let n_padding = last.leading_zeros() as usize + 1;
                let n_left = (bytes.len() * 8 - n_padding) as isize;
                Ok(Self { bytes, n_left })
            }
        }
    }

    /// The next bits, left-aligned in a word of which at least 56 are valid as long as the
    /// stream has them; zeros stand past its end.
    #[inline(always)]
    pub(super) fn window(&self) -> u64 {
        let n_left = self.n_left.max(0) as usize;
        let end = n_left.div_ceil(8);
        let bytes = end.checked_sub(8).and_then(|start| self.bytes.get(start..end));
        match bytes.and_then(|bytes| bytes.first_chunk()) {
            Some(bytes) => u64::from_le_bytes(*bytes) << ((end * 8 - n_left) & 63),
            None => self.last_window(end, n_left),
        }
    }

    /// The window of a stream with less than eight bytes left.
    #[cold]
    fn last_window(&self, end: usize, n_left: usize) -> u64 {
        if n_left == 0 {
            return 0;
        }
        super::little_endian(self.bytes.get(..end).unwrap_or(&[])) << (64 - n_left)
    }

    #[inline(always)]
    pub(super) fn consume(&mut self, n_bits: u32) {
        self.n_left -= n_bits as isize;
    }

    /// The next `n_bits` (at most 32); zeros past the end, which [`Self::n_left`] tells.
    #[inline(always)]
    pub(super) fn read(&mut self, n_bits: u32) -> u32 {
        if n_bits == 0 {
            return 0;
        }
        let bits = (self.window() >> (64 - n_bits)) as u32;
        self.consume(n_bits);
        bits
    }

    #[inline(always)]
    pub(super) fn n_left(&self) -> isize {
        self.n_left
    }

    /// All bits must have been used, and no more.
    pub(super) fn check_used_up(&self) -> Result<(), Corrupt> {
        match self.n_left {
            0 => Ok(()),
            left if left < 0 => Err(RUN_OUT),
            _ => Err("a zstd bit stream has bits left over"),
        }
    }
}
