//! `/api/tables/{name}/options`: what a filter on a column can choose from, with counts under
//! the other filters.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::predicate::Predicate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::extract::{Parameters, TableName};
use super::problem::Problem;
use super::state::AppState;
use super::tables;
use crate::query::failure::QueryFailure;
use crate::query::options::OptionsRequest;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OptionParameters {
    /// The column to choose from.
    #[param(required, example = "carrier")]
    column: Option<String>,
    /// Only values that contain this, whatever its case.
    search: Option<String>,
    /// Most values to list; 1000, if absent.
    limit: Option<usize>,
    /// The other filters as JSON, as in a query; those on the column itself are left out.
    filters: Option<String>,
    /// A number, a fingerprint, or a time; the newest, if absent.
    version: Option<String>,
}

/// The values of a column, by value.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptionsResponse {
    values: Vec<OptionDescription>,
    /// How many values there are, those left out counted; null is not one of them.
    distinct: u64,
    /// Rows that have no value.
    nulls: u64,
    /// Whether values were left out.
    truncated: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OptionDescription {
    #[schema(value_type = serde_json::Value)]
    value: Box<RawValue>,
    count: u64,
}

const LIMIT_DEFAULT: usize = 1000;

/// Lists the distinct values of a column with their counts.
#[utoipa::path(
    get,
    path = "/api/tables/{name}/options",
    tag = "tables",
    params(("name" = String, Path, description = "The table's name, URL-encoded"), OptionParameters),
    responses(
        (status = 200, body = OptionsResponse),
        (status = "4XX", description = "No such table or column, or a bad filter", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The server or a store cannot answer now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_options(
    State(state): State<Arc<AppState>>,
    TableName(name): TableName,
    Parameters(parameters): Parameters<OptionParameters>,
) -> Result<Json<OptionsResponse>, Problem> {
    let missing = || Problem::bad_request("parameters", "Bad parameters", "column is missing");
    let column = parameters.column.ok_or_else(|| missing().with_field("column"))?;
    let filters = match &parameters.filters {
        Some(filters) => Predicate::from_filters_text(filters).map_err(QueryFailure::from)?,
        None => Predicate::all(),
    };
    let snapshot = tables::open(&state, &name, parameters.version.as_deref()).await?;
    let is_whole = filters.is_all() && parameters.search.as_deref().unwrap_or_default().is_empty();
    let request = OptionsRequest {
        column: column.clone(),
        filters,
        search: parameters.search,
        limit: parameters.limit.unwrap_or(LIMIT_DEFAULT),
    };
    let options = state.queries.options(Arc::clone(&snapshot), request).await?;
    if is_whole {
        state.known.remember(&snapshot, &column, options.distinct);
    }
    let truncated = options.distinct > options.values.len() as u64;
    let values = options.values.into_iter();
    let values = values.map(|(value, count)| OptionDescription { value, count }).collect();
    let (distinct, nulls) = (options.distinct, options.nulls);
    Ok(Json(OptionsResponse { values, distinct, nulls, truncated }))
}
