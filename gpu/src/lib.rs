//! Clustering and layouts on graphics processors: compute passes in WGSL, driven through WebGPU's
//! API, in a browser's worker as on a host. Clusters and neighbours are what `embedding` finds, to
//! the bit: the device works in 32 bits and says where rounding could decide, and `embedding`
//! decides there. Components are those to some six digits, and a layout is another, as good. Every call is asynchronous, as WebGPU is; whatever
//! fails is an [`Error`], upon which the caller goes on with the processor.

#[cfg(all(test, target_os = "linux"))]
mod clouds;
mod device;
mod error;
pub mod gain;
mod kmeans;
mod knn;
mod margin;
mod pca;
mod rows;
pub mod shaders;
pub mod umap;

pub use device::Gpu;
pub use error::Error;
pub use kmeans::Session;
pub use knn::NEIGHBOURS_MAX;
