//! Test pictures for the browser: the same scenes by whichever renderer is asked for, so
//! that `tests/browser/pictures.scenario.mjs` can compare them pixel by pixel, take the
//! GPU away and measure the raster. Not part of the app.

#[cfg(target_arch = "wasm32")]
#[path = "pictures/easel.rs"]
mod easel;
#[cfg(target_arch = "wasm32")]
#[path = "pictures/scenes.rs"]
mod scenes;

/// Does nothing: the browser calls what the easel exports.
fn main() {}
