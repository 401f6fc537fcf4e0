//! Everything that can keep a query from being answered, as variants that HTTP and the command
//! tell apart. Nothing here knows about statuses.

use std::time::Duration;

use arrow_schema::ArrowError;
use datafusion::error::DataFusionError;
use engine::error::QueryError;

use super::encode::EncodeError;
use crate::lake::error::LakeError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryFailure {
    /// The query asks for what the table does not have, or cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),

    /// The table, its files or its store.
    #[error(transparent)]
    Lake(#[from] LakeError),

    /// The answer would have more rows than this server gives at once.
    #[error(
        "the answer has {rows} rows, more than the {limit} that this server gives at once: narrow the filters or set a limit"
    )]
    TooManyRows { rows: u64, limit: u64 },

    /// So many queries wait that one more is not let in.
    #[error("too many queries are waiting")]
    QueueFull { retry_after: Duration },

    /// No turn came in time.
    #[error("no turn came within {} s: too many queries are running", waited.as_secs_f32())]
    NoTurn { waited: Duration, retry_after: Duration },

    #[error("the query computed for longer than the {} s that it may", limit.as_secs_f32())]
    TimedOut { limit: Duration },

    /// Nobody took the answer's bytes for too long.
    #[error("the reader took nothing for {} s", waited.as_secs_f32())]
    Stalled { waited: Duration },

    #[error(
        "the query needs more memory than it may have ({detail}): ask for fewer rows, columns or groups at once, or give the server more by --memory"
    )]
    OutOfMemory { detail: String },

    #[error(
        "the query needs more disk than it may have ({detail}): ask for fewer rows, columns or groups at once, or give the server more by --spill-dir and --spill-limit"
    )]
    OutOfDisk { detail: String },

    /// The work ended before the answer did.
    #[error("the query was cancelled")]
    Cancelled,

    #[error(transparent)]
    Encode(#[from] EncodeError),

    #[error("the query panicked: {message}")]
    Panicked { message: String },

    #[error(transparent)]
    Execution(DataFusionError),

    #[error("cannot compute the answer: {0}")]
    Arrow(ArrowError),
}

impl From<DataFusionError> for QueryFailure {
    /// What was wrapped on its way through a plan comes out as what it was.
    fn from(error: DataFusionError) -> Self {
        if let Some(lake) = LakeError::find(&error) {
            return Self::Lake(lake.clone());
        }
        if let Some(query) = find_query_error(&error) {
            return Self::Query(query.clone());
        }
        if let Some(detail) = disk_exhausted(&error) {
            return Self::OutOfDisk { detail };
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(detail) => {
                Self::OutOfMemory { detail: first_line(detail) }
            }
            _ => Self::Execution(error),
        }
    }
}

impl From<QueryFailure> for DataFusionError {
    /// On its way through a plan; [`QueryFailure::from`] finds it again.
    fn from(failure: QueryFailure) -> Self {
        match failure {
            QueryFailure::Query(error) => Self::External(Box::new(error)),
            QueryFailure::Lake(error) => Self::External(Box::new(error)),
            QueryFailure::OutOfMemory { detail } => Self::ResourcesExhausted(detail),
            QueryFailure::Execution(error) => error,
            QueryFailure::Arrow(error) => Self::ArrowError(Box::new(error), None),
            QueryFailure::OutOfDisk { .. } => Self::ResourcesExhausted(DISK_LIMIT_TEXT.to_owned()),
            other => Self::External(Box::new(other)),
        }
    }
}

impl From<ArrowError> for QueryFailure {
    fn from(error: ArrowError) -> Self {
        if let Some(detail) = disk_exhausted(&error) {
            return Self::OutOfDisk { detail };
        }
        match error {
            ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
                Ok(error) => Self::from(*error),
                Err(inner) => Self::Arrow(ArrowError::ExternalError(inner)),
            },
            other => Self::Arrow(other),
        }
    }
}

/// What is said where spilling met the end of its disk, or of what it may use of it.
fn disk_exhausted(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::StorageFull
        {
            return Some("the disk that it spills to is full".to_owned());
        }
        // DataFusion has no variant for it.
        if current.to_string().contains(DISK_LIMIT_TEXT) {
            return Some("the limit of spilled bytes is met".to_owned());
        }
        next = current.source();
    }
    None
}

const DISK_LIMIT_TEXT: &str = "used disk space during the spilling process";

fn find_query_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a QueryError> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<QueryError>() {
            return Some(found);
        }
        if let Some(shared) = current.downcast_ref::<std::sync::Arc<DataFusionError>>() {
            return find_query_error(shared.as_ref());
        }
        next = current.source();
    }
    None
}

/// The pool's message goes on to list every consumer.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
