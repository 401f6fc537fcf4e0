//! `/api/health`: that the server answers, and what it computes with.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// The state of a server.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthResponse {
    #[schema(example = "ok")]
    status: &'static str,
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Where queries run: `local` or `ballista`.
    #[schema(example = "local")]
    engine: &'static str,
    /// The GPU that jobs can use, if there is one.
    gpu: Option<Gpu>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Gpu {
    name: String,
    memory_bytes: u64,
}

/// Says that the server answers.
#[utoipa::path(get, path = "/api/health", tag = "server", responses((status = 200, body = HealthResponse)))]
pub async fn get_health() -> Json<HealthResponse> {
    Json(HealthResponse {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        engine: "local",
        gpu: None,
    })
}
