//! Arrow IPC bytes in and out: the form in which a slice travels and is kept.
//!
//! Reading is our own because the bytes are hostile: `arrow-ipc`'s reader believes
//! the lengths that it is told. Here every length is checked before it is used, no
//! allocation exceeds what the input justifies, and bad bytes are an [`error::IpcError`],
//! never a panic. In the order in which bytes flow:
//!
//! - [`stream`] frames messages out of chunks as they arrive, [`mod@file`] out of a file's footer;
//! - [`batch`] turns framed messages into record batches, with `message` (one message's
//!   metadata), `columns` (its schema), `dictionary`, `body` (buffers, decompressed by
//!   `lz4` and `zstd`) and `arrays`;
//! - [`encode`] writes, after [`plain`] replaced the types that are never written and
//!   [`unify`] made dictionaries agree.
//!
//! Nothing here does I/O or knows where bytes come from.

pub mod batch;
pub mod encode;
pub mod error;
pub mod file;
pub mod limits;
pub mod plain;
pub mod stream;
pub mod unify;

mod arrays;
mod body;
mod columns;
mod dictionary;
mod gather;
mod lz4;
mod message;
pub mod zstd;
