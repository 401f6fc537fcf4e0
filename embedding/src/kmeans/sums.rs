//! Sums of rows by cluster, as whole numbers. Whole numbers have no order of adding and no
//! rounding: however many threads add, and however often rows come and go, the sum is what it
//! would be had all rows been added one by one.

use crate::kernel::{Level, VALUE_BITS_MAX, add_whole};

/// What a unit of a sum is worth: a power of two, small enough that rounding values to it does
/// not show in 32 bits, large enough that all rows fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    units: f64,
}

impl Scale {
    /// For so many rows whose values are at most `largest`, either way.
    pub(super) fn new(largest: f32, rows: usize) -> Self {
        let bits_of_rows = (usize::BITS - rows.leading_zeros()) as i32;
        // The exponent as it is stored, rather than a logarithm, which libraries round in ways
        // of their own.
        let exponent = (f64::from(largest.max(f32::MIN_POSITIVE)).to_bits() >> 52) as i32 - 1023;
        let bits_of_values = exponent + 1;
        let bits = (62 - bits_of_rows).min(VALUE_BITS_MAX);
        Self { units: 2_f64.powi(bits - bits_of_values) }
    }
}

/// Sums and counts of k clusters in d dimensions. Rows that left are taken out again, so those
/// of one thread may be below zero; only the total of all threads is of rows.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    sums: Vec<i64>,
    counts: Vec<i64>,
    d: usize,
    scale: Scale,
    level: Level,
    /// Rows that went from one cluster to another.
    pub changed: u64,
}

impl Sums {
    pub(super) fn new(k: usize, d: usize, scale: Scale) -> Self {
        let level = Level::detect();
        Self { sums: vec![0; k * d], counts: vec![0; k], d, scale, level, changed: 0 }
    }

    pub(super) fn clusters(&self) -> usize {
        self.counts.len()
    }

    /// A row goes from a cluster, if it was in one, to another.
    pub(super) fn change(&mut self, row: &[f32], from: u32, to: u32) {
        if from == to {
            return;
        }
        self.changed += 1;
        self.add::<false>(row, from);
        self.add::<true>(row, to);
    }

    fn add<const IS_IN: bool>(&mut self, row: &[f32], cluster: u32) {
        let cluster = cluster as usize;
        let Some(count) = self.counts.get_mut(cluster) else { return };
        *count += if IS_IN { 1 } else { -1 };
        let from = cluster * self.d;
        if let Some(sums) = self.sums.get_mut(from..from + self.d) {
            add_whole::<IS_IN>(self.level, sums, row, self.scale.units);
        }
    }

    /// What several threads have together.
    pub(super) fn total<'a>(
        parts: impl Iterator<Item = &'a Self>,
        k: usize,
        d: usize,
        scale: Scale,
    ) -> Self {
        let mut total = Self::new(k, d, scale);
        for part in parts {
            total.sums.iter_mut().zip(&part.sums).for_each(|(sum, part)| *sum += part);
            total.counts.iter_mut().zip(&part.counts).for_each(|(count, part)| *count += part);
        }
        total
    }

    /// Clusters without rows.
    pub(super) fn empty(&self) -> Vec<u32> {
        let empty = self.counts.iter().enumerate().filter(|(_, count)| **count == 0);
        empty.map(|(cluster, _)| cluster as u32).collect()
    }

    pub(super) fn n_empty(&self) -> usize {
        self.counts.iter().filter(|count| **count == 0).count()
    }

    /// The mean of each cluster; what it was, where there is no row.
    pub(super) fn means(&self, before: &[f32]) -> Vec<f32> {
        let mut means = before.to_vec();
        let clusters = means.chunks_mut(self.d).zip(self.sums.chunks(self.d)).zip(&self.counts);
        for ((means, sums), count) in clusters.filter(|(_, count)| **count > 0) {
            for (mean, sum) in means.iter_mut().zip(sums) {
                *mean = (*sum as f64 / self.scale.units / *count as f64) as f32;
            }
        }
        means
    }
}
