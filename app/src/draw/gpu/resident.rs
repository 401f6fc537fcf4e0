//! Points on the GPU: uploaded once, chunk by chunk, as rows arrive; a changed selection
//! uploads one bit a row and nothing else.

use wgpu::{BindGroup, BindGroupDescriptor, BindGroupEntry, BufferUsages};

use super::device::{Gpu, GpuError, Held};
use super::layout;
use crate::draw::points::{self, CHUNK_ROWS, Coordinates, Points};

const WORD: usize = size_of::<u32>();
/// Words of a mask for which there is room at first.
const MASK_WORDS_MIN: usize = CHUNK_ROWS / 32;

pub struct Resident {
    points: u64,
    geometry: u64,
    chunks: Vec<Chunk>,
    mask: Option<Mask>,
    changes: Changes,
}

/// Counts changes of what was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    pub rows: u64,
    pub mask: u64,
}

/// A chunk's buffers, with room for all the rows it may come to have.
pub struct Chunk {
    pub group: BindGroup,
    uniform: Held,
    high: Held,
    low: Option<Held>,
    colors: Option<Held>,
    stamps: Option<Held>,
    rows: usize,
    revisions: [u64; 2],
}

struct Mask {
    buffer: Held,
    group: BindGroup,
    words: Vec<u64>,
}

impl Resident {
    pub fn new(points: &Points) -> Self {
        Self {
            points: points.id(),
            geometry: points.geometry(),
            chunks: Vec::new(),
            mask: None,
            changes: Changes::default(),
        }
    }

    /// Whether what was uploaded is of these points, and nothing of it has changed.
    pub fn is_of(&self, points: &Points) -> bool {
        self.points == points.id() && self.geometry == points.geometry()
    }

    pub fn changes(&self) -> Changes {
        self.changes
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The bits of the mask, or of no rows.
    pub fn mask_group(&self) -> Option<&BindGroup> {
        self.mask.as_ref().map(|mask| &mask.group)
    }

    /// Uploads what is new of the points, until time is up; true when all is there.
    pub fn upload(
        &mut self,
        gpu: &Gpu,
        points: &Points,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> Result<bool, GpuError> {
        for (index, source) in points.chunks().iter().enumerate() {
            if let Some(chunk) = self.chunks.get(index)
                && chunk.rows == source.rows
                && chunk.revisions == [source.colors_revision, source.stamps_revision]
            {
                continue;
            }
            match self.chunks.get_mut(index) {
                Some(chunk) => chunk.update(gpu, index, source)?,
                None => self.chunks.push(Chunk::new(gpu, index, source)?),
            }
            self.changes.rows += 1;
            if out_of_time() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Uploads the selection if it is another.
    pub fn select(&mut self, gpu: &Gpu, words: &[u64]) -> Result<(), GpuError> {
        if self.mask.as_ref().is_some_and(|mask| mask.words == words) {
            return Ok(());
        }
        let bytes = size_of_val(words).max(MASK_WORDS_MIN * WORD) as u64;
        let fits = self.mask.take().filter(|mask| mask.buffer.bytes >= bytes);
        let (buffer, group) = match fits {
            Some(mask) => (mask.buffer, mask.group),
            None => {
                let buffer = gpu.buffer("mask", bytes, BufferUsages::STORAGE)?;
                let group = group_of(gpu, &gpu.pipelines.mask, &[&buffer]);
                (buffer, group)
            }
        };
        // Words of 64 bits, low half first, are the shader's words of 32. What an earlier,
        // longer selection left beyond must not count.
        let mut all = words.to_vec();
        all.resize(buffer.bytes as usize / size_of::<u64>(), 0);
        gpu.queue.write_buffer(&buffer.buffer, 0, bytemuck::cast_slice(&all));
        self.mask = Some(Mask { buffer, group, words: words.to_vec() });
        self.changes.mask += 1;
        Ok(())
    }
}

impl Chunk {
    fn new(gpu: &Gpu, index: usize, source: &points::Chunk) -> Result<Self, GpuError> {
        let uniform =
            gpu.buffer("chunk", size_of::<layout::Chunk>() as u64, BufferUsages::UNIFORM)?;
        let high = gpu.buffer("high", coordinates_bytes(), BufferUsages::STORAGE)?;
        let group = chunk_group(gpu, &uniform, &high, [None, None, None]);
        let mut chunk = Self {
            group,
            uniform,
            high,
            low: None,
            colors: None,
            stamps: None,
            rows: 0,
            revisions: [0, 0],
        };
        chunk.update(gpu, index, source)?;
        Ok(chunk)
    }

    fn update(&mut self, gpu: &Gpu, index: usize, source: &points::Chunk) -> Result<(), GpuError> {
        let fine = !(source.x.lo.is_empty() && source.y.lo.is_empty());
        let colored = !source.colors.is_empty();
        let mut first = self.rows;
        if fine != self.low.is_some() {
            self.low = match fine {
                true => Some(gpu.buffer("low", coordinates_bytes(), BufferUsages::STORAGE)?),
                false => None,
            };
            first = 0;
        }
        if colored != self.colors.is_some() {
            self.colors = match colored {
                true => Some(gpu.buffer("colors", CHUNK_ROWS as u64, BufferUsages::STORAGE)?),
                false => None,
            };
        }
        let stamped = !source.stamps.is_empty();
        if stamped != self.stamps.is_some() {
            self.stamps = match stamped {
                true => Some(gpu.buffer("stamps", CHUNK_ROWS as u64, BufferUsages::STORAGE)?),
                false => None,
            };
        }
        write_rows(gpu, &self.high, &source.x, &source.y, first, |coordinates| &coordinates.hi);
        if let Some(low) = &self.low {
            write_rows(gpu, low, &source.x, &source.y, first, |coordinates| &coordinates.lo);
        }
        if let Some(colors) = &self.colors {
            gpu.queue.write_buffer(&colors.buffer, 0, &source.colors);
        }
        if let Some(stamps) = &self.stamps {
            gpu.queue.write_buffer(&stamps.buffer, 0, &source.stamps);
        }
        let uniform = layout::Chunk {
            rows: source.rows as u32,
            first_word: (index * CHUNK_ROWS / 32) as u32,
            fine: u32::from(fine),
            colored: u32::from(colored),
        };
        gpu.queue.write_buffer(&self.uniform.buffer, 0, bytemuck::bytes_of(&uniform));
        self.group = chunk_group(
            gpu,
            &self.uniform,
            &self.high,
            [&self.low, &self.colors, &self.stamps].map(Option::as_ref),
        );
        self.rows = source.rows;
        self.revisions = [source.colors_revision, source.stamps_revision];
        Ok(())
    }
}

/// Both coordinates of a chunk.
fn coordinates_bytes() -> u64 {
    (2 * CHUNK_ROWS * size_of::<f32>()) as u64
}

fn write_rows(
    gpu: &Gpu,
    buffer: &Held,
    x: &Coordinates,
    y: &Coordinates,
    first: usize,
    part: fn(&Coordinates) -> &[f32],
) {
    for (start, coordinates) in [(0, x), (CHUNK_ROWS, y)] {
        // One axis may have low parts and the other none: then there are zeros already.
        if let Some(new) = part(coordinates).get(first..) {
            let offset = ((start + first) * size_of::<f32>()) as u64;
            gpu.queue.write_buffer(&buffer.buffer, offset, bytemuck::cast_slice(new));
        }
    }
}

/// Buffers that are not there are stood in for by one that is; the shader does not read it.
fn chunk_group(
    gpu: &Gpu,
    uniform: &Held,
    high: &Held,
    [low, colors, stamps]: [Option<&Held>; 3],
) -> BindGroup {
    group_of(
        gpu,
        &gpu.pipelines.chunk,
        &[uniform, high, low.unwrap_or(high), colors.unwrap_or(high), stamps.unwrap_or(high)],
    )
}

/// A bind group of whole buffers, in the order of their bindings.
pub fn group_of(gpu: &Gpu, layout: &wgpu::BindGroupLayout, buffers: &[&Held]) -> BindGroup {
    let resources = buffers.iter().map(|held| held.buffer.as_entire_binding());
    let entries: Vec<_> = (0..)
        .zip(resources)
        .map(|(binding, resource)| BindGroupEntry { binding, resource })
        .collect();
    gpu.device.create_bind_group(&BindGroupDescriptor { label: None, layout, entries: &entries })
}
