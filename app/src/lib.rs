//! Limn in the browser. The page (Leptos) shows and asks; the worker holds the data,
//! filters, draws and caches; [`protocol`] is all they say to each other. What needs no
//! browser also builds and is tested on the host. The page itself (`page/`) belongs to its
//! program alone: a function that the bundler cuts out is kept by every program that it is
//! linked to.

pub mod cell;
pub mod draw;
pub mod few;
#[cfg(target_arch = "wasm32")]
pub mod held;
pub mod look;
pub mod mapping;
pub mod plan;
pub mod protocol;
pub mod reading;
pub mod scale;
pub mod state;
pub mod texts;
pub mod worker;
