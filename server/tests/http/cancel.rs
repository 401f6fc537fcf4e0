//! A request that is dropped stops its work: while it reads, while it waits for its turn, while
//! it computes, and while it spills.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use server::config::LimitSettings;
use server::config::units::{ByteSize, Span};

use super::world::{GROUP_ROWS, Gate, World, problem, until};

/// How soon work has to have stopped.
const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_dropped_request_stops_reading() {
    let world = Arc::new(World::new(LimitSettings::default()).await);
    world.store.set(Gate::HangsAfter(0));
    let asked = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.query(r#"{"table": "numbers"}"#).await }
    });
    until("a read waits", || world.store.waiting() > 0).await;
    asked.abort();
    assert!(until("no read waits", || world.store.waiting() == 0).await < SOON);
}

#[tokio::test]
async fn a_dropped_answer_stops_reading() {
    let world = World::new(LimitSettings::default()).await;
    world.store.set(Gate::HangsAfter(3));
    let response = world.query(r#"{"table": "numbers", "columns": ["text"]}"#).await;
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    until("a read waits", || world.store.waiting() > 0).await;
    let reads = world.store.reads();
    drop(body);
    assert!(until("no read waits", || world.store.waiting() == 0).await < SOON);
    assert_eq!(world.store.reads(), reads);
}

#[tokio::test]
async fn a_dropped_request_stops_computing() {
    const GROUPS: i64 = 150;
    let world = World::with_rows(LimitSettings::default(), GROUPS * GROUP_ROWS).await;
    let world = Arc::new(world);
    for query in [
        r#"{"table": "numbers", "group_by": ["text"], "aggregates": [{"op": "median", "column": "float"}]}"#,
        r#"{"table": "numbers", "order_by": [{"column": "mixed"}]}"#,
        r#"{"table": "numbers", "filters": [{"column": "text", "op": "matches", "value": "(a|b)+c.*9"}], "aggregates": [{"op": "count"}]}"#,
    ] {
        world.store.set(Gate::Open);
        let asked = tokio::spawn({
            let (world, query) = (Arc::clone(&world), query.to_owned());
            async move { world.query(&query).await }
        });
        until("the work is under way", || world.store.reads() >= 4 || asked.is_finished()).await;
        assert!(!asked.is_finished(), "too quick to be dropped: {query}");
        asked.abort();
        tokio::time::sleep(SOON).await;
        let reads = world.store.reads();
        tokio::time::sleep(SOON * 2).await;
        assert_eq!(world.store.reads(), reads, "{query}");
        assert!(reads < GROUPS as u64, "{reads} reads: {query}");
    }
}

#[tokio::test]
async fn a_dropped_request_gives_its_place_in_the_queue_back() {
    let limits = LimitSettings {
        concurrency: Some(1),
        queue: Some(1),
        queue_wait: Some(Span(Duration::from_secs(10))),
        ..LimitSettings::default()
    };
    let world = Arc::new(World::new(limits).await);
    let ask = |query: &str| {
        let (world, query) = (Arc::clone(&world), query.to_owned());
        tokio::spawn(async move { world.query(&query).await })
    };
    world.store.set(Gate::HangsAfter(0));
    let running = ask(r#"{"table": "numbers"}"#);
    until("a read waits", || world.store.waiting() > 0).await;
    let queued = ask(r#"{"table": "few"}"#);
    tokio::time::sleep(SOON).await;
    let (status, kind, ..) = problem(world.query(r#"{"table": "few"}"#).await).await;
    assert_eq!((status, kind.as_str()), (429, "queue-full"));

    queued.abort();
    tokio::time::sleep(SOON).await;
    let queued = ask(r#"{"table": "few", "limit": 1}"#);
    tokio::time::sleep(SOON).await;
    assert!(!queued.is_finished());
    let reads = world.store.reads();
    running.abort();
    assert!(until("the next one reads", || world.store.reads() > reads).await < SOON);
    world.store.set(Gate::Open);
    assert_eq!(queued.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_dropped_request_stops_spilling_and_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let limits = LimitSettings {
        memory: Some(ByteSize(12 << 20)),
        spill_dir: Some(folder.path().to_owned()),
        ..LimitSettings::default()
    };
    let world = Arc::new(World::with_rows(limits, 600_000).await);
    for query in [
        r#"{"table": "numbers", "group_by": ["text"], "aggregates": [{"op": "count"}]}"#,
        r#"{"table": "numbers", "order_by": [{"column": "mixed"}]}"#,
    ] {
        let asked = tokio::spawn({
            let (world, query) = (Arc::clone(&world), query.to_owned());
            async move { world.query(&query).await }
        });
        let spills = || !files(folder.path()).is_empty();
        until("something is spilled", || spills() || asked.is_finished()).await;
        assert!(!asked.is_finished(), "done without spilling: {query}");
        asked.abort();
        let took = until("no file is left", || !spills()).await;
        assert!(took < SOON, "{took:?}: {query}");
        tokio::time::sleep(SOON).await;
        assert_eq!(files(folder.path()), Vec::<String>::new());
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.flatten().map(|entry| entry.path());
    let below = |path: std::path::PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path.display().to_string()],
    };
    entries.flat_map(below).collect()
}
