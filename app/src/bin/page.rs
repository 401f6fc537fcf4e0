//! The page's binary: mounts the page on the document. Everything else is [`app::page`].

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::page::start();
}
