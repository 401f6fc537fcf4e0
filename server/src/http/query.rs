//! `/api/query`: one query, answered in the format that is asked for. By GET it can be kept by
//! caches: for ever, where the version is pinned.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::query::Query;
use futures::TryStreamExt;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;

use super::caching;
use super::extract::{Parameters, TextBody};
use super::negotiate::representation;
use super::openapi::{AnswerRows, QueryDocument};
use super::problem::Problem;
use super::state::AppState;
use crate::query::Pinned;
use crate::query::answer::{self, Answer};
use crate::query::encode::compress::ContentEncoding;
use crate::query::encode::{AnswerFormat, Representation};

/// How the answer is written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatParameters {
    /// arrow-stream, arrow-file, parquet, csv, json or ndjson; wins over `Accept`.
    #[param(example = "json")]
    pub(super) format: Option<String>,
    /// Compression inside Arrow and Parquet: none, lz4 or zstd.
    pub(super) compression: Option<String>,
}

/// A query in the address.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QueryParameters {
    /// The query as JSON.
    #[param(example = r#"{"table":"flights","limit":10}"#)]
    q: Option<String>,
    /// arrow-stream, arrow-file, parquet, csv, json or ndjson; wins over `Accept`.
    #[param(example = "json")]
    format: Option<String>,
    /// Compression inside Arrow and Parquet: none, lz4 or zstd.
    compression: Option<String>,
}

/// Answers a query.
#[utoipa::path(
    post,
    path = "/api/query",
    tag = "query",
    params(FormatParameters),
    request_body(content = QueryDocument, content_type = "application/json"),
    responses(
        (status = 200, description = "The rows, as an Arrow IPC stream or as asked for", content(
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
            (Vec<u8> = "application/vnd.apache.arrow.file"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (String = "text/csv"),
            (AnswerRows = "application/json"),
            (String = "application/x-ndjson"),
        )),
        (status = "4XX", description = "The query, or the table, cannot be had", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The server or a store cannot answer now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_query(
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<FormatParameters>,
    headers: HeaderMap,
    TextBody(text): TextBody,
) -> Result<Response, Problem> {
    let query = read_query(&text)?;
    let (format, compression) = (parameters.format, parameters.compression);
    let default = AnswerFormat::ArrowStream;
    let representation =
        representation(format.as_deref(), compression.as_deref(), &headers, default)?;
    let pinned = state.queries.open(query).await?;
    let etag = etag(&pinned, representation);
    let answer = state.queries.answer(pinned.clone(), representation).await?;
    Ok(answer_response(&pinned, representation, answer, &etag, "no-cache"))
}

/// Answers a query, so that caches can keep it.
#[utoipa::path(
    get,
    path = "/api/query",
    tag = "query",
    params(QueryParameters),
    responses(
        (status = 200, description = "The rows, as an Arrow IPC stream or as asked for; immutable, where the version is given", content(
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
            (Vec<u8> = "application/vnd.apache.arrow.file"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (String = "text/csv"),
            (AnswerRows = "application/json"),
            (String = "application/x-ndjson"),
        )),
        (status = 304, description = "The client has it already"),
        (status = "4XX", description = "The query, or the table, cannot be had", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The server or a store cannot answer now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_query(
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<QueryParameters>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing =
        || Problem::bad_request("parameters", "Bad parameters", "q is missing").with_field("q");
    let query = read_query(parameters.q.as_deref().ok_or_else(missing)?)?;
    let (format, compression) = (parameters.format, parameters.compression);
    let default = AnswerFormat::ArrowStream;
    let representation =
        representation(format.as_deref(), compression.as_deref(), &headers, default)?;
    let names_version = query.version.is_some();
    let pinned = state.queries.open(query).await?;
    let cache = match names_version && is_exact(&pinned) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let etag = etag(&pinned, representation);
    if caching::matches(&headers, &etag) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        put_facts(response.headers_mut(), &pinned, &etag, cache);
        return Ok(response);
    }
    let answer = state.queries.answer(pinned.clone(), representation).await?;
    let mut response = answer_response(&pinned, representation, answer, &etag, cache);
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    Ok(response)
}

fn read_query(text: &str) -> Result<Query, Problem> {
    Query::from_json(text)
        .map_err(|error| Problem::from(crate::query::failure::QueryFailure::from(error)))
}

/// Whether the query named this version, not a time whose version may still change.
fn is_exact(pinned: &Pinned) -> bool {
    let version = pinned.query.version.as_ref();
    version.is_some_and(|version| version.to_string() == pinned.snapshot.version().to_string())
}

/// Bytes of answers differ by this even if all else is equal.
const ENCODER: &str = concat!("limn ", env!("CARGO_PKG_VERSION"));

fn etag(pinned: &Pinned, representation: Representation) -> String {
    let Representation { format, compression, encoding } = representation;
    let key = pinned.key.hash().to_string();
    caching::etag([key.as_str(), format.name(), compression.name(), encoding.name(), ENCODER])
}

fn answer_response(
    pinned: &Pinned,
    representation: Representation,
    answer: Answer,
    etag: &str,
    cache: &str,
) -> Response {
    let mut headers = HeaderMap::new();
    put_facts(&mut headers, pinned, etag, cache);
    let format = representation.format;
    put(&mut headers, header::CONTENT_TYPE, format.media_type());
    put(&mut headers, header::CONTENT_DISPOSITION, &disposition(pinned, format));
    if representation.encoding != ContentEncoding::Identity {
        put(&mut headers, header::CONTENT_ENCODING, representation.encoding.name());
    }
    put_figures(&mut headers, pinned, &answer);
    let body = match answer.body {
        answer::Body::Whole(whole) => {
            put(&mut headers, header::CONTENT_LENGTH, &whole.bytes().to_string());
            put(&mut headers, HeaderName::from_static("limn-rows"), &whole.rows.to_string());
            Body::from_stream(whole)
        }
        // The status is out: all that is left is to break off, and to say why in the log.
        answer::Body::Stream(stream) => Body::from_stream(stream.inspect_err(|failure| {
            tracing::warn!("an answer broke off: {failure}");
        })),
    };
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// What the answer is of, and how long it holds.
fn put_facts(headers: &mut HeaderMap, pinned: &Pinned, etag: &str, cache: &str) {
    let snapshot = &pinned.snapshot;
    put(headers, header::ETAG, etag);
    put(headers, header::CACHE_CONTROL, cache);
    put(headers, header::VARY, "Accept, Accept-Encoding");
    put_encoded(headers, "limn-table", snapshot.table());
    put_encoded(headers, "limn-version", &snapshot.version().to_string());
    put_encoded(headers, "limn-reduction", pinned.key.reduction.name());
    if let Some(rows) = snapshot.rows() {
        put_encoded(headers, "limn-total-rows", &rows.to_string());
    }
}

/// What it took, up to the first bytes.
fn put_figures(headers: &mut HeaderMap, pinned: &Pinned, answer: &Answer) {
    let counts = &answer.counts;
    put_encoded(headers, "limn-files", &counts.files.to_string());
    put_encoded(headers, "limn-files-read", &counts.files_read.to_string());
    put_encoded(headers, "limn-bytes-read", &counts.bytes_read.to_string());
    let millis = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
    let timing = format!(
        "open;dur={:.1}, wait;dur={:.1}, first;dur={:.1}",
        millis(pinned.opened_in),
        millis(answer.waited),
        millis(answer.first_in),
    );
    put(headers, HeaderName::from_static("server-timing"), &timing);
}

/// What a header value or a quoted file name cannot hold as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"').add(b'\\').add(b',').add(b';');

/// What RFC 8187 does not let stand in a file name.
const FILE_NAME: &AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

fn put_encoded(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let value = utf8_percent_encode(value, ENCODED).to_string();
    put(headers, HeaderName::from_static(name), &value);
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// JSON is shown, everything else is saved under the table's name.
fn disposition(pinned: &Pinned, format: AnswerFormat) -> String {
    let kind = match format {
        AnswerFormat::Json | AnswerFormat::Ndjson => "inline",
        _ => "attachment",
    };
    let table = pinned.snapshot.table().replace('/', "-");
    let file = format!("{table}-{}.{}", pinned.snapshot.version(), format.extension());
    let ascii: String = file
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') { c } else { '_' })
        .collect();
    format!(
        "{kind}; filename=\"{ascii}\"; filename*=UTF-8''{}",
        utf8_percent_encode(&file, FILE_NAME)
    )
}
