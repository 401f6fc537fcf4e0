//! Pictures that are files of the lake.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};

use super::{BYTES_MAX, PictureFailure};
use crate::lake::store::lake_error;
use crate::lake::{Beside, Lakes};

/// What may be asked for: the lake's other files are no pictures.
const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "tif", "tiff"];

/// The file of this path, which counts from the table's folder, else from the lake's root.
pub(super) async fn read(
    lakes: &Lakes,
    table: &str,
    source: &str,
) -> Result<Bytes, PictureFailure> {
    let path = parsed(source)?;
    let ending = path.extension().map(str::to_ascii_lowercase).unwrap_or_default();
    if !ENDINGS.contains(&ending.as_str()) {
        return Err(no_source(source));
    }
    let place = lakes.table(table).await?.beside();
    for path in candidates(&place, &path) {
        match get(place.store.as_ref(), &path).await {
            Ok(bytes) => return Ok(bytes),
            Err(Refused::Store(object_store::Error::NotFound { .. })) => {}
            Err(Refused::Store(error)) => {
                return Err(lake_error(&place.lake, Some(&path), error).into());
            }
            Err(Refused::TooLarge) => return Err(PictureFailure::TooLarge),
        }
    }
    Err(PictureFailure::NotFound { table: table.to_owned(), path: path.to_string() })
}

/// A path as a cell has it. Refuses `..`, empty parts and control characters.
pub(super) fn parsed(source: &str) -> Result<Path, PictureFailure> {
    let written = source.strip_prefix("./").unwrap_or(source).trim_start_matches('/');
    Path::parse(written).map_err(|_| no_source(source))
}

/// Where a path may lead, in order: from the table's folder, and from the lake's root.
pub(super) fn candidates(place: &Beside, path: &Path) -> [Path; 2] {
    [place.folder.parts().chain(path.parts()).collect(), path.clone()]
}

pub(super) fn no_source(source: &str) -> PictureFailure {
    PictureFailure::NoSource { place: source.chars().take(200).collect() }
}

enum Refused {
    Store(object_store::Error),
    TooLarge,
}

async fn get(store: &dyn ObjectStore, path: &Path) -> Result<Bytes, Refused> {
    let found = store.get_opts(path, GetOptions::default()).await.map_err(Refused::Store)?;
    if found.meta.size > BYTES_MAX as u64 {
        return Err(Refused::TooLarge);
    }
    let mut bytes = BytesMut::new();
    let mut stream = found.into_stream();
    // It may have grown since.
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part.map_err(Refused::Store)?);
        if bytes.len() > BYTES_MAX {
            return Err(Refused::TooLarge);
        }
    }
    Ok(bytes.freeze())
}
