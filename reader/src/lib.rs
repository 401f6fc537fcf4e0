//! The reader of dropped files: a worker of its own that turns Parquet and CSV into an
//! Arrow stream for the data worker and is thrown away afterwards, with whatever a bad file
//! did to it. A program apart, so that nobody loads it who drops no file. What it and the
//! data worker say to each other is [`app::reading`].

pub mod csv;
pub mod pages;
pub mod parquet;
pub mod stream;

#[cfg(target_arch = "wasm32")]
mod desk;
#[cfg(target_arch = "wasm32")]
pub mod source;

#[cfg(target_arch = "wasm32")]
pub use desk::start;
