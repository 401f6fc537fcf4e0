//! `/api/tables/{name}/neighbours`: the rows that are nearest to a row, by their vectors.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::predicate::Predicate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Parameters, TableName};
use super::problem::Problem;
use super::state::AppState;
use super::tables;
use crate::query::failure::QueryFailure;
use crate::query::neighbours::{Distance, NeighboursRequest};

const COUNT_DEFAULT: usize = 20;
const COUNT_MAX: usize = 1000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NeighbourParameters {
    /// The number of the row in table order, as `_row` gives it.
    #[param(required, example = 7)]
    row: Option<u64>,
    /// The column of vectors; guessed, if absent.
    column: Option<String>,
    /// How many neighbours; 20, if absent, 1000 at most.
    count: Option<usize>,
    /// `cosine`, if absent, or `euclidean`.
    distance: Option<String>,
    /// Which rows may be neighbours: filters as JSON, as in a query.
    filters: Option<String>,
    /// A number, a fingerprint, or a time; the newest, if absent.
    version: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NeighboursResponse {
    /// The column of vectors.
    column: String,
    /// The nearest first.
    neighbours: Vec<NeighbourDescription>,
    /// Rows without a vector that could be measured.
    left_out: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NeighbourDescription {
    row: u64,
    distance: f64,
}

/// Finds the rows whose vectors are nearest to that of a row. Exact: every row is measured.
#[utoipa::path(
    get,
    path = "/api/tables/{name}/neighbours",
    tag = "tables",
    params(("name" = String, Path, description = "The table's name, URL-encoded"), NeighbourParameters),
    responses(
        (status = 200, body = NeighboursResponse),
        (status = "4XX", description = "No such table, row or column, or one without vectors", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The server or a store cannot answer now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_neighbours(
    State(state): State<Arc<AppState>>,
    TableName(name): TableName,
    Parameters(parameters): Parameters<NeighbourParameters>,
) -> Result<Json<NeighboursResponse>, Problem> {
    let bad = |field: &str, detail: String| {
        Problem::bad_request("parameters", "Bad parameters", detail).with_field(field)
    };
    let row = parameters.row.ok_or_else(|| bad("row", "row is missing".to_owned()))?;
    let count = parameters.count.unwrap_or(COUNT_DEFAULT);
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(bad("count", format!("count must be 1 to {COUNT_MAX}")));
    }
    let distance = match parameters.distance.as_deref() {
        None | Some("cosine") => Distance::Cosine,
        Some("euclidean") => Distance::Euclidean,
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            return Err(bad("distance", format!("distance is cosine or euclidean, not {other:?}")));
        }
    };
    let filters = match &parameters.filters {
        Some(filters) => Predicate::from_filters_text(filters).map_err(QueryFailure::from)?,
        None => Predicate::all(),
    };
    let snapshot = tables::open(&state, &name, parameters.version.as_deref()).await?;
    let column = parameters.column;
    let request = NeighboursRequest { column, row, count, distance, filters };
    let found = state.queries.neighbours(snapshot, request).await?;
    let neighbours = found.neighbours.into_iter();
    let neighbours = neighbours
        .map(|found| NeighbourDescription { row: found.row, distance: found.distance })
        .collect();
    Ok(Json(NeighboursResponse { column: found.column, neighbours, left_out: found.left_out }))
}
