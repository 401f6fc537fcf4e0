//! The companion's answer to which rows are nearest to a row.

use engine::kind::Kind;
use engine::query::Version;
use serde::Deserialize;

use crate::protocol::{ColumnInfo, file_of_name};

/// How many rows are shown.
pub const COUNT: usize = 24;

/// Rows near a row, the nearest first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Similar {
    /// The column of vectors.
    pub column: String,
    pub neighbours: Vec<Near>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Near {
    pub row: u64,
    /// One less the cosine of the angle: 0 to 2.
    pub distance: f64,
}

/// Whether a companion could tell: it has the table, and that has vectors.
pub fn can_be_asked(table: &str, columns: &[ColumnInfo]) -> bool {
    file_of_name(table).is_none() && columns.iter().any(|column| column.kind == Kind::Vector)
}

/// Where to ask, `encode` being how a text stands in an address.
pub fn path(
    table: &str,
    row: u64,
    version: Option<&Version>,
    encode: impl Fn(&str) -> String,
) -> String {
    let version = version.map(|version| format!("&version={}", encode(&version.to_string())));
    let (table, version) = (encode(table), version.unwrap_or_default());
    format!("/api/tables/{table}/neighbours?row={row}&count={COUNT}{version}")
}

pub fn similar(text: &str) -> Option<Similar> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let text = r#"{"column":"emb","neighbours":[{"row":3,"distance":0.25}],"left_out":1}"#;
        let neighbours = vec![Near { row: 3, distance: 0.25 }];
        assert_eq!(similar(text), Some(Similar { column: "emb".to_owned(), neighbours }));
        assert_eq!(similar("{}"), None);
    }

    #[test]
    fn the_version_on_screen_is_asked_for() {
        let encode = |text: &str| text.replace('/', "%2F");
        let newest = "/api/tables/a%2Fb/neighbours?row=7&count=24";
        assert_eq!(path("a/b", 7, None, encode), newest);
        let third = path("a/b", 7, Some(&Version::Number(3)), encode);
        assert_eq!(third, format!("{newest}&version=3"));
    }
}
