//! Damaged and malicious bytes: thousands of seeded mutations of real streams and files.
//! None may panic, none may make the decoder hold more than a budget, and what it accepts
//! all the same must be sound arrays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(unsafe_code, reason = "a global allocator that counts")]

#[path = "ipc/samples.rs"]
#[allow(dead_code, reason = "shared with the other tests of this layer")]
mod samples;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{DictionaryHandling, IpcWriteOptions};
use engine::ipc::encode::{Compression, Container, encode_all};
use engine::ipc::error::IpcError;
use engine::ipc::file::{FileDecoder, TRAILER_BYTES, footer_len_from_trailer};
use engine::ipc::limits::DecodeLimits;
use engine::ipc::plain::{plain_batch, plain_schema};
use engine::ipc::stream::{Decoded, StreamDecoder, decode_all, decode_anything};
use engine::sample::hash64;

use samples::*;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts what the current thread holds. Threads that free what others allocated would
/// confuse it; a test here is one thread.
struct Counting;

fn count(n_bytes: isize) {
    let held = HELD.get() + n_bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call is passed on unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, n_bytes: usize) -> *mut u8 {
        count(n_bytes as isize - layout.size() as isize);
        unsafe { System.realloc(at, layout, n_bytes) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` answers, and the most that it held on top of what was held before.
fn with_peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let answer = work();
    (answer, (PEAK.get() - before) as usize)
}

/// Inputs are some ten thousand bytes; most of this is for what ZSTD may honestly make of
/// them (a block of a hundred bytes can be 128 KiB).
const PEAK_BYTES_MAX: usize = 32 << 20;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        hash64(614, self.0)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Numbers at which lengths go wrong.
fn odd_number(random: &mut Random, n_bytes: usize) -> i64 {
    let n_bytes = n_bytes as i64;
    let numbers = [
        0,
        1,
        2,
        7,
        8,
        63,
        64,
        65,
        255,
        256,
        65_535,
        65_536,
        n_bytes,
        n_bytes - 1,
        n_bytes + 1,
        n_bytes / 2,
        -1,
        -2,
        -8,
        i64::from(i32::MAX),
        i64::from(i32::MAX) - 7,
        i64::from(i32::MIN),
        i64::from(u32::MAX),
        1 << 20,
        1 << 24,
        1 << 28,
        1 << 30,
        1 << 33,
        1 << 40,
        1 << 60,
        i64::MAX,
        i64::MAX - 7,
        i64::MIN,
        0x0101_0101_0101_0101,
    ];
    *random.pick(&numbers)
}

/// Damages `bytes` in one of the ways in which bytes get damaged, or are.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let n_bytes = bytes.len();
    if n_bytes == 0 {
        return;
    }
    let at = random.below(n_bytes);
    match random.below(10) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes[at] = random.next() as u8,
        3 => bytes.truncate(at),
        // Words of the metadata and of offsets, lengths and prefixes are aligned.
        4 | 5 => {
            let (at, number) = (at & !3, odd_number(random, n_bytes) as i32);
            bytes.iter_mut().skip(at).zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        6 | 7 => {
            let (at, number) = (at & !7, odd_number(random, n_bytes));
            bytes.iter_mut().skip(at).zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        8 => {
            let end = (at + (8 << random.below(6))).min(n_bytes);
            if random.below(2) == 0 {
                bytes.drain(at..end);
            } else {
                let piece = bytes[at..end].to_vec();
                let to = random.below(n_bytes);
                bytes.splice(to..to, piece);
            }
        }
        _ => {
            // A piece of another stream, where lengths and types are plausible and wrong.
            let n_piece = (8 << random.below(8)).min(other.len());
            let from = random.below(other.len() - n_piece + 1) & !7;
            let piece = &other[from..(from + n_piece).min(other.len())];
            let at = at & !7;
            bytes.iter_mut().skip(at).zip(piece).for_each(|(to, from)| *to = *from);
        }
    }
}

/// Streams and files of every type, in every form.
fn corpus() -> Vec<Vec<u8>> {
    let compressed = |codec| IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
    let mut forms: Vec<IpcWriteOptions> =
        write_options().into_iter().map(|(_, options)| options).collect();
    forms.push(IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta));
    forms.push(compressed(CompressionType::ZSTD).try_with_compression_level(Some(15)).unwrap());
    let mut corpus = Vec::new();
    for (idx, column) in columns().into_iter().enumerate() {
        let batch = batch_of(&[column]);
        let batches = [batch.slice(0, 20), batch.slice(13, 30)];
        corpus.push(foreign_stream(&batches, &forms[idx % forms.len()]));
        corpus.push(foreign_stream(&batches, &forms[(idx + 3) % forms.len()]));
        corpus.push(foreign_file(&batches[..1], &forms[(idx + 5) % forms.len()]));
    }
    let everything = batch_of_everything();
    corpus.extend(
        forms[..2].iter().map(|form| foreign_stream(std::slice::from_ref(&everything), form)),
    );
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let batches = [everything.slice(0, 30), everything.slice(11, 40)];
        let schema = everything.schema();
        corpus.push(encode_all(&schema, &batches, Container::Stream, compression).unwrap());
        corpus.push(encode_all(&schema, &batches, Container::File, compression).unwrap());
    }
    // What arrow makes of runs in version 4 nobody reads.
    corpus.retain(|bytes| decode_anything(bytes).is_ok());
    corpus
}

/// What was accepted must be sound: valid in every part, and fit to be worked with.
fn check_sound(decoded: &Decoded) {
    for batch in &decoded.batches {
        assert_eq!(batch.schema(), decoded.schema);
        for column in batch.columns() {
            column.to_data().validate_full().unwrap();
        }
        let plain = Arc::new(plain_schema(&batch.schema()));
        match plain_batch(batch, &plain, 1 << 20) {
            Ok(plain) => {
                let bytes = encode_all(
                    &plain.schema(),
                    std::slice::from_ref(&plain),
                    Container::Stream,
                    Compression::None,
                )
                .unwrap();
                let again = decode_all(&Buffer::from_vec(bytes), DecodeLimits::default()).unwrap();
                assert_eq!(again.batches.len(), 1);
                assert_eq!(again.batches[0].num_rows(), plain.num_rows());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Reads a file by its footer, as far as it goes.
fn read_by_footer(file: &[u8], limits: DecodeLimits) -> Result<Vec<RecordBatch>, IpcError> {
    let end = file.len().saturating_sub(TRAILER_BYTES);
    let n_footer = footer_len_from_trailer(&file[end..], &limits)?;
    let footer = file[..end].get(end.saturating_sub(n_footer)..).unwrap_or(&[]);
    let mut decoder = FileDecoder::new(footer, file.len() as u64, None, limits)?;
    let bytes = |block: engine::ipc::file::Block| {
        let start = block.offset as usize;
        Buffer::from(&file[start..start + block.n_bytes])
    };
    for block in decoder.dictionary_blocks().to_vec() {
        decoder.read_dictionary(&bytes(block))?;
    }
    let blocks = decoder.batch_blocks().to_vec();
    blocks.into_iter().map(|block| decoder.read_batch(block, &bytes(block))).collect()
}

/// One damaged input through every door; answers whether any accepted it.
fn attack(bytes: &[u8], random: &mut Random) -> bool {
    let (whole, peak) = with_peak(|| decode_anything(bytes));
    assert!(peak < PEAK_BYTES_MAX, "held {peak} bytes for {} bytes of input", bytes.len());
    if let Ok(decoded) = &whole {
        check_sound(decoded);
    }
    let n_chunk = 1 + random.below(3000);
    let (_, peak) = with_peak(|| {
        let mut decoder = StreamDecoder::new(DecodeLimits::default());
        let pushed = bytes.chunks(n_chunk).try_for_each(|chunk| decoder.push(chunk).map(|_| ()));
        let chunked = pushed.and_then(|()| decoder.finish());
        assert_eq!(chunked.is_ok(), whole.is_ok(), "chunks of {n_chunk} differ from the whole");
    });
    assert!(peak < PEAK_BYTES_MAX, "held {peak} bytes in chunks of {n_chunk}");
    let (by_footer, peak) = with_peak(|| read_by_footer(bytes, DecodeLimits::default()));
    assert!(peak < PEAK_BYTES_MAX, "held {peak} bytes by the footer");
    whole.is_ok() || by_footer.is_ok()
}

#[test]
fn mutations_are_refused_or_sound() {
    let corpus = corpus();
    assert!(corpus.len() > 150, "only {} of the corpus are fine to begin with", corpus.len());
    let n_cases: u64 = std::env::var("LIMN_HOSTILE_CASES").map_or(30_000, |n| n.parse().unwrap());
    let mut n_accepted = 0;
    for case in 0..n_cases {
        let mut random = Random(case << 20);
        let mut bytes = random.pick(&corpus).clone();
        let other = random.pick(&corpus);
        for _ in 0..=random.below(3) {
            mutate(&mut bytes, other, &mut random);
        }
        match catch_unwind(AssertUnwindSafe(|| attack(&bytes, &mut random))) {
            Ok(is_accepted) => n_accepted += u64::from(is_accepted),
            Err(_) => panic!("case {case} of {} bytes, see the panic above", bytes.len()),
        }
    }
    // Flipped values and names are beyond any decoder; were nothing accepted, nothing of
    // the soundness above was tested.
    let share = n_accepted as f64 / n_cases as f64;
    assert!((0.1..0.9).contains(&share), "{n_accepted} of {n_cases} accepted");
}

#[test]
fn noise_is_refused() {
    for case in 0..3000 {
        let mut random = Random(case << 20);
        let n_bytes = random.below(2000);
        let mut bytes: Vec<u8> = (0..n_bytes).map(|_| random.next() as u8).collect();
        if case % 2 == 0 {
            let head = [255, 255, 255, 255, 96, 0, 0, 0];
            bytes.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        }
        assert!(!attack(&bytes, &mut random), "case {case}");
    }
}

/// Every word of a small stream in turn takes every odd value.
#[test]
fn no_single_word_can_do_harm() {
    let options = write_options();
    for form in [0, 4, 5] {
        let bytes = foreign_stream(&[small_batch()], &options[form].1);
        let mut random = Random(7);
        for at in (0..bytes.len()).step_by(4) {
            for number in [0_i32, 1, -1, i32::MAX, i32::MIN, 1 << 28, bytes.len() as i32] {
                let mut bytes = bytes.clone();
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
                let outcome = catch_unwind(AssertUnwindSafe(|| attack(&bytes, &mut random)));
                assert!(outcome.is_ok(), "form {form}, {number} at {at}");
            }
        }
    }
}
