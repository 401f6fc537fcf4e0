//! Nearest neighbours by lists: rows are dealt to lists by their nearest centroid, and each row
//! is compared with those of the lists whose centroids are the nearest to it (an inverted file
//! joined with itself; Jégou, Douze, Schmid: Product quantization for nearest neighbor search.
//! TPAMI 2011).
//!
//! How many lists a row looks at comes of some rows of which the true neighbours are known: for
//! those, it is plain in which lists they are. In those lists the nearest are found without
//! doubt, as [`super::exact`] finds them among all rows: so what is found follows from the lists,
//! which k-means has without doubt, and is the same on every machine.
//!
//! Neighbours of neighbours were tried and left out: for the same recall, looking at a few more
//! lists takes as long or less, since products of blocks of rows are so much quicker than those
//! of rows here and there.

mod join;
mod lists;
mod recall;

use std::ops::Range;

use join::{Join, NONE, Near, Packed};
use lists::Lists;
use recall::Truth;

use super::exact::Exact;
use super::{Found, Neighbours, Steps};
use crate::Error;
use crate::rows::{Matrix, RowSource};
use crate::watch::Watch;

/// When lists are used, and how.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Up to so much work all pairs are looked at: about a second of two cores.
    pub exact_work: f64,
    /// Lists, in square roots of the rows.
    pub lists: f64,
    /// The share of the true neighbours that is to be found.
    pub recall: f64,
    /// Rows of which the true neighbours are looked for.
    pub sampled: usize,
    /// Of rows of lists that are in memory at a time.
    pub bytes: usize,
}

impl Default for Plan {
    fn default() -> Self {
        // A little more than the 0.95 that is promised, as some rows do not stand for all.
        Self { exact_work: 1e11, lists: 1.0, recall: 0.96, sampled: 1000, bytes: 2 << 30 }
    }
}

/// What a pair of rows takes beside its products, in those.
const PAIR: usize = 60;
/// Where rows would look at more than this share of all lists, all pairs are as quick.
const EXACT_SHARE: f64 = 0.4;
/// A row of a list is in memory as it was given, and as the kernels read it.
const COPIES: usize = 2;

/// What all pairs of rows take, in products.
pub(super) fn work(n: usize, d: usize) -> f64 {
    (n as f64).powi(2) * (d + PAIR) as f64
}

/// Finds the neighbours of all rows.
///
/// Where rows fit into [`Plan::bytes`] they are in memory by lists. Else they are read once for
/// each part of the lists that fits, and compared with that: what stays in memory are k neighbours
/// of each row, and the numbers of the lists it looks at.
pub(super) fn nearest(
    rows: &dyn RowSource,
    k: usize,
    threads: usize,
    seed: u64,
    plan: &Plan,
    watch: &dyn Watch,
) -> Result<Found, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    let of_all = |exact: &Exact<'_>| {
        let neighbours = exact.all(threads, &Steps::new(rows.n_blocks() as u64, watch))?;
        Ok(Found { neighbours, recall: 1.0 })
    };
    if work(n, d) <= plan.exact_work {
        return of_all(&Exact::new(rows, k, threads, watch)?);
    }
    let many = ((n as f64).sqrt() * plan.lists) as usize;
    let lists = Lists::new(rows, many, seed, threads, watch)?;
    let exact = Exact::new(rows, k, threads, watch)?;
    let truth = Truth::new(&exact, &lists, plan.sampled, seed, threads)?;
    let n_probes = truth.lists_for(plan.recall);
    if n_probes as f64 > EXACT_SHARE * lists.len() as f64 {
        return of_all(&exact);
    }
    // What it keeps in memory is not needed beside the lists.
    drop(exact);
    let ivf = Ivf { rows, lists: &lists, n_probes, threads, watch };
    let parts = parts(&lists, plan.bytes / (COPIES * d * size_of::<f32>()));
    let steps = Steps::new((rows.n_blocks() * parts.len()) as u64, watch);
    steps.done(0);
    let mut neighbours = match parts.as_slice() {
        [_] => ivf.at_once(k, &steps)?,
        _ => ivf.in_parts(parts, k, &steps)?,
    };
    complete(rows, &mut neighbours, threads, watch)?;
    Ok(Found { recall: truth.recall(&neighbours), neighbours })
}

/// Lists that follow one another, of so many rows together if a list has not more.
fn parts(lists: &Lists, rows_max: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for list in 0..lists.len() {
        let end = lists.places(list).end;
        match parts.last_mut() {
            Some(part) if end - lists.places(part.start).start <= rows_max => part.end = list + 1,
            _ => parts.push(list..list + 1),
        }
    }
    parts
}

struct Ivf<'a> {
    rows: &'a dyn RowSource,
    lists: &'a Lists,
    n_probes: usize,
    threads: usize,
    watch: &'a dyn Watch,
}

impl Ivf<'_> {
    /// Of all lists in memory; rows that lie together look at the same ones.
    fn at_once(&self, k: usize, steps: &Steps<'_>) -> Result<Neighbours, Error> {
        let Self { rows, lists, n_probes, threads, watch } = *self;
        let packed = Packed::new(rows, lists, 0..lists.len(), threads, watch)?;
        let sorted = Matrix::of_finite(&packed.values, rows.dimensions());
        let row = |place: usize| lists.numbers.get(place).copied().unwrap_or(NONE);
        let own = |place: usize| lists.list(row(place) as usize);
        let probes = lists.probes(&sorted, &own, n_probes, threads, watch)?;
        let mut near = Near::new(rows.rows(), k);
        let numbers = Some(lists.numbers.as_slice());
        let (queries, probes) = (&sorted, probes.as_slice());
        let join = Join { lists, packed: &packed, queries, numbers, probes, n_probes, watch };
        join.run(&mut near, threads, steps)?;
        Ok(near.into_neighbours(|place| row(place) as usize))
    }

    /// Of some lists after others.
    fn in_parts(
        &self,
        parts: Vec<Range<usize>>,
        k: usize,
        steps: &Steps<'_>,
    ) -> Result<Neighbours, Error> {
        let Self { rows, lists, n_probes, threads, watch } = *self;
        let probes = lists.probes(rows, &|row| lists.list(row), n_probes, threads, watch)?;
        let mut near = Near::new(rows.rows(), k);
        for part in parts {
            let packed = Packed::new(rows, lists, part, threads, watch)?;
            let (numbers, probes) = (None, probes.as_slice());
            let join =
                Join { lists, packed: &packed, queries: rows, numbers, probes, n_probes, watch };
            join.run(&mut near, threads, steps)?;
        }
        Ok(near.into_neighbours(|row| row))
    }
}

/// Looks among all rows for the neighbours of those whose lists are too short.
fn complete(
    rows: &dyn RowSource,
    neighbours: &mut Neighbours,
    threads: usize,
    watch: &dyn Watch,
) -> Result<(), Error> {
    let k = neighbours.k;
    let lack = neighbours.rows.chunks_exact(k).zip(0..).filter(|(near, _)| near.contains(&NONE));
    let lacking: Vec<u32> = lack.map(|(_, row)| row).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let exact = Exact::new(rows, k, threads, watch)?;
    for some in lacking.chunks(crate::rows::BLOCK_ROWS) {
        let mut values = Vec::with_capacity(some.len() * rows.dimensions());
        for row in some {
            values.extend(rows.row(*row as usize)?);
        }
        let found = exact.some(some, &values, threads)?;
        let found = found.rows.chunks_exact(k).zip(found.distances.chunks_exact(k));
        for (row, (found, distances)) in some.iter().zip(found) {
            let slots = *row as usize * k..(*row as usize + 1) * k;
            if let Some(slots) = neighbours.rows.get_mut(slots.clone()) {
                slots.copy_from_slice(found);
            }
            if let Some(slots) = neighbours.distances.get_mut(slots) {
                slots.copy_from_slice(distances);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
