//! Whether a device is worth it: what it takes to bring rows there and to ask, beside what the
//! processor takes. Rates are what machines without a graphics card of their own have, so that
//! where it is said to gain, it does.

/// Clustering rows by k-means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KMeans {
    pub rows: usize,
    pub dimensions: usize,
    pub k: usize,
}

/// Iterations that a fit has, about.
const ITERATIONS: f64 = 25.0;
/// Products of one thread of a browser in a second, and of a device built into a processor.
const PROCESSOR_PRODUCTS: f64 = 4e9;
const DEVICE_PRODUCTS: f64 = 1e11;
/// What a device takes in of memory in a second, values put into their frame on the way.
const UPLOAD_BYTES: f64 = 5e8;
/// Opening it and compiling; then from asking to an answer.
const OPENING_SECONDS: f64 = 0.15;
const ANSWER_SECONDS: f64 = 3e-3;
/// To read a label back, and look at it.
const LABEL_SECONDS: f64 = 4e-9;
/// An answer that comes as soon needs no device.
const SOON_SECONDS: f64 = 0.25;

impl KMeans {
    /// Whether it takes clearly less time on a device, on which the rows `are_there` already or
    /// not.
    pub fn gains(self, are_there: bool) -> bool {
        let processor = self.processor_seconds();
        processor > SOON_SECONDS && 1.5 * self.device_seconds(are_there) < processor
    }

    fn products(self) -> f64 {
        ITERATIONS * self.rows as f64 * self.dimensions as f64 * self.k as f64
    }

    fn processor_seconds(self) -> f64 {
        // Fewer centroids than lanes take as long as many.
        let lanes = 16_f64.max(self.k as f64) / self.k.max(1) as f64;
        self.products() * lanes / PROCESSOR_PRODUCTS
    }

    fn device_seconds(self, are_there: bool) -> f64 {
        let tile = crate::shaders::TILE as f64;
        let tiles = (self.k as f64 / tile).ceil() * tile / self.k.max(1) as f64;
        let bytes = (self.rows * self.dimensions * size_of::<f32>()) as f64;
        let begin = if are_there { 0.0 } else { OPENING_SECONDS + bytes / UPLOAD_BYTES };
        let asking = ITERATIONS * (ANSWER_SECONDS + self.rows as f64 * LABEL_SECONDS);
        begin + asking + self.products() * tiles / DEVICE_PRODUCTS
    }
}

/// Looking for the nearest of each row among all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbours {
    pub rows: usize,
    pub dimensions: usize,
}

/// What a pair of rows takes beside its products, in those.
const PAIR: f64 = 60.0;
/// Putting one row's candidates in order, and beside that for each of its values.
const CANDIDATES_SECONDS: f64 = 2e-5;
const VALUE_SECONDS: f64 = 1e-7;

impl Neighbours {
    /// As [`KMeans::gains`] has it.
    pub fn gains(self, are_there: bool) -> bool {
        let (rows, dimensions) = (self.rows as f64, self.dimensions as f64);
        let products = rows * rows * (dimensions + PAIR);
        let processor = products / PROCESSOR_PRODUCTS;
        let bytes = rows * dimensions * size_of::<f32>() as f64;
        let begin = if are_there { 0.0 } else { OPENING_SECONDS + bytes / UPLOAD_BYTES };
        let ordering = rows * (CANDIDATES_SECONDS + dimensions * VALUE_SECONDS);
        let device = begin + ordering + products / DEVICE_PRODUCTS;
        processor > SOON_SECONDS && 1.5 * device < processor
    }
}

/// Products of all pairs of columns, for principal components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    pub rows: usize,
    pub dimensions: usize,
}

/// To read a run's sums back and add one of them.
const SUM_SECONDS: f64 = 4e-9;
const RUN_ROWS: f64 = 4096.0;

impl Components {
    /// As [`KMeans::gains`] has it.
    pub fn gains(self, are_there: bool) -> bool {
        let (rows, dimensions) = (self.rows as f64, self.dimensions as f64);
        let products = rows * dimensions * dimensions / 2.0;
        let processor = products / PROCESSOR_PRODUCTS;
        let bytes = rows * dimensions * size_of::<f32>() as f64;
        let begin = if are_there { 0.0 } else { OPENING_SECONDS + bytes / UPLOAD_BYTES };
        let sums = (rows / RUN_ROWS).ceil() * dimensions * dimensions / 2.0;
        let device = begin + sums * SUM_SECONDS + products / DEVICE_PRODUCTS;
        processor > SOON_SECONDS && 1.5 * device < processor
    }
}

/// The epochs of UMAP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epochs {
    pub epochs: u32,
    /// Blocks that rows are dealt to.
    pub blocks: usize,
    /// Bonds that act in one.
    pub acting: f64,
}

/// What a bond takes that acts, in one thread of a browser, and of a device.
const BOND_SECONDS: f64 = 6e-8;
const DEVICE_BOND_SECONDS: f64 = 4e-9;
/// Starting the two passes of a block.
const BLOCK_SECONDS: f64 = 3e-5;

impl Epochs {
    /// As [`KMeans::gains`] has it, on a device that `is_open` already or not.
    pub fn gains(self, is_open: bool) -> bool {
        let acting = self.acting * f64::from(self.epochs);
        let processor = acting * BOND_SECONDS;
        let begin = if is_open { 0.0 } else { OPENING_SECONDS };
        let starting = f64::from(self.epochs) * self.blocks as f64 * BLOCK_SECONDS;
        let device = begin + starting + acting * DEVICE_BOND_SECONDS;
        processor > SOON_SECONDS && 1.5 * device < processor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_gain_and_few_do_not() {
        let of = |rows, dimensions, k| KMeans { rows, dimensions, k };
        for (job, first, again) in [
            (of(1000, 64, 10), false, false),
            (of(10_000, 2, 8), false, false),
            (of(1, 1, 1), false, false),
            (of(0, 0, 0), false, false),
            (of(20_000, 64, 16), false, false),
            (of(100_000, 64, 16), true, true),
            (of(100_000, 768, 100), true, true),
            (of(1_000_000, 64, 64), true, true),
        ] {
            assert_eq!((job.gains(false), job.gains(true)), (first, again), "{job:?}");
        }
    }

    #[test]
    fn neighbours_of_many_rows_gain() {
        let of = |rows, dimensions| Neighbours { rows, dimensions };
        for (job, gains) in [
            (of(0, 0), false),
            (of(1000, 768), false),
            (of(2000, 64), false),
            (of(20_000, 64), true),
            (of(20_000, 768), true),
        ] {
            assert_eq!(job.gains(false), gains, "{job:?}");
        }
    }

    #[test]
    fn epochs_of_many_rows_gain() {
        for (rows, epochs, gains) in
            [(0, 200, false), (1000, 500, false), (20_000, 200, true), (200_000, 200, true)]
        {
            let job = Epochs { epochs, blocks: 32, acting: 6.0 * f64::from(rows) };
            assert_eq!((job.gains(false), job.gains(true)), (gains, gains), "{job:?}");
        }
    }

    #[test]
    fn what_gains_from_nothing_gains_when_rows_are_there() {
        for rows in [1000, 30_000, 100_000, 3_000_000] {
            for dimensions in [1, 3, 50, 768] {
                for k in [1, 5, 64, 65, 1000] {
                    let job = KMeans { rows, dimensions, k };
                    assert!(job.gains(true) || !job.gains(false), "{job:?}");
                }
            }
        }
    }
}
