//! Against the encoder of `lz4_flex`, in every form of frame.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::buffer_from_lz4;

/// Text-like data with repeats near and far.
fn data(seed: u64, n_bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(n_bytes + 64);
    while bytes.len() < n_bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let word = (state >> 33) as usize;
        if word.is_multiple_of(3) && bytes.len() > 100 {
            let start = word % (bytes.len() - 50);
            bytes.extend_from_within(start..start + word % 50);
        } else {
            bytes.extend_from_slice(&state.to_le_bytes()[..1 + word % 7]);
        }
    }
    bytes.truncate(n_bytes);
    bytes
}

fn forms() -> Vec<FrameInfo> {
    let mut forms = Vec::new();
    for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for has_checksums in [false, true] {
                forms.push(
                    FrameInfo::new()
                        .block_size(size)
                        .block_mode(mode)
                        .block_checksums(has_checksums)
                        .content_checksum(has_checksums),
                );
            }
        }
    }
    forms
}

fn compress(form: FrameInfo, data: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(form, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_of_frame_reads_back() {
    for (idx, form) in forms().into_iter().enumerate() {
        for n_bytes in [1, 12, 1000, 65_536, 65_537, 300_000, 1_500_000] {
            let data = data(idx as u64, n_bytes);
            let stated = form.clone().content_size(Some(n_bytes as u64));
            for form in [form.clone(), stated] {
                let compressed = compress(form, &data);
                let read = buffer_from_lz4(&compressed, n_bytes);
                let read = read.unwrap_or_else(|e| panic!("form {idx}, {n_bytes} bytes: {e}"));
                assert!(read.as_slice() == data, "form {idx}, {n_bytes} bytes");
            }
        }
    }
}

#[test]
fn a_wrong_length_is_refused() {
    for form in forms() {
        let data = data(9, 3000);
        let compressed = compress(form, &data);
        for n_bytes in [0, 1, 2999, 3001, 1 << 20, usize::MAX] {
            assert!(buffer_from_lz4(&compressed, n_bytes).is_err(), "{n_bytes}");
        }
        for n_cut in 0..compressed.len() {
            assert!(buffer_from_lz4(&compressed[..n_cut], 3000).is_err(), "cut at {n_cut}");
        }
        let longer = [compressed.as_slice(), b"x"].concat();
        assert!(buffer_from_lz4(&longer, 3000).is_err());
    }
}

#[test]
fn damaged_frames_never_differ_from_the_reference() {
    let forms = forms();
    let mut n_read = 0;
    for case in 0..8_000_u64 {
        let data = data(case, 1 + (case as usize * 7) % 3000);
        let mut compressed = compress(forms[case as usize % forms.len()].clone(), &data);
        let at = (case as usize).wrapping_mul(7919) % compressed.len();
        compressed[at] ^= 1 << (case % 8);
        let ours = buffer_from_lz4(&compressed, data.len());
        let mut reference = Vec::new();
        let outcome = FrameDecoder::new(compressed.as_slice()).read_to_end(&mut reference);
        if let (Ok(ours), Ok(_)) = (&ours, &outcome)
            && reference.len() == data.len()
        {
            assert!(ours.as_slice() == reference, "case {case}");
            n_read += 1;
        }
    }
    assert!(n_read > 100, "only {n_read} damaged frames were readable");
}
