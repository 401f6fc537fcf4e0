//! Principal components with sums of products worked out by a device: whole numbers, the same bits
//! as [`embedding::pca`]'s. Rows are sent there a few blocks at a time and need not fit.

use std::rc::Rc;

use embedding::pca::{LOT, Pca, Prepared};
use embedding::rows::{BLOCK_ROWS, RowSource};
use embedding::watch::{Phase, Watch};

use crate::card::{Blocks, Card, Held, Kernel, QUEUES};
use crate::check;
use crate::device::Gpu;
use crate::error::{CudaError, Failure, Made};
use crate::plan::{SHARE_PERCENT, STAGING};

const ADD: Kernel = Kernel("gram_add");
const THREADS: u32 = 256;
/// Columns of a block's square.
const SIDE: usize = 64;
/// Blocks that keep a device busy.
const BLOCKS: usize = 1024;
/// Values that are worth another device.
const EACH: usize = 1 << 28;

/// Finds so many principal components, to the same bits as [`embedding::pca::fit`]. Where the device
/// fails, the cores do.
///
/// # Errors
/// As [`embedding::pca::fit`]: what a device does is never an error.
pub fn fit(
    gpu: &Gpu,
    rows: &dyn RowSource,
    n_components: usize,
    threads: Option<usize>,
    watch: &dyn Watch,
) -> Result<Made<Pca>, embedding::Error> {
    let prepared = Prepared::new(rows, n_components, threads, watch)?;
    let cards = gpu.cards(rows.rows() * rows.dimensions() / EACH);
    let checked = cards.iter().try_for_each(check::sums);
    let (sums, fell_back) = match checked.and_then(|()| sums_on(&cards, rows, &prepared, watch)) {
        Ok(sums) => (sums, None),
        Err(Failure::Input(error)) => return Err(error),
        Err(Failure::Device(error)) => (prepared.sums(rows, watch)?, Some(error.to_string())),
    };
    Ok(Made { made: prepared.end(&sums, watch)?, fell_back })
}

/// The sums of products of all pairs of columns, by devices that take turns.
pub(crate) fn sums_on(
    cards: &[Rc<dyn Card>],
    rows: &dyn RowSource,
    prepared: &Prepared,
    watch: &dyn Watch,
) -> Result<Vec<i64>, Failure> {
    let blocks = STAGING as usize / (rows.dimensions() * BLOCK_ROWS * 4);
    sums_by(cards, rows, prepared, blocks.clamp(1, rows.n_blocks().max(1)), watch)
}

/// The same by so many blocks of rows at once.
fn sums_by(
    cards: &[Rc<dyn Card>],
    rows: &dyn RowSource,
    prepared: &Prepared,
    blocks: usize,
    watch: &dyn Watch,
) -> Result<Vec<i64>, Failure> {
    const { assert!(BLOCK_ROWS.is_multiple_of(LOT)) };
    let (d, n_blocks) = (rows.dimensions(), rows.n_blocks());
    let adders: Result<Vec<Adder>, CudaError> =
        cards.iter().map(|card| Adder::new(card, prepared, blocks * BLOCK_ROWS)).collect();
    let adders = adders?;
    let mut values = Vec::with_capacity(blocks * BLOCK_ROWS * d);
    for (nth, from) in (0..n_blocks).step_by(blocks).enumerate() {
        if watch.is_cancelled() {
            return Err(embedding::Error::Cancelled.into());
        }
        watch.progress(Phase::Pass, from as u64, n_blocks as u64);
        values.clear();
        for index in from..(from + blocks).min(n_blocks) {
            values.extend_from_slice(&rows.block(index)?);
        }
        // While a device computes on some rows, others are on their way to it.
        if let Some(adder) = adders.get(nth % adders.len()) {
            adder.add(nth / adders.len() % QUEUES, &values)?;
        }
    }
    let mut all = vec![0; d * d];
    for adder in &adders {
        let sums = adder.sums()?;
        all.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
    }
    Ok(all)
}

/// A device's share of the sums.
struct Adder {
    card: Rc<dyn Card>,
    d: usize,
    units: f64,
    sums: Held<i64>,
    centres: Held<f32>,
    scales: Held<f32>,
    /// One for each queue.
    staging: [Held<f32>; QUEUES],
}

impl Adder {
    /// For so many rows at once.
    fn new(card: &Rc<dyn Card>, prepared: &Prepared, rows: usize) -> Result<Self, CudaError> {
        let d = prepared.centres.len();
        let needed = QUEUES * rows * d * 4 + d * d * 8 + d * 8;
        let free = card.free()?;
        if needed as u64 > free / 100 * SHARE_PERCENT {
            let needed = (needed as u64).div_ceil(SHARE_PERCENT) * 100;
            return Err(CudaError::NoRoom { needed, free });
        }
        let adder = Self {
            card: Rc::clone(card),
            d,
            units: prepared.units,
            sums: Held::zeros(card, d * d)?,
            centres: Held::of(card, &prepared.centres)?,
            scales: Held::of(card, &prepared.scales)?,
            staging: [Held::zeros(card, rows * d)?, Held::zeros(card, rows * d)?],
        };
        // Another queue does not know what is in the first.
        card.wait(0)?;
        Ok(adder)
    }

    fn add(&self, queue: usize, values: &[f32]) -> Result<(), CudaError> {
        let many = values.len() / self.d;
        let squares = self.d.div_ceil(SIDE);
        let pairs = squares * (squares + 1) / 2;
        self.staging[queue].fill(queue, 0, values)?;
        let given = [
            self.staging[queue].at(0),
            self.centres.at(0),
            self.scales.at(0),
            self.sums.at(0),
            self.units.into(),
            (many as u32).into(),
            (self.d as u32).into(),
            (squares as u32).into(),
        ];
        let lots = (BLOCKS / pairs).clamp(1, many.div_ceil(LOT));
        let blocks = Blocks { blocks: [pairs, lots], ..Blocks::new(0, THREADS) };
        self.card.start(queue, ADD, blocks, &given)
    }

    fn sums(&self) -> Result<Vec<i64>, CudaError> {
        self.card.wait(1)?;
        self.sums.values(0, 0, self.d * self.d)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stdout)]
    use embedding::random::Random;
    use embedding::rows::Matrix;
    use embedding::watch::Unwatched;

    use super::*;
    use crate::emulator::Adding;
    use crate::machine::Machine;

    #[track_caller]
    fn same(cards: &[Rc<dyn Card>], blocks: usize, (n, d): (usize, usize)) {
        let random = Random::new(8, 0);
        let value =
            |at: usize| random.unit(at as u64) as f32 * 10_f32.powi((at % d) as i32 % 9 - 4);
        let values: Vec<f32> = (0..n * d).map(value).collect();
        let rows = Matrix::new(&values, d).unwrap();
        let prepared = Prepared::new(&rows, 1, None, &Unwatched).unwrap();
        let expected = prepared.sums(&rows, &Unwatched).unwrap();
        let found = sums_by(cards, &rows, &prepared, blocks, &Unwatched).unwrap();
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // Of each pair of columns once.
            if at / d <= at % d {
                assert_eq!(found, expected, "{n} × {d}, columns {} and {}", at / d, at % d);
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_cores_bit_by_bit() {
        let card: Rc<dyn Card> = Machine::new(Adding::Cut);
        for (n, d) in [(1, 1), (300, 3), (1030, 5), (129, 130), (140, 64)] {
            same(&[Rc::clone(&card)], 2, (n, d));
        }
        let other: Rc<dyn Card> = Machine::new(Adding::Cut);
        same(&[card, other], 1, (2500, 3));
    }

    #[test]
    fn sums_by_a_device_are_those_of_the_cores() {
        match Gpu::find() {
            Ok(gpu) => same(&[gpu.card], 4, (20_000, 300)),
            Err(error) => println!("not run, since it wants a device: {error}"),
        }
    }

    #[test]
    fn where_there_is_no_room_it_says_how_much_is_needed() {
        let values: Vec<f32> = (0..600).map(|at| ((at * 7) % 31) as f32).collect();
        let rows = Matrix::new(&values, 6).unwrap();
        let prepared = Prepared::new(&rows, 1, None, &Unwatched).unwrap();
        let card: Rc<dyn Card> = Machine::with_memory(Adding::Cut, 3000);
        let told = sums_on(&[card], &rows, &prepared, &Unwatched).unwrap_err();
        let Failure::Device(CudaError::NoRoom { needed, free: 3000 }) = told else {
            panic!("{told}")
        };
        let card: Rc<dyn Card> = Machine::with_memory(Adding::Cut, needed);
        assert!(sums_on(&[card], &rows, &prepared, &Unwatched).is_ok(), "{needed} is enough");
    }
}
