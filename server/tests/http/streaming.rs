//! Answers leave while they are computed; one that cannot be finished never looks whole.

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use server::config::LimitSettings;

use super::world::{Gate, ROWS, World, problem};

/// How an Arrow stream ends, if it was written to its end.
const ARROW_END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

const FORMATS: [&str; 6] = ["arrow-stream", "arrow-file", "parquet", "csv", "json", "ndjson"];

async fn frame(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    Some(body.frame().await?.map(|frame| frame.into_data().unwrap()))
}

#[tokio::test]
async fn the_first_batch_leaves_before_the_last_is_read() {
    let world = World::new(LimitSettings::default()).await;
    world.store.set(Gate::HangsAfter(2));
    let response = world.query(r#"{"table": "numbers", "columns": ["id"]}"#).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let mut bytes = frame(&mut body).await.unwrap().unwrap().to_vec();
    assert!(!bytes.is_empty());
    assert!(world.store.reads() < 10, "{} reads", world.store.reads());

    world.store.set(Gate::Open);
    while let Some(chunk) = frame(&mut body).await {
        bytes.extend(chunk.unwrap());
    }
    assert!(bytes.ends_with(&ARROW_END));
    let batches: Vec<RecordBatch> =
        StreamReader::try_new(&bytes[..], None).unwrap().map(|batch| batch.unwrap()).collect();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), ROWS as usize);
}

#[tokio::test]
async fn a_failure_before_the_first_byte_is_a_problem_in_every_format() {
    let world = World::new(LimitSettings::default()).await;
    for format in FORMATS {
        world.store.set(Gate::FailsAfter(0));
        let path = format!("/api/query?format={format}");
        let response = world.post(&path, r#"{"table": "numbers"}"#).await;
        let (status, kind, _, detail) = problem(response).await;
        assert_eq!((status, kind.as_str()), (502, "store-dropped"), "{format}");
        assert!(detail.contains("numbers.parquet") && detail.contains("try again"), "{detail}");
    }
}

#[tokio::test]
async fn a_failure_behind_the_first_batch_breaks_the_answer_off() {
    let world = World::new(LimitSettings::default()).await;
    for format in FORMATS {
        world.store.set(Gate::FailsAfter(3));
        let path = format!("/api/query?format={format}");
        let response = world.post(&path, r#"{"table": "numbers"}"#).await;
        // Parquet and text may not have had a whole chunk to send yet, and then say so.
        if response.status() != StatusCode::OK {
            let (status, kind, ..) = problem(response).await;
            assert_eq!((status, kind.as_str()), (502, "store-dropped"), "{format}");
            continue;
        }
        assert!(!response.headers().contains_key("content-length"), "{format}");
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        let broke = loop {
            match frame(&mut body).await {
                Some(Ok(chunk)) => bytes.extend(chunk),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(broke, "{format} ended as if it were whole");
        assert!(!bytes.ends_with(&ARROW_END), "{format}");
        assert!(format != "json" || !bytes.ends_with(b"]\n"));
        assert!(!bytes.ends_with(b"PAR1") && !bytes.ends_with(b"ARROW1"), "{format}");
    }
}

#[tokio::test]
async fn a_short_answer_that_fails_late_still_has_a_status() {
    let world = World::new(LimitSettings::default()).await;
    world.store.set(Gate::FailsAfter(1));
    let response = world.query(r#"{"table": "numbers", "limit": 10000}"#).await;
    assert_eq!(problem(response).await.0, 502);
    world.store.set(Gate::Open);
    let response = world.query(r#"{"table": "numbers", "limit": 10000}"#).await;
    assert_eq!(response.headers()["limn-rows"], "10000");
    assert!(response.headers().contains_key("content-length"));
}
