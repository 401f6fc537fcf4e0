//! Every error as `application/problem+json` (RFC 9457): which status, which words, which field.
//! The only place that turns failures into statuses, and the only one that logs them.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use engine::error::QueryErrorKind;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::jobs::failure::JobFailure;
use crate::lake::error::{LakeError, StoreFailure};
use crate::query::failure::QueryFailure;

/// What went wrong, for a program (`type`, `status`, `field`) and for a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name of the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:limn:problem:unknown-column")]
    pub kind: String,
    #[schema(example = "Unknown column")]
    pub title: String,
    #[schema(example = 400)]
    pub status: u16,
    #[schema(example = "no column \"delays\"; did you mean \"delay\"?")]
    pub detail: String,
    /// The part of the request to blame, as `filters[1].value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

/// What a [`Problem`] is without its place in a request: the `error` of a table in a listing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProblemSummary {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, name: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:limn:problem:{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            retry_after: None,
        }
    }

    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    pub fn bad_request(name: &str, title: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, name, title, detail)
    }

    pub fn not_found(path: &str) -> Self {
        let path: String = path.chars().take(200).collect();
        let detail = format!("nothing is served at {path:?}");
        Self::new(StatusCode::NOT_FOUND, "unknown-route", "Not found", detail)
    }

    pub fn method_not_allowed(method: &http::Method) -> Self {
        let detail = format!("this route does not answer {method}");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method-not-allowed", "Method not allowed", detail)
    }

    /// What nobody outside can do anything about; the cause goes to the log only.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!("cannot answer: {cause}");
        let detail = "the server failed to answer; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    pub fn summary(self) -> ProblemSummary {
        ProblemSummary { kind: self.kind, title: self.title, detail: self.detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(retry_after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, retry_after.as_secs().max(1).into());
        }
        response
    }
}

impl From<QueryFailure> for Problem {
    fn from(failure: QueryFailure) -> Self {
        let detail = failure.to_string();
        let unavailable = |name, title| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, name, title, detail.clone())
                .with_retry_after(RETRY_AFTER)
        };
        match failure {
            QueryFailure::Query(error) => query_problem(&error),
            QueryFailure::Lake(error) => Self::from(error),
            QueryFailure::TooManyRows { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-rows", "Too many rows", detail)
            }
            QueryFailure::QueueFull { retry_after } => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Self::new(status, "queue-full", "Too many requests", detail)
                    .with_retry_after(retry_after)
            }
            QueryFailure::NoTurn { retry_after, .. } => {
                unavailable("no-turn", "Server busy").with_retry_after(retry_after)
            }
            QueryFailure::TimedOut { .. } => unavailable("time-limit", "Time limit reached"),
            QueryFailure::Stalled { .. } => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "stalled", "Reader stalled", detail)
            }
            QueryFailure::OutOfMemory { .. } => {
                tracing::warn!("{detail}");
                unavailable("memory-limit", "Memory limit reached")
            }
            QueryFailure::OutOfDisk { .. } => {
                tracing::warn!("{detail}");
                unavailable("disk-limit", "Disk limit reached")
            }
            QueryFailure::Cancelled => unavailable("cancelled", "Cancelled"),
            QueryFailure::Encode(_) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "format", "The format cannot hold the answer", detail)
            }
            QueryFailure::Panicked { .. } | QueryFailure::Execution(_) | QueryFailure::Arrow(_) => {
                Self::internal(&detail)
            }
        }
    }
}

/// When to come back after a limit that passes by itself.
const RETRY_AFTER: Duration = Duration::from_secs(5);

fn query_problem(error: &engine::error::QueryError) -> Problem {
    let (name, title) = match &error.kind {
        QueryErrorKind::Malformed { .. } => ("malformed-query", "Malformed query"),
        QueryErrorKind::UnknownColumn { .. } => ("unknown-column", "Unknown column"),
        QueryErrorKind::OperatorForType { .. } => {
            ("operator-for-type", "Operator does not apply to the column's type")
        }
        QueryErrorKind::WrongType { .. } => ("wrong-type", "Value of the wrong type"),
        QueryErrorKind::BadRegex { .. } => ("bad-regex", "Bad regular expression"),
        QueryErrorKind::Overflow { .. } => ("overflow", "Sum too large"),
        QueryErrorKind::Unsupported { .. } => ("unsupported", "Not supported"),
    };
    // A pattern or a value may be as long as the body; the message need not be.
    let detail: String = error.kind.to_string().chars().take(1000).collect();
    let field: String = error.field.chars().take(200).collect();
    Problem::bad_request(name, title, detail).with_field(field)
}

impl From<LakeError> for Problem {
    fn from(error: LakeError) -> Self {
        let detail = error.to_string();
        let not_found = |name, title| Self::new(StatusCode::NOT_FOUND, name, title, detail.clone());
        match &error {
            LakeError::Spec { .. } => Self::internal(&detail),
            LakeError::Name { .. } => {
                Self::bad_request("table-name", "Invalid table name", detail).with_field("table")
            }
            LakeError::VersionSyntax { .. } => {
                Self::bad_request("version", "Invalid version", detail).with_field("version")
            }
            LakeError::NoTable { .. } => {
                not_found("unknown-table", "Unknown table").with_field("table")
            }
            LakeError::NoVersion { .. } => {
                not_found("unknown-version", "Unknown version").with_field("version")
            }
            LakeError::Gone { .. } | LakeError::Changed { .. } => {
                Self::new(StatusCode::GONE, "version-gone", "Version gone", detail)
                    .with_field("version")
            }
            LakeError::Taken { .. } => {
                Self::new(StatusCode::CONFLICT, "table-exists", "Table exists", detail)
            }
            LakeError::Unwritable { .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "unwritable-table", "The table cannot be written", detail)
            }
            LakeError::Bad { .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "unreadable-table", "The table cannot be read", detail)
            }
            LakeError::Store { lake, failure, path, .. } => {
                tracing::warn!("{detail}");
                store_problem(lake, *failure, path.as_deref())
            }
        }
    }
}

impl From<engine::error::QueryError> for Problem {
    fn from(error: engine::error::QueryError) -> Self {
        query_problem(&error)
    }
}

impl From<JobFailure> for Problem {
    fn from(failure: JobFailure) -> Self {
        let detail = failure.to_string();
        match failure {
            JobFailure::Spec(error) => query_problem(&error),
            JobFailure::Query(failure) => Self::from(failure),
            JobFailure::Into(error) => Self::from(error).with_field("into"),
            JobFailure::Lake(error) => Self::from(error),
            JobFailure::Vectors { .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "vectors", "No vectors", detail).with_field("column")
            }
            JobFailure::Encode(failure) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let problem = Self::new(status, "encode", "No vectors can be made", detail);
                match failure.field() {
                    Some(field) => problem.with_field(field),
                    None => problem,
                }
            }
            JobFailure::Model(_) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "model", "The model cannot be used", detail).with_field("model")
            }
            JobFailure::Unknown(_) => {
                Self::new(StatusCode::NOT_FOUND, "unknown-job", "Unknown job", detail)
            }
            JobFailure::QueueFull(_) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Self::new(status, "queue-full", "Too many jobs", detail)
                    .with_retry_after(RETRY_AFTER)
            }
            JobFailure::Compute(_) | JobFailure::Scratch(_) | JobFailure::Ended(_) => {
                Self::internal(&detail)
            }
        }
    }
}

/// The store's own words stay in the log: they name hosts, and may name keys.
fn store_problem(lake: &str, failure: StoreFailure, path: Option<&str>) -> Problem {
    let place = path.map(|path| format!(" on {path:?}")).unwrap_or_default();
    let advice = match failure {
        StoreFailure::Unreachable => {
            "check that its store is up, and its address (AWS_ENDPOINT_URL)"
        }
        StoreFailure::Denied => "check its keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        StoreFailure::TimedOut => "check that its store is up, or wait longer by --store-timeout",
        StoreFailure::Dropped | StoreFailure::Throttled => "try again in a while",
        StoreFailure::Full => "make room, or write elsewhere",
        StoreFailure::Failed => "the server's log says how",
    };
    let detail = format!("lake {lake:?} {failure}{place}; {advice}");
    let bad = |name: &str| {
        Problem::new(StatusCode::BAD_GATEWAY, name, "The store failed", detail.clone())
    };
    match failure {
        StoreFailure::Unreachable => bad("store-unreachable"),
        StoreFailure::Denied => bad("store-denied"),
        StoreFailure::Dropped => bad("store-dropped"),
        StoreFailure::Failed => bad("store-failed"),
        StoreFailure::Full => {
            let status = StatusCode::INSUFFICIENT_STORAGE;
            Problem::new(status, "store-full", "The store is full", detail)
        }
        StoreFailure::TimedOut => {
            let status = StatusCode::GATEWAY_TIMEOUT;
            Problem::new(status, "store-timed-out", "The store did not answer", detail)
                .with_retry_after(RETRY_AFTER)
        }
        StoreFailure::Throttled => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Problem::new(status, "store-throttled", "The store asked to slow down", detail)
                .with_retry_after(RETRY_AFTER)
        }
    }
}
