//! The page's program: mounts the page on the document.

#[cfg(target_arch = "wasm32")]
use app::{draw, look, protocol, scale, state, texts};

#[cfg(target_arch = "wasm32")]
#[path = "../page/mod.rs"]
mod page;

fn main() {
    #[cfg(target_arch = "wasm32")]
    page::start();
}
