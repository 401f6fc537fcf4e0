//! `/api/jobs`: long work on tables, begun, listed, followed and cancelled.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::extract::TextBody;
use super::guard::MayWrite;
use super::openapi::{FilterDocument, VersionDocument};
use super::problem::Problem;
use super::state::AppState;
use crate::jobs::estimate::{Estimate, estimate};
use crate::jobs::job::Job;
use crate::jobs::record::JobRecord;

/// A job on the vectors of a table, one that makes vectors, or one that gives rows names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobDocument {
    /// cluster, project, or embed for several steps; encode to make vectors; label to name rows.
    #[schema(example = "cluster")]
    kind: String,
    /// Absent of a job of kind encode that says a folder.
    table: Option<String>,
    /// The newest, if absent.
    version: Option<VersionDocument>,
    /// The column of vectors; if absent, the one there is.
    column: Option<String>,
    /// All of them must hold.
    filters: Option<Vec<FilterDocument>>,
    /// kmeans (if absent) or hdbscan to cluster; pca (if absent), umap or tsne to project.
    algorithm: Option<String>,
    /// Clusters; 10, if absent.
    k: Option<u64>,
    /// 300, if absent.
    max_iterations: Option<u64>,
    /// number, or text: names that are categories wherever they are shown; number, if absent.
    labels: Option<String>,
    /// Of kmeans: also a column `_distance`, how far rows are from their centroid.
    distances: Option<bool>,
    /// Of kmeans: learnt from some rows at a time, sooner done and not quite as good; false, if
    /// absent.
    mini_batch: Option<bool>,
    /// Of hdbscan: rows that make a cluster; 15, if absent. Rows in none are -1, or noise.
    min_cluster_size: Option<u64>,
    /// Of hdbscan: rows of a neighbourhood; as many as make a cluster, but 100 at most,
    /// if absent.
    min_samples: Option<u64>,
    /// Of hdbscan: eom for the clusters that last longest, or leaf; eom, if absent.
    selection: Option<String>,
    /// Of hdbscan: by the nearest neighbours of each row alone, rather than by all pairs of rows,
    /// which takes far less time where rows and dimensions are many; false, if absent.
    graph: Option<bool>,
    /// Of hdbscan, in a job of several steps: the projection before it that is clustered, by its
    /// `as`; the vectors, if absent.
    of: Option<String>,
    /// Of a projection; 2, if absent.
    dimensions: Option<u64>,
    /// Of umap: rows in a neighbourhood; 15, if absent.
    neighbours: Option<u64>,
    /// Of umap: how near points may come to each other, from 0 to 1; 0.1, if absent.
    min_dist: Option<f64>,
    /// Of umap: the table of a map, with its vectors, that rows are placed on rather than laid out
    /// by themselves.
    onto: Option<String>,
    /// Of umap: where points begin, pca or spectral; pca, if absent.
    init: Option<String>,
    /// Of tsne: about how many neighbours count; 30, or a third of few rows, if absent.
    perplexity: Option<f64>,
    /// What the result's column is called, or what stands before `_1`, `_2` of dimensions; of label
    /// label, if absent.
    r#as: Option<String>,
    /// Of a job of kind embed, of each: kind, and what a job of that kind says of its algorithm,
    /// from algorithm to as.
    steps: Option<Vec<serde_json::Value>>,
    /// 614, if absent.
    seed: Option<u64>,
    /// l2 or none; l2, if absent.
    normalize: Option<String>,
    /// auto, cpu or cuda; auto, if absent, and of encode cpu.
    backend: Option<String>,
    /// Columns that say which row is which; id, uuid or key, else `_row`, if absent.
    id: Option<Vec<String>>,
    /// Further columns of the result: their names, or "all"; of encode and label all, if absent.
    keep: Option<serde_json::Value>,
    /// Whether the result has the vectors too, as they came; false, if absent.
    keep_vectors: Option<bool>,
    /// The table to write.
    into: String,
    /// A further table: of each cluster of kmeans its size and the mean of its vectors.
    centroids_into: Option<String>,
    /// A further table: of each row the nearest others, by their places among the rows of `into`
    /// from 0 on, and how far they are.
    neighbours_into: Option<String>,
    /// create or overwrite; create, if absent.
    mode: Option<String>,
    /// Of encode: one of the models that `/api/models` lists.
    model: Option<String>,
    /// Of encode, instead of a table: a folder of pictures in a lake, named as tables are.
    folder: Option<String>,
    /// Of encode, and a folder: whether its folders are looked into too; false, if absent.
    recursive: Option<bool>,
    /// Of encode: the output of the model; the likeliest, if absent.
    output: Option<String>,
    /// Of encode, and an output with a vector a token: mean or first.
    pooling: Option<String>,
    /// Of encode: the most tokens of a text; what the model takes, if absent.
    max_tokens: Option<u32>,
    /// Of encode: the longer side of small pictures that the result has, 0 for none; 128 of a
    /// folder and 0 of a table, if absent.
    thumbnails: Option<u32>,
    /// Of label: what rows are called. A row of several has the name of the last.
    groups: Option<Vec<RowGroupDocument>>,
    /// Of label: the column whose value is the name of rows in no group; they have none, if absent.
    otherwise: Option<String>,
    /// Jobs of a higher one are begun first; 0, if absent.
    priority: Option<i32>,
}

/// Rows with a name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RowGroup)]
pub struct RowGroupDocument {
    name: String,
    /// All of them must hold.
    filters: Vec<FilterDocument>,
}

/// Jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobsResponse {
    jobs: Vec<JobRecord>,
}

/// Queues a job.
///
/// Whether its table and columns exist and the result can be written is looked at first. One that
/// makes vectors goes on where the same job was ended before it was done. Where the
/// same job has written that table before, of the same version, and nobody has since, it is done
/// at once: the answer is that result.
#[utoipa::path(
    post,
    path = "/api/jobs",
    tag = "jobs",
    request_body(content = JobDocument, content_type = "application/json"),
    responses(
        (status = 202, description = "It is queued; its address is in Location", body = JobRecord),
        (status = 409, description = "The table to write is there already", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "The job cannot be done", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_job(
    State(state): State<Arc<AppState>>,
    _may: MayWrite,
    TextBody(text): TextBody,
) -> Result<Response, Problem> {
    let spec = Job::from_json(&text)?;
    let before = spec.check(&state.queries, &state.models).await?;
    let record = state.jobs.ready().await.submit(&spec, &text, before).await?;
    let location = format!("/api/jobs/{}", record.id);
    let mut response = (StatusCode::ACCEPTED, Json(record)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Says what a job would take.
///
/// From its rows, its dimensions and rates that were measured: a guess. Nothing is begun, and where it would be written is not looked at.
#[utoipa::path(
    post,
    path = "/api/jobs/estimate",
    tag = "jobs",
    request_body(content = JobDocument, content_type = "application/json"),
    responses(
        (status = 200, body = Estimate),
        (status = "4XX", description = "The job cannot be done", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn estimate_job(
    State(state): State<Arc<AppState>>,
    _may: MayWrite,
    TextBody(text): TextBody,
) -> Result<Json<Estimate>, Problem> {
    Ok(Json(match Job::from_json(&text)? {
        Job::OnVectors(spec) => estimate(&state.queries, &spec).await?,
        Job::Label(spec) => spec.estimate(&state.queries).await?,
        Job::Encode(spec) => {
            let measured = state.jobs.measured(&state.models, &spec, &text).await?;
            spec.estimate(&state.queries, &measured).await?
        }
    }))
}

/// Lists jobs.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", responses((status = 200, body = JobsResponse)))]
pub async fn list_jobs(State(state): State<Arc<AppState>>) -> Json<JobsResponse> {
    Json(JobsResponse { jobs: state.jobs.ready().await.list() })
}

/// Reads a job.
#[utoipa::path(
    get,
    path = "/api/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = JobRecord),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_job(
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<JobRecord>, Problem> {
    Ok(Json(state.jobs.ready().await.get(&id)?))
}

/// Cancels a job.
///
/// One that is over stays what it is.
#[utoipa::path(
    delete,
    path = "/api/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = JobRecord),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_job(
    State(state): State<Arc<AppState>>,
    _may: MayWrite,
    Path(id): Path<String>,
) -> Result<Json<JobRecord>, Problem> {
    Ok(Json(state.jobs.ready().await.cancel(&id).await?))
}

/// Follows a job.
///
/// Server-sent events of type `job`, each the whole job: as it is now, whenever it changes, and
/// for the last time when it is over.
#[utoipa::path(
    get,
    path = "/api/jobs/{id}/events",
    tag = "jobs",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = JobRecord, content_type = "text/event-stream"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn follow_job(
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let events = events(state.jobs.ready().await.follow(&id)?);
    let kept = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    Ok(([(header::CACHE_CONTROL, "no-store")], kept))
}

/// Reads what a job did.
///
/// A line for each phase as it began, and for how it ended, with the time in UTC.
#[utoipa::path(
    get,
    path = "/api/jobs/{id}/log",
    tag = "jobs",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn read_job_log(
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let log = state.jobs.ready().await.log(&id)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], log))
}

fn events(mut record: watch::Receiver<JobRecord>) -> impl Stream<Item = Result<Event, Infallible>> {
    record.mark_changed();
    stream::unfold(Some(record), |following| async {
        let mut record = following?;
        record.changed().await.ok()?;
        let now = record.borrow_and_update().clone();
        let event = Event::default().event("job").data(text(&now));
        Some((Ok(event), (!now.state.is_final()).then_some(record)))
    })
}

fn text(record: &JobRecord) -> String {
    serde_json::to_string(record).unwrap_or_default()
}
