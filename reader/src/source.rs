//! The dropped file, read synchronously, as only workers may.

use std::io::{Error, Read};

use js_sys::Uint8Array;
use web_sys::{File, FileReaderSync};

use super::parquet::Source;
use app::worker::net::text_of;

/// A `File` of the browser.
pub struct FileSource {
    file: File,
    reader: FileReaderSync,
}

impl FileSource {
    pub fn new(file: File) -> Result<Self, Error> {
        let reader = FileReaderSync::new().map_err(|error| Error::other(text_of(&error)))?;
        Ok(Self { file, reader })
    }

    /// From a place on, as a stream.
    pub fn from(&self, at: u64) -> Sequential<'_> {
        Sequential { source: self, at, chunk: Vec::new(), taken: 0 }
    }
}

impl Source for FileSource {
    fn size(&self) -> u64 {
        self.file.size() as u64
    }

    fn read(&self, start: u64, n_bytes: usize) -> Result<Vec<u8>, Error> {
        let end = start as f64 + n_bytes as f64;
        let failed = |error: wasm_bindgen::JsValue| Error::other(text_of(&error));
        let part = self.file.slice_with_f64_and_f64(start as f64, end).map_err(failed)?;
        let buffer = self.reader.read_as_array_buffer(&part).map_err(failed)?;
        let bytes = Uint8Array::new(&buffer).to_vec();
        if bytes.len() == n_bytes {
            return Ok(bytes);
        }
        Err(Error::other("the file is shorter than it was"))
    }
}

/// Bytes taken from the file at a time.
const CHUNK_BYTES: u64 = 4 << 20;

/// The file from front to back.
pub struct Sequential<'a> {
    source: &'a FileSource,
    at: u64,
    chunk: Vec<u8>,
    taken: usize,
}

impl Sequential<'_> {
    /// The next bytes, many at a time; `None` at the end.
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let n_bytes = CHUNK_BYTES.min(self.source.size().saturating_sub(self.at));
        if n_bytes == 0 {
            return Ok(None);
        }
        let chunk = self.source.read(self.at, n_bytes as usize)?;
        self.at += n_bytes;
        Ok(Some(chunk))
    }
}

impl Read for Sequential<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        if self.taken == self.chunk.len() {
            self.taken = 0;
            self.chunk = self.chunk()?.unwrap_or_default();
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let n_bytes = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n_bytes), rest.get(..n_bytes)) {
            to.copy_from_slice(from);
        }
        self.taken += n_bytes;
        Ok(n_bytes)
    }
}
