//! The forms in which selections and cells are copied, as in "Copy as …".

pub const QUERY: &str = "a query (JSON)";
pub const SQL_QUERY: &str = "SQL (DuckDB)";
pub const PYTHON: &str = "Python";
pub const CURL: &str = "a curl command";

pub const TSV: &str = "TSV";
pub const TSV_NAMED: &str = "TSV with names";
pub const CSV: &str = "CSV";
pub const PARQUET: &str = "Parquet";
pub const ARROW: &str = "Arrow";
pub const JSON: &str = "JSON";
pub const SQL: &str = "SQL (INSERT)";

/// The comment above a query.
pub fn sql_head(table: &str, version: Option<&engine::query::Version>) -> String {
    let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
    format!(
        "The selected rows of {table:?}{version}. Tell DuckDB first where it is, for instance\n\
         CREATE VIEW {table:?} AS FROM delta_scan('…');  -- or read_parquet('…')"
    )
}
