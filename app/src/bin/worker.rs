//! The worker's binary: starts listening to the page. Everything else is [`app::worker`].

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::worker::start();
}
