//! One kept column on its way into and out of its file: bytes are hashed as they pass, and
//! only the [`super::trailer`] at the end makes them count.

use web_sys::FileSystemDirectoryHandle;

use crate::texts;
use crate::worker::turn::unix_millis;

use super::lock::{Lock, try_lock};
use super::manifest::Entry;
use super::opfs::{self, OpenForReading, OpenForWriting, OpfsError};
use super::trailer::{StreamHash, TAIL_BYTES, Trailer};

/// Bytes read at a time.
const CHUNK_BYTES: u64 = 1 << 20;

/// The lock that whoever writes a file holds.
pub fn lock_name(file: &str) -> String {
    format!("limn-{file}")
}

/// A column that is being written. Dropped before [`Self::finish`] or [`Self::abandon`], it
/// leaves a file that counts for nothing and is removed at the next start.
#[derive(Debug)]
pub struct ColumnWriter {
    file: String,
    entry: Entry,
    open: OpenForWriting,
    hash: StreamHash,
    _lock: Lock,
}

impl ColumnWriter {
    /// `None` where another tab writes the same.
    pub async fn create(
        folder: &FileSystemDirectoryHandle,
        file: &str,
        entry: Entry,
    ) -> Result<Option<Self>, OpfsError> {
        let Some(lock) = try_lock(&lock_name(file)).await else { return Ok(None) };
        let open = match OpenForWriting::create(folder, file).await {
            Ok(open) => open,
            Err(OpfsError::Locked) => return Ok(None),
            Err(error) => return Err(error),
        };
        let hash = StreamHash::default();
        Ok(Some(Self { file: file.to_owned(), entry, open, hash, _lock: lock }))
    }

    pub fn column(&self) -> &str {
        &self.entry.column
    }

    /// Appends bytes of the column's Arrow stream.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), OpfsError> {
        self.hash.write(bytes);
        self.open.write(bytes)
    }

    /// Removes the file, before another may begin it again.
    pub async fn abandon(self, folder: &FileSystemDirectoryHandle) {
        let Self { file, open, _lock, .. } = self;
        drop(open);
        // What cannot be removed now is removed at the next start.
        let _removed = opfs::remove(folder, &file).await;
    }

    /// Makes the file complete; answers its name and what to list it as.
    pub fn finish(mut self, rows: u64) -> Result<(String, Entry), OpfsError> {
        self.entry.rows = rows;
        self.entry.saved_at = unix_millis();
        let trailer = Trailer::new(&self.entry, self.open.written(), self.hash.finish());
        let bytes = trailer.to_bytes().map_err(|error| OpfsError::Other(error.to_string()))?;
        // Not flushed: the worker would stand still until the disk has it all, seconds with
        // hundreds of megabytes. What a power cut tears does not hash to what is said here.
        self.open.write(&bytes)?;
        self.entry.bytes = self.open.written();
        self.entry.used_at = self.entry.saved_at;
        Ok((self.file, self.entry))
    }
}

/// A kept column that is being read.
#[derive(Debug)]
pub struct ColumnReader {
    open: OpenForReading,
    at: u64,
    trailer: Trailer,
    hash: StreamHash,
}

impl ColumnReader {
    pub async fn open(folder: &FileSystemDirectoryHandle, file: &str) -> Result<Self, OpfsError> {
        let open = OpenForReading::open(folder, file).await?;
        let trailer = read_trailer(&open).await?;
        Ok(Self { open, at: 0, trailer, hash: StreamHash::default() })
    }

    /// The next bytes of the stream; `None` at its end, if the whole hashes as it should.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, OpfsError> {
        let left = self.trailer.stream_bytes - self.at;
        if left == 0 {
            if self.hash.finish() == self.trailer.stream_hash {
                return Ok(None);
            }
            return Err(OpfsError::Other(texts::storage::DAMAGED.to_owned()));
        }
        let n_bytes = left.min(CHUNK_BYTES);
        let bytes = self.open.read(self.at, n_bytes as usize).await?;
        self.hash.write(&bytes);
        self.at += n_bytes;
        Ok(Some(bytes))
    }
}

/// What a file says it is; `None` if it was never finished.
pub async fn entry_of_file(folder: &FileSystemDirectoryHandle, file: &str) -> Option<Entry> {
    let open = OpenForReading::open(folder, file).await.ok()?;
    let trailer = read_trailer(&open).await.ok()?;
    Some(trailer.into_entry(open.size().ok()?))
}

async fn read_trailer(open: &OpenForReading) -> Result<Trailer, OpfsError> {
    let unfinished = || OpfsError::Other(texts::storage::NEVER_FINISHED.to_owned());
    let file_bytes = open.size()?;
    let tail_at = file_bytes.checked_sub(TAIL_BYTES as u64).ok_or_else(unfinished)?;
    let tail = open.read(tail_at, TAIL_BYTES).await?;
    let n_bytes = Trailer::json_bytes(&tail).ok_or_else(unfinished)?;
    let json_at = tail_at.checked_sub(n_bytes as u64).ok_or_else(unfinished)?;
    let json = open.read(json_at, n_bytes).await?;
    Trailer::from_bytes(&json, &tail, file_bytes).ok_or_else(unfinished)
}
