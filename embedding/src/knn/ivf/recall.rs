//! How many of the true neighbours are found: of some rows the true ones are known.

use super::lists::Lists;
use crate::Error;
use crate::knn::Neighbours;
use crate::knn::exact::Exact;
use crate::sample;
use crate::threads::for_each;

const STREAM: u64 = 0x72;

/// Some rows and their true neighbours.
pub(super) struct Truth {
    rows: Vec<usize>,
    near: Neighbours,
    /// Of each true neighbour, how many lists a row looks at before that with it in.
    ranks: Vec<u32>,
}

impl Truth {
    pub(super) fn new(
        exact: &Exact<'_>,
        lists: &Lists,
        many: usize,
        seed: u64,
        threads: usize,
    ) -> Result<Self, Error> {
        let (d, k, watch) = (lists.dimensions(), exact.k, exact.watch);
        let drawn = sample::draw(exact.rows, many, seed, STREAM)?;
        let numbers: Vec<u32> = drawn.numbers.iter().map(|row| *row as u32).collect();
        let near = exact.some(&numbers, &drawn.values, threads)?;
        let mut ranks = vec![0; near.rows.len()];
        let each = drawn.values.chunks_exact(d).zip(&drawn.numbers);
        let each = each.zip(near.rows.chunks_exact(k)).zip(ranks.chunks_mut(k));
        let mut each: Vec<_> = each.collect();
        let mut workers = vec![vec![0; lists.len()]; threads];
        for_each(&mut each, &mut workers, watch, |rank_of, _, (((row, number), near), ranks)| {
            for (list, rank) in lists.in_order(row, lists.list(**number)).into_iter().zip(0..) {
                if let Some(slot) = rank_of.get_mut(list as usize) {
                    *slot = rank;
                }
            }
            for (other, rank) in near.iter().zip(ranks.iter_mut()) {
                let list = lists.list(*other as usize) as usize;
                *rank = rank_of.get(list).copied().unwrap_or_default();
            }
            Ok(())
        })?;
        Ok(Self { rows: drawn.numbers, near, ranks })
    }

    /// How many lists rows have to look at for this recall at least.
    pub(super) fn lists_for(&self, recall: f64) -> usize {
        let mut ranks = self.ranks.clone();
        ranks.sort_unstable();
        let many = (recall * ranks.len() as f64).ceil() as usize;
        ranks.get(many.clamp(1, ranks.len()) - 1).map_or(1, |rank| *rank as usize + 1)
    }

    /// The share of the true neighbours that were found: what is as near as the farthest of them
    /// is one.
    pub(super) fn recall(&self, found: &Neighbours) -> f64 {
        let k = found.k;
        let mut hits = 0;
        for (row, truth) in self.rows.iter().zip(self.near.distances.chunks_exact(k)) {
            let found = found.distances.get(row * k..(row + 1) * k).unwrap_or_default();
            let farthest = truth.last().copied().unwrap_or_default();
            hits += found.iter().filter(|distance| **distance <= farthest).count();
        }
        hits as f64 / self.near.distances.len().max(1) as f64
    }
}
