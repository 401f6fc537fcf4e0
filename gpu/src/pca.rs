//! Sums of products of all pairs of columns, for principal components. A device adds runs of rows in
//! 32 bits, and runs are added here in 64: components are those of the processor to some six
//! digits.

use embedding::pca::Prepared;
use embedding::rows::RowSource;
use embedding::watch::{Phase, Watch};
use wgpu::BufferUsages;

use crate::Error;
use crate::device::{Bound, words_of};
use crate::kmeans::Session;
use crate::rows::{QUAD, check_binding};
use crate::shaders::{GramAsked, TILE};

/// Rows that are added in 32 bits.
const RUN: usize = 4096;
/// Sums that are read at once.
const READ_BYTES: usize = 32 << 20;
const SQUARE: usize = TILE * TILE;

impl Session {
    /// The sums that `prepared` is [ended](Prepared::end) with, of the rows that it and the session
    /// were made of.
    ///
    /// # Errors
    /// Where rows are others, `watch` cancels, or the device has no room or is lost.
    pub async fn products(
        &self,
        rows: &dyn RowSource,
        prepared: &Prepared,
        watch: &dyn Watch,
    ) -> Result<Vec<i64>, Error> {
        self.check_shape(rows)?;
        let (gpu, resident) = (self.gpu(), self.resident());
        let frame = &resident.frame;
        let d = frame.dimensions();
        let squares = (frame.quads * QUAD).div_ceil(TILE);
        let pairs = squares * (squares + 1) / 2;
        let run_bytes = pairs * SQUARE * size_of::<f32>();
        check_binding("products of columns", run_bytes as u64)?;
        let runs = (READ_BYTES / run_bytes).clamp(1, resident.rows.div_ceil(RUN).max(1));
        let bytes = (runs * run_bytes) as u64;
        let pass = &gpu.late_passes().await?.gram;
        let made = gpu.with_room(2 * bytes, |gpu| {
            let asked = gpu.empty("asked", size_of::<GramAsked>() as u64, BufferUsages::UNIFORM);
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
            let sums = gpu.empty("products of columns", bytes, usage);
            (asked, sums, gpu.empty("products to read", bytes, BufferUsages::MAP_READ))
        });
        let (asked, sums, read) = made.await?;
        let mut all = vec![0.0_f64; d * d];
        for piece in &resident.pieces {
            let bound = Bound::new(&gpu.device, pass, &[&asked, &piece.values, &sums]);
            for first in (0..piece.rows).step_by(runs * RUN) {
                watch.progress(Phase::Pass, (piece.first + first) as u64, resident.rows as u64);
                if watch.is_cancelled() {
                    return Err(embedding::Error::Cancelled.into());
                }
                let many = (piece.rows - first).min(runs * RUN);
                let (down, run) = (many.div_ceil(RUN), RUN as u32);
                let of = GramAsked {
                    rows: many as u32,
                    first: first as u32,
                    run,
                    quads: frame.quads as u32,
                    squares: squares as u32,
                    pairs: pairs as u32,
                    ..GramAsked::default()
                };
                gpu.write(&asked, &of.words());
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                bound.start(&mut encoder, (pairs as u32, down as u32));
                let bytes = (down * run_bytes) as u64;
                encoder.copy_buffer_to_buffer(&sums.0, 0, &read.0, 0, bytes);
                gpu.queue.submit([encoder.finish()]);
                let add = |bytes: &[u8]| {
                    let found: Vec<f32> = words_of(bytes).map(f32::from_bits).collect();
                    for run in found.chunks_exact(pairs * SQUARE) {
                        add(&mut all, d, squares, run);
                    }
                };
                gpu.read(&read, gpu.ask(&read), bytes, add).await?;
            }
        }
        let (middle, square) = (frame.middle(), frame.scale().powi(2));
        Ok(prepared
            .sums_about(middle, |i, j| all.get(i * d + j).copied().unwrap_or_default() / square))
    }
}

/// Adds a run's squares to the products of all columns.
fn add(all: &mut [f64], d: usize, squares: usize, run: &[f32]) {
    let pairs = (0..squares).flat_map(|down| (down..squares).map(move |across| (down, across)));
    for ((down, across), square) in pairs.zip(run.chunks_exact(SQUARE)) {
        for (i, line) in (down * TILE..d).zip(square.chunks_exact(TILE)) {
            let from = i * d + across * TILE;
            let until = (i + 1) * d;
            if let Some(slots) = all.get_mut(from.min(until)..until) {
                slots.iter_mut().zip(line).for_each(|(sum, x)| *sum += f64::from(*x));
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use embedding::pca::{self, Pca};
    use embedding::rows::Matrix;
    use embedding::watch::Unwatched;
    use pollster::block_on;

    use super::*;
    use crate::clouds::{Impatient, blobs, gpu};

    fn by_device(values: &[f32], d: usize, m: usize, binding_bytes: u64) -> Pca {
        let rows = Matrix::new(values, d).unwrap();
        let session = Session::in_pieces(gpu(), &rows, binding_bytes, &Unwatched);
        let session = block_on(session).unwrap();
        let prepared = Prepared::new(&rows, m, None, &Unwatched).unwrap();
        let sums = block_on(session.products(&rows, &prepared, &Unwatched)).unwrap();
        prepared.end(&sums, &Unwatched).unwrap()
    }

    #[track_caller]
    fn near(found: &[f64], expected: &[f64], off: f64) {
        let far = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= off * far, "{found} {expected}");
        }
    }

    #[test]
    fn components_are_those_of_the_processor() {
        for (n, d, m, binding) in [
            (5, 3, 2, 1 << 20),
            (700, 9, 4, 1 << 14),
            (9000, 20, 5, 1 << 24),
            (300, 130, 6, 1 << 20),
        ] {
            let mut values = blobs(n, d, 4, 3);
            // Far from zero, and columns of their own ranges.
            let scale = |at: usize| 1.0 + (at % d) as f32;
            values.iter_mut().enumerate().for_each(|(at, x)| *x = *x * scale(at) + 300.0);
            let rows = Matrix::new(&values, d).unwrap();
            let expected = pca::fit(&rows, m, None, &Unwatched).unwrap();
            let found = by_device(&values, d, m, binding);
            assert_eq!(found.mean, expected.mean);
            near(&found.explained_variance, &expected.explained_variance, 2e-6);
            near(&found.explained_variance_ratio, &expected.explained_variance_ratio, 2e-6);
            let wide = |values: &[f32]| values.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
            near(&wide(&found.components), &wide(&expected.components), 2e-3);
        }
    }

    #[test]
    fn it_is_cancelled_and_told_of_other_rows() {
        let values = blobs(300, 4, 3, 1);
        let rows = Matrix::new(&values, 4).unwrap();
        let session = block_on(Session::new(gpu(), &rows, &Unwatched)).unwrap();
        let prepared = Prepared::new(&rows, 2, None, &Unwatched).unwrap();
        let found = block_on(session.products(&rows, &prepared, &Impatient));
        assert_eq!(found.err(), Some(embedding::Error::Cancelled.into()));
        let other = Matrix::new(&values[..400], 4).unwrap();
        assert!(block_on(session.products(&other, &prepared, &Unwatched)).is_err());
    }
}
