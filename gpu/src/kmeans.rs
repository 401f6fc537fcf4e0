//! K-means whose rows stay on a device from fit to fit. The device says which centroid is the
//! nearest to each row, or that 32 bits do not tell; what is in doubt, and the means, are
//! `embedding`'s ([`Driven`]), and so labels and centroids are those of the processor to the bit.

use std::rc::Rc;

use embedding::kmeans::{Clustering, Driven, Options, Prepared};
use embedding::rows::RowSource;
use embedding::watch::Watch;
use wgpu::BufferUsages;

use crate::Error;
use crate::device::{Answer, Bound, Gpu, Held, words_of};
use crate::margin::Margin;
use crate::rows::{Framed, PIECE_BYTES, Piece, QUAD, Resident, check_binding};
use crate::shaders::{Asked, TILE};

/// Products of one start at most: a browser ends what takes seconds.
const WORK_MAX: u64 = 1 << 35;
/// Numbers of points are told in floats on their way through a group.
const POINTS_MAX: usize = 1 << 24;

/// Rows on a device, to be clustered as often as somebody likes.
pub struct Session {
    gpu: Rc<Gpu>,
    resident: Resident,
    prepared: Prepared,
}

impl Session {
    /// Brings rows to the device.
    ///
    /// # Errors
    /// Where the device has no room for them or is lost, rows cannot be read, or `watch` cancels.
    pub async fn new(gpu: Rc<Gpu>, rows: &dyn RowSource, watch: &dyn Watch) -> Result<Self, Error> {
        Self::in_pieces(gpu, rows, PIECE_BYTES, watch).await
    }

    /// The same in smaller bindings, as tests want them.
    pub(crate) async fn in_pieces(
        gpu: Rc<Gpu>,
        rows: &dyn RowSource,
        binding_bytes: u64,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let prepared = Prepared::new(rows, None, watch)?;
        let resident = Resident::new(&gpu, rows, binding_bytes).await?;
        Ok(Self { gpu, resident, prepared })
    }

    /// Where the rows are.
    pub fn gpu(&self) -> &Rc<Gpu> {
        &self.gpu
    }

    pub(crate) fn resident(&self) -> &Resident {
        &self.resident
    }

    /// Whether rows may be those that the session was made of.
    pub(crate) fn check_shape(&self, rows: &dyn RowSource) -> Result<(), Error> {
        let shape = (rows.rows(), rows.dimensions());
        let own = (self.resident.rows, self.resident.frame.dimensions());
        if shape != own {
            let text = format!("{shape:?} is not the shape of the session's rows, {own:?}");
            return Err(embedding::Error::Source(text).into());
        }
        Ok(())
    }

    /// Clusters the rows, which are those that the session was made of. Labels, centroids, sizes,
    /// inertia and iterations are those of [`embedding::kmeans::fit`].
    ///
    /// # Errors
    /// As `embedding` has them; and where the device has no room or is lost.
    pub async fn kmeans(
        &self,
        rows: &dyn RowSource,
        options: &Options,
        watch: &dyn Watch,
    ) -> Result<Clustering, Error> {
        self.check_shape(rows)?;
        let mut driven = Driven::new(rows, &self.prepared, options, watch)?;
        let fit = Fit::new(self, options.k).await?;
        loop {
            fit.assign(&mut driven).await?;
            if !driven.advance(watch)? {
                break;
            }
        }
        Ok(driven.end(watch)?)
    }
}

/// What one fit needs beside the rows.
struct Fit<'a> {
    session: &'a Session,
    k: usize,
    centroids: Held,
    half_norms: Held,
    tasks: Vec<Task<'a>>,
}

/// A piece of the rows, and where its labels go.
struct Task<'a> {
    piece: &'a Piece,
    asked: Held,
    labels: Held,
    read: Held,
    bound: Bound,
}

impl Task<'_> {
    fn bytes(&self) -> u64 {
        (self.piece.rows * size_of::<u32>()) as u64
    }
}

impl<'a> Fit<'a> {
    async fn new(session: &'a Session, k: usize) -> Result<Self, Error> {
        let Session { gpu, resident, .. } = session;
        let bytes = (k * resident.frame.quads * QUAD * size_of::<f32>()) as u64;
        check_binding("centroids", bytes)?;
        if k > POINTS_MAX {
            let (bytes, most) = (k as u64, POINTS_MAX as u64);
            return Err(Error::TooLarge { what: "numbers of centroids", bytes, most });
        }
        let all = bytes + 8 * resident.rows as u64;
        gpu.with_room(all, |gpu| {
            let centroids = gpu.empty("centroids", bytes, BufferUsages::STORAGE);
            let norms = (k * size_of::<f32>()) as u64;
            let half_norms = gpu.empty("half norms", norms, BufferUsages::STORAGE);
            let task = |piece| task(gpu, piece, &centroids, &half_norms);
            let tasks = resident.pieces.iter().map(task).collect();
            Self { session, k, centroids, half_norms, tasks }
        })
        .await
    }

    /// Gives every row its label.
    async fn assign(&self, driven: &mut Driven<'_>) -> Result<(), Error> {
        let Session { gpu, resident, .. } = self.session;
        let framed = resident.frame.put(driven.centroids())?;
        gpu.write(&self.centroids, &framed.values);
        let half_norms: Vec<f32> = framed.squares.iter().map(|s| (s / 2.0) as f32).collect();
        gpu.write(&self.half_norms, &half_norms);
        let asked = self.asked(&framed);
        let answers: Vec<Answer> = self.tasks.iter().map(|task| self.start(task, asked)).collect();
        for (task, answer) in self.tasks.iter().zip(answers) {
            let taken = gpu.read(&task.read, answer, task.bytes(), |bytes| {
                let labels: Vec<u32> = words_of(bytes).collect();
                driven.take(task.piece.first, &labels)
            });
            taken.await??;
        }
        Ok(())
    }

    /// Starts what is to be done with a piece, and asks for what comes of it.
    fn start(&self, task: &Task<'_>, asked: Asked) -> Answer {
        let gpu = &self.session.gpu;
        let rows = task.piece.rows;
        let row_work = (self.k * self.session.resident.frame.quads * QUAD) as u64;
        let at_once = (WORK_MAX / row_work) as usize / TILE * TILE;
        for first in (0..rows).step_by(at_once.max(TILE)) {
            let until = (first + at_once.max(TILE)).min(rows);
            let asked = Asked { rows: until as u32, first: first as u32, ..asked };
            gpu.write(&task.asked, &asked.words());
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            task.bound.start(&mut encoder, ((until - first).div_ceil(TILE) as u32, 1));
            if until == rows {
                let bytes = task.bytes();
                encoder.copy_buffer_to_buffer(&task.labels.0, 0, &task.read.0, 0, bytes);
            }
            gpu.queue.submit([encoder.finish()]);
        }
        gpu.ask(&task.read)
    }

    fn asked(&self, framed: &Framed) -> Asked {
        let frame = &self.session.resident.frame;
        let norm = framed.squares.iter().copied().fold(0.0, f64::max).sqrt();
        let Margin { by_norm, by_square, always } = Margin::new(frame.dimensions(), norm);
        let (points, quads) = (self.k as u32, frame.quads as u32);
        Asked { points, quads, by_norm, by_square, always, ..Asked::default() }
    }
}

fn task<'a>(gpu: &Gpu, piece: &'a Piece, centroids: &Held, half_norms: &Held) -> Task<'a> {
    let bytes = (piece.rows * size_of::<u32>()) as u64;
    let asked = gpu.empty("asked", size_of::<Asked>() as u64, BufferUsages::UNIFORM);
    let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
    let labels = gpu.empty("labels", bytes, storage);
    let read = gpu.empty("labels to read", bytes, BufferUsages::MAP_READ);
    let buffers = [&asked, &piece.values, &piece.norms, centroids, half_norms, &labels];
    let bound = Bound::new(&gpu.device, &gpu.passes.assign, &buffers);
    Task { piece, asked, labels, read, bound }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
