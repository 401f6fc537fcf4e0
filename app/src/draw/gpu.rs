//! The GPU's renderer: the same picture as the raster's, by compute shaders that add whole
//! numbers to a buffer of cells, and one pass that colours them. Only here is wgpu known.
//! Asks for nothing beyond WebGPU's default limits, and for no feature.
//!
//! What lives as long as the device (pipelines) is a [`device::Gpu`]; what belongs to a
//! canvas a [`target::Target`]; what belongs to points [`resident::Resident`].

pub mod layout;
pub mod shaders;

#[cfg(target_arch = "wasm32")]
pub mod device;
#[cfg(target_arch = "wasm32")]
pub mod layer;
#[cfg(target_arch = "wasm32")]
pub mod pipelines;
#[cfg(target_arch = "wasm32")]
pub mod resident;
#[cfg(target_arch = "wasm32")]
pub mod target;
