//! Distinct strings and binaries, kept end to end.

use hashbrown::HashTable;

/// Values by id, and a table from their hashes.
#[derive(Default)]
pub(super) struct BytesStore {
    pub(super) table: HashTable<u32>,
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    /// Kept, so that a growing table reads no strings.
    pub(super) hashes: Vec<u64>,
    pub(super) seed: u64,
}

impl BytesStore {
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let before = id.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.copied().unwrap_or_default();
        let end = self.ends.get(id).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn push(&mut self, value: &[u8], hash: u64) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.hashes.push(hash);
    }
}
