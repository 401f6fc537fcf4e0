//! What the test page calls: an easel with one renderer and one canvas.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use app::draw::Progress;
use app::draw::canvas::Canvas;
use app::draw::painter::{Event, Painter};
use app::draw::palette::Palette;
use app::protocol::RendererChoice;
use wasm_bindgen::prelude::*;
use web_sys::{OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use super::scenes::{NAMES, Scene};

/// As the worker gives a step.
const STEP_MILLIS: f64 = 5.0;
/// A picture that takes longer is stuck.
const STUCK_MILLIS: f64 = 60_000.0;

#[wasm_bindgen]
pub struct Easel {
    painter: Painter,
    canvas: Canvas,
    visible: OffscreenCanvas,
    size: (u32, u32),
    scene: Scene,
    events: Rc<RefCell<Vec<String>>>,
    longest: Cell<f64>,
}

#[wasm_bindgen]
pub fn scenes() -> Vec<String> {
    NAMES.map(str::to_owned).to_vec()
}

#[wasm_bindgen]
impl Easel {
    /// With a canvas of its own. `renderer` as in the app's address.
    pub async fn create(
        renderer: String,
        width: u32,
        height: u32,
        pixel_ratio: f64,
    ) -> Result<Easel, JsError> {
        let canvas = OffscreenCanvas::new(1, 1).map_err(failed)?;
        Self::on(canvas, renderer, width, height, pixel_ratio).await
    }

    /// On a canvas of a page, say.
    pub async fn on(
        visible: OffscreenCanvas,
        renderer: String,
        width: u32,
        height: u32,
        pixel_ratio: f64,
    ) -> Result<Easel, JsError> {
        console_error_panic_hook::set_once();
        let choice = match renderer.as_str() {
            "webgpu" => RendererChoice::Webgpu,
            "raster" => RendererChoice::Raster,
            _ => RendererChoice::Auto,
        };
        let events: Rc<RefCell<Vec<String>>> = Rc::default();
        let log = events.clone();
        let on_event = Box::new(move |event| log.borrow_mut().push(name_of(&event)));
        let painter = Painter::choose(choice, true, on_event).await;
        let pixels = |length: u32| (f64::from(length) * pixel_ratio).round() as u32;
        let size = (pixels(width), pixels(height));
        let (css_width, css_height) = (f64::from(width), f64::from(height));
        let canvas = Canvas::new(&painter, visible.clone(), css_width, css_height, pixel_ratio)?;
        let scene = Scene::named("few").ok_or_else(|| JsError::new("no first scene"))?;
        Ok(Self { painter, canvas, visible, size, scene, events, longest: Cell::new(0.0) })
    }

    /// The renderer's name, its adapter and the reason it was taken, by lines.
    pub fn info(&self) -> String {
        let info = self.painter.info();
        [info.name, info.adapter.unwrap_or_default(), info.reason.unwrap_or_default()].join("\n")
    }

    /// What the renderer told since the last call.
    pub fn events(&self) -> Vec<String> {
        self.events.take()
    }

    pub fn set_scene(&mut self, name: &str) -> Result<(), JsError> {
        self.scene = Scene::named(name).ok_or_else(|| JsError::new("no such scene"))?;
        Ok(())
    }

    pub fn set_points(&mut self, count: usize, colored: bool) {
        self.scene = Scene::of_points(count, colored);
    }

    pub fn pan(&mut self, share: f64) {
        self.scene.pan(share);
    }

    pub fn reselect(&mut self, every: usize) {
        self.scene.reselect(every);
    }

    pub fn resize(&mut self, width: u32, height: u32) {
        self.size = (width, height);
        self.canvas.resize(f64::from(width), f64::from(height), 1.0);
    }

    pub fn lose_device(&self) {
        self.painter.lose_device();
    }

    /// Draws the scene and gives how long that took, in milliseconds.
    pub async fn draw(&mut self) -> Result<f64, JsError> {
        let began = now();
        self.longest.set(0.0);
        loop {
            let step_began = now();
            let progress = self.canvas.draw(
                self.scene.picture(),
                &self.scene.frame(),
                step_began + STEP_MILLIS,
            )?;
            self.longest.set(self.longest.get().max(now() - step_began));
            match progress {
                Progress::Done => return Ok(now() - began),
                Progress::More => {}
                Progress::Waiting => pause(1).await?,
            }
            if now() - began > STUCK_MILLIS {
                return Err(JsError::new("the picture is never done"));
            }
        }
    }

    /// The longest step of the last picture, in milliseconds.
    pub fn longest_step(&self) -> f64 {
        self.longest.get()
    }

    /// What is on the visible canvas, as RGBA.
    pub fn pixels(&self) -> Result<Vec<u8>, JsError> {
        let (width, height) = self.size;
        let copy = OffscreenCanvas::new(width, height).map_err(failed)?;
        let context =
            copy.get_context("2d").map_err(failed)?.ok_or_else(|| JsError::new("no 2d context"))?;
        let context: OffscreenCanvasRenderingContext2d = context.unchecked_into();
        context.draw_image_with_offscreen_canvas(&self.visible, 0.0, 0.0).map_err(failed)?;
        let (right, bottom) = (f64::from(width), f64::from(height));
        Ok(context.get_image_data(0.0, 0.0, right, bottom).map_err(failed)?.data().0)
    }
}

/// The colours of a ramp, to look at.
#[wasm_bindgen]
pub fn ramp(dark: bool) -> Vec<String> {
    Palette::ramp(app::draw::Theme::of(dark), app::look::Ramp::Viridis, false).ramp_css(16)
}

fn name_of(event: &Event) -> String {
    match event {
        Event::Wake => "wake".to_owned(),
        Event::RendererChanged(info) => format!("changed to {}", info.name),
        Event::Notice(notice) => format!("notice: {}", notice.text),
    }
}

fn now() -> f64 {
    let performance = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("performance"));
    performance
        .map_or(0.0, |performance| performance.unchecked_into::<web_sys::Performance>().now())
}

async fn pause(millis: u32) -> Result<(), JsError> {
    gloo_timers::future::TimeoutFuture::new(millis).await;
    Ok(())
}

fn failed(error: JsValue) -> JsError {
    JsError::new(&format!("{error:?}"))
}
