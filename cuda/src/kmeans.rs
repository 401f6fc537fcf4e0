//! K-means' rows dealt to centroids on a device. Rows are there as halves, with a bound for each
//! score; what it does not settle, and the means, are `embedding`'s ([`Driven`]). So labels,
//! centroids and inertia have the bits of the processor's, whoever dealt in which iteration.
#![allow(unsafe_code)]

use std::sync::Arc;

use cudarc::driver::{CudaFunction, CudaSlice, CudaStream, CudaView, DriverError, PushKernelArg};
use embedding::kmeans::{Clustering, Driven, Options, Prepared, UNSURE};
use embedding::rows::{BLOCK_ROWS, RowSource};
use embedding::watch::{Phase, Watch};

use crate::bound::{self, Centroids, ROW_SPARE, Terms};
use crate::device::{Gpu, grid};
use crate::error::{CudaError, Failure};
use crate::plan::{Place, STAGING, Shape};
use crate::tile::{ROWS, THREADS, padded};

/// Blocks of rows that are sent at a time, at most.
const BLOCKS_SENT: usize = 16;
/// Warps of a block whose warps have a row each.
const WARPS: usize = 8;

/// What came of a fit, and who did it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub clustering: Clustering,
    /// Where the device had the rows, if there was one that took them.
    pub place: Option<Place>,
    /// Rows that the device was not sure of, in all iterations.
    pub unsure: u64,
    /// Why the processor's cores did what the device did not, for whoever asked for the device.
    pub fell_back: Option<String>,
}

/// Clusters rows on the first device, to the same bits as [`embedding::kmeans::fit`]. Where there
/// is none, or it fails, the cores go on from its last centroids.
///
/// # Errors
/// As [`embedding::kmeans::fit`]: what a device does is never an error.
pub fn fit(
    rows: &dyn RowSource,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Fitted, embedding::Error> {
    fit_on(|prepared| Device::new(rows, prepared, options.k, None, watch), rows, options, watch)
}

/// Whoever says which centroid is the nearest to each row.
pub(crate) trait Deal {
    /// The label of each row, or [`UNSURE`].
    fn deal(&mut self, centroids: &[f32]) -> Result<Vec<u32>, CudaError>;

    fn place(&self) -> Place;
}

/// Clusters rows on a device that is opened once what it has to know of rows is known.
pub(crate) fn fit_on<D: Deal>(
    open: impl FnOnce(&Prepared) -> Result<D, Failure>,
    rows: &dyn RowSource,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Fitted, embedding::Error> {
    let prepared = Prepared::new(rows, options.threads, watch)?;
    let mut driven = Driven::new(rows, &prepared, options, watch)?;
    let (mut place, mut unsure) = (None, 0);
    let dealt = (|| {
        let mut device = open(&prepared)?;
        place = Some(device.place());
        loop {
            let labels = device.deal(driven.centroids())?;
            unsure += labels.iter().filter(|label| **label == UNSURE).count() as u64;
            driven.take_all(&labels, watch)?;
            if !driven.advance(watch)? {
                return Ok(());
            }
        }
    })();
    let (clustering, fell_back) = match dealt {
        Ok(()) => (driven.end(watch)?, None),
        Err(Failure::Input(error)) => return Err(error),
        Err(Failure::Device(error)) => (driven.finish(watch)?, Some(error.to_string())),
    };
    Ok(Fitted { clustering, place, unsure, fell_back })
}

/// A device that has the rows.
pub(crate) struct Device {
    gpu: Gpu,
    shape: Shape,
    place: Place,
    centre: Vec<f32>,
    scale: f64,
    halves: Halves,
    row_terms: CudaSlice<f32>,
    labels: CudaSlice<u32>,
}

enum Halves {
    Here(CudaSlice<u16>),
    Sent { all: Vec<u16>, turns: [CudaSlice<u16>; 2], rows: usize },
}

impl Device {
    /// The first device, with rows taken in for `k` clusters; as if `free` bytes of its memory
    /// were free, where somebody says so rather than the device.
    ///
    /// # Errors
    /// Where there is no device or no room in it, rows cannot be read, or `watch` cancels.
    pub(crate) fn new(
        rows: &dyn RowSource,
        prepared: &Prepared,
        k: usize,
        free: Option<u64>,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let gpu = Gpu::find()?;
        let shape = Shape { n: rows.rows(), d: rows.dimensions(), k };
        let place = shape.plan(free.map_or_else(|| gpu.free(), Ok)?)?;
        let (many, depth) = (padded(shape.n, ROWS), shape.depth());
        let halves = match place {
            Place::Resident => Halves::Here(gpu.zeros(many * depth)?),
            Place::Sent { rows } => {
                let turns = [gpu.zeros(rows * depth)?, gpu.zeros(rows * depth)?];
                Halves::Sent { all: vec![0; many * depth], turns, rows }
            }
        };
        let (row_terms, labels) = (gpu.zeros(2 * many)?, gpu.zeros(shape.n)?);
        let (centre, scale) = (prepared.centre().to_vec(), bound::scale(prepared.reach()));
        let mut device = Self { gpu, shape, place, centre, scale, halves, row_terms, labels };
        device.take_in(rows, watch)?;
        Ok(device)
    }

    /// Sends all rows, and has halves made of them.
    fn take_in(&mut self, rows: &dyn RowSource, watch: &dyn Watch) -> Result<(), Failure> {
        let (d, n_blocks) = (self.shape.d, rows.n_blocks());
        let many = (STAGING as usize / (d * 4 * BLOCK_ROWS)).clamp(1, BLOCKS_SENT).min(n_blocks);
        let centre = self.gpu.streams[0].clone_htod(&self.centre);
        let centre = centre.map_err(self.gpu.failed("take the centre in"))?;
        let mut staging = self.gpu.zeros::<f32>(many * BLOCK_ROWS * d)?;
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
            let sent = self.mirror(from * BLOCK_ROWS, &values, &centre, &mut staging);
            sent.map_err(self.gpu.failed("take rows in"))?;
        }
        Ok(())
    }

    /// Rows from `first` on as halves, by way of the device.
    fn mirror(
        &mut self,
        first: usize,
        values: &[f32],
        centre: &CudaSlice<f32>,
        staging: &mut CudaSlice<f32>,
    ) -> Result<(), DriverError> {
        let (d, depth) = (self.shape.d, self.shape.depth());
        let rows = values.len() / d;
        let stream = &self.gpu.streams[0];
        let mut singles = staging.slice_mut(..rows * d);
        stream.memcpy_htod(values, &mut singles)?;
        let mut halves = match &mut self.halves {
            Halves::Here(all) => all.slice_mut(first * depth..(first + rows) * depth),
            Halves::Sent { turns: [turn, _], .. } => turn.slice_mut(..rows * depth),
        };
        let mut terms = self.row_terms.slice_mut(2 * first..2 * (first + rows));
        let (n, d, wide) = (rows as u32, d as u32, depth as u32);
        let mut launch = stream.launch_builder(&self.gpu.mirror);
        launch.arg(&mut singles).arg(centre).arg(&mut halves).arg(&mut terms);
        launch.arg(&self.scale).arg(&ROW_SPARE).arg(&n).arg(&d).arg(&wide);
        // SAFETY: the views have `rows` rows of what the kernel reads and writes.
        unsafe { launch.launch(grid(rows.div_ceil(WARPS), THREADS)) }?;
        if let Halves::Sent { all, turns: [turn, _], .. } = &mut self.halves
            && let Some(all) = all.get_mut(first * depth..(first + rows) * depth)
        {
            stream.memcpy_dtoh(&turn.slice(..rows * depth), all)?;
            stream.synchronize()?;
        }
        Ok(())
    }

    fn labels_of(&mut self, given: &Centroids) -> Result<Vec<u32>, DriverError> {
        let (n, depth) = (self.shape.n, self.shape.depth());
        let [stream, other] = &self.gpu.streams;
        let centroids = stream.clone_htod(&given.halves)?;
        let terms = stream.clone_htod(&given.terms)?;
        let mut start = Start {
            kernel: &self.gpu.assign,
            centroids: &centroids,
            terms: &terms,
            row_terms: &self.row_terms,
            labels: &mut self.labels,
            depth,
        };
        match &mut self.halves {
            Halves::Here(all) => start.deal(stream, &all.as_view(), 0, n)?,
            Halves::Sent { all, turns, rows } => {
                // While one turn is computed on, the next is on its way to the other place.
                for (nth, first) in (0..n).step_by(*rows).enumerate() {
                    let (stream, turn) = ([stream, other][nth % 2], &mut turns[nth % 2]);
                    let many = (*rows).min(n - first);
                    let range = first * depth..(first + padded(many, ROWS)) * depth;
                    let values = all.get(range).unwrap_or_default();
                    stream.memcpy_htod(values, &mut turn.slice_mut(..values.len()))?;
                    start.deal(stream, &turn.as_view(), first, many)?;
                }
                stream.join(other)?;
            }
        }
        let mut labels = stream.clone_dtoh(&self.labels)?;
        stream.synchronize()?;
        labels.truncate(n);
        Ok(labels)
    }
}

impl Deal for Device {
    fn deal(&mut self, centroids: &[f32]) -> Result<Vec<u32>, CudaError> {
        let given = Centroids::new(centroids, &self.centre, self.scale);
        if given.beyond {
            return Ok(vec![UNSURE; self.shape.n]);
        }
        self.labels_of(&given).map_err(self.gpu.failed("deal rows to centroids"))
    }

    fn place(&self) -> Place {
        self.place
    }
}

/// What `kmeans_assign` reads and writes besides rows.
struct Start<'a> {
    kernel: &'a CudaFunction,
    centroids: &'a CudaSlice<u16>,
    terms: &'a CudaSlice<Terms>,
    row_terms: &'a CudaSlice<f32>,
    labels: &'a mut CudaSlice<u32>,
    depth: usize,
}

impl Start<'_> {
    /// Deals `many` rows, of which the first has the number `first`.
    fn deal(
        &mut self,
        stream: &Arc<CudaStream>,
        halves: &CudaView<'_, u16>,
        first: usize,
        many: usize,
    ) -> Result<(), DriverError> {
        let row_terms = self.row_terms.slice(2 * first..2 * (first + padded(many, ROWS)));
        let mut labels = self.labels.slice_mut(first..first + many);
        let (n, depth, columns) = (many as u32, self.depth as u32, self.terms.len() as u32);
        let mut launch = stream.launch_builder(self.kernel);
        launch.arg(halves).arg(self.centroids).arg(self.terms).arg(&row_terms).arg(&mut labels);
        launch.arg(&n).arg(&depth).arg(&columns);
        // SAFETY: halves and terms have `many` rows, padded to what a block deals; `columns`
        // centroids are padded in the same way; labels of padding are not written.
        unsafe { launch.launch(grid(many.div_ceil(ROWS), THREADS)) }?;
        Ok(())
    }
}
