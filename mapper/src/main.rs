//! The mapper's binary: computes clusters and projections. Everything else is [`mapper`].

fn main() {
    #[cfg(target_arch = "wasm32")]
    mapper::start();
}
