//! What the lanes of a warp do together: values handed round, votes, and products of matrices by
//! the layouts of PTX ISA 8.5, chapters 9.7.9 and 9.7.15.

use super::block::{Block, LANES};
use super::boxes;
use super::code::{Code, Shuffle, Vote, Warp};
use super::memory::{Touch, aligned};
use super::scalars::{of_single, single};
use super::text::Op;
use crate::emulator::product;
use crate::half::to_single;

/// All lanes that are `here` do it, and who is asked for must be here.
pub(super) fn together(
    block: &mut Block<'_>,
    warp: usize,
    op: &Op,
    here: &[usize],
) -> Result<(), String> {
    let Code::Warp(what) = op.code else { return Err("nothing for a warp".to_owned()) };
    let mask = match what {
        Warp::LoadMatrices | Warp::Multiply => None,
        Warp::MultiplyBoxes | Warp::MarkBoxes | Warp::AwaitBoxes => None,
        _ => op.from.last().copied(),
    };
    for thread in here {
        let wanted = mask.map_or(u32::MAX, |mask| block.value(*thread, mask) as u32);
        for lane in (0..LANES).filter(|lane| wanted >> lane & 1 == 1) {
            if !here.contains(&(warp * LANES + lane)) {
                return Err(format!("lane {lane} is not there"));
            }
        }
    }
    match what {
        Warp::Meet => Ok(()),
        Warp::Shuffle(way) => shuffle(block, op, here, way),
        Warp::Vote(vote) => {
            let holds = |thread: &usize| block.value(*thread, op.from[0]) == 1;
            let bits = here.iter().filter(|thread| holds(thread));
            let bits = bits.fold(0_u64, |bits, thread| bits | 1 << (thread % LANES));
            let found = match vote {
                Vote::Any => u64::from(bits != 0),
                Vote::All => u64::from(bits.count_ones() as usize == here.len()),
                Vote::Ballot => bits,
            };
            here.iter().for_each(|thread| block.threads[*thread].registers[op.to[0]] = found);
            Ok(())
        }
        Warp::LoadMatrices => load_matrices(block, op, here),
        Warp::Multiply => {
            multiply(block, op, here);
            Ok(())
        }
        Warp::MultiplyBoxes => boxes::multiply(block, warp, op, here),
        Warp::MarkBoxes => {
            boxes::mark(block, warp);
            Ok(())
        }
        Warp::AwaitBoxes => {
            boxes::wait(block, warp, op, here);
            Ok(())
        }
    }
}

fn shuffle(block: &mut Block<'_>, op: &Op, here: &[usize], way: Shuffle) -> Result<(), String> {
    let values: Vec<u64> = here.iter().map(|thread| block.value(*thread, op.from[0])).collect();
    let mut found = Vec::new();
    for (thread, own) in here.iter().zip(&values) {
        let lane = thread % LANES;
        let by = block.value(*thread, op.from[1]) as usize & 31;
        let bounds = block.value(*thread, op.from[2]) as usize;
        let (clamp, segment) = (bounds & 31, bounds >> 8 & 31);
        let last = (lane & segment) | (clamp & !segment);
        let first = lane & segment;
        let (other, is_inside) = match way {
            Shuffle::Across => (lane ^ by, lane ^ by <= last),
            Shuffle::Down => (lane + by, lane + by <= last),
            Shuffle::Up => (lane.wrapping_sub(by), lane >= by + last),
            Shuffle::From => (first | (by & !segment), first | (by & !segment) <= last),
        };
        let other = if is_inside { other } else { lane };
        let place = here.iter().position(|thread| thread % LANES == other);
        let value = match place {
            Some(place) => values[place],
            None if other == lane => *own,
            None => return Err(format!("lane {other} is asked and not there")),
        };
        found.push((*thread, value, is_inside));
    }
    for (thread, value, is_inside) in found {
        let registers = &mut block.threads[thread].registers;
        registers[op.to[0]] = value & 0xffff_ffff;
        if let Some(to) = op.to.get(1) {
            registers[*to] = u64::from(is_inside);
        }
    }
    Ok(())
}

/// Four matrices of eight rows, whose addresses eight lanes each have: of each, a lane gets two
/// halves beside each other.
fn load_matrices(block: &mut Block<'_>, op: &Op, here: &[usize]) -> Result<(), String> {
    for (nth, to) in op.to.iter().enumerate() {
        let mut rows = Vec::new();
        for row in 0..8 {
            let address = block.value(here[nth * 8 + row], op.from[0]);
            aligned(address, 16)?;
            let bytes = block.shared.touch(address, 16, here[0] / LANES, Touch::Read)?;
            rows.push(bytes.to_vec());
        }
        for (lane, thread) in here.iter().enumerate() {
            let pair = &rows[lane / 4][lane % 4 * 4..][..4];
            let value = super::memory::number(pair);
            block.threads[*thread].registers[*to] = value;
        }
    }
    Ok(())
}

/// 16 × 16 halves times 16 × 8, added to floats.
fn multiply(block: &mut Block<'_>, op: &Op, here: &[usize]) {
    let read = |lane: usize, nth: usize| block.value(here[lane], op.from[nth]);
    let half = |word: u64, nth: usize| to_single((word >> (16 * nth)) as u16);
    let (mut a, mut b) = ([[0.0; 16]; 16], [[0.0; 16]; 8]);
    for lane in 0..LANES {
        let (group, pair) = (lane / 4, lane % 4 * 2);
        for nth in 0..2 {
            for part in 0..4 {
                let (row, column) = (group + part % 2 * 8, pair + part / 2 * 8 + nth);
                a[row][column] = half(read(lane, part), nth);
            }
            for part in 0..2 {
                b[group][pair + part * 8 + nth] = half(read(lane, 4 + part), nth);
            }
        }
    }
    let adding = block.adding;
    let mut found = Vec::new();
    for (lane, thread) in here.iter().enumerate() {
        for (part, to) in op.to.iter().enumerate() {
            let (row, column) = (lane / 4 + part / 2 * 8, lane % 4 * 2 + part % 2);
            let sum = single(block.value(*thread, op.from[6 + part]));
            found.push((*thread, *to, product(&a[row], &b[column], sum, adding)));
        }
    }
    for (thread, to, sum) in found {
        block.threads[thread].registers[to] = of_single(sum);
    }
}
