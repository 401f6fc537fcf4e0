//! Lakes, Delta snapshots and the scan from outside, on tables made here and on the protocol's
//! own golden tables (found by `LIMN_TEST_DATA`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "lake/discovery.rs"]
mod discovery;
#[path = "lake/files.rs"]
mod files;
#[path = "lake/golden.rs"]
mod golden;
#[path = "lake/history.rs"]
mod history;
#[path = "lake/io.rs"]
mod io;
#[path = "lake/rows.rs"]
mod rows;
