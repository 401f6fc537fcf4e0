//! What can be told of tables without a network.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use engine::kind::Kind;

use super::*;
use crate::worker::cache::manifest::Entry;

fn table(name: &str, version: u64) -> TableInfo {
    TableInfo {
        name: name.to_owned(),
        format: "delta".to_owned(),
        version: Some(Version::Number(version)),
        rows: Some(5),
        bytes: None,
        column_count: 2,
        error: None,
        cached: false,
    }
}

fn description(name: &str, version: u64) -> Description {
    Description { table: table(name, version), uid: "u".into(), columns: vec![], saved_at: 1.0 }
}

fn kept(name: &str, version: u64) -> Manifest {
    let entry = Entry {
        table: name.to_owned(),
        uid: "u".to_owned(),
        version: Some(Version::Number(version)),
        column: "a".to_owned(),
        data_type: "Int32".to_owned(),
        kind: Kind::Number,
        nullable: false,
        place: 0,
        rows: 5,
        bytes: 20,
        saved_at: 1.0,
        used_at: 1.0,
    };
    let mut manifest = Manifest::default();
    manifest.entries.insert("1".to_owned(), entry);
    manifest
}

#[test]
fn what_is_kept_is_shown_offline() {
    let mut catalog = Catalog { tables: vec![table("t", 3), table("w", 1)], ..Catalog::default() };
    let manifest = kept("t", 2);
    catalog.describe("t", description("t", 2), &[], &manifest);
    catalog.describe("t", description("t", 3), &[], &manifest);
    let shown = catalog.tables_offline(&manifest);
    let cached: Vec<_> = shown.iter().map(|table| (table.name.as_str(), table.cached)).collect();
    assert_eq!(cached, [("t", true), ("w", false)]);
    let found = catalog.description("t", None, &manifest).unwrap();
    assert_eq!(found.table.version, Some(Version::Number(2)), "the version with data");
    assert!(found.table.cached);
    let asked = catalog.description("t", Some(&Version::Number(3)), &manifest).unwrap();
    assert!(!asked.table.cached);
    assert_eq!(catalog.description("w", None, &manifest), None);
}

#[test]
fn files_alone_make_a_description() {
    let catalog = Catalog::default();
    let found = catalog.description("t", None, &kept("t", 2)).unwrap();
    assert_eq!(found.columns.len(), 1);
    assert_eq!(found.columns[0].data_type, "Int32");
    assert_eq!(found.table.rows, Some(5));
    assert_eq!(catalog.tables_offline(&kept("t", 2)).len(), 1);
}

#[test]
fn old_descriptions_go_unless_their_columns_are_kept() {
    let mut catalog = Catalog::default();
    let manifest = kept("t", 1);
    for version in 1..20 {
        catalog.describe("t", description("t", version), &[], &manifest);
    }
    let left: Vec<_> = catalog.known["t"]
        .descriptions
        .iter()
        .filter_map(|description| description.table.version.clone())
        .collect();
    assert_eq!(left.len(), DESCRIPTIONS_MAX);
    assert_eq!(left[0], Version::Number(1));
    assert_eq!(left[3], Version::Number(19));
    let text = serde_json::to_string(&catalog).unwrap();
    assert_eq!(Catalog::from_json(&text), Some(catalog));
    assert_eq!(Catalog::from_json("{"), None);
}
