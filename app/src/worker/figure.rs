//! A scatter as a picture to keep: drawn anew by the raster, in light colours and twice as
//! fine as a screen, whatever draws the screen. A little at a time, like everything here.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FileReaderSync, OffscreenCanvas};

use crate::draw::canvas::Pixels;
use crate::draw::raster::Raster;
use crate::draw::{Size, Theme};
use crate::protocol::{Legend, Reply, ViewId};
use crate::texts;
use crate::worker::host::{Host, post};
use crate::worker::relief;
use crate::worker::turn::turn;

/// Device pixels to a CSS pixel.
const FINENESS: f64 = 2.0;
const PIXELS_MAX: f64 = 16e6;

pub async fn answer(host: Rc<Host>, view: ViewId, lengths: [f64; 2]) {
    let size = size_of(lengths);
    let picture = draw(&host, view, size).await;
    let legend = legend(&host, view);
    let relief = relief::of_sheet(&host, view, size).await.map(Box::new);
    post(&Reply::Picture { view, picture, legend, relief });
}

fn size_of([width, height]: [f64; 2]) -> Size {
    let ratio = FINENESS.min((PIXELS_MAX / (width * height).max(1.0)).sqrt());
    let pixels = |length: f64| ((length * ratio).round() as u32).max(1);
    Size { width: pixels(width), height: pixels(height), pixel_ratio: ratio as f32 }
}

async fn draw(host: &Host, view: ViewId, size: Size) -> Result<String, String> {
    let mut raster = Raster::default();
    loop {
        let is_whole =
            host.canvases.borrow().step_picture(view, &host.answers.borrow(), &mut raster, size);
        match is_whole {
            None => return Err(texts::refusals::NO_PICTURE.to_owned()),
            Some(true) => break,
            Some(false) => turn().await,
        }
    }
    png(raster.pixels(), size).await.map_err(|error| match error.dyn_into::<js_sys::Error>() {
        Ok(error) => String::from(error.message()),
        Err(other) => format!("{other:?}"),
    })
}

async fn png(pixels: &[u8], size: Size) -> Result<String, JsValue> {
    let canvas = OffscreenCanvas::new(size.width, size.height)?;
    let refused = |error: crate::draw::canvas::DrawError| js_sys::Error::new(&error.to_string());
    Pixels::new(canvas.clone()).map_err(refused)?.put(pixels, size).map_err(refused)?;
    let blob: Blob = JsFuture::from(canvas.convert_to_blob()?).await?.dyn_into()?;
    FileReaderSync::new()?.read_as_data_url(&blob)
}

/// In the colours of the picture.
fn legend(host: &Host, view: ViewId) -> Legend {
    let (answers, data) = (host.answers.borrow(), host.data.borrow());
    let result = answers.scatter(view).zip(data.resident.as_ref());
    result.map_or(Legend::None, |(scatter, resident)| scatter.legend(resident, Theme::Light))
}
