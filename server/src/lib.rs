//! Limn's companion: lakes and their tables, scans, queries, and the HTTP that serves them.

mod delta;
pub mod lake;
pub mod scan;
