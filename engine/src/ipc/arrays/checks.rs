//! What is checked by hand before arrow's own constructors see a buffer or a child.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::Buffer;

use crate::ipc::columns::Column;
use crate::ipc::error::IpcError;

/// The first `n_bytes` of a buffer, `None` being more than any buffer has.
pub(super) fn cut(
    column: &Column,
    buffer: &Buffer,
    n_bytes: Option<usize>,
) -> Result<Buffer, IpcError> {
    match n_bytes.filter(|n_bytes| *n_bytes <= buffer.len()) {
        Some(n_bytes) => Ok(buffer.slice_with_length(0, n_bytes)),
        None => Err(column.bad(format!("a buffer of {} bytes is too short", buffer.len()))),
    }
}

/// The first `len` items of a child, `None` being more than any child has.
pub(super) fn shorten(
    column: &Column,
    child: ArrayRef,
    len: Option<usize>,
) -> Result<ArrayRef, IpcError> {
    match len {
        Some(len) if len == child.len() => Ok(child),
        Some(len) if len < child.len() => Ok(child.slice(0, len)),
        _ => Err(column.bad(format!("a child of {} items is too short", child.len()))),
    }
}

pub(super) fn aligned_i32(buffer: Buffer) -> Buffer {
    if buffer.as_ptr().cast::<i32>().is_aligned() {
        buffer
    } else {
        Buffer::from_slice_ref(buffer.as_slice())
    }
}

/// Where a view points is checked by arrow, which adds up its ends in `usize`; on a 32-bit
/// machine the sum must fit first.
pub(super) fn check_views(column: &Column, views: &Buffer) -> Result<(), IpcError> {
    const LENGTH_INLINE_MAX: u32 = 12;
    if usize::BITS > 32 {
        return Ok(());
    }
    let (views, _) = views.as_slice().as_chunks::<16>();
    let fits = views.iter().all(|[a, b, c, d, _, _, _, _, _, _, _, _, e, f, g, h]| {
        let length = u32::from_le_bytes([*a, *b, *c, *d]);
        let offset = u32::from_le_bytes([*e, *f, *g, *h]);
        length <= LENGTH_INLINE_MAX || offset.checked_add(length).is_some()
    });
    if fits { Ok(()) } else { Err(column.bad("a view points past every buffer")) }
}

/// Every range of a list view must lie within its items.
pub(super) fn check_ranges(
    column: &Column,
    (offsets, sizes): (&Buffer, &Buffer),
    width: usize,
    n_items: usize,
) -> Result<(), IpcError> {
    let offsets = offsets.chunks_exact(width).map(usize_from_le);
    let sizes = sizes.chunks_exact(width).map(usize_from_le);
    let mut ends = offsets.zip(sizes).map(|(offset, size)| offset?.checked_add(size?));
    if ends.all(|end| end.is_some_and(|end| end <= n_items)) {
        Ok(())
    } else {
        Err(column.bad("a list reaches past its items"))
    }
}

/// A signed number of four or eight bytes, if it is not negative.
fn usize_from_le(bytes: &[u8]) -> Option<usize> {
    let number = match bytes.first_chunk::<8>() {
        Some(bytes) => i64::from_le_bytes(*bytes),
        None => i64::from(i32::from_le_bytes(*bytes.first_chunk::<4>()?)),
    };
    usize::try_from(number).ok()
}
