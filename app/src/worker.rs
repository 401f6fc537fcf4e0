//! The worker: holds the columns, filters, summarises, sorts, draws and caches, and
//! answers the page ([`crate::protocol`]). What needs no browser is pure and is tested on
//! the host; what fetches, stores, draws or waits is built for the browser alone.

pub mod answer;
pub mod bins;
pub mod budget;
pub mod cache;
pub mod companion;
pub mod data;
pub mod notify;
pub mod numbers;
pub mod resident;
pub mod tally;

#[cfg(target_arch = "wasm32")]
pub mod net;
#[cfg(target_arch = "wasm32")]
pub mod turn;

#[cfg(target_arch = "wasm32")]
pub fn start() {}
