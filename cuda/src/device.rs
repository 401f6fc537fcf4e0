//! A device that was found, with the kernels loaded. Nothing of the driver is called before it is
//! known to be there: without libcuda, the calls behind it would end the program.
#![allow(unsafe_code)]

use std::sync::Arc;

use cudarc::driver::sys::{self, CUresult};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DeviceRepr, DriverError, LaunchConfig,
    ValidAsZeroBits,
};
use cudarc::nvrtc::Ptx;

use crate::bound::Terms;
use crate::error::CudaError;

const KMEANS: &str = include_str!("../kernels/kmeans.compute_80.ptx");
/// Of the driver that reads this PTX first: CUDA 12.5.
const DRIVER_MIN: i32 = 12_050;

/// A device and its kernels.
pub struct Gpu {
    pub(crate) context: Arc<CudaContext>,
    /// Two, so that sending and computing go on side by side.
    pub(crate) streams: [Arc<CudaStream>; 2],
    pub(crate) assign: CudaFunction,
    pub(crate) mirror: CudaFunction,
    pub name: String,
}

// SAFETY: four floats in a row, without padding, for which any bits will do.
unsafe impl DeviceRepr for Terms {}
// SAFETY: as above.
unsafe impl ValidAsZeroBits for Terms {}

impl Gpu {
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
        let context = CudaContext::new(0).map_err(|error| CudaError::NoDevice(text(error)))?;
        let failed = |doing| move |error| CudaError::Driver { doing, reason: text(error) };
        let name = context.name().map_err(failed("tell its name"))?;
        let capability = context.compute_capability();
        let (major, minor) = capability.map_err(failed("tell what it can do"))?;
        if major < 8 {
            return Err(CudaError::OldDevice { name, major, minor });
        }
        let module = context.load_module(Ptx::from_src(KMEANS));
        let module = module.map_err(failed("load its kernels"))?;
        let load = |name| module.load_function(name).map_err(failed("find a kernel"));
        let stream = || context.new_stream().map_err(failed("open a stream"));
        Ok(Self {
            streams: [stream()?, stream()?],
            assign: load("kmeans_assign")?,
            mirror: load("kmeans_mirror")?,
            context,
            name,
        })
    }

    /// Bytes of memory that are free.
    pub fn free(&self) -> Result<u64, CudaError> {
        let told = self.context.mem_get_info();
        let (free, _) = told.map_err(self.failed("tell how much memory is free"))?;
        Ok(free as u64)
    }

    /// Memory for so many values, all zero.
    pub(crate) fn zeros<T: DeviceRepr + ValidAsZeroBits>(
        &self,
        many: usize,
    ) -> Result<CudaSlice<T>, CudaError> {
        let given = self.streams[0].alloc_zeros(many.max(1));
        given.map_err(|error| match error {
            DriverError(CUresult::CUDA_ERROR_OUT_OF_MEMORY) => CudaError::NoRoom {
                needed: (many * size_of::<T>()) as u64,
                free: self.free().unwrap_or_default(),
            },
            error => CudaError::Driver { doing: "give memory", reason: text(error) },
        })
    }

    /// Says what the device was doing.
    pub(crate) fn failed(&self, doing: &'static str) -> impl Fn(DriverError) -> CudaError {
        move |error| CudaError::Driver { doing, reason: text(error) }
    }
}

/// So many blocks of so many threads.
pub(crate) fn grid(blocks: usize, threads: u32) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (blocks as u32, 1, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    }
}

/// The driver's words for an error.
fn text(error: DriverError) -> String {
    let words = error.error_string().map(|words| words.to_string_lossy().into_owned());
    words.unwrap_or_else(|_| format!("{:?}", error.0))
}
