//! `/api/tables`: which tables there are, what their columns are, which versions they have.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use datafusion::scalar::ScalarValue;
use engine::kind::{Column, Kind, columns_from_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::extract::{Parameters, TableName};
use super::openapi::VersionDocument;
use super::problem::{Problem, ProblemSummary};
use super::state::AppState;
use crate::lake::{Commit, Format, Snapshot, Version, VersionSpec};
use crate::query::encode::json_value;
use crate::query::failure::QueryFailure;

/// The tables of all lakes.
#[derive(Debug, Serialize, ToSchema)]
pub struct TablesResponse {
    tables: Vec<TableDescription>,
    /// Whether a bound stopped the search, so that there may be more.
    truncated: bool,
}

/// A table at a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableDescription {
    #[schema(example = "flights")]
    name: String,
    #[schema(value_type = Option<String>, example = "delta")]
    format: Option<Format>,
    #[schema(value_type = Option<VersionDocument>)]
    version: Option<Version>,
    /// What tells this table from another that once had its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    /// Null where only a scan would tell.
    rows: Option<u64>,
    bytes: Option<u64>,
    columns: Vec<ColumnDescription>,
    /// When the version was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partition_columns: Vec<String>,
    /// Why the table cannot be read, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ProblemSummary>,
    /// What is known of each column, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<BTreeMap<String, StatisticsDescription>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnDescription {
    name: String,
    /// The Arrow type.
    #[schema(example = "Int64")]
    r#type: String,
    /// How the column is treated: number, category, time, boolean, text, vector or nested.
    #[schema(value_type = String, example = "number")]
    kind: Kind,
    nullable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<StatisticsDescription>,
}

/// What is known of a column without reading it. Null where it is not.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct StatisticsDescription {
    #[schema(value_type = serde_json::Value)]
    min: Option<Box<RawValue>>,
    #[schema(value_type = serde_json::Value)]
    max: Option<Box<RawValue>>,
    null_count: Option<u64>,
    /// Null until somebody counted.
    distinct_count: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct VersionsResponse {
    /// Newest first.
    #[schema(value_type = Vec<CommitDescription>)]
    versions: Vec<Commit>,
}

/// The shape of a version in a table's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommitDescription {
    version: VersionDocument,
    timestamp: Option<String>,
    #[schema(example = "WRITE")]
    operation: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VersionParameters {
    /// A number, two as in `3..5` for what changed between them, a fingerprint, or a time; the
    /// newest, if absent.
    version: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryParameters {
    /// Most versions to list.
    limit: Option<usize>,
}

/// Lists the tables of all lakes, those that cannot be read among them.
#[utoipa::path(get, path = "/api/tables", tag = "tables", responses((status = 200, body = TablesResponse)))]
pub async fn list_tables(State(state): State<Arc<AppState>>) -> Json<TablesResponse> {
    let listing = state.queries.lakes().list().await;
    let tables = listing.tables.into_iter().map(|listed| match listed.snapshot {
        Ok(snapshot) => TableDescription { name: listed.name, ..describe(&state, &snapshot) },
        Err(error) => unreadable(listed.name, listed.format, Problem::from(error).summary()),
    });
    Json(TablesResponse { tables: tables.collect(), truncated: listing.truncated })
}

/// Describes one table at one version, with what is known of its columns.
#[utoipa::path(
    get,
    path = "/api/tables/{name}",
    tag = "tables",
    params(("name" = String, Path, description = "The table's name, URL-encoded"), VersionParameters),
    responses(
        (status = 200, body = TableDescription),
        (status = "4XX", description = "No such table or version, or one that cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "The store cannot answer", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_table(
    State(state): State<Arc<AppState>>,
    TableName(name): TableName,
    Parameters(parameters): Parameters<VersionParameters>,
) -> Result<Json<TableDescription>, Problem> {
    let snapshot = open(&state, &name, parameters.version.as_deref()).await?;
    let mut table = describe(&state, &snapshot);
    let statistics = statistics(&state, &snapshot).await?;
    for column in &mut table.columns {
        column.statistics = statistics.get(&column.name).cloned();
    }
    table.statistics = Some(statistics);
    Ok(Json(table))
}

/// Lists the versions of a table, newest first.
#[utoipa::path(
    get,
    path = "/api/tables/{name}/versions",
    tag = "tables",
    params(("name" = String, Path, description = "The table's name, URL-encoded"), HistoryParameters),
    responses(
        (status = 200, body = VersionsResponse),
        (status = "4XX", description = "No such table", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_versions(
    State(state): State<Arc<AppState>>,
    TableName(name): TableName,
    Parameters(parameters): Parameters<HistoryParameters>,
) -> Result<Json<VersionsResponse>, Problem> {
    let table = state.queries.lakes().table(&name).await?;
    Ok(Json(VersionsResponse { versions: table.versions(parameters.limit).await? }))
}

/// The table of a name at a version given as text.
pub(super) async fn open(
    state: &AppState,
    name: &str,
    version: Option<&str>,
) -> Result<Arc<Snapshot>, Problem> {
    let version = version.map_or(Ok(VersionSpec::Latest), str::parse)?;
    Ok(state.queries.lakes().snapshot(name, version).await?)
}

/// Text of at most this many distinct values is a category.
const CATEGORY_DISTINCT_MAX: u64 = 100;

fn describe(state: &AppState, snapshot: &Snapshot) -> TableDescription {
    let columns = columns_from_schema(snapshot.schema()).into_iter().map(|column| {
        let Column { name, data_type, kind, nullable } = column;
        let distinct = state.known.distinct(snapshot, &name);
        let few = distinct.is_some_and(|distinct| distinct <= CATEGORY_DISTINCT_MAX);
        let kind = if kind == Kind::Text && few { Kind::Category } else { kind };
        ColumnDescription { name, r#type: data_type, kind, nullable, statistics: None }
    });
    TableDescription {
        name: snapshot.table().to_owned(),
        format: Some(snapshot.format()),
        version: Some(snapshot.version()),
        uid: Some(snapshot.uid().to_owned()),
        rows: snapshot.rows(),
        bytes: Some(snapshot.bytes()),
        columns: columns.collect(),
        timestamp: snapshot.timestamp().map(|time| time.to_rfc3339()),
        files: Some(snapshot.files().len() as u64),
        partition_columns: snapshot.partition_columns().to_vec(),
        error: None,
        statistics: None,
    }
}

fn unreadable(name: String, format: Option<Format>, error: ProblemSummary) -> TableDescription {
    TableDescription {
        name,
        format,
        version: None,
        uid: None,
        rows: None,
        bytes: None,
        columns: Vec::new(),
        timestamp: None,
        files: None,
        partition_columns: Vec::new(),
        error: Some(error),
        statistics: None,
    }
}

async fn statistics(
    state: &AppState,
    snapshot: &Snapshot,
) -> Result<BTreeMap<String, StatisticsDescription>, Problem> {
    let columns = snapshot.statistics().await?;
    let described = columns.into_iter().map(|column| {
        let value = |value: Option<ScalarValue>| -> Result<_, QueryFailure> {
            let array = value.map(|value| value.to_array()).transpose()?;
            array.map(|array| json_value(array.as_ref(), 0)).transpose()
        };
        let description = StatisticsDescription {
            min: value(column.min)?,
            max: value(column.max)?,
            null_count: column.null_count,
            distinct_count: column
                .distinct_count
                .or_else(|| state.known.distinct(snapshot, &column.column)),
        };
        Ok((column.column, description))
    });
    described.collect()
}
