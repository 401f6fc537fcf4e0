//! The points of one scatter, resident: coordinates and palette indices in table order,
//! in chunks, append-only. Neither renderer ever changes them; masks come beside.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_buffer::ScalarBuffer;

use super::axis::{Axis, Split};
use super::stamp::{ALIKE, Part};

/// Rows of a chunk: the unit of culling, of upload and of a GPU dispatch. A multiple of
/// [`BLOCK`].
pub const CHUNK_ROWS: usize = 1 << 16;
/// Rows that share a word of a mask; every chunk is padded to whole blocks by points that
/// are nowhere.
pub const BLOCK: usize = 64;

/// Names points that were ever made, so that a renderer can tell what it has uploaded.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

#[derive(Debug)]
pub struct Points {
    id: u64,
    rows: usize,
    /// `None` until a finite value has come.
    x_axis: Option<Axis>,
    y_axis: Option<Axis>,
    chunks: Vec<Chunk>,
    colored: bool,
    stamped: bool,
    sized: bool,
    /// Counts changes of what is already stored.
    revision: u64,
    /// Counts those of coordinates.
    geometry: u64,
    /// Rows that a picture may have on it: the others can change and nobody sees.
    shown: Cell<usize>,
}

/// Up to [`CHUNK_ROWS`] points.
#[derive(Debug, Default)]
pub struct Chunk {
    pub rows: usize,
    pub x: Coordinates,
    pub y: Coordinates,
    /// Palette indices; empty where points are not coloured.
    pub colors: Vec<u8>,
    /// Counts changes of `colors`.
    pub colors_revision: u64,
    /// Sizes and shapes ([`super::stamp`]); empty where all points are alike.
    pub stamps: Vec<u8>,
    pub stamps_revision: u64,
}

/// One coordinate of a chunk. A point with a NaN in either coordinate is not drawn.
#[derive(Debug)]
pub struct Coordinates {
    pub hi: High,
    /// Empty where all of it would be zero.
    pub lo: Vec<f32>,
    /// Of finite `hi`; the low end is above the high end where there is none.
    pub bounds: [f32; 2],
}

/// The values of a chunk: our own, or those of a column that are the same.
#[derive(Debug, Default)]
pub struct High {
    own: Vec<f32>,
    column: Option<ScalarBuffer<f32>>,
}

impl Deref for High {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.column.as_deref().unwrap_or(&self.own)
    }
}

impl High {
    /// For changes: a copy of what is a column's.
    fn own(&mut self) -> &mut Vec<f32> {
        if let Some(values) = self.column.take() {
            self.own = values.to_vec();
        }
        &mut self.own
    }
}

impl Default for Coordinates {
    fn default() -> Self {
        Self { hi: High::default(), lo: Vec::new(), bounds: [f32::INFINITY, f32::NEG_INFINITY] }
    }
}

impl Default for Points {
    fn default() -> Self {
        Self::new()
    }
}

impl Points {
    pub fn new() -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            rows: 0,
            x_axis: None,
            y_axis: None,
            chunks: Vec::new(),
            colored: false,
            stamped: false,
            sized: false,
            revision: 0,
            geometry: 0,
            shown: Cell::new(0),
        }
    }

    /// Adds rows. NaN and infinities are missing: such a row takes its place and is not
    /// drawn. Should one slice be shorter, its rest is missing. `colors` are palette
    /// indices; empty while points are all one colour.
    pub fn append(&mut self, x: &[f64], y: &[f64], colors: &[u8]) {
        self.append_kept([x, y], [None, None], colors);
    }

    /// The same, of values that a column may keep as they are stored here: they need not be
    /// kept twice. `kept` has the same values then.
    pub fn append_kept(
        &mut self,
        [x, y]: [&[f64]; 2],
        kept: [Option<ScalarBuffer<f32>>; 2],
        colors: &[u8],
    ) {
        self.fit(x, y);
        let [kept_x, kept_y] = &kept;
        let count = x.len().max(y.len());
        if !colors.is_empty() {
            self.start_coloring();
        }
        let (x_axis, y_axis) =
            (self.x_axis.unwrap_or(Axis::PLAIN), self.y_axis.unwrap_or(Axis::PLAIN));
        let mut at = 0;
        while at < count {
            if self.chunks.last().is_none_or(|chunk| chunk.rows == CHUNK_ROWS) {
                self.chunks.push(Chunk::default());
            }
            let Some(chunk) = self.chunks.last_mut() else { return };
            let take = (CHUNK_ROWS - chunk.rows).min(count - at);
            let part = |length: usize| at.min(length)..(at + take).min(length);
            for (coordinates, axis, values, kept) in
                [(&mut chunk.x, &x_axis, x, kept_x), (&mut chunk.y, &y_axis, y, kept_y)]
            {
                let values = values.get(part(values.len())).unwrap_or(&[]);
                let is_whole = chunk.rows == 0 && take == count && *axis == Axis::PLAIN;
                match kept.as_ref().filter(|kept| is_whole && kept.len() == take) {
                    Some(kept) => coordinates.keep(kept, axis, values),
                    None => coordinates.append(chunk.rows, take, axis, values),
                }
            }
            chunk.rows += take;
            if self.colored {
                chunk.colors.truncate(chunk.rows - take);
                chunk.colors.extend_from_slice(colors.get(part(colors.len())).unwrap_or(&[]));
                chunk.colors.resize(padded(chunk.rows), 0);
                chunk.colors_revision += 1;
            }
            if self.stamped {
                chunk.stamps.truncate(chunk.rows - take);
                chunk.stamps.resize(padded(chunk.rows), ALIKE);
                chunk.stamps_revision += 1;
            }
            self.rows += take;
            at += take;
        }
    }

    /// Colours rows anew, from `first` on; rows never coloured have palette index 0.
    pub fn set_colors(&mut self, first: usize, colors: &[u8]) {
        self.start_coloring();
        if first < self.shown.get() {
            self.revision += 1;
        }
        let last = (first + colors.len()).min(self.rows);
        let mut row = first;
        while row < last {
            let (index, start) = (row / CHUNK_ROWS, row % CHUNK_ROWS);
            let Some(chunk) = self.chunks.get_mut(index) else { return };
            let take = (chunk.rows - start).min(last - row);
            let from = colors.get(row - first..row - first + take);
            if let (Some(to), Some(from)) = (chunk.colors.get_mut(start..start + take), from) {
                to.copy_from_slice(from);
                chunk.colors_revision += 1;
            }
            row += take;
        }
    }

    /// Gives rows, from `first` on, other sizes or shapes.
    pub fn set_stamps(&mut self, first: usize, part: Part, values: &[u8]) {
        if !self.stamped {
            self.stamped = true;
            self.revision += 1;
            for chunk in &mut self.chunks {
                chunk.stamps = vec![ALIKE; padded(chunk.rows)];
            }
        }
        if part == Part::Size && !self.sized {
            self.sized = true;
            self.revision += 1;
        }
        if first < self.shown.get() {
            self.revision += 1;
        }
        let last = (first + values.len()).min(self.rows);
        let (shift, mask) = part.bits();
        let mut row = first;
        while row < last {
            let (index, start) = (row / CHUNK_ROWS, row % CHUNK_ROWS);
            let Some(chunk) = self.chunks.get_mut(index) else { return };
            let take = (chunk.rows - start).min(last - row);
            let from = values.get(row - first..row - first + take);
            if let (Some(to), Some(from)) = (chunk.stamps.get_mut(start..start + take), from) {
                for (to, from) in to.iter_mut().zip(from) {
                    *to = (*to & !mask) | (from << shift);
                }
                chunk.stamps_revision += 1;
            }
            row += take;
        }
    }

    /// Makes all points alike again.
    pub fn clear_stamps(&mut self) {
        if self.stamped {
            (self.stamped, self.sized) = (false, false);
            self.revision += 1;
            for chunk in &mut self.chunks {
                chunk.stamps = Vec::new();
                chunk.stamps_revision += 1;
            }
        }
    }

    pub fn is_stamped(&self) -> bool {
        self.stamped
    }

    pub fn is_sized(&self) -> bool {
        self.sized
    }

    /// A row's size and shape.
    pub fn stamp(&self, row: usize) -> u8 {
        let chunk = self.chunks.get(row / CHUNK_ROWS);
        chunk.and_then(|chunk| chunk.stamps.get(row % CHUNK_ROWS)).copied().unwrap_or(ALIKE)
    }

    /// Makes all points one colour, the palette's first.
    pub fn clear_colors(&mut self) {
        if self.colored {
            self.colored = false;
            self.revision += 1;
            for chunk in &mut self.chunks {
                chunk.colors = Vec::new();
                chunk.colors_revision += 1;
            }
        }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// Changes when what was drawn before can no longer be added to.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Changes when stored coordinates are no longer what they were.
    pub fn geometry(&self) -> u64 {
        self.geometry
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn is_colored(&self) -> bool {
        self.colored
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    pub fn axes(&self) -> (Axis, Axis) {
        (self.x_axis.unwrap_or(Axis::PLAIN), self.y_axis.unwrap_or(Axis::PLAIN))
    }

    /// The renderers say so before they draw.
    pub fn mark_shown(&self) {
        self.shown.set(self.rows);
    }

    /// A row's coordinates in data units, if it has both.
    pub fn position(&self, row: usize) -> Option<(f64, f64)> {
        let chunk = self.chunks.get(row / CHUNK_ROWS)?;
        let (x, y) = (chunk.x.at(row % CHUNK_ROWS)?, chunk.y.at(row % CHUNK_ROWS)?);
        let (x_axis, y_axis) = self.axes();
        Some((x_axis.value(x.stored()), y_axis.value(y.stored())))
    }

    /// A row's palette index.
    pub fn color(&self, row: usize) -> u8 {
        let chunk = self.chunks.get(row / CHUNK_ROWS);
        chunk.and_then(|chunk| chunk.colors.get(row % CHUNK_ROWS)).copied().unwrap_or(0)
    }

    /// Lowest and highest stored values of x and y; the low end is above the high end
    /// where there are no points.
    pub fn stored_extent(&self) -> [[f32; 2]; 2] {
        let mut extent = [[f32::INFINITY, f32::NEG_INFINITY]; 2];
        for chunk in &self.chunks {
            for (whole, part) in extent.iter_mut().zip([chunk.x.bounds, chunk.y.bounds]) {
                *whole = [whole[0].min(part[0]), whole[1].max(part[1])];
            }
        }
        extent
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> usize {
        let bytes = |chunk: &Chunk| {
            let floats = |c: &Coordinates| c.hi.own.capacity() + c.lo.capacity();
            (floats(&chunk.x) + floats(&chunk.y)) * size_of::<f32>()
                + chunk.colors.capacity()
                + chunk.stamps.capacity()
        };
        self.chunks.iter().map(bytes).sum()
    }

    fn start_coloring(&mut self) {
        if !self.colored {
            self.colored = true;
            self.revision += 1;
            for chunk in &mut self.chunks {
                chunk.colors = vec![0; padded(chunk.rows)];
                chunk.colors_revision += 1;
            }
        }
    }

    /// Settles the axes at the first finite values, and widens them for values far outside.
    fn fit(&mut self, x: &[f64], y: &[f64]) {
        let mut factors = [1.0f64; 2];
        for ((axis, values), factor) in
            [(&mut self.x_axis, x), (&mut self.y_axis, y)].into_iter().zip(&mut factors)
        {
            let Some(earlier) = *axis else {
                *axis = Axis::fitting(values);
                continue;
            };
            let farthest = values.iter().copied().filter(|value| !earlier.holds(*value));
            if let Some(value) = farthest.max_by(|a, b| a.abs().total_cmp(&b.abs())) {
                let wider = earlier.widened(value);
                *factor = wider.scale_from(&earlier);
                *axis = Some(wider);
            }
        }
        if factors != [1.0; 2] {
            self.revision += 1;
            self.geometry += 1;
            for chunk in &mut self.chunks {
                chunk.x.rescale(factors[0]);
                chunk.y.rescale(factors[1]);
            }
        }
    }
}

impl Chunk {
    pub fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }
}

impl Coordinates {
    /// Takes the values of a column, where they are as many as fill blocks and each of them
    /// is finite or missing.
    fn keep(&mut self, kept: &ScalarBuffer<f32>, axis: &Axis, values: &[f64]) {
        if !kept.len().is_multiple_of(BLOCK) || kept.iter().any(|value| value.is_infinite()) {
            return self.append(0, kept.len(), axis, values);
        }
        // Of NaN none is the lower or the higher one.
        let [low, high] = self.bounds;
        self.bounds =
            kept.iter().fold([low, high], |[low, high], value| [low.min(*value), high.max(*value)]);
        self.hi = High { own: Vec::new(), column: Some(kept.clone()) };
        self.lo = Vec::new();
    }

    /// Adds `count` values after the `rows` there are; what `values` lacks is missing.
    fn append(&mut self, rows: usize, count: usize, axis: &Axis, values: &[f64]) {
        let high = self.hi.own();
        high.truncate(rows);
        high.reserve(padded(rows + count) - rows);
        let fine = !self.lo.is_empty();
        if fine {
            self.lo.resize(rows, 0.0);
        }
        for (i, value) in values.iter().take(count).enumerate() {
            let Split { hi, lo } = axis.split(*value);
            if hi.is_finite() {
                self.bounds = [self.bounds[0].min(hi), self.bounds[1].max(hi)];
            }
            if lo != 0.0 && self.lo.is_empty() {
                self.lo.resize(rows + i, 0.0);
            }
            high.push(hi);
            if !self.lo.is_empty() || lo != 0.0 {
                self.lo.push(lo);
            }
        }
        let whole = padded(rows + count);
        high.resize(whole, f32::NAN);
        if !self.lo.is_empty() {
            self.lo.resize(whole, 0.0);
        }
    }

    pub fn at(&self, index: usize) -> Option<Split> {
        let hi = *self.hi.get(index)?;
        let lo = self.lo.get(index).copied().unwrap_or(0.0);
        (!hi.is_nan()).then_some(Split { hi, lo })
    }

    fn rescale(&mut self, factor: f64) {
        let factor = factor as f32;
        self.hi
            .own()
            .iter_mut()
            .chain(&mut self.lo)
            .chain(&mut self.bounds)
            .for_each(|v| *v *= factor);
    }
}

fn padded(rows: usize) -> usize {
    rows.next_multiple_of(BLOCK)
}
