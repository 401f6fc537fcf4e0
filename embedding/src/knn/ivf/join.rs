//! Rows compared with those of the lists that they look at, a group of rows and a list at a time.

use std::ops::Range;

use super::lists::Lists;
use crate::Error;
use crate::kernel::{Level, Panels, scores, squared_distances};
use crate::knn::candidates::{Candidates, sort, squared_norm};
use crate::knn::exact::ROWS_AT_ONCE;
use crate::knn::{Neighbours, Steps, centred};
use crate::metrics::squared_distance;
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;

/// Blocks of rows that are compared together: so many that a list is looked at by dozens.
const GROUP_BLOCKS: usize = 4;
/// There is no row there.
pub(super) const NONE: u32 = u32::MAX;

/// The neighbours found so far: of each row k, nearest first, and [`NONE`] where there are fewer.
pub(super) struct Near {
    pub k: usize,
    pub rows: Vec<u32>,
    /// Squared distances.
    pub squares: Vec<f64>,
}

impl Near {
    pub(super) fn new(n: usize, k: usize) -> Self {
        Self { k, rows: vec![NONE; n * k], squares: vec![f64::INFINITY; n * k] }
    }

    /// By row, where `row` says which row is at a place.
    pub(super) fn into_neighbours(self, row: impl Fn(usize) -> usize) -> Neighbours {
        let k = self.k;
        let mut all = Neighbours {
            k,
            rows: vec![NONE; self.rows.len()],
            distances: vec![f32::INFINITY; self.rows.len()],
        };
        let each = self.rows.chunks_exact(k).zip(self.squares.chunks_exact(k)).enumerate();
        for (place, (rows, squares)) in each {
            let slots = row(place) * k..(row(place) + 1) * k;
            if let Some(slots) = all.rows.get_mut(slots.clone()) {
                slots.copy_from_slice(rows);
            }
            let slots = all.distances.get_mut(slots).unwrap_or_default();
            slots.iter_mut().zip(squares).for_each(|(slot, square)| *slot = square.sqrt() as f32);
        }
        all
    }
}

/// Some lists that follow one another, in memory.
pub(super) struct Packed {
    pub lists: Range<usize>,
    first_place: usize,
    /// The rows of these lists as they were given, by place.
    pub values: Vec<f32>,
    panels: Vec<Panels>,
}

impl Packed {
    /// Reads them, block after block of all rows.
    pub(super) fn new(
        rows: &dyn RowSource,
        lists: &Lists,
        range: Range<usize>,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let d = lists.dimensions();
        let (first_place, end) = (lists.places(range.start).start, lists.places(range.end).start);
        let mut values = vec![0.0; (end - first_place) * d];
        let mut next: Vec<usize> =
            range.clone().map(|list| lists.places(list).start - first_place).collect();
        for block in 0..rows.n_blocks() {
            if watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let read = rows.block(block)?;
            let of = lists.of.get(rows.block_rows(block)).unwrap_or_default();
            for (row, list) in read.chunks_exact(d).zip(of) {
                let Some(at) = (*list as usize).checked_sub(range.start) else { continue };
                let Some(next) = next.get_mut(at) else { continue };
                if let Some(slot) = values.get_mut(*next * d..(*next + 1) * d) {
                    slot.copy_from_slice(row);
                }
                *next += 1;
            }
        }
        let mut panels = vec![None; range.len()];
        for_each(&mut panels, &mut vec![(); threads], watch, |(), nth, slot| {
            let places = lists.places(range.start + nth);
            let from = (places.start - first_place) * d..(places.end - first_place) * d;
            let values = values.get(from).unwrap_or_default();
            *slot = Some(Panels::new(&centred(values, &lists.centre), d));
            Ok(())
        })?;
        let panels = panels.into_iter().flatten().collect();
        Ok(Self { lists: range, first_place, values, panels })
    }

    /// The rows at some places.
    fn rows(&self, places: Range<usize>, d: usize) -> &[f32] {
        let at = |place: usize| place.saturating_sub(self.first_place) * d;
        self.values.get(at(places.start)..at(places.end)).unwrap_or_default()
    }
}

/// Rows that look at lists, and where these are.
pub(super) struct Join<'a> {
    pub lists: &'a Lists,
    pub packed: &'a Packed,
    pub queries: &'a dyn RowSource,
    /// What the queries are called, where that is not their place among them.
    pub numbers: Option<&'a [u32]>,
    /// The lists of each query, `n_probes` of each in order.
    pub probes: &'a [u32],
    pub n_probes: usize,
    pub watch: &'a dyn Watch,
}

/// A thread's own.
#[derive(Default, Clone)]
struct Worker {
    gathered: Vec<f32>,
    line: Vec<f32>,
    nearest: Vec<Candidates>,
    found: Vec<(f64, u32)>,
}

/// The queries of a group by the list that they look at.
struct Looks {
    starts: Vec<usize>,
    queries: Vec<u32>,
}

impl Join<'_> {
    /// Takes what is nearer than what is known, in all lists that are in memory.
    pub(super) fn run(
        &self,
        near: &mut Near,
        threads: usize,
        steps: &Steps<'_>,
    ) -> Result<(), Error> {
        let of_group = GROUP_BLOCKS * BLOCK_ROWS * near.k;
        let k = near.k;
        let slots = near.rows.chunks_mut(of_group).zip(near.squares.chunks_mut(of_group));
        let mut groups: Vec<_> = slots.collect();
        let mut workers = vec![Worker::default(); threads];
        for_each(&mut groups, &mut workers, self.watch, |worker, group, (rows, squares)| {
            let mut values = Vec::new();
            let blocks = group * GROUP_BLOCKS..((group + 1) * GROUP_BLOCKS);
            for block in blocks.start..blocks.end.min(self.queries.n_blocks()) {
                values.extend_from_slice(&self.queries.block(block)?);
            }
            let first = group * GROUP_BLOCKS * BLOCK_ROWS;
            self.group(worker, first, &values, (rows, squares, k))?;
            steps.done((blocks.end.min(self.queries.n_blocks()) - blocks.start) as u64);
            Ok(())
        })
    }

    fn group(
        &self,
        worker: &mut Worker,
        first: usize,
        values: &[f32],
        (rows, squares, k): (&mut [u32], &mut [f64], usize),
    ) -> Result<(), Error> {
        let d = self.lists.dimensions();
        let own = centred(values, &self.lists.centre);
        worker.nearest.resize_with(own.len() / d, || Candidates::for_neighbours(k));
        worker.nearest.iter_mut().for_each(Candidates::clear);
        let norm_max = self.compare(worker, first, &own)?;
        let slots = rows.chunks_mut(k).zip(squares.chunks_mut(k));
        let each = values.chunks_exact(d).zip(own.chunks_exact(d)).zip(slots).enumerate();
        for (nth, ((row, centred), slots)) in each {
            let Some(nearest) = worker.nearest.get_mut(nth) else { continue };
            if nth % ROWS_AT_ONCE == 0 {
                self.go_on()?;
            }
            let query = first + nth;
            let farthest = self.settle(query, row, nearest, &mut worker.found, k);
            if !nearest.is_sure(d, squared_norm(centred).sqrt(), norm_max, farthest) {
                self.look_again(query, row, nearest, &mut worker.line);
                self.settle(query, row, nearest, &mut worker.found, k);
            }
            merge(&mut worker.found, (slots.0, slots.1));
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.watch.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Has candidates found for queries from `first` on; the largest norm of what they were
    /// compared with.
    fn compare(&self, worker: &mut Worker, first: usize, own: &[f32]) -> Result<f64, Error> {
        let queries = first..first + own.len() / self.lists.dimensions();
        // A row's own list first: of those after it there is then little to be put down.
        let norm_own = self.look(worker, &self.looks(queries.clone(), true), own)?;
        let norm_others = self.look(worker, &self.looks(queries, false), own)?;
        Ok(norm_own.max(norm_others))
    }

    fn look(&self, worker: &mut Worker, looks: &Looks, own: &[f32]) -> Result<f64, Error> {
        let (d, level) = (self.lists.dimensions(), Level::detect());
        let mut norm_max = 0.0_f64;
        for (nth, panels) in self.packed.panels.iter().enumerate() {
            let queries = looks.of(nth);
            if queries.is_empty() {
                continue;
            }
            self.go_on()?;
            norm_max = norm_max.max(panels.norm_max);
            let place = self.lists.places(self.packed.lists.start + nth).start as u32;
            for some in queries.chunks(ROWS_AT_ONCE) {
                worker.gathered.clear();
                for query in some {
                    let at = *query as usize * d;
                    worker.gathered.extend_from_slice(own.get(at..at + d).unwrap_or_default());
                }
                scores(level, &worker.gathered, panels, &mut worker.line);
                for (query, scores) in some.iter().zip(worker.line.chunks_exact(panels.width())) {
                    if let Some(nearest) = worker.nearest.get_mut(*query as usize) {
                        nearest.take(level, scores, place);
                    }
                }
            }
        }
        Ok(norm_max)
    }

    /// Those of a query's lists that are in memory.
    fn lists_of(&self, query: usize) -> impl Iterator<Item = usize> {
        let of = query * self.n_probes..(query + 1) * self.n_probes;
        let range = self.packed.lists.clone();
        let probes = self.probes.get(of).unwrap_or_default().iter();
        probes.map(|list| *list as usize).filter(move |list| range.contains(list))
    }

    /// Either their own lists or the others.
    fn looks(&self, queries: Range<usize>, are_own: bool) -> Looks {
        let first_list = self.packed.lists.start;
        let mut starts = vec![0_usize; self.packed.lists.len() + 2];
        let lists_of = |query: usize| {
            let own = self.lists.list(self.number(query) as usize) as usize;
            self.lists_of(query).filter(move |list| (*list == own) == are_own)
        };
        for list in queries.clone().flat_map(lists_of) {
            if let Some(many) = starts.get_mut(list - first_list + 2) {
                *many += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        // The next free place of a list is where the list after it is to begin.
        let mut found = vec![0; sum];
        for (nth, query) in queries.enumerate() {
            for list in lists_of(query) {
                let Some(next) = starts.get_mut(list - first_list + 1) else { continue };
                if let Some(slot) = found.get_mut(*next) {
                    *slot = nth as u32;
                }
                *next += 1;
            }
        }
        Looks { starts, queries: found }
    }

    fn number(&self, query: usize) -> u32 {
        match self.numbers {
            Some(numbers) => numbers.get(query).copied().unwrap_or(NONE),
            None => query as u32,
        }
    }

    /// Puts the nearest k of the candidates in order; the farthest's squared distance.
    fn settle(
        &self,
        query: usize,
        row: &[f32],
        nearest: &mut Candidates,
        found: &mut Vec<(f64, u32)>,
        k: usize,
    ) -> f64 {
        let own = self.number(query);
        found.clear();
        for place in nearest.left() {
            let place = place as usize;
            let number = self.lists.numbers.get(place).copied().unwrap_or(NONE);
            if number != own {
                let other = self.packed.rows(place..place + 1, row.len());
                found.push((squared_distance(row, other), number));
            }
        }
        sort(found);
        found.truncate(k);
        found.last().map_or(0.0, |(square, _)| *square)
    }

    /// Goes through the lists of a query once more, by differences.
    fn look_again(&self, query: usize, row: &[f32], nearest: &mut Candidates, line: &mut Vec<f32>) {
        nearest.clear();
        for list in self.lists_of(query) {
            let places = self.lists.places(list);
            let first = places.start as u32;
            let values = self.packed.rows(places, row.len());
            squared_distances(Level::detect(), values, row, row.len(), line);
            nearest.take(Level::detect(), line, first);
        }
    }
}

impl Looks {
    fn of(&self, list: usize) -> &[u32] {
        let end = |at: usize| self.starts.get(at).copied().unwrap_or_default();
        self.queries.get(end(list)..end(list + 1)).unwrap_or_default()
    }
}

/// The nearest of those that are known and those that were found in other lists.
fn merge(found: &mut Vec<(f64, u32)>, (rows, squares): (&mut [u32], &mut [f64])) {
    let known = rows.iter().zip(squares.iter()).filter(|(row, _)| **row != NONE);
    found.extend(known.map(|(row, square)| (*square, *row)));
    sort(found);
    for ((slot, known), (square, row)) in rows.iter_mut().zip(squares).zip(found.iter()) {
        (*slot, *known) = (*row, *square);
    }
}
