//! What can go wrong, in words that say what to do.

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("k is {k}, and must be from 1 to the number of rows, {rows}")]
    BadK { k: usize, rows: usize },
    #[error("there are no rows")]
    NoRows,
    #[error("vectors have no dimensions")]
    NoDimensions,
    #[error("{given} numbers are not {rows} rows of {dimensions}")]
    BadShape { given: usize, rows: usize, dimensions: usize },
    #[error("row {row} has a value that is not finite: leave such rows out first")]
    NotFinite { row: usize },
    #[error("initial centroids are {given} numbers, and {k} of {dimensions} dimensions are wanted")]
    BadInit { given: usize, k: usize, dimensions: usize },
    #[error("a layout of {rows} rows in {dimensions} dimensions cannot begin at {given} numbers")]
    BadBeginning { given: usize, rows: usize, dimensions: usize },
    #[error("{components} components are asked for, and there are from 1 to {most}")]
    BadComponents { components: usize, most: usize },
    #[error("{neighbours} neighbours are asked for, and a row has from 1 to {most}")]
    BadNeighbours { neighbours: usize, most: usize },
    #[error("the least distance is {0}, and must be from 0 to 1")]
    BadMinDistance(f64),
    #[error("clusters have {0} rows at least, and must have 2")]
    BadClusterSize(usize),
    #[error("density is measured among {0} rows, and must be among 1 at least")]
    BadMinSamples(usize),
    #[error("epsilon is {0}, and must be 0 or a distance")]
    BadEpsilon(f64),
    #[error("the perplexity is {0}, and must be 1 or more")]
    BadPerplexity(f64),
    #[error("row {row} is so far from others that distances are beyond 32 bits")]
    TooFar { row: usize },
    #[error("the covariance has no eigenvectors: {0}")]
    NoEigenvectors(String),
    #[error("rows could not be read: {0}")]
    Source(String),
    #[error("cancelled")]
    Cancelled,
}
