//! Why vectors were not made.

use std::path::{Path, PathBuf};

use engine::error::QueryError;

use crate::lake::error::LakeError;
use crate::query::failure::QueryFailure;

#[derive(Debug, thiserror::Error)]
pub enum EncodeFailure {
    #[error("the model cannot be used: {0}")]
    Model(#[from] encoder::Error),
    #[error("the model cannot be fetched from {url}: {reason}")]
    Fetch { url: String, reason: String },
    #[error("folder {} cannot be used: {reason}", folder.display())]
    Folder { folder: PathBuf, reason: String },
    #[error(
        "there are no pictures in {}: files ending in {endings}{hint}", folder.display()
    )]
    NoPictures { folder: PathBuf, endings: String, hint: &'static str },
    #[error("{0}")]
    Mismatch(String),
    #[error("column {column:?} {reason}")]
    Column { column: String, reason: String },
    #[error(transparent)]
    Spec(#[from] QueryError),
    #[error(transparent)]
    Query(#[from] QueryFailure),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error("what was computed could not be kept: {0}")]
    Refused(String),
    #[error("none of the rows has a vector")]
    Nothing,
    #[error(
        "ended; {rows} rows have been added, and the same command, without --overwrite, goes on after them"
    )]
    Cancelled { rows: u64 },
    #[error("what reads rows ended: {0}")]
    Ended(String),
}

impl EncodeFailure {
    /// The part of a job that is to blame.
    pub(crate) fn field(&self) -> Option<&'static str> {
        match self {
            Self::Model(_) | Self::Fetch { .. } => Some("model"),
            Self::Folder { .. } | Self::NoPictures { .. } => Some("folder"),
            Self::Column { .. } => Some("column"),
            _ => None,
        }
    }

    /// What belongs at a path could not be put there.
    pub(crate) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Self {
        Self::Refused(format!("{}: {error}", path.display()))
    }
}
