//! The file format by its footer: where each message lies, so that batches can be read in
//! any order, or only some of them. The caller reads the bytes; this says which.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc as fb;
use arrow_schema::SchemaRef;

use super::batch::BatchDecoder;
use super::error::IpcError;
use super::limits::DecodeLimits;
use super::message::{bad_flatbuffer, message_from_bytes, verifier_options};

pub(crate) const MAGIC: &[u8] = b"ARROW1";
/// The footer's length and the magic, at the very end.
pub const TRAILER_BYTES: usize = 10;

/// Bytes of one message in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub offset: u64,
    /// Framing, metadata and body together.
    pub n_bytes: usize,
    n_metadata_bytes: usize,
}

/// Reads an IPC file through its footer.
pub struct FileDecoder {
    batches: BatchDecoder,
    dictionary_blocks: Vec<Block>,
    batch_blocks: Vec<Block>,
    n_dictionaries_read: usize,
    limits: DecodeLimits,
}

/// The length of the footer, from the last [`TRAILER_BYTES`] of a file.
pub fn footer_len_from_trailer(trailer: &[u8], limits: &DecodeLimits) -> Result<usize, IpcError> {
    const CUT: IpcError = IpcError::Truncated { missing: "the file does not end with its magic" };
    let trailer = trailer.strip_suffix(MAGIC).ok_or(CUT)?;
    let length = trailer.last_chunk().ok_or(CUT)?;
    let n_bytes = usize::try_from(i32::from_le_bytes(*length))
        .map_err(|_| IpcError::malformed("footer", "a negative length"))?;
    let what = "the footer of a file in bytes";
    IpcError::check_limit(what, n_bytes, limits.metadata_bytes_max)?;
    Ok(n_bytes)
}

impl FileDecoder {
    /// Begins with the footer of a file of `file_bytes`, whose length
    /// [`footer_len_from_trailer`] told.
    pub fn new(
        footer: &[u8],
        file_bytes: u64,
        columns: Option<&[String]>,
        limits: DecodeLimits,
    ) -> Result<Self, IpcError> {
        let footer = footer_from_bytes(footer, &limits)?;
        let schema = footer.schema().ok_or_else(|| IpcError::malformed("footer", "no schema"))?;
        let blocks = |blocks: Option<flatbuffers::Vector<'_, fb::Block>>| {
            let blocks = blocks.into_iter().flat_map(|blocks| blocks.iter());
            blocks
                .map(|block| Block::new(block, file_bytes, &limits))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            dictionary_blocks: blocks(footer.dictionaries())?,
            batch_blocks: blocks(footer.recordBatches())?,
            batches: BatchDecoder::new(schema, columns, limits)?,
            n_dictionaries_read: 0,
            limits,
        })
    }

    pub fn schema(&self) -> &SchemaRef {
        self.batches.schema()
    }

    /// Where the dictionaries are; they are read first, in this order.
    pub fn dictionary_blocks(&self) -> &[Block] {
        &self.dictionary_blocks
    }

    /// Where the batches are.
    pub fn batch_blocks(&self) -> &[Block] {
        &self.batch_blocks
    }

    /// Takes the bytes of the next block of [`Self::dictionary_blocks`].
    pub fn read_dictionary(&mut self, bytes: &Buffer) -> Result<(), IpcError> {
        let block = self.dictionary_blocks.get(self.n_dictionaries_read).copied();
        let block = block.ok_or_else(|| IpcError::malformed("file", "no more dictionaries"))?;
        match self.message(block, bytes)? {
            None => self.n_dictionaries_read += 1,
            Some(_) => return Err(IpcError::malformed("file", "a batch among dictionaries")),
        }
        Ok(())
    }

    /// Decodes the bytes of one block of [`Self::batch_blocks`], in any order.
    pub fn read_batch(&mut self, block: Block, bytes: &Buffer) -> Result<RecordBatch, IpcError> {
        if self.n_dictionaries_read < self.dictionary_blocks.len() {
            return Err(IpcError::malformed("file", "a batch is read before its dictionaries"));
        }
        let batch = self.message(block, bytes)?;
        batch.ok_or_else(|| IpcError::malformed("file", "a dictionary among batches"))
    }

    fn message(&mut self, block: Block, bytes: &Buffer) -> Result<Option<RecordBatch>, IpcError> {
        const CUT: IpcError = IpcError::Truncated { missing: "a block is incomplete" };
        let (framed, body) = bytes.split_at_checked(block.n_metadata_bytes).ok_or(CUT)?;
        let metadata = metadata_from_frame(framed)?;
        let body_len = message_from_bytes(metadata, &self.limits)?.body_len;
        if body.len() < body_len {
            return Err(CUT);
        }
        let body = bytes.slice_with_length(block.n_metadata_bytes, body_len);
        self.batches.message(metadata, &body)
    }
}

impl Block {
    fn new(block: &fb::Block, file_bytes: u64, limits: &DecodeLimits) -> Result<Self, IpcError> {
        let bad = || IpcError::malformed("footer", "a block that is not in the file");
        let offset = u64::try_from(block.offset()).map_err(|_| bad())?;
        let n_metadata_bytes = usize::try_from(block.metaDataLength()).map_err(|_| bad())?;
        let n_body_bytes = usize::try_from(block.bodyLength()).map_err(|_| bad())?;
        let what = "the metadata of a message in bytes";
        IpcError::check_limit(what, n_metadata_bytes, limits.metadata_bytes_max)?;
        let what = "the body of a message in bytes";
        IpcError::check_limit(what, n_body_bytes, limits.body_bytes_max)?;
        let n_bytes = n_metadata_bytes.checked_add(n_body_bytes).ok_or_else(bad)?;
        let end = offset.checked_add(n_bytes as u64).ok_or_else(bad)?;
        if end > file_bytes { Err(bad()) } else { Ok(Self { offset, n_bytes, n_metadata_bytes }) }
    }
}

/// What follows a stream inside a file must be a footer that knows of as many batches.
pub(crate) fn check_footer(
    bytes: &[u8],
    n_batches: usize,
    limits: &DecodeLimits,
) -> Result<(), IpcError> {
    let n_bytes = footer_len_from_trailer(bytes, limits)?;
    let start = bytes.len().checked_sub(TRAILER_BYTES).and_then(|end| end.checked_sub(n_bytes));
    let footer = start
        .and_then(|start| bytes.get(start..start + n_bytes))
        .ok_or_else(|| IpcError::malformed("footer", "it is longer than what is there"))?;
    let footer = footer_from_bytes(footer, limits)?;
    let n_listed = footer.recordBatches().map_or(0, |blocks| blocks.len());
    if n_listed == n_batches {
        return Ok(());
    }
    let reason = format!("it lists {n_listed} batches where {n_batches} are");
    Err(IpcError::malformed("footer", reason))
}

fn footer_from_bytes<'a>(
    bytes: &'a [u8],
    limits: &DecodeLimits,
) -> Result<fb::Footer<'a>, IpcError> {
    // Its version is not looked at: some writers leave it out, and every message has its own.
    fb::root_as_footer_with_opts(&verifier_options(bytes.len(), limits), bytes)
        .map_err(|error| bad_flatbuffer("footer", error))
}

/// The metadata between its length, with or without a continuation marker, and its padding.
fn metadata_from_frame(framed: &[u8]) -> Result<&[u8], IpcError> {
    let rest = framed.strip_prefix(&[0xFF; 4]).unwrap_or(framed);
    let metadata = rest.split_first_chunk().and_then(|(length, rest)| {
        let n_bytes = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        rest.get(..n_bytes)
    });
    metadata.ok_or_else(|| IpcError::malformed("file", "a block without its message"))
}
