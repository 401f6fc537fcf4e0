//! The nearest neighbours of rows, exactly: products of all pairs of rows by the kernels of
//! k-means, a few more candidates than are asked for kept of each row, and those ordered by
//! distances in 64 bits. Where rounding could have kept a nearer row from being a candidate, as
//! among rows that are much nearer to each other than to the middle of all, the row is gone
//! through again by differences, whose rounding is in proportion to the distance.

use std::borrow::Cow;

use super::candidates::{Candidates, sort, squared_norm};
use super::{Neighbours, Steps, centre, centred};
use crate::Error;
use crate::kernel::{Level, Panels, scores, squared_distances};
use crate::metrics::squared_distance;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;

/// Rows whose scores stay in the second cache.
pub(super) const ROWS_AT_ONCE: usize = 48;
/// Up to so many bytes rows are kept as the kernels read them; else each block of rows has them
/// made again.
const KEPT_BYTES: usize = 1 << 30;
/// Rows that are gone through again together.
const UNSURE_AT_ONCE: usize = 16;

/// All rows, to be looked through.
pub(super) struct Exact<'a> {
    pub rows: &'a dyn RowSource,
    pub k: usize,
    level: Level,
    centre: Vec<f32>,
    kept: Vec<Option<Panels>>,
    pub watch: &'a dyn Watch,
}

/// Some rows whose neighbours are wanted, and where those go.
struct Asked<'a> {
    numbers: &'a [u32],
    values: &'a [f32],
    found: &'a mut [u32],
    distances: &'a mut [f32],
}

/// A row's number, its values, and where its neighbours and their distances go.
type Unsure<'a> = (u32, &'a [f32], (&'a mut [u32], &'a mut [f32]));

impl<'a> Exact<'a> {
    pub(super) fn new(
        rows: &'a dyn RowSource,
        k: usize,
        threads: usize,
        watch: &'a dyn Watch,
    ) -> Result<Self, Error> {
        let (centre, level) = (centre(rows)?, Level::detect());
        let mut exact = Self { rows, k, level, centre, kept: Vec::new(), watch };
        if rows.rows() * rows.dimensions() * size_of::<f32>() <= KEPT_BYTES {
            let mut kept = vec![None; rows.n_blocks()];
            for_each(&mut kept, &mut vec![(); threads], watch, |(), index, slot| {
                *slot = Some(exact.pack(index)?);
                Ok(())
            })?;
            exact.kept = kept;
        }
        Ok(exact)
    }

    fn pack(&self, block: usize) -> Result<Panels, Error> {
        let values = centred(&self.rows.block(block)?, &self.centre);
        Ok(Panels::new(&values, self.centre.len()))
    }

    fn panels(&self, block: usize) -> Result<Cow<'_, Panels>, Error> {
        match self.kept.get(block) {
            Some(Some(panels)) => Ok(Cow::Borrowed(panels)),
            _ => Ok(Cow::Owned(self.pack(block)?)),
        }
    }

    /// Of every row.
    pub(super) fn all(&self, threads: usize, steps: &Steps<'_>) -> Result<Neighbours, Error> {
        let (n, k) = (self.rows.rows(), self.k);
        let mut all = Neighbours { k, rows: vec![0; n * k], distances: vec![0.0; n * k] };
        let block = BLOCK_ROWS * k;
        let mut blocks: Vec<(&mut [u32], &mut [f32])> =
            all.rows.chunks_mut(block).zip(all.distances.chunks_mut(block)).collect();
        let mut lines = vec![Vec::new(); threads];
        for_each(&mut blocks, &mut lines, self.watch, |line, index, (found, distances)| {
            let values = self.rows.block(index)?;
            let numbers: Vec<u32> = self.rows.block_rows(index).map(|row| row as u32).collect();
            self.search(Asked { numbers: &numbers, values: &values, found, distances }, line)?;
            steps.done(1);
            Ok(())
        })?;
        Ok(all)
    }

    /// Of some rows, in their order.
    pub(super) fn some(
        &self,
        numbers: &[u32],
        values: &[f32],
        threads: usize,
    ) -> Result<Neighbours, Error> {
        let (n, k, d) = (numbers.len(), self.k, self.rows.dimensions());
        let mut all = Neighbours { k, rows: vec![0; n * k], distances: vec![0.0; n * k] };
        // As few parts as there are threads: each goes through all rows, and may have to read them.
        let part = n.div_ceil(threads).max(1);
        let found = all.rows.chunks_mut(part * k).zip(all.distances.chunks_mut(part * k));
        let asked = numbers.chunks(part).zip(values.chunks(part * d));
        let mut parts: Vec<_> = asked.zip(found).collect();
        let mut lines = vec![Vec::new(); threads];
        for_each(&mut parts, &mut lines, self.watch, |line, _, part| {
            let ((numbers, values), (found, distances)) = part;
            self.search(Asked { numbers, values, found, distances }, line)
        })?;
        Ok(all)
    }

    /// Of some rows that are none of all, from a number on.
    pub(super) fn others(
        &self,
        first: usize,
        values: &[f32],
        threads: usize,
    ) -> Result<Neighbours, Error> {
        let n = self.rows.rows();
        let end = n + values.len() / self.rows.dimensions();
        let numbers: Vec<u32> = (n as u32..end as u32).collect();
        self.some(&numbers, values, threads).map_err(|error| match error {
            Error::TooFar { row } => Error::TooFar { row: first + row - n },
            other => other,
        })
    }

    fn search(&self, asked: Asked<'_>, line: &mut Vec<f32>) -> Result<(), Error> {
        let (d, k) = (self.rows.dimensions(), self.k);
        let own = centred(asked.values, &self.centre);
        let mut nearest = vec![Candidates::for_neighbours(k); asked.numbers.len()];
        let mut norm_max = 0.0_f64;
        for other in 0..self.rows.n_blocks() {
            self.go_on()?;
            let panels = self.panels(other)?;
            let first = self.rows.block_rows(other).start as u32;
            norm_max = norm_max.max(panels.norm_max);
            for (own, nearest) in own.chunks(ROWS_AT_ONCE * d).zip(nearest.chunks_mut(ROWS_AT_ONCE))
            {
                scores(self.level, own, &panels, line);
                for (scores, nearest) in line.chunks_exact(panels.width()).zip(nearest) {
                    nearest.take(self.level, scores, first);
                }
            }
        }
        let Asked { numbers, values, found, distances } = asked;
        let slots = found.chunks_mut(k).zip(distances.chunks_mut(k));
        let rows = numbers.iter().zip(values.chunks_exact(d)).zip(own.chunks_exact(d));
        let mut unsure = Vec::new();
        for ((((number, row), centred), nearest), slots) in rows.zip(&mut nearest).zip(slots) {
            let farthest = self.settle(*number, row, nearest, (slots.0, slots.1))?;
            if !nearest.is_sure(d, squared_norm(centred).sqrt(), norm_max, farthest) {
                unsure.push((*number, row, slots));
            }
        }
        for some in unsure.chunks_mut(UNSURE_AT_ONCE) {
            self.look_again(some)?;
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.watch.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Goes through all rows again for a few, by differences.
    fn look_again(&self, some: &mut [Unsure<'_>]) -> Result<(), Error> {
        let d = self.rows.dimensions();
        let points: Vec<f32> = some.iter().flat_map(|(_, row, _)| *row).copied().collect();
        let mut nearest = vec![Candidates::for_neighbours(self.k); some.len()];
        let mut found = Vec::new();
        for other in 0..self.rows.n_blocks() {
            self.go_on()?;
            let values = self.rows.block(other)?;
            squared_distances(self.level, &values, &points, d, &mut found);
            let first = self.rows.block_rows(other).start as u32;
            for (line, nearest) in found.chunks_exact(values.len() / d).zip(&mut nearest) {
                nearest.take(self.level, line, first);
            }
        }
        for ((number, row, slots), nearest) in some.iter_mut().zip(&mut nearest) {
            self.settle(*number, row, nearest, (slots.0, slots.1))?;
        }
        Ok(())
    }

    /// The candidates of a row in their true order, itself left out; the farthest's squared
    /// distance.
    fn settle(
        &self,
        number: u32,
        row: &[f32],
        nearest: &mut Candidates,
        (numbers, distances): (&mut [u32], &mut [f32]),
    ) -> Result<f64, Error> {
        let mut found = Vec::with_capacity(2 * numbers.len());
        for other in nearest.left().filter(|other| *other != number) {
            found.push((squared_distance(row, &self.rows.row(other as usize)?), other));
        }
        sort(&mut found);
        let Some((farthest, _)) = found.get(numbers.len() - 1) else {
            // Distances beyond what 32 bits hold.
            return Err(Error::TooFar { row: number as usize });
        };
        let slots = numbers.iter_mut().zip(distances);
        for ((slot, distance), (square, other)) in slots.zip(&found) {
            (*slot, *distance) = (*other, square.sqrt() as f32);
        }
        Ok(*farthest)
    }
}
