//! Limits on rows, bodies, time and the number of queries, each with its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use server::config::LimitSettings;
use server::config::units::{ByteSize, Span};

use super::world::{Gate, World, problem, until};

#[tokio::test]
async fn more_rows_than_may_be_are_refused_before_the_first() {
    let world = World::new(LimitSettings { row_limit: Some(1000), ..Default::default() }).await;
    for query in [
        r#"{"table": "numbers"}"#,
        r#"{"table": "numbers", "limit": 1001}"#,
        r#"{"table": "numbers", "filters": [{"column": "id", "op": "lt", "value": 1001}]}"#,
        r#"{"table": "numbers", "group_by": ["text"]}"#,
        r#"{"table": "numbers", "sample": {"rows": 2000, "seed": 1}}"#,
        r#"{"table": "numbers", "order_by": [{"column": "text"}]}"#,
    ] {
        let (status, kind, ..) = problem(world.query(query).await).await;
        assert_eq!((status, kind.as_str()), (413, "too-many-rows"), "{query}");
    }
    let together = r#"[{"table": "few"}, {"table": "numbers"}]"#;
    let (status, kind, ..) = problem(world.post("/api/queries", together).await).await;
    assert_eq!((status, kind.as_str()), (413, "too-many-rows"));
    // Of options as many are listed as are asked for, however many there are.
    let options = world.get("/api/tables/numbers/options?column=id&limit=5").await;
    assert_eq!(options.status(), StatusCode::OK);
    for query in [
        r#"{"table": "numbers", "limit": 1000}"#,
        r#"{"table": "numbers", "filters": [{"column": "id", "op": "lt", "value": 1000}]}"#,
        r#"{"table": "numbers", "filters": [{"column": "id", "op": "lt", "value": 1900}], "offset": 900}"#,
    ] {
        let rows: usize = world.batches(query).await.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!(rows, 1000, "{query}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_whether_it_says_so_or_not() {
    let limits = LimitSettings { body_limit: Some(ByteSize(1000)), ..Default::default() };
    let world = World::new(limits).await;
    let long = format!(r#"{{"table": "few", "columns": ["{}"]}}"#, "x".repeat(1000));
    let (status, kind, ..) = problem(world.query(&long).await).await;
    assert_eq!((status, kind.as_str()), (413, "body-too-large"));
    let pieces = futures::stream::repeat_with(|| Ok::<_, std::convert::Infallible>("[".repeat(64)));
    let endless = Request::post("/api/query").body(Body::from_stream(pieces)).unwrap();
    let (status, kind, ..) = problem(world.send(endless).await).await;
    assert_eq!((status, kind.as_str()), (413, "body-too-large"));
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_ended() {
    let limits =
        LimitSettings { time_limit: Some(Span(Duration::from_millis(200))), ..Default::default() };
    let world = World::new(limits).await;
    world.store.set(Gate::HangsAfter(0));
    for query in [r#"{"table": "numbers"}"#, r#"{"table": "numbers", "group_by": ["text"]}"#] {
        let response = world.query(query).await;
        assert!(response.headers().contains_key("retry-after"));
        let (status, kind, _, detail) = problem(response).await;
        assert_eq!((status, kind.as_str()), (503, "time-limit"), "{query}");
        assert!(detail.contains("0.2 s"), "{detail}");
    }
    until("no read waits", || world.store.waiting() == 0).await;
}

#[tokio::test]
async fn queries_beyond_those_at_a_time_wait_and_then_are_refused() {
    let limits = LimitSettings {
        concurrency: Some(1),
        queue: Some(1),
        queue_wait: Some(Span(Duration::from_millis(300))),
        ..Default::default()
    };
    let world = Arc::new(World::new(limits).await);
    world.store.set(Gate::HangsAfter(0));
    let ask = |query: &'static str| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.query(query).await })
    };
    let running = ask(r#"{"table": "numbers"}"#);
    until("a read waits", || world.store.waiting() > 0).await;
    let queued = ask(r#"{"table": "few"}"#);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = world.query(r#"{"table": "few"}"#).await;
    assert!(refused.headers().contains_key("retry-after"));
    let (status, kind, ..) = problem(refused).await;
    assert_eq!((status, kind.as_str()), (429, "queue-full"));
    let (status, kind, ..) = problem(queued.await.unwrap()).await;
    assert_eq!((status, kind.as_str()), (503, "no-turn"));
    // What needs no turn is answered all the while.
    assert_eq!(world.get("/api/health").await.status(), StatusCode::OK);
    assert_eq!(world.get("/api/tables/few").await.status(), StatusCode::OK);
    world.store.set(Gate::Open);
    assert_eq!(running.await.unwrap().status(), StatusCode::OK);
}
