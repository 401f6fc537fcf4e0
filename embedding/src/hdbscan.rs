//! HDBSCAN: clusters as places that are denser than what is around them, and rows that are in
//! none (Campello, Moulavi, Sander: Density-based clustering based on hierarchical density
//! estimates. 2013; McInnes, Healy: Accelerated hierarchical density based clustering. 2017).
//!
//! The core distance of a row is how far its neighbourhood reaches, and two rows are as far
//! apart as the largest of their distance and their core distances. The minimum spanning tree
//! of these is found exactly ([`boruvka`]), in a k-d tree where there are few dimensions
//! ([`kdtree`]) and by products of all pairs where there are many ([`pairs`]). Its edges, from
//! the longest on, take clusters apart ([`hierarchy`]), of which the most lasting are chosen
//! ([`selection`]). What comes of rows and options is the same on every machine, with any
//! number of threads: distances are of 64 bits, and edges have an order without ties.
//!
//! Ties are many, since all edges of a row to its neighbourhood weigh as much as its core
//! distance. Here the nearer rows are joined first, whatever their order in the table, and of
//! equally near ones the first. In scikit-learn it depends on the order of the rows, which may
//! move some rows in a thousand there, and a cluster that has just enough of them.

mod boruvka;
mod forest;
mod graph;
mod hierarchy;
mod kdtree;
mod pairs;
mod selection;

use crate::Error;
use crate::knn::Neighbours;
use crate::rows::RowSource;
use crate::threads::available;
use crate::watch::{Phase, Watch};
use boruvka::spanning_tree;
use forest::Edge;

/// The label of rows that are in no cluster.
pub const NOISE: i32 = -1;
/// Up to so many dimensions a k-d tree is better than all pairs.
const TREE_DIMENSIONS: usize = 8;
/// Near points of each that are kept; by pairs as many as the core distance needs at least.
const NEAR: usize = 16;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Rows that make a cluster, 2 or more.
    pub min_cluster_size: usize,
    /// Rows of a neighbourhood, the row itself among them: more of them smooth the density out.
    /// As many as make a cluster where none is given, and never more than there are.
    pub min_samples: Option<usize>,
    pub selection: Selection,
    /// Clusters do not part at distances below this.
    pub epsilon: f64,
    /// Whether all rows may be one cluster. It then has those that are in it when it parts, or
    /// by the distance epsilon where that is given.
    pub allow_single_cluster: bool,
    /// Larger clusters are not chosen for their stability, where it is given.
    pub max_cluster_size: Option<usize>,
    /// As many as the machine has cores, where none is given.
    pub threads: Option<usize>,
}

impl Options {
    pub fn new(min_cluster_size: usize) -> Self {
        Self {
            min_cluster_size,
            min_samples: None,
            selection: Selection::ExcessOfMass,
            epsilon: 0.0,
            allow_single_cluster: false,
            max_cluster_size: None,
            threads: None,
        }
    }
}

/// Fifteen rows make a cluster: scikit-learn's five find many that are chance in what is looked
/// at as a map.
impl Default for Options {
    fn default() -> Self {
        Self::new(15)
    }
}

/// Which clusters of the tree are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Those that last longest, for all their rows.
    ExcessOfMass,
    /// Those that do not part: smaller ones, of a more even size.
    Leaf,
}

/// Clusters that were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The cluster of each row, or [`NOISE`]. Clusters are numbered as they come in the rows.
    pub labels: Vec<i32>,
    /// How much each row is of its cluster, from 0 to 1; 0 for noise.
    pub probabilities: Vec<f32>,
    pub clusters: Vec<Cluster>,
    /// GLOSH, from 0 to 1: how much less dense it is about a row than where the part of the
    /// tree to which it belongs is densest.
    pub outlier_scores: Vec<f32>,
}

/// What is known of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Rows with its label.
    pub size: u64,
    /// The excess of mass, in rows by 1/distance: infinite where some of its rows are alike.
    pub stability: f64,
    /// From 0 to 1, on any scale: the mean over its rows of how long they are in it, as a share
    /// of the largest 1/distance in it.
    pub persistence: f64,
}

/// Clusters rows of n × d numbers.
///
/// All rows are held in memory, and some 200 bytes more for each; where d is more than 8, also 8
/// for each of its neighbourhood, and time is in proportion to n².
///
/// # Errors
/// Where an option is out of range, there are no rows, they cannot be read or are not finite,
/// or `watch` cancels.
pub fn fit(
    rows: &dyn RowSource,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Clustering, Error> {
    check(rows, options)?;
    let n = rows.rows();
    let threads = options.threads.unwrap_or_else(available).max(1);
    let min_samples = options.min_samples.unwrap_or(options.min_cluster_size).min(n);
    let mut edges = edges(rows, min_samples, threads, watch)?;
    condense(&mut edges, n, options, watch)
}

/// Neighbours of each row that are enough for [`fit_graph`], where a neighbourhood has so many rows.
pub fn graph_neighbours(min_samples: usize, rows: usize) -> usize {
    min_samples.saturating_sub(1).max(NEAR).min(rows.saturating_sub(1))
}

/// Clusters rows by their nearest neighbours alone: rows that no chain of neighbours joins are never
/// in one cluster. Where all rows of dense places have each other among their neighbours, it finds
/// what [`fit`] finds. Time and memory are in proportion to the neighbours, however many dimensions
/// rows have.
///
/// # Errors
/// Where an option is out of range, rows have fewer neighbours than their neighbourhood takes, there
/// are none, or `watch` cancels.
pub fn fit_graph(
    neighbours: &Neighbours,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Clustering, Error> {
    let k = neighbours.k;
    let n = neighbours.rows.len() / k.max(1);
    check_options(options)?;
    if n == 0 {
        return Err(Error::NoRows);
    }
    let n_others = options.min_samples.unwrap_or(options.min_cluster_size).min(n) - 1;
    if n_others > k {
        return Err(Error::BadNeighbours { neighbours: n_others, most: k });
    }
    let mut edges = graph::edges(neighbours, n_others);
    condense(&mut edges, n, options, watch)
}

/// Clusters by edges that join all rows, of which only those of the minimum spanning tree count.
fn condense(
    edges: &mut [Edge],
    n: usize,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Clustering, Error> {
    watch.progress(Phase::Measures, 0, 1);
    let merges = hierarchy::single_linkage(edges, n, watch)?;
    let tree = hierarchy::Condensed::new(&merges, n, options.min_cluster_size, watch)?;
    let found = selection::clustering(&tree, options);
    watch.progress(Phase::Measures, 1, 1);
    Ok(found)
}

/// The minimum spanning tree.
fn edges(
    rows: &dyn RowSource,
    min_samples: usize,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<Edge>, Error> {
    let n_others = min_samples - 1;
    let tree = (n_others, NEAR.min(rows.rows() - 1));
    match rows.dimensions() {
        1 | 2 => {
            spanning_tree(&kdtree::Tree::<2>::new(rows, tree, threads, watch)?, threads, watch)
        }
        3 => spanning_tree(&kdtree::Tree::<3>::new(rows, tree, threads, watch)?, threads, watch),
        4 => spanning_tree(&kdtree::Tree::<4>::new(rows, tree, threads, watch)?, threads, watch),
        5..=TREE_DIMENSIONS => {
            spanning_tree(&kdtree::Tree::<8>::new(rows, tree, threads, watch)?, threads, watch)
        }
        _ => by_pairs(rows, n_others, threads, watch),
    }
}

fn by_pairs(
    rows: &dyn RowSource,
    n_others: usize,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<Edge>, Error> {
    let n_near = n_others.max(NEAR).min(rows.rows() - 1);
    spanning_tree(&pairs::Pairs::new(rows, (n_others, n_near), threads, watch)?, threads, watch)
}

fn check(rows: &dyn RowSource, options: &Options) -> Result<(), Error> {
    if rows.rows() == 0 {
        return Err(Error::NoRows);
    }
    if rows.dimensions() == 0 {
        return Err(Error::NoDimensions);
    }
    check_options(options)
}

fn check_options(options: &Options) -> Result<(), Error> {
    if options.min_cluster_size < 2 {
        return Err(Error::BadClusterSize(options.min_cluster_size));
    }
    if options.min_samples == Some(0) {
        return Err(Error::BadMinSamples(0));
    }
    if !(options.epsilon >= 0.0 && options.epsilon.is_finite()) {
        return Err(Error::BadEpsilon(options.epsilon));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
