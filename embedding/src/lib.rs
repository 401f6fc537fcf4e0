//! Clustering and projection of vectors. Pure compute: rows of 32-bit floats come in through
//! [`rows::RowSource`], a block at a time, and labels, centroids and measures go out. What a
//! seed gives is the same with any number of threads, and on every machine: sums are whole
//! numbers, which have no order, or have one order that the code says, and where rounding could
//! decide, it is looked at once more in more digits.

#[cfg(test)]
mod clouds;
mod eigen;
mod error;
mod exponential;
pub mod hdbscan;
mod kernel;
pub mod kmeans;
pub mod knn;
pub mod metrics;
pub mod pca;
pub mod random;
pub mod rows;
mod sample;
mod threads;
pub mod tsne;
pub mod umap;
pub mod watch;

pub use error::Error;
