//! Who computes a step: the cores, or a device where one was asked for or will be done sooner.

use cuda::device::{Gpu, Wanted};
use cuda::error::Made;
use engine::steps::Step;

use super::load::Load;
use super::spec::Backend;

/// What became of the wish for a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Device {
    /// There was none, or there is no such algorithm on one.
    #[default]
    Unasked,
    Cuda,
    /// The processor did it, or ended it, and why.
    FellBack(String),
}

/// The device for a step, or why there is none.
pub(super) struct Chosen {
    pub(super) gpu: Option<Gpu>,
    pub(super) device: Device,
}

impl Chosen {
    pub(super) fn new(backend: Backend, step: &Step, load: Load) -> Self {
        let Some((seconds, work)) = load.for_device(step) else {
            return Self { gpu: None, device: Device::Unasked };
        };
        let wanted = match backend {
            Backend::Auto => Wanted::Auto,
            Backend::Cpu => Wanted::Cores,
            Backend::Cuda => Wanted::Cuda,
        };
        match Gpu::choose(wanted, &work, seconds) {
            Ok(Some(gpu)) => Self { gpu: Some(gpu), device: Device::Cuda },
            Ok(None) => Self { gpu: None, device: Device::Unasked },
            Err(error) => Self { gpu: None, device: Device::FellBack(error.to_string()) },
        }
    }

    /// What was made, by the device or, as is noted, in its stead.
    pub(super) fn take<T>(&mut self, made: Made<T>) -> T {
        self.note(made.fell_back);
        made.made
    }

    pub(super) fn note(&mut self, fell_back: Option<String>) {
        if let Some(why) = fell_back {
            self.device = Device::FellBack(why);
        }
    }
}
