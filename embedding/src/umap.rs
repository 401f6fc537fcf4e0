//! UMAP: rows laid out so that neighbours stay neighbours (McInnes, Healy, Melville: UMAP. 2018,
//! <https://arxiv.org/abs/1802.03426>; what it leaves open is as umap-learn 0.5 has it).
//!
//! A graph of neighbours with the strength of each bond ([`graph`]), a beginning by the graph's
//! eigenvectors or by principal components ([`beginning`]), and then epochs in which bonds pull and
//! random others push ([`layout`]; a device may compute them: [`Prepared`]). A seed gives the same layout with any number of threads, on
//! every machine.

mod beginning;
mod curve;
mod dealt;
mod gate;
mod graph;
mod layout;
mod place;
mod power;
mod prepared;
mod spectral;
mod walk;

use crate::rows::RowSource;
use crate::watch::Watch;
use crate::{Error, knn};

pub use dealt::Dealt;
pub use place::Model;
pub use prepared::{Epoch, Prepared};

/// What is asked for. The defaults are umap-learn's, but for where points begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub dimensions: usize,
    pub seed: u64,
    /// How many rows a row's neighbourhood has, itself among them.
    pub neighbours: usize,
    /// How near points may come to each other.
    pub min_distance: f64,
    /// 500 up to 10,000 rows and 200 beyond, where none is given.
    pub epochs: Option<u32>,
    pub init: Init,
    /// As many as the machine has cores, where none is given.
    pub threads: Option<usize>,
}

impl Options {
    pub fn new(dimensions: usize, seed: u64) -> Self {
        let (neighbours, min_distance, init) = (15, 0.1, Init::Pca);
        Self { dimensions, seed, neighbours, min_distance, epochs: None, init, threads: None }
    }

    /// Principal components that rows begin along.
    pub fn components_of(&self, rows: &dyn RowSource) -> usize {
        self.dimensions.min(rows.rows()).min(rows.dimensions())
    }

    /// How many neighbours are looked for of each of so many rows: without the row itself.
    pub fn found_of(&self, rows: usize) -> usize {
        self.neighbours.min(rows).saturating_sub(1)
    }
}

/// Where points begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// Along the principal components of the rows, which keeps most of what is far apart so.
    Pca,
    /// By the eigenvectors of the graph of neighbours, as umap-learn begins: what is wound is
    /// unwound. Of a graph that does not hang together by those of its parts, each with room of
    /// its own.
    Spectral,
    /// n × dimensions numbers.
    Given(Vec<f32>),
}

/// Where points began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// By eigenvectors, of so many parts that do not hang together.
    Spectral {
        parts: usize,
    },
    /// Along principal components.
    Pca(Why),
    Given,
}

/// Why a layout begins along principal components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Asked,
    /// There are too few rows for eigenvectors to say anything.
    Few,
    /// The graph is of so many parts that there is no telling where each is to be, or they are all
    /// about one place.
    Parts,
    /// Eigenvalues are so near to each other that eigenvectors were not found in time.
    NotFound,
}

/// Most dimensions of a layout.
pub const DIMENSIONS_MAX: usize = 8;
/// Up to so many rows there is time for more epochs.
const SMALL_ROWS: usize = 10_000;
const EPOCHS_SMALL: u32 = 500;
const EPOCHS: u32 = 200;

/// Rows laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// n × dimensions.
    pub points: Vec<f32>,
    /// The share of the true neighbours that was found, measured on some rows.
    pub neighbour_recall: f64,
    pub begun: Begun,
}

/// Lays rows out.
///
/// # Errors
/// Where an option is out of range, there are no rows, they cannot be read, or `watch` cancels.
pub fn fit(rows: &dyn RowSource, options: &Options, watch: &dyn Watch) -> Result<Layout, Error> {
    Prepared::new(rows, options, watch)?.compute(watch)
}

/// Lays rows out whose neighbours are known, as many of each as [`Options::found_of`] says.
///
/// # Errors
/// As [`fit`] has them, and where there are others than so many neighbours.
pub fn fit_among(
    rows: &dyn RowSource,
    options: &Options,
    found: knn::Found,
    watch: &dyn Watch,
) -> Result<Layout, Error> {
    Prepared::among(rows, options, found, watch)?.compute(watch)
}

fn check(n: usize, options: &Options) -> Result<(), Error> {
    let m = options.dimensions;
    if n == 0 {
        return Err(Error::NoRows);
    }
    if m == 0 || m > DIMENSIONS_MAX {
        return Err(Error::BadComponents { components: m, most: DIMENSIONS_MAX });
    }
    if !(0.0..=1.0).contains(&options.min_distance) {
        return Err(Error::BadMinDistance(options.min_distance));
    }
    if options.neighbours < 2 {
        return Err(Error::BadNeighbours { neighbours: options.neighbours, most: n - 1 });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
