//! What is asked of a device: memory, copies, and kernels that are started. The driver does it on a
//! real one, and in tests a [machine](crate::machine) that goes through the committed PTX.

use std::marker::PhantomData;
use std::rc::Rc;

use bytemuck::Pod;

use crate::error::CudaError;

/// Queues, in each of which things are done one after another: two, so that sending and computing
/// go on side by side.
pub(crate) const QUEUES: usize = 2;

/// A kernel, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kernel(pub &'static str);

/// Where an array of halves lies, as the driver describes it: for a kernel that fetches boxes of
/// it (Hopper's).
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Map(pub [u64; 16]);

/// What a kernel is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Given {
    Address(u64),
    Map(Map),
    Whole(u32),
    Single(f32),
    Double(f64),
}

impl From<u32> for Given {
    fn from(value: u32) -> Self {
        Self::Whole(value)
    }
}

impl From<f32> for Given {
    fn from(value: f32) -> Self {
        Self::Single(value)
    }
}

impl From<f64> for Given {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

/// So many blocks along two axes, of so many threads each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub blocks: [usize; 2],
    pub threads: u32,
    /// Bytes of shared memory of a block, beside what its kernel says.
    pub room: u32,
}

impl Blocks {
    pub(crate) fn new(many: usize, threads: u32) -> Self {
        Self { blocks: [many, 1], threads, room: 0 }
    }
}

/// A device.
pub(crate) trait Card {
    /// Bytes of memory that are free.
    fn free(&self) -> Result<u64, CudaError>;

    /// Memory of so many bytes, all zero.
    fn give(&self, bytes: usize) -> Result<u64, CudaError>;

    fn take_back(&self, address: u64);

    /// Copies bytes there, which may change once it returns.
    fn send(&self, queue: usize, to: u64, bytes: &[u8]) -> Result<(), CudaError>;

    /// Makes bytes there zero.
    fn clear(&self, queue: usize, at: u64, bytes: usize) -> Result<(), CudaError>;

    /// Copies bytes from there, once all in the queue before it is done.
    fn read(&self, queue: usize, from: u64, bytes: &mut [u8]) -> Result<(), CudaError>;

    fn start(
        &self,
        queue: usize,
        kernel: Kernel,
        blocks: Blocks,
        given: &[Given],
    ) -> Result<(), CudaError>;

    /// So many processors, if it has Hopper's instructions, and nobody distrusts them.
    fn hoppers(&self) -> Option<usize>;

    /// They do not compute as they should.
    fn distrust_hoppers(&self);

    /// Where so many rows of so many halves lie, for fetching boxes of 128 × 64.
    fn map(&self, address: u64, rows: usize, depth: usize) -> Result<Map, CudaError>;

    /// Until all that is in a queue is done.
    fn wait(&self, queue: usize) -> Result<(), CudaError>;
}

/// Memory of a device, for as long as this is held.
pub(crate) struct Held<T> {
    card: Rc<dyn Card>,
    address: u64,
    many: usize,
    of: PhantomData<T>,
}

impl<T: Pod> Held<T> {
    /// For so many values, all zero.
    pub(crate) fn zeros(card: &Rc<dyn Card>, many: usize) -> Result<Self, CudaError> {
        let address = card.give((many * size_of::<T>()).max(1))?;
        Ok(Self { card: Rc::clone(card), address, many, of: PhantomData })
    }

    /// Of these values.
    pub(crate) fn of(card: &Rc<dyn Card>, values: &[T]) -> Result<Self, CudaError> {
        let held = Self::zeros(card, values.len())?;
        held.fill(0, 0, values)?;
        Ok(held)
    }

    pub(crate) fn len(&self) -> usize {
        self.many
    }

    /// The map of rows of so many values, from the first on.
    pub(crate) fn map(&self, depth: usize) -> Result<Given, CudaError> {
        self.card.map(self.address, self.many / depth, depth).map(Given::Map)
    }

    /// Where the value of a number is.
    pub(crate) fn at(&self, first: usize) -> Given {
        Given::Address(self.address + (first.min(self.many) * size_of::<T>()) as u64)
    }

    fn place(&self, first: usize, many: usize) -> Result<u64, CudaError> {
        match first.checked_add(many).is_some_and(|end| end <= self.many) {
            true => Ok(self.address + (first * size_of::<T>()) as u64),
            false => {
                let reason = format!("{many} values at {first} are not among {}", self.many);
                Err(CudaError::Driver { doing: "copy values", reason })
            }
        }
    }

    /// Puts values there, from a number on.
    pub(crate) fn fill(&self, queue: usize, first: usize, values: &[T]) -> Result<(), CudaError> {
        let to = self.place(first, values.len())?;
        self.card.send(queue, to, bytemuck::cast_slice(values))
    }

    /// Makes values zero.
    pub(crate) fn clear(&self, queue: usize, first: usize, many: usize) -> Result<(), CudaError> {
        self.card.clear(queue, self.place(first, many)?, many * size_of::<T>())
    }

    /// Copies values from there, from a number on.
    pub(crate) fn read(&self, queue: usize, first: usize, to: &mut [T]) -> Result<(), CudaError> {
        let from = self.place(first, to.len())?;
        self.card.read(queue, from, bytemuck::cast_slice_mut(to))
    }

    /// So many values from a number on.
    pub(crate) fn values(
        &self,
        queue: usize,
        first: usize,
        many: usize,
    ) -> Result<Vec<T>, CudaError> {
        let mut values = vec![T::zeroed(); many];
        self.read(queue, first, &mut values)?;
        Ok(values)
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        self.card.take_back(self.address);
    }
}
