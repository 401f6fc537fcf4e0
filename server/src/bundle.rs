//! The app that the program carries: what `make build` left in `dist/` when it was compiled;
//! nothing, if the app was not bundled before.

use std::borrow::Cow;

use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../dist"]
#[exclude = ".*"]
struct Dist;

/// The page itself.
pub(crate) const PAGE: &str = "index.html";

/// The one file that whoever hosts the app writes.
pub(crate) const CONFIG: &str = "config.json";

/// A file of the app.
pub(crate) fn get(name: &str) -> Option<EmbeddedFile> {
    Dist::get(name)
}

/// The names of all files of the app, compressed twins among them.
pub(crate) fn names() -> impl Iterator<Item = Cow<'static, str>> {
    Dist::iter()
}
