//! Eviction, grouping, choice of a version, and repair of the list of what is kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn entry(table: &str, version: u64, column: &str, bytes: u64, used_at: f64) -> Entry {
    Entry {
        table: table.to_owned(),
        uid: format!("uid-{table}"),
        version: Some(Version::Number(version)),
        column: column.to_owned(),
        data_type: "Int32".to_owned(),
        kind: Kind::Number,
        nullable: true,
        place: u32::from(column.as_bytes()[0] - b'a'),
        rows: 10,
        bytes,
        saved_at: used_at,
        used_at,
    }
}

fn manifest(entries: &[(&str, Entry)]) -> Manifest {
    let entries = entries.iter().map(|(file, entry)| ((*file).to_owned(), entry.clone()));
    Manifest { entries: entries.collect(), ..Manifest::default() }
}

fn four() -> Manifest {
    manifest(&[
        ("1", entry("t", 1, "b", 10, 1.0)),
        ("2", entry("t", 1, "a", 20, 4.0)),
        ("3", entry("t", 2, "a", 30, 3.0)),
        ("4", entry("u", 1, "a", 40, 2.0)),
    ])
}

#[test]
fn the_least_recently_used_make_room() {
    let four = four();
    let none = BTreeSet::new();
    assert_eq!(four.used_bytes(), 100);
    assert_eq!(four.evict(100, 0, &none), Some(vec![]));
    assert_eq!(four.evict(100, 5, &none).unwrap(), ["1"]);
    assert_eq!(four.evict(100, 50, &none).unwrap(), ["1", "4"]);
    let held = BTreeSet::from(["1".to_owned(), "4".to_owned()]);
    assert_eq!(four.evict(100, 30, &held).unwrap(), ["3"]);
    assert_eq!(four.evict(100, 60, &held), None);
    assert_eq!(four.evict(10, 20, &none), None);
}

#[test]
fn columns_of_a_version_are_one_slice() {
    let slices = four().slices();
    let shown: Vec<_> = slices
        .iter()
        .map(|slice| (slice.key.as_str(), slice.columns.join(","), slice.bytes))
        .collect();
    assert_eq!(
        shown,
        [
            ("uid-t@1", "a,b".to_owned(), 30),
            ("uid-t@2", "a".to_owned(), 30),
            ("uid-u@1", "a".to_owned(), 40)
        ]
    );
    assert_eq!(four().files_of("uid-t@1"), ["1", "2"]);
    assert_eq!(four().tables(), BTreeSet::from(["t", "u"]));
}

#[test]
fn offline_the_version_with_the_most_of_the_columns_is_shown() {
    let wanted = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let four = four();
    let version = |names: &[&str]| four.best_version("t", &wanted(names)).unwrap();
    assert_eq!(version(&["a", "b"]), Some(Version::Number(1)));
    assert_eq!(version(&["b"]), Some(Version::Number(1)));
    assert_eq!(version(&["zzz"]), Some(Version::Number(1)), "saved last");
    assert_eq!(four.best_version("nothing", &wanted(&["a"])), None);
}

#[test]
fn files_win_over_the_list() {
    let mut four = four();
    let files = BTreeMap::from([
        ("1".to_owned(), 10),
        ("2".to_owned(), 19),
        ("4".to_owned(), 40),
        ("new".to_owned(), 7),
    ]);
    assert_eq!(four.reconcile(&files), ["2", "new"]);
    assert_eq!(four.entries.keys().collect::<Vec<_>>(), ["1", "4"]);
}

#[test]
fn a_damaged_list_is_none() {
    let text = serde_json::to_string(&four()).unwrap();
    assert_eq!(Manifest::from_json(&text), Some(four()));
    assert_eq!(Manifest::from_json(&text[..text.len() - 1]), None);
    assert_eq!(Manifest::from_json(&text.replace("\"layout\":1", "\"layout\":2")), None);
    assert_eq!(Manifest::from_json(""), None);
}
