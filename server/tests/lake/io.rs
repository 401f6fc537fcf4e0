//! What a scan costs: only needed columns and row groups are read, a limit and a dropped stream
//! stop it, order survives side-by-side decoding, and a store that fails is told as such.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::functions_aggregate::count::count_all;
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{col, lit};
use engine::bind::Bound;
use engine::predicate::Predicate;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use server::lake::{LakeError, LakeOptions, Lakes, Snapshot, StoreFailure, VersionSpec};
use server::scan::{PredicateFilter, ScanFilter, ScanOptions, ScanOrder};

use super::rows::{
    any_order, ask, count, in_order, lake_error, numbered, pick, scan, session, sums, texts,
};

/// An object store in memory that counts the bytes it gives, and fails when told to.
#[derive(Debug, Default)]
struct CountingStore {
    inner: InMemory,
    bytes: AtomicU64,
    fails: AtomicBool,
}

impl fmt::Display for CountingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counting")
    }
}

#[async_trait]
impl ObjectStore for CountingStore {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        if self.fails.load(Ordering::Relaxed) {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return Err(object_store::Error::Generic { store: "S3", source: source.into() });
        }
        let result = self.inner.get_opts(path, options).await?;
        self.bytes.fetch_add(result.range.end - result.range.start, Ordering::Relaxed);
        Ok(result)
    }
    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let bytes = self.inner.get_ranges(path, ranges).await?;
        self.bytes.fetch_add(bytes.iter().map(|b| b.len() as u64).sum(), Ordering::Relaxed);
        Ok(bytes)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn put_opts(
        &self,
        path: &Path,
        bytes: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(path, bytes, options).await
    }
    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
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

const GROUPS: i64 = 50;
const GROUP_ROWS: i64 = 2000;

/// One file of several row groups: a sorted number, a wide text, and a float with NaN in it.
fn file() -> Bytes {
    let rows = GROUPS * GROUP_ROWS;
    let noise =
        |i: i64| i.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let text = |i| format!("{:016x}{:016x}{:016x}", noise(i), noise(i + rows), noise(i + 2 * rows));
    let float = |i| if i % 1000 == 7 { f64::NAN } else { (i / GROUP_ROWS) as f64 };
    let batch = RecordBatch::try_from_iter([
        ("sorted", Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef),
        ("text", Arc::new(StringArray::from_iter_values((0..rows).map(text))) as ArrayRef),
        ("float", Arc::new(Float64Array::from_iter_values((0..rows).map(float))) as ArrayRef),
    ])
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(GROUP_ROWS as usize))
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

struct Lake {
    store: Arc<CountingStore>,
    lakes: Lakes,
    file_bytes: u64,
}

async fn lake(files: &[&str]) -> Lake {
    let store = Arc::new(CountingStore::default());
    let bytes = file();
    for path in files {
        store.put(&Path::from(*path), bytes.clone().into()).await.unwrap();
    }
    let spec = "memory=s3://in/memory".parse().unwrap();
    let lakes = Lakes::on_store(&spec, Arc::clone(&store) as _, LakeOptions::default());
    Lake { store, lakes, file_bytes: bytes.len() as u64 }
}

impl Lake {
    async fn open(&self, table: &str) -> Arc<Snapshot> {
        self.lakes.snapshot(&format!("memory/{table}"), VersionSpec::Latest).await.unwrap()
    }

    fn take_bytes(&self) -> u64 {
        self.store.bytes.swap(0, Ordering::Relaxed)
    }
}

fn filtered(snapshot: &Snapshot, filters: &str) -> ScanOptions {
    let predicate = Predicate::from_filters_text(filters).unwrap();
    let bound = Bound::new(&predicate, snapshot.schema(), "filters").unwrap();
    let filter: Arc<dyn ScanFilter> = Arc::new(PredicateFilter::new(bound));
    ScanOptions { filter: Some(filter), ..ScanOptions::default() }
}

#[tokio::test]
async fn only_needed_columns_are_read() {
    let lake = lake(&["t.parquet"]).await;
    let snapshot = lake.open("t").await;
    lake.take_bytes();
    let options = any_order();
    let report = Arc::clone(&options.report);
    let found = ask(&snapshot, options, sums([sum(col("sorted"))])).await.unwrap();
    assert_eq!(texts(&found), ["4999950000"]);
    let read = lake.take_bytes();
    assert!(read < lake.file_bytes / 4, "{read} of {}", lake.file_bytes);
    assert_eq!(report.counts().bytes_read, read);
    let found = ask(&snapshot, any_order(), sums([max(col("text"))])).await.unwrap();
    assert_eq!(count(&found), 1);
    assert!(lake.take_bytes() > lake.file_bytes / 2);
}

#[tokio::test]
async fn counting_rows_reads_nothing_but_the_footer() {
    let lake = lake(&["t.parquet"]).await;
    let snapshot = lake.open("t").await;
    lake.take_bytes();
    let found = ask(&snapshot, in_order(), sums([count_all()])).await.unwrap();
    assert_eq!((texts(&found), lake.take_bytes()), (vec!["100000".to_owned()], 0));
}

#[tokio::test]
async fn row_groups_are_skipped_by_their_statistics() {
    let lake = lake(&["t.parquet"]).await;
    let snapshot = lake.open("t").await;
    lake.take_bytes();
    let same = r#"[{"column":"sorted","op":"between","value":[41000,41002]}]"#;
    for (options, filter) in [
        (any_order(), col("sorted").between(lit(41_000), lit(41_002))),
        (filtered(&snapshot, same), lit(true)),
    ] {
        let report = Arc::clone(&options.report);
        let found = ask(&snapshot, options, pick(filter, &["text"])).await.unwrap();
        assert_eq!(count(&found), 3);
        let counts = report.counts();
        assert_eq!((counts.row_groups, counts.row_groups_pruned), (50, 49));
        assert_eq!((counts.rows_decoded, counts.rows_out), (2000, 3));
        let read = lake.take_bytes();
        assert!(read < lake.file_bytes / 20, "{read} of {}", lake.file_bytes);
    }
}

#[tokio::test]
async fn pruning_never_loses_nan() {
    let lake = lake(&["t.parquet"]).await;
    let snapshot = lake.open("t").await;
    // Each row group has one number, and twice NaN, which is in no bounds.
    for (filters, rows) in [
        (r#"[{"column":"float","op":"eq","value":3}]"#, 1998),
        (r#"[{"column":"float","op":"ne","value":3}]"#, 98_002),
        (r#"[{"not":{"column":"float","op":"eq","value":3}}]"#, 98_002),
        (r#"[{"column":"float","op":"gt","value":48}]"#, 1998),
        (r#"[{"not":{"column":"float","op":"le","value":48}}]"#, 2098),
        (r#"[{"column":"float","op":"is_null"}]"#, 0),
        (r#"[{"column":"float","op":"in","value":[]}]"#, 0),
        (
            r#"[{"or":[{"column":"float","op":"lt","value":1},{"column":"sorted","op":"ge","value":99990}]}]"#,
            2008,
        ),
        (
            r#"[{"columns":["sorted","float"],"op":"within","value":[[0,-1],[10,-1],[10,1],[0,1]]}]"#,
            10,
        ),
    ] {
        for order in [ScanOrder::Table, ScanOrder::Any] {
            let options = ScanOptions { order, ..filtered(&snapshot, filters) };
            let found = ask(&snapshot, options, |t| t.select_columns(&["sorted"])).await.unwrap();
            assert_eq!(count(&found), rows, "{filters}");
        }
    }
    // To DataFusion NaN is above all numbers.
    let found =
        ask(&snapshot, any_order(), pick(col("float").gt(lit(48.0)), &["sorted"])).await.unwrap();
    assert_eq!(count(&found), 2098);
}

#[tokio::test(flavor = "multi_thread")]
async fn order_survives_whatever_runs_side_by_side() {
    let lake = lake(&["t/a.parquet", "t/b.parquet", "t/c.parquet"]).await;
    let snapshot = lake.open("t").await;
    let rows = (GROUPS * GROUP_ROWS * 3) as usize;
    for partitions in [1, 3, 8] {
        let table = snapshot.provider(numbered());
        let found = session(partitions).read_table(table).unwrap().collect().await.unwrap();
        let numbers: Vec<i64> = found
            .iter()
            .flat_map(|batch| {
                let rows = batch.column_by_name("_row").unwrap();
                rows.as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
            })
            .collect();
        assert_eq!(numbers.len(), rows);
        assert!(numbers.iter().enumerate().all(|(i, number)| i as i64 == *number), "{partitions}");
    }
    let filtered =
        ask(&snapshot, numbered(), pick((col("sorted") % lit(50_000)).eq(lit(17)), &["_row"]))
            .await
            .unwrap();
    assert_eq!(texts(&filtered), ["17", "50017", "100017", "150017", "200017", "250017"]);
    let by_row =
        ask(&snapshot, numbered(), pick(col("_row").eq(lit(150_017)), &["sorted"])).await.unwrap();
    assert_eq!(texts(&by_row), ["50017"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_stops_the_scan() {
    let lake = lake(&["t/a.parquet", "t/b.parquet", "t/c.parquet"]).await;
    let snapshot = lake.open("t").await;
    lake.take_bytes();
    let found =
        ask(&snapshot, numbered(), |t| t.select_columns(&["sorted", "_row"])?.limit(0, Some(3)))
            .await
            .unwrap();
    assert_eq!(texts(&found), ["0|0", "1|1", "2|2"]);
    let read = lake.take_bytes();
    assert!(read < lake.file_bytes / 4, "{read} of {}", lake.file_bytes);
    let found =
        ask(&snapshot, numbered(), |t| t.select_columns(&["_row"])?.limit(199_999, Some(2)))
            .await
            .unwrap();
    assert_eq!(texts(&found), ["199999", "200000"]);
    let found =
        ask(&snapshot, any_order(), |t| t.filter(col("sorted").gt(lit(5)))?.limit(0, Some(7)))
            .await
            .unwrap();
    assert_eq!(count(&found), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_stream_stops_its_reading() {
    let files: Vec<String> = (0..40).map(|i| format!("t/{i:02}.parquet")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let lake = lake(&files).await;
    let snapshot = lake.open("t").await;
    lake.take_bytes();
    let session = session(4);
    let plan = session
        .read_table(snapshot.provider(in_order()))
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let mut stream = execute_stream(plan, session.task_ctx()).unwrap();
    assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let at_drop = lake.store.bytes.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(lake.take_bytes(), at_drop);
    assert!(at_drop < lake.file_bytes * 20, "{at_drop} of {}", lake.file_bytes * 40);
}

#[tokio::test]
async fn a_store_that_fails_is_told_from_a_file_that_is_bad() {
    let lake = lake(&["t.parquet"]).await;
    let snapshot = lake.open("t").await;
    lake.store.fails.store(true, Ordering::Relaxed);
    let error = lake_error(&scan(&snapshot, in_order()).await.unwrap_err());
    let LakeError::Store { failure, path, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*failure, path.as_deref()), (StoreFailure::Dropped, Some("t.parquet")));
}

#[tokio::test]
async fn a_replaced_object_is_noticed() {
    let lake = lake(&["t.parquet"]).await;
    let snapshot = lake.open("t").await;
    lake.store.put(&Path::from("t.parquet"), file().into()).await.unwrap();
    let error = lake_error(&scan(&snapshot, in_order()).await.unwrap_err());
    assert!(matches!(error, LakeError::Changed { .. }), "{error:?}");
}
