//! The sums of one layer of a picture on the GPU: cells, and the passes that fill them.
//! A layer that shows already what it shall is left alone.

use wgpu::{BindGroup, BufferUsages, CommandEncoder, ComputePassDescriptor};

use super::device::{Gpu, GpuError, Held};
use super::layout;
use super::resident::{Changes, Resident, group_of};
use crate::draw::density::Density;
use crate::draw::palette::Palette;
use crate::draw::plan::{LayerPlan, Plan};
use crate::draw::points::Points;
use crate::draw::stamp::{STAMPS, Stamp, Stamps};
use crate::draw::tone::KEYS;
use crate::protocol::Viewport;

const WORD: u64 = size_of::<u32>() as u64;
/// Workgroups that look for the peak; each goes on at a stride.
const PEAK_GROUPS: u32 = 64;
/// Pixels on a side of a workgroup of the density pass.
const DENSITY_SIDE: u32 = 16;

pub struct Layer {
    uniform: Held,
    cells: Held,
    peak: Held,
    ranks: Held,
    weights: Held,
    /// What the mask's place is filled with where all rows are drawn.
    no_mask: (Held, BindGroup),
    /// Counts and bins of a density, until what reads them is submitted.
    density: Option<[Held; 2]>,
    key: Option<Key>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    uniform: layout::Layer,
    stamp: Stamp,
    is_equalized: bool,
    content: Content,
    /// Where cells have colours.
    palette: Option<Palette>,
}

/// What is drawn, down to the last upload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content {
    Points { id: u64, changes: Changes },
    Density { id: u64, viewport: Viewport },
}

/// One layer of points, as it shall be.
pub struct Wanted<'a> {
    pub plan: &'a Plan,
    pub layer: &'a LayerPlan,
    /// Colours by palette index, where points have any, and the same on the GPU.
    pub palette: Option<&'a Palette>,
    pub palette_buffer: &'a Held,
    /// Whether only selected rows are drawn.
    pub masked: bool,
}

impl Layer {
    pub fn new(gpu: &Gpu) -> Result<Self, GpuError> {
        let no_mask = gpu.buffer("no mask", WORD, BufferUsages::STORAGE)?;
        let no_mask_group = group_of(gpu, &gpu.pipelines.mask, &[&no_mask]);
        Ok(Self {
            uniform: gpu.buffer(
                "layer",
                size_of::<layout::Layer>() as u64,
                BufferUsages::UNIFORM,
            )?,
            cells: gpu.buffer("cells", WORD, BufferUsages::STORAGE)?,
            peak: gpu.buffer("peak", WORD, BufferUsages::STORAGE)?,
            ranks: gpu.buffer("ranks", WORD, BufferUsages::STORAGE)?,
            weights: gpu.buffer("weights", WORD, BufferUsages::STORAGE)?,
            no_mask: (no_mask, no_mask_group),
            density: None,
            key: None,
        })
    }

    pub fn cells(&self) -> &Held {
        &self.cells
    }

    pub fn peak(&self) -> &Held {
        &self.peak
    }

    pub fn ranks(&self) -> &Held {
        &self.ranks
    }

    /// Fills the cells with the points.
    pub fn draw_points(
        &mut self,
        gpu: &Gpu,
        encoder: &mut CommandEncoder,
        points: &Points,
        resident: &Resident,
        wanted: &Wanted<'_>,
    ) -> Result<(), GpuError> {
        let Plan { cells: size, lens, .. } = *wanted.plan;
        let LayerPlan { stamp, is_varied, is_equalized, .. } = *wanted.layer;
        let colored = wanted.palette.is_some();
        let uniform = layout::Layer::new(lens, size, wanted.layer, colored, wanted.masked);
        let mut changes = resident.changes();
        if !wanted.masked {
            changes.mask = 0;
        }
        let content = Content::Points { id: points.id(), changes };
        let palette = wanted.palette.cloned();
        let key = Key { uniform, stamp, is_equalized, content, palette };
        if self.key.as_ref() == Some(&key) {
            return Ok(());
        }
        let is_same = |known: &Key| known.stamp == stamp && known.uniform.varied == uniform.varied;
        let same_stamp = self.key.as_ref().is_some_and(is_same);
        self.prepare(gpu, encoder, uniform)?;
        if !same_stamp && !stamp.is_pixel() {
            let table = if is_varied { varied_table(stamp) } else { stamp.table() };
            self.weights =
                gpu.buffer("weights", size_of_val(&*table) as u64, BufferUsages::STORAGE)?;
            gpu.queue.write_buffer(&self.weights.buffer, 0, bytemuck::cast_slice(&table));
        }
        let buffers = [&self.uniform, &self.cells, wanted.palette_buffer, &self.weights];
        let group = group_of(gpu, &gpu.pipelines.layer, &buffers);
        let mask = resident.mask_group().filter(|_| wanted.masked).unwrap_or(&self.no_mask.1);
        if let Some(lens) = lens {
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
            let pipelines = &gpu.pipelines;
            pass.set_pipeline(if stamp.is_pixel() {
                &pipelines.add_pixels
            } else {
                &pipelines.add_discs
            });
            pass.set_bind_group(0, &group, &[]);
            pass.set_bind_group(2, mask, &[]);
            let margin = wanted.layer.reach() as f32 + 1.0;
            for (source, chunk) in points.chunks().iter().zip(resident.chunks()) {
                if lens.may_see([source.x.bounds, source.y.bounds], margin, size) {
                    pass.set_bind_group(1, &chunk.group, &[]);
                    pass.dispatch_workgroups((source.rows as u32).div_ceil(layout::GROUP), 1, 1);
                }
            }
        }
        self.find_peak(gpu, encoder);
        self.find_ranks(gpu, encoder, is_equalized)?;
        self.key = Some(key);
        Ok(())
    }

    /// Fills the cells with the counts of the bins under them.
    pub fn draw_density(
        &mut self,
        gpu: &Gpu,
        encoder: &mut CommandEncoder,
        density: &Density,
        viewport: Viewport,
        plan: &Plan,
    ) -> Result<(), GpuError> {
        let LayerPlan { stamp, is_equalized, .. } = plan.selected;
        let uniform = layout::Layer::new(None, plan.size, &plan.selected, false, false);
        let content = Content::Density { id: density.id(), viewport };
        let key = Key { uniform, stamp, is_equalized, content, palette: None };
        if self.key.as_ref() == Some(&key) {
            return Ok(());
        }
        self.prepare(gpu, encoder, uniform)?;
        let (columns, rows) = density.bins_under(viewport, plan.size);
        let start_of = |row: i32| if row < 0 { -1 } else { row * density.columns() as i32 };
        let bins: Vec<i32> = columns.into_iter().chain(rows.into_iter().map(start_of)).collect();
        let counts =
            gpu.buffer("counts", size_of_val(density.counts()) as u64, BufferUsages::STORAGE)?;
        let places = gpu.buffer("bins", size_of_val(&*bins) as u64, BufferUsages::STORAGE)?;
        gpu.queue.write_buffer(&counts.buffer, 0, bytemuck::cast_slice(density.counts()));
        gpu.queue.write_buffer(&places.buffer, 0, bytemuck::cast_slice(&bins));
        let buffers = [&self.uniform, &self.cells, &counts, &places];
        let group = group_of(gpu, &gpu.pipelines.density, &buffers);
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&gpu.pipelines.fill_density);
        pass.set_bind_group(0, &group, &[]);
        let groups = |pixels: u32| pixels.div_ceil(DENSITY_SIDE);
        pass.dispatch_workgroups(groups(plan.size.width), groups(plan.size.height), 1);
        drop(pass);
        self.find_peak(gpu, encoder);
        self.find_ranks(gpu, encoder, is_equalized)?;
        self.density = Some([counts, places]);
        self.key = Some(key);
        Ok(())
    }

    /// Room for the cells, all zero.
    fn prepare(
        &mut self,
        gpu: &Gpu,
        encoder: &mut CommandEncoder,
        uniform: layout::Layer,
    ) -> Result<(), GpuError> {
        self.key = None;
        self.density = None;
        let [width, height] = uniform.size.map(u64::from);
        let bytes = width * height * u64::from(uniform.stride) * WORD;
        // Room to spare is kept while the canvas is being resized.
        if self.cells.bytes < bytes || self.cells.bytes > 4 * bytes + (1 << 20) {
            self.cells = gpu.buffer("cells", WORD, BufferUsages::STORAGE)?;
            self.cells = gpu.buffer("cells", bytes, BufferUsages::STORAGE)?;
        } else {
            encoder.clear_buffer(&self.cells.buffer, 0, None);
        }
        encoder.clear_buffer(&self.peak.buffer, 0, None);
        gpu.queue.write_buffer(&self.uniform.buffer, 0, bytemuck::bytes_of(&uniform));
        Ok(())
    }

    /// Only where the tone goes by them.
    fn find_ranks(
        &mut self,
        gpu: &Gpu,
        encoder: &mut CommandEncoder,
        is_equalized: bool,
    ) -> Result<(), GpuError> {
        if !is_equalized {
            return Ok(());
        }
        let bytes = (KEYS as u64 + 1) * WORD;
        if self.ranks.bytes < bytes {
            self.ranks = gpu.buffer("ranks", bytes, BufferUsages::STORAGE)?;
        } else {
            encoder.clear_buffer(&self.ranks.buffer, 0, None);
        }
        let group = group_of(gpu, &gpu.pipelines.ranks, &[&self.uniform, &self.cells, &self.ranks]);
        for (pipeline, groups) in
            [(&gpu.pipelines.count_ranks, PEAK_GROUPS), (&gpu.pipelines.sum_ranks, 1)]
        {
            // What one pass wrote the next one reads.
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
        }
        Ok(())
    }

    fn find_peak(&self, gpu: &Gpu, encoder: &mut CommandEncoder) {
        let group = group_of(gpu, &gpu.pipelines.peak, &[&self.uniform, &self.cells, &self.peak]);
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&gpu.pipelines.find_peak);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(PEAK_GROUPS, 1, 1);
    }
}

/// Where the weights of each stamp begin and how far it reaches, then all weights.
fn varied_table(largest: Stamp) -> Vec<u32> {
    let stamps = Stamps::of(largest);
    let mut table = vec![0; 2 * STAMPS];
    for ((stamp, from), head) in stamps.all.iter().zip(table.chunks_exact_mut(2)) {
        head.copy_from_slice(&[(2 * STAMPS + from) as u32, stamp.reach]);
    }
    table.extend(stamps.weights);
    table
}
