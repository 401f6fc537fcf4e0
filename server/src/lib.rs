//! Limn's companion: lakes and their tables, queries on them, and HTTP around both.
//!
//! [`lake`] finds tables and pins them, [`scan`] reads a pinned table, [`query`] plans and
//! computes over scans, [`jobs`] does what takes long, [`pictures`] are what cells name,
//! [`http`] serves it all; [`cli`] is the command, [`config`] what can be set.

mod bundle;
pub mod cli;
pub mod config;
mod delta;
mod encode;
mod export;
pub mod http;
pub mod jobs;
pub mod lake;
pub mod pictures;
pub mod query;
pub mod scan;
