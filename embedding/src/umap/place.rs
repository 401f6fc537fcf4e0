//! New rows in a layout that there is: each begins in the middle of its neighbours among the rows
//! laid out, weighted by how strong its bonds to them are, and is then moved by these for some
//! epochs, as umap-learn's transform does. What was laid out stays where it is, and new rows know
//! nothing of each other: a row is placed the same whatever it is placed with.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use super::Options;
use super::curve::Curve;
use super::graph::Graph;
use super::layout::{Run, for_dimensions};
use super::walk::{Bonds, Walker, paces};
use crate::Error;
use crate::kernel::Level;
use crate::knn;
use crate::random::Random;
use crate::rows::RowSource;
use crate::threads::{available, for_each};
use crate::watch::{Phase, Watch};

/// Epochs; of those asked for, one in so many.
const EPOCHS: u32 = 100;
const EPOCHS_SHARE: u32 = 3;
/// Rows that are placed together.
const ROWS_AT_ONCE: usize = 512;
/// What the first step of rows that are placed is, in shares of one of rows that are laid out.
const RATE_OF_NEW: f32 = 0.25;
const PLACE_STREAM: u64 = 0x64;

/// Rows and where they were laid out: all that it takes to place others.
#[derive(Clone)]
pub struct Model<'a> {
    rows: &'a dyn RowSource,
    points: &'a [f32],
    options: Options,
}

impl<'a> Model<'a> {
    /// `points` are what [`super::fit`] made of `rows` by these options.
    ///
    /// # Errors
    /// Where there are not as many, or an option is out of range.
    pub fn new(
        rows: &'a dyn RowSource,
        points: &'a [f32],
        options: Options,
    ) -> Result<Self, Error> {
        super::check(rows.rows(), &options)?;
        let (given, n, dimensions) = (points.len(), rows.rows(), options.dimensions);
        if given != n * dimensions || points.iter().any(|x| !x.is_finite()) {
            return Err(Error::BadBeginning { given, rows: n, dimensions });
        }
        Ok(Self { rows, points, options })
    }

    /// Places new rows: n × dimensions.
    ///
    /// # Errors
    /// Where they have other dimensions, cannot be read or are not finite, or `watch` cancels.
    pub fn place(&self, new: &dyn RowSource, watch: &dyn Watch) -> Result<Vec<f32>, Error> {
        let (n, d, m) = (new.rows(), self.rows.dimensions(), self.options.dimensions);
        if new.dimensions() != d {
            return Err(Error::BadShape { given: new.dimensions(), rows: n, dimensions: d });
        }
        if n == 0 {
            return Ok(Vec::new());
        }
        let threads = self.options.threads.unwrap_or_else(available).max(1);
        let k = self.options.neighbours.min(self.rows.rows());
        let neighbours = knn::among(self.rows, new, k, threads, watch)?;
        let epochs = self.options.epochs.map_or(EPOCHS, |epochs| epochs / EPOCHS_SHARE);
        let graph = Graph::to_others(&neighbours, epochs);
        let curve = Curve::fit(self.options.min_distance);
        let run = Run { curve, epochs, seed: self.options.seed };
        let (graph_paces, others) = (paces(graph.all().1), self.points);
        let placing = Placing { run, graph: &graph, paces: &graph_paces, others };
        placing.place(self.middles(&graph), m, threads, watch)
    }

    /// Of each row's neighbours.
    fn middles(&self, graph: &Graph) -> Vec<f32> {
        let m = self.options.dimensions;
        let mut middles = Vec::with_capacity(graph.rows() * m);
        for bonds in graph.starts.windows(2) {
            let (others, weights) = graph.bonds(bonds[0]..bonds[1]);
            let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
            for axis in 0..m {
                let each = others.iter().zip(weights);
                let share = |(other, weight): (&u32, &f32)| {
                    f64::from(*weight) * f64::from(self.points[*other as usize * m + axis])
                };
                middles.push((each.map(share).sum::<f64>() / sum) as f32);
            }
        }
        middles
    }
}

/// Rows moved by their bonds to others, which stay where they are.
struct Placing<'a> {
    run: Run,
    graph: &'a Graph,
    paces: &'a [u32],
    /// Where the others are: as many × m.
    others: &'a [f32],
}

impl Placing<'_> {
    /// Moves points of `m` dimensions.
    fn place(
        &self,
        mut points: Vec<f32>,
        m: usize,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        let mut blocks: Vec<&mut [f32]> = points.chunks_mut(ROWS_AT_ONCE * m).collect();
        let (done, of) = (AtomicU64::new(0), blocks.len() as u64);
        for_each(&mut blocks, &mut vec![(); threads], watch, |(), index, points| {
            for_dimensions!(m, self.place_in(index * ROWS_AT_ONCE, points));
            watch.progress(Phase::Epochs, done.fetch_add(1, Ordering::Relaxed) + 1, of);
            Ok(())
        })?;
        Ok(points)
    }

    fn place_in<const M: usize>(&self, first: usize, points: &mut [f32]) {
        let points = points.as_chunks_mut().0;
        match Level::detect() {
            // SAFETY: the level was found by asking the processor.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.place_avx512::<M>(first, points) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.place_avx2::<M>(first, points) },
            _ => self.place_rows::<M>(first, points),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn place_avx512<const M: usize>(&self, first: usize, points: &mut [[f32; M]]) {
        self.place_rows(first, points);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn place_avx2<const M: usize>(&self, first: usize, points: &mut [[f32; M]]) {
        self.place_rows(first, points);
    }

    /// Through all epochs: rows have to do with none of the others that are moved.
    #[inline(always)]
    fn place_rows<const M: usize>(&self, first: usize, points: &mut [[f32; M]]) {
        let (starts, (others, _)) =
            (&self.graph.starts[first..=first + points.len()], self.graph.all());
        let random = Random::new(self.run.seed, PLACE_STREAM);
        let key = |start: &usize| random.words(u64::from(others[*start]))[0];
        let keys: Vec<u32> = starts[..points.len()].iter().map(key).collect();
        let bonds = Bonds { starts, others, paces: self.paces, keys: &keys };
        let all: &[[f32; M]] = self.others.as_chunks().0;
        let (mut walker, mut pulls) = (Walker::default(), Vec::new());
        for number in 1..self.run.epochs {
            let mut epoch = self.run.epoch(number);
            epoch.rate *= RATE_OF_NEW;
            let at = |row: u32| all[row as usize];
            walker.walk(&epoch, bonds, points, (all.len() as u32, at), &mut pulls);
            pulls.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clouds::clouds;
    use crate::metrics;
    use crate::rows::Matrix;
    use crate::umap::fit;
    use crate::watch::Unwatched;

    const D: usize = 12;

    fn options(threads: usize) -> Options {
        Options { threads: Some(threads), ..Options::new(2, 5) }
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn rows_that_were_laid_out_are_placed_where_they_are() {
        let values = clouds(900, D, 3);
        let rows = Matrix::new(&values, D).unwrap();
        let layout = fit(&rows, &options(1), &Unwatched).unwrap();
        let model = Model::new(&rows, &layout.points, options(1)).unwrap();
        let placed = model.place(&rows, &Unwatched).unwrap();
        let mut off: Vec<f32> =
            placed.chunks(2).zip(layout.points.chunks(2)).map(|(a, b)| distance(a, b)).collect();
        off.sort_by(f32::total_cmp);
        let reach = layout.points.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(off[450] < 0.03 * reach && off[890] < 0.15 * reach, "{} {}", off[450], off[890]);
        // Neither threads nor what else is placed make a difference.
        let threads = Model::new(&rows, &layout.points, options(3)).unwrap();
        assert_eq!(placed, threads.place(&rows, &Unwatched).unwrap());
        let some = Matrix::new(&values[500 * D..600 * D], D).unwrap();
        assert_eq!(placed[1000..1200], model.place(&some, &Unwatched).unwrap());
    }

    #[test]
    fn new_rows_are_placed_among_their_like() {
        let values = clouds(1200, D, 3);
        let (known, new) = values.split_at(900 * D);
        let (rows, new) = (Matrix::new(known, D).unwrap(), Matrix::new(new, D).unwrap());
        let layout = fit(&rows, &options(2), &Unwatched).unwrap();
        let model = Model::new(&rows, &layout.points, options(2)).unwrap();
        let placed = model.place(&new, &Unwatched).unwrap();
        let all = [&layout.points[..], &placed].concat();
        let drawn = Matrix::new(&all, 2).unwrap();
        let labels: Vec<u32> = (0..1200).map(|row| row % 3).collect();
        let apart = metrics::silhouette(&drawn, &labels, 1, 1, &Unwatched).unwrap().unwrap();
        assert!(apart.mean > 0.7, "{apart:?}");
        let everything = Matrix::new(&values, D).unwrap();
        let trust = |points: &[f32]| {
            let found = metrics::trustworthiness(&everything, points, 15, 1, 1, &Unwatched);
            found.unwrap().unwrap().value
        };
        let whole = fit(&everything, &options(2), &Unwatched).unwrap();
        let (found, wanted) = (trust(&all), trust(&whole.points));
        assert!(found > wanted - 0.02, "{found} {wanted}");
    }

    #[test]
    fn odd_rows_are_placed_or_an_error() {
        let values = clouds(40, 6, 2);
        let rows = Matrix::new(&values, 6).unwrap();
        let points: Vec<f32> = (0..80).map(|at| at as f32).collect();
        let model = Model::new(&rows, &points, options(1)).unwrap();
        let none = Matrix::new(&[], 6).unwrap();
        assert_eq!(model.place(&none, &Unwatched).unwrap(), []);
        let narrow = Matrix::new(&values, 3).unwrap();
        let bad = Error::BadShape { given: 3, rows: 80, dimensions: 6 };
        assert_eq!(model.place(&narrow, &Unwatched).unwrap_err(), bad);
        let far = vec![1e20; 6];
        let far = Matrix::new(&far, 6).unwrap();
        assert_eq!(model.place(&far, &Unwatched).unwrap_err(), Error::TooFar { row: 0 });
        let bad = Error::BadBeginning { given: 78, rows: 40, dimensions: 2 };
        assert_eq!(Model::new(&rows, &points[2..], options(1)).err(), Some(bad));
        // Fewer rows than neighbours are asked for, and rows that are one.
        for values in [vec![5.0; 6], vec![5.0; 24]] {
            let rows = Matrix::new(&values, 6).unwrap();
            let points: Vec<f32> = (0..values.len() / 3).map(|at| at as f32).collect();
            let model = Model::new(&rows, &points, options(1)).unwrap();
            let placed = model.place(&rows, &Unwatched).unwrap();
            assert!(placed.len() == points.len() && placed.iter().all(|x| x.is_finite()));
        }
    }
}
