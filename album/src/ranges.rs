//! A file by its ranges: small reads by blocks that are kept, for a file's structure is read
//! again and again, and large ones as they are, for pictures are read once.

use std::ops::Range;
use std::sync::Arc;

use hdf5_reader::error::{Error, Result};
use hdf5_reader::{BlockCacheStorage, RangeRequestStorage, Storage, StorageBuffer};

const BLOCK_BYTES: usize = 64 << 10;
/// 8 MiB of them.
const BLOCKS: usize = 128;
/// Reads of this and less are through blocks.
const SMALL_BYTES: usize = 16 << 10;

/// Where a file's bytes come from. It may block.
pub trait ReadRange: Send + Sync {
    /// The bytes of this range, all of them; it lies within the file's length.
    fn read(&self, range: Range<u64>) -> std::io::Result<Vec<u8>>;
}

struct Ranges {
    whole: Arc<dyn Storage>,
    blocks: BlockCacheStorage,
    bytes_max: usize,
}

/// No read is of more than `bytes_max`, whatever a file's headers claim.
pub(crate) fn storage(len: u64, source: Box<dyn ReadRange>, bytes_max: usize) -> Arc<dyn Storage> {
    let read = move |start: u64, bytes: usize| Ok(source.read(start..start + bytes as u64)?);
    let whole: Arc<dyn Storage> = Arc::new(RangeRequestStorage::new(len, read));
    let blocks = BlockCacheStorage::new(Arc::clone(&whole), BLOCK_BYTES, BLOCKS);
    Arc::new(Ranges { whole, blocks, bytes_max })
}

impl Storage for Ranges {
    fn len(&self) -> u64 {
        self.whole.len()
    }

    fn read_range(&self, offset: u64, len: usize) -> Result<StorageBuffer> {
        match len {
            _ if len > self.bytes_max => Err(Error::ResourceLimit(format!("{len} bytes at once"))),
            _ if len <= SMALL_BYTES => self.blocks.read_range(offset, len),
            _ => self.whole.read_range(offset, len),
        }
    }
}
