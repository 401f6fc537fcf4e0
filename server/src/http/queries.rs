//! `/api/queries`: several queries answered together, all of one version of each table that they
//! name, so that the views of a page agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::ArrowError;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use engine::error::QueryError;
use engine::query::Query;
use http::header::{self, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::extract::{Parameters, TextBody};
use super::negotiate::representation;
use super::openapi::{AnswerRows, QueryDocument, VersionDocument};
use super::problem::Problem;
use super::query::FormatParameters;
use super::state::AppState;
use crate::lake::Snapshot;
use crate::query::collect::Collected;
use crate::query::encode::compress::Compressor;
use crate::query::encode::{AnswerFormat, Representation};
use crate::query::failure::QueryFailure;
use crate::query::{Pinned, pin, version_spec};

/// More queries at once are a mistake.
const QUERIES_MAX: usize = 100;

#[derive(Debug, Serialize, ToSchema)]
pub struct QueriesDocument {
    queries: Vec<QueryDocument>,
}

/// The answers in the order of the queries.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswersResponse {
    answers: Vec<AnswerDescription>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerDescription {
    table: String,
    version: VersionDocument,
    total_rows: Option<u64>,
    /// none, sample, bins or page.
    reduction: String,
    /// Files of the table, and those of which data was read.
    files: u64,
    files_read: u64,
    rows: AnswerRows,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    queries: Vec<Box<RawValue>>,
}

/// Answers several queries together.
///
/// Queries that leave the version open and name the same table are answered from the same one.
/// As Arrow, the answers are IPC streams one after the other, each with its own end.
#[utoipa::path(
    post,
    path = "/api/queries",
    tag = "query",
    params(FormatParameters),
    request_body(content = QueriesDocument, content_type = "application/json"),
    responses(
        (status = 200, description = "The answers", content(
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
            (AnswersResponse = "application/json"),
        )),
        (status = "4XX", description = "One of the queries, or a table, cannot be had", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The server or a store cannot answer now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_queries(
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<FormatParameters>,
    headers: HeaderMap,
    TextBody(text): TextBody,
) -> Result<Response, Problem> {
    let queries = read_queries(&text)?;
    let FormatParameters { format, compression } = &parameters;
    let default = AnswerFormat::ArrowStream;
    let representation =
        representation(format.as_deref(), compression.as_deref(), &headers, default)?;
    if !matches!(representation.format, AnswerFormat::ArrowStream | AnswerFormat::Json) {
        let detail = "answers together come as arrow-stream or json";
        let status = http::StatusCode::NOT_ACCEPTABLE;
        return Err(Problem::new(status, "not-acceptable", "Not acceptable", detail));
    }
    let pinned = pin_all(&state, queries).await?;
    let rows_max = state.queries.limits().rows;
    let collected = state.queries.collect(pinned.clone(), rows_max).await;
    let collected = collected.map_err(|(place, failure)| blame(place, failure))?;
    let encode = move || {
        let body = match representation.format {
            AnswerFormat::Json => json_body(&pinned, &collected),
            _ => arrow_body(representation, &pinned, &collected),
        };
        compressed(representation, body?)
    };
    Ok(response(representation, state.queries.compute(encode).await?))
}

fn read_queries(text: &str) -> Result<Vec<Query>, Problem> {
    let malformed = |detail: String| {
        Problem::from(QueryFailure::from(QueryError::malformed("queries", detail)))
    };
    let request: Result<Request, _> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text).map(|queries| Request { queries }),
        false => serde_json::from_str(text),
    };
    let request = request.map_err(|error| malformed(error.to_string()))?;
    if request.queries.len() > QUERIES_MAX {
        return Err(malformed(format!("more than {QUERIES_MAX}")));
    }
    let numbered = request.queries.iter().enumerate();
    let queries = numbered.map(|(place, query)| {
        Query::from_json(query.get()).map_err(|error| blame(place, error.into()))
    });
    queries.collect()
}

/// Every query on its snapshot; a table whose version is left open is looked up once.
async fn pin_all(state: &AppState, queries: Vec<Query>) -> Result<Vec<Pinned>, Problem> {
    let mut snapshots: BTreeMap<(String, String), Arc<Snapshot>> = BTreeMap::new();
    let mut pinned = Vec::with_capacity(queries.len());
    for (place, query) in queries.into_iter().enumerate() {
        let version = version_spec(query.version.as_ref()).map_err(|f| blame(place, f))?;
        let key = (query.table.clone(), version.to_string());
        let snapshot = match snapshots.get(&key) {
            Some(snapshot) => Arc::clone(snapshot),
            None => {
                let opened = state.queries.lakes().snapshot(&query.table, version).await;
                let opened = opened.map_err(|error| blame(place, error.into()))?;
                snapshots.insert(key, Arc::clone(&opened));
                opened
            }
        };
        pinned.push(pin(query, snapshot).map_err(|failure| blame(place, failure))?);
    }
    Ok(pinned)
}

/// The problem of one of the queries, its field named from the top.
fn blame(place: usize, failure: QueryFailure) -> Problem {
    let problem = Problem::from(failure);
    match problem.field.clone() {
        Some(field) => problem.with_field(format!("queries[{place}].{field}")),
        None => problem,
    }
}

fn arrow_body(
    representation: Representation,
    pinned: &[Pinned],
    collected: &[Collected],
) -> Result<Vec<Bytes>, QueryFailure> {
    let mut body = Vec::new();
    for (pinned, answer) in pinned.iter().zip(collected) {
        answer.encode(pinned, representation, &mut body)?;
    }
    Ok(body)
}

fn json_body(pinned: &[Pinned], collected: &[Collected]) -> Result<Vec<Bytes>, QueryFailure> {
    let mut body = vec![Bytes::from_static(b"{\"answers\":[")];
    for (place, (pinned, answer)) in pinned.iter().zip(collected).enumerate() {
        #[derive(Serialize)]
        struct Facts<'a> {
            table: &'a str,
            version: crate::lake::Version,
            total_rows: Option<u64>,
            reduction: &'a str,
            /// Files of the table, and those of which data was read.
            files: u64,
            files_read: u64,
        }
        let snapshot = &pinned.snapshot;
        let facts = Facts {
            table: snapshot.table(),
            version: snapshot.version(),
            total_rows: snapshot.rows(),
            reduction: pinned.key.reduction.name(),
            files: answer.counts.files,
            files_read: answer.counts.files_read,
        };
        let facts = serde_json::to_string(&facts)
            .map_err(|error| ArrowError::JsonError(error.to_string()))?;
        let comma = if place > 0 { "," } else { "" };
        let open = facts.strip_suffix('}').unwrap_or(&facts);
        body.push(format!("{comma}\n{open},\"rows\":").into());
        answer.encode(pinned, AnswerFormat::Json.into(), &mut body)?;
        body.push(Bytes::from_static(b"}"));
    }
    body.push(Bytes::from_static(b"]}\n"));
    Ok(body)
}

fn compressed(
    representation: Representation,
    body: Vec<Bytes>,
) -> Result<Vec<Bytes>, QueryFailure> {
    let compress = || -> std::io::Result<Vec<Bytes>> {
        let mut compressor = Compressor::new(representation.encoding);
        let mut chunks = compressor.push(body)?;
        chunks.extend(compressor.finish()?);
        Ok(chunks)
    };
    Ok(compress().map_err(crate::query::encode::EncodeError::from)?)
}

fn response(representation: Representation, body: Vec<Bytes>) -> Response {
    let length: usize = body.iter().map(Bytes::len).sum();
    let body = futures::stream::iter(body.into_iter().map(Ok::<_, std::convert::Infallible>));
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static(representation.format.media_type());
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    let encoding = representation.encoding.name();
    if encoding != "identity" {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}
