//! A device that was found, by its driver. Nothing of the driver is called before it is known to be
//! there: without libcuda, the calls behind it would end the program.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;

use cudarc::driver::sys::{self, CUresult};
use cudarc::driver::{CudaContext, CudaFunction, CudaStream, DriverError, result};
use cudarc::nvrtc::Ptx;

use crate::card::{Blocks, Card, Given, Kernel, Map, QUEUES};
use crate::cost::{ASKED_FROM_SECONDS, Rates, Work};
use crate::error::CudaError;
use crate::tile::{BOX_DEPTH, BOX_LINES, HOPPER_ROOM};

/// The kernels, as they are committed.
pub(crate) const MODULES: [&str; 4] = [
    include_str!("../kernels/kmeans.compute_80.ptx"),
    include_str!("../kernels/neighbours.compute_80.ptx"),
    include_str!("../kernels/gram.compute_80.ptx"),
    include_str!("../kernels/layout.compute_80.ptx"),
];
/// Those that only devices of compute capability 9.0 can read.
pub(crate) const HOPPER: &str = include_str!("../kernels/hopper.compute_90a.ptx");
/// Of the driver that reads this PTX first: CUDA 12.5.
const DRIVER_MIN: i32 = 12_050;

/// A device.
pub struct Gpu {
    pub(crate) card: Rc<dyn Card>,
    pub name: String,
    /// How fast it may be taken to be.
    pub rates: Rates,
}

/// Who is to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Whoever is done sooner.
    Auto,
    Cores,
    Cuda,
}

impl Gpu {
    /// The first device, if it is for this work, that takes the cores so many seconds.
    ///
    /// # Errors
    /// Where a device was asked for, and there is none that will do.
    pub fn choose(
        wanted: Wanted,
        work: &Work,
        cores_seconds: f64,
    ) -> Result<Option<Self>, CudaError> {
        match wanted {
            Wanted::Cores => Ok(None),
            Wanted::Cuda => Self::find().map(Some),
            Wanted::Auto if cores_seconds < ASKED_FROM_SECONDS => Ok(None),
            // Nobody asked for one: no reason to say why there is none.
            Wanted::Auto => {
                let is_worth = |gpu: &Self| gpu.rates.is_worth(work, cores_seconds);
                Ok(Self::find().ok().filter(is_worth))
            }
        }
    }

    /// The first device.
    ///
    /// # Errors
    /// Where there is no driver or device, or one that is too old.
    pub fn find() -> Result<Self, CudaError> {
        // SAFETY: loads a library, if there is one; the driver's own has no state before cuInit.
        if !unsafe { sys::is_culib_present() } {
            return Err(CudaError::NoDriver);
        }
        let mut version = 0;
        // SAFETY: the library is there, and this is a call of all its versions.
        let asked = unsafe { sys::cuDriverGetVersion(&mut version) };
        asked.result().map_err(|error| CudaError::NoDevice(text(error)))?;
        if version < DRIVER_MIN {
            return Err(CudaError::OldDriver(version));
        }
        Self::open(0)
    }

    fn open(ordinal: usize) -> Result<Self, CudaError> {
        let context =
            CudaContext::new(ordinal).map_err(|error| CudaError::NoDevice(text(error)))?;
        let name = context.name().map_err(failed("tell its name"))?;
        let capability = context.compute_capability();
        let (major, minor) = capability.map_err(failed("tell what it can do"))?;
        if major < 8 {
            return Err(CudaError::OldDevice { name, major, minor });
        }
        let rates = rates(&context).map_err(failed("tell how fast it is"))?;
        let mut queues = Vec::new();
        for _ in 0..QUEUES {
            queues.push(context.new_stream().map_err(failed("open a queue"))?);
        }
        let hoppers = match (major, minor) {
            (9, 0) => Some(processors(&context).map_err(failed("tell how fast it is"))?),
            _ => None,
        };
        let hoppers = Cell::new(hoppers);
        let card = Driver { context, queues, functions: RefCell::default(), hoppers };
        Ok(Self { card: Rc::new(card), name, rates })
    }

    /// This one, and others until there are so many, as far as there are any that will do.
    pub(crate) fn cards(&self, many: usize) -> Vec<Rc<dyn Card>> {
        let all = match many {
            0 | 1 => 1,
            _ => CudaContext::device_count().map_or(1, |all| all.max(1) as usize),
        };
        let others = (1..all.min(many)).filter_map(|ordinal| Self::open(ordinal).ok());
        std::iter::once(Rc::clone(&self.card)).chain(others.map(|other| other.card)).collect()
    }

    /// Whether kernels are for Hopper alone (compute capability 9.0) where there are any.
    pub fn has_hoppers(&self) -> bool {
        self.card.hoppers().is_some()
    }

    /// From now on kernels are those that all devices have.
    pub fn distrust_hoppers(&self) {
        self.card.distrust_hoppers();
    }

    /// Bytes of memory that are free.
    ///
    /// # Errors
    /// Where the driver does not tell.
    pub fn free(&self) -> Result<u64, CudaError> {
        self.card.free()
    }
}

/// Multiprocessors of a device.
fn processors(context: &CudaContext) -> Result<usize, DriverError> {
    let what = sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
    context.attribute(what).map(|many| many.max(1) as usize)
}

/// As a device describes itself.
fn rates(context: &CudaContext) -> Result<Rates, DriverError> {
    use sys::CUdevice_attribute_enum as Attribute;
    let ask = |what| context.attribute(what).map(f64::from);
    let many = ask(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
    // In kilohertz, and memory's twice a clock.
    let clock = ask(Attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE)? * 1e3;
    let memory = ask(Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE)? * 1e3;
    let wide = ask(Attribute::CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH)?;
    Ok(Rates::of(many, clock, 2.0 * memory * wide / 8.0))
}

/// NVIDIA's driver, and a device of it.
struct Driver {
    context: Arc<CudaContext>,
    queues: Vec<Arc<CudaStream>>,
    /// Kernels that were asked for: the driver compiles a module when it is loaded.
    functions: RefCell<HashMap<Kernel, CudaFunction>>,
    hoppers: Cell<Option<usize>>,
}

impl Driver {
    fn queue(&self, queue: usize) -> Result<sys::CUstream, DriverError> {
        self.context.bind_to_thread()?;
        Ok(self.queues[queue % QUEUES].cu_stream())
    }

    fn function(&self, kernel: Kernel) -> Result<CudaFunction, CudaError> {
        if let Some(found) = self.functions.borrow().get(&kernel) {
            return Ok(found.clone());
        }
        let entry = format!(".entry {}(", kernel.0);
        let mut modules = MODULES.iter().chain([&HOPPER]);
        let module = modules.find(|text| text.contains(&entry)).ok_or_else(|| {
            let reason = format!("there is no {}", kernel.0);
            CudaError::Driver { doing: "find a kernel", reason }
        })?;
        let loaded = self.context.load_module(Ptx::from_src(*module));
        let loaded = loaded.map_err(failed("load its kernels"))?;
        let mut functions = self.functions.borrow_mut();
        // All of a module at once, so that it is compiled once.
        for (_, rest) in module.match_indices(".entry ").map(|(at, _)| module.split_at(at + 7)) {
            let name = rest.split('(').next().unwrap_or_default();
            let found = loaded.load_function(name).map_err(failed("find a kernel"))?;
            if *module == HOPPER {
                let what =
                    sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                let room = HOPPER_ROOM.cast_signed();
                found.set_attribute(what, room).map_err(failed("give a kernel room"))?;
            }
            functions.insert(Kernel(name), found);
        }
        let found = functions.get(&kernel).cloned();
        found.ok_or(CudaError::Driver { doing: "find a kernel", reason: entry })
    }
}

impl Card for Driver {
    fn free(&self) -> Result<u64, CudaError> {
        let told = self.context.mem_get_info();
        let (free, _) = told.map_err(failed("tell how much memory is free"))?;
        Ok(free as u64)
    }

    fn give(&self, bytes: usize) -> Result<u64, CudaError> {
        let given = (|| {
            let queue = self.queue(0)?;
            // SAFETY: a context is bound. What is given is zero before any queue gets to know of
            // it, since this one is waited for.
            unsafe {
                let address = result::malloc_sync(bytes)?;
                let cleared = result::memset_d8_async(address, 0, bytes, queue)
                    .and_then(|()| result::stream::synchronize(queue));
                match cleared {
                    Ok(()) => Ok(address),
                    Err(error) => result::free_sync(address).and(Err(error)),
                }
            }
        })();
        given.map_err(|error| match error {
            DriverError(CUresult::CUDA_ERROR_OUT_OF_MEMORY) => {
                CudaError::NoRoom { needed: bytes as u64, free: self.free().unwrap_or_default() }
            }
            error => CudaError::Driver { doing: "give memory", reason: text(error) },
        })
    }

    fn take_back(&self, address: u64) {
        // A device that is lost has taken its memory with it.
        let _is_lost = self.context.bind_to_thread().and_then(|()| {
            // SAFETY: `give` gave it, and whoever held it is gone. This waits for what still
            // reads or writes it.
            unsafe { result::free_sync(address) }
        });
    }

    fn send(&self, queue: usize, to: u64, bytes: &[u8]) -> Result<(), CudaError> {
        let sent = self.queue(queue).and_then(|queue| {
            // SAFETY: `Held` has room for as many. Of memory that is not pinned the driver has
            // taken a copy when it returns.
            unsafe { result::memcpy_htod_async(to, bytes, queue) }
        });
        sent.map_err(failed("copy to it"))
    }

    fn clear(&self, queue: usize, at: u64, bytes: usize) -> Result<(), CudaError> {
        let cleared = self.queue(queue).and_then(|queue| {
            // SAFETY: `Held` has as many.
            unsafe { result::memset_d8_async(at, 0, bytes, queue) }
        });
        cleared.map_err(failed("clear its memory"))
    }

    fn read(&self, queue: usize, from: u64, bytes: &mut [u8]) -> Result<(), CudaError> {
        let read = self.queue(queue).and_then(|queue| {
            // SAFETY: `Held` has as many, and they are here before `bytes` is given back.
            unsafe {
                result::memcpy_dtoh_async(bytes, from, queue)?;
                result::stream::synchronize(queue)
            }
        });
        read.map_err(failed("copy from it"))
    }

    fn start(
        &self,
        queue: usize,
        kernel: Kernel,
        blocks: Blocks,
        given: &[Given],
    ) -> Result<(), CudaError> {
        let function = self.function(kernel)?;
        let mut given = given.to_vec();
        let mut places: Vec<*mut c_void> = given.iter_mut().map(place).collect();
        let [x, y] = blocks.blocks.map(|many| many as u32);
        let started = self.queue(queue).and_then(|queue| {
            let function = function.cu_function();
            let threads = (blocks.threads, 1, 1);
            // SAFETY: a test holds each kernel's parameters against what it is given, and that it
            // keeps within its memory; the driver copies what `places` point to.
            unsafe {
                result::launch_kernel(function, (x, y, 1), threads, blocks.room, queue, &mut places)
            }
        });
        started.map_err(failed("start a kernel"))
    }

    fn hoppers(&self) -> Option<usize> {
        self.hoppers.get()
    }

    fn distrust_hoppers(&self) {
        self.hoppers.set(None);
    }

    fn map(&self, address: u64, rows: usize, depth: usize) -> Result<Map, CudaError> {
        let mut map = sys::CUtensorMap { opaque: [0; 16] };
        let (sizes, line) = ([depth as u64, rows as u64], [depth as u64 * 2]);
        let (lot, each) = ([BOX_DEPTH as u32, BOX_LINES as u32], [1, 1]);
        // SAFETY: the driver is of CUDA 12, and writes the map; it only looks at the address.
        let made = unsafe {
            sys::cuTensorMapEncodeTiled(
                &raw mut map,
                sys::CUtensorMapDataType_enum::CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
                sizes.len() as u32,
                address as *mut c_void,
                sizes.as_ptr(),
                line.as_ptr(),
                lot.as_ptr(),
                each.as_ptr(),
                sys::CUtensorMapInterleave_enum::CU_TENSOR_MAP_INTERLEAVE_NONE,
                sys::CUtensorMapSwizzle_enum::CU_TENSOR_MAP_SWIZZLE_128B,
                sys::CUtensorMapL2promotion_enum::CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
                sys::CUtensorMapFloatOOBfill_enum::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
            )
        };
        made.result().map_err(failed("map its memory"))?;
        Ok(Map(map.opaque))
    }

    fn wait(&self, queue: usize) -> Result<(), CudaError> {
        let waited = self.queue(queue).and_then(|queue| {
            // SAFETY: the queue is one of ours.
            unsafe { result::stream::synchronize(queue) }
        });
        waited.map_err(failed("do what it was asked"))
    }
}

fn place(given: &mut Given) -> *mut c_void {
    match given {
        Given::Address(value) => std::ptr::from_mut(value).cast(),
        Given::Whole(value) => std::ptr::from_mut(value).cast(),
        Given::Single(value) => std::ptr::from_mut(value).cast(),
        Given::Double(value) => std::ptr::from_mut(value).cast(),
        Given::Map(map) => std::ptr::from_mut(map).cast(),
    }
}

/// Says what the device was doing.
fn failed(doing: &'static str) -> impl Fn(DriverError) -> CudaError {
    move |error| CudaError::Driver { doing, reason: text(error) }
}

/// The driver's words for an error.
fn text(error: DriverError) -> String {
    let words = error.error_string().map(|words| words.to_string_lossy().into_owned());
    words.unwrap_or_else(|_| format!("{:?}", error.0))
}
