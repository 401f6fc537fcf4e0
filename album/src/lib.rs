//! Pictures in HDF5 files, read by ranges: of a file of any size, near or far, what one picture
//! needs is read and no more.
//!
//! A picture is a dataset of its own (`images/ab12`), or a row of one (`images[12]`): either a
//! picture file as bytes (`uint8`, opaque, or of variable length), or pixels of 8 bits
//! (height × width, with 1 to 4 channels last or first), which are handed out as PNG.
//!
//! Format: HDF5 File Format Specification, version 3.0.

mod key;
mod pixels;
mod ranges;

use std::sync::atomic::{AtomicUsize, Ordering};

use hdf5_reader::error::Error as Hdf5Error;
use hdf5_reader::messages::datatype::{StringSize, VarLenKind};
use hdf5_reader::{Dataset, Datatype, H5Type, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem};

pub use key::Key;
pub use ranges::ReadRange;

/// Chunks of pixels that are kept decoded, in bytes.
const CHUNKS_BYTES: usize = 16 << 20;
/// An object's header holds no picture.
const HEADER_BYTES: usize = 1 << 20;
/// Each dataset that was read is remembered; so many are cheap.
const DATASETS: usize = 4096;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no HDF5 file, or a damaged one: {0}")]
    Broken(String),
    #[error("there is no dataset {0:?}")]
    NoDataset(String),
    #[error("dataset {name:?} holds {rows} rows: say which, as {name}[0]")]
    WhichRow { name: String, rows: u64 },
    #[error("dataset {name:?} has {rows} rows, and row {row} is none of them")]
    NoRow { name: String, rows: u64, row: u64 },
    #[error(
        "dataset {name:?} holds {what}: a picture is bytes of a file, or pixels of 8 bits, \
         height × width, with 1 to 4 channels"
    )]
    NoPicture { name: String, what: String },
    #[error("it takes more than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// The file could not be read: of the kind that [`ReadRange::read`] failed with.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// An HDF5 file that pictures are read from, by any number of threads.
pub struct Album {
    file: Hdf5File,
    bytes_max: usize,
    read: AtomicUsize,
}

impl std::fmt::Debug for Album {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Album").field("bytes_max", &self.bytes_max).finish_non_exhaustive()
    }
}

impl Album {
    /// Opens a file of `len` bytes. Whatever it says of itself, a picture takes `bytes_max` at
    /// most, decoded, and so does anything that is read on the way to it.
    pub fn open(len: u64, source: Box<dyn ReadRange>, bytes_max: usize) -> Result<Self, Failure> {
        let options = OpenOptions::default()
            .with_chunk_cache_bytes(CHUNKS_BYTES)
            .with_max_object_header_bytes(HEADER_BYTES)
            .with_max_chunk_bytes(bytes_max)
            .with_max_read_bytes(bytes_max);
        let storage = ranges::storage(len, source, bytes_max);
        let file = Hdf5File::from_storage_with_options(storage, options);
        let file = file.map_err(|error| failure("", error, bytes_max))?;
        Ok(Self { file, bytes_max, read: AtomicUsize::new(0) })
    }

    /// Whether it remembers so much that it had better be opened anew.
    pub fn is_worn(&self) -> bool {
        self.read.load(Ordering::Relaxed) > DATASETS
    }

    /// The bytes of a picture file: as they are in the file, or PNG of its pixels.
    pub fn picture(&self, key: &Key) -> Result<Vec<u8>, Failure> {
        self.read.fetch_add(1, Ordering::Relaxed);
        let name = key.dataset.as_str();
        let failed = |error| failure(name, error, self.bytes_max);
        let dataset = self.file.dataset(name).map_err(failed)?;
        let shape = dataset.shape();
        match (key.row, shape.first()) {
            (Some(row), rows) if rows.is_none_or(|rows| row >= *rows) => {
                let rows = rows.copied().unwrap_or(0);
                Err(Failure::NoRow { name: name.to_owned(), rows, row })
            }
            _ => self.read(&dataset, key),
        }
    }

    fn read(&self, dataset: &Dataset, key: &Key) -> Result<Vec<u8>, Failure> {
        let name = key.dataset.as_str();
        let failed = |error| failure(name, error, self.bytes_max);
        let shape = dataset.shape();
        let rest = if key.row.is_some() { &shape[1..] } else { shape };
        let which = || Failure::WhichRow { name: name.to_owned(), rows: shape[0] };
        match dataset.dtype() {
            Datatype::FixedPoint { size: 1, signed: false, .. } => {
                // A row of numbers is a file that was filled up with zeros.
                if rest.len() == 1 {
                    return selected::<u8>(dataset, key).map_err(failed);
                }
                match pixels::layout(rest) {
                    Some(layout) => {
                        let values = selected::<u8>(dataset, key).map_err(failed)?;
                        pixels::png(&layout, &values).map_err(Failure::Broken)
                    }
                    None if key.row.is_none() && pixels::is_rows(shape) => Err(which()),
                    None => Err(no_picture(dataset, key)),
                }
            }
            kind if !is_bytes(kind) => Err(no_picture(dataset, key)),
            _ if rest.iter().product::<u64>() != 1 => match key.row {
                None if shape.len() == 1 && shape[0] > 0 => Err(which()),
                _ => Err(no_picture(dataset, key)),
            },
            kind => {
                let raw = match shape.is_empty() {
                    true => dataset.read_raw_bytes().map_err(failed)?,
                    false => {
                        let found = selected::<Raw>(dataset, key).map_err(failed)?;
                        found.into_iter().next().map(|raw| raw.0).unwrap_or_default()
                    }
                };
                match is_variable(kind) {
                    true => dataset.resolve_vlen_reference_bytes(&raw, 1).map_err(failed),
                    false => Ok(raw),
                }
            }
        }
    }
}

/// An element as it lies in the file.
#[derive(Clone)]
struct Raw(Vec<u8>);

impl H5Type for Raw {
    fn hdf5_type() -> Datatype {
        Datatype::Opaque { size: 0, tag: String::new() }
    }

    fn from_bytes(bytes: &[u8], _: &Datatype) -> hdf5_reader::error::Result<Self> {
        Ok(Self(bytes.to_vec()))
    }

    fn element_size(data_type: &Datatype) -> usize {
        hdf5_reader::datatype_api::dtype_element_size(data_type).unwrap_or(0)
    }
}

/// Elements of a row, or of the whole.
fn selected<T: H5Type>(dataset: &Dataset, key: &Key) -> hdf5_reader::error::Result<Vec<T>> {
    let all = SliceInfoElem::Slice { start: 0, end: u64::MAX, step: 1 };
    let mut selections = vec![all; dataset.ndim()];
    if let (Some(first), Some(row)) = (selections.first_mut(), key.row) {
        *first = SliceInfoElem::Index(row);
    }
    let found = dataset.read_slice::<T>(&SliceInfo { selections })?;
    Ok(found.iter().cloned().collect())
}

/// Whether an element may hold a file.
fn is_bytes(kind: &Datatype) -> bool {
    let is_byte =
        |base: &Datatype| matches!(base, Datatype::FixedPoint { size: 1, signed: false, .. });
    match kind {
        Datatype::Opaque { .. } => true,
        Datatype::VarLen { base, kind: VarLenKind::Sequence, .. } => is_byte(base),
        Datatype::VarLen { .. } => true,
        Datatype::String { .. } => true,
        _ => false,
    }
}

fn is_variable(kind: &Datatype) -> bool {
    matches!(kind, Datatype::VarLen { .. } | Datatype::String { size: StringSize::Variable, .. })
}

fn no_picture(dataset: &Dataset, key: &Key) -> Failure {
    let of = match dataset.dtype() {
        Datatype::FixedPoint { size, signed, .. } => {
            format!("{}integers of {} bits", if *signed { "signed " } else { "" }, size * 8)
        }
        Datatype::FloatingPoint { size, .. } => format!("floats of {} bits", size * 8),
        Datatype::String { .. } => "texts".to_owned(),
        Datatype::Compound { .. } => "records".to_owned(),
        Datatype::Array { .. } => "arrays".to_owned(),
        Datatype::Enum { .. } => "values of an enumeration".to_owned(),
        Datatype::VarLen { .. } => "sequences".to_owned(),
        Datatype::Opaque { .. } => "bytes".to_owned(),
        Datatype::Reference { .. } => "references".to_owned(),
        Datatype::Bitfield { .. } => "bits".to_owned(),
    };
    let shape: Vec<String> = dataset.shape().iter().map(u64::to_string).collect();
    let what = match shape.is_empty() {
        true => format!("one value, of {of}"),
        false => format!("{} {of}", shape.join(" × ")),
    };
    Failure::NoPicture { name: key.dataset.clone(), what }
}

fn failure(name: &str, error: Hdf5Error, bytes_max: usize) -> Failure {
    match error {
        Hdf5Error::Context { source, .. } => failure(name, *source, bytes_max),
        Hdf5Error::Io(error) => Failure::Io(error),
        Hdf5Error::DatasetNotFound(_) | Hdf5Error::GroupNotFound(_) => {
            Failure::NoDataset(name.to_owned())
        }
        Hdf5Error::ResourceLimit(_) => Failure::TooLarge(bytes_max),
        other => Failure::Broken(other.to_string()),
    }
}
