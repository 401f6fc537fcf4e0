//! One LZ4 frame → bytes of a length known beforehand. The frame is read here and each
//! block decoded straight into its place; `lz4_flex` decodes a block.

use arrow_buffer::{Buffer, MutableBuffer};
use twox_hash::XxHash32;

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4D, 0x18];
/// How far back a block may refer into the blocks before it.
const WINDOW_BYTES: usize = 64 * 1024;
/// One more byte of a length says at most this many bytes of content.
const EXPANSION_MAX: usize = 255;

/// What is wrong with a compressed buffer.
pub(crate) type Corrupt = &'static str;

/// Decodes `input`, whose content must be exactly `n_bytes` long.
pub(crate) fn buffer_from_lz4(input: &[u8], n_bytes: usize) -> Result<Buffer, Corrupt> {
    let (frame, blocks) = Frame::read(input)?;
    if frame.content_bytes.is_some_and(|stated| stated != n_bytes as u64) {
        return Err("the lz4 frame states another length than its buffer");
    }
    if n_bytes > frame.content_bytes_bound(blocks)? {
        return Err("the lz4 frame is too short for the length that its buffer states");
    }
    let mut output = MutableBuffer::from_len_zeroed(n_bytes);
    frame.decode(blocks, output.as_slice_mut())?;
    Ok(output.into())
}

struct Frame {
    are_blocks_independent: bool,
    has_block_checksums: bool,
    has_content_checksum: bool,
    block_bytes_max: usize,
    content_bytes: Option<u64>,
}

enum Block<'a> {
    Stored(&'a [u8]),
    Compressed(&'a [u8]),
    End,
}

impl Frame {
    /// The frame's header, and what follows it.
    fn read(input: &[u8]) -> Result<(Self, &[u8]), Corrupt> {
        const SHORT: Corrupt = "the lz4 frame is cut in its header";
        let rest = input.strip_prefix(&MAGIC).ok_or("not an lz4 frame")?;
        let (&[flags, block_descriptor], mut after) = rest.split_first_chunk().ok_or(SHORT)?;
        if flags >> 6 != 1 {
            return Err("an lz4 frame of unknown version");
        }
        if flags & 0x01 != 0 {
            return Err("an lz4 frame that needs a dictionary");
        }
        let block_bytes_max = match (block_descriptor >> 4) & 0x07 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err("an lz4 frame of unknown block size"),
        };
        let mut content_bytes = None;
        if flags & 0x08 != 0 {
            let (bytes, tail) = after.split_first_chunk().ok_or(SHORT)?;
            content_bytes = Some(u64::from_le_bytes(*bytes));
            after = tail;
        }
        let described = rest.get(..rest.len() - after.len()).ok_or(SHORT)?;
        let (&check, blocks) = after.split_first().ok_or(SHORT)?;
        if check != XxHash32::oneshot(0, described).to_le_bytes()[1] {
            return Err("the header of the lz4 frame fails its checksum");
        }
        let frame = Self {
            are_blocks_independent: flags & 0x20 != 0,
            has_block_checksums: flags & 0x10 != 0,
            has_content_checksum: flags & 0x04 != 0,
            block_bytes_max,
            content_bytes,
        };
        Ok((frame, blocks))
    }

    /// The most that the blocks can decode to, told by their sizes alone.
    fn content_bytes_bound(&self, mut input: &[u8]) -> Result<usize, Corrupt> {
        let mut bound = 0_usize;
        loop {
            let (block, rest) = self.split_block(input)?;
            let block_bound = match block {
                Block::Stored(bytes) => bytes.len(),
                Block::Compressed(bytes) => {
                    bytes.len().saturating_mul(EXPANSION_MAX).min(self.block_bytes_max)
                }
                Block::End => return Ok(bound),
            };
            bound = bound.saturating_add(block_bound);
            input = rest;
        }
    }

    fn decode(&self, mut input: &[u8], output: &mut [u8]) -> Result<(), Corrupt> {
        let mut n_done = 0;
        loop {
            let (block, rest) = self.split_block(input)?;
            let (done, room) =
                output.split_at_mut_checked(n_done).ok_or("the lz4 frame is too long")?;
            match block {
                Block::Stored(bytes) => {
                    let target = room.get_mut(..bytes.len()).ok_or("the lz4 frame is too long")?;
                    target.copy_from_slice(bytes);
                    n_done += bytes.len();
                }
                Block::Compressed(bytes) => n_done += self.decode_block(bytes, done, room)?,
                Block::End => break self.check_content(rest, output, n_done),
            }
            input = rest;
        }
    }

    fn decode_block(&self, bytes: &[u8], done: &[u8], room: &mut [u8]) -> Result<usize, Corrupt> {
        const BAD: Corrupt = "a block of the lz4 frame is corrupt";
        let n_room = room.len().min(self.block_bytes_max);
        let room = room.get_mut(..n_room).ok_or(BAD)?;
        if self.are_blocks_independent || done.is_empty() {
            return lz4_flex::block::decompress_into(bytes, room).map_err(|_| BAD);
        }
        let window = done.get(done.len().saturating_sub(WINDOW_BYTES)..).ok_or(BAD)?;
        lz4_flex::block::decompress_into_with_dict(bytes, room, window).map_err(|_| BAD)
    }

    fn check_content(&self, rest: &[u8], output: &[u8], n_done: usize) -> Result<(), Corrupt> {
        if n_done != output.len() {
            return Err("the lz4 frame is shorter than its buffer states");
        }
        let n_checksum = if self.has_content_checksum { 4 } else { 0 };
        if rest.len() != n_checksum {
            return Err("bytes follow the lz4 frame");
        }
        if let Some(stated) = rest.first_chunk()
            && u32::from_le_bytes(*stated) != XxHash32::oneshot(0, output)
        {
            return Err("the content of the lz4 frame fails its checksum");
        }
        Ok(())
    }

    /// The next block, its checksum seen to, and what follows it.
    fn split_block<'a>(&self, input: &'a [u8]) -> Result<(Block<'a>, &'a [u8]), Corrupt> {
        const SHORT: Corrupt = "the lz4 frame is cut";
        const STORED: u32 = 1 << 31;
        let (size, rest) = input.split_first_chunk().ok_or(SHORT)?;
        let size = u32::from_le_bytes(*size);
        if size == 0 {
            return Ok((Block::End, rest));
        }
        let n_bytes = (size & !STORED) as usize;
        if n_bytes > self.block_bytes_max {
            return Err("a block of the lz4 frame is over its size");
        }
        let (bytes, mut rest) = rest.split_at_checked(n_bytes).ok_or(SHORT)?;
        if self.has_block_checksums {
            let (stated, after) = rest.split_first_chunk().ok_or(SHORT)?;
            if u32::from_le_bytes(*stated) != XxHash32::oneshot(0, bytes) {
                return Err("a block of the lz4 frame fails its checksum");
            }
            rest = after;
        }
        let block =
            if size & STORED != 0 { Block::Stored(bytes) } else { Block::Compressed(bytes) };
        Ok((block, rest))
    }
}

#[cfg(test)]
mod tests;
