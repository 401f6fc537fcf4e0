//! The description of the API, generated from the handlers. The documents of queries are engine
//! types that read themselves; their shapes are written down here for the description alone.

use std::collections::BTreeMap;

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::problem::{Problem, ProblemSummary};
use super::{health, image, jobs, models, neighbours, options, queries, query, tables};

/// The API of Limn: tables of data lakes, and queries on them.
#[derive(OpenApi)]
#[openapi(
    info(title = "Limn", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    paths(
        health::get_health,
        get_openapi,
        tables::list_tables,
        tables::get_table,
        tables::list_versions,
        neighbours::list_neighbours,
        options::list_options,
        image::get_image,
        query::get_query,
        query::post_query,
        queries::post_queries,
        models::list_models,
        jobs::post_job,
        jobs::estimate_job,
        jobs::list_jobs,
        jobs::get_job,
        jobs::cancel_job,
        jobs::follow_job,
        jobs::read_job_log,
    ),
    components(schemas(
        QueryDocument,
        FilterDocument,
        GroupDocument,
        BinDocument,
        AggregateDocument,
        OrderDocument,
        SampleDocument,
        VersionDocument,
        Problem,
        ProblemSummary,
    )),
    tags(
        (name = "server", description = "The server itself"),
        (name = "tables", description = "Which tables there are, their columns and versions"),
        (name = "jobs", description = "Long work on tables, in processes of its own"),
        (name = "query", description = "Rows, groups and aggregates of a table at one version"),
    ),
)]
struct Description;

/// Describes the API.
#[utoipa::path(get, path = "/api/openapi.json", tag = "server", responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// The rows of an answer in JSON. Integers beyond 2^53 − 1 and decimals are strings, NaN and
/// infinities too, binary is base64.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Vec<BTreeMap<String, serde_json::Value>>)]
pub struct AnswerRows(Vec<BTreeMap<String, serde_json::Value>>);

/// Which rows and columns of which version of a table, grouped, ordered and cut how.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Query", as = Query)]
pub struct QueryDocument {
    /// The table's name: its path in the lake without the extension.
    #[schema(example = "flights")]
    table: String,
    /// The newest, if absent.
    version: Option<VersionDocument>,
    /// All, if absent. `_row` is the row's number in table order.
    columns: Option<Vec<String>>,
    /// All of them must hold.
    filters: Option<Vec<FilterDocument>>,
    group_by: Option<Vec<GroupDocument>>,
    aggregates: Option<Vec<AggregateDocument>>,
    order_by: Option<Vec<OrderDocument>>,
    /// All rows, if absent.
    limit: Option<u64>,
    offset: Option<u64>,
    sample: Option<SampleDocument>,
}

/// A Delta version, two of them for what changed between, a fingerprint of files, or a time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Version)]
#[expect(dead_code, reason = "it only describes")]
pub enum VersionDocument {
    Number(u64),
    /// `3..5`, `f-` and 16 hexadecimal digits, or an RFC 3339 time.
    Text(String),
}

/// A clause, a node of clauses, or an interaction record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Filter, no_recursion)]
#[expect(dead_code, reason = "it only describes")]
pub enum FilterDocument {
    And {
        and: Vec<FilterDocument>,
    },
    Or {
        or: Vec<FilterDocument>,
    },
    Not {
        not: Box<FilterDocument>,
    },
    Clause {
        column: String,
        /// eq, ne, lt, le, gt, ge, between, in, not_in, contains, matches, is_null or not_null.
        #[schema(example = "between")]
        op: String,
        /// A value, both ends, or a list, as the operator takes it.
        #[schema(example = json!([0, 60]))]
        value: Option<serde_json::Value>,
        /// Of `contains` and `matches`; true, if absent.
        case_sensitive: Option<bool>,
    },
    Within {
        /// x and y.
        columns: [String; 2],
        /// within.
        op: String,
        /// The corners of the polygon.
        value: Vec<[f64; 2]>,
    },
    Interaction {
        #[schema(example = "RangeSlider")]
        interactive_component_type: String,
        column_name: String,
        value: serde_json::Value,
    },
}

/// A column, whole or in bins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = GroupKey)]
#[expect(dead_code, reason = "it only describes")]
pub enum GroupDocument {
    Column(String),
    Binned {
        column: String,
        bin: Option<BinDocument>,
        /// The name of the group's column.
        r#as: Option<String>,
    },
}

/// Bins, named by their lower edges: of equal width, or between edges that are listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bin)]
pub struct BinDocument {
    /// A number, or an ISO 8601 duration for times.
    #[schema(example = 10)]
    step: Option<serde_json::Value>,
    origin: Option<serde_json::Value>,
    /// Numbers in ascending order, in place of step and origin. What is below all of them
    /// is in the bin of minus infinity.
    edges: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Aggregate)]
pub struct AggregateDocument {
    /// count, count_distinct, sum, mean, min, max, median, quantile, stddev or variance.
    #[schema(example = "mean")]
    op: String,
    column: Option<String>,
    /// Of `quantile`, 0 to 1.
    q: Option<f64>,
    /// The name of the aggregate's column; `{op}_{column}`, if absent.
    r#as: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderKey)]
pub struct OrderDocument {
    column: String,
    descending: Option<bool>,
    /// first or last; last, if absent.
    nulls: Option<String>,
}

/// The rows with the smallest hashes of (seed, row number), in table order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sample)]
pub struct SampleDocument {
    rows: u64,
    seed: Option<u64>,
}
