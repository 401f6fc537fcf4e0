//! The one error of the IPC layer: what is wrong with the bytes, and where.

use arrow_schema::ArrowError;

/// Bytes that could not be read as Arrow IPC, or batches that could not be written as it.
#[derive(Debug, thiserror::Error)]
pub enum IpcError {
    /// Something else altogether, such as a Parquet file.
    #[error("not an arrow ipc stream or file: {found}")]
    NotIpc { found: String },
    /// The bytes stop before their end marker: what was read so far is not the whole.
    #[error("the arrow data is cut short: {missing}")]
    Truncated { missing: &'static str },
    /// A limit of [`super::limits::DecodeLimits`] was met.
    #[error("{what} is {value}, over the limit of {max}")]
    TooLarge { what: &'static str, value: u64, max: u64 },
    /// Valid Arrow that is not read here.
    #[error("{at}: {feature} is not supported")]
    Unsupported { at: String, feature: String },
    /// The bytes contradict themselves or the format.
    #[error("{at}: {reason}")]
    Malformed { at: String, reason: String },
    /// The content of an array broke a rule of its type.
    #[error("{at}: {source}")]
    Array { at: String, source: ArrowError },
    /// A decoder that met an error is asked to go on.
    #[error("the decoder has already failed")]
    AlreadyFailed,
    /// A batch could not be written.
    #[error("cannot write arrow ipc: {0}")]
    Encode(ArrowError),
}

impl IpcError {
    pub(crate) fn malformed(at: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { at: at.into(), reason: reason.into() }
    }

    pub(crate) fn unsupported(at: impl Into<String>, feature: impl Into<String>) -> Self {
        Self::Unsupported { at: at.into(), feature: feature.into() }
    }

    /// `Ok` while `value` is within `max`.
    pub(crate) fn check_limit(what: &'static str, value: usize, max: usize) -> Result<(), Self> {
        if value <= max {
            return Ok(());
        }
        Err(Self::TooLarge { what, value: value as u64, max: max as u64 })
    }

    /// Says that the error is in a child of the column named `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        if let Self::Unsupported { at, .. } | Self::Malformed { at, .. } | Self::Array { at, .. } =
            &mut self
        {
            let place = column_place(outer);
            if *at != place {
                *at = format!("{place}, {at}");
            }
        }
        self
    }
}

/// How messages name a column. A name is outside data, so an endless one is clipped.
pub(crate) fn column_place(name: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    let mut shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    format!("column {shown:?}")
}
