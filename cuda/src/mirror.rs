//! Rows as a device multiplies them: halves about the centre of all, with what each has lost.

use std::rc::Rc;

use embedding::rows::{BLOCK_ROWS, RowSource};
use embedding::watch::{Phase, Watch};

use crate::bound::ROW_SPARE;
use crate::card::{Blocks, Card, Given, Held, Kernel};
use crate::error::{CudaError, Failure};
use crate::plan::STAGING;

const MIRROR: Kernel = Kernel("kmeans_mirror");
/// Blocks of rows that are sent at a time, at most.
const BLOCKS_SENT: usize = 16;
/// Warps of a block whose warps have a row each.
const WARPS: usize = 8;
const THREADS: u32 = 256;

/// What rows are made halves with.
pub(crate) struct Mirror {
    card: Rc<dyn Card>,
    centre: Held<f32>,
    scale: f64,
    depth: usize,
    /// Halves that a value is the sum of, 1 or 2.
    parts: u32,
}

/// Halves, and the row in them that is the first to be written.
type Halves<'a> = (&'a Held<u16>, usize);
/// e and the norm of rows, likewise.
type Terms<'a> = (&'a Held<[f32; 2]>, usize);

/// Where each row goes among halves and terms, and its square with it.
pub(crate) struct Places {
    pub places: Held<u32>,
    pub squares: Held<f64>,
}

impl Mirror {
    pub(crate) fn new(
        card: &Rc<dyn Card>,
        centre: &[f32],
        scale: f64,
        (depth, parts): (usize, u32),
    ) -> Result<Self, CudaError> {
        Ok(Self { card: Rc::clone(card), centre: Held::of(card, centre)?, scale, depth, parts })
    }

    /// Sends all rows, a few blocks and at most `rows_max` at a time, if that is a block. `place` is told of each lot its first row and how
    /// many there are, and says where they go.
    ///
    /// # Errors
    /// Where rows cannot be read, `watch` cancels, or the device fails.
    pub(crate) fn take_in(
        &self,
        rows: &dyn RowSource,
        rows_max: usize,
        watch: &dyn Watch,
        mut place: impl FnMut(
            usize,
            usize,
            &dyn Fn(Halves<'_>, Terms<'_>, Option<&Places>) -> Result<(), CudaError>,
        ) -> Result<(), CudaError>,
    ) -> Result<(), Failure> {
        let (d, n_blocks) = (rows.dimensions(), rows.n_blocks());
        let most = (rows_max / BLOCK_ROWS).min(BLOCKS_SENT);
        let many = (STAGING as usize / (d * 4 * BLOCK_ROWS)).min(most).clamp(1, n_blocks.max(1));
        let staging = Held::<f32>::zeros(&self.card, many * BLOCK_ROWS * d)?;
        let mut values = Vec::with_capacity(many * BLOCK_ROWS * d);
        for from in (0..n_blocks).step_by(many) {
            if watch.is_cancelled() {
                return Err(embedding::Error::Cancelled.into());
            }
            watch.progress(Phase::Pass, from as u64, n_blocks as u64);
            values.clear();
            for index in from..(from + many).min(n_blocks) {
                values.extend_from_slice(&rows.block(index)?);
            }
            staging.fill(0, 0, &values)?;
            let lot = values.len() / d;
            let first = from * BLOCK_ROWS;
            place(first, lot, &|halves, terms, places| {
                let places = places.map(|places| (places, first));
                self.halve((&staging, lot), halves, terms, places)
            })?;
        }
        Ok(())
    }

    fn halve(
        &self,
        (singles, many): (&Held<f32>, usize),
        (halves, first): Halves<'_>,
        (terms, first_terms): Terms<'_>,
        places: Option<(&Places, usize)>,
    ) -> Result<(), CudaError> {
        let (nowhere, places_of) = (Given::Address(0), places.map(|(places, _)| places));
        let given = [
            singles.at(0),
            self.centre.at(0),
            halves.at(first * self.depth),
            terms.at(first_terms),
            places.map_or(nowhere, |(places, from)| places.places.at(from)),
            places_of.map_or(nowhere, |places| places.squares.at(0)),
            self.scale.into(),
            ROW_SPARE.into(),
            (many as u32).into(),
            (self.centre.len() as u32).into(),
            (self.depth as u32).into(),
            self.parts.into(),
        ];
        self.card.start(0, MIRROR, Blocks::new(many.div_ceil(WARPS), THREADS), &given)
    }
}
