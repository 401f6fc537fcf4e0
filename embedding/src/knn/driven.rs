//! Neighbours among candidates that were found elsewhere, as by a graphics processor, which says
//! how near those can be that it left out. They are put in order here, in 64 bits, and where one
//! that was left out might belong among them, the row is gone through here: whoever looks for
//! candidates, the neighbours are those of [`super::exact`].

use super::candidates::sort;
use super::exact::Exact;
use super::{Neighbours, check};
use crate::Error;
use crate::metrics::squared_distance;
use crate::rows::RowSource;
use crate::threads::available;
use crate::watch::Watch;

/// Neighbours of all rows on their way: each row is given to [`Driven::take`] once.
pub struct Driven<'a> {
    rows: &'a dyn RowSource,
    all: Neighbours,
    /// Rows that are to be gone through.
    unsure: Vec<u32>,
    found: Vec<(f64, u32)>,
}

impl<'a> Driven<'a> {
    /// # Errors
    /// Where there are not more than k rows.
    pub fn new(rows: &'a dyn RowSource, k: usize) -> Result<Self, Error> {
        check(rows, k)?;
        let n = rows.rows();
        let all = Neighbours { k, rows: vec![0; n * k], distances: vec![0.0; n * k] };
        Ok(Self { rows, all, unsure: Vec::new(), found: Vec::new() })
    }

    /// Candidates of a row, itself among them or not; all that were left out are farther than
    /// the square root of `beyond`, by more than 64 bits can be wrong.
    ///
    /// # Errors
    /// Where rows cannot be read, or there are none of such numbers.
    pub fn take(
        &mut self,
        row: u32,
        candidates: impl Iterator<Item = u32>,
        beyond: f64,
    ) -> Result<(), Error> {
        let own = self.rows.row(row as usize)?;
        self.found.clear();
        for other in candidates.filter(|other| *other != row) {
            let square = squared_distance(&own, &self.rows.row(other as usize)?);
            self.found.push((square, other));
        }
        sort(&mut self.found);
        let k = self.all.k;
        let is_sure = self.found.get(k - 1).is_some_and(|(farthest, _)| *farthest < beyond);
        if !is_sure {
            self.unsure.push(row);
            return Ok(());
        }
        let from = row as usize * k;
        let numbers = self.all.rows.iter_mut().skip(from);
        let slots = numbers.zip(self.all.distances.iter_mut().skip(from));
        for ((number, distance), (square, other)) in slots.zip(self.found.iter().take(k)) {
            (*number, *distance) = (*other, square.sqrt() as f32);
        }
        Ok(())
    }

    /// Goes through the rows that are not sure, and how many those were.
    ///
    /// # Errors
    /// Where rows cannot be read, distances are beyond 32 bits, or `watch` cancels.
    pub fn end(
        mut self,
        threads: Option<usize>,
        watch: &dyn Watch,
    ) -> Result<(Neighbours, usize), Error> {
        let many = self.unsure.len();
        if many == 0 {
            return Ok((self.all, 0));
        }
        let threads = threads.unwrap_or_else(available).max(1);
        let mut values = Vec::with_capacity(many * self.rows.dimensions());
        for row in &self.unsure {
            values.extend(self.rows.row(*row as usize)?);
        }
        let exact = Exact::new(self.rows, self.all.k, threads, watch)?;
        let found = exact.some(&self.unsure, &values, threads)?;
        let k = self.all.k;
        let lines = found.rows.chunks_exact(k).zip(found.distances.chunks_exact(k));
        for (row, (numbers, distances)) in self.unsure.iter().zip(lines) {
            let from = *row as usize * k;
            if let Some(slots) = self.all.rows.get_mut(from..from + k) {
                slots.copy_from_slice(numbers);
            }
            if let Some(slots) = self.all.distances.get_mut(from..from + k) {
                slots.copy_from_slice(distances);
            }
        }
        Ok((self.all, many))
    }
}
