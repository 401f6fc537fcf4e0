//! Arrow IPC bytes: whatever they are, decoding ends in batches or in an error, within the
//! limits, and equally whether the bytes come whole or in pieces.

#![no_main]

use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::{StreamDecoder, decode_all};
use libfuzzer_sys::fuzz_target;

fn limits() -> DecodeLimits {
    // Small enough that what a length claims shows as a limit and not as a slow run.
    DecodeLimits {
        body_bytes_max: 8 << 20,
        decoded_bytes_max: 32 << 20,
        rows_max: 1 << 20,
        ..DecodeLimits::default()
    }
}

fn rows_of_pieces(bytes: &[u8], size: usize) -> Option<usize> {
    let mut decoder = StreamDecoder::new(limits());
    let mut n_rows = 0;
    for piece in bytes.chunks(size) {
        let batches = decoder.push(piece).ok()?;
        n_rows += batches.iter().map(|batch| batch.num_rows()).sum::<usize>();
    }
    decoder.finish().ok().map(|_| n_rows)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = decode_all(&arrow_buffer::Buffer::from(bytes), limits())
        .ok()
        .map(|decoded| decoded.batches.iter().map(|batch| batch.num_rows()).sum::<usize>());
    let pieces = rows_of_pieces(bytes, usize::from(size) + 1);
    assert_eq!(whole, pieces, "whole and in pieces of {}", usize::from(size) + 1);
});
