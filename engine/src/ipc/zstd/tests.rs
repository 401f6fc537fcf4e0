//! Against the reference library: everything that it writes reads back, and nothing that
//! it would refuse gets through changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;

use super::buffer_from_zstd;

/// A small generator, so that a failure names its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        crate::sample::hash64(self.0, 1)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Data of many textures: noise, runs, text-like, periodic, numbers counting up.
fn texture(kind: usize, n_bytes: usize, random: &mut Random) -> Vec<u8> {
    let words = ["delta", "lake ", "limn", "éé", "0123", "flight ", "\n", "x"];
    match kind % 8 {
        0 => (0..n_bytes).map(|_| random.next() as u8).collect(),
        1 => vec![random.next() as u8; n_bytes],
        2 => {
            let mut text = Vec::new();
            while text.len() < n_bytes {
                text.extend_from_slice(words[random.below(words.len())].as_bytes());
            }
            text.truncate(n_bytes);
            text
        }
        3 => (0..n_bytes).map(|i| (i % 251) as u8).collect(),
        4 => (0..n_bytes.div_ceil(4))
            .flat_map(|i| (i as i32 * 3).to_le_bytes())
            .take(n_bytes)
            .collect(),
        5 => (0..n_bytes).map(|_| if random.below(20) == 0 { 7 } else { 0 }).collect(),
        6 => (0..n_bytes).map(|_| (random.next() as u8).trailing_zeros() as u8).collect(),
        _ => {
            // Distant repeats, so that offsets are large.
            let block: Vec<u8> = (0..1000).map(|_| random.next() as u8).collect();
            let mut data = Vec::new();
            while data.len() < n_bytes {
                let start = random.below(900);
                data.extend_from_slice(&block[start..start + random.below(100)]);
                data.push(random.next() as u8);
            }
            data.truncate(n_bytes);
            data
        }
    }
}

#[test]
fn the_reference_encoder_reads_back() {
    let mut random = Random(1);
    let lengths = [1, 2, 5, 100, 1000, 20_000, 131_072, 131_073, 700_000];
    for level in [-50, -5, 1, 2, 3, 5, 7, 9, 13, 19] {
        for kind in 0..8 {
            for n_bytes in lengths {
                if level > 3 && n_bytes > 20_000 && kind % 4 != level as usize % 4 {
                    continue;
                }
                let n_bytes = n_bytes + random.below(7);
                let data = texture(kind, n_bytes, &mut random);
                let compressed = zstd::bulk::compress(&data, level).unwrap();
                let read = buffer_from_zstd(&compressed, data.len());
                let read =
                    read.unwrap_or_else(|e| panic!("level {level} kind {kind} {n_bytes}: {e}"));
                assert!(read.as_slice() == data, "level {level}, kind {kind}, {n_bytes} bytes");
            }
        }
    }
}

/// Streams state no length, flush anywhere, and may carry a checksum.
#[test]
fn streamed_frames_read_back() {
    let mut random = Random(2);
    for case in 0..200 {
        let n_parts = 1 + random.below(20);
        let mut encoder =
            zstd::stream::Encoder::new(Vec::new(), 1 + random.below(12) as i32).unwrap();
        encoder.include_checksum(case % 2 == 0).unwrap();
        let mut data = Vec::new();
        for _ in 0..n_parts {
            let (kind, n_bytes) = (random.below(8), random.below(30_000));
            let part = texture(kind, n_bytes, &mut random);
            encoder.write_all(&part).unwrap();
            encoder.flush().unwrap();
            data.extend_from_slice(&part);
        }
        let compressed = encoder.finish().unwrap();
        let read = buffer_from_zstd(&compressed, data.len());
        assert!(read.is_ok_and(|read| read.as_slice() == data), "case {case}");
    }
}

#[test]
fn a_wrong_length_is_refused() {
    let data = texture(2, 5000, &mut Random(3));
    for compressed in [
        zstd::bulk::compress(&data, 3).unwrap(),
        zstd::stream::encode_all(data.as_slice(), 3).unwrap(),
    ] {
        for n_bytes in [0, 1, 4999, 5001, 1 << 20, usize::MAX] {
            assert!(buffer_from_zstd(&compressed, n_bytes).is_err(), "{n_bytes}");
        }
        for n_cut in 0..compressed.len() {
            assert!(buffer_from_zstd(&compressed[..n_cut], 5000).is_err(), "cut at {n_cut}");
        }
        let longer = [compressed.as_slice(), b"x"].concat();
        assert!(buffer_from_zstd(&longer, 5000).is_err());
    }
}

/// Where both read a damaged frame they read the same; and with a checksum, nothing else
/// than the original is ever read.
#[test]
fn damaged_frames_never_differ_from_the_reference() {
    let mut random = Random(4);
    let mut n_read = 0;
    for case in 0..8_000 {
        let (kind, n_bytes) = (random.below(8), 1 + random.below(3000));
        let data = texture(kind, n_bytes, &mut random);
        let has_checksum = case % 4 == 0;
        let mut compressor = zstd::bulk::Compressor::new(1 + random.below(9) as i32).unwrap();
        compressor.include_checksum(has_checksum).unwrap();
        let mut compressed = compressor.compress(&data).unwrap();
        for _ in 0..=random.below(3) {
            let at = random.below(compressed.len());
            compressed[at] ^= 1 << random.below(8);
        }
        let ours = buffer_from_zstd(&compressed, data.len());
        let reference = zstd::bulk::decompress(&compressed, data.len());
        if let (Ok(ours), Ok(reference)) = (&ours, &reference)
            && reference.len() == data.len()
        {
            assert!(ours.as_slice() == reference, "case {case}");
            n_read += 1;
        }
        if let Ok(ours) = &ours {
            assert!(!has_checksum || ours.as_slice() == data, "case {case}");
        }
    }
    assert!(n_read > 100, "only {n_read} damaged frames were readable");
}
