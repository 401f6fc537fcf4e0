//! What a model takes of a machine: measured on rows that are made up.

use std::time::Instant;

use encoder::{Encoded, Failure, Kind, Run, Source, Unwatched};
use serde::{Deserialize, Serialize};

use super::EncodeFailure;
use super::model::Opened;

/// What was measured, in a process that did nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) dimensions: usize,
    /// Until the model was ready.
    pub(crate) open_seconds: f64,
    /// For each row, with all threads at work.
    pub(crate) row_seconds: f64,
    /// The most that the process has held.
    pub(crate) memory_bytes: u64,
}

/// Sides of the picture that is made up: as of a small photograph.
const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Words of the text that is made up.
const WORDS: usize = 64;

/// Has the model compute rows, of which the first do not count: memory is new to them.
pub(crate) fn measure(
    model: &Opened,
    threads: usize,
    open_seconds: f64,
) -> Result<Measured, EncodeFailure> {
    let encoder = &model.encoder;
    let row = || match encoder.model().kind() {
        Kind::Images { .. } => Source::Bytes(bitmap()),
        Kind::Texts { .. } => Source::Text("the words of a sentence, ".repeat(WORDS / 5)),
    };
    let run = Run { batch: threads.max(1), threads: std::num::NonZeroUsize::new(threads) };
    let rows = || (0..threads.max(1)).map(|at| (at, row()));
    let look = |batch: Vec<(usize, Result<Encoded, Failure>)>| {
        let failed = batch.into_iter().find_map(|(_, made)| made.err());
        failed.map_or(Ok(()), |why| Err(why.to_string()))
    };
    encoder::run(encoder, rows(), &run, &Unwatched, look)?;
    let began = Instant::now();
    let done = encoder::run(encoder, rows(), &run, &Unwatched, look)?;
    Ok(Measured {
        dimensions: encoder.model().dimensions(),
        open_seconds,
        row_seconds: began.elapsed().as_secs_f64() / done.max(1) as f64,
        memory_bytes: most_held().unwrap_or_default(),
    })
}

/// A picture without a frame or a palette, as Windows has had them since version 3.
fn bitmap() -> Vec<u8> {
    let pixels = WIDTH * HEIGHT * 3;
    let mut file = b"BM".to_vec();
    let number = |file: &mut Vec<u8>, number: usize| {
        file.extend_from_slice(&u32::try_from(number).unwrap_or_default().to_le_bytes());
    };
    for field in [54 + pixels, 0, 54, 40, WIDTH, HEIGHT] {
        number(&mut file, field);
    }
    // One plane, 24 bits a pixel.
    file.extend_from_slice(&[1, 0, 24, 0]);
    for field in [0, pixels, 0, 0, 0, 0] {
        number(&mut file, field);
    }
    file.extend((0..pixels).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8));
    file
}

/// By what Linux says of the process.
fn most_held() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_picture_that_is_made_up_is_one() {
        let small = encoder::thumbnail(&bitmap(), 64, &encoder::Limits::default()).unwrap();
        assert!(small.starts_with(&[0xff, 0xd8]));
        assert!(most_held().is_none_or(|bytes| bytes > 1 << 20));
    }
}
