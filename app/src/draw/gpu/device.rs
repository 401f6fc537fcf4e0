//! A device of the browser's WebGPU, its pipelines, and how much of its memory is taken.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::OffscreenCanvas;
use wgpu::{
    Adapter, BackendOptions, Backends, Buffer, BufferDescriptor, BufferUsages, Device,
    DeviceDescriptor, DeviceType, Instance, InstanceDescriptor, Limits, PowerPreference, Queue,
    RequestAdapterOptions, Surface, SurfaceTarget, TextureFormat,
};

use super::pipelines::Pipelines;
use crate::texts;

/// Bytes of buffers, of all canvases together.
const BUDGET_BYTES: u64 = 1 << 30;
/// The default limit of what a shader can be given at once.
const BINDING_BYTES_MAX: u64 = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    #[error("{}", texts::drawing::NO_WEBGPU)]
    NoWebGpu,
    #[error("{}", texts::drawing::no_gpu_answers(.0))]
    NoAdapter(String),
    #[error("{}", texts::drawing::FALLBACK_ADAPTER)]
    Fallback,
    #[error("{}", texts::drawing::no_device(.0))]
    NoDevice(String),
    #[error("{}", texts::drawing::no_gpu_context(.0))]
    NoSurface(String),
    #[error("{}", texts::drawing::over_budget(*.needed, *.left))]
    OverBudget { needed: u64, left: u64 },
}

pub struct Gpu {
    instance: Instance,
    pub adapter: Adapter,
    pub device: Device,
    pub queue: Queue,
    pub format: TextureFormat,
    pub pipelines: Pipelines,
    taken_bytes: Rc<Cell<u64>>,
}

impl Gpu {
    /// An adapter that calls itself a fallback is refused, unless `any` will do: the CPU's
    /// raster is several times faster than a GPU that the CPU plays.
    pub async fn new(any: bool) -> Result<Self, GpuError> {
        if !has_webgpu() {
            return Err(GpuError::NoWebGpu);
        }
        let instance = Instance::new(InstanceDescriptor {
            backends: Backends::BROWSER_WEBGPU,
            backend_options: BackendOptions::default(),
            ..InstanceDescriptor::new_without_display_handle()
        });
        let options = RequestAdapterOptions {
            power_preference: PowerPreference::HighPerformance,
            ..RequestAdapterOptions::default()
        };
        let adapter = instance
            .request_adapter(&options)
            .await
            .map_err(|error| GpuError::NoAdapter(error.to_string()))?;
        if adapter.get_info().device_type == DeviceType::Cpu && !any {
            return Err(GpuError::Fallback);
        }
        let description =
            DeviceDescriptor { required_limits: Limits::defaults(), ..DeviceDescriptor::default() };
        let (device, queue) = adapter
            .request_device(&description)
            .await
            .map_err(|error| GpuError::NoDevice(error.to_string()))?;
        let format = preferred_format(&instance, &adapter)?;
        let pipelines = Pipelines::new(&device, format);
        Ok(Self { instance, adapter, device, queue, format, pipelines, taken_bytes: Rc::default() })
    }

    /// The adapter as the browser describes it, which may be no more than its make.
    pub fn name(&self) -> String {
        let name = self.adapter.get_info().name;
        if !name.is_empty() {
            return name;
        }
        let info = self.device.as_webgpu().and_then(|device| property(device, "adapterInfo"));
        let part = |name| info.as_ref().and_then(|info| property(info, name)?.as_string());
        let parts = ["vendor", "architecture"].into_iter().filter_map(part);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    pub fn surface(&self, canvas: &OffscreenCanvas) -> Result<Surface<'static>, GpuError> {
        surface(&self.instance, canvas)
    }

    /// A buffer of zeros, within the budget. Freed when dropped.
    pub fn buffer(
        &self,
        label: &'static str,
        bytes: u64,
        usage: BufferUsages,
    ) -> Result<Held, GpuError> {
        // Copies and bindings want whole words, and bindings at least one vector.
        let bytes = bytes.next_multiple_of(16).max(16);
        let taken = self.taken_bytes.get();
        let left = BUDGET_BYTES.saturating_sub(taken).min(BINDING_BYTES_MAX);
        if bytes > left {
            return Err(GpuError::OverBudget { needed: bytes, left });
        }
        self.taken_bytes.set(taken + bytes);
        let description = BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: usage | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        let buffer = self.device.create_buffer(&description);
        Ok(Held { buffer, bytes, taken_bytes: self.taken_bytes.clone() })
    }
}

/// A buffer that gives its memory back when dropped: the browser would wait for its
/// garbage collector.
pub struct Held {
    pub buffer: Buffer,
    pub bytes: u64,
    taken_bytes: Rc<Cell<u64>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.buffer.destroy();
        self.taken_bytes.set(self.taken_bytes.get().saturating_sub(self.bytes));
    }
}

fn has_webgpu() -> bool {
    let navigator = property(&js_sys::global(), "navigator");
    navigator.and_then(|navigator| property(&navigator, "gpu")).is_some_and(|gpu| gpu.is_object())
}

fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(object, &JsValue::from_str(name)).ok()
}

fn surface(instance: &Instance, canvas: &OffscreenCanvas) -> Result<Surface<'static>, GpuError> {
    instance
        .create_surface(SurfaceTarget::OffscreenCanvas(canvas.clone()))
        .map_err(|error| GpuError::NoSurface(error.to_string()))
}

/// What the browser shows without converting; only a surface can tell.
fn preferred_format(instance: &Instance, adapter: &Adapter) -> Result<TextureFormat, GpuError> {
    let canvas =
        OffscreenCanvas::new(1, 1).map_err(|error| GpuError::NoSurface(format!("{error:?}")))?;
    let formats = surface(instance, &canvas)?.get_capabilities(adapter).formats;
    Ok(formats.first().copied().unwrap_or(TextureFormat::Bgra8Unorm))
}
