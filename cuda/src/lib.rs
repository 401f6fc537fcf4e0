//! NVIDIA's devices for the algorithms of `embedding`, found when the program runs: built and
//! tested without CUDA and without a device: tests go through the kernels' PTX. [`kmeans::fit`],
//! [`neighbours::nearest`] and [`pca::fit`] find what the cores find, bit by bit, and [`umap::fit`]
//! a layout as good; where a device fails, the cores go on and it says why. Kernels are in
//! `kernels/`, compiled to PTX by `tools/ptx.py` and committed.

mod bound;
mod card;
mod check;
pub mod cost;
pub mod device;
#[cfg(test)]
mod emulator;
pub mod error;
mod half;
pub mod kmeans;
#[cfg(test)]
mod machine;
mod mirror;
pub mod neighbours;
pub mod pca;
pub mod plan;
#[cfg(test)]
mod tests;
mod tile;
pub mod umap;
