//! The columns of a table: what their kinds are called, and which to load.

use crate::state::format::bytes;

pub const NUMBER: &str = "number";
pub const CATEGORY: &str = "category";
pub const TIME: &str = "time";
pub const BOOLEAN: &str = "yes or no";
pub const TEXT: &str = "text";
pub const VECTOR: &str = "vector";
pub const NESTED: &str = "nested";

pub const SEARCH: &str = "Search columns";
pub const TICK_ALL: &str = "all";
pub const TICK_FEWEST: &str = "fewest";
pub const LOAD: &str = "Load these columns";
pub const NEEDED: &str = "A view or a filter needs this column";

pub fn loaded(number: usize, all: usize) -> String {
    format!("{number} of {all} loaded")
}

pub fn cost(n_bytes: u64) -> String {
    format!("about {}", bytes(n_bytes))
}

pub fn missing(share: &str) -> String {
    format!("{share} missing")
}
