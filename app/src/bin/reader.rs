//! The reader's binary: decodes one dropped file. Everything else is [`app::reader`].

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::reader::start();
}
