//! Chunks of every size, and streams that stop too early at every byte.

use std::ops::Range;

use arrow_buffer::Buffer;
use engine::ipc::encode::{Compression, Container, encode_all};
use engine::ipc::error::IpcError;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::{StreamDecoder, decode_all};

use crate::samples::*;

/// Where each message of a stream of format 5 lies, its framing included; the end marker is
/// the last.
pub fn message_ranges(stream: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < stream.len() {
        let word = |at: usize| u32::from_le_bytes(stream[at..at + 4].try_into().unwrap());
        assert_eq!(word(start), u32::MAX);
        let n_metadata = word(start + 4) as usize;
        let mut end = start + 8 + n_metadata;
        if n_metadata > 0 {
            let message = arrow_ipc::root_as_message(&stream[start + 8..end]).unwrap();
            end += message.bodyLength() as usize;
        }
        ranges.push(start..end);
        start = end;
    }
    ranges
}

fn small_bytes(container: Container, compression: Compression) -> Vec<u8> {
    let batch = small_batch();
    let batches = [batch.slice(0, 4), batch.slice(4, 6)];
    encode_all(&batch.schema(), &batches, container, compression).unwrap()
}

/// Both containers, compressed or not.
fn forms() -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for container in [Container::Stream, Container::File] {
        for compression in [Compression::None, Compression::Zstd] {
            forms.push(small_bytes(container, compression));
        }
    }
    forms
}

#[test]
fn every_split_in_two_reads_the_same() {
    for bytes in forms() {
        let whole = decode_all(&Buffer::from(bytes.as_slice()), DecodeLimits::default()).unwrap();
        for at in 0..=bytes.len() {
            let mut decoder = StreamDecoder::new(DecodeLimits::default());
            let mut batches = decoder.push(&bytes[..at]).unwrap();
            batches.extend(decoder.push(&bytes[at..]).unwrap());
            assert_eq!(decoder.n_rows(), 10);
            assert_eq!(decoder.finish().unwrap(), whole.schema, "split at {at}");
            assert_eq!(batches, whole.batches, "split at {at}");
        }
    }
}

#[test]
fn chunks_of_every_size_read_the_same() {
    for bytes in forms() {
        let whole = decode_all(&Buffer::from(bytes.as_slice()), DecodeLimits::default()).unwrap();
        for n_chunk in [1, 2, 3, 5, 7, 8, 13, 64, 100, 1000] {
            let mut decoder = StreamDecoder::new(DecodeLimits::default());
            let mut shared = StreamDecoder::new(DecodeLimits::default());
            let (mut batches, mut shared_batches) = (Vec::new(), Vec::new());
            for chunk in bytes.chunks(n_chunk) {
                batches.extend(decoder.push(chunk).unwrap());
                let mut chunk = Buffer::from(chunk);
                while let Some(batch) = shared.advance(&mut chunk).unwrap() {
                    shared_batches.push(batch);
                }
                assert!(chunk.is_empty());
            }
            decoder.finish().unwrap();
            shared.finish().unwrap();
            assert_eq!(batches, whole.batches, "chunks of {n_chunk}");
            assert_eq!(shared_batches, whole.batches, "chunks of {n_chunk}");
        }
    }
}

#[test]
fn a_cut_stream_never_looks_complete() {
    for bytes in forms() {
        for n_bytes in 0..bytes.len() {
            let mut decoder = StreamDecoder::new(DecodeLimits::default());
            // All that arrived is good, so only the end can tell.
            decoder.push(&bytes[..n_bytes]).unwrap();
            let error = decoder.finish().unwrap_err();
            assert!(matches!(error, IpcError::Truncated { .. }), "cut at {n_bytes}: {error}");
        }
    }
}

#[test]
fn the_schema_is_known_before_the_first_batch() {
    let bytes = small_bytes(Container::Stream, Compression::None);
    let first = message_ranges(&bytes)[0].clone();
    let mut decoder = StreamDecoder::new(DecodeLimits::default());
    decoder.push(&bytes[..first.end - 1]).unwrap();
    assert!(decoder.schema().is_none());
    decoder.push(&bytes[first.end - 1..first.end]).unwrap();
    assert_eq!(*decoder.schema().unwrap(), small_batch().schema());
}

#[test]
fn what_follows_the_end_is_refused() {
    let bytes = small_bytes(Container::Stream, Compression::None);
    let twice = [bytes.as_slice(), bytes.as_slice()].concat();
    let mut decoder = StreamDecoder::new(DecodeLimits::default());
    let error = decoder.push(&twice).unwrap_err().to_string();
    assert_eq!(error, format!("stream: {} bytes follow its end marker", bytes.len()));
    assert!(matches!(decoder.push(b"more"), Err(IpcError::AlreadyFailed)));
    assert!(matches!(decoder.finish(), Err(IpcError::AlreadyFailed)));
}

/// A file whose middle is gone has a good footer and fewer batches than it lists.
#[test]
fn a_file_with_a_hole_is_refused() {
    let bytes = small_bytes(Container::File, Compression::None);
    let (mut messages, footer) = parts_of_file(&bytes);
    messages.remove(2);
    let holed = [&bytes[..64], &messages.concat(), footer].concat();
    let error = decode_all(&Buffer::from_vec(holed), DecodeLimits::default()).unwrap_err();
    assert_eq!(error.to_string(), "footer: it lists 2 batches where 1 are");
}

/// The parts of a file: its messages, the last being the end marker, and its footer.
fn parts_of_file(file: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let stream = &file[64..];
    let end = stream.windows(8).position(|w| *w == [255, 255, 255, 255, 0, 0, 0, 0]).unwrap() + 8;
    let messages = message_ranges(&stream[..end]).into_iter().map(|range| &stream[range]);
    (messages.collect(), &stream[end..])
}

/// Polars leaves out the length of the schema, and writes dictionaries after the batches.
#[test]
fn files_as_polars_writes_them_read_from_the_start() {
    let batch = small_batch();
    let whole = foreign_file(&[batch.slice(0, 4), batch.slice(4, 6)], &write_options()[0].1);
    let expected = decode_all(&Buffer::from(whole.as_slice()), DecodeLimits::default()).unwrap();
    let (messages, footer) = parts_of_file(&whole);
    let [schema, dictionary, first, second, end] = messages[..] else { panic!("five messages") };
    let header = b"ARROW1\0\0".as_slice();
    let orders: [&[&[u8]]; 3] = [
        &[header, &schema[8..], dictionary, first, second, end, footer],
        &[header, &schema[8..], first, second, dictionary, end, footer],
        &[header, schema, first, dictionary, second, end, footer],
    ];
    for parts in orders {
        let file = parts.concat();
        for n_chunk in [1, 7, 64, file.len()] {
            let mut decoder = StreamDecoder::new(DecodeLimits::default());
            let batches: Vec<_> =
                file.chunks(n_chunk).flat_map(|chunk| decoder.push(chunk).unwrap()).collect();
            assert_eq!(batches, expected.batches);
            assert_eq!(decoder.finish().unwrap(), expected.schema);
        }
        for n_bytes in 0..file.len() {
            let mut decoder = StreamDecoder::new(DecodeLimits::default());
            let outcome = decoder.push(&file[..n_bytes]).and_then(|_| decoder.finish());
            assert!(matches!(outcome, Err(IpcError::Truncated { .. })), "cut at {n_bytes}");
        }
    }
    // Held back only so far.
    let file = orders[1].concat();
    let limits = DecodeLimits { body_bytes_max: 1000, ..DecodeLimits::default() };
    let error = decode_all(&Buffer::from_vec(file), limits).unwrap_err().to_string();
    assert!(error.starts_with("the size of batches before their dictionaries"), "{error}");
}

/// A chunk that holds a message whole is shared, not copied.
#[test]
fn whole_messages_are_not_copied() {
    let batch = batch_of(&[columns().into_iter().find(|(name, _)| *name == "int64").unwrap()]);
    let bytes = Buffer::from_vec(foreign_stream(&[batch], &write_options()[0].1));
    let range = bytes.as_slice().as_ptr_range();
    let read = decode_all(&bytes, DecodeLimits::default()).unwrap();
    let values = read.batches[0].column(0).to_data().buffers()[0].as_ptr();
    // Buffers of a plain vector are aligned to eight bytes, enough for numbers.
    assert!(range.contains(&values));
}
