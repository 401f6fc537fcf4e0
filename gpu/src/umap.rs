//! The epochs of UMAP. Rows of a block walk side by side, one invocation each, and then all points
//! settle. The processor's sums are rounded otherwise, so that its layout is another, as good; but
//! one device makes one layout of one seed, since what invocations add up are whole numbers.

use embedding::umap::{Dealt, Epoch, Prepared};
use embedding::watch::{Phase, Watch};
use wgpu::{BufferUsages, ComputePassDescriptor};

use crate::Error;
use crate::device::{Bound, GROUPS_MAX, Gpu, Held, words_of};
use crate::rows::check_binding;
use crate::shaders::{EpochAsked, SETTLE_GROUP, WALK_GROUP};

/// Most dimensions of a layout: those of a shader's vector.
pub const DIMENSIONS_MAX: usize = 4;
/// Axes of a point where it lies.
const AXES: usize = 4;
const WORD: usize = size_of::<u32>();
/// Most bonds of a row: of pulls of 4 at most each, so many are summed up in 32 bits, 16 of them
/// behind the point.
const BONDS_MAX: usize = 8000;
/// Epochs that are handed over at once: those that are cancel no sooner.
const EPOCHS_AT_ONCE: u32 = 4;

/// Whether a device computes these epochs.
pub fn can(prepared: &Prepared) -> bool {
    let few = |dealt: &Dealt| dealt.starts.windows(2).all(|row| row[1] - row[0] <= BONDS_MAX);
    prepared.dimensions() <= DIMENSIONS_MAX && prepared.dealt().is_some_and(few)
}

/// Moves points: n × dimensions, in the order of the rows.
///
/// # Errors
/// Where there is nothing that [can](can) be computed, `watch` cancels, or the device has no room
/// or is lost.
pub async fn lay_out(gpu: &Gpu, prepared: &Prepared, watch: &dyn Watch) -> Result<Vec<f32>, Error> {
    let Some(dealt) = prepared.dealt().filter(|_| can(prepared)) else {
        let (bytes, most) = (prepared.dimensions() as u64, DIMENSIONS_MAX as u64);
        return Err(Error::TooLarge { what: "dimensions of a layout, or bonds,", bytes, most });
    };
    let floor = Floor::new(gpu, prepared, dealt).await?;
    let epochs = prepared.epochs();
    for number in 1..epochs {
        watch.progress(Phase::Epochs, u64::from(number), u64::from(epochs));
        if watch.is_cancelled() {
            return Err(embedding::Error::Cancelled.into());
        }
        floor.start(&prepared.epoch(number));
        if watch.wants_layout() {
            watch.layout(number, &floor.points().await?);
        } else if number % EPOCHS_AT_ONCE == 0 {
            floor.wait().await?;
        }
    }
    floor.points().await
}

/// All points, and the passes that move them.
struct Floor<'a> {
    gpu: &'a Gpu,
    dealt: &'a Dealt,
    dimensions: usize,
    epoch: Held,
    points: Held,
    read: Held,
    walks: Vec<Walk>,
    settle: Bound,
    /// Keeps what only the passes look at.
    _others: [Held; 5],
}

/// A block's pass, and how many groups it has.
struct Walk {
    bound: Bound,
    groups: u32,
    _block: Held,
}

impl<'a> Floor<'a> {
    async fn new(gpu: &'a Gpu, prepared: &Prepared, dealt: &'a Dealt) -> Result<Self, Error> {
        let (n, m) = (dealt.rows.len(), prepared.dimensions());
        let point_bytes = (n * AXES * WORD) as u64;
        let bond_bytes = (2 * dealt.others.len() * WORD) as u64;
        check_binding("points", point_bytes)?;
        check_binding("bonds", bond_bytes)?;
        if n.div_ceil(SETTLE_GROUP) > GROUPS_MAX as usize {
            let (bytes, most) = (n as u64, u64::from(GROUPS_MAX) * SETTLE_GROUP as u64);
            return Err(Error::TooLarge { what: "numbers of points", bytes, most });
        }
        let passes = gpu.late_passes().await?;
        let all = 5 * point_bytes + bond_bytes;
        let made = gpu.with_room(all, |_| {
            let storage = BufferUsages::STORAGE;
            let epoch = gpu.empty("epoch", size_of::<EpochAsked>() as u64, BufferUsages::UNIFORM);
            let points = gpu.empty("points", point_bytes, storage | BufferUsages::COPY_SRC);
            let read = gpu.empty("points to read", point_bytes, BufferUsages::MAP_READ);
            let others = [
                gpu.empty("starts", (dealt.starts.len() * WORD) as u64, storage),
                gpu.empty("bonds", bond_bytes, storage),
                gpu.empty("keys", (n * WORD) as u64, storage),
                gpu.empty("pulls", point_bytes, storage),
                gpu.empty("moved", point_bytes, storage),
            ];
            let [starts, bonds, keys, pulls, moved] = &others;
            let walk = |rows: &[usize]| {
                let block = gpu.empty("block", 2 * WORD as u64, BufferUsages::UNIFORM);
                gpu.write(&block, &[rows[0] as u32, rows[1] as u32]);
                let buffers = [&epoch, &block, &points, starts, bonds, keys, pulls, moved];
                let bound = Bound::new(&gpu.device, &passes.walk, &buffers);
                let groups = (rows[1] - rows[0]).div_ceil(WALK_GROUP) as u32;
                Walk { bound, groups, _block: block }
            };
            let walks = dealt.blocks.windows(2).map(walk).filter(|walk| walk.groups > 0).collect();
            let buffers = [&epoch, &points, pulls, moved];
            let settle = Bound::new(&gpu.device, &passes.settle, &buffers);
            Self { gpu, dealt, dimensions: m, epoch, points, read, walks, settle, _others: others }
        });
        let floor = made.await?;
        floor.fill(prepared.points());
        Ok(floor)
    }

    fn fill(&self, begin: &[f32]) {
        let Self { gpu, dealt, dimensions: m, .. } = self;
        let [starts, bonds, keys, ..] = &self._others;
        let mut points = vec![0.0; dealt.rows.len() * AXES];
        for (point, row) in points.chunks_exact_mut(AXES).zip(&dealt.rows) {
            let of = &begin[*row as usize * m..][..*m];
            point.iter_mut().zip(of).for_each(|(slot, x)| *slot = *x);
        }
        gpu.write(&self.points, &points);
        let words: Vec<u32> = dealt.starts.iter().map(|start| *start as u32).collect();
        gpu.write(starts, &words);
        let pairs = dealt.others.iter().zip(&dealt.paces);
        let words: Vec<u32> = pairs.flat_map(|(other, pace)| [*other, *pace]).collect();
        gpu.write(bonds, &words);
        gpu.write(keys, &dealt.keys);
    }

    /// Hands an epoch over.
    fn start(&self, epoch: &Epoch) {
        let Self { gpu, dealt, dimensions, .. } = self;
        let Epoch { number, a, b, rate, word } = *epoch;
        let (rows, dimensions) = (dealt.rows.len() as u32, *dimensions as u32);
        let asked = EpochAsked { rows, number, word, dimensions, a, b, rate, padding: 0 };
        gpu.write(&self.epoch, &asked.words());
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        let all = dealt.rows.len().div_ceil(SETTLE_GROUP) as u32;
        for Walk { bound, groups, .. } in &self.walks {
            bound.dispatch(&mut pass, (*groups, 1));
            self.settle.dispatch(&mut pass, (all, 1));
        }
        drop(pass);
        gpu.queue.submit([encoder.finish()]);
    }

    /// Until all that was handed over is done.
    async fn wait(&self) -> Result<(), Error> {
        self.gpu.read(&self.read, self.gpu.ask(&self.read), 0, |_| ()).await
    }

    async fn points(&self) -> Result<Vec<f32>, Error> {
        let Self { gpu, dealt, dimensions: m, .. } = self;
        let bytes = (dealt.rows.len() * AXES * WORD) as u64;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&self.points.0, 0, &self.read.0, 0, bytes);
        gpu.queue.submit([encoder.finish()]);
        let read = |bytes: &[u8]| {
            let found: Vec<f32> = words_of(bytes).map(f32::from_bits).collect();
            let mut points = vec![0.0; dealt.rows.len() * m];
            for (point, row) in found.chunks_exact(AXES).zip(&dealt.rows) {
                points[*row as usize * m..][..*m].copy_from_slice(&point[..*m]);
            }
            points
        };
        let points = gpu.read(&self.read, gpu.ask(&self.read), bytes, read).await?;
        match points.iter().all(|x| x.is_finite()) {
            true => Ok(points),
            false => Err(Error::Refused("it moved points beyond all bounds".to_owned())),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
