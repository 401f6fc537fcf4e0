//! UMAP: rows laid out so that neighbours stay neighbours (McInnes, Healy, Melville: UMAP. 2018,
//! <https://arxiv.org/abs/1802.03426>; what it leaves open is as umap-learn 0.5 has it).
//!
//! A graph of neighbours with the strength of each bond ([`graph`]), a beginning by principal
//! components, and then epochs in which bonds pull and random others push ([`layout`]). A seed
//! gives the same layout with any number of threads, on every machine.

mod curve;
mod graph;
mod layout;
mod power;

use crate::random::Random;
use crate::rows::RowSource;
use crate::threads::available;
use crate::watch::Watch;
use crate::{Error, knn, pca};

/// What is asked for. The defaults are umap-learn's.
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
    /// As many as the machine has cores, where none is given.
    pub threads: Option<usize>,
}

impl Options {
    pub fn new(dimensions: usize, seed: u64) -> Self {
        let (neighbours, min_distance) = (15, 0.1);
        Self { dimensions, seed, neighbours, min_distance, epochs: None, threads: None }
    }

    /// How many neighbours are looked for of each of so many rows: without the row itself.
    pub fn found_of(&self, rows: usize) -> usize {
        self.neighbours.min(rows).saturating_sub(1)
    }
}

/// Most dimensions of a layout.
pub const DIMENSIONS_MAX: usize = 8;
/// Up to so many rows there is time for more epochs.
const SMALL_ROWS: usize = 10_000;
const EPOCHS_SMALL: u32 = 500;
const EPOCHS: u32 = 200;
/// How far the beginning reaches, and how far it is shaken, so that no two points are one.
const REACH: f32 = 10.0;
const NOISE: f32 = 1e-4;
const NOISE_STREAM: u64 = 0x60;

/// Rows laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// n × dimensions.
    pub points: Vec<f32>,
    /// The share of the true neighbours that was found, measured on some rows.
    pub neighbour_recall: f64,
}

/// Lays rows out.
///
/// # Errors
/// Where an option is out of range, there are no rows, they cannot be read, or `watch` cancels.
pub fn fit(rows: &dyn RowSource, options: &Options, watch: &dyn Watch) -> Result<Layout, Error> {
    let find = |k, threads| knn::nearest(rows, k, Some(threads), options.seed, watch);
    lay_out(rows, options, find, watch)
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
    let find = |k: usize, _| {
        let given = found.neighbours.rows.len();
        match given == k * rows.rows() {
            true => Ok(found),
            false => Err(Error::BadShape { given, rows: rows.rows(), dimensions: k }),
        }
    };
    lay_out(rows, options, find, watch)
}

fn lay_out(
    rows: &dyn RowSource,
    options: &Options,
    find: impl FnOnce(usize, usize) -> Result<knn::Found, Error>,
    watch: &dyn Watch,
) -> Result<Layout, Error> {
    let (n, m) = (rows.rows(), options.dimensions);
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
    let threads = options.threads.unwrap_or_else(available).max(1);
    let begin = beginning(rows, options, threads, watch)?;
    // Of two rows nothing is to be said but that they are two.
    if n < 3 {
        return Ok(Layout { points: begin, neighbour_recall: 1.0 });
    }
    let knn::Found { neighbours, recall } = find(options.found_of(n), threads)?;
    let epochs = options.epochs.unwrap_or(if n <= SMALL_ROWS { EPOCHS_SMALL } else { EPOCHS });
    let graph = graph::Graph::new(&neighbours, epochs);
    let curve = curve::Curve::fit(options.min_distance);
    let run = layout::Run { graph: &graph, curve, epochs, seed: options.seed };
    Ok(Layout { points: run.layout(begin, m, watch)?, neighbour_recall: recall })
}

/// Along the principal components, or anywhere where there are too few of them.
fn beginning(
    rows: &dyn RowSource,
    options: &Options,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let (n, m) = (rows.rows(), options.dimensions);
    let n_components = m.min(n).min(rows.dimensions());
    let pca = pca::fit(rows, n_components, Some(threads), watch)?;
    let projected = pca.project(rows, Some(threads), watch)?;
    let most = projected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = if most > 0.0 { REACH / most } else { 0.0 };
    let random = Random::new(options.seed, NOISE_STREAM);
    let mut points = vec![0.0; n * m];
    for (row, point) in points.chunks_exact_mut(m).enumerate() {
        for (at, slot) in point.iter_mut().enumerate() {
            let noise = random.bell((row * m + at) as u64) as f32;
            let own = projected.get(row * n_components + at).filter(|_| at < n_components);
            *slot = match own {
                Some(x) if scale > 0.0 => x * scale + noise * NOISE,
                _ => noise,
            };
        }
    }
    spread(&mut points, m);
    Ok(points)
}

/// Each dimension from 0 to [`REACH`].
fn spread(points: &mut [f32], m: usize) {
    for at in 0..m {
        let values = || points.iter().skip(at).step_by(m).copied();
        let least = values().fold(f32::INFINITY, f32::min);
        let most = values().fold(f32::NEG_INFINITY, f32::max);
        if most > least {
            let scale = REACH / (most - least);
            points.iter_mut().skip(at).step_by(m).for_each(|x| *x = (*x - least) * scale);
        }
    }
}

#[cfg(test)]
mod tests;
