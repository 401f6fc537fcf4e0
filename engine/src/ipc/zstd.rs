//! One Zstandard frame (RFC 8878) → bytes of a length known beforehand. Frame and blocks are
//! here; below are `bits`, `fse` and `huffman` (entropy decoding) and `sequences`.
//!
//! Our own, because in the browser no C library is at hand, and the pure Rust ones let one
//! block grow to gigabytes before they look, and assert what a hostile block can break.
//! Knowing the length, this one decodes straight into the output, which is also the window.

mod bits;
mod fse;
mod huffman;
mod sequences;

use arrow_buffer::{Buffer, MutableBuffer};
use twox_hash::XxHash64;

use huffman::Literals;
use sequences::Sequences;

const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// No block decodes to more.
const BLOCK_BYTES_MAX: usize = 128 << 10;

/// What is wrong with a compressed buffer.
pub type Corrupt = &'static str;

/// Decodes `input`, whose content must be exactly `n_bytes` long.
pub fn buffer_from_zstd(input: &[u8], n_bytes: usize) -> Result<Buffer, Corrupt> {
    let (frame, blocks) = Frame::read(input)?;
    if frame.content_bytes.is_some_and(|stated| stated != n_bytes as u64) {
        return Err("the zstd frame states another length than its buffer");
    }
    if n_bytes > content_bytes_bound(blocks)? {
        return Err("the zstd frame is too short for the length that its buffer states");
    }
    let mut output = MutableBuffer::from_len_zeroed(n_bytes);
    frame.decode(blocks, output.as_slice_mut())?;
    Ok(output.into())
}

/// Bytes decoded so far, and the room that is left: the last stage of every block.
struct Output<'o> {
    bytes: &'o mut [u8],
    n_done: usize,
}

/// Most runs are shorter.
const SHORT_BYTES: usize = 16;
const TOO_LONG: Corrupt = "the zstd frame is too long";

impl Output<'_> {
    /// Appends the first `n_bytes` of `literals`. A few are copied as sixteen where both
    /// sides have as many: what is too much is overwritten by what follows.
    #[inline(always)]
    fn push_first(&mut self, literals: &[u8], n_bytes: usize) -> Result<(), Corrupt> {
        if n_bytes <= SHORT_BYTES
            && let Some(from) = literals.first_chunk::<SHORT_BYTES>()
            && let Some(to) = self.bytes.get_mut(self.n_done..).and_then(|to| to.first_chunk_mut())
        {
            *to = *from;
            self.n_done += n_bytes;
            return Ok(());
        }
        self.push(literals.get(..n_bytes).ok_or("a zstd block has too few literals")?)
    }

    fn push(&mut self, literals: &[u8]) -> Result<(), Corrupt> {
        let end = self.n_done + literals.len();
        self.bytes.get_mut(self.n_done..end).ok_or(TOO_LONG)?.copy_from_slice(literals);
        self.n_done = end;
        Ok(())
    }

    fn fill(&mut self, byte: u8, n_bytes: usize) -> Result<(), Corrupt> {
        let end = self.n_done + n_bytes;
        self.bytes.get_mut(self.n_done..end).ok_or(TOO_LONG)?.fill(byte);
        self.n_done = end;
        Ok(())
    }

    /// Repeats `n_bytes` from `offset` bytes back; the two may overlap.
    #[inline(always)]
    fn repeat(&mut self, offset: usize, n_bytes: usize) -> Result<(), Corrupt> {
        if n_bytes <= SHORT_BYTES
            && let Some((done, room)) = self.bytes.split_at_mut_checked(self.n_done)
            && let Some(start) = self.n_done.checked_sub(offset)
            && let Some(from) = done.get(start..).and_then(|from| from.first_chunk::<SHORT_BYTES>())
            && let Some(to) = room.first_chunk_mut()
        {
            *to = *from;
            self.n_done += n_bytes;
            return Ok(());
        }
        self.repeat_any(offset, n_bytes)
    }

    fn repeat_any(&mut self, offset: usize, n_bytes: usize) -> Result<(), Corrupt> {
        let start = self.n_done.checked_sub(offset).ok_or("a zstd offset reaches too far back")?;
        let end = self.n_done + n_bytes;
        if end > self.bytes.len() || offset == 0 {
            return Err(TOO_LONG);
        }
        if offset >= n_bytes {
            self.bytes.copy_within(start..start + n_bytes, self.n_done);
        } else {
            // What lies between start and the end doubles with each copy.
            let mut done = self.n_done;
            while done < end {
                let n_copy = (done - start).min(end - done);
                self.bytes.copy_within(start..start + n_copy, done);
                done += n_copy;
            }
        }
        self.n_done = end;
        Ok(())
    }
}

struct Frame {
    has_checksum: bool,
    content_bytes: Option<u64>,
}

#[derive(Clone, Copy)]
enum BlockKind {
    Raw,
    Repeated,
    Compressed,
}

struct Block<'a> {
    kind: BlockKind,
    is_last: bool,
    /// Content of a raw or repeated block, else the most there may be.
    content_bytes: usize,
    bytes: &'a [u8],
}

impl Frame {
    /// The frame's header, and what follows it.
    fn read(input: &[u8]) -> Result<(Self, &[u8]), Corrupt> {
        const SHORT: Corrupt = "the zstd frame is cut in its header";
        let rest = input.strip_prefix(&MAGIC).ok_or("not a zstd frame")?;
        let (&descriptor, rest) = rest.split_first().ok_or(SHORT)?;
        if descriptor & 0x08 != 0 {
            return Err("a zstd frame of unknown form");
        }
        let is_single_segment = descriptor & 0x20 != 0;
        let n_window = usize::from(!is_single_segment);
        let n_dictionary = match descriptor & 0x03 {
            0 => 0,
            1 => 1,
            2 => 2,
            _ => 4,
        };
        let n_content = match descriptor >> 6 {
            0 => usize::from(is_single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let (_window, rest) = rest.split_at_checked(n_window).ok_or(SHORT)?;
        let (dictionary, rest) = rest.split_at_checked(n_dictionary).ok_or(SHORT)?;
        if dictionary.iter().any(|byte| *byte != 0) {
            return Err("a zstd frame that needs a dictionary");
        }
        let (content, blocks) = rest.split_at_checked(n_content).ok_or(SHORT)?;
        let mut content_bytes = (n_content > 0).then(|| little_endian(content));
        if n_content == 2 {
            content_bytes = content_bytes.map(|stated| stated + 256);
        }
        Ok((Self { has_checksum: descriptor & 0x04 != 0, content_bytes }, blocks))
    }

    fn decode(&self, mut input: &[u8], bytes: &mut [u8]) -> Result<(), Corrupt> {
        let mut output = Output { bytes, n_done: 0 };
        let mut literals = Literals::default();
        let mut sequences = Sequences::default();
        loop {
            let (block, rest) = split_block(input)?;
            match (block.kind, block.bytes) {
                (BlockKind::Raw, bytes) => output.push(bytes)?,
                (BlockKind::Repeated, &[byte]) => output.fill(byte, block.content_bytes)?,
                (BlockKind::Repeated, _) => return Err("a zstd block without its byte"),
                (BlockKind::Compressed, bytes) => {
                    let n_before = output.n_done;
                    let rest = literals.read(bytes)?;
                    sequences.execute(rest, literals.bytes(), &mut output)?;
                    if output.n_done - n_before > BLOCK_BYTES_MAX {
                        return Err("a zstd block is over its size");
                    }
                }
            }
            input = rest;
            if block.is_last {
                break;
            }
        }
        if output.n_done != output.bytes.len() {
            return Err("the zstd frame is shorter than its buffer states");
        }
        let n_checksum = if self.has_checksum { 4 } else { 0 };
        if input.len() != n_checksum {
            return Err("bytes follow the zstd frame, or its checksum is missing");
        }
        if self.has_checksum
            && little_endian(input) != XxHash64::oneshot(0, output.bytes) & 0xFFFF_FFFF
        {
            return Err("the content of the zstd frame fails its checksum");
        }
        Ok(())
    }
}

/// The most that the blocks can decode to, told by their headers alone.
fn content_bytes_bound(mut input: &[u8]) -> Result<usize, Corrupt> {
    let mut bound = 0_usize;
    loop {
        let (block, rest) = split_block(input)?;
        bound = bound.saturating_add(block.content_bytes);
        if block.is_last {
            return Ok(bound);
        }
        input = rest;
    }
}

/// The next block and what follows it.
fn split_block(input: &[u8]) -> Result<(Block<'_>, &[u8]), Corrupt> {
    const SHORT: Corrupt = "the zstd frame is cut";
    let (header, rest) = input.split_first_chunk::<3>().ok_or(SHORT)?;
    let header = little_endian(header) as usize;
    let size = header >> 3;
    if size > BLOCK_BYTES_MAX {
        return Err("a zstd block is over its size");
    }
    let (kind, n_bytes, content_bytes) = match (header >> 1) & 0x03 {
        0 => (BlockKind::Raw, size, size),
        1 => (BlockKind::Repeated, 1, size),
        2 => (BlockKind::Compressed, size, BLOCK_BYTES_MAX),
        _ => return Err("a zstd block of unknown kind"),
    };
    let (bytes, rest) = rest.split_at_checked(n_bytes).ok_or(SHORT)?;
    Ok((Block { kind, is_last: header & 1 != 0, content_bytes, bytes }, rest))
}

/// Up to eight bytes as a number.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests;
