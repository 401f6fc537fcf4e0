//! What handlers take out of a request, with rejections that are problems like any other.

use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::path::Path;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::StatusCode;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::state::AppState;
use std::sync::Arc;

/// The parameters after `?`.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<AppState>> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, Self::Rejection> {
        let parameters = Query::<T>::from_request_parts(parts, state).await;
        let bad = |rejection: QueryRejection| {
            Problem::bad_request("parameters", "Bad parameters", rejection.body_text())
        };
        parameters.map(|Query(parameters)| Self(parameters)).map_err(bad)
    }
}

/// The name of a table, from the path.
pub struct TableName(pub String);

impl FromRequestParts<Arc<AppState>> for TableName {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, Self::Rejection> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        let bad = |rejection: PathRejection| {
            Problem::bad_request("table-name", "Invalid table name", rejection.body_text())
                .with_field("table")
        };
        name.map(|Path(name)| Self(name)).map_err(bad)
    }
}

/// A body of text, as long as bodies may be.
pub struct TextBody(pub String);

/// A body that takes longer than this is not waited for.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

impl FromRequest<Arc<AppState>> for TextBody {
    type Rejection = Problem;

    async fn from_request(
        request: Request,
        state: &Arc<AppState>,
    ) -> Result<Self, Self::Rejection> {
        let limit = state.queries.limits().body_bytes;
        let too_large = || {
            let detail = format!("the body is longer than the {limit} bytes that it may be");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            Problem::new(status, "body-too-large", "Body too large", detail)
        };
        // A body that says it is too long is refused before any of it has come.
        if request.body().size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let body = Limited::new(request.into_body(), limit).collect();
        let body = match tokio::time::timeout(BODY_TIME_MAX, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
            Ok(Err(_)) => {
                let detail = "the body broke off";
                return Err(Problem::bad_request("body", "Bad body", detail));
            }
            Err(_) => {
                let detail = format!("the body took longer than {} s", BODY_TIME_MAX.as_secs());
                let status = StatusCode::REQUEST_TIMEOUT;
                return Err(Problem::new(status, "body-timed-out", "Request timed out", detail));
            }
        };
        let text = String::from_utf8(body.into());
        text.map(Self).map_err(|_| Problem::bad_request("body", "Bad body", "it is not UTF-8"))
    }
}
