//! `/api/models`: the models that jobs of kind encode may name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use encoder::Takes;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::state::AppState;
use crate::encode::models::Listed;

#[derive(Debug, Serialize, ToSchema)]
pub struct ModelsResponse {
    models: Vec<ModelDescription>,
    /// Whether the companion was started with a folder of models, or has one beside it.
    has_folder: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ModelDescription {
    /// Its path in the folder of models.
    #[schema(example = "clip/model.onnx")]
    name: String,
    /// Of the file.
    bytes: u64,
    /// pictures or texts; absent where it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    takes: Option<&'static str>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Lists the models that make vectors of pictures and texts.
#[utoipa::path(get, path = "/api/models", tag = "jobs", responses((status = 200, body = ModelsResponse)))]
pub async fn list_models(
    State(state): State<Arc<AppState>>,
) -> Result<Json<ModelsResponse>, Problem> {
    let models = Arc::clone(&state.models);
    let has_folder = models.folder().is_some();
    let listed = tokio::task::spawn_blocking(move || models.list()).await;
    let listed = listed.map_err(|error| Problem::internal(&error.to_string()))?;
    let models = listed.into_iter().map(described).collect();
    Ok(Json(ModelsResponse { models, has_folder }))
}

fn described(Listed { name, bytes, takes }: Listed) -> ModelDescription {
    let word = |takes: &Takes| match takes {
        Takes::Images => "pictures",
        Takes::Texts => "texts",
    };
    ModelDescription { name, bytes, takes: takes.as_ref().ok().map(word), error: takes.err() }
}
