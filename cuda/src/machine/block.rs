//! A block of threads at work: each goes on alone until its warp or its block has to meet.

use std::collections::HashMap;

use super::boxes::{self, Boxes};
use super::code::{Change, Code, Space};
use super::memory::{Memory, Shared, Touch, aligned, number, put};
use super::scalars::{Two, Type, fused, inserted, multiplied, one, two};
use super::text::{Kernel, Op, Operand, Special, room_at};
use crate::emulator::Adding;

pub(super) const LANES: usize = 32;
/// Instructions of a thread, after which it is taken to go round for ever.
const STEPS_MAX: u64 = 1 << 30;

/// Where a launch's blocks are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub blocks: [u32; 3],
    pub threads: u32,
    /// Bytes of memory that a block has besides.
    pub room: usize,
    pub at: [u32; 3],
}

pub(super) struct Block<'a> {
    pub kernel: &'a Kernel,
    pub memory: &'a mut Memory,
    pub parameters: &'a [u8],
    grid: Grid,
    pub adding: Adding,
    pub shared: Shared,
    pub boxes: Boxes,
    pub threads: Vec<Thread>,
    /// Whether anything was done since it was last asked.
    is_going: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Going,
    /// At an instruction that its warp does together.
    AtWarp,
    AtBarrier,
    /// For the turn of a barrier, which it tries again.
    Trying,
    Done,
}

pub(super) struct Thread {
    pub at: usize,
    pub registers: Vec<u64>,
    pub state: State,
    steps: u64,
    local: Vec<u8>,
    /// What is on its way to shared memory, by groups; the last is still open.
    fetched: Vec<Vec<(u64, Vec<u8>)>>,
    /// Registers whose sums are not awaited, and of which group.
    pub in_flight: HashMap<usize, u64>,
}

impl<'a> Block<'a> {
    pub(super) fn new(
        kernel: &'a Kernel,
        memory: &'a mut Memory,
        parameters: &'a [u8],
        grid: Grid,
        adding: Adding,
    ) -> Self {
        let thread = || Thread {
            at: 0,
            registers: vec![0xdead_beef_dead_beef; kernel.registers],
            state: State::Going,
            steps: 0,
            local: vec![0xa5; kernel.local_bytes],
            fetched: vec![Vec::new()],
            in_flight: HashMap::new(),
        };
        let threads = (0..grid.threads).map(|_| thread()).collect();
        let room = if kernel.has_room { room_at(kernel.shared_bytes) + grid.room } else { 0 };
        let shared = Shared::new(kernel.shared_bytes.max(room));
        let boxes = Boxes::default();
        let is_going = true;
        Self { kernel, memory, parameters, grid, adding, shared, boxes, threads, is_going }
    }

    pub(super) fn run(&mut self) -> Result<(), String> {
        loop {
            for warp in 0..self.threads.len().div_ceil(LANES) {
                self.run_warp(warp)?;
            }
            if self.try_again()? {
                continue;
            }
            let is_at_barrier = |thread: &&mut Thread| thread.state == State::AtBarrier;
            let mut waiting = self.threads.iter_mut().filter(is_at_barrier).peekable();
            let Some(first) = waiting.peek() else { return self.boxes.end() };
            let place = first.at;
            for thread in waiting {
                if thread.at != place {
                    let line = self.kernel.ops[place].line;
                    return Err(format!("line {line}: some wait at another barrier"));
                }
                thread.at += 1;
                thread.state = State::Going;
            }
            self.is_going = true;
            self.shared.epoch += 1;
        }
    }

    /// Whether somebody waits for the turn of a barrier, who is to try again then.
    fn try_again(&mut self) -> Result<bool, String> {
        let mut are_some = false;
        for thread in &mut self.threads {
            if thread.state == State::Trying {
                if !self.is_going {
                    let line = self.kernel.ops[thread.at].line;
                    return Err(format!("line {line}: what is waited for never comes"));
                }
                thread.state = State::Going;
                are_some = true;
            }
        }
        self.is_going = false;
        Ok(are_some)
    }

    fn run_warp(&mut self, warp: usize) -> Result<(), String> {
        let lanes = warp * LANES..(warp * LANES + LANES).min(self.threads.len());
        loop {
            for thread in lanes.clone() {
                while self.threads[thread].state == State::Going {
                    let op = &self.kernel.ops[self.threads[thread].at];
                    self.step(thread, op)
                        .map_err(|why| format!("line {}, thread {thread}: {why}", op.line))?;
                }
            }
            let waits = |thread: &usize| self.threads[*thread].state == State::AtWarp;
            let Some(place) = lanes.clone().filter(waits).map(|at| self.threads[at].at).min()
            else {
                return Ok(());
            };
            let op = &self.kernel.ops[place];
            let here = |thread: &usize| waits(thread) && self.threads[*thread].at == place;
            let here: Vec<usize> = lanes.clone().filter(here).collect();
            super::warp::together(self, warp, op, &here)
                .map_err(|why| format!("line {}, warp {warp}: {why}", op.line))?;
            for thread in here {
                self.threads[thread].at += 1;
                self.threads[thread].state = State::Going;
            }
        }
    }

    #[inline(always)]
    pub(super) fn value(&self, thread: usize, operand: Operand) -> u64 {
        match operand {
            Operand::Register(register) => self.threads[thread].registers[register],
            Operand::Value(value) => value,
            Operand::Address(register, offset) => {
                self.threads[thread].registers[register].wrapping_add_signed(offset)
            }
            Operand::Special(special) => u64::from(match special {
                Special::Thread(0) => thread as u32,
                Special::Threads(0) => self.grid.threads,
                Special::Thread(_) => 0,
                Special::Threads(_) => 1,
                Special::Block(axis) => self.grid.at[axis],
                Special::Blocks(axis) => self.grid.blocks[axis],
                Special::Lane => (thread % LANES) as u32,
            }),
        }
    }

    fn step(&mut self, thread: usize, op: &Op) -> Result<(), String> {
        let of = &mut self.threads[thread];
        of.steps += 1;
        if of.steps > STEPS_MAX {
            return Err("goes round for ever".to_owned());
        }
        if op.guard.is_some_and(|(register, wanted)| (of.registers[register] == 1) != wanted) {
            of.at += 1;
            return Ok(());
        }
        if !of.in_flight.is_empty() && !matches!(op.code, Code::Warp(_)) {
            boxes::check(self, thread, op)?;
        }
        let from = |nth: usize| self.value(thread, op.from[nth]);
        let found = match op.code {
            Code::Jump(place) => {
                of_at(self, thread).at = place;
                return Ok(());
            }
            Code::Return => return self.end(thread),
            Code::Barrier | Code::Warp(_) => {
                let is_barrier = op.code == Code::Barrier;
                of_at(self, thread).state =
                    if is_barrier { State::AtBarrier } else { State::AtWarp };
                return Ok(());
            }
            Code::Move(of) if op.to.len() == 1 && op.from.len() == 1 => of.of(from(0)),
            Code::Move(of) => return self.moved(thread, op, of),
            Code::One(what, of) => one(what, of, from(0)),
            Code::Two(what @ Two::Multiply(part), of) => match of {
                Type::Float(_) => two(what, of, from(0), from(1)),
                _ => multiplied(part, of, from(0), from(1)),
            },
            Code::Two(what, Type::Predicate) => two(what, Type::Unsigned(1), from(0), from(1)),
            Code::Two(what, of) => two(what, of, from(0), from(1)),
            Code::Sum(part, of) => {
                let product = multiplied(part, of, from(0), from(1));
                let of = match (part, of) {
                    (super::scalars::Part::Wide, Type::Signed(bits)) => Type::Signed(2 * bits),
                    (super::scalars::Part::Wide, of) => Type::Unsigned(2 * of.bits()),
                    (_, of) => of,
                };
                two(Two::Add, of, product, from(2))
            }
            Code::Fused(of) => fused(of, from(0), from(1), from(2)),
            Code::Select(of) => of.of(if from(2) == 1 { from(0) } else { from(1) }),
            Code::Insert(of) => inserted(of, from(0), from(1), from(2), from(3)),
            Code::Compare(compare, of) => {
                let is_both = op.from.len() < 3 || from(2) == 1;
                u64::from(compare.holds(of, from(0), from(1)) && is_both)
            }
            Code::Convert(convert) => convert.apply(from(0)),
            _ => return self.act(thread, op),
        };
        let of = &mut self.threads[thread];
        of.registers[op.to[0]] = found;
        of.at += 1;
        Ok(())
    }

    /// What is done to memory, and to barriers that are in it.
    fn act(&mut self, thread: usize, op: &Op) -> Result<(), String> {
        match op.code {
            Code::Turns(what) => {
                let is_over = boxes::turns(self, thread, op, what)?;
                self.is_going |= is_over;
                let of = &mut self.threads[thread];
                if !is_over {
                    of.state = State::Trying;
                    return Ok(());
                }
                if let Some(to) = op.to.first() {
                    of.registers[*to] = 1;
                }
            }
            Code::FetchBox => boxes::fetch(self, thread, op)?,
            Code::Fetch | Code::Mark | Code::Await => self.fetch(thread, op)?,
            Code::Order => {}
            _ => self.access(thread, op)?,
        }
        of_at(self, thread).at += 1;
        Ok(())
    }

    /// One value, or the parts of one to several registers, or several to the parts of one.
    fn moved(&mut self, thread: usize, op: &Op, of: Type) -> Result<(), String> {
        let values: Vec<u64> = op.from.iter().map(|from| self.value(thread, *from)).collect();
        let parts = op.to.len().max(values.len()) as u32;
        let bits = of.bits() / parts;
        let whole = values.iter().rev().fold(0, |whole, value| match parts {
            1 => of.of(*value),
            _ if values.len() == 1 => *value,
            _ => whole << bits | Type::Unsigned(bits).of(*value),
        });
        let thread = &mut self.threads[thread];
        for (nth, to) in op.to.iter().enumerate() {
            thread.registers[*to] = match op.to.len() {
                1 => whole,
                _ => Type::Unsigned(bits).of(whole >> (nth as u32 * bits)),
            };
        }
        thread.at += 1;
        Ok(())
    }

    fn end(&mut self, thread: usize) -> Result<(), String> {
        let of = &mut self.threads[thread];
        of.state = State::Done;
        match of.fetched.iter().all(Vec::is_empty) {
            true => Ok(()),
            false => Err("ends while something is on its way to it".to_owned()),
        }
    }

    fn place(
        &mut self,
        thread: usize,
        space: Space,
        (address, bytes): (u64, usize),
        how: Touch,
    ) -> Result<&mut [u8], String> {
        aligned(address, bytes)?;
        match space {
            Space::Global => self.memory.value(address, bytes),
            Space::Shared => self.shared.touch(address, bytes, thread / LANES, how),
            Space::Local => {
                let from = address as usize;
                let found = self.threads[thread].local.get_mut(from..from + bytes);
                found.ok_or_else(|| format!("{bytes} bytes at {address:#x} of a thread's own"))
            }
            Space::Parameter => Err("a parameter is read only".to_owned()),
        }
    }

    fn access(&mut self, thread: usize, op: &Op) -> Result<(), String> {
        let address = self.value(thread, op.from[0]);
        match op.code {
            Code::Load(Space::Parameter, of) => {
                let from = address as usize;
                let bytes = self.parameters.get(from..from + of.bytes()).ok_or("no parameter")?;
                self.threads[thread].registers[op.to[0]] = number(bytes);
            }
            Code::Load(space, of) => {
                let bytes = of.bytes();
                // Parts of a vector lie as the whole does.
                aligned(address, bytes * op.to.len())?;
                for (nth, to) in op.to.iter().enumerate() {
                    let at = address + (nth * bytes) as u64;
                    let found = number(self.place(thread, space, (at, bytes), Touch::Read)?);
                    self.threads[thread].registers[*to] = found;
                }
            }
            Code::Store(space, of) => {
                let bytes = of.bytes();
                aligned(address, bytes * (op.from.len() - 1))?;
                for (nth, from) in op.from[1..].iter().enumerate() {
                    let value = of.of(self.value(thread, *from));
                    let at = address + (nth * bytes) as u64;
                    put(self.place(thread, space, (at, bytes), Touch::Write)?, value);
                }
            }
            Code::Atomic(space, change, of) => {
                let value = self.value(thread, op.from[1]);
                let slot = self.place(thread, space, (address, of.bytes()), Touch::Change)?;
                let before = number(slot);
                let after = match change {
                    Change::Add => two(Two::Add, of, before, value),
                    Change::Least => two(Two::Least, of, before, value),
                    Change::Most => two(Two::Most, of, before, value),
                    Change::Exchange => of.of(value),
                };
                put(slot, after);
                if let Some(to) = op.to.first() {
                    self.threads[thread].registers[*to] = before;
                }
            }
            _ => return Err("no access".to_owned()),
        }
        Ok(())
    }

    /// Copies arrive as late as they may: when they are awaited.
    fn fetch(&mut self, thread: usize, op: &Op) -> Result<(), String> {
        match op.code {
            Code::Fetch => {
                let to = self.value(thread, op.from[0]);
                let from = self.value(thread, op.from[1]);
                let bytes = self.memory.value(from, 16)?.to_vec();
                aligned(to, 16)?;
                // Nobody may be there from now on.
                self.shared.touch(to, 16, thread / LANES, Touch::Write)?.fill(0x5a);
                let groups = &mut self.threads[thread].fetched;
                if let Some(open) = groups.last_mut() {
                    open.push((to, bytes));
                }
            }
            Code::Mark => self.threads[thread].fetched.push(Vec::new()),
            _ => {
                let left = self.value(thread, op.from[0]) as usize;
                let groups = &mut self.threads[thread].fetched;
                let many = groups.len().saturating_sub(left + 1);
                let done: Vec<_> = groups.drain(..many).flatten().collect();
                for (to, bytes) in done {
                    let slot = self.shared.touch(to, 16, thread / LANES, Touch::Write)?;
                    slot.copy_from_slice(&bytes);
                }
            }
        }
        Ok(())
    }
}

fn of_at<'b>(block: &'b mut Block<'_>, thread: usize) -> &'b mut Thread {
    &mut block.threads[thread]
}
