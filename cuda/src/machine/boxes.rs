//! What only Hopper has: boxes of an array that are fetched to a barrier whose turns are counted, and
//! matrices multiplied as they lie in shared memory, while a warp goes on (PTX ISA 8.5, chapters
//! 9.7.8.24, 9.7.12.15 and 9.7.14). Boxes arrive as late as they may: when somebody would wait in
//! vain. Where they go nobody may be, nor may products that are not awaited read there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::block::{Block, LANES};
use super::code::Turns;
use super::memory::number;
use super::scalars::{of_single, single};
use super::text::{Op, Operand};
use crate::card::Map;
use crate::emulator::product;
use crate::half::to_single;
use crate::tile::{BOX_DEPTH, BOX_LINES};

const LINE_BYTES: usize = BOX_DEPTH * 2;
const CHUNK: usize = 16;
/// Warps that multiply together.
const WARPS: usize = 4;

/// A barrier: who is still to come in this turn, and what is on its way.
#[derive(Debug)]
struct Barrier {
    many: u64,
    missing: u64,
    bytes: i64,
    parity: u64,
    /// Since when it is there, and of which warp.
    since: (u32, usize),
}

#[derive(Debug)]
struct Fetched {
    to: Range<usize>,
    lines: Vec<(usize, Vec<u8>)>,
    barrier: u64,
}

/// What a warp has of products: what those read that are not awaited, by groups; the last is open.
#[derive(Debug, Default)]
struct Groups {
    done: u64,
    reads: Vec<Vec<Range<usize>>>,
}

#[derive(Debug, Default)]
pub(super) struct Boxes {
    barriers: BTreeMap<u64, Barrier>,
    fetched: Vec<Fetched>,
    groups: BTreeMap<usize, Groups>,
}

impl Boxes {
    /// What is left when all threads have ended.
    pub(super) fn end(&self) -> Result<(), String> {
        match self.fetched.is_empty() && self.groups.values().all(|of| of.reads.is_empty()) {
            true => Ok(()),
            false => Err("ends while boxes or products are on their way".to_owned()),
        }
    }

    fn barrier(&mut self, at: u64, by: (u32, usize)) -> Result<&mut Barrier, String> {
        let found = self.barriers.get_mut(&at).ok_or_else(|| format!("no barrier at {at:#x}"))?;
        match found.since.0 == by.0 && found.since.1 != by.1 {
            true => Err("a barrier of another warp, without one before".to_owned()),
            false => Ok(found),
        }
    }
}

impl Barrier {
    fn turn(&mut self) {
        if self.missing == 0 && self.bytes == 0 {
            self.missing = self.many;
            self.parity ^= 1;
        }
    }
}

/// Does something to a barrier. Says whether its turn is over, for whoever tries.
pub(super) fn turns(
    block: &mut Block<'_>,
    thread: usize,
    op: &Op,
    what: Turns,
) -> Result<bool, String> {
    let by = (block.shared.epoch, thread / LANES);
    let at = block.value(thread, op.from[0]);
    if what == Turns::Init {
        let many = block.value(thread, op.from[1]);
        let of = Barrier { many, missing: many, bytes: 0, parity: 0, since: by };
        block.shared.place_of_barrier(at)?;
        block.boxes.barriers.insert(at, of);
        return Ok(true);
    }
    let with = op.from.get(1).map_or(0, |operand| block.value(thread, *operand));
    let of = block.boxes.barrier(at, by)?;
    match what {
        Turns::Try if of.parity != with & 1 => return Ok(true),
        Turns::Try => {
            arrive(block, at)?;
            return Ok(block.boxes.barrier(at, by)?.parity != with & 1);
        }
        Turns::Expect => of.bytes += with as i64,
        Turns::Arrive | Turns::Init => {}
    }
    of.missing = of.missing.checked_sub(1).ok_or("more come to a barrier than it waits for")?;
    of.turn();
    Ok(true)
}

/// What is on its way to a barrier arrives.
fn arrive(block: &mut Block<'_>, at: u64) -> Result<(), String> {
    let boxes = &mut block.boxes;
    let (here, others) = boxes.fetched.drain(..).partition(|of| of.barrier == at);
    boxes.fetched = others;
    for fetched in here {
        let Fetched { to, lines, .. } = fetched;
        block.shared.release(&to);
        for (place, bytes) in lines {
            block.shared.put(place, &bytes)?;
        }
        let of = block.boxes.barriers.get_mut(&at).ok_or("no barrier")?;
        of.bytes -= to.len() as i64;
        of.turn();
    }
    Ok(())
}

/// Where sixteen bytes lie that would be there if chunks were not turned.
fn turned(at: usize) -> usize {
    at ^ (at >> 7 & 7) << 4
}

/// Sends a box on its way.
pub(super) fn fetch(block: &mut Block<'_>, thread: usize, op: &Op) -> Result<(), String> {
    let [to, map, column, line, barrier] =
        [0, 1, 2, 3, 4].map(|nth| block.value(thread, op.from[nth]));
    let bytes = block.parameters.get(map as usize..map as usize + size_of::<Map>());
    let words = bytes.ok_or("no map")?.as_chunks::<8>().0;
    let [address, lines, depth, made] = [0, 1, 2, 3].map(|nth| number(&words[nth]));
    if made != super::MAP {
        return Err("a map that nobody made".to_owned());
    }
    let by = (block.shared.epoch, thread / LANES);
    block.boxes.barrier(barrier, by)?;
    let to = to as usize..to as usize + BOX_LINES * LINE_BYTES;
    if to.start % LINE_BYTES != 0 {
        return Err(format!("{:#x} is no place for a box", to.start));
    }
    let is_read = |of: &Range<usize>| of.start < to.end && to.start < of.end;
    if block.boxes.groups.values().any(|of| of.reads.iter().flatten().any(is_read)) {
        return Err("a box goes where products still read".to_owned());
    }
    block.shared.hold(to.clone())?;
    let mut found = Vec::new();
    for (nth, place) in to.clone().step_by(CHUNK).enumerate() {
        let row = i64::from(line as i32) + (nth / (LINE_BYTES / CHUNK)) as i64;
        let from = i64::from(column as i32) + (nth % (LINE_BYTES / CHUNK) * CHUNK / 2) as i64;
        let mut bytes = vec![0; CHUNK];
        for (half, bytes) in bytes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let at = from + half as i64;
            if (0..lines as i64).contains(&row) && (0..depth as i64).contains(&at) {
                let at = address + (row as u64 * depth + at as u64) * 2;
                bytes.copy_from_slice(block.memory.value(at, 2)?);
            }
        }
        found.push((turned(place), bytes));
    }
    block.boxes.fetched.push(Fetched { to, lines: found, barrier });
    Ok(())
}

/// A matrix in shared memory: where it begins, and from eight lines to the next.
fn matrix(words: u64) -> Result<(usize, usize), String> {
    let is_turned = words >> 62 == 1 && words >> 49 & 7 == 0;
    let field = |from: u32| ((words >> from & 0x3fff) << 4) as usize;
    match is_turned {
        true => Ok((field(0), field(32))),
        false => Err(format!("{words:#x} is no matrix of turned chunks")),
    }
}

/// Sixteen halves of a line of a matrix, as floats.
fn line(block: &Block<'_>, (at, eight): (usize, usize), line: usize) -> Result<[f32; 16], String> {
    let mut found = [0.0; 16];
    let from = at + line / 8 * eight + line % 8 * LINE_BYTES;
    for (chunk, values) in found.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let bytes = block.shared.look(turned(from + chunk * CHUNK), CHUNK)?;
        for (value, half) in values.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *value = to_single(u16::from_le_bytes(*half));
        }
    }
    Ok(found)
}

/// 64 × 16 halves times 128 × 16, added to floats: a warp has sixteen of the rows.
pub(super) fn multiply(
    block: &mut Block<'_>,
    warp: usize,
    op: &Op,
    here: &[usize],
) -> Result<(), String> {
    let given = |nth: usize| block.value(here[0], op.from[nth]);
    if op.from[2..] != [1, 1, 1, 0, 0].map(Operand::Value) || op.to.len() != 64 {
        return Err("products of another kind".to_owned());
    }
    let (a, b) = (matrix(given(0))?, matrix(given(1))?);
    let first = warp % WARPS * 16;
    let rows = (0..16).map(|row| line(block, a, first + row)).collect::<Result<Vec<_>, _>>()?;
    let columns = (0..128).map(|row| line(block, b, row)).collect::<Result<Vec<_>, _>>()?;
    // A little more than is read: lines that are turned lie among each other.
    let reads = [(a, 64), (b, 128)].map(|((at, eight), lines)| {
        let at = at & !(LINE_BYTES - 1);
        at..at + (lines / 8 - 1) * eight + 8 * LINE_BYTES
    });
    let adding = block.adding;
    let of = block.boxes.groups.entry(warp).or_default();
    if of.reads.is_empty() {
        of.reads.push(Vec::new());
    }
    let group = of.done + of.reads.len() as u64;
    of.reads.last_mut().ok_or("no group")?.extend(reads);
    for (lane, thread) in here.iter().enumerate() {
        let thread = &mut block.threads[*thread];
        for (nth, to) in op.to.iter().enumerate() {
            let (row, column) = (lane / 4 + nth / 2 % 2 * 8, nth / 4 * 8 + lane % 4 * 2 + nth % 2);
            let sum = single(thread.registers[*to]);
            let sum = product(&rows[row], &columns[column], sum, adding);
            thread.registers[*to] = of_single(sum);
            thread.in_flight.insert(*to, group);
        }
    }
    Ok(())
}

/// Those since the last mark are a group.
pub(super) fn mark(block: &mut Block<'_>, warp: usize) {
    if let Some(of) = block.boxes.groups.get_mut(&warp) {
        of.reads.push(Vec::new());
    }
}

/// All groups but so many are done.
pub(super) fn wait(block: &mut Block<'_>, warp: usize, op: &Op, here: &[usize]) {
    let left = block.value(here[0], op.from[0]) as usize;
    let Some(of) = block.boxes.groups.get_mut(&warp) else { return };
    // The last of them is open.
    let many = of.reads.len().saturating_sub(left + 1);
    of.reads.drain(..many);
    of.done += many as u64;
    if of.reads.iter().all(Vec::is_empty) {
        of.reads.clear();
    }
    let done = of.done;
    for thread in here {
        block.threads[*thread].in_flight.retain(|_, group| *group > done);
    }
}

/// Sums are nobody's until they are awaited.
pub(super) fn check(block: &Block<'_>, thread: usize, op: &Op) -> Result<(), String> {
    let in_flight = &block.threads[thread].in_flight;
    let read = op.from.iter().filter_map(|operand| match operand {
        Operand::Register(register) | Operand::Address(register, _) => Some(register),
        _ => None,
    });
    match read.chain(&op.to).any(|register| in_flight.contains_key(register)) {
        true => Err("a sum is touched before it is awaited".to_owned()),
        false => Ok(()),
    }
}
