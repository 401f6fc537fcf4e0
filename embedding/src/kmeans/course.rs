//! What happens between two assignments, whoever makes them: means, whether it is over, and what
//! is told in the end.

use super::sums::{Scale, Sums};
use super::{Clustering, Options, fill_empty, init};
use crate::Error;
use crate::metrics::{self, Spread, squared_distance};
use crate::rows::RowSource;
use crate::threads::available;
use crate::watch::{Phase, Watch};

/// What is known of rows before they are clustered, and may be kept for the next time.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    pub(super) spread: Spread,
    /// Of each row.
    pub(super) squares: Vec<f32>,
}

impl Prepared {
    /// # Errors
    /// Where there are no rows, they cannot be read or are not finite, or `watch` cancels.
    pub fn new(
        rows: &dyn RowSource,
        threads: Option<usize>,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        if rows.rows() == 0 {
            return Err(Error::NoRows);
        }
        let threads = threads.unwrap_or_else(available).max(1);
        let spread = metrics::spread(rows, threads, watch)?;
        Ok(Self { spread, squares: metrics::squared_norms(rows, threads, watch)? })
    }

    /// A point in the middle of all rows: d numbers.
    pub fn centre(&self) -> &[f32] {
        &self.spread.centre
    }

    /// The farthest that a value is from the centre of its dimension.
    pub fn reach(&self) -> f64 {
        self.spread.reach
    }
}

/// A fit on its way.
pub(super) struct Course<'a> {
    rows: &'a dyn RowSource,
    options: &'a Options,
    pub threads: usize,
    pub scale: Scale,
    pub centroids: Vec<f32>,
    pub labels: Vec<u32>,
    stop_below: f64,
    iterations: u32,
    has_converged: bool,
}

impl<'a> Course<'a> {
    /// With centroids where they begin. Options and rows fit each other.
    pub(super) fn new(
        rows: &'a dyn RowSource,
        prepared: &Prepared,
        options: &'a Options,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let threads = options.threads.unwrap_or_else(available).max(1);
        let spread = &prepared.spread;
        let begin = (&options.init, options.k);
        Ok(Self {
            rows,
            options,
            threads,
            scale: Scale::new(spread.largest, rows.rows()),
            centroids: init::choose(rows, begin, options.seed, threads, watch)?,
            labels: vec![u32::MAX; rows.rows()],
            stop_below: options.tolerance * spread.mean_variance,
            iterations: 0,
            has_converged: false,
        })
    }

    /// Says how far it is.
    pub(super) fn tell(&self, watch: &dyn Watch) {
        let (done, most) = (self.iterations, self.options.max_iterations);
        watch.progress(Phase::Iterations, u64::from(done), u64::from(most));
    }

    /// Every row is with its nearest centroid, and `changed` of them went elsewhere: moves the
    /// centroids, to means of sums that are asked for where they are needed. Whether rows are to
    /// be assigned again.
    pub(super) fn advance(
        &mut self,
        changed: u64,
        total: impl FnOnce() -> Sums,
        watch: &dyn Watch,
    ) -> Result<bool, Error> {
        // These are the labels of the last centroids.
        if self.has_converged || self.iterations == self.options.max_iterations {
            return Ok(false);
        }
        self.iterations += 1;
        if changed == 0 {
            self.has_converged = true;
            return Ok(false);
        }
        let mut total = total();
        if total.n_empty() > 0 {
            let Self { rows, centroids, labels, threads, .. } = &*self;
            fill_empty(*rows, centroids, labels, &mut total, *threads, watch)?;
        }
        let next = total.means(&self.centroids);
        self.has_converged = squared_distance(&self.centroids, &next) <= self.stop_below;
        self.centroids = next;
        Ok(true)
    }

    pub(super) fn end(self, rechecked: u64, watch: &dyn Watch) -> Result<Clustering, Error> {
        let Self { rows, labels, centroids, iterations, has_converged, threads, .. } = self;
        watch.progress(Phase::Measures, 0, 1);
        let inertia = metrics::inertia(rows, &centroids, &labels, threads, watch)?;
        let mut sizes = vec![0; self.options.k];
        for label in &labels {
            if let Some(size) = sizes.get_mut(*label as usize) {
                *size += 1;
            }
        }
        Ok(Clustering { labels, centroids, sizes, inertia, iterations, has_converged, rechecked })
    }
}
