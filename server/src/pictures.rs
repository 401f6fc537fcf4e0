//! Pictures that rows of a table name: files that lie in the lake beside the table, pictures in
//! HDF5 files there, and addresses on the web, fetched on behalf of a page that may not read them
//! itself.
//!
//! What is handed on is told by its first bytes, never by what a server says of it, and is of
//! a kind that runs nothing in a page.

mod beside;
mod cells;
mod hosts;
mod small;
mod stored;
mod web;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::lake::Lakes;
use crate::lake::error::LakeError;

pub(crate) use cells::{FETCHED_ROWS, FETCHES, is_bytes};
pub use hosts::{HostPattern, ImageHosts};
pub use web::Web;

/// Larger pictures are refused.
pub const BYTES_MAX: usize = 32 << 20;

/// A picture as it was found.
#[derive(Debug, Clone)]
pub struct Picture {
    pub bytes: Bytes,
    /// As `image/png`.
    pub media_type: &'static str,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureFailure {
    #[error(
        "pictures from {host:?} are not fetched: start the companion with --image-host {host}, \
         or with --image-host '*' for all public hosts"
    )]
    HostNotAllowed { host: String },
    #[error("{place:?} is neither an address of the web nor the path of a picture in the lake")]
    NoSource { place: String },
    #[error("{host:?} cannot be reached, or broke off")]
    Unreachable { host: String },
    #[error("{host:?} did not answer within {seconds} s")]
    TimedOut { host: String, seconds: u64 },
    #[error("{host:?} answers with status {status}")]
    Status { host: String, status: u16 },
    #[error("the picture is larger than {} MiB", BYTES_MAX >> 20)]
    TooLarge,
    #[error("what is at {place:?} is no PNG, JPEG, GIF, WebP, AVIF or BMP")]
    NoPicture { place: String },
    #[error(
        "{path:?} is a file of many pictures: say which, as {path}#images/ab12 by the name of a \
         dataset, or {path}#images[12] by a row of one"
    )]
    NoKey { path: String },
    #[error("{path:?}: {failure}")]
    Stored { path: String, failure: album::Failure },
    #[error("there is no picture {path:?} beside table {table:?}, nor at the root of its lake")]
    NotFound { table: String, path: String },
    #[error(transparent)]
    Lake(#[from] LakeError),
}

/// Where pictures come from.
#[derive(Debug)]
pub struct Pictures {
    lakes: Lakes,
    web: Web,
    stores: stored::Stores,
    /// Pictures that are made smaller at a time.
    turns: Arc<Semaphore>,
}

impl Pictures {
    pub fn new(lakes: Lakes, hosts: ImageHosts) -> Result<Self, String> {
        Ok(Self {
            lakes,
            web: Web::new(hosts)?,
            stores: stored::Stores::new(),
            turns: small::turns(),
        })
    }

    /// The picture that a cell of `table` names: by an `http` or `https` address, by a path, or by
    /// the path of an HDF5 file and a picture in it.
    pub async fn picture(&self, table: &str, source: &str) -> Result<Picture, PictureFailure> {
        let bytes = self.bytes(table, source).await?;
        let shorter = |text: &str| text.chars().take(200).collect();
        let media_type = media_type_of(&bytes)
            .ok_or_else(|| PictureFailure::NoPicture { place: shorter(source) })?;
        Ok(Picture { bytes, media_type })
    }

    /// The same, its longer side of `side` pixels at most; as it is where it cannot be made
    /// smaller.
    pub async fn small(
        &self,
        table: &str,
        source: &str,
        side: u32,
    ) -> Result<Picture, PictureFailure> {
        let whole = self.picture(table, source).await?;
        let small = small::jpeg(&self.turns, &whole.bytes, side).await;
        Ok(small.map_or(whole, |bytes| Picture { bytes, media_type: "image/jpeg" }))
    }

    /// A picture as it goes to where nobody makes it smaller later: its longer side of `side`
    /// pixels at most. None where the bytes are no picture.
    pub(crate) async fn smaller(&self, bytes: Bytes, side: u32) -> Option<Bytes> {
        media_type_of(&bytes)?;
        let small = small::jpeg(&self.turns, &bytes, side).await;
        Some(small.unwrap_or(bytes))
    }

    /// What is there, whatever it is.
    pub async fn bytes(&self, table: &str, source: &str) -> Result<Bytes, PictureFailure> {
        let is_web = ["http://", "https://"].iter().any(|scheme| source.starts_with(scheme));
        if is_web {
            return self.web.fetch(source).await;
        }
        match stored::split(source) {
            Some((path, key)) => self.stores.read(&self.lakes, table, path, key).await,
            None => beside::read(&self.lakes, table, source).await,
        }
    }
}

/// What a picture is called by itself: the last part of where it is.
pub(crate) fn name_of(place: &str) -> String {
    let path = match stored::split(place) {
        Some((_, key)) => key.trim_end_matches(']').replace('[', "-"),
        None => place.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

/// Which picture bytes are, of those kinds that every browser shows and none runs. SVG is not
/// among them: it is a document with scripts.
pub(crate) fn media_type_of(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(4..12).unwrap_or_default();
    match bytes {
        _ if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        _ if bytes.starts_with(b"\xff\xd8\xff") => Some("image/jpeg"),
        _ if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") => Some("image/gif"),
        _ if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Some("image/webp"),
        _ if brand == b"ftypavif" || brand == b"ftypavis" => Some("image/avif"),
        // The four bytes after the size are reserved, and zero.
        _ if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) => Some("image/bmp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x1cftypavif\0\0", Some("image/avif")),
            (b"BM\x01\x02\x03\x04\0\0\0\0", Some("image/bmp")),
            (b"BMX is a brand of bicycles", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(media_type_of(bytes), expected, "{bytes:?}");
        }
    }
}
