//! A scatter's canvas in the worker. Drawing is asked for again and again until it is
//! [`Progress::Done`], a little at a time, so that the worker stays free to answer.
//!
//! A canvas keeps for ever the kind of context it is first given. Where there is a GPU the
//! visible canvas takes ready pictures (`bitmaprenderer`), so that either renderer can make
//! them, each on a canvas of its own; where there is none the raster puts its pixels
//! straight onto it (`2d`).

use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{
    ImageBitmapRenderingContext, ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d,
};

use super::gpu::device::{Gpu, GpuError};
use super::gpu::target::{self, Target};
use super::painter::{Painter, Renderer};
use super::raster::{Drawn, Raster};
use super::{Frame, Picture, Progress, Size};
use crate::texts;

/// Pixels of a canvas that are drawn at most; the browser scales larger ones up.
const RASTER_PIXELS_MAX: f64 = 4e6;
/// WebGPU's default limits: 128 MiB of cells of 16 bytes, and this many pixels a side.
const GPU_PIXELS_MAX: f64 = 8e6;
const SIDE_MAX: u32 = 8192;

#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    #[error("{}", texts::drawing::no_context(.0))]
    NoContext(&'static str),
    #[error("{}", texts::drawing::browser_refused(.0))]
    Refused(String),
    #[error("{}", texts::drawing::gpu_did_not_draw(.0))]
    Gpu(String),
}

pub struct Canvas {
    painter: Painter,
    visible: Visible,
    engine: Engine,
    /// Of the painter's renderer that the engine was made for.
    generation: u64,
    /// CSS pixels, and device pixels per one.
    width: f64,
    height: f64,
    pixel_ratio: f64,
}

/// The page's canvas.
enum Visible {
    Pixels(Pixels),
    Bitmaps { canvas: OffscreenCanvas, context: ImageBitmapRenderingContext },
}

/// A canvas that takes the raster's bytes.
pub struct Pixels {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
}

enum Engine {
    None,
    /// With a canvas of its own where the visible one takes bitmaps.
    Raster(Box<Raster>, Option<Pixels>),
    Gpu(Box<Target>),
}

impl Canvas {
    /// Takes over a canvas that has no context yet. Lengths are CSS pixels.
    pub fn new(
        painter: &Painter,
        canvas: OffscreenCanvas,
        width: f64,
        height: f64,
        pixel_ratio: f64,
    ) -> Result<Self, DrawError> {
        let visible = match painter.renderer() {
            (Renderer::Raster(_), _) => Visible::Pixels(Pixels::new(canvas)?),
            (Renderer::Gpu(_) | Renderer::Between, _) => Visible::Bitmaps {
                context: context(&canvas, "bitmaprenderer")?.unchecked_into(),
                canvas,
            },
        };
        let mut canvas = Self {
            painter: painter.clone(),
            visible,
            engine: Engine::None,
            generation: 0,
            width: 0.0,
            height: 0.0,
            pixel_ratio: 1.0,
        };
        canvas.resize(width, height, pixel_ratio);
        Ok(canvas)
    }

    /// Lengths are CSS pixels. The picture follows at the next [`Self::draw`].
    pub fn resize(&mut self, width: f64, height: f64, pixel_ratio: f64) {
        let usable = |length: f64| if length.is_finite() { length.max(0.0) } else { 0.0 };
        self.width = usable(width);
        self.height = usable(height);
        self.pixel_ratio =
            if pixel_ratio.is_finite() && pixel_ratio > 0.0 { pixel_ratio } else { 1.0 };
    }

    /// Works towards the picture until `deadline`, in milliseconds of `performance.now()`.
    /// Call again with the same or a newer frame until it is done; a picture that is on
    /// screen already is done at once. After an error the next call begins anew.
    pub fn draw(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        deadline: f64,
    ) -> Result<Progress, DrawError> {
        if !self.ready_engine()? {
            return Ok(Progress::Waiting);
        }
        let painter = self.painter.clone();
        let size = self.size();
        match &mut self.engine {
            Engine::None => Ok(Progress::Waiting),
            Engine::Raster(raster, _) => {
                let drawn = raster.draw(picture, frame, size, &|| painter.now(), deadline);
                if matches!(drawn, Drawn::Part | Drawn::Whole { changed: true }) {
                    self.put(size)?;
                }
                Ok(if matches!(drawn, Drawn::Whole { .. }) {
                    Progress::Done
                } else {
                    Progress::More
                })
            }
            Engine::Gpu(target) => {
                let _watch = painter.watch();
                let drawn = target.draw(
                    picture,
                    frame,
                    size,
                    &mut || painter.now() >= deadline,
                    painter.waker(),
                );
                self.after_gpu(drawn, size)
            }
        }
    }

    /// Makes an engine of the painter's renderer; false while there is none.
    fn ready_engine(&mut self) -> Result<bool, DrawError> {
        let (renderer, generation) = self.painter.renderer();
        if self.generation == generation && !matches!(self.engine, Engine::None) {
            return Ok(!matches!(renderer, Renderer::Between));
        }
        // Free what the old one holds before the new one asks for memory.
        self.engine = Engine::None;
        self.engine = match renderer {
            Renderer::Between => return Ok(false),
            Renderer::Raster(_) => self.raster()?,
            Renderer::Gpu(gpu) => self.gpu_or_raster(gpu)?,
        };
        self.generation = generation;
        Ok(true)
    }

    fn raster(&self) -> Result<Engine, DrawError> {
        let own = match &self.visible {
            Visible::Pixels(_) => None,
            Visible::Bitmaps { .. } => {
                Some(Pixels::new(OffscreenCanvas::new(1, 1).map_err(refused)?)?)
            }
        };
        Ok(Engine::Raster(Box::default(), own))
    }

    fn gpu_or_raster(&self, gpu: std::rc::Rc<Gpu>) -> Result<Engine, DrawError> {
        match Target::new(gpu) {
            Ok(target) if matches!(self.visible, Visible::Bitmaps { .. }) => {
                Ok(Engine::Gpu(Box::new(target)))
            }
            Ok(_) => self.raster(),
            Err(error) => {
                self.painter.complain_later(texts::drawing::without_gpu(&error.to_string()));
                self.raster()
            }
        }
    }

    fn after_gpu(
        &mut self,
        drawn: Result<target::Drawn, GpuError>,
        size: Size,
    ) -> Result<Progress, DrawError> {
        match drawn {
            Ok(target::Drawn::Whole { changed }) => {
                if changed {
                    self.put(size)?;
                }
                Ok(Progress::Done)
            }
            Ok(target::Drawn::Part) => Ok(Progress::More),
            Ok(target::Drawn::Busy) => Ok(Progress::Waiting),
            Err(error @ GpuError::OverBudget { .. }) => {
                self.painter.complain_later(texts::drawing::without_gpu(&error.to_string()));
                self.engine = Engine::None;
                self.engine = self.raster()?;
                Ok(Progress::More)
            }
            Err(error) => {
                self.engine = Engine::None;
                Err(error.into())
            }
        }
    }

    /// Puts the engine's picture onto the page's canvas.
    fn put(&self, size: Size) -> Result<(), DrawError> {
        match (&self.visible, &self.engine) {
            (Visible::Pixels(visible), Engine::Raster(raster, _)) => {
                visible.put(raster.pixels(), size)
            }
            (Visible::Bitmaps { canvas, context }, Engine::Raster(raster, Some(own))) => {
                own.put(raster.pixels(), size)?;
                show(&own.canvas, canvas, context, size)
            }
            (Visible::Bitmaps { canvas, context }, Engine::Gpu(target)) => {
                show(target.canvas(), canvas, context, size)
            }
            _ => Ok(()),
        }
    }

    /// Device pixels, fewer where there are more than the engine takes.
    pub fn size(&self) -> Size {
        let pixels_max = match self.engine {
            Engine::Gpu(_) => GPU_PIXELS_MAX,
            Engine::Raster(..) | Engine::None => RASTER_PIXELS_MAX,
        };
        let (width, height) = (self.width, self.height);
        let side_max = f64::from(SIDE_MAX) / width.max(height).max(1.0);
        let ratio =
            self.pixel_ratio.min((pixels_max / (width * height).max(1.0)).sqrt()).min(side_max);
        let pixels = |length: f64| ((length * ratio).round() as u32).clamp(1, SIDE_MAX);
        Size { width: pixels(width), height: pixels(height), pixel_ratio: ratio as f32 }
    }
}

impl Pixels {
    pub fn new(canvas: OffscreenCanvas) -> Result<Self, DrawError> {
        let context = context(&canvas, "2d")?.unchecked_into();
        Ok(Self { canvas, context })
    }

    pub fn put(&self, pixels: &[u8], size: Size) -> Result<(), DrawError> {
        set_size(&self.canvas, size);
        let pixels = Clamped(pixels);
        let image = ImageData::new_with_u8_clamped_array_and_sh(pixels, size.width, size.height)
            .map_err(refused)?;
        self.context.put_image_data(&image, 0.0, 0.0).map_err(refused)
    }
}

/// Moves a ready picture; nothing is copied.
fn show(
    from: &OffscreenCanvas,
    canvas: &OffscreenCanvas,
    context: &ImageBitmapRenderingContext,
    size: Size,
) -> Result<(), DrawError> {
    let bitmap = from.transfer_to_image_bitmap().map_err(refused)?;
    set_size(canvas, size);
    context.transfer_from_image_bitmap(&bitmap);
    Ok(())
}

fn set_size(canvas: &OffscreenCanvas, size: Size) {
    // Setting a length clears the canvas, even to what it was.
    if canvas.width() != size.width {
        canvas.set_width(size.width);
    }
    if canvas.height() != size.height {
        canvas.set_height(size.height);
    }
}

fn context(canvas: &OffscreenCanvas, kind: &'static str) -> Result<js_sys::Object, DrawError> {
    canvas.get_context(kind).ok().flatten().ok_or(DrawError::NoContext(kind))
}

fn refused(error: JsValue) -> DrawError {
    let text = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    DrawError::Refused(text.unwrap_or_else(|| format!("{error:?}")))
}
