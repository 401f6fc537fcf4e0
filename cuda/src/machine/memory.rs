//! Memory, and who may touch it: of the device, where nothing is read or written but what was
//! given, and of a block, where threads of two warps must not touch a word between two barriers
//! if one of them writes.

use std::collections::BTreeMap;
use std::ops::Range;

/// Between two pieces, so that what is a little beyond one is not in the next.
const GAP: u64 = 1 << 12;
const FIRST: u64 = 1 << 20;

/// The device's memory: what was given, by address.
#[derive(Debug, Default)]
pub(super) struct Memory {
    given: BTreeMap<u64, Vec<u8>>,
    next: u64,
}

impl Memory {
    pub(super) fn give(&mut self, bytes: usize) -> u64 {
        let address = self.next.max(FIRST);
        self.next = (address + bytes as u64 + GAP).next_multiple_of(GAP);
        self.given.insert(address, vec![0; bytes]);
        address
    }

    pub(super) fn take_back(&mut self, address: u64) {
        self.given.remove(&address);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.given.values().map(|piece| piece.len() as u64).sum()
    }

    pub(super) fn at(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], String> {
        let outside = || format!("{bytes} bytes at {address:#x} were given to nobody");
        let found = self.given.range_mut(..=address).next_back();
        let (first, piece) = found.ok_or_else(outside)?;
        let from = (address - first) as usize;
        piece.get_mut(from..from + bytes).ok_or_else(outside)
    }

    /// A value, which lies where its size has it.
    pub(super) fn value(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], String> {
        aligned(address, bytes)?;
        self.at(address, bytes)
    }
}

pub(super) fn aligned(address: u64, bytes: usize) -> Result<(), String> {
    match address.is_multiple_of(bytes as u64) {
        true => Ok(()),
        false => Err(format!("{address:#x} is no place for {bytes} bytes")),
    }
}

pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(super) fn put(bytes: &mut [u8], value: u64) {
    let many = bytes.len();
    bytes.copy_from_slice(&value.to_le_bytes()[..many]);
}

/// How a word is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    Read,
    Write,
    /// Read and written at once: two of these are in nobody's way.
    Change,
}

/// Who touched a word since the last barrier.
#[derive(Debug, Clone, Copy, Default)]
struct Touched {
    since: u32,
    read: Option<usize>,
    is_read_by_more: bool,
    written: Option<usize>,
    changed: Option<usize>,
    is_changed_by_more: bool,
}

/// What the threads of a block have in common.
#[derive(Debug)]
pub(super) struct Shared {
    bytes: Vec<u8>,
    touched: Vec<Touched>,
    /// Where something is on its way to.
    held: Vec<Range<usize>>,
    /// Barriers so far.
    pub epoch: u32,
}

const WORD: usize = 4;

impl Shared {
    pub(super) fn new(bytes: usize) -> Self {
        let words = bytes.div_ceil(WORD);
        // What was there before is anything: not zeros.
        let bytes = vec![0xa5; bytes];
        Self { bytes, touched: vec![Touched::default(); words], held: Vec::new(), epoch: 1 }
    }

    pub(super) fn touch(
        &mut self,
        address: u64,
        bytes: usize,
        warp: usize,
        how: Touch,
    ) -> Result<&mut [u8], String> {
        let from = address as usize;
        let outside = || format!("{bytes} bytes at {address:#x} of shared memory");
        if self.bytes.len() < from + bytes {
            return Err(outside());
        }
        self.free(&(from..from + bytes))?;
        let words = &mut self.touched[from / WORD..(from + bytes).div_ceil(WORD)];
        for word in words {
            if word.since != self.epoch {
                *word = Touched { since: self.epoch, ..Touched::default() };
            }
            if !word.may(warp, how) {
                return Err(format!("{}: two warps at once, without a barrier", outside()));
            }
        }
        Ok(&mut self.bytes[from..from + bytes])
    }
}

impl Shared {
    fn free(&self, place: &Range<usize>) -> Result<(), String> {
        let is_held = |held: &Range<usize>| held.start < place.end && place.start < held.end;
        match self.held.iter().any(is_held) {
            true => Err(format!("at {:#x} of shared memory something is to arrive", place.start)),
            false => Ok(()),
        }
    }

    /// From now on something is on its way there.
    pub(super) fn hold(&mut self, place: Range<usize>) -> Result<(), String> {
        self.free(&place)?;
        let slot = self.bytes.get_mut(place.clone());
        slot.ok_or_else(|| format!("{place:x?} of shared memory"))?.fill(0x5a);
        self.held.push(place);
        Ok(())
    }

    /// It is there.
    pub(super) fn release(&mut self, place: &Range<usize>) {
        self.held.retain(|held| held != place);
    }

    /// Written by no thread.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) -> Result<(), String> {
        let slot = self.bytes.get_mut(at..at + bytes.len());
        slot.ok_or_else(|| format!("{at:#x} of shared memory"))?.copy_from_slice(bytes);
        Ok(())
    }

    /// Read by no thread.
    pub(super) fn look(&self, at: usize, bytes: usize) -> Result<&[u8], String> {
        self.free(&(at..at + bytes))?;
        self.bytes.get(at..at + bytes).ok_or_else(|| format!("{at:#x} of shared memory"))
    }

    /// Whether a barrier may be there.
    pub(super) fn place_of_barrier(&self, at: u64) -> Result<(), String> {
        aligned(at, 8)?;
        self.look(at as usize, 8).map(|_| ())
    }
}

impl Touched {
    fn may(&mut self, warp: usize, how: Touch) -> bool {
        let is_other = |by: Option<usize>| by.is_some_and(|by| by != warp);
        let is_read = is_other(self.read) || self.is_read_by_more;
        let is_changed = is_other(self.changed) || self.is_changed_by_more;
        let is_written = is_other(self.written);
        match how {
            Touch::Read => {
                self.is_read_by_more |= is_other(self.read);
                self.read = Some(warp);
                !is_written && !is_changed
            }
            Touch::Write => {
                self.written = Some(warp);
                !is_written && !is_changed && !is_read
            }
            Touch::Change => {
                self.is_changed_by_more |= is_other(self.changed);
                self.changed = Some(warp);
                !is_written && !is_read
            }
        }
    }
}
