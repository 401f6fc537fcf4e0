//! `/api/image`: a picture that a cell names, where the page cannot show it by itself.

use std::sync::Arc;

use album::Failure;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::extract::Parameters;
use super::problem::Problem;
use super::state::AppState;
use crate::pictures::PictureFailure;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImageParameters {
    /// An address of the web, or the path of a file in the lake: from the table's folder, else
    /// from the lake's root. A picture in an HDF5 file is `store.h5#dataset`, or `store.h5#dataset[row]`.
    #[param(required, example = "https://example.org/finch.jpg")]
    source: Option<String>,
    /// The table that names it; needed for paths.
    table: Option<String>,
    /// The longer side, in pixels, of a smaller picture, as JPEG: 16 to 1024. One that is no larger,
    /// or that cannot be made smaller here, comes as it is; so it does if this is absent.
    side: Option<u32>,
}

const SIDES: std::ops::RangeInclusive<u32> = 16..=1024;

/// For how long a browser may show a picture without asking again.
const CACHE: &str = "private, max-age=300";
/// Whatever it is, as a page of its own it does nothing.
const POLICY: &str = "default-src 'none'; sandbox";

/// Answers with a picture: PNG, JPEG, GIF, WebP, AVIF or BMP.
///
/// Addresses are fetched from the hosts that the companion was told to (`--image-host`) alone.
#[utoipa::path(
    get,
    path = "/api/image",
    tag = "tables",
    params(ImageParameters),
    responses(
        (status = 200, description = "The picture", body = Vec<u8>, content_type = "image/*"),
        (status = "4XX", description = "No such picture, or a host that is not allowed", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The host, or the store, does not give it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_image(
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<ImageParameters>,
) -> Result<Response, Problem> {
    let missing = || Problem::bad_request("parameters", "Bad parameters", "source is missing");
    let source = parameters.source.ok_or_else(|| missing().with_field("source"))?;
    let table = parameters.table.unwrap_or_default();
    let picture = match parameters.side {
        None => state.pictures.picture(&table, &source).await?,
        Some(side) if SIDES.contains(&side) => state.pictures.small(&table, &source, side).await?,
        Some(side) => {
            let detail = format!("side is {side}, and may be 16 to 1024");
            let refused = Problem::bad_request("parameters", "Bad parameters", detail);
            return Err(refused.with_field("side"));
        }
    };
    let mut response = Response::new(Body::from(picture.bytes));
    for (name, value) in [
        (header::CONTENT_TYPE, picture.media_type),
        (header::CACHE_CONTROL, CACHE),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CONTENT_DISPOSITION, "inline"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

impl From<PictureFailure> for Problem {
    fn from(failure: PictureFailure) -> Self {
        let detail = failure.to_string();
        let problem = |status, name, title| Self::new(status, name, title, detail.clone());
        match failure {
            PictureFailure::HostNotAllowed { .. } => {
                problem(StatusCode::FORBIDDEN, "image-host", "Host not allowed")
            }
            PictureFailure::NoSource { .. }
            | PictureFailure::NoKey { .. }
            | PictureFailure::Stored { failure: Failure::WhichRow { .. }, .. } => {
                problem(StatusCode::BAD_REQUEST, "image-source", "Not a picture's place")
                    .with_field("source")
            }
            PictureFailure::Unreachable { .. } | PictureFailure::Status { .. } => {
                problem(StatusCode::BAD_GATEWAY, "image-failed", "The picture cannot be had")
            }
            PictureFailure::TimedOut { .. } => {
                problem(StatusCode::GATEWAY_TIMEOUT, "image-timed-out", "The host does not answer")
            }
            PictureFailure::TooLarge => {
                problem(StatusCode::PAYLOAD_TOO_LARGE, "image-too-large", "Picture too large")
            }
            PictureFailure::NotFound { .. }
            | PictureFailure::Stored {
                failure: Failure::NoDataset(_) | Failure::NoRow { .. },
                ..
            } => problem(StatusCode::NOT_FOUND, "unknown-image", "No such picture"),
            PictureFailure::NoPicture { .. } | PictureFailure::Stored { .. } => {
                problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-image", "Not a picture")
            }
            PictureFailure::Lake(error) => Self::from(error),
        }
    }
}
