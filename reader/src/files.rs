//! Files of the user's own: any part of one, one from front to back, and a folder of them.
//! Read synchronously, as only workers may.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{File, FileReaderSync};

use super::desk;
use super::source::{Chunks, Folder, Source};
use super::stream::ReadError;
use app::reading::Tell;
use app::worker::net::text_of;
use app::worker::turn::now_millis;

/// Bytes taken from a file at a time.
const CHUNK_BYTES: u64 = 4 << 20;
/// Types are found in this much of a text on the disk: reading it twice costs little.
const CHEAP_BYTES: u64 = 1 << 30;

/// A `File` of the browser.
#[derive(Clone)]
pub struct FileSource {
    file: File,
    reader: FileReaderSync,
}

impl FileSource {
    pub fn new(file: File) -> Result<Self, ReadError> {
        let reader = FileReaderSync::new().map_err(|error| failed(&error))?;
        Ok(Self { file, reader })
    }

    pub fn name(&self) -> String {
        self.file.name()
    }

    pub fn size(&self) -> u64 {
        self.file.size() as u64
    }

    /// Milliseconds since 1970.
    pub fn modified(&self) -> f64 {
        self.file.last_modified()
    }

    pub fn part(&self, start: u64, n_bytes: u64) -> Result<Bytes, ReadError> {
        let end = start as f64 + n_bytes as f64;
        let part = self.file.slice_with_f64_and_f64(start as f64, end);
        let part = part.map_err(|error| failed(&error))?;
        let buffer = self.reader.read_as_array_buffer(&part).map_err(|error| failed(&error))?;
        let bytes = Uint8Array::new(&buffer).to_vec();
        if bytes.len() as u64 == n_bytes {
            return Ok(bytes.into());
        }
        Err(ReadError::Bad("the file is shorter than it was".to_owned()))
    }
}

fn failed(error: &JsValue) -> ReadError {
    ReadError::Bad(format!("the file cannot be read: {}", text_of(error)))
}

impl Source for FileSource {
    fn size(&self) -> u64 {
        Self::size(self)
    }

    async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        ranges.iter().map(|range| self.part(range.start, range.end - range.start)).collect()
    }
}

/// The file from front to back.
pub struct FileChunks {
    file: FileSource,
    at: u64,
    /// When it was last told how far the first pass over it is; `None` once that is over.
    told: Option<f64>,
}

/// Milliseconds between two words of that.
const TOLD_EVERY: f64 = 150.0;

impl FileChunks {
    pub fn new(file: FileSource) -> Self {
        Self { file, at: 0, told: Some(now_millis()) }
    }

    /// Types are found in all of a file, which may be large, before anything can be shown.
    fn tell(&mut self) {
        let now = now_millis();
        if self.told.is_some_and(|told| now - told > TOLD_EVERY) {
            self.told = Some(now);
            desk::tell(&Tell::Looking { bytes: self.at, total: self.file.size() });
        }
    }
}

impl Chunks for FileChunks {
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        let n_bytes = CHUNK_BYTES.min(self.file.size().saturating_sub(self.at));
        if n_bytes == 0 {
            return Ok(None);
        }
        let chunk = self.file.part(self.at, n_bytes)?;
        self.at += n_bytes;
        self.tell();
        Ok(Some(chunk))
    }

    async fn restart(&mut self) -> Result<(), ReadError> {
        self.at = 0;
        self.told = None;
        Ok(())
    }

    fn cheap_bytes(&self) -> u64 {
        CHEAP_BYTES
    }
}

/// A folder that was dropped: its files by their paths within it.
#[derive(Clone, Default)]
pub struct FileFolder {
    pub files: BTreeMap<String, FileSource>,
}

impl Folder for FileFolder {
    type File = FileSource;

    async fn whole(&self, path: &str) -> Result<Option<Bytes>, ReadError> {
        self.files.get(path).map(|file| file.part(0, file.size())).transpose()
    }

    async fn open(&self, path: &str, _size: Option<u64>) -> Result<FileSource, ReadError> {
        let missing = || ReadError::Bad(format!("the file {path:?} is missing from the folder"));
        self.files.get(path).cloned().ok_or_else(missing)
    }
}
