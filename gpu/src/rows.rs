//! Rows as a device has them: about their middle and scaled to be about one, so that products in
//! 32 bits lose little; in pieces that a shader can be given at once; each with its norm.

use embedding::rows::RowSource;
use wgpu::BufferUsages;

use crate::Error;
use crate::device::{BINDING_BYTES_MAX, GROUPS_MAX, Gpu, Held};
use crate::shaders::TILE;

/// Values of one vector of a shader.
pub(crate) const QUAD: usize = 4;
/// Rows of which the middle is that of all.
const MIDDLE_ROWS: usize = 1024;
/// Farther than this from the middle, in rows' reach, squares of many values come near the
/// greatest number.
const REACH_MAX: f64 = (1_u64 << 40) as f64;

/// Where rows lie: what a device has is (value − middle) · scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    middle: Vec<f32>,
    /// A power of two, so that it rounds nothing.
    scale: f64,
    pub(crate) quads: usize,
}

/// Points within a frame, each of whole vectors.
#[derive(Debug, Default)]
pub(crate) struct Framed {
    pub values: Vec<f32>,
    /// In 64 bits, of what stands in `values`.
    pub squares: Vec<f64>,
}

impl Frame {
    pub(crate) fn of(rows: &dyn RowSource) -> Result<Self, Error> {
        let middle = middle(rows)?;
        let mut reach = 0.0_f64;
        for index in 0..rows.n_blocks() {
            let block = rows.block(index)?;
            for row in block.chunks_exact(middle.len()) {
                let apart = row.iter().zip(&middle);
                reach = apart.fold(reach, |most, (x, middle)| {
                    most.max((f64::from(*x) - f64::from(*middle)).abs())
                });
            }
        }
        // One more than the exponent as it is stored: values are below one.
        let exponent = (reach.to_bits() >> 52) as i32 - 1022;
        let scale = if reach > 0.0 { 2_f64.powi(-exponent) } else { 1.0 };
        let quads = middle.len().div_ceil(QUAD);
        Ok(Self { middle, scale, quads })
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.middle.len()
    }

    pub(crate) fn middle(&self) -> &[f32] {
        &self.middle
    }

    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// A square of the frame as it is outside of it.
    pub(crate) fn true_square(&self, square: f64) -> f64 {
        square / self.scale / self.scale
    }

    /// # Errors
    /// Where points are beyond all bounds, as rows themselves never are.
    pub(crate) fn put(&self, points: &[f32]) -> Result<Framed, Error> {
        let (d, width) = (self.middle.len(), self.quads * QUAD);
        let n = points.len() / d;
        let mut framed =
            Framed { values: Vec::with_capacity(n * width), squares: Vec::with_capacity(n) };
        let mut reach = 0.0_f64;
        for point in points.chunks_exact(d) {
            let mut square = 0.0;
            for (x, middle) in point.iter().zip(&self.middle) {
                let value = ((f64::from(*x) - f64::from(*middle)) * self.scale) as f32;
                framed.values.push(value);
                square += f64::from(value).powi(2);
                reach = reach.max(f64::from(value).abs());
            }
            framed.values.resize(framed.values.len().next_multiple_of(QUAD), 0.0);
            framed.squares.push(square);
        }
        if reach > REACH_MAX {
            return Err(Error::OutOfRange { least: 1.0 / self.scale, most: reach / self.scale });
        }
        Ok(framed)
    }
}

/// About the middle: the mean of rows here and there.
fn middle(rows: &dyn RowSource) -> Result<Vec<f32>, Error> {
    let (n, d) = (rows.rows(), rows.dimensions());
    let step = n.div_ceil(MIDDLE_ROWS).max(1);
    let mut sums = vec![0.0; d];
    let mut many = 0.0;
    for index in 0..rows.n_blocks() {
        let first = rows.block_rows(index).start;
        let block = rows.block(index)?;
        let skipped = first.next_multiple_of(step) - first;
        for row in block.chunks_exact(d).skip(skipped).step_by(step) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
            many += 1.0;
        }
    }
    Ok(sums.iter().map(|sum| (sum / many) as f32).collect())
}

/// Rows that fit into one binding.
pub(crate) struct Piece {
    pub first: usize,
    pub rows: usize,
    pub values: Held,
    pub norms: Held,
    /// Half of their squares.
    pub half_norms: Held,
}

/// All rows, on a device.
pub(crate) struct Resident {
    pub frame: Frame,
    pub rows: usize,
    pub pieces: Vec<Piece>,
    /// Of the longest.
    pub norm_max: f64,
}

impl Resident {
    /// In pieces of `binding_bytes` at most.
    pub(crate) async fn new(
        gpu: &Gpu,
        rows: &dyn RowSource,
        binding_bytes: u64,
    ) -> Result<Self, Error> {
        let frame = Frame::of(rows)?;
        let row_bytes = (frame.quads * QUAD * size_of::<f32>()) as u64;
        let in_piece = (binding_bytes / row_bytes) as usize / TILE * TILE;
        let in_piece = in_piece.min(GROUPS_MAX as usize * TILE);
        if in_piece == 0 {
            let bytes = row_bytes * TILE as u64;
            return Err(Error::TooLarge { what: "a few rows", bytes, most: binding_bytes });
        }
        let n = rows.rows();
        let mut resident = Self { frame, rows: n, pieces: Vec::new(), norm_max: 0.0 };
        for first in (0..n).step_by(in_piece) {
            let many = in_piece.min(n - first);
            let bytes = many as u64 * row_bytes;
            let piece = gpu.with_room(bytes, |gpu| {
                let norms = (many * size_of::<f32>()) as u64;
                Piece {
                    first,
                    rows: many,
                    values: gpu.empty("rows", bytes, BufferUsages::STORAGE),
                    norms: gpu.empty("norms", norms, BufferUsages::STORAGE),
                    half_norms: gpu.empty("half norms", norms, BufferUsages::STORAGE),
                }
            });
            resident.pieces.push(piece.await?);
        }
        resident.fill(gpu, rows)?;
        Ok(resident)
    }

    fn fill(&mut self, gpu: &Gpu, rows: &dyn RowSource) -> Result<(), Error> {
        let width = self.frame.quads * QUAD;
        for index in 0..rows.n_blocks() {
            let framed = self.frame.put(&rows.block(index)?)?;
            self.norm_max = framed.squares.iter().fold(self.norm_max, |most, s| most.max(s.sqrt()));
            // A little more than they are: they bound what rounding does.
            let norm = |square: &f64| (square.sqrt() * 1.000_001) as f32;
            let norms: Vec<f32> = framed.squares.iter().map(norm).collect();
            let halves: Vec<f32> = framed.squares.iter().map(|s| (s / 2.0) as f32).collect();
            let block = rows.block_rows(index);
            let mut at = block.start;
            while let Some(piece) = self.piece_at(at).filter(|_| at < block.end) {
                let until = block.end.min(piece.first + piece.rows);
                let own = at - block.start..until - block.start;
                let values = framed.values.get(own.start * width..own.end * width);
                let place = ((at - piece.first) * size_of::<f32>()) as u64;
                gpu.write_at(&piece.values, place * width as u64, values.unwrap_or_default());
                gpu.write_at(&piece.norms, place, norms.get(own.clone()).unwrap_or_default());
                gpu.write_at(&piece.half_norms, place, halves.get(own).unwrap_or_default());
                at = until;
            }
        }
        Ok(())
    }

    fn piece_at(&self, row: usize) -> Option<&Piece> {
        self.pieces.iter().find(|piece| (piece.first..piece.first + piece.rows).contains(&row))
    }
}

/// What a binding holds where nobody says otherwise.
pub(crate) const PIECE_BYTES: u64 = BINDING_BYTES_MAX;

/// Of points that all go into one binding.
pub(crate) fn check_binding(what: &'static str, bytes: u64) -> Result<(), Error> {
    let most = BINDING_BYTES_MAX;
    if bytes > most { Err(Error::TooLarge { what, bytes, most }) } else { Ok(()) }
}
