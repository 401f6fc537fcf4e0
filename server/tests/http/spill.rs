//! Queries that do not fit in memory: right by way of the disk, or an error that says what to do.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_select::concat::concat_batches;
use engine::execute::execute;
use engine::query::Query;
use http::StatusCode;
use server::config::LimitSettings;
use server::config::units::ByteSize;

use super::world::{World, bytes_of, numbers, problem};

fn limits(memory: u64) -> LimitSettings {
    let threads = Some(2);
    LimitSettings { memory: Some(ByteSize(memory)), threads, ..LimitSettings::default() }
}

fn whole(batches: &[RecordBatch]) -> RecordBatch {
    concat_batches(&batches[0].schema(), batches).unwrap()
}

/// What the engine answers that has memory enough.
fn expected(query: &str, table: &RecordBatch) -> RecordBatch {
    let query = Query::from_json(query).unwrap();
    execute(&query, &table.schema(), std::slice::from_ref(table), 0).unwrap()
}

const MILLION: i64 = 1_000_000;

#[tokio::test]
async fn a_million_groups_in_little_memory() {
    let world = World::with_rows(limits(32 << 20), MILLION).await;
    let table = numbers(MILLION);
    for query in [
        r#"{"table": "numbers", "group_by": ["mixed"], "aggregates": [{"op": "count", "as": "n"}, {"op": "sum", "column": "id"}]}"#,
        r#"{"table": "numbers", "group_by": ["text", {"column": "float", "bin": {"step": 4}}], "aggregates": [{"op": "max", "column": "id"}]}"#,
        r#"{"table": "numbers", "group_by": ["text"], "aggregates": [{"op": "max", "column": "float", "as": "m"}], "order_by": [{"column": "m", "descending": true}], "offset": 3, "limit": 20}"#,
        r#"{"table": "numbers", "group_by": ["id"], "columns": ["id"], "order_by": [{"column": "id", "descending": true}], "limit": 200000}"#,
    ] {
        let found = whole(&world.batches(query).await);
        let expected = expected(query, &table);
        assert_eq!(found.num_rows(), expected.num_rows(), "{query}");
        assert_eq!(found.schema().fields(), expected.schema().fields(), "{query}");
        for (found, expected) in found.columns().iter().zip(expected.columns()) {
            assert!(found == expected, "{query}");
        }
    }
}

#[tokio::test]
async fn groups_with_keys_of_every_sort_come_in_order_from_the_disk() {
    let world = World::with_rows(limits(4 << 20), 200_000).await;
    // NaN comes after every number, and null after that.
    let query = r#"{"table": "numbers", "group_by": ["float", "id"], "aggregates": [{"op": "count", "as": "n"}]}"#;
    let found = whole(&world.batches(query).await);
    let expected = expected(query, &numbers(200_000));
    let bits = |batch: &RecordBatch| -> Vec<(Option<u64>, i64)> {
        let floats = batch.column(0).as_primitive::<Float64Type>();
        let ids = batch.column(1).as_primitive::<Int64Type>();
        let float = |row| floats.is_valid(row).then(|| floats.value(row).to_bits());
        (0..batch.num_rows()).map(|row| (float(row), ids.value(row))).collect()
    };
    assert!(bits(&found) == bits(&expected));
}

#[tokio::test]
async fn a_row_limit_holds_for_groups_from_the_disk() {
    let limits = LimitSettings { row_limit: Some(1000), ..limits(32 << 20) };
    let world = World::with_rows(limits, MILLION).await;
    let query = |more: &str| format!(r#"{{"table": "numbers", "group_by": ["mixed"]{more}}}"#);
    let (status, kind, _, detail) = problem(world.query(&query("")).await).await;
    assert_eq!((status, kind.as_str()), (413, "too-many-rows"));
    assert!(detail.contains("1000000 rows"), "{detail}");
    let response = world.query(&query(r#", "limit": 1000"#)).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_sort_spills() {
    let world = World::with_rows(limits(32 << 20), MILLION).await;
    let query = r#"{"table": "numbers", "order_by": [{"column": "text", "descending": true}], "columns": ["id", "text", "mixed", "float"]}"#;
    let found = whole(&world.batches(query).await);
    let expected = expected(query, &numbers(MILLION));
    assert!(found.column(0) == expected.column(0));
    assert!(found.column(1) == expected.column(1));
}

#[tokio::test]
async fn every_format_is_written_in_little_memory() {
    let world = World::with_rows(limits(16 << 20), MILLION).await;
    for format in ["arrow-stream", "arrow-file", "parquet", "csv", "json", "ndjson"] {
        let path = format!("/api/query?format={format}");
        let response = world.post(&path, r#"{"table": "numbers"}"#).await;
        assert_eq!(response.status(), StatusCode::OK, "{format}");
        assert!(bytes_of(response).await.unwrap().len() > 4 << 20, "{format}");
    }
}

#[tokio::test]
async fn what_cannot_spill_says_what_to_do() {
    let world = World::with_rows(limits(2 << 20), MILLION).await;
    let median = r#""aggregates": [{"op": "median", "column": "mixed"}]"#;
    // One group's numbers have to be in memory together, however they are dealt out.
    for query in [
        format!(r#"{{"table": "numbers", {median}}}"#),
        format!(
            r#"{{"table": "numbers", "group_by": [{{"column": "id", "bin": {{"step": 10000000}}}}], {median}}}"#
        ),
    ] {
        let (status, kind, _, detail) = problem(world.query(&query).await).await;
        assert_eq!((status, kind.as_str()), (503, "memory-limit"), "{query}");
        assert!(detail.contains("--memory"), "{detail}");
    }
}

#[tokio::test]
async fn a_disk_that_is_too_small_says_what_to_do() {
    let limits = LimitSettings { spill_limit: Some(ByteSize(1 << 20)), ..limits(16 << 20) };
    let world = World::with_rows(limits, MILLION).await;
    for query in [
        r#"{"table": "numbers", "group_by": ["text"]}"#,
        r#"{"table": "numbers", "order_by": [{"column": "text"}]}"#,
    ] {
        let (status, kind, _, detail) = problem(world.query(query).await).await;
        assert_eq!((status, kind.as_str()), (503, "disk-limit"), "{query}: {detail}");
        assert!(detail.contains("--spill-limit"), "{detail}");
    }
}
