//! Arrow IPC from outside the crate: every type both ways, every cut, every dictionary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "ipc/dictionaries.rs"]
mod dictionaries;
#[path = "ipc/plain.rs"]
mod plain;
#[path = "ipc/refusals.rs"]
mod refusals;
#[path = "ipc/round_trip.rs"]
mod round_trip;
#[path = "ipc/samples.rs"]
mod samples;
#[path = "ipc/stream.rs"]
mod stream;
