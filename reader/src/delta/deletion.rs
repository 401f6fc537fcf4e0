//! Deletion vectors: which rows of a file are no longer in the table, as positions in a
//! compressed bitmap, in the log itself or in a file beside the data.

use std::io::Cursor;

use arrow_array::BooleanArray;
use roaring::RoaringTreemap;
use serde::Deserialize;

use super::log::relative_path;
use crate::source::{Folder, Source};
use crate::stream::ReadError;

/// Marks the portable serialisation, the only one the protocol allows.
const MAGIC: u32 = 1_681_511_377;
/// A vector larger than this is made up.
const BYTES_MAX: i64 = 1 << 28;

/// Where the deleted rows of a file are listed, as the log says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub storage_type: String,
    pub path_or_inline_dv: String,
    #[serde(default)]
    pub offset: Option<i64>,
    pub size_in_bytes: i64,
    pub cardinality: i64,
}

/// The deleted rows of a file, by position.
pub struct Deleted(RoaringTreemap);

impl Descriptor {
    /// What tells it from other vectors of the same file.
    pub fn unique_id(&self) -> String {
        let offset = self.offset.map(|offset| format!("@{offset}")).unwrap_or_default();
        format!("{}{}{offset}", self.storage_type, self.path_or_inline_dv)
    }

    pub async fn read(&self, folder: &impl Folder) -> Result<Deleted, ReadError> {
        let n_bytes = u64::try_from(self.size_in_bytes.min(BYTES_MAX + 1));
        let n_bytes = n_bytes.map_err(|_| corrupt("its size is negative"))?;
        if self.size_in_bytes > BYTES_MAX {
            return Err(corrupt("it is too large"));
        }
        let text = &self.path_or_inline_dv;
        let payload = match self.storage_type.as_str() {
            "i" => z85::decode(text).map_err(|_| corrupt("it is not base 85"))?,
            kind @ ("u" | "p") => {
                let path = match kind {
                    "u" => path_of(text).ok_or_else(|| corrupt("its name is no base 85 uuid"))?,
                    _ => relative_path(text)?,
                };
                let offset = self.offset.unwrap_or(1);
                let offset = u64::try_from(offset).map_err(|_| corrupt("a negative offset"))?;
                let file = folder.open(&path, None).await?;
                let framed = file.read_one(offset, n_bytes + 8).await?;
                payload_of(&framed, n_bytes as usize)?
            }
            other => return Err(corrupt(&format!("no storage type {other:?} is known"))),
        };
        let rows = positions(&payload)?;
        if i64::try_from(rows.len()) != Ok(self.cardinality) {
            return Err(corrupt(&format!(
                "it deletes {} rows where the log says {}",
                rows.len(),
                self.cardinality
            )));
        }
        Ok(Deleted(rows))
    }
}

fn corrupt(reason: &str) -> ReadError {
    ReadError::Bad(format!("a deletion vector is damaged: {reason}"))
}

/// `<prefix><20 characters of base 85>` as the path of a file beside the table's data.
fn path_of(text: &str) -> Option<String> {
    let (prefix, encoded) = text.split_at_checked(text.len().checked_sub(20)?)?;
    let uuid: [u8; 16] = z85::decode(encoded).ok()?.try_into().ok()?;
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    let groups: Vec<&str> = groups.into_iter().filter_map(|range| hex.get(range)).collect();
    let name = format!("deletion_vector_{}.bin", groups.join("-"));
    Some(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
}

/// Takes the payload out of its frame: size, payload, CRC-32.
fn payload_of(framed: &[u8], n_bytes: usize) -> Result<Vec<u8>, ReadError> {
    let number = |at: usize| {
        framed.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    };
    let payload = framed.get(4..4 + n_bytes);
    let (Some(size), Some(payload), Some(checksum)) = (number(0), payload, number(4 + n_bytes))
    else {
        return Err(corrupt("its file ends before it does"));
    };
    if size as usize != n_bytes {
        return Err(corrupt("its file and the log give two sizes"));
    }
    let mut crc = flate2::Crc::new();
    crc.update(payload);
    if crc.sum() != checksum {
        return Err(corrupt("its checksum is wrong"));
    }
    Ok(payload.to_vec())
}

fn positions(payload: &[u8]) -> Result<RoaringTreemap, ReadError> {
    match payload.split_at_checked(4) {
        Some((magic, bitmap)) if magic == MAGIC.to_le_bytes() => {
            let read = RoaringTreemap::deserialize_from(Cursor::new(bitmap));
            read.map_err(|error| corrupt(&error.to_string()))
        }
        _ => Err(corrupt("its serialisation is unknown")),
    }
}

impl Deleted {
    /// Of so many rows from a position on, those that are left; `None` where all are.
    pub fn left(&self, first: u64, n_rows: usize) -> Option<BooleanArray> {
        let end = first + n_rows as u64;
        let mut left = vec![true; n_rows];
        let mut n_deleted = 0;
        let mut rows = self.0.iter();
        rows.advance_to(first);
        for row in rows.take_while(|row| *row < end) {
            if let Some(is_left) = left.get_mut((row - first) as usize) {
                *is_left = false;
                n_deleted += 1;
            }
        }
        (n_deleted > 0).then(|| left.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_checked() {
        let payload = b"payload";
        let mut crc = flate2::Crc::new();
        crc.update(payload);
        let mut framed = 7_u32.to_be_bytes().to_vec();
        framed.extend_from_slice(payload);
        framed.extend(crc.sum().to_be_bytes());
        assert_eq!(payload_of(&framed, 7).unwrap(), payload);
        assert!(payload_of(&framed, 6).is_err() && payload_of(&framed[..12], 7).is_err());
        framed[5] ^= 1;
        assert!(payload_of(&framed, 7).unwrap_err().to_string().contains("checksum"));
    }

    #[test]
    fn hostile_bitmaps_are_refused() {
        let mut bitmap = MAGIC.to_le_bytes().to_vec();
        bitmap.extend(u64::MAX.to_le_bytes());
        assert!(positions(&bitmap).is_err());
        assert!(positions(b"abc").is_err() && positions(&[0; 20]).is_err());
        assert_eq!(path_of("ab^-aqEH.-t@S}K{vb[*k^").unwrap().len(), 2 + 1 + 16 + 36 + 4);
        assert_eq!(path_of("short"), None);
    }
}
