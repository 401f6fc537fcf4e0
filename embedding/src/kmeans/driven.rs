//! A fit whose rows are assigned elsewhere, as by a graphics processor, which says of which rows
//! it is not sure. Those are decided here, by the code of [`super::fit`], and so are means: whoever
//! assigns, labels and centroids are the same to the bit.

mod threaded;

use super::assign::Assigner;
use super::course::{Course, Prepared};
use super::sums::Sums;
use super::{Clustering, Options, check};
use crate::Error;
use crate::kernel::{Level, Panels};
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::watch::Watch;

/// The label of a row that is to be decided here.
pub const UNSURE: u32 = u32::MAX;

/// A fit on its way: all rows are given to [`Driven::take`], then [`Driven::advance`] moves the
/// centroids, as long as it says so.
pub struct Driven<'a> {
    rows: &'a dyn RowSource,
    squares: &'a [f32],
    course: Course<'a>,
    sums: Sums,
    /// Rows that had gone elsewhere before this iteration.
    changed_before: u64,
    assigner: Assigner,
    panels: Panels,
    batch: Batch,
}

/// Rows that are not sure, to be decided together.
#[derive(Default)]
struct Batch {
    numbers: Vec<usize>,
    values: Vec<f32>,
    squares: Vec<f32>,
}

impl<'a> Driven<'a> {
    /// Of rows that `prepared` is of.
    ///
    /// # Errors
    /// As [`super::fit`] has them.
    pub fn new(
        rows: &'a dyn RowSource,
        prepared: &'a Prepared,
        options: &'a Options,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let (n, d, k) = (rows.rows(), rows.dimensions(), options.k);
        check(n, d, options)?;
        let course = Course::new(rows, prepared, options, watch)?;
        course.tell(watch);
        Ok(Self {
            rows,
            squares: &prepared.squares,
            sums: Sums::new(k, d, course.scale),
            panels: Panels::to_assign(Level::detect(), &course.centroids, d),
            course,
            changed_before: 0,
            assigner: Assigner::new(Level::detect()),
            batch: Batch::default(),
        })
    }

    /// k × d, of which each row wants the nearest.
    pub fn centroids(&self) -> &[f32] {
        &self.course.centroids
    }

    /// The labels of rows from number `first` on; [`UNSURE`] where the nearest and the next are
    /// too near to each other to tell.
    ///
    /// # Errors
    /// Where a label is none, or rows cannot be read.
    pub fn take(&mut self, first: usize, labels: &[u32]) -> Result<(), Error> {
        let (d, k, n) = (self.rows.dimensions(), self.sums.clusters(), self.rows.rows());
        if first + labels.len() > n {
            return Err(Error::Source(format!("there are labels beyond the last of {n} rows")));
        }
        let mut at = first;
        let last = first + labels.len();
        while at < last {
            let block_rows = self.rows.block_rows(at / BLOCK_ROWS);
            let block = self.rows.block(at / BLOCK_ROWS)?;
            let until = block_rows.end.min(last);
            let values = block.chunks_exact(d).skip(at - block_rows.start);
            let own = labels.get(at - first..until - first).unwrap_or_default();
            for ((row, number), label) in values.zip(at..until).zip(own) {
                match *label {
                    UNSURE => self.batch.push(number, row, self.squares),
                    label if label as usize >= k => {
                        return Err(Error::Source(format!("{label} is no label of {k}")));
                    }
                    label => put(&mut self.course.labels, &mut self.sums, number, row, label),
                }
            }
            at = until;
            if self.batch.numbers.len() >= BLOCK_ROWS || at == last {
                self.decide();
            }
        }
        Ok(())
    }

    fn decide(&mut self) {
        let Self { course, sums, batch, assigner, panels, .. } = self;
        let Batch { numbers, values, squares } = batch;
        let found = assigner.assign(values, squares, &course.centroids, panels);
        let rows = values.chunks_exact(panels.dimensions).zip(numbers.iter());
        for ((row, number), label) in rows.zip(found) {
            put(&mut course.labels, sums, *number, row, *label);
        }
        numbers.clear();
        values.clear();
        squares.clear();
    }

    /// All rows were taken: moves the centroids. Whether rows are to be assigned again.
    ///
    /// # Errors
    /// Where rows cannot be read, or `watch` cancels.
    pub fn advance(&mut self, watch: &dyn Watch) -> Result<bool, Error> {
        if watch.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let changed = self.sums.changed - self.changed_before;
        self.changed_before = self.sums.changed;
        let Self { course, sums, .. } = self;
        // Clusters that are filled do not belong to the sums of rows that come and go.
        let goes_on = course.advance(changed, || sums.clone(), watch)?;
        if goes_on {
            let d = self.rows.dimensions();
            self.panels = Panels::to_assign(Level::detect(), &self.course.centroids, d);
            self.course.tell(watch);
        }
        Ok(goes_on)
    }

    /// What was found. Rows count as looked at again where rounding in 32 bits could have
    /// decided here, too.
    ///
    /// # Errors
    /// Where rows cannot be read, or `watch` cancels.
    pub fn end(self, watch: &dyn Watch) -> Result<Clustering, Error> {
        self.course.end(self.assigner.rechecked, watch)
    }
}

impl Batch {
    fn push(&mut self, number: usize, row: &[f32], squares: &[f32]) {
        self.numbers.push(number);
        self.values.extend_from_slice(row);
        self.squares.push(squares.get(number).copied().unwrap_or(f32::INFINITY));
    }
}

fn put(labels: &mut [u32], sums: &mut Sums, number: usize, row: &[f32], label: u32) {
    if let Some(slot) = labels.get_mut(number) {
        sums.change(row, *slot, label);
        *slot = label;
    }
}
