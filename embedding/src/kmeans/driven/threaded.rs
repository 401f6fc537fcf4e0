//! A driven fit where there are threads: labels of all rows are taken by each of them, and where
//! the device is lost they find the labels, too.

use super::{Assigner, Driven, Sums, UNSURE};
use crate::Error;
use crate::kernel::{Level, Panels};
use crate::kmeans::Clustering;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;

/// A thread's own.
struct Worker {
    assigner: Assigner,
    sums: Sums,
    /// Of the rows of a block that are not sure: which they are, their values and squared norms.
    places: Vec<usize>,
    values: Vec<f32>,
    squares: Vec<f32>,
}

/// What is the same for all blocks.
struct Given<'a> {
    rows: &'a dyn RowSource,
    squares: &'a [f32],
    centroids: &'a [f32],
    panels: &'a Panels,
    k: usize,
}

impl Driven<'_> {
    /// What [`Driven::take`] does with the labels of all rows, by all threads.
    ///
    /// # Errors
    /// Where there are not as many labels as rows, a label is none, rows cannot be read, or
    /// `watch` cancels.
    pub fn take_all(&mut self, labels: &[u32], watch: &dyn Watch) -> Result<(), Error> {
        let Self { rows, squares, course, sums, assigner, panels, .. } = self;
        let (n, d, k) = (rows.rows(), rows.dimensions(), sums.clusters());
        if labels.len() != n {
            return Err(Error::Source(format!(
                "{} labels are not those of {n} rows",
                labels.len()
            )));
        }
        let scale = course.scale;
        let mut workers: Vec<Worker> =
            (0..course.threads).map(|_| Worker::new(Sums::new(k, d, scale))).collect();
        let given = Given { rows: *rows, squares, centroids: &course.centroids, panels, k };
        let mut items: Vec<(&mut [u32], &[u32])> =
            course.labels.chunks_mut(BLOCK_ROWS).zip(labels.chunks(BLOCK_ROWS)).collect();
        for_each(&mut items, &mut workers, watch, |worker, index, (before, found)| {
            worker.take(&given, index, before, found)
        })?;
        let changed: u64 = workers.iter().map(|worker| worker.sums.changed).sum();
        if changed > 0 {
            let parts = workers.iter().map(|worker| &worker.sums).chain([&*sums]);
            let mut total = Sums::total(parts, k, d, scale);
            total.changed = sums.changed + changed;
            *sums = total;
        }
        assigner.rechecked += workers.iter().map(|worker| worker.assigner.rechecked).sum::<u64>();
        Ok(())
    }

    /// The rest of the fit without the device, from the centroids that there are: whoever lost it
    /// ends with the same bits.
    ///
    /// # Errors
    /// Where rows cannot be read, or `watch` cancels.
    pub fn finish(mut self, watch: &dyn Watch) -> Result<Clustering, Error> {
        let nobody_knows = vec![UNSURE; self.rows.rows()];
        loop {
            self.take_all(&nobody_knows, watch)?;
            if !self.advance(watch)? {
                return self.end(watch);
            }
        }
    }
}

impl Worker {
    fn new(sums: Sums) -> Self {
        let (places, values, squares) = (Vec::new(), Vec::new(), Vec::new());
        Self { assigner: Assigner::new(Level::detect()), sums, places, values, squares }
    }

    /// Takes the labels of a block: `before` are what they were, and become what they are.
    fn take(
        &mut self,
        given: &Given<'_>,
        index: usize,
        before: &mut [u32],
        found: &[u32],
    ) -> Result<(), Error> {
        // Late iterations change few rows: most blocks need not be read.
        if before == found && !found.contains(&UNSURE) {
            return Ok(());
        }
        let Self { assigner, sums, places, values, squares } = self;
        places.clear();
        values.clear();
        squares.clear();
        let block = given.rows.block(index)?;
        let d = given.rows.dimensions();
        let of_block = given.squares.get(given.rows.block_rows(index)).unwrap_or_default();
        let rows = block.chunks_exact(d).zip(of_block).zip(before.iter_mut().zip(found));
        for (place, ((row, square), (label, found))) in rows.enumerate() {
            match *found {
                UNSURE => {
                    places.push(place);
                    values.extend_from_slice(row);
                    squares.push(*square);
                }
                found if found as usize >= given.k => {
                    return Err(Error::Source(format!("{found} is no label of {}", given.k)));
                }
                found => {
                    sums.change(row, *label, found);
                    *label = found;
                }
            }
        }
        let decided = assigner.assign(values, squares, given.centroids, given.panels);
        for ((row, place), found) in values.chunks_exact(d).zip(places.iter()).zip(decided) {
            if let Some(label) = before.get_mut(*place) {
                sums.change(row, *label, *found);
                *label = *found;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clouds::clouds;
    use crate::kmeans::{Clustering, Options, Prepared, fit};
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    /// A fit whose device is sure of some rows, and lost after so many iterations.
    fn driven(values: &[f32], options: &Options, lost_after: u32) -> Clustering {
        let rows = Matrix::new(values, 5).unwrap();
        let prepared = Prepared::new(&rows, options.threads, &Unwatched).unwrap();
        let mut driven = Driven::new(&rows, &prepared, options, &Unwatched).unwrap();
        for _ in 0..lost_after {
            let centroids = driven.centroids();
            let nearest = |row: &[f32]| {
                let distance = |c: &[f32]| crate::metrics::squared_distance(row, c);
                let all: Vec<f64> = centroids.chunks(5).map(distance).collect();
                (0..all.len()).min_by(|a, b| all[*a].total_cmp(&all[*b])).unwrap() as u32
            };
            let mut labels: Vec<u32> = values.chunks(5).map(nearest).collect();
            labels.iter_mut().step_by(3).for_each(|label| *label = UNSURE);
            driven.take_all(&labels, &Unwatched).unwrap();
            if !driven.advance(&Unwatched).unwrap() {
                return driven.end(&Unwatched).unwrap();
            }
        }
        driven.finish(&Unwatched).unwrap()
    }

    #[test]
    fn a_device_that_is_lost_changes_no_bit() {
        let values = clouds(3000, 5, 7);
        for threads in [1, 3] {
            let options = Options { threads: Some(threads), tolerance: 0.0, ..Options::new(9, 4) };
            let wanted = fit(&Matrix::new(&values, 5).unwrap(), &options, &Unwatched).unwrap();
            assert!(wanted.iterations > 3, "{}", wanted.iterations);
            for lost_after in [0, 1, 3, 1000] {
                let found = driven(&values, &options, lost_after);
                assert_eq!(Clustering { rechecked: wanted.rechecked, ..found }, wanted);
            }
        }
    }

    #[test]
    fn labels_that_are_none_are_refused() {
        let values = clouds(2000, 5, 7);
        let rows = Matrix::new(&values, 5).unwrap();
        let prepared = Prepared::new(&rows, None, &Unwatched).unwrap();
        let options = Options::new(4, 4);
        let mut driven = Driven::new(&rows, &prepared, &options, &Unwatched).unwrap();
        assert!(driven.take_all(&[0; 1999], &Unwatched).is_err());
        assert!(driven.take_all(&[4; 2000], &Unwatched).is_err());
        assert!(driven.take_all(&[3; 2000], &Unwatched).is_ok());
    }
}
