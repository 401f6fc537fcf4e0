//! The reader's binary: decodes one dropped file. Everything else is [`reader`].

fn main() {
    #[cfg(target_arch = "wasm32")]
    reader::start();
}
