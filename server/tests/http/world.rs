//! A server on tables in memory, whose store counts what is read of them, and hangs or fails
//! from a certain read on.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use server::config::{LimitSettings, Settings};
use server::http::router;
use server::http::state::AppState;
use server::jobs::queue::Jobs;
use server::lake::{LakeOptions, LakeSpec, Lakes};
use server::pictures::{ImageHosts, Pictures};
use server::query::Queries;
use tokio::sync::Notify;
use tower::ServiceExt;

/// What happens to reads of data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gate {
    Open,
    /// So many reads are answered, the others wait until the gate is opened.
    HangsAfter(u64),
    FailsAfter(u64),
}

#[derive(Debug)]
pub struct Store {
    inner: InMemory,
    /// Reads of data that were begun, and those that wait.
    reads: AtomicU64,
    waiting: AtomicU64,
    gate: Mutex<Gate>,
    opened: Notify,
}

impl Store {
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Counts reads anew.
    pub fn set(&self, gate: Gate) {
        *self.gate.lock().unwrap() = gate;
        self.reads.store(0, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    async fn pass(&self) -> Result<()> {
        let read = self.reads.fetch_add(1, Ordering::SeqCst);
        loop {
            let opened = self.opened.notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            let gate = *self.gate.lock().unwrap();
            match gate {
                Gate::HangsAfter(reads) if read >= reads => {
                    let _waiting = Waiting::new(&self.waiting);
                    opened.await;
                }
                Gate::FailsAfter(reads) if read >= reads => {
                    let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                    return Err(object_store::Error::Generic {
                        store: "S3",
                        source: source.into(),
                    });
                }
                _ => return Ok(()),
            }
        }
    }
}

/// One who waits; gives up when dropped.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}

#[async_trait]
impl ObjectStore for Store {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        if options.range.is_some() && path.as_ref().ends_with(".parquet") {
            self.pass().await?;
        }
        self.inner.get_opts(path, options).await
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn put_opts(&self, path: &Path, body: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, body, how).await
    }
    async fn put_multipart_opts(
        &self,
        path: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, how).await
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

pub const GROUP_ROWS: i64 = 8192;
pub const GROUPS: i64 = 40;
pub const ROWS: i64 = GROUPS * GROUP_ROWS;

fn parquet(batch: &RecordBatch, group_rows: i64) -> Bytes {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows as usize))
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// A number that ascends, one that is all over the place, a text, and a float with NaN and null.
pub fn numbers(rows: i64) -> RecordBatch {
    let mixed = |i: i64| (i.wrapping_mul(7_046_029_254_386_353_131)) >> 20;
    let text = |i| format!("{:011x} of many", mixed(i).unsigned_abs());
    let float = |i: i64| match i % 1000 {
        7 => Some(f64::NAN),
        8 => None,
        rest => Some(rest as f64 / 8.0),
    };
    RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef),
        ("mixed", Arc::new(Int64Array::from_iter_values((0..rows).map(mixed))) as ArrayRef),
        ("text", Arc::new(StringArray::from_iter_values((0..rows).map(text))) as ArrayRef),
        ("float", Arc::new((0..rows).map(float).collect::<Float64Array>()) as ArrayRef),
    ])
    .unwrap()
}

pub struct World {
    pub store: Arc<Store>,
    pub router: Router,
}

impl World {
    /// A table `numbers` of many row groups, a small one `few`, and one that is no Parquet.
    pub async fn new(limits: LimitSettings) -> Self {
        Self::with_rows(limits, ROWS).await
    }

    pub async fn with_rows(limits: LimitSettings, rows: i64) -> Self {
        let store = Store {
            inner: InMemory::new(),
            reads: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            gate: Mutex::new(Gate::Open),
            opened: Notify::new(),
        };
        let store = Arc::new(store);
        for (path, bytes) in [
            ("numbers.parquet", parquet(&numbers(rows), GROUP_ROWS)),
            ("few.parquet", parquet(&numbers(20), 10)),
            ("broken.parquet", Bytes::from_static(b"PAR1 no more of it PAR1")),
            ("words.csv", Bytes::from_static(b"word,n\none,1\nof two,2\n")),
        ] {
            store.put(&Path::from(path), bytes.into()).await.unwrap();
        }
        let settings = Settings { limits, ..Settings::default() };
        let config = settings.config().unwrap();
        let spec: LakeSpec = "s3://in/memory".parse().unwrap();
        let lakes = Lakes::on_store(&spec, Arc::clone(&store) as _, LakeOptions::default());
        let pictures = Pictures::new(lakes.clone(), ImageHosts::default()).unwrap();
        let queries = Queries::new(lakes, &config.limits).unwrap();
        let jobs = Jobs::new(&[spec], &config, None).unwrap();
        let here = SocketAddr::from(([127, 0, 0, 1], 80));
        let state = AppState::new(queries, jobs, pictures, &config, here);
        let world = Self { store, router: router(state) };
        // Footers are known from here on: all that is read after that is data.
        for table in ["numbers", "few"] {
            assert_eq!(world.get(&format!("/api/tables/{table}")).await.status(), StatusCode::OK);
        }
        world
    }

    pub async fn get(&self, path: &str) -> Response<Body> {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: impl Into<String>) -> Response<Body> {
        let request = Request::post(path).body(Body::from(body.into())).unwrap();
        self.send(request).await
    }

    pub async fn query(&self, body: &str) -> Response<Body> {
        self.post("/api/query", body).await
    }

    /// The batches of an answer in Arrow.
    pub async fn batches(&self, body: &str) -> Vec<RecordBatch> {
        let response = self.query(body).await;
        let status = response.status();
        let bytes = bytes_of(response).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{body}: {}", String::from_utf8_lossy(&bytes));
        StreamReader::try_new(&bytes[..], None).unwrap().map(|batch| batch.unwrap()).collect()
    }
}

/// The whole body, or why it broke off.
pub async fn bytes_of(response: Response<Body>) -> std::result::Result<Bytes, axum::Error> {
    Ok(response.into_body().collect().await?.to_bytes())
}

/// Status, kind, field and detail of a problem.
pub async fn problem(response: Response<Body>) -> (u16, String, Option<String>, String) {
    let status = response.status().as_u16();
    let json = response.headers()["content-type"].to_str().unwrap().to_owned();
    let bytes = bytes_of(response).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert_eq!(json, "application/problem+json", "{text}");
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["status"], status);
    let kind = body["type"].as_str().unwrap().strip_prefix("urn:limn:problem:").unwrap();
    assert!(!body["title"].as_str().unwrap().is_empty());
    let field = body["field"].as_str().map(str::to_owned);
    (status, kind.to_owned(), field, body["detail"].as_str().unwrap().to_owned())
}

/// Waits until something is so, and tells how long that took. Panics if it never is.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}
