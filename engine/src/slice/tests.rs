//! Keys: stable hashes, and which spellings are one key.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use super::canonical::canonical_json;
use super::*;

fn key(query: &str) -> SliceKey {
    SliceKey::from_query(&Query::from_json(query).unwrap(), "u-1", 3).unwrap()
}

fn bare_key() -> SliceKey {
    SliceKey {
        table: "flights".to_owned(),
        uid: "u-1".to_owned(),
        version: "3".to_owned(),
        columns: None,
        predicate: String::new(),
        reduction: Reduction::NONE,
    }
}

/// Caches on disk and entity tags outlive a build: these hashes must never change. They
/// are `sha256sum` of the fields as documented, its first 32 digits.
#[test]
fn hashes_are_golden() {
    assert_eq!(bare_key().hash().to_string(), "8c39f5e75ec8279b8e7264eb94d59d03");
    let full = SliceKey {
        columns: Some(vec!["distance".to_owned(), "délai".to_owned()]),
        predicate: r#"{"and":[{"column":"delay","op":"gt","value":15}]}"#.to_owned(),
        reduction: Reduction {
            sample: Some(Sample { rows: 10_000, seed: 7 }),
            bins: Some(Bins {
                group_by: r#"["carrier"]"#.to_owned(),
                aggregates: r#"[{"as":"n","op":"count"}]"#.to_owned(),
            }),
            page: Some(Page {
                order_by: r#"[{"column":"n","descending":true}]"#.to_owned(),
                offset: 20,
                limit: Some(10),
            }),
        },
        ..bare_key()
    };
    assert_eq!(full.hash().to_string(), "58fbc7741b53f36a3d9ea415b641671c");
}

/// Fields that run into each other when written without their lengths.
#[test]
fn no_two_keys_spell_the_same_bytes() {
    let columns = |names: &[&str]| SliceKey {
        columns: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..bare_key()
    };
    let page = |offset, limit| SliceKey {
        reduction: Reduction {
            page: Some(Page { order_by: String::new(), offset, limit }),
            ..Reduction::NONE
        },
        ..bare_key()
    };
    let keys = [
        bare_key(),
        SliceKey { table: "flightsu".into(), uid: "-1".into(), ..bare_key() },
        SliceKey { uid: "u-13".into(), version: String::new(), ..bare_key() },
        columns(&[]),
        columns(&["ab"]),
        columns(&["a", "b"]),
        columns(&["b", "a"]),
        columns(&["", "ab"]),
        page(0, None),
        page(0, Some(0)),
        page(1, Some(0)),
        page(0, Some(1)),
        page(1, None),
        SliceKey {
            reduction: Reduction { sample: Some(Sample { rows: 1, seed: 0 }), ..Reduction::NONE },
            ..bare_key()
        },
    ];
    let hashes: HashSet<SliceHash> = keys.iter().map(SliceKey::hash).collect();
    assert_eq!(hashes.len(), keys.len());
}

/// Three batches that share one chunk are counted once.
#[test]
fn bytes_are_those_of_the_rows() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};
    use arrow_buffer::Buffer;

    use crate::ipc::encode::{Compression, Container, encode_all};
    use crate::ipc::{limits::DecodeLimits, stream::decode_all};

    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..3000));
    let all = RecordBatch::try_from_iter([("a", Arc::clone(&column)), ("b", column)]).unwrap();
    let batches = [0, 1000, 2000].map(|at| all.slice(at, 1000));
    let bytes = encode_all(&all.schema(), &batches, Container::Stream, Compression::None).unwrap();
    let decoded = decode_all(&Buffer::from_vec(bytes), DecodeLimits::default()).unwrap();
    let slice =
        Slice { key: bare_key(), schema: decoded.schema, batches: decoded.batches, complete: true };
    assert_eq!((slice.n_rows(), slice.n_bytes()), (3000, 2 * 3000 * 8));
}

#[test]
fn a_hash_reads_back() {
    let hash = bare_key().hash();
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for bad in ["", "12", "g".repeat(32).as_str(), "A".repeat(32).as_str(), "+".repeat(32).as_str()]
    {
        assert_eq!(bad.parse::<SliceHash>(), Err(BadSliceHash));
    }
}

#[test]
fn a_key_survives_json() {
    let key = key(
        r#"{"table": "flights", "columns": ["a"], "filters": [{"column": "a", "op": "gt", "value": 1}],
            "order_by": [{"column": "a"}], "limit": 5, "sample": {"rows": 9, "seed": 1}}"#,
    );
    let text = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<SliceKey>(&text).unwrap(), key);
}

#[test]
fn spellings_of_one_query_are_one_key() {
    let spelled = key(
        r#"{"table": "flights", "filters": [{"column": "a", "op": "in", "value": [100, 2.50]}], "offset": 0}"#,
    );
    let other = key(
        r#"{"filters": [ {"value": [1e2, 25e-1], "op": "in", "column": "\u0061"} ], "table": "flights"}"#,
    );
    assert_eq!(spelled, other);
    assert_eq!(key(r#"{"table": "flights", "filters": []}"#), bare_key());
}

/// Whatever changes an answer changes the key.
#[test]
fn parts_of_a_query_change_the_key() {
    let queries = [
        r#"{"table": "flights"}"#,
        r#"{"table": "flights", "columns": ["a"]}"#,
        r#"{"table": "flights", "filters": [{"column": "a", "op": "eq", "value": 9007199254740992}]}"#,
        r#"{"table": "flights", "filters": [{"column": "a", "op": "eq", "value": 9007199254740993}]}"#,
        r#"{"table": "flights", "filters": [{"column": "a", "op": "eq", "value": "9007199254740993"}]}"#,
        r#"{"table": "flights", "group_by": ["a"]}"#,
        r#"{"table": "flights", "group_by": ["a"], "aggregates": [{"op": "count", "as": "n"}]}"#,
        r#"{"table": "flights", "aggregates": [{"op": "count", "as": "n"}]}"#,
        r#"{"table": "flights", "order_by": [{"column": "a"}]}"#,
        r#"{"table": "flights", "order_by": [{"column": "a", "descending": true}]}"#,
        r#"{"table": "flights", "limit": 10}"#,
        r#"{"table": "flights", "limit": 10, "offset": 10}"#,
        r#"{"table": "flights", "sample": {"rows": 10, "seed": 1}}"#,
        r#"{"table": "flights", "sample": {"rows": 10, "seed": 2}}"#,
    ];
    let hashes: HashSet<SliceHash> = queries.iter().map(|query| key(query).hash()).collect();
    assert_eq!(hashes.len(), queries.len());
}

#[test]
fn reductions_are_named_by_what_made_rows_fewer() {
    let name = |query: &str| key(query).reduction.name();
    assert_eq!(name(r#"{"table": "t"}"#), "none");
    assert_eq!(name(r#"{"table": "t", "order_by": [{"column": "a"}]}"#), "none");
    assert_eq!(name(r#"{"table": "t", "limit": 5}"#), "page");
    assert_eq!(name(r#"{"table": "t", "offset": 5}"#), "page");
    assert_eq!(name(r#"{"table": "t", "sample": {"rows": 5, "seed": 1}, "limit": 5}"#), "sample");
    assert_eq!(name(r#"{"table": "t", "group_by": ["a"], "limit": 5}"#), "bins");
}

#[test]
fn numbers_have_one_spelling() {
    for (text, canonical) in [
        ("0", "0"),
        ("-0.0", "0"),
        ("0e9", "0"),
        ("100", "100"),
        ("1e2", "100"),
        ("1.0E+2", "100"),
        ("100.000", "100"),
        ("2.5", "25e-1"),
        ("0.025e2", "25e-1"),
        ("-12.30", "-123e-1"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e21"),
        ("12345678901234567890123456789", "12345678901234567890123456789"),
        ("1e99999999999999999999", "1e99999999999999999999"),
        (r#" { "b" : [ 1.0 , null ] , "a" : "\u00e9\/" } "#, r#"{"a":"é/","b":[1,null]}"#),
        ("[true,false,{}]", "[true,false,{}]"),
    ] {
        assert_eq!(canonical_json(text).unwrap(), canonical, "{text}");
    }
    assert!(canonical_json("[1,]").is_err());
    assert!(canonical_json("").is_err());
}
