//! The mapper of vectors: a worker of its own that computes clusters and projections where there
//! is no companion, by the same crate, and is ended with whatever it is doing when nobody wants
//! that any more. A program apart, so that nobody loads it who maps nothing. What it and the data
//! worker say to each other is [`app::mapping`]. A request is [`take`]n in, its steps are [`run`]
//! one by one, each a [`task`], by the processor or a [`device`]; [`pace`] tells of them, and all that
//! knows the browser is `desk`.

pub mod device;
pub mod pace;
pub mod run;
pub mod take;
pub mod task;

#[cfg(target_arch = "wasm32")]
mod desk;

#[cfg(target_arch = "wasm32")]
pub use desk::start;
