//! The epochs of UMAP on a device. Rows of a block of the deal walk side by side, a thread each, and then all points
//! settle. The processor's sums are rounded otherwise, so that its layout is another, as good; but
//! devices make one layout of one seed, since what threads add up are whole numbers.

use std::rc::Rc;

use embedding::rows::RowSource;
use embedding::umap::{Dealt, Layout, Options, Prepared};
use embedding::watch::{Phase, Watch};

use crate::card::{Blocks, Card, Held, Kernel};
use crate::check;
use crate::device::Gpu;
use crate::error::{CudaError, Failure, Made};
use crate::pca;
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

/// Lays rows out whose neighbours are known, as [`neighbours`](crate::neighbours) finds them, along
/// principal components that the device works out. Where it fails, the cores do, from where the points began.
///
/// # Errors
/// As [`embedding::umap::fit_among`]: what a device does is never an error.
pub fn fit_among(
    gpu: &Gpu,
    rows: &dyn RowSource,
    options: &Options,
    found: embedding::knn::Found,
    watch: &dyn Watch,
) -> Result<Made<Layout>, embedding::Error> {
    let components = options.components_of(rows);
    let Made { made: along, fell_back } = pca::fit(gpu, rows, components, options.threads, watch)?;
    let prepared = Prepared::among_along(rows, options, (found, &along), watch)?;
    if prepared.dealt().is_none() {
        return Ok(Made { made: prepared.compute(watch)?, fell_back });
    }
    let checked = check::epochs(&gpu.card, options.dimensions);
    match checked.and_then(|()| lay_out(&gpu.card, &prepared, watch)) {
        Ok(points) => Ok(Made { made: prepared.end(points)?, fell_back }),
        Err(Failure::Input(error)) => Err(error),
        Err(Failure::Device(error)) => {
            let made = prepared.compute(watch)?;
            Ok(Made { made, fell_back: Some(error.to_string()) })
        }
    }
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
