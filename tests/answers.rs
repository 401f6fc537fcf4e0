//! Browser and server give equal answers: random queries on random tables, through the router
//! and out of Parquet, find the rows that the engine finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_ipc::reader::StreamReader;
use arrow_select::concat::concat_batches;
use axum::Router;
use axum::body::Body;
use engine::execute::execute;
use engine::query::Query;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use server::config::Settings;
use server::http::router;
use server::http::state::AppState;
use server::jobs::queue::Jobs;
use server::lake::{LakeOptions, LakeSpec, Lakes};
use server::pictures::{ImageHosts, Pictures};
use server::query::Queries;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::parity::random;

/// One server for all cases, each of which brings a table of its own.
struct World {
    store: Arc<InMemory>,
    router: Router,
    runtime: Runtime,
    tables: AtomicU64,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let store = Arc::new(InMemory::new());
        let config = Settings::default().config().unwrap();
        let shared = Arc::clone(&store) as Arc<dyn ObjectStore>;
        let spec: LakeSpec = "s3://in/memory".parse().unwrap();
        let lakes = Lakes::on_store(&spec, shared, LakeOptions::default());
        let pictures = Pictures::new(lakes.clone(), ImageHosts::default()).unwrap();
        let queries = Queries::new(lakes, &config.limits).unwrap();
        let jobs = Jobs::new(&[spec], &config, None).unwrap();
        let here = SocketAddr::from(([127, 0, 0, 1], 80));
        let state = AppState::new(queries, jobs, pictures, &config, here);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        World { store, router: router(state), runtime, tables: AtomicU64::new(0) }
    })
}

impl World {
    /// Puts a table into the lake, in row groups of a few rows, and returns its name.
    fn add(&self, batch: &RecordBatch) -> String {
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(7)).build();
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        let name = format!("t{}", self.tables.fetch_add(1, Ordering::Relaxed));
        let path = Path::from(format!("{name}.parquet"));
        self.runtime.block_on(self.store.put(&path, bytes.into())).unwrap();
        name
    }

    /// The answer to a query, or the status and the field of the problem.
    fn ask(&self, query: &str) -> Result<RecordBatch, (u16, String)> {
        let request = Request::post("/api/query").body(Body::from(query.to_owned())).unwrap();
        let (status, bytes) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            (status, response.into_body().collect().await.unwrap().to_bytes())
        });
        if status != StatusCode::OK {
            let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let field = problem["field"].as_str().unwrap_or_default().to_owned();
            return Err((status.as_u16(), field));
        }
        let reader = StreamReader::try_new(&bytes[..], None).unwrap();
        let schema = reader.schema();
        let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
        Ok(concat_batches(&schema, &batches).unwrap())
    }
}

/// Each row as text, by the names of its columns.
fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::new().with_null("∅");
    let formatters: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    let row = |row| formatters.iter().map(|column| column.value(row).to_string()).collect();
    (0..batch.num_rows()).map(row).collect()
}

/// Equal cells, floats to nine digits: sums depend on the order of their parts.
fn is_same(found: &RecordBatch, expected: &RecordBatch) -> bool {
    let is_close = |(a, b): (&String, &String)| {
        let floats = || Some((a.parse::<f64>().ok()?, b.parse::<f64>().ok()?));
        a == b || floats().is_some_and(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()))
    };
    let names = |batch: &RecordBatch| -> Vec<String> {
        batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    };
    let (found_rows, expected_rows) = (rows(found), rows(expected));
    names(found) == names(expected)
        && found_rows.len() == expected_rows.len()
        && found_rows.iter().zip(&expected_rows).all(|(a, b)| a.iter().zip(b).all(is_close))
}

const NAMES: [&str; 9] =
    ["i8", "i64", "u64", "f64", "decimal", "boolean", "text", "category", "day"];

/// A page, a sample, an order of some of these columns; JSON that follows other parts.
fn tail(ordered: Vec<String>) -> impl Strategy<Value = String> {
    let key = (select(ordered), any::<bool>(), select(vec!["first", "last"])).prop_map(
        |(name, descending, nulls)| {
            format!(r#"{{"column":"{name}","descending":{descending},"nulls":"{nulls}"}}"#)
        },
    );
    let order = prop::collection::vec(key, 0..3);
    let page = (prop::option::of(0_u64..12), prop::option::of(0_u64..5));
    let sample = prop::option::weighted(0.2, (0_u64..15, 0_u64..5));
    (order, page, sample).prop_map(|(order, (limit, offset), sample)| {
        let mut text = format!(r#","order_by":[{}]"#, order.join(","));
        text.extend(limit.map(|limit| format!(r#","limit":{limit}"#)));
        text.extend(offset.map(|offset| format!(r#","offset":{offset}"#)));
        let sample =
            sample.map(|(rows, seed)| format!(r#","sample":{{"rows":{rows},"seed":{seed}}}"#));
        text.extend(sample);
        text
    })
}

/// A query for rows, without its table and filters.
fn for_rows() -> impl Strategy<Value = String> {
    let mut all: Vec<&str> = NAMES.to_vec();
    all.push("_row");
    let columns = prop::option::of(subsequence(all, 1..5).prop_shuffle());
    (columns, tail(NAMES.map(str::to_owned).to_vec())).prop_map(|(columns, tail)| {
        let columns = columns.map(|columns| format!(r#","columns":["{}"]"#, columns.join("\",\"")));
        columns.unwrap_or_default() + &tail
    })
}

/// A query for groups, without its table and filters.
fn for_groups() -> impl Strategy<Value = String> {
    let mut keys: Vec<(&str, String)> = NAMES.map(|name| (name, format!("\"{name}\""))).to_vec();
    for (name, step) in [("i8", "3"), ("i64", "1000"), ("f64", "0.5"), ("day", "\"P1M\"")] {
        keys.push((name, format!(r#"{{"column":"{name}","bin":{{"step":{step}}}}}"#)));
    }
    let aggregates = [
        ("count", r#"{"op":"count"}"#),
        ("count_text", r#"{"op":"count","column":"text"}"#),
        ("count_distinct_category", r#"{"op":"count_distinct","column":"category"}"#),
        ("sum_i8", r#"{"op":"sum","column":"i8"}"#),
        ("sum_i64", r#"{"op":"sum","column":"i64"}"#),
        ("sum_decimal", r#"{"op":"sum","column":"decimal"}"#),
        ("mean_i8", r#"{"op":"mean","column":"i8"}"#),
        ("min_f64", r#"{"op":"min","column":"f64"}"#),
        ("max_text", r#"{"op":"max","column":"text"}"#),
        ("max_day", r#"{"op":"max","column":"day"}"#),
        ("median_i8", r#"{"op":"median","column":"i8"}"#),
        ("q", r#"{"op":"quantile","column":"i8","q":0.25,"as":"q"}"#),
        ("stddev_i8", r#"{"op":"stddev","column":"i8"}"#),
    ];
    let keys = subsequence(keys, 0..3).prop_filter("names differ", |keys| {
        keys.iter().map(|(name, _)| name).collect::<std::collections::BTreeSet<_>>().len()
            == keys.len()
    });
    (keys, subsequence(aggregates.to_vec(), 1..5)).prop_flat_map(|(keys, aggregates)| {
        let names = keys.iter().map(|(name, _)| *name);
        let names = names.chain(aggregates.iter().map(|(name, _)| *name));
        let names = names.map(str::to_owned).collect();
        let text = |parts: Vec<String>| parts.join(",");
        let groups = text(keys.into_iter().map(|(_, key)| key).collect());
        let aggregates = text(aggregates.into_iter().map(|(_, a)| a.to_owned()).collect());
        tail(names).prop_map(move |tail| {
            format!(r#","group_by":[{groups}],"aggregates":[{aggregates}]{tail}"#)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_queries_are_answered_as_the_engine_does(
        (batch, filters) in random::batch_and_filters(),
        rest in prop_oneof![for_rows(), for_groups()],
    ) {
        let world = world();
        let table = world.add(&batch);
        let stored = world.ask(&format!(r#"{{"table":"{table}"}}"#)).unwrap();
        prop_assert_eq!(rows(&stored), rows(&batch));

        let text = format!(r#"{{"table":"{table}","filters":{filters}{rest}}}"#);
        let query = Query::from_json(&text);
        let expected = query.and_then(|query| execute(&query, &stored.schema(), &[stored], 0));
        match (world.ask(&text), expected) {
            (Ok(found), Ok(expected)) => prop_assert!(
                is_same(&found, &expected),
                "{}\nfound {:?}\nexpected {:?}", text, rows(&found), rows(&expected)
            ),
            (Err((status, field)), Err(error)) => {
                prop_assert_eq!((status, field), (400, error.field), "{}", text);
            }
            (found, expected) => prop_assert!(false, "{}\n{:?}\n{:?}", text, found, expected),
        }
    }
}
