//! Deletion vectors: which rows of a data file are no longer in the table.
//!
//! The log names them; they are read here from the lake itself, lengths checked first.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use roaring::RoaringTreemap;

/// Marks the portable serialisation, the only one the protocol allows.
const MAGIC: u32 = 1_681_511_377;

/// A vector larger than this is refused as made up.
const BYTES_MAX: u32 = 1 << 30;

/// Where the deleted rows of one file are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeletionVector {
    pub(crate) place: Place,
    /// Bytes of the vector, its magic number included.
    pub(crate) bytes: u32,
    /// Rows that it deletes.
    pub(crate) cardinality: u64,
}

/// The kinds of place of a deletion vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Inline(Bytes),
    /// A file in the lake, and where in it the vector starts.
    File(Path, u32),
}

/// Why a deletion vector cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeletionError {
    #[error("deletion vector: {0}")]
    Corrupt(String),
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

/// The deleted rows of one file, by their position in the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deleted(Arc<RoaringTreemap>);

impl DeletionVector {
    /// Decodes the place from the descriptor in the log: its type, path or payload, and offset.
    ///
    /// `resolve` turns a path of the log into one of the lake, or says why it must not.
    pub(crate) fn from_log<E>(
        kind: &str,
        text: &str,
        offset: Option<i32>,
        bytes: i32,
        cardinality: i64,
        resolve: impl FnOnce(&str) -> Result<Path, E>,
    ) -> Result<Result<Self, E>, DeletionError> {
        let corrupt = |reason: &str| DeletionError::Corrupt(reason.to_owned());
        let bytes = u32::try_from(bytes).map_err(|_| corrupt("negative size"))?;
        let cardinality =
            u64::try_from(cardinality).map_err(|_| corrupt("negative cardinality"))?;
        let offset = offset.map(u32::try_from).transpose();
        let offset = offset.map_err(|_| corrupt("negative offset"))?;
        if bytes > BYTES_MAX {
            return Err(corrupt("it is too large"));
        }
        let path = match kind {
            "i" => {
                let payload = z85::decode(text).map_err(|_| corrupt("not base 85"))?;
                let place = Place::Inline(Bytes::from(payload));
                return Ok(Ok(Self { place, bytes, cardinality }));
            }
            "u" => relative_path(text).ok_or_else(|| corrupt("its path is not a base 85 uuid"))?,
            "p" => text.to_owned(),
            _ => return Err(corrupt("unknown storage type")),
        };
        Ok(resolve(&path).map(|path| Self {
            place: Place::File(path, offset.unwrap_or(1)),
            bytes,
            cardinality,
        }))
    }

    /// One that is kept in memory, not in the lake.
    pub(crate) fn inline(deleted: &Deleted) -> Self {
        let mut payload = MAGIC.to_le_bytes().to_vec();
        // Writing to memory does not fail; a vector that is cut short is refused when read.
        let _written = deleted.0.serialize_into(&mut payload);
        Self {
            bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            cardinality: deleted.0.len(),
            place: Place::Inline(payload.into()),
        }
    }

    /// Rough size in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        match &self.place {
            Place::Inline(payload) => payload.len(),
            Place::File(path, _) => path.as_ref().len(),
        }
    }

    /// Reads the deleted positions, and checks that they are as many as the log says.
    pub(crate) async fn read(&self, store: &dyn ObjectStore) -> Result<Deleted, DeletionError> {
        let payload = match &self.place {
            Place::Inline(payload) => payload.clone(),
            Place::File(path, offset) => {
                let start = u64::from(*offset);
                let end = start + 4 + u64::from(self.bytes) + 4;
                let stored = store.get_range(path, start..end).await?;
                checked_payload(&stored, self.bytes)?
            }
        };
        let rows = positions(&payload)?;
        if rows.len() != self.cardinality {
            return Err(DeletionError::Corrupt(format!(
                "it deletes {} rows, the log says {}",
                rows.len(),
                self.cardinality
            )));
        }
        Ok(Deleted(Arc::new(rows)))
    }
}

/// `<prefix><20 characters of base 85>` as the path of a file beside the table's data.
fn relative_path(text: &str) -> Option<String> {
    let split = text.len().checked_sub(20)?;
    let (prefix, encoded) = text.split_at_checked(split)?;
    let uuid: [u8; 16] = z85::decode(encoded).ok()?.try_into().ok()?;
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    let groups: Vec<&str> = groups.into_iter().filter_map(|range| hex.get(range)).collect();
    let name = format!("deletion_vector_{}.bin", groups.join("-"));
    Some(match prefix {
        "" => name,
        prefix => format!("{prefix}/{name}"),
    })
}

/// Takes the payload out of its frame: size, payload, CRC-32.
fn checked_payload(stored: &Bytes, expected: u32) -> Result<Bytes, DeletionError> {
    let corrupt = |reason: &str| Err(DeletionError::Corrupt(reason.to_owned()));
    let number = |at: usize| {
        stored.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    };
    let end = 4 + expected as usize;
    let (Some(size), Some(checksum)) = (number(0), number(end)) else {
        return corrupt("its file ends before it does");
    };
    if size != expected {
        return corrupt("its file and the log give two sizes");
    }
    let payload = stored.slice(4..end);
    if crc32(&payload) != checksum {
        return corrupt("its checksum is wrong");
    }
    Ok(payload)
}

/// CRC-32 as zip and Ethernet use it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let entry = CRC_TABLE.get(((crc ^ u32::from(*byte)) & 0xFF) as usize);
        (crc >> 8) ^ entry.copied().unwrap_or_default()
    };
    !bytes.iter().fold(u32::MAX, step)
}

static CRC_TABLE: std::sync::LazyLock<Vec<u32>> = std::sync::LazyLock::new(|| {
    let shifted = |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    (0..256).map(|byte| (0..8).fold(byte, shifted)).collect()
});

fn positions(payload: &[u8]) -> Result<RoaringTreemap, DeletionError> {
    let corrupt = |reason: String| DeletionError::Corrupt(reason);
    let (magic, bitmap) =
        payload.split_at_checked(4).ok_or_else(|| corrupt("it is too short".to_owned()))?;
    if magic != MAGIC.to_le_bytes() {
        return Err(corrupt("unknown serialisation".to_owned()));
    }
    RoaringTreemap::deserialize_from(Cursor::new(bitmap))
        .map_err(|error| corrupt(error.to_string()))
}

impl Deleted {
    /// The same and those of the `n_rows` other rows that are not kept.
    pub(crate) fn but(&self, n_rows: usize, is_kept: impl Fn(usize) -> bool) -> Self {
        let mut all = (*self.0).clone();
        let mut gone = self.0.iter().peekable();
        let mut position = 0;
        for row in 0..n_rows {
            while gone.next_if_eq(&position).is_some() {
                position += 1;
            }
            if !is_kept(row) {
                all.insert(position);
            }
            position += 1;
        }
        Self(Arc::new(all))
    }

    /// The last deleted position.
    pub(crate) fn last(&self) -> Option<u64> {
        self.0.max()
    }

    /// How many rows before this position are deleted.
    pub(crate) fn before(&self, position: u64) -> u64 {
        match position.checked_sub(1) {
            Some(last) => self.0.rank(last),
            None => 0,
        }
    }

    /// The rows to read out of the given stretches of a file, in their order, as a selection.
    pub(crate) fn selection(&self, stretches: &[std::ops::Range<u64>]) -> RowSelection {
        let mut selectors = Vec::new();
        for stretch in stretches {
            let mut next = stretch.start;
            for run in self.runs(stretch) {
                push(&mut selectors, RowSelector::select, run.start - next);
                push(&mut selectors, RowSelector::skip, run.end - run.start);
                next = run.end;
            }
            push(&mut selectors, RowSelector::select, stretch.end - next);
        }
        RowSelection::from(selectors)
    }

    /// Runs of deleted rows within a stretch.
    fn runs(&self, stretch: &std::ops::Range<u64>) -> Vec<std::ops::Range<u64>> {
        let mut runs: Vec<std::ops::Range<u64>> = Vec::new();
        let mut iter = self.0.iter();
        iter.advance_to(stretch.start);
        for row in iter.take_while(|row| *row < stretch.end) {
            match runs.last_mut() {
                Some(run) if run.end == row => run.end = row + 1,
                _ => runs.push(row..row + 1),
            }
        }
        runs
    }
}

fn push(selectors: &mut Vec<RowSelector>, kind: fn(usize) -> RowSelector, rows: u64) {
    if rows > 0 {
        selectors.push(kind(usize::try_from(rows).unwrap_or(usize::MAX)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn deleted(rows: &[u64]) -> Deleted {
        Deleted(Arc::new(rows.iter().copied().collect()))
    }

    fn framed(rows: &[u64]) -> (Bytes, u32) {
        let mut payload = MAGIC.to_le_bytes().to_vec();
        deleted(rows).0.serialize_into(&mut payload).unwrap();
        let size = u32::try_from(payload.len()).unwrap();
        let mut file = vec![1];
        file.extend(size.to_be_bytes());
        file.extend(&payload);
        file.extend(crc32(&payload).to_be_bytes());
        (file.into(), size)
    }

    async fn read(file: Bytes, bytes: u32, cardinality: u64) -> Result<Deleted, DeletionError> {
        let store = object_store::memory::InMemory::new();
        let path = Path::from("dv.bin");
        store.put(&path, file.into()).await.unwrap();
        let place = Place::File(path, 1);
        DeletionVector { place, bytes, cardinality }.read(&store).await
    }

    #[tokio::test]
    async fn a_stored_vector_reads_back() {
        let (file, bytes) = framed(&[0, 3, 4, 5_000_000_000]);
        let rows = read(file, bytes, 4).await.unwrap();
        assert_eq!((rows.0.len(), rows.before(0), rows.before(4), rows.before(5)), (4, 0, 2, 3));
    }

    #[tokio::test]
    async fn a_damaged_vector_is_refused() {
        let (file, bytes) = framed(&[1, 2, 3]);
        for at in [1, 5, 9, file.len() - 1] {
            let mut damaged = file.to_vec();
            *damaged.get_mut(at).unwrap() ^= 0xFF;
            let error = read(damaged.into(), bytes, 3).await.expect_err("damaged");
            assert!(matches!(error, DeletionError::Corrupt(_)), "{at}: {error}");
        }
        assert!(read(file.clone(), bytes, 2).await.is_err());
        assert!(read(file.slice(..9), bytes, 3).await.is_err());
    }

    #[tokio::test]
    async fn a_vector_in_memory_reads_back() {
        let more = deleted(&[1, 2, 5]).but(5, |row| row % 2 == 0);
        // Rows 0, 3, 4, 6 and 7 are left, and of these every second goes.
        assert_eq!(more.0.iter().collect::<Vec<_>>(), [1, 2, 3, 5, 6]);
        let store = object_store::memory::InMemory::new();
        let back = DeletionVector::inline(&more).read(&store).await.unwrap();
        assert_eq!(back.0, more.0);
    }

    #[test]
    fn a_descriptor_names_its_file() {
        let read = |text: &str| relative_path(text);
        assert_eq!(
            read("vBn[lx{q8@P<9BNH/isA").as_deref(),
            Some("deletion_vector_61d16c75-6994-46b7-a15b-8b538852e50e.bin")
        );
        assert_eq!(
            read("ab^-aqEH.-t@S}K{vb[*k^").as_deref(),
            Some("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin")
        );
        assert_eq!(read("short"), None);
        assert_eq!(read("ééééééééééééééééééé"), None);
    }

    #[test]
    fn a_selection_skips_the_deleted_rows_of_its_stretches() {
        let rows = deleted(&[0, 1, 5, 9, 10, 11]);
        let selection: Vec<RowSelector> = rows.selection(&[0..4, 8..12]).into();
        assert_eq!(
            selection,
            [RowSelector::skip(2), RowSelector::select(3), RowSelector::skip(3),]
        );
    }
}
