//! UMAP on a device: the neighbours as [`neighbours`](crate::neighbours) finds them, and then the
//! epochs. Rows of a block of the deal walk side by side, a thread each, and then all points
//! settle. The processor's sums are rounded otherwise, so that its layout is another, as good; but
//! devices make one layout of one seed, since what threads add up are whole numbers.

use std::rc::Rc;

use embedding::rows::RowSource;
use embedding::umap::{Dealt, Layout, Options, Prepared};
use embedding::watch::{Phase, Watch};

use crate::card::{Blocks, Card, Held, Kernel};
use crate::device::Gpu;
use crate::error::{CudaError, Failure, Made};
use crate::neighbours;
use crate::plan::SHARE_PERCENT;

/// By the axes of a point.
const WALK: [Kernel; 8] = [
    Kernel("layout_walk_1"),
    Kernel("layout_walk_2"),
    Kernel("layout_walk_3"),
    Kernel("layout_walk_4"),
    Kernel("layout_walk_5"),
    Kernel("layout_walk_6"),
    Kernel("layout_walk_7"),
    Kernel("layout_walk_8"),
];
const SETTLE: Kernel = Kernel("layout_settle");
const WALK_THREADS: u32 = 128;
const SETTLE_THREADS: u32 = 256;
/// Epochs that are handed over at once: those that are cancel no sooner.
const EPOCHS_AT_ONCE: u32 = 8;

/// Lays rows out, whose neighbours may be known. Where there is no device, or it fails, the cores
/// do what it did not, from where the points began.
///
/// # Errors
/// As [`embedding::umap::fit`]: what a device does is never an error.
pub fn fit(
    rows: &dyn RowSource,
    options: &Options,
    known: Option<embedding::knn::Found>,
    watch: &dyn Watch,
) -> Result<Made<Layout>, embedding::Error> {
    let mut fell_back = None;
    let k = options.found_of(rows.rows());
    let prepared = match known {
        Some(found) => Prepared::among(rows, options, found, watch)?,
        // Of so few, nothing is to be found.
        None if rows.rows() < 3 || k == 0 => Prepared::new(rows, options, watch)?,
        None => {
            let found = neighbours::nearest(rows, k, options.threads, options.seed, watch)?;
            fell_back = found.fell_back;
            Prepared::among(rows, options, found.made, watch)?
        }
    };
    if prepared.dealt().is_none() {
        return Ok(Made { made: prepared.compute(watch)?, fell_back });
    }
    let points =
        Gpu::find().map_err(Failure::from).and_then(|gpu| lay_out(&gpu.card, &prepared, watch));
    let made = match points {
        Ok(points) => prepared.end(points)?,
        Err(Failure::Input(error)) => return Err(error),
        Err(Failure::Device(error)) => {
            fell_back = Some(error.to_string());
            prepared.compute(watch)?
        }
    };
    Ok(Made { made, fell_back })
}

/// Moves the points: n × dimensions, in the order of the rows.
pub(crate) fn lay_out(
    card: &Rc<dyn Card>,
    prepared: &Prepared,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Failure> {
    let floor = Floor::new(card, prepared)?;
    let epochs = prepared.epochs();
    for number in 1..epochs {
        watch.progress(Phase::Epochs, u64::from(number), u64::from(epochs));
        if watch.is_cancelled() {
            return Err(embedding::Error::Cancelled.into());
        }
        floor.epoch(prepared, number)?;
        if watch.wants_layout() {
            watch.layout(number, &floor.points()?);
        } else if number % EPOCHS_AT_ONCE == 0 {
            card.wait(0)?;
        }
    }
    Ok(floor.points()?)
}

/// All points on a device, and what they are moved by.
struct Floor<'a> {
    card: &'a Rc<dyn Card>,
    dealt: &'a Dealt,
    dimensions: usize,
    walk: Kernel,
    points: Held<f32>,
    starts: Held<u64>,
    others: Held<u32>,
    paces: Held<u32>,
    keys: Held<u32>,
    pulls: Held<i64>,
    moved: Held<f32>,
}

impl<'a> Floor<'a> {
    fn new(card: &'a Rc<dyn Card>, prepared: &'a Prepared) -> Result<Self, CudaError> {
        let m = prepared.dimensions();
        let unfit = || CudaError::Unfit(format!("a layout of {m} dimensions"));
        let dealt = prepared.dealt().ok_or_else(unfit)?;
        let walk = m.checked_sub(1).and_then(|at| WALK.get(at)).copied().ok_or_else(unfit)?;
        let n = dealt.rows.len();
        let needed = (n * (16 * m + 12) + 8 + 8 * dealt.others.len()) as u64;
        let free = card.free()?;
        if needed > free / 100 * SHARE_PERCENT || u32::try_from(n * m).is_err() {
            return Err(CudaError::NoRoom { needed, free });
        }
        let begin = prepared.points();
        let mut points = Vec::with_capacity(n * m);
        for row in &dealt.rows {
            let from = *row as usize * m;
            points.extend_from_slice(begin.get(from..from + m).unwrap_or_default());
        }
        let starts: Vec<u64> = dealt.starts.iter().map(|start| *start as u64).collect();
        Ok(Self {
            card,
            dealt,
            dimensions: m,
            walk,
            points: Held::of(card, &points)?,
            starts: Held::of(card, &starts)?,
            others: Held::of(card, &dealt.others)?,
            paces: Held::of(card, &dealt.paces)?,
            keys: Held::of(card, &dealt.keys)?,
            pulls: Held::zeros(card, n * m)?,
            moved: Held::zeros(card, n * m)?,
        })
    }

    fn epoch(&self, prepared: &Prepared, number: u32) -> Result<(), CudaError> {
        let epoch = prepared.epoch(number);
        let n = self.dealt.rows.len();
        let values = n * self.dimensions;
        for block in self.dealt.blocks.windows(2) {
            let &[first, until] = block else { continue };
            if first == until {
                continue;
            }
            let given = [
                self.points.at(0),
                self.starts.at(0),
                self.others.at(0),
                self.paces.at(0),
                self.keys.at(0),
                self.pulls.at(0),
                self.moved.at(0),
                (n as u32).into(),
                (first as u32).into(),
                (until as u32).into(),
                epoch.number.into(),
                epoch.word.into(),
                epoch.a.into(),
                epoch.b.into(),
                epoch.rate.into(),
            ];
            let blocks = Blocks::new((until - first).div_ceil(WALK_THREADS as usize), WALK_THREADS);
            self.card.start(0, self.walk, blocks, &given)?;
            let given =
                [self.points.at(0), self.pulls.at(0), self.moved.at(0), (values as u32).into()];
            let blocks = Blocks::new(values.div_ceil(SETTLE_THREADS as usize), SETTLE_THREADS);
            self.card.start(0, SETTLE, blocks, &given)?;
        }
        Ok(())
    }

    /// In the order of the rows.
    fn points(&self) -> Result<Vec<f32>, CudaError> {
        let m = self.dimensions;
        let found = self.points.values(0, 0, self.dealt.rows.len() * m)?;
        if found.iter().any(|x| !x.is_finite()) {
            let reason = "points went beyond all bounds".to_owned();
            return Err(CudaError::Driver { doing: "lay rows out", reason });
        }
        let mut points = vec![0.0; found.len()];
        for (point, row) in found.chunks_exact(m).zip(&self.dealt.rows) {
            let from = *row as usize * m;
            if let Some(slot) = points.get_mut(from..from + m) {
                slot.copy_from_slice(point);
            }
        }
        Ok(points)
    }
}

#[cfg(test)]
mod tests;
