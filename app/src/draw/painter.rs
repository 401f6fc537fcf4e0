//! Which renderer draws for this worker, and what becomes of it when the GPU is lost: it is
//! asked for a new device once; if that is lost soon after, the raster takes over.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::Performance;

use super::gpu::device::{Gpu, GpuError};
use crate::protocol::{Level, Notice, RendererChoice, RendererInfo};
use crate::texts;

/// Losing the device twice within this is once too often.
const LOSSES_APART_MILLIS: f64 = 300_000.0;

/// What the painter tells between calls. Never sent from within one of its methods.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Canvases that answered [`super::Progress::Waiting`] can go on.
    Wake,
    /// Another renderer, or the same anew, took over: all canvases want drawing.
    RendererChanged(RendererInfo),
    Notice(Notice),
}

/// The renderer of this worker. Clones are the same one.
#[derive(Clone)]
pub struct Painter(Rc<Inner>);

struct Inner {
    /// In [`PAINTERS`].
    number: usize,
    choice: RendererChoice,
    debug: bool,
    on_event: Box<dyn Fn(Event)>,
    performance: Option<Performance>,
    state: RefCell<State>,
}

struct State {
    renderer: Renderer,
    /// Counts renderers, so that canvases see that theirs is gone.
    generation: u64,
    lost_at: Option<f64>,
    /// The last complaint of the GPU: one that comes every frame is told once.
    complaint: String,
}

#[derive(Clone)]
pub(super) enum Renderer {
    /// With the reason, where it was not asked for.
    Raster(Option<String>),
    Gpu(Rc<Gpu>),
    /// A device was lost and the next is not there yet.
    Between,
}

thread_local! {
    /// All painters by number, for callbacks that must be `Send` and so can't hold one.
    static PAINTERS: RefCell<Vec<Weak<Inner>>> = const { RefCell::new(Vec::new()) };
}

impl Painter {
    /// Looks for the best renderer there is, or the one asked for. Always finds one: the
    /// raster needs nothing. `debug` has each picture checked for what the GPU
    /// refused of it.
    pub async fn choose(choice: RendererChoice, debug: bool, on_event: Box<dyn Fn(Event)>) -> Self {
        let state = State {
            renderer: Renderer::Between,
            generation: 0,
            lost_at: None,
            complaint: String::new(),
        };
        let performance = performance();
        let painter = PAINTERS.with_borrow_mut(|painters| {
            let number = painters.len();
            let state = RefCell::new(state);
            let inner = Rc::new(Inner { number, choice, debug, on_event, performance, state });
            painters.push(Rc::downgrade(&inner));
            Self(inner)
        });
        let renderer = painter.find_renderer().await;
        painter.install(renderer);
        painter
    }

    pub fn info(&self) -> RendererInfo {
        match &self.0.state.borrow().renderer {
            Renderer::Raster(reason) => {
                RendererInfo { name: "raster".to_owned(), adapter: None, reason: reason.clone() }
            }
            Renderer::Gpu(gpu) => {
                RendererInfo { name: "webgpu".to_owned(), adapter: Some(gpu.name()), reason: None }
            }
            Renderer::Between => RendererInfo {
                name: "webgpu".to_owned(),
                adapter: None,
                reason: Some(texts::drawing::GPU_ASKED_AGAIN.to_owned()),
            },
        }
    }

    /// For tests: what a crash of the driver does.
    pub fn lose_device(&self) {
        if let Renderer::Gpu(gpu) = &self.0.state.borrow().renderer {
            gpu.device.destroy();
        }
    }

    pub(super) fn renderer(&self) -> (Renderer, u64) {
        let state = self.0.state.borrow();
        (state.renderer.clone(), state.generation)
    }

    /// Wakes canvases that wait, from a callback that must be `Send`.
    pub(super) fn waker(&self) -> impl FnOnce() + Send + 'static {
        let number = self.0.number;
        move || with_painter(number, |painter| (painter.0.on_event)(Event::Wake))
    }

    /// Milliseconds of the worker's clock.
    pub(super) fn now(&self) -> f64 {
        self.0.performance.as_ref().map_or_else(js_sys::Date::now, Performance::now)
    }

    /// In debug, tells what the GPU refuses between this call and the end of the guard.
    pub(super) fn watch(&self) -> Option<Watch> {
        let Renderer::Gpu(gpu) = &self.0.state.borrow().renderer else { return None };
        let scope = || gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        self.0.debug.then(|| Watch { painter: self.clone(), scope: Some(scope()) })
    }

    /// Tells once the caller has returned.
    pub(super) fn complain_later(&self, text: String) {
        let painter = self.clone();
        spawn_local(async move { painter.complain(text) });
    }

    async fn find_renderer(&self) -> Renderer {
        if self.0.choice == RendererChoice::Raster {
            return Renderer::Raster(None);
        }
        let any = self.0.choice == RendererChoice::Webgpu;
        match Gpu::new(any).await {
            Ok(gpu) => Renderer::Gpu(Rc::new(gpu)),
            Err(error) => Renderer::Raster(Some(error.to_string())),
        }
    }

    fn install(&self, renderer: Renderer) {
        let generation = {
            let mut state = self.0.state.borrow_mut();
            state.generation += 1;
            state.renderer = renderer.clone();
            state.generation
        };
        let Renderer::Gpu(gpu) = renderer else { return };
        let number = self.0.number;
        gpu.device.set_device_lost_callback(move |_, text| {
            with_painter(number, |painter| painter.on_device_lost(generation, text));
        });
        gpu.device.on_uncaptured_error(std::sync::Arc::new(move |error: wgpu::Error| {
            with_painter(number, |painter| painter.on_gpu_error(generation, &error));
        }));
    }

    fn on_device_lost(&self, generation: u64, text: String) {
        let now = self.now();
        let again = {
            let mut state = self.0.state.borrow_mut();
            if state.generation != generation {
                return;
            }
            let soon = state.lost_at.is_some_and(|at| now - at < LOSSES_APART_MILLIS);
            state.lost_at = Some(now);
            state.renderer = Renderer::Between;
            !soon
        };
        if !again {
            self.take_over(Renderer::Raster(Some(texts::drawing::gpu_lost_twice(&text))));
            return;
        }
        let painter = self.clone();
        spawn_local(async move {
            let renderer = painter.find_renderer().await;
            painter.take_over(renderer);
        });
    }

    fn on_gpu_error(&self, generation: u64, error: &wgpu::Error) {
        if self.0.state.borrow().generation != generation {
            return;
        }
        match error {
            wgpu::Error::OutOfMemory { .. } => {
                self.take_over(Renderer::Raster(Some(
                    texts::drawing::GPU_OUT_OF_MEMORY.to_owned(),
                )));
            }
            _ => self.complain(texts::drawing::command_refused(&error.to_string())),
        }
    }

    fn take_over(&self, renderer: Renderer) {
        self.install(renderer);
        (self.0.on_event)(Event::RendererChanged(self.info()));
        (self.0.on_event)(Event::Wake);
    }

    fn complain(&self, text: String) {
        {
            let mut state = self.0.state.borrow_mut();
            if state.complaint == text {
                return;
            }
            state.complaint.clone_from(&text);
        }
        (self.0.on_event)(Event::Notice(Notice { level: Level::Warning, text }));
    }
}

/// An error scope around a picture.
pub(super) struct Watch {
    painter: Painter,
    scope: Option<wgpu::ErrorScopeGuard>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(scope) = self.scope.take() else { return };
        let (painter, refused) = (self.painter.clone(), scope.pop());
        spawn_local(async move {
            if let Some(error) = refused.await {
                painter.complain(texts::drawing::part_refused(&error.to_string()));
            }
        });
    }
}

impl From<GpuError> for super::canvas::DrawError {
    fn from(error: GpuError) -> Self {
        Self::Gpu(error.to_string())
    }
}

fn with_painter(number: usize, f: impl FnOnce(&Painter)) {
    let inner = PAINTERS.with_borrow(|painters| painters.get(number).and_then(Weak::upgrade));
    if let Some(inner) = inner {
        f(&Painter(inner));
    }
}

fn performance() -> Option<Performance> {
    let scope = js_sys::global();
    js_sys::Reflect::get(&scope, &JsValue::from_str("performance")).ok()?.dyn_into().ok()
}
