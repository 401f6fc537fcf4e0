//! The sums of one layer of a picture, and which rows they contain.

use super::accumulate::{Brush, Spot, brush_block};
use crate::draw::density::Density;
use crate::draw::lanes::Counts;
use crate::draw::palette::Palette;
use crate::draw::plan::{LayerPlan, Plan};
use crate::draw::points::{BLOCK, CHUNK_ROWS, Points};
use crate::draw::projection::Lens;
use crate::draw::stamp::{Stamp, Stamps};
use crate::draw::{Frame, Size};

/// Cells past the picture, for what falls outside: one for each lane.
pub const SPARE_CELLS: usize = 4;
/// Blocks between looks at the clock, of pixels; discs look more often.
const BLOCKS_PER_LOOK: usize = 64;
/// Cells cleared between looks at the clock.
const CLEAR_CELLS: usize = 1 << 17;

/// The rows that a layer shall contain.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    All,
    /// A bit a row.
    Some(&'a [u64]),
}

impl Rows<'_> {
    fn word(self, index: usize) -> u64 {
        match self {
            Self::All => u64::MAX,
            Self::Some(words) => words.get(index).copied().unwrap_or(0),
        }
    }
}

/// Coverage alone, or coverage, red, green and blue.
#[derive(Debug)]
pub enum Cells {
    Plain(Vec<u32>),
    Colored(Vec<Counts>),
}

impl Cells {
    fn clear_from(&mut self, from: usize) -> usize {
        fn clear<C: Copy + Default>(cells: &mut [C], from: usize) -> usize {
            let to = (from + CLEAR_CELLS).min(cells.len());
            cells.get_mut(from..to).unwrap_or_default().fill(C::default());
            to
        }
        match self {
            Self::Plain(cells) => clear(cells, from),
            Self::Colored(cells) => clear(cells, from),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Plain(cells) => cells.len(),
            Self::Colored(cells) => cells.len(),
        }
    }
}

#[derive(Debug)]
pub struct Layer {
    cells: Cells,
    /// Cells from here on are still to be cleared.
    cleared: usize,
    /// What the sums were made by; other numbers mean starting over.
    key: Option<Key>,
    stamps: Stamps,
    /// The rows that the sums contain, a bit each.
    drawn: Vec<u64>,
    /// Counts changes of the sums.
    changes: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum Key {
    Points {
        id: u64,
        revision: u64,
        lens: Lens,
        stamp: Stamp,
        is_varied: bool,
        palette: Option<Palette>,
        size: Size,
    },
    Density {
        id: u64,
        viewport: crate::protocol::Viewport,
        size: Size,
    },
}

impl Default for Layer {
    fn default() -> Self {
        Self {
            cells: Cells::Plain(Vec::new()),
            cleared: 0,
            key: None,
            stamps: Stamps::default(),
            drawn: Vec::new(),
            changes: 0,
        }
    }
}

impl Layer {
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn bytes(&self) -> usize {
        match &self.cells {
            Cells::Plain(cells) => cells.capacity() * size_of::<u32>(),
            Cells::Colored(cells) => cells.capacity() * size_of::<Counts>(),
        }
    }

    /// Adds and takes back rows until the sums contain `rows` and no others, or time is
    /// up; true when done. With a palette cells have colours.
    pub fn advance(
        &mut self,
        points: &Points,
        rows: Rows<'_>,
        plan: &Plan,
        layer: &LayerPlan,
        palette: Option<&Palette>,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> bool {
        let LayerPlan { stamp, is_varied, .. } = *layer;
        let Some(lens) = plan.lens else {
            self.start_over(None, plan.cells, palette.is_some());
            return self.clear(out_of_time);
        };
        let key = Key::Points {
            id: points.id(),
            revision: points.revision(),
            lens,
            stamp,
            is_varied,
            palette: palette.cloned(),
            size: plan.cells,
        };
        if self.key.as_ref() != Some(&key) {
            self.start_over(Some(key), plan.cells, palette.is_some());
            self.stamps = match is_varied {
                true => Stamps::of(stamp),
                false => Stamps { weights: stamp.table(), all: vec![(stamp, 0)] },
            };
        }
        self.drawn.resize(points.rows().div_ceil(BLOCK), 0);
        if self.cleared == self.cells.len() && self.is_cheaper_anew(rows) {
            self.cleared = 0;
            self.drawn.fill(0);
        }
        self.clear(out_of_time)
            && self.add_and_take_back(points, rows, plan.cells, lens, palette, out_of_time)
    }

    /// Makes the sums the counts of the bin under each pixel.
    pub fn fill(&mut self, density: &Density, frame: &Frame<'_>, size: Size) {
        let key = Key::Density { id: density.id(), viewport: frame.viewport, size };
        if self.key.as_ref() == Some(&key) {
            return;
        }
        self.start_over(Some(key), size, false);
        self.cleared = self.cells.len();
        let (columns, rows) = density.bins_under(frame.viewport, size);
        let Cells::Plain(cells) = &mut self.cells else { return };
        for (line, row) in cells.chunks_mut(columns.len().max(1)).zip(rows) {
            let start = usize::try_from(row).map(|row| row * density.columns());
            let bins = start.ok().and_then(|start| density.counts().get(start..));
            for (cell, column) in line.iter_mut().zip(&columns) {
                let bin = bins.zip(usize::try_from(*column).ok());
                *cell = bin.and_then(|(bins, column)| bins.get(column)).copied().unwrap_or(0);
            }
        }
    }

    fn start_over(&mut self, key: Option<Key>, size: Size, colored: bool) {
        let length = size.width as usize * size.height as usize + SPARE_CELLS;
        let fits = self.cells.len() == length && matches!(self.cells, Cells::Colored(_)) == colored;
        if fits && key.is_none() && self.key.is_none() {
            return;
        }
        if !fits {
            // Let go of the old first: both may not fit.
            self.cells = Cells::Plain(Vec::new());
            self.cells = if colored {
                Cells::Colored(vec![Counts::default(); length])
            } else {
                Cells::Plain(vec![0; length])
            };
            self.cleared = length;
        } else {
            self.cleared = 0;
        }
        self.key = key;
        self.drawn.clear();
        self.changes += 1;
    }

    fn clear(&mut self, out_of_time: &mut dyn FnMut() -> bool) -> bool {
        while self.cleared < self.cells.len() {
            self.cleared = self.cells.clear_from(self.cleared);
            self.changes += 1;
            if out_of_time() {
                return false;
            }
        }
        true
    }

    /// Whether drawing `rows` on an empty layer touches fewer rows than the difference.
    fn is_cheaper_anew(&self, rows: Rows<'_>) -> bool {
        let Rows::Some(words) = rows else { return false };
        let (mut wanted, mut superfluous) = (0usize, 0usize);
        let words = words.iter().copied().chain(std::iter::repeat(0));
        for (drawn, word) in self.drawn.iter().zip(words) {
            wanted += (word & drawn).count_ones() as usize;
            superfluous += (drawn & !word).count_ones() as usize;
        }
        // Clearing is not free either: a cell costs about an eighth of a row.
        superfluous > wanted + self.cells.len() / 8
    }

    fn add_and_take_back(
        &mut self,
        points: &Points,
        rows: Rows<'_>,
        size: Size,
        lens: Lens,
        palette: Option<&Palette>,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> bool {
        let mut brush = Brush::new(lens, &self.stamps, size, palette);
        let reach = brush.reach();
        let side = 2 * reach as usize + 1;
        let per_look = (BLOCKS_PER_LOOK / (side * side / 4).max(1)).max(1);
        let mut until_look = per_look;
        for (chunk_index, chunk) in points.chunks().iter().enumerate() {
            let first_word = chunk_index * (CHUNK_ROWS / BLOCK);
            let bounds = [chunk.x.bounds, chunk.y.bounds];
            let seen = lens.may_see(bounds, reach as f32 + 1.0, size);
            for block in 0..chunk.blocks() {
                let in_chunk = (chunk.rows - block * BLOCK).min(BLOCK);
                let existing = u64::MAX >> (BLOCK - in_chunk);
                let wanted = rows.word(first_word + block) & existing;
                let Some(drawn) = self.drawn.get_mut(first_word + block) else { return true };
                let (add, take_back) = (wanted & !*drawn, *drawn & !wanted);
                if add | take_back == 0 {
                    continue;
                }
                *drawn = wanted;
                if !seen {
                    continue;
                }
                self.changes += 1;
                if let Some(spot) = Spot::new(chunk, block, lens.fine) {
                    for (bits, sign) in [(add, 1), (take_back, -1)] {
                        if bits != 0 {
                            brush_block(&mut self.cells, &mut brush, &spot, bits, sign);
                        }
                    }
                }
                until_look -= 1;
                if until_look == 0 {
                    until_look = per_look;
                    if out_of_time() {
                        return false;
                    }
                }
            }
        }
        true
    }
}
