//! Bytes that arrive in chunks → pieces of the length asked for. A piece that one chunk
//! holds whole is not copied; one that does not is collected, in memory that grows with
//! what has arrived, not with what was announced.

use arrow_buffer::{Buffer, MutableBuffer};

/// A chunk, and how much of it was taken.
pub(crate) struct Chunk<'a> {
    bytes: &'a [u8],
    /// The chunk as a buffer that pieces can share, if it is one.
    shared: Option<&'a Buffer>,
    n_taken: usize,
}

impl<'a> Chunk<'a> {
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes, shared: None, n_taken: 0 }
    }

    pub(crate) fn from_buffer(buffer: &'a Buffer) -> Self {
        Self { bytes: buffer.as_slice(), shared: Some(buffer), n_taken: 0 }
    }

    pub(crate) fn n_taken(&self) -> usize {
        self.n_taken
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.n_taken..).unwrap_or(&[])
    }

    /// At most `n_bytes` of what is left.
    pub(crate) fn take(&mut self, n_bytes: usize) -> &'a [u8] {
        let rest = self.rest();
        let taken = rest.get(..n_bytes).unwrap_or(rest);
        self.n_taken += taken.len();
        taken
    }

    /// Exactly `n_bytes`, as a buffer.
    fn take_piece(&mut self, n_bytes: usize) -> Buffer {
        let start = self.n_taken;
        let piece = self.take(n_bytes);
        match self.shared {
            Some(buffer) => buffer.slice_with_length(start, piece.len()),
            None => Buffer::from(piece),
        }
    }
}

/// A piece of this length is given its memory at once: most are no longer, and so are
/// written only once.
const TRUSTED_BYTES: usize = 2 << 20;

/// The piece being collected.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    collected: MutableBuffer,
}

impl Gather {
    /// The next piece of `n_bytes`, once it is all there.
    pub(crate) fn piece(&mut self, n_bytes: usize, chunk: &mut Chunk<'_>) -> Option<Buffer> {
        if self.collected.is_empty() && chunk.rest().len() >= n_bytes {
            return Some(chunk.take_piece(n_bytes));
        }
        let bytes = chunk.take(n_bytes.saturating_sub(self.collected.len()));
        self.make_room(bytes.len(), n_bytes);
        self.collected.extend_from_slice(bytes);
        (self.collected.len() == n_bytes).then(|| std::mem::take(&mut self.collected).into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.collected.is_empty()
    }

    /// Doubles, but never past the piece.
    fn make_room(&mut self, n_more: usize, n_bytes: usize) {
        let needed = self.collected.len() + n_more;
        if needed <= self.collected.capacity() {
            return;
        }
        let doubled = self.collected.len().saturating_mul(2);
        let capacity = needed.max(doubled).max(TRUSTED_BYTES).min(n_bytes);
        let mut larger = MutableBuffer::with_capacity(capacity);
        larger.extend_from_slice(self.collected.as_slice());
        self.collected = larger;
    }
}
