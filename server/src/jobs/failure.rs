//! Why a job came to nothing, told apart as far as a caller's next step depends on it.

use engine::error::QueryError;

use crate::encode::EncodeFailure;
use crate::lake::error::LakeError;
use crate::query::failure::QueryFailure;

#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// The job asks for what is not there.
    #[error(transparent)]
    Spec(#[from] QueryError),
    #[error(transparent)]
    Query(#[from] QueryFailure),
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The table that is to be written.
    #[error(transparent)]
    Into(LakeError),
    #[error("column {column:?} {reason}")]
    Vectors { column: String, reason: String },
    #[error(transparent)]
    Compute(#[from] embedding::Error),
    #[error("cannot keep vectors on disk: {0}; see --spill-dir")]
    Scratch(std::io::Error),
    #[error(transparent)]
    Encode(Box<EncodeFailure>),
    /// It cannot be measured.
    #[error("the model cannot be used: {0}")]
    Model(String),
    /// Its process ended without a word.
    #[error("{0}")]
    Ended(String),
    #[error("there is no job {0:?}")]
    Unknown(String),
    #[error("{0} jobs are waiting already")]
    QueueFull(usize),
}

impl From<EncodeFailure> for JobFailure {
    fn from(failure: EncodeFailure) -> Self {
        match failure {
            EncodeFailure::Spec(error) => Self::Spec(error),
            EncodeFailure::Query(failure) => Self::Query(failure),
            EncodeFailure::Lake(error) => Self::Lake(error),
            other => Self::Encode(Box::new(other)),
        }
    }
}
