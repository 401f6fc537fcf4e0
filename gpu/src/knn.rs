//! The nearest neighbours of all rows. For a block of rows at a time the device works out scores of
//! all others, run by run, and keeps the least of each row; those are put in order by
//! `embedding` in 64 bits ([`Driven`]), which also goes through the rows of which 32 bits do not
//! say enough. So neighbours are those of [`embedding::knn::exact`].

use embedding::knn::{Driven, Line, Neighbours};
use embedding::rows::RowSource;
use embedding::watch::{Phase, Watch};
use wgpu::BufferUsages;

use crate::Error;
use crate::device::{Answer, Bound, Gpu, Held, words_of};
use crate::kmeans::Session;
use crate::margin::Margin;
use crate::rows::{Piece, Resident};
use crate::shaders::{KEPT, PairsAsked, SelectAsked, TILE};

/// Most neighbours of a row: so that some candidates are to spare.
pub const NEIGHBOURS_MAX: usize = 32;
/// Rows of a block.
const ROWS_AT_ONCE: usize = 1024;
/// Points of a run: scores of a block are 64 MiB.
const POINTS_AT_ONCE: usize = 1 << 14;

impl Session {
    /// The k nearest others of each row, and of how many rows the processor had to look for them.
    ///
    /// # Errors
    /// As `embedding` has them; where k is more than [`NEIGHBOURS_MAX`], and where the device has no
    /// room or is lost.
    pub async fn neighbours(
        &self,
        rows: &dyn RowSource,
        k: usize,
        watch: &dyn Watch,
    ) -> Result<(Neighbours, usize), Error> {
        self.neighbours_by(rows, k, POINTS_AT_ONCE, watch).await
    }

    /// The same in shorter runs, as tests want them.
    pub(crate) async fn neighbours_by(
        &self,
        rows: &dyn RowSource,
        k: usize,
        points_at_once: usize,
        watch: &dyn Watch,
    ) -> Result<(Neighbours, usize), Error> {
        self.check_shape(rows)?;
        let mut driven = Driven::new(rows, k)?;
        if k > NEIGHBOURS_MAX {
            let (bytes, most) = (k as u64, NEIGHBOURS_MAX as u64);
            return Err(Error::TooLarge { what: "numbers of neighbours", bytes, most });
        }
        let (gpu, resident) = (self.gpu(), self.resident());
        let search = Search::new(gpu, resident, points_at_once).await?;
        let blocks = resident.blocks();
        // While one block is put in order, the device is at the next.
        let mut pending = None;
        for (nth, block) in blocks.iter().enumerate() {
            let answer = search.start(block, nth % 2);
            let next = (block, nth % 2, answer);
            if let Some((block, slot, answer)) = pending.replace(next) {
                search.finish(block, slot, answer, (rows, &mut driven)).await?;
            }
            watch.progress(Phase::Neighbours, nth as u64, blocks.len() as u64);
            if watch.is_cancelled() {
                return Err(embedding::Error::Cancelled.into());
            }
        }
        if let Some((block, slot, answer)) = pending {
            search.finish(block, slot, answer, (rows, &mut driven)).await?;
        }
        Ok(driven.end(None, watch)?)
    }
}

/// Some rows of a piece.
struct Block<'a> {
    piece: &'a Piece,
    /// In the piece.
    first: usize,
    rows: usize,
}

impl Resident {
    fn blocks(&self) -> Vec<Block<'_>> {
        let of = |piece| blocks_of(piece, ROWS_AT_ONCE);
        self.pieces.iter().flat_map(of).collect()
    }

    fn runs(&self, most: usize) -> Vec<Block<'_>> {
        let of = |piece| blocks_of(piece, most);
        self.pieces.iter().flat_map(of).collect()
    }
}

fn blocks_of(piece: &Piece, most: usize) -> impl Iterator<Item = Block<'_>> {
    let firsts = (0..piece.rows).step_by(most);
    firsts.map(move |first| Block { piece, first, rows: most.min(piece.rows - first) })
}

/// Buffers of a search.
struct Search<'a> {
    gpu: &'a Gpu,
    resident: &'a Resident,
    points_at_once: usize,
    margin: Margin,
    asked: Held,
    select_asked: Held,
    scores: Held,
    /// Two, so that one is read while the other is filled.
    slots: [Slot; 2],
}

/// What is kept of a block's rows, and where it is read.
struct Slot {
    scores: Held,
    numbers: Held,
    read: Held,
}

const SLOT_WORDS: usize = ROWS_AT_ONCE * KEPT;
const WORD: usize = size_of::<u32>();

impl<'a> Search<'a> {
    async fn new(
        gpu: &'a Gpu,
        resident: &'a Resident,
        points_at_once: usize,
    ) -> Result<Self, Error> {
        let slot_bytes = (SLOT_WORDS * WORD) as u64;
        let width = points_at_once.min(resident.rows).next_multiple_of(TILE);
        let score_bytes = (ROWS_AT_ONCE.min(resident.rows) * width * WORD) as u64;
        let margin = Margin::new(resident.frame.dimensions(), resident.norm_max);
        let slot = |gpu: &Gpu| {
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
            let scores = gpu.empty("kept scores", slot_bytes, usage);
            let numbers = gpu.empty("kept numbers", slot_bytes, usage);
            let read = gpu.empty("kept to read", 2 * slot_bytes, BufferUsages::MAP_READ);
            Slot { scores, numbers, read }
        };
        gpu.with_room(score_bytes + 8 * slot_bytes, |_| Self {
            gpu,
            resident,
            points_at_once,
            margin,
            asked: gpu.empty("asked", size_of::<PairsAsked>() as u64, BufferUsages::UNIFORM),
            select_asked: gpu.empty(
                "asked",
                size_of::<SelectAsked>() as u64,
                BufferUsages::UNIFORM,
            ),
            scores: gpu.empty("scores", score_bytes, BufferUsages::STORAGE),
            slots: [slot(gpu), slot(gpu)],
        })
        .await
    }

    fn start(&self, block: &Block<'_>, slot: usize) -> Answer {
        let Self { gpu, scores, asked, select_asked, .. } = self;
        let slot = &self.slots[slot % 2];
        let (rows, passes) = (block.piece, &gpu.passes);
        let kept = [select_asked, scores, &slot.scores, &slot.numbers];
        let select = Bound::new(&gpu.device, &passes.select, &kept);
        let mut is_first = true;
        for run in self.resident.runs(self.points_at_once) {
            let points = run.piece;
            let buffers = [asked, &rows.values, &points.values, &points.half_norms, scores];
            let pairs = Bound::new(&gpu.device, &passes.scores, &buffers);
            let width = run.rows.next_multiple_of(TILE) as u32;
            let of_pairs = PairsAsked {
                rows: block.rows as u32,
                first_row: block.first as u32,
                points: run.rows as u32,
                first_point: run.first as u32,
                quads: self.resident.frame.quads as u32,
                width,
                ..PairsAsked::default()
            };
            gpu.write(asked, &of_pairs.words());
            let first = (points.first + run.first) as u32;
            let of_select = SelectAsked {
                points: run.rows as u32,
                width,
                first,
                is_first: u32::from(std::mem::take(&mut is_first)),
            };
            gpu.write(select_asked, &of_select.words());
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            let groups = (run.rows.div_ceil(TILE) as u32, block.rows.div_ceil(TILE) as u32);
            pairs.start(&mut encoder, groups);
            select.start(&mut encoder, (block.rows as u32, 1));
            gpu.queue.submit([encoder.finish()]);
        }
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let bytes = (block.rows * KEPT * WORD) as u64;
        encoder.copy_buffer_to_buffer(&slot.scores.0, 0, &slot.read.0, 0, bytes);
        encoder.copy_buffer_to_buffer(&slot.numbers.0, 0, &slot.read.0, bytes, bytes);
        gpu.queue.submit([encoder.finish()]);
        gpu.ask(&slot.read)
    }

    async fn finish(
        &self,
        block: &Block<'_>,
        slot: usize,
        answer: Answer,
        (rows, driven): (&dyn RowSource, &mut Driven<'_>),
    ) -> Result<(), Error> {
        let words = block.rows * KEPT;
        let read = &self.slots[slot % 2].read;
        let taken = self.gpu.read(read, answer, (2 * words * WORD) as u64, |bytes| {
            let kept: Vec<u32> = words_of(bytes).collect();
            let (scores, numbers) = kept.split_at(words);
            let lines = scores.chunks_exact(KEPT).zip(numbers.chunks_exact(KEPT));
            let mut found = Vec::with_capacity(block.rows);
            for (row, (scores, candidates)) in (block.piece.first + block.first..).zip(lines) {
                let beyond = self.beyond(&rows.row(row)?, scores.last().copied())?;
                found.push(Line { row: row as u32, candidates, beyond });
            }
            Ok::<(), Error>(driven.take_all(&found, None)?)
        });
        taken.await?
    }

    /// As far as a row may be, squared, that was left out when this was the worst score kept.
    fn beyond(&self, row: &[f32], worst: Option<u32>) -> Result<f64, Error> {
        /// What stands where fewer rows were seen than are kept.
        const FAR: f64 = 9e37;
        let frame = &self.resident.frame;
        let worst = f64::from(worst.map_or(f32::NEG_INFINITY, f32::from_bits));
        if worst > FAR {
            // None was left out.
            return Ok(f64::INFINITY);
        }
        let square = frame.put(row)?.squares.first().copied().unwrap_or_default();
        let least = 2.0 * worst + square - self.margin.of_distance(square.sqrt());
        Ok(frame.true_square(least))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
