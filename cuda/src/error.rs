//! Why a device did not do its part, in words for whoever asked for it.

/// What failed on the device, and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CudaError {
    #[error("no NVIDIA driver: libcuda cannot be loaded, so the processor's cores compute")]
    NoDriver,
    #[error("no NVIDIA device: {0}")]
    NoDevice(String),
    #[error(
        "the NVIDIA driver is of CUDA {}.{}, and 12.5 is wanted: update it",
        .0 / 1000, .0 % 1000 / 10
    )]
    OldDriver(i32),
    #[error("{name} is of compute capability {major}.{minor}, and 8.0 is wanted")]
    OldDevice { name: String, major: i32, minor: i32 },
    #[error(
        "the device's memory is too small: {needed} bytes are needed and {free} are free; take \
         fewer rows, or principal components first"
    )]
    NoRoom { needed: u64, free: u64 },
    #[error("the device's {0}, of a few rows for a trial, are not those of the processor")]
    Wrong(&'static str),
    #[error("the device cannot do it: {0}")]
    Unfit(String),
    #[error("the device failed to {doing}: {reason}")]
    Driver { doing: &'static str, reason: String },
}

/// What was made, and who made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Made<T> {
    pub made: T,
    /// Why the processor's cores did what the device did not, for whoever asked for the device.
    pub fell_back: Option<String>,
}

/// Why a device did not do it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Nobody else could do it either.
    #[error(transparent)]
    Input(#[from] embedding::Error),
    /// The cores can.
    #[error(transparent)]
    Device(#[from] CudaError),
}
