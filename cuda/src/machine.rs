//! A device for tests: it goes through the PTX that is committed, instruction by instruction, as
//! a device that finds fault with everything would. What is read or written must have been given,
//! and lie where its size has it; two warps must not be at one word of shared memory between two
//! barriers; lanes that are waited for must come; what is copied arrives as late as it may. Tensor
//! cores round as [`Adding`] says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod block;
mod boxes;
mod code;
mod memory;
mod scalars;
mod tests;
mod text;
mod warp;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use block::{Block, Grid};
use memory::{Memory, put};
use text::kernels;

use crate::card::{Blocks, Card, Given, Kernel, Map};
use crate::emulator::Adding;
use crate::error::CudaError;

/// By what a map is known that this machine made.
const MAP: u64 = 0x006c_696d_6e00_6d61;
/// Memory of a device whose size nobody asked about.
const BYTES: u64 = 1 << 32;

pub(crate) struct Machine {
    kernels: Vec<text::Kernel>,
    memory: RefCell<Memory>,
    adding: Adding,
    bytes: u64,
    /// Kernels that may still be started, where somebody says so.
    pub left: Cell<Option<u64>>,
    /// Processors, where it has Hopper's instructions.
    pub hoppers: Cell<Option<usize>>,
}

impl Machine {
    pub(crate) fn new(adding: Adding) -> Rc<Self> {
        Self::of(&modules(), adding, BYTES)
    }

    /// One that has Hopper's instructions, and two processors.
    pub(crate) fn of_hopper(adding: Adding) -> Rc<Self> {
        Self::of_hopper_with(crate::device::HOPPER, adding)
    }

    /// One that has these for kernels of Hopper.
    pub(crate) fn of_hopper_with(text: &str, adding: Adding) -> Rc<Self> {
        let modules: Vec<&str> = crate::device::MODULES.into_iter().chain([text]).collect();
        let made = Self::of(&modules, adding, BYTES);
        made.hoppers.set(Some(2));
        made
    }

    /// With so many bytes of memory.
    pub(crate) fn with_memory(adding: Adding, bytes: u64) -> Rc<Self> {
        Self::of(&modules(), adding, bytes)
    }

    /// One whose sums of 32 bits are off by a thousandth.
    pub(crate) fn that_errs() -> Rc<Self> {
        let off = |text: &str| {
            let text = text.replace("sub.f32", "fma.rn.f32").replace("sub.rn.f32", "fma.rn.f32");
            let with_third = |line: &str| match line.contains("fma.rn.f32") {
                true if line.matches(',').count() == 2 => line.replace(';', ", 0f3A83126F;"),
                _ => line.to_owned(),
            };
            text.lines().map(with_third).collect::<Vec<_>>().join("\n")
        };
        let texts: Vec<String> = modules().iter().map(|text| off(text)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Self::of(&texts, Adding::Cut, BYTES)
    }

    fn of(texts: &[&str], adding: Adding, bytes: u64) -> Rc<Self> {
        let kernels = texts.iter().flat_map(|text| kernels(text).unwrap()).collect();
        let (memory, left, hoppers) = (RefCell::default(), Cell::new(None), Cell::new(None));
        Rc::new(Self { kernels, memory, adding, bytes, left, hoppers })
    }

    fn run(&self, kernel: Kernel, blocks: Blocks, given: &[Given]) -> Result<(), String> {
        if let Some(left) = self.left.get() {
            let left = left.checked_sub(1).ok_or("an illegal memory access was encountered")?;
            self.left.set(Some(left));
        }
        let found = self.kernels.iter().find(|one| one.name == kernel.0);
        let found = found.ok_or_else(|| format!("no kernel {}", kernel.0))?;
        if found.parameters.len() != given.len() || found.threads_max != blocks.threads as usize {
            return Err(format!("{} is started otherwise than it was written", kernel.0));
        }
        let last = found.parameters.last().map_or(0, |(at, bytes)| at + bytes);
        let mut parameters = vec![0; last];
        for ((at, bytes), given) in found.parameters.iter().zip(given) {
            let (value, many) = match *given {
                Given::Address(address) => (address, 8),
                Given::Whole(value) => (u64::from(value), 4),
                Given::Single(value) => (u64::from(value.to_bits()), 4),
                Given::Double(value) => (value.to_bits(), 8),
                Given::Map(map) => (map.0[0], size_of::<Map>()),
            };
            if many != *bytes {
                return Err(format!("{}: {given:?} is not of {bytes} bytes", kernel.0));
            }
            let slot = &mut parameters[*at..at + bytes];
            put(&mut slot[..many.min(8)], value);
            if let Given::Map(map) = given {
                slot.copy_from_slice(bytemuck::cast_slice(&map.0));
            }
        }
        let [x, y] = blocks.blocks.map(|many| many as u32);
        if x == 0 || y == 0 || y > 65_535 {
            return Err(format!("{}: {x} × {y} blocks", kernel.0));
        }
        for at in (0..y).flat_map(|y| (0..x).map(move |x| [x, y, 0])) {
            let room = blocks.room as usize;
            let grid = Grid { blocks: [x, y, 1], threads: blocks.threads, room, at };
            let memory = &mut self.memory.borrow_mut();
            let mut block = Block::new(found, memory, &parameters, grid, self.adding);
            block.run().map_err(|why| format!("{}, block {at:?}, {why}", kernel.0))?;
        }
        Ok(())
    }
}

/// All that are committed.
pub(crate) fn modules() -> Vec<&'static str> {
    crate::device::MODULES.into_iter().chain([crate::device::HOPPER]).collect()
}

fn failed(doing: &'static str) -> impl Fn(String) -> CudaError {
    move |reason| CudaError::Driver { doing, reason }
}

impl Card for Machine {
    fn free(&self) -> Result<u64, CudaError> {
        Ok(self.bytes.saturating_sub(self.memory.borrow().bytes()))
    }

    fn give(&self, bytes: usize) -> Result<u64, CudaError> {
        let free = self.free()?;
        match bytes as u64 <= free {
            true => Ok(self.memory.borrow_mut().give(bytes)),
            false => Err(CudaError::NoRoom { needed: bytes as u64, free }),
        }
    }

    fn take_back(&self, address: u64) {
        self.memory.borrow_mut().take_back(address);
    }

    fn send(&self, _: usize, to: u64, bytes: &[u8]) -> Result<(), CudaError> {
        let mut memory = self.memory.borrow_mut();
        let slot = memory.at(to, bytes.len()).map_err(failed("copy to it"))?;
        slot.copy_from_slice(bytes);
        Ok(())
    }

    fn clear(&self, _: usize, at: u64, bytes: usize) -> Result<(), CudaError> {
        let mut memory = self.memory.borrow_mut();
        memory.at(at, bytes).map_err(failed("clear its memory"))?.fill(0);
        Ok(())
    }

    fn read(&self, _: usize, from: u64, bytes: &mut [u8]) -> Result<(), CudaError> {
        let mut memory = self.memory.borrow_mut();
        let slot = memory.at(from, bytes.len()).map_err(failed("copy from it"))?;
        bytes.copy_from_slice(slot);
        Ok(())
    }

    fn start(
        &self,
        _: usize,
        kernel: Kernel,
        blocks: Blocks,
        given: &[Given],
    ) -> Result<(), CudaError> {
        self.run(kernel, blocks, given).map_err(failed("run a kernel"))
    }

    fn hoppers(&self) -> Option<usize> {
        self.hoppers.get()
    }

    fn distrust_hoppers(&self) {
        self.hoppers.set(None);
    }

    fn map(&self, address: u64, rows: usize, depth: usize) -> Result<Map, CudaError> {
        let mut words = [0; 16];
        words[..4].copy_from_slice(&[address, rows as u64, depth as u64, MAP]);
        Ok(Map(words))
    }

    fn wait(&self, _: usize) -> Result<(), CudaError> {
        Ok(())
    }
}
