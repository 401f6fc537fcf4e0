//! The worker: holds the columns, filters, summarises, sorts, draws and caches, and
//! answers the page ([`crate::protocol`]). What needs no browser is pure and is tested on
//! the host; what fetches, stores, draws or waits is built for the browser alone.
//!
//! A message comes to `host`, which hands it on: `tables` (what there is), `load` (columns
//! into [`resident`], by way of [`cache`]), `files` (dropped ones), `views` ([`answer`]
//! worked out in steps), `pages` ([`rows`], and cells to copy), `records` (a row whole),
//! `shaping` ([`shapes`] of columns), `canvases` (drawing and hover). A table that does not
//! fit is `elsewhere`: the companion answers.

pub mod answer;
pub mod bins;
pub mod budget;
pub mod cache;
pub mod clip;
pub mod companion;
pub mod cut;
pub mod data;
pub mod desk;
pub mod draft;
pub mod notify;
pub mod numbers;
pub mod profile;
pub mod resident;
pub mod rows;
pub mod shapes;
pub mod sort;
pub mod spec;
pub mod tally;

#[cfg(target_arch = "wasm32")]
pub mod canvases;
#[cfg(target_arch = "wasm32")]
pub mod copying;
#[cfg(target_arch = "wasm32")]
pub mod elsewhere;
#[cfg(target_arch = "wasm32")]
pub mod figure;
#[cfg(target_arch = "wasm32")]
pub mod files;
#[cfg(target_arch = "wasm32")]
pub mod groups;
#[cfg(target_arch = "wasm32")]
pub mod host;
#[cfg(target_arch = "wasm32")]
pub mod load;
#[cfg(target_arch = "wasm32")]
pub mod mapping;
#[cfg(target_arch = "wasm32")]
pub mod matcher;
#[cfg(target_arch = "wasm32")]
pub mod net;
#[cfg(target_arch = "wasm32")]
pub mod pages;
#[cfg(target_arch = "wasm32")]
pub mod parts;
#[cfg(target_arch = "wasm32")]
pub mod records;
#[cfg(target_arch = "wasm32")]
pub mod relief;
#[cfg(target_arch = "wasm32")]
pub mod saving;
#[cfg(target_arch = "wasm32")]
pub mod shaping;
#[cfg(target_arch = "wasm32")]
pub mod tables;
#[cfg(target_arch = "wasm32")]
pub mod turn;
#[cfg(target_arch = "wasm32")]
pub mod views;

#[cfg(target_arch = "wasm32")]
pub use host::{Host, start};
#[cfg(target_arch = "wasm32")]
pub use parts::{Part, Parts};
