//! What becomes of a commit whose answer is lost on its way.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU8, Ordering};

use arrow_array::{ArrayRef, Int64Array};
use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    PutMultipartOptions, PutOptions, PutResult, Result,
};

use super::*;
use crate::lake::Lakes;

const WELL: u8 = 0;
/// Commits are refused.
const REFUSES: u8 = 1;
/// Commits are taken, and their answers lost.
const LOSES: u8 = 2;
/// The same, and nothing of the log can be read either.
const SILENT: u8 = 3;

/// A store in memory that fails about the log.
#[derive(Debug)]
struct Failing {
    inner: InMemory,
    how: AtomicU8,
}

impl Failing {
    fn is(&self, path: &Path, how: &[u8]) -> bool {
        path.as_ref().contains("_delta_log/") && how.contains(&self.how.load(Ordering::Relaxed))
    }
}

fn lost() -> object_store::Error {
    object_store::Error::Generic { store: "test", source: "no answer".into() }
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failing")
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, at: &Path, put: PutPayload, how: PutOptions) -> Result<PutResult> {
        if self.is(at, &[REFUSES]) {
            return Err(lost());
        }
        let done = self.inner.put_opts(at, put, how).await;
        if self.is(at, &[LOSES, SILENT]) { Err(lost()) } else { done }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        if self.is(at, &[SILENT]) {
            return Err(lost());
        }
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// Writes a table while the store fails so; what came of it, and which files lie there.
async fn write(how: u8) -> (std::result::Result<u64, LakeError>, Vec<String>, Place) {
    let store = Arc::new(Failing { inner: InMemory::new(), how: AtomicU8::new(how) });
    let spec = "s3://in/memory".parse().unwrap();
    let lakes = Lakes::on_store(&spec, Arc::clone(&store) as _, Default::default());
    let place = lakes.place("out", false).await.unwrap();
    let column = Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    let mut writer = TableWriter::begin(place.clone(), batch.schema(), "job").await.unwrap();
    writer.write(&batch).await.unwrap();
    let info = CommitInfo { operation: "WRITE", parameters: Map::new(), limn: Value::Null };
    let committed = writer.commit(info).await;
    store.how.store(WELL, Ordering::Relaxed);
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let kind = |meta: &ObjectMeta| match meta.location.filename().unwrap_or_default() {
        name if name.starts_with(MARKER) => "marker".to_owned(),
        name if name.starts_with("part-") => "data".to_owned(),
        _ => "commit".to_owned(),
    };
    let mut kinds: Vec<String> = listed.iter().map(kind).collect();
    kinds.sort();
    (committed, kinds, place)
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_to_be_there() {
    let (committed, kinds, _) = write(LOSES).await;
    assert_eq!((committed.unwrap(), kinds), (0, vec!["commit".to_owned(), "data".to_owned()]));
}

#[tokio::test]
async fn what_a_commit_that_may_be_there_names_stays() {
    let (committed, kinds, place) = write(SILENT).await;
    assert!(matches!(committed.unwrap_err(), LakeError::Store { .. }));
    assert_eq!(kinds, ["commit", "data", "marker"]);
    // The next attempt at the same work finds it.
    assert_eq!(committed_by(&place, "job").await.unwrap().unwrap().0, 0);
    clean_up_after(&place, "job").await.unwrap();
    let left: Vec<_> = place.store.list(None).collect::<Vec<_>>().await;
    assert_eq!(left.len(), 3);
}

#[tokio::test]
async fn a_commit_that_is_refused_leaves_nothing() {
    let (committed, kinds, place) = write(REFUSES).await;
    assert!(matches!(committed.unwrap_err(), LakeError::Store { .. }));
    assert_eq!(kinds, Vec::<String>::new());
    assert!(committed_by(&place, "job").await.unwrap().is_none());
}
