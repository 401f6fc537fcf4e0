//! The end of a cached file, which makes it complete: after the Arrow stream come what the
//! file holds, as JSON, and a few numbers that prove the stream whole. A file without a
//! trailer was cut off while it was written. So the list of files can always be made anew
//! from the files, and completing a file needs no rename. Pure.

use engine::query::Version;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::manifest::{Entry, LAYOUT};
use engine::kind::Kind;

/// Bytes after the JSON: length and hash of the stream, length of the JSON, magic.
pub const TAIL_BYTES: usize = 8 + 8 + 4 + MAGIC.len();
const MAGIC: [u8; 8] = *b"LIMNcol1";
/// No honest description of a column is longer.
const JSON_BYTES_MAX: usize = 1 << 20;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trailer {
    layout: u32,
    table: String,
    uid: String,
    version: Option<Version>,
    column: String,
    #[serde(rename = "type")]
    data_type: String,
    kind: Kind,
    nullable: bool,
    place: u32,
    rows: u64,
    saved_at: f64,
    #[serde(skip)]
    pub stream_bytes: u64,
    #[serde(skip)]
    pub stream_hash: u64,
}

/// The hash of a stream that is written or read bit by bit.
#[derive(Debug)]
pub struct StreamHash(XxHash64);

impl Default for StreamHash {
    fn default() -> Self {
        Self(XxHash64::with_seed(0))
    }
}

impl StreamHash {
    pub fn write(&mut self, bytes: &[u8]) {
        std::hash::Hasher::write(&mut self.0, bytes);
    }

    pub fn finish(&self) -> u64 {
        std::hash::Hasher::finish(&self.0)
    }
}

impl Trailer {
    pub fn new(entry: &Entry, stream_bytes: u64, stream_hash: u64) -> Self {
        Self {
            layout: LAYOUT,
            table: entry.table.clone(),
            uid: entry.uid.clone(),
            version: entry.version.clone(),
            column: entry.column.clone(),
            data_type: entry.data_type.clone(),
            kind: entry.kind,
            nullable: entry.nullable,
            place: entry.place,
            rows: entry.rows,
            saved_at: entry.saved_at,
            stream_bytes,
            stream_hash,
        }
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec(self)?;
        let json_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&self.stream_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.stream_hash.to_le_bytes());
        bytes.extend_from_slice(&json_bytes.to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        Ok(bytes)
    }

    /// How many bytes before the tail are JSON, from the tail; `None` for no trailer.
    pub fn json_bytes(tail: &[u8]) -> Option<usize> {
        let tail: &[u8; TAIL_BYTES] = tail.try_into().ok()?;
        let [.., a, b, c, d, _, _, _, _, _, _, _, _] = *tail;
        let n_bytes = u32::from_le_bytes([a, b, c, d]) as usize;
        (tail.ends_with(&MAGIC) && n_bytes <= JSON_BYTES_MAX).then_some(n_bytes)
    }

    /// From the JSON and the tail of a file of `file_bytes`; `None` if they contradict it.
    pub fn from_bytes(json: &[u8], tail: &[u8], file_bytes: u64) -> Option<Self> {
        let number = |at: usize| -> Option<u64> {
            Some(u64::from_le_bytes(tail.get(at..at + 8)?.try_into().ok()?))
        };
        let mut trailer: Self = serde_json::from_slice(json).ok()?;
        trailer.stream_bytes = number(0)?;
        trailer.stream_hash = number(8)?;
        let around = (json.len() + tail.len()) as u64;
        let is_whole = trailer.stream_bytes.checked_add(around) == Some(file_bytes);
        (is_whole && trailer.layout == LAYOUT).then_some(trailer)
    }

    /// As the list of files has it.
    pub fn into_entry(self, file_bytes: u64) -> Entry {
        Entry {
            table: self.table,
            uid: self.uid,
            version: self.version,
            column: self.column,
            data_type: self.data_type,
            kind: self.kind,
            nullable: self.nullable,
            place: self.place,
            rows: self.rows,
            bytes: file_bytes,
            saved_at: self.saved_at,
            used_at: self.saved_at,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_describes_itself_or_is_refused() {
        let entry = Entry {
            table: "sales/2024".to_owned(),
            uid: "u".to_owned(),
            version: Some(Version::Fingerprint("f-00".to_owned())),
            column: "größe".to_owned(),
            data_type: "Float64".to_owned(),
            kind: Kind::Number,
            nullable: true,
            place: 4,
            rows: 3,
            bytes: 0,
            saved_at: 1.5,
            used_at: 1.5,
        };
        let mut hash = StreamHash::default();
        hash.write(b"stre");
        hash.write(b"am");
        let trailer = Trailer::new(&entry, 6, hash.finish());
        let bytes = trailer.to_bytes().unwrap();
        let file_bytes = 6 + bytes.len() as u64;
        let (json, tail) = bytes.split_at(bytes.len() - TAIL_BYTES);
        assert_eq!(Trailer::json_bytes(tail), Some(json.len()));
        let read = Trailer::from_bytes(json, tail, file_bytes).unwrap();
        assert_eq!(read, trailer);
        assert_eq!(read.into_entry(file_bytes), Entry { bytes: file_bytes, ..entry });
        assert_eq!(Trailer::from_bytes(json, tail, file_bytes + 1), None);
        assert_eq!(Trailer::from_bytes(&json[1..], tail, file_bytes), None);
        assert_eq!(Trailer::json_bytes(&json[..TAIL_BYTES]), None);
        assert_eq!(Trailer::json_bytes(b""), None);
    }
}
