//! Four numbers at once: wasm's 128-bit SIMD where there is some, arrays elsewhere. Just
//! what the raster's loops need, the same operations in the same order on both. The
//! bundle is built for size, so the loops must not depend on being vectorised.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes/simd.rs"]
mod target;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[path = "lanes/portable.rs"]
mod target;

/// Four f32, and four u32 that wrap.
pub use target::{Counts, Lanes};
