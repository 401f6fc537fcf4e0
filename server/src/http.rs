//! The HTTP half: one map of routes, thin handlers, and what every request passes on its way.
//! The only part of the server that knows HTTP.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use http::{Method, Uri};
use tower_http::catch_panic::CatchPanicLayer;

mod app;
mod caching;
mod extract;
mod guard;
mod health;
mod image;
mod jobs;
mod models;
mod negotiate;
mod neighbours;
mod openapi;
mod options;
mod problem;
mod queries;
mod query;
pub mod serve;
pub mod state;
mod tables;

use problem::Problem;
use state::AppState;

/// The whole map of addresses.
pub fn router(state: Arc<AppState>) -> Router {
    let routes = Router::new()
        .route("/api/health", get(health::get_health))
        .route("/api/openapi.json", get(openapi::get_openapi))
        .route("/api/tables", get(tables::list_tables))
        .route("/api/tables/{name}", get(tables::get_table))
        .route("/api/tables/{name}/versions", get(tables::list_versions))
        .route("/api/tables/{name}/neighbours", get(neighbours::list_neighbours))
        .route("/api/tables/{name}/options", get(options::list_options))
        .route("/api/image", get(image::get_image))
        .route("/api/query", get(query::get_query).post(query::post_query))
        .route("/api/queries", post(queries::post_queries))
        .route("/api/models", get(models::list_models))
        .route("/api/jobs", get(jobs::list_jobs).post(jobs::post_job))
        .route("/api/jobs/{id}", get(jobs::get_job).delete(jobs::cancel_job))
        .route("/api/jobs/estimate", post(jobs::estimate_job))
        .route("/api/jobs/{id}/events", get(jobs::follow_job))
        .route("/api/jobs/{id}/log", get(jobs::read_job_log))
        .fallback(app::get_app)
        .method_not_allowed_fallback(method_not_allowed);
    let routes = match guard::cors(&state.cors_origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes
        .layer(from_fn_with_state(Arc::clone(&state), guard::check_host))
        .layer(CatchPanicLayer::custom(guard::panic_response))
        .layer(from_fn(guard::add_headers))
        .with_state(state)
}

async fn method_not_allowed(method: Method, _uri: Uri) -> Problem {
    Problem::method_not_allowed(&method)
}
