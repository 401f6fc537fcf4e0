//! Neighbours among candidates that were found elsewhere, as by a graphics processor, which says
//! how near those can be that it left out. They are put in order here, in 64 bits, and where one
//! that was left out might belong among them, the row is gone through here: whoever looks for
//! candidates, the neighbours are those of [`super::exact`].

use super::candidates::sort;
use super::exact::Exact;
use super::{Neighbours, check};
use crate::Error;
use crate::metrics::squared_distance;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::{available, for_each};
use crate::watch::{Unwatched, Watch};

/// Neighbours of all rows on their way: each row is given to [`Driven::take_all`] once.
pub struct Driven<'a> {
    rows: &'a dyn RowSource,
    all: Neighbours,
    /// Rows that are to be gone through.
    unsure: Vec<u32>,
}

/// A row's candidates, for [`Driven::take_all`].
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub row: u32,
    /// Itself among them or not; numbers of no row are passed over.
    pub candidates: &'a [u32],
    /// All that were left out are farther than its square root, by more than 64 bits can be wrong.
    pub beyond: f64,
}

/// Rows that a thread takes at once.
const LINES_AT_ONCE: usize = 256;

impl Line<'_> {
    /// The candidates in order, if it is sure of the k nearest.
    fn sorted(&self, rows: &dyn RowSource, k: usize) -> Result<Option<Vec<(f64, u32)>>, Error> {
        let own = rows.row(self.row as usize)?;
        let d = rows.dimensions();
        let mut found = Vec::with_capacity(self.candidates.len());
        let is_other = |other: &&u32| **other != self.row && (**other as usize) < rows.rows();
        for other in self.candidates.iter().filter(is_other) {
            let place = *other as usize;
            let block = rows.block(place / BLOCK_ROWS)?;
            let from = place % BLOCK_ROWS * d;
            let short = || Error::Source("a block is too short".to_owned());
            let values = block.get(from..from + d).ok_or_else(short)?;
            found.push((squared_distance(&own, values), *other));
        }
        sort(&mut found);
        found.truncate(k);
        let is_sure = found.get(k - 1).is_some_and(|(farthest, _)| *farthest < self.beyond);
        Ok(is_sure.then_some(found))
    }
}

impl<'a> Driven<'a> {
    /// # Errors
    /// Where there are not more than k rows.
    pub fn new(rows: &'a dyn RowSource, k: usize) -> Result<Self, Error> {
        check(rows, k)?;
        let n = rows.rows();
        let all = Neighbours { k, rows: vec![0; n * k], distances: vec![0.0; n * k] };
        Ok(Self { rows, all, unsure: Vec::new() })
    }

    /// Rows so far that are to be gone through.
    pub fn unsure(&self) -> usize {
        self.unsure.len()
    }

    /// Candidates of rows, put in order by all threads.
    ///
    /// # Errors
    /// Where rows cannot be read.
    pub fn take_all(&mut self, lines: &[Line<'_>], threads: Option<usize>) -> Result<(), Error> {
        let threads = threads.unwrap_or_else(available).max(1);
        let (rows, k) = (self.rows, self.all.k);
        let mut found = vec![None; lines.len()];
        let mut parts: Vec<_> =
            lines.chunks(LINES_AT_ONCE).zip(found.chunks_mut(LINES_AT_ONCE)).collect();
        for_each(&mut parts, &mut vec![(); threads], &Unwatched, |(), _, (lines, found)| {
            for (line, slot) in lines.iter().zip(found.iter_mut()) {
                *slot = line.sorted(rows, k)?;
            }
            Ok(())
        })?;
        for (line, found) in lines.iter().zip(found) {
            match found {
                Some(found) => self.put(line.row, &found),
                None => self.unsure.push(line.row),
            }
        }
        Ok(())
    }

    fn put(&mut self, row: u32, found: &[(f64, u32)]) {
        let k = self.all.k;
        let from = row as usize * k;
        let numbers = self.all.rows.iter_mut().skip(from);
        let slots = numbers.zip(self.all.distances.iter_mut().skip(from));
        for ((number, distance), (square, other)) in slots.zip(found.iter().take(k)) {
            (*number, *distance) = (*other, square.sqrt() as f32);
        }
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
