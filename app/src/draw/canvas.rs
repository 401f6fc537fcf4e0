//! Pictures on the worker's canvases. A [`Painter`] is the renderer chosen for this worker;
//! each scatter has a [`Canvas`] of it. Drawing is asked for again and again until it is
//! [`Progress::Done`], a little at a time, so that the worker stays free to answer.

use std::rc::Rc;

use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d, Performance};

use super::raster::{Drawn, Raster};
use super::{Frame, Picture, Progress, Size};
use crate::protocol::{Notice, RendererChoice, RendererInfo};

/// Pixels of a canvas that the raster draws at most; the browser scales larger ones up.
const RASTER_PIXELS_MAX: f64 = 4e6;

/// What the painter tells between calls. Never sent from within one of its methods.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Canvases that answered [`Progress::Waiting`] can go on.
    Wake,
    /// Another renderer took over; all canvases want drawing.
    RendererChanged(RendererInfo),
    Notice(Notice),
}

#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    #[error("the canvas gives no {0} context")]
    NoContext(&'static str),
    #[error("the browser refused a picture: {0}")]
    Refused(String),
}

/// The renderer of this worker. Clones are the same one.
#[derive(Clone)]
pub struct Painter {
    info: RendererInfo,
    /// Told what happens between calls.
    _on_event: Rc<dyn Fn(Event)>,
}

impl Painter {
    /// Looks for the best renderer there is, or the one asked for. Always finds one: the
    /// raster needs nothing. `debug` checks what the GPU is told more closely.
    pub async fn choose(choice: RendererChoice, debug: bool, on_event: Rc<dyn Fn(Event)>) -> Self {
        let _ = (choice, debug);
        let info = RendererInfo { name: "raster".to_owned(), adapter: None, reason: None };
        Self { info, _on_event: on_event }
    }

    pub fn info(&self) -> RendererInfo {
        self.info.clone()
    }

    /// Takes over a canvas that has no context yet. Lengths are CSS pixels.
    pub fn canvas(
        &self,
        canvas: OffscreenCanvas,
        width: f64,
        height: f64,
        pixel_ratio: f64,
    ) -> Result<Canvas, DrawError> {
        let context = canvas.get_context("2d").ok().flatten().ok_or(DrawError::NoContext("2d"))?;
        let context = context.unchecked_into::<OffscreenCanvasRenderingContext2d>();
        let performance = performance().ok_or(DrawError::NoContext("performance"))?;
        let size = Size { width: 0, height: 0, pixel_ratio: 1.0 };
        let mut canvas = Canvas { canvas, context, raster: Box::default(), performance, size };
        canvas.resize(width, height, pixel_ratio);
        Ok(canvas)
    }

    /// For tests: what a crash of the driver does.
    pub fn lose_device(&self) {}
}

pub struct Canvas {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
    raster: Box<Raster>,
    performance: Performance,
    size: Size,
}

impl Canvas {
    /// Lengths are CSS pixels.
    pub fn resize(&mut self, width: f64, height: f64, pixel_ratio: f64) {
        self.size = raster_size(width, height, pixel_ratio);
    }

    /// Works towards the picture until `deadline` (milliseconds of `performance.now()`).
    /// Call again with the same or a newer frame until it is done; one that is on screen
    /// already is done at once.
    pub fn draw(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        deadline: f64,
    ) -> Result<Progress, DrawError> {
        let performance = &self.performance;
        let drawn = self.raster.draw(picture, frame, self.size, &|| performance.now(), deadline);
        match drawn {
            Drawn::Whole { changed } => {
                if changed {
                    self.put()?;
                }
                Ok(Progress::Done)
            }
            Drawn::Part => {
                self.put()?;
                Ok(Progress::More)
            }
            Drawn::Nothing => Ok(Progress::More),
        }
    }

    fn put(&self) -> Result<(), DrawError> {
        let Size { width, height, .. } = self.size;
        if self.canvas.width() != width || self.canvas.height() != height {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        let pixels = Clamped(self.raster.pixels());
        let image =
            ImageData::new_with_u8_clamped_array_and_sh(pixels, width, height).map_err(refused)?;
        self.context.put_image_data(&image, 0.0, 0.0).map_err(refused)
    }
}

/// Device pixels, scaled down where there are too many for the raster.
fn raster_size(width: f64, height: f64, pixel_ratio: f64) -> Size {
    let positive = |value: f64| if value.is_finite() { value.max(0.0) } else { 0.0 };
    let (width, height) = (positive(width), positive(height));
    let wanted = if pixel_ratio.is_finite() && pixel_ratio > 0.0 { pixel_ratio } else { 1.0 };
    let ratio = wanted.min((RASTER_PIXELS_MAX / (width * height).max(1.0)).sqrt());
    let pixels = |length: f64| (length * ratio).round().max(1.0) as u32;
    Size { width: pixels(width), height: pixels(height), pixel_ratio: ratio as f32 }
}

fn performance() -> Option<Performance> {
    let scope = js_sys::global();
    js_sys::Reflect::get(&scope, &JsValue::from_str("performance")).ok()?.dyn_into().ok()
}

fn refused(error: JsValue) -> DrawError {
    let text = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    DrawError::Refused(text.unwrap_or_else(|| format!("{error:?}")))
}
