//! What the companion says of tables, read from the contract's JSON into what the page is
//! told. Pure; a field that is missing is unknown, never zero.

use std::collections::BTreeMap;

use engine::kind::Kind;
use engine::query::Version;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::protocol::{ColumnInfo, TableInfo, VersionInfo};
use crate::texts;
use crate::worker::budget::bytes_per_row_of_text;

/// `GET /api/tables`
#[derive(Deserialize)]
pub struct TableList {
    pub tables: Vec<TableJson>,
}

/// A table of the list, and `GET /api/tables/{name}`.
#[derive(Deserialize)]
pub struct TableJson {
    name: String,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    version: Option<Version>,
    #[serde(default)]
    uid: Option<String>,
    #[serde(default)]
    rows: Option<u64>,
    #[serde(default)]
    bytes: Option<u64>,
    #[serde(default)]
    columns: Vec<ColumnJson>,
    #[serde(default)]
    statistics: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<ErrorJson>,
}

#[derive(Deserialize)]
struct ColumnJson {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    kind: Kind,
    #[serde(default = "yes")]
    nullable: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct ErrorJson {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

/// What is known of the values of a column.
#[derive(Default, Deserialize)]
struct StatisticsJson {
    #[serde(default)]
    column: Option<String>,
    #[serde(default)]
    min: Option<Box<RawValue>>,
    #[serde(default)]
    max: Option<Box<RawValue>>,
    #[serde(default)]
    null_count: Option<u64>,
    #[serde(default)]
    distinct_count: Option<u64>,
}

/// `GET /api/tables/{name}/versions`
#[derive(Deserialize)]
pub struct VersionList {
    pub versions: Vec<VersionInfo>,
}

impl TableJson {
    /// What tells this table from others of its name; where the companion does not say,
    /// its address and the name must do.
    pub fn uid(&self, api: &str) -> String {
        self.uid.clone().unwrap_or_else(|| format!("{api} {}", self.name))
    }

    pub fn info(&self) -> TableInfo {
        TableInfo {
            name: self.name.clone(),
            format: self.format.clone().unwrap_or_default(),
            version: self.version.clone(),
            rows: self.rows,
            bytes: self.bytes,
            column_count: u32::try_from(self.columns.len()).unwrap_or(u32::MAX),
            error: self.error.as_ref().map(|error| {
                let text = error.detail.as_ref().or(error.title.as_ref());
                text.cloned().unwrap_or_else(|| texts::loading::TABLE_UNREADABLE.to_owned())
            }),
            cached: false,
        }
    }

    pub fn columns(&self) -> Vec<ColumnInfo> {
        let statistics = self.statistics();
        let unknown = StatisticsJson::default();
        let info = |column: &ColumnJson| {
            let known = statistics.get(&column.name).unwrap_or(&unknown);
            ColumnInfo {
                name: column.name.clone(),
                data_type: column.data_type.clone(),
                kind: column.kind,
                nullable: column.nullable,
                bytes_per_row: bytes_per_row_of_text(&column.data_type),
                min: known.min.as_deref().and_then(value_text),
                max: known.max.as_deref().and_then(value_text),
                null_count: known.null_count,
                distinct_count: known.distinct_count,
            }
        };
        self.columns.iter().map(info).collect()
    }

    /// By column, whether the companion sends a list or an object.
    fn statistics(&self) -> BTreeMap<String, StatisticsJson> {
        let Some(raw) = &self.statistics else { return BTreeMap::new() };
        if let Ok(by_name) = serde_json::from_str(raw.get()) {
            return by_name;
        }
        let list: Vec<StatisticsJson> = serde_json::from_str(raw.get()).unwrap_or_default();
        list.into_iter().filter_map(|mut entry| Some((entry.column.take()?, entry))).collect()
    }
}

/// A scalar as its text; numbers as written.
fn value_text(raw: &RawValue) -> Option<String> {
    match raw.get().trim() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        text => Some(text.to_owned()),
    }
}

/// A companion on this machine sends its bytes faster than they could be compressed; over a
/// network three million flights are a third of the bytes by Zstandard.
pub fn compression_for(api: &str) -> &'static str {
    let host = api.split_once("://").map_or(api, |(_, host)| host);
    let host = host.split_once(']').map_or_else(
        || host.split([':', '/']).next().unwrap_or_default(),
        |(host, _)| host.trim_start_matches('['),
    );
    let is_here = host == "localhost" || host == "::1" || host.starts_with("127.");
    if is_here { "none" } else { "zstd" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_what_is_known_of_it() {
        for statistics in [
            r#"{"n":{"min":9007199254740993,"max":null,"null_count":0,"distinct_count":null}}"#,
            r#"[{"column":"n","min":9007199254740993,"null_count":0}]"#,
        ] {
            let text = format!(
                r#"{{"name":"sales/x","format":"delta","version":3,"uid":"u","rows":5,"bytes":10,
                "columns":[{{"name":"n","type":"Int64","kind":"number","nullable":true}}],
                "statistics":{statistics}}}"#
            );
            let table: TableJson = serde_json::from_str(&text).unwrap();
            assert_eq!(table.uid("http://x"), "u");
            assert_eq!(table.info().rows, Some(5));
            let column = &table.columns()[0];
            assert_eq!(column.min.as_deref(), Some("9007199254740993"));
            assert_eq!((column.max.as_deref(), column.null_count), (None, Some(0)));
            assert_eq!(column.bytes_per_row, 8.125);
        }
    }

    #[test]
    fn an_unreadable_table_is_listed_with_its_error() {
        let text = r#"{"tables":[{"name":"bad","format":"parquet","version":null,"rows":null,
            "bytes":7,"columns":[],"error":{"type":"x","title":"Bad","detail":"cut short"}}]}"#;
        let list: TableList = serde_json::from_str(text).unwrap();
        let info = list.tables[0].info();
        assert_eq!(info.error.as_deref(), Some("cut short"));
        assert_eq!(info.rows, None);
        assert_eq!(list.tables[0].uid("http://x"), "http://x bad");
    }

    #[test]
    fn what_comes_over_a_network_is_compressed() {
        for here in ["http://localhost:7979", "http://127.0.0.1", "http://[::1]:80/"] {
            assert_eq!(compression_for(here), "none", "{here}");
        }
        for far in ["https://limn.example", "http://10.0.0.7:7979", "http://[2001:db8::1]:80"] {
            assert_eq!(compression_for(far), "zstd", "{far}");
        }
    }
}
