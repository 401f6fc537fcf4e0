//! What can go wrong with a device, in words that say what it was.

/// Why there is no result. But for [`Error::Compute`], the processor may do what the device did not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("no graphics adapter answers: {0}")]
    NoAdapter(String),
    #[error("the graphics adapter is played by the processor, which is quicker by itself")]
    Software,
    #[error("the graphics adapter gives no device: {0}")]
    NoDevice(String),
    #[error("the graphics device has no room for {bytes} bytes")]
    OutOfMemory { bytes: u64 },
    #[error("the graphics device was lost: {0}")]
    Lost(String),
    #[error("the graphics device refused its work: {0}")]
    Refused(String),
    #[error("{what} take {bytes} bytes, and a device binds {most} at most")]
    TooLarge { what: &'static str, bytes: u64, most: u64 },
    #[error("values reach from {least:e} to {most:e}, beyond what products in 32 bits can hold")]
    OutOfRange { least: f64, most: f64 },
    #[error(transparent)]
    Compute(#[from] embedding::Error),
}
