//! The reader of files, dropped or at an address: a worker of its own that turns Parquet, Delta,
//! CSV, JSON and Arrow into an Arrow stream for the data worker and is thrown away with the table,
//! and with whatever a bad file did to it; rows that are saved as Parquet it writes. A program apart, so that nobody loads it who opens no file. What it and the
//! data worker say to each other is [`app::reading`].

pub mod csv;
pub mod delta;
pub mod gzip;
pub mod json;
pub mod pages;
pub mod parquet;
pub mod reshape;
pub mod source;
pub mod stream;
pub mod text;
pub mod write;

#[cfg(target_arch = "wasm32")]
mod desk;
#[cfg(target_arch = "wasm32")]
pub mod files;
#[cfg(target_arch = "wasm32")]
mod table;
#[cfg(target_arch = "wasm32")]
pub mod web;

#[cfg(test)]
mod trial;

#[cfg(target_arch = "wasm32")]
pub use desk::start;
