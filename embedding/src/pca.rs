//! Principal components: the eigenvectors of the covariance. One pass for means and ranges, one
//! for the products of all pairs of columns, both in blocks, so rows need not fit in memory;
//! then the eigenvectors of a d × d matrix in 64 bits ([`eigen`](crate::eigen)). Sums of
//! products are whole numbers, as those of k-means are: the same with any number of threads.
//!
//! Each column is brought near 1 by a power of two first, which loses nothing: columns of very
//! different ranges, or far from zero, keep their digits.

use crate::eigen::{self, Symmetric};
use crate::kernel::{GRAM_ROWS, Gram, Level, VALUE_BITS_MAX, project};
use crate::rows::{BLOCK_ROWS, RowSource};
use crate::threads::{available, for_each};
use crate::watch::{Phase, Watch};
use crate::{Error, metrics};

/// Components that were found, the one of the largest variance first.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Of each dimension.
    pub mean: Vec<f32>,
    /// Rows of d numbers, of norm 1; the one that is farthest from zero is above it, as
    /// scikit-learn has it.
    pub components: Vec<f32>,
    /// Of a sample: n − 1 in the denominator.
    pub explained_variance: Vec<f64>,
    /// Shares of the variance of all dimensions.
    pub explained_variance_ratio: Vec<f64>,
}

/// Finds so many principal components.
///
/// # Errors
/// Where there are not as many rows and dimensions, rows cannot be read or are not finite, or
/// `watch` cancels.
pub fn fit(
    rows: &dyn RowSource,
    n_components: usize,
    threads: Option<usize>,
    watch: &dyn Watch,
) -> Result<Pca, Error> {
    let prepared = Prepared::new(rows, n_components, threads, watch)?;
    let sums = prepared.sums(rows, watch)?;
    prepared.end(&sums, watch)
}

/// What is known of rows after the first pass: all that sums of products take, which are worked out
/// [here](Prepared::sums), or by a device that is told how.
pub struct Prepared {
    n: usize,
    n_components: usize,
    columns: Vec<Column>,
    threads: usize,
    /// Of each dimension: its mean in 32 bits, and the power of two that brings what is left to 1
    /// at most. A value counts as its difference from the one, times the other, both rounded to
    /// 32 bits.
    pub centres: Vec<f32>,
    pub scales: Vec<f32>,
    /// Of every [`LOT`] rows, the first ones together, products of two columns are added up in
    /// 32 bits, one after another and each rounded once; times this, and rounded to whole numbers,
    /// those sums are added up.
    pub units: f64,
}

/// Rows whose products are added up in 32 bits.
pub const LOT: usize = GRAM_ROWS;

impl Prepared {
    /// # Errors
    /// As [`fit`] has them.
    pub fn new(
        rows: &dyn RowSource,
        n_components: usize,
        threads: Option<usize>,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let (n, d) = (rows.rows(), rows.dimensions());
        if n == 0 {
            return Err(Error::NoRows);
        }
        let most = n.min(d);
        if n_components == 0 || n_components > most {
            return Err(Error::BadComponents { components: n_components, most });
        }
        let threads = threads.unwrap_or_else(available).max(1);
        let columns = columns(rows, threads, watch)?;
        // A sum of products of values of 1 at most has its rows' bits before the point; all such
        // sums together fit 62 bits.
        let n_sums = n.div_ceil(LOT) + rows.n_blocks();
        let bits = (62 - (usize::BITS - n_sums.leading_zeros()) as i32).min(VALUE_BITS_MAX);
        let units = 2_f64.powi(bits - LOT.ilog2() as i32 - 1);
        let centres = columns.iter().map(|column| column.mean as f32).collect();
        let scales = columns.iter().map(|column| column.scale as f32).collect();
        Ok(Self { n, n_components, columns, threads, centres, scales, units })
    }

    /// Sums of products, d × d of them: of two columns the one in the row of the first.
    ///
    /// # Errors
    /// Where rows cannot be read, or `watch` cancels.
    pub fn sums(&self, rows: &dyn RowSource, watch: &dyn Watch) -> Result<Vec<i64>, Error> {
        let d = self.columns.len();
        let level = Level::detect();
        // Each has sums of its own, d × d of them.
        let threads = self.threads.min(GRAM_BYTES_MAX / (d * d * size_of::<i64>()).max(1)).max(1);
        let mut workers = vec![Gram::new(level, d, self.units); threads];
        let done = std::sync::atomic::AtomicU64::new(0);
        let n_blocks = rows.n_blocks();
        for_each(&mut vec![(); n_blocks], &mut workers, watch, |gram, index, ()| {
            let block = rows.block(index)?;
            for rows in block.chunks(LOT * d) {
                gram.add(rows, &self.centres, &self.scales);
            }
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            watch.progress(Phase::Pass, done + 1, n_blocks as u64);
            Ok(())
        })?;
        let mut workers = workers.into_iter();
        let mut all = workers.next().ok_or(Error::NoRows)?;
        workers.for_each(|other| all.merge(&other));
        Ok(all.sums())
    }

    /// Such sums, of what was found elsewhere: of two columns the sum of products of values as they
    /// are, less an origin of each column.
    pub fn sums_about(&self, origin: &[f32], products: impl Fn(usize, usize) -> f64) -> Vec<i64> {
        let (n, d) = (self.n as f64, self.columns.len());
        let columns = self.columns.iter().zip(&self.centres).zip(origin);
        // How far the centre is from the origin, and what is left of all values there.
        let moved: Vec<(f64, f64, f64)> = columns
            .map(|((column, centre), origin)| {
                let (centre, origin) = (f64::from(*centre), f64::from(*origin));
                (centre - origin, n * (column.mean - origin), column.scale)
            })
            .collect();
        let mut sums = vec![0; d * d];
        for (i, line) in sums.chunks_exact_mut(d.max(1)).enumerate() {
            for (j, slot) in line.iter_mut().enumerate().skip(i) {
                let [(by_i, left_i, scale_i), (by_j, left_j, scale_j)] =
                    [i, j].map(|at| moved.get(at).copied().unwrap_or_default());
                let sum = products(i, j) - by_j * left_i - by_i * left_j + n * by_i * by_j;
                *slot = (sum * scale_i * scale_j * self.units).round_ties_even() as i64;
            }
        }
        sums
    }

    /// The components, of these sums.
    ///
    /// # Errors
    /// Where there are other sums, or `watch` cancels.
    pub fn end(self, sums: &[i64], watch: &dyn Watch) -> Result<Pca, Error> {
        let d = self.columns.len();
        if sums.len() != d * d {
            return Err(Error::BadShape { given: sums.len(), rows: d, dimensions: d });
        }
        let covariance = self.covariance(sums);
        let total = covariance.trace();
        let eigen = eigen::largest(covariance, self.n_components, self.threads, watch)?;
        let mut components = Vec::with_capacity(self.n_components * d);
        for vector in eigen.vectors.chunks_exact(d) {
            let farthest = vector
                .iter()
                .copied()
                .fold(0.0, |far: f64, x| if x.abs() > far.abs() { x } else { far });
            let sign = if farthest < 0.0 { -1.0 } else { 1.0 };
            components.extend(vector.iter().map(|x| (x * sign) as f32));
        }
        let explained_variance: Vec<f64> =
            eigen.values.iter().map(|value| value.max(0.0)).collect();
        let share = |variance: &f64| if total > 0.0 { variance / total } else { 0.0 };
        let explained_variance_ratio = explained_variance.iter().map(share).collect();
        Ok(Pca { mean: self.centres, components, explained_variance, explained_variance_ratio })
    }

    fn covariance(&self, sums: &[i64]) -> Symmetric {
        let d = self.columns.len();
        let sum = |i: usize, j: usize| {
            sums.get(i.min(j) * d + i.max(j)).copied().unwrap_or_default() as f64
        };
        // The mean in 32 bits is not quite the mean.
        let off = |at: usize| {
            self.columns
                .get(at)
                .zip(self.centres.get(at))
                .map_or((0.0, 1.0), |(column, mean)| (column.mean - f64::from(*mean), column.scale))
        };
        let rest = (self.n.max(2) - 1) as f64;
        Symmetric::from_fn(d, |i, j| {
            let ((off_i, scale_i), (off_j, scale_j)) = (off(i), off(j));
            let products = sum(i, j) / self.units / scale_i / scale_j;
            (products - self.n as f64 * off_i * off_j) / rest
        })
    }
}

impl Pca {
    pub fn n_components(&self) -> usize {
        self.explained_variance.len()
    }

    /// Where rows are along the components: n × components.
    ///
    /// # Errors
    /// Where rows have other dimensions or cannot be read, or `watch` cancels.
    pub fn project(
        &self,
        rows: &dyn RowSource,
        threads: Option<usize>,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        let (d, m) = (self.mean.len(), self.n_components());
        if rows.dimensions() != d {
            let (given, rows) = (rows.dimensions(), rows.rows());
            return Err(Error::BadShape { given, rows, dimensions: d });
        }
        let level = Level::detect();
        let mut out = vec![0.0; rows.rows() * m];
        let mut blocks: Vec<&mut [f32]> = out.chunks_mut(BLOCK_ROWS * m).collect();
        let threads = threads.unwrap_or_else(available).max(1);
        for_each(&mut blocks, &mut vec![Vec::new(); threads], watch, |centred, index, out| {
            let block = rows.block(index)?;
            centred.clear();
            for row in block.chunks_exact(d) {
                centred.extend(row.iter().zip(&self.mean).map(|(x, mean)| x - mean));
            }
            project(level, centred, &self.components, d, out);
            Ok(())
        })?;
        Ok(out)
    }
}

/// Bytes that the sums of all threads may take together, unless one takes more.
const GRAM_BYTES_MAX: usize = 2 << 30;

/// The exponent of the largest power of two in 32 bits.
const SCALE_MAX: i32 = f32::MAX_EXP - 1;

/// What is known of a dimension.
#[derive(Debug, Clone, Copy)]
struct Column {
    mean: f64,
    /// The power of two that brings all of it, less the mean, to 1 at most.
    scale: f64,
}

fn columns(rows: &dyn RowSource, threads: usize, watch: &dyn Watch) -> Result<Vec<Column>, Error> {
    let n = rows.rows() as f64;
    let origin = rows.row(0)?;
    let ranges = metrics::ranges(rows, &origin, threads, watch)?;
    let ends = ranges.least.iter().zip(&ranges.most);
    let column = |((origin, sum), (least, most)): ((&f32, &f64), (&f32, &f32))| {
        let mean = f64::from(*origin) + sum / n;
        let far = (f64::from(*most) - mean).max(mean - f64::from(*least));
        // Of the exponent's bits: logarithms are not the same on every machine.
        let exponent = (far.to_bits() >> 52) as i32 - 1023;
        // Beyond the largest power that 32 bits hold there are next to no digits left to keep.
        let scale = if far > 0.0 { 2_f64.powi((-exponent - 1).min(SCALE_MAX)) } else { 1.0 };
        Column { mean, scale }
    };
    Ok(origin.iter().zip(&ranges.sums).zip(ends).map(column).collect())
}

#[cfg(test)]
mod tests;
