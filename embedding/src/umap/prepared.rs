//! A layout before its first epoch: the neighbours are found and the points are where they begin.
//! The epochs are [computed](Prepared::compute) here, or by a device that is told all it takes.

use super::beginning::{self, Along};
use super::curve::Curve;
use super::dealt::Dealt;
use super::graph::Graph;
use super::layout::Run;
use super::{Begun, EPOCHS, EPOCHS_SMALL, Init, Layout, Options, SMALL_ROWS, Why, check};
use crate::pca::{self, Pca};
use crate::rows::RowSource;
use crate::threads::available;
use crate::watch::Watch;
use crate::{Error, knn};

/// The components along which rows begin.
fn along(rows: &dyn RowSource, options: &Options, watch: &dyn Watch) -> Result<Pca, Error> {
    check(rows.rows(), options)?;
    pca::fit(rows, options.components_of(rows), options.threads, watch)
}

/// All that epochs are made of.
pub struct Prepared {
    run: Run,
    /// None where there are too few rows to be moved.
    dealt: Option<Dealt>,
    /// n × dimensions, in the order of the rows.
    points: Vec<f32>,
    dimensions: usize,
    threads: usize,
    neighbour_recall: f64,
    begun: Begun,
}

/// What all rows of an epoch have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub number: u32,
    /// How strong bonds are by the distance x of their ends: 1 / (1 + a·x^(2b)).
    pub a: f32,
    pub b: f32,
    /// The share of a pull or push that is gone.
    pub rate: f32,
    /// Mixed with each row's key, for its random numbers.
    pub word: u32,
}

impl Prepared {
    /// Finds the neighbours of rows, and where they begin.
    ///
    /// # Errors
    /// As [`super::fit`] has them.
    pub fn new(rows: &dyn RowSource, options: &Options, watch: &dyn Watch) -> Result<Self, Error> {
        let find = |k, threads| knn::nearest(rows, k, Some(threads), options.seed, watch);
        Self::by(rows, options, (find, &along(rows, options, watch)?), watch)
    }

    /// The same of rows whose neighbours are known.
    ///
    /// # Errors
    /// As [`super::fit_among`] has them.
    pub fn among(
        rows: &dyn RowSource,
        options: &Options,
        found: knn::Found,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let pca = along(rows, options, watch)?;
        Self::among_along(rows, options, (found, &pca), watch)
    }

    /// The same of rows whose neighbours are known, and [as many](Options::components_of) principal
    /// components.
    ///
    /// # Errors
    /// As [`super::fit_among`] has them, and where there are others than so many components.
    pub fn among_along(
        rows: &dyn RowSource,
        options: &Options,
        (found, pca): (knn::Found, &Pca),
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let find = |k: usize, _| {
            let given = found.neighbours.rows.len();
            match given == k * rows.rows() {
                true => Ok(found),
                false => Err(Error::BadShape { given, rows: rows.rows(), dimensions: k }),
            }
        };
        Self::by(rows, options, (find, pca), watch)
    }

    fn by(
        rows: &dyn RowSource,
        options: &Options,
        (find, pca): (impl FnOnce(usize, usize) -> Result<knn::Found, Error>, &Pca),
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let (n, m, seed) = (rows.rows(), options.dimensions, options.seed);
        check(n, options)?;
        if let Init::Given(given) = &options.init
            && (given.len() != n * m || given.iter().any(|x| !x.is_finite()))
        {
            return Err(Error::BadBeginning { given: given.len(), rows: n, dimensions: m });
        }
        let threads = options.threads.unwrap_or_else(available).max(1);
        let along = Along::new(rows, pca, options, watch)?;
        let epochs = options.epochs.unwrap_or(if n <= SMALL_ROWS { EPOCHS_SMALL } else { EPOCHS });
        let run = Run { curve: Curve::fit(options.min_distance), epochs, seed };
        let few = Self {
            run,
            dealt: None,
            points: Vec::new(),
            dimensions: m,
            threads,
            neighbour_recall: 1.0,
            begun: Begun::Pca(Why::Few),
        };
        // Of two rows nothing is to be said but that they are two.
        if n < 3 {
            return Ok(Self { points: along.points(n, m, seed), ..few });
        }
        let knn::Found { neighbours, recall } = find(options.found_of(n), threads)?;
        let graph = Graph::new(&neighbours, epochs);
        let (points, begun) = beginning::points(&graph, &along, options, threads, watch)?;
        let dealt = Some(Dealt::new(&graph, seed));
        Ok(Self { dealt, points, neighbour_recall: recall, begun, ..few })
    }

    /// Moves the points.
    ///
    /// # Errors
    /// Where `watch` cancels.
    pub fn compute(self, watch: &dyn Watch) -> Result<Layout, Error> {
        let Self { run, dealt, points, dimensions, threads, neighbour_recall, begun } = self;
        let points = match dealt {
            Some(dealt) => run.layout(&dealt, points, dimensions, threads, watch)?,
            None => points,
        };
        Ok(Layout { points, neighbour_recall, begun })
    }

    /// What a device computes by; none where there is nothing to compute.
    pub fn dealt(&self) -> Option<&Dealt> {
        self.dealt.as_ref()
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Epochs that there are; the first moves nothing.
    pub fn epochs(&self) -> u32 {
        self.run.epochs
    }

    pub fn epoch(&self, number: u32) -> Epoch {
        self.run.epoch(number)
    }

    /// Where points begin: n × dimensions, in the order of the rows.
    pub fn points(&self) -> &[f32] {
        &self.points
    }

    /// The layout that somebody else computed: n × dimensions, in the order of the rows.
    ///
    /// # Errors
    /// Where it has other points, or some that are nowhere.
    pub fn end(self, points: Vec<f32>) -> Result<Layout, Error> {
        if points.len() != self.points.len() || points.iter().any(|x| !x.is_finite()) {
            let (rows, dimensions) = (self.points.len() / self.dimensions, self.dimensions);
            return Err(Error::BadBeginning { given: points.len(), rows, dimensions });
        }
        let Self { neighbour_recall, begun, .. } = self;
        Ok(Layout { points, neighbour_recall, begun })
    }
}
