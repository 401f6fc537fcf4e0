//! A device: opened within WebGPU's default limits, so that what runs on one runs on all; its
//! buffers, and what it answers.

mod passes;

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use wgpu::{
    Adapter, Backends, Buffer, BufferDescriptor, BufferUsages, Device, DeviceDescriptor,
    DeviceType, ErrorFilter, Instance, InstanceDescriptor, Limits, MapMode, PollType,
    PowerPreference, Queue, RequestAdapterOptions,
};

use crate::Error;
pub(crate) use passes::{Bound, LatePasses, Passes};

/// The default limit of what a shader is given at once.
pub(crate) const BINDING_BYTES_MAX: u64 = 128 << 20;
/// The default limit of how many groups are started at once, along one axis.
pub(crate) const GROUPS_MAX: u32 = 65_535;

/// A device and its passes, which are compiled once.
pub struct Gpu {
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    pub(crate) passes: Passes,
    /// Compiled when they are first asked for.
    late_passes: OnceCell<LatePasses>,
    name: String,
    failed: Failed,
}

/// Why nothing that it says counts any more, once that is so.
#[derive(Clone, Default)]
struct Failed(Arc<Mutex<Option<Error>>>);

impl Failed {
    /// The first is why; what follows comes of it.
    fn because(&self, error: Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn check(&self) -> Result<(), Error> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl Gpu {
    /// Opens the quickest device there is. One that the processor plays is refused, unless
    /// `any` will do, as in tests.
    ///
    /// # Errors
    /// Where there is none, or its passes do not compile.
    pub async fn open(any: bool) -> Result<Self, Error> {
        let adapter = adapter().await?;
        let info = adapter.get_info();
        if info.device_type == DeviceType::Cpu && !any {
            return Err(Error::Software);
        }
        let description =
            DeviceDescriptor { required_limits: Limits::defaults(), ..DeviceDescriptor::default() };
        let (device, queue) = adapter
            .request_device(&description)
            .await
            .map_err(|error| Error::NoDevice(error.to_string()))?;
        let failed = Failed::default();
        let told = failed.clone();
        device.set_device_lost_callback(move |reason, text| {
            let text = if text.is_empty() { format!("{reason:?}") } else { text };
            told.because(Error::Lost(text));
        });
        let told = failed.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            told.because(Error::Refused(error.to_string()));
        }));
        let scope = device.push_error_scope(ErrorFilter::Validation);
        let passes = Passes::new(&device);
        if let Some(error) = scope.pop().await {
            return Err(Error::Refused(error.to_string()));
        }
        let late_passes = OnceCell::new();
        Ok(Self { device, queue, passes, late_passes, name: info.name, failed })
    }

    /// As its driver calls it; a browser may say nothing.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// Where they do not compile.
    pub(crate) async fn late_passes(&self) -> Result<&LatePasses, Error> {
        if self.late_passes.get().is_none() {
            let scope = self.device.push_error_scope(ErrorFilter::Validation);
            let passes = LatePasses::new(&self.device);
            if let Some(error) = scope.pop().await {
                return Err(Error::Refused(error.to_string()));
            }
            // Somebody else may have come first, with the same.
            let _kept = self.late_passes.set(passes);
        }
        self.late_passes.get().ok_or_else(|| Error::Refused("there are no passes".to_owned()))
    }

    /// Lets go of the device: what is asked of it from now on fails.
    pub fn close(&self) {
        self.device.destroy();
    }

    /// Why it is of no use any more, if that is so.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if cfg!(not(target_arch = "wasm32")) {
            // That a device is gone is only told to those who ask.
            let _polled = self.device.poll(PollType::Poll);
        }
        self.failed.check()
    }

    /// A buffer of zeros, of whole vectors, one at least.
    pub(crate) fn empty(&self, label: &'static str, bytes: u64, usage: BufferUsages) -> Held {
        let size = bytes.next_multiple_of(16).max(16);
        let usage = usage | BufferUsages::COPY_DST;
        let description =
            BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        Held(self.device.create_buffer(&description))
    }

    /// Makes buffers and fills them; what has no room is told, rather than logged.
    pub(crate) async fn with_room<T>(
        &self,
        bytes: u64,
        make: impl FnOnce(&Self) -> T,
    ) -> Result<T, Error> {
        self.check()?;
        let memory = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(ErrorFilter::Validation);
        let made = make(self);
        let (refused, full) = (validation.pop(), memory.pop());
        let (refused, full) = (refused.await, full.await);
        self.check()?;
        match (full, refused) {
            (Some(_), _) => Err(Error::OutOfMemory { bytes }),
            (None, Some(error)) => Err(Error::Refused(error.to_string())),
            (None, None) => Ok(made),
        }
    }

    /// Fills a buffer from its beginning on.
    pub(crate) fn write<T: Word>(&self, buffer: &Held, words: &[T]) {
        self.write_at(buffer, 0, words);
    }

    pub(crate) fn write_at<T: Word>(&self, buffer: &Held, byte: u64, words: &[T]) {
        self.queue.write_buffer(&buffer.0, byte, &bytes_of(words));
    }

    /// Asks for what a buffer that was made for reading holds, once all that was submitted before
    /// is done.
    pub(crate) fn ask(&self, buffer: &Held) -> Answer {
        let (told, answer) = oneshot::channel();
        buffer.0.map_async(MapMode::Read, .., move |result| {
            let _heard = told.send(result.map_err(|error| error.to_string()));
        });
        answer
    }

    /// The first words of a buffer that was asked for, read where it lies.
    pub(crate) async fn read<T>(
        &self,
        buffer: &Held,
        answer: Answer,
        bytes: u64,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Error> {
        self.wait()?;
        let answer = answer.await.unwrap_or_else(|_| Err("nothing was answered".to_owned()));
        self.check()?;
        answer.map_err(Error::Lost)?;
        let range = buffer.0.get_mapped_range(..bytes);
        let found = range.map(|range| read(&range)).map_err(|e| Error::Refused(e.to_string()));
        buffer.0.unmap();
        found
    }

    /// On a host nobody else looks after answers; in a browser the event loop does.
    fn wait(&self) -> Result<(), Error> {
        if cfg!(target_arch = "wasm32") {
            return Ok(());
        }
        let polled = self.device.poll(PollType::wait_indefinitely());
        polled.map(|_| ()).map_err(|error| Error::Lost(error.to_string()))
    }
}

/// What comes of mapping a buffer.
pub(crate) type Answer = oneshot::Receiver<Result<(), String>>;

/// A buffer that gives its memory back when dropped: a browser would wait for its garbage
/// collector.
pub(crate) struct Held(pub(crate) Buffer);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// What is 32 bits on both sides.
pub(crate) trait Word: Copy {
    fn bytes(self) -> [u8; 4];
}

impl Word for f32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Word for u32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

fn bytes_of<T: Word>(words: &[T]) -> Vec<u8> {
    words.iter().flat_map(|word| word.bytes()).collect()
}

/// Words as a device wrote them.
pub(crate) fn words_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
}

async fn adapter() -> Result<Adapter, Error> {
    if Instance::enabled_backend_features().is_empty() {
        return Err(Error::NoAdapter("this program was built without any".to_owned()));
    }
    let backends =
        if cfg!(target_arch = "wasm32") { Backends::BROWSER_WEBGPU } else { Backends::PRIMARY };
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let options = RequestAdapterOptions {
        power_preference: PowerPreference::HighPerformance,
        ..RequestAdapterOptions::default()
    };
    let found = instance.request_adapter(&options).await;
    found.map_err(|error| Error::NoAdapter(error.to_string()))
}
