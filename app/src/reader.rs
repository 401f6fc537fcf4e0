//! The reader of dropped files: a worker of its own that turns Parquet and CSV into an
//! Arrow stream for the data worker and is thrown away afterwards, with whatever a bad file
//! did to it. A program apart, so that nobody loads it who drops no file.

pub mod message;

#[cfg(any(target_arch = "wasm32", test))]
pub mod csv;
#[cfg(any(target_arch = "wasm32", test))]
pub mod pages;
#[cfg(any(target_arch = "wasm32", test))]
pub mod parquet;
#[cfg(any(target_arch = "wasm32", test))]
pub mod stream;

#[cfg(target_arch = "wasm32")]
mod desk;
#[cfg(target_arch = "wasm32")]
pub mod source;

#[cfg(target_arch = "wasm32")]
pub use desk::start;
