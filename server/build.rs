//! Lets the server compile before the app is bundled: an empty `dist/` is as good as a full one,
//! and a change in it embeds the app anew.

use std::path::Path;

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    if let Err(error) = std::fs::create_dir_all(&dist) {
        println!("cargo:warning=cannot create {}: {error}", dist.display());
    }
    println!("cargo:rerun-if-changed={}", dist.display());
}
