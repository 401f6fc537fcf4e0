//! The Delta kernel, confined to one table: its engine reads paths of that table and nothing else.
//!
//! The kernel would follow any URL that a log names, over HTTP too. Every location passes through
//! [`confined`] here first. Its calls block, so they run off the async threads, panics caught.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use delta_kernel::schema::SchemaRef;
use delta_kernel::{
    CancellationTokenRef, Engine, EngineData, EvaluationHandler, FileDataReadResultIterator,
    FileMeta, FileSize, FileSlice, FilteredEngineData, JsonHandler, KernelError, KernelResult,
    KernelResultIterator, KernelResultIteratorStatic, ParquetFooter, ParquetHandler, PredicateRef,
    StorageHandler,
};
use delta_kernel_default_engine::DefaultEngineBuilder;
use delta_kernel_default_engine::executor::tokio::TokioBackgroundExecutor;
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

/// The root of every table, as the kernel sees it.
pub(super) const ROOT: &str = "lake:///";

/// Largest JSON file of a log that is parsed; a commit is parsed in one piece.
const JSON_BYTES_MAX: u64 = 1 << 30;

/// Files that the kernel reads ahead.
const READ_AHEAD: usize = 16;

/// One thread for the kernel's I/O in the whole process: it outlives every runtime of a request.
static EXECUTOR: LazyLock<Arc<TokioBackgroundExecutor>> =
    LazyLock::new(|| Arc::new(TokioBackgroundExecutor::new()));

/// The kernel's way to one table's files.
pub(super) struct TableEngine {
    storage: Arc<Confined<dyn StorageHandler>>,
    json: Arc<Confined<dyn JsonHandler>>,
    parquet: Arc<Confined<dyn ParquetHandler>>,
    evaluation: Arc<dyn EvaluationHandler>,
}

struct Confined<T: ?Sized>(Arc<T>);

impl TableEngine {
    /// An engine for the table at `root` in the lake.
    pub(super) fn new(lake: Arc<dyn ObjectStore>, root: &Path) -> Self {
        let store = Arc::new(PrefixStore::new(lake, root.clone()));
        let mut builder =
            DefaultEngineBuilder::new(store).with_task_executor(Arc::clone(&EXECUTOR));
        if let Some(depth) = std::num::NonZero::new(READ_AHEAD) {
            builder = builder.with_buffer_size(depth);
        }
        let engine = builder.build();
        Self {
            storage: Arc::new(Confined(engine.storage_handler())),
            json: Arc::new(Confined(engine.json_handler())),
            parquet: Arc::new(Confined(engine.parquet_handler())),
            evaluation: engine.evaluation_handler(),
        }
    }
}

/// Runs kernel code off the async threads; a panic in it comes back as an error.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> KernelResult<T> + Send + 'static,
) -> KernelResult<T> {
    let caught = || std::panic::catch_unwind(AssertUnwindSafe(work));
    match tokio::task::spawn_blocking(caught).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(KernelError::generic(format!(
            "the log reader panicked: {}",
            panic_text(panic.as_ref())
        ))),
        Err(join) => Err(KernelError::join_failure(join)),
    }
}

/// What a caught panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

fn confined(url: &Url) -> KernelResult<()> {
    let stays = url.scheme() == "lake" && url.host_str().is_none_or(str::is_empty);
    match stays && url.query().is_none() {
        true => Ok(()),
        false => Err(KernelError::InvalidTableLocation(format!(
            "the log names a path outside of the table: {url}"
        ))),
    }
}

fn all_confined(files: &[FileMeta]) -> KernelResult<()> {
    files.iter().try_for_each(|file| confined(&file.location))
}

fn read_only<T>() -> KernelResult<T> {
    Err(KernelError::generic("this lake is only read"))
}

impl Engine for TableEngine {
    fn evaluation_handler(&self) -> Arc<dyn EvaluationHandler> {
        Arc::clone(&self.evaluation)
    }

    fn storage_handler(&self) -> Arc<dyn StorageHandler> {
        Arc::clone(&self.storage) as _
    }

    fn json_handler(&self) -> Arc<dyn JsonHandler> {
        Arc::clone(&self.json) as _
    }

    fn parquet_handler(&self) -> Arc<dyn ParquetHandler> {
        Arc::clone(&self.parquet) as _
    }
}

impl StorageHandler for Confined<dyn StorageHandler> {
    fn list_from(&self, path: &Url) -> KernelResult<KernelResultIteratorStatic<FileMeta>> {
        confined(path)?;
        self.0.list_from(path)
    }

    fn read_files(&self, files: Vec<FileSlice>) -> KernelResult<KernelResultIteratorStatic<Bytes>> {
        files.iter().try_for_each(|(url, _)| confined(url))?;
        self.0.read_files(files)
    }

    fn copy_atomic(&self, _: &Url, _: &Url) -> KernelResult<()> {
        read_only()
    }

    fn put(&self, _: &Url, _: Bytes, _: bool) -> KernelResult<()> {
        read_only()
    }

    fn head(&self, path: &Url) -> KernelResult<FileMeta> {
        confined(path)?;
        self.0.head(path)
    }

    fn delete(&self, _: &Url) -> KernelResult<()> {
        read_only()
    }
}

impl JsonHandler for Confined<dyn JsonHandler> {
    fn parse_json(
        &self,
        json_strings: Box<dyn EngineData>,
        output_schema: SchemaRef,
    ) -> KernelResult<Box<dyn EngineData>> {
        self.0.parse_json(json_strings, output_schema)
    }

    fn read_json_files(
        &self,
        files: &[FileMeta],
        physical_schema: SchemaRef,
        predicate: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        all_confined(files)?;
        if let Some(large) = files.iter().find(|file| file.size > JSON_BYTES_MAX) {
            return Err(KernelError::generic(format!(
                "a commit of {} bytes is too large: {}",
                large.size,
                large.location.path()
            )));
        }
        self.0.read_json_files(files, physical_schema, predicate)
    }

    fn write_json_file(
        &self,
        _: &Url,
        _: KernelResultIterator<'_, FilteredEngineData>,
        _: bool,
    ) -> KernelResult<FileSize> {
        read_only()
    }
}

impl ParquetHandler for Confined<dyn ParquetHandler> {
    fn read_parquet_files(
        &self,
        files: &[FileMeta],
        physical_schema: SchemaRef,
        predicate: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        all_confined(files)?;
        self.0.read_parquet_files(files, physical_schema, predicate)
    }

    fn write_parquet_file(
        &self,
        _: Url,
        _: KernelResultIteratorStatic<Box<dyn EngineData>>,
    ) -> KernelResult<FileSize> {
        read_only()
    }

    fn read_parquet_footer(&self, file: &FileMeta) -> KernelResult<ParquetFooter> {
        confined(&file.location)?;
        self.0.read_parquet_footer(file)
    }

    fn read_parquet_footer_with_cancellation(
        &self,
        file: &FileMeta,
        token: Option<CancellationTokenRef>,
    ) -> KernelResult<ParquetFooter> {
        confined(&file.location)?;
        self.0.read_parquet_footer_with_cancellation(file, token)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn only_paths_of_the_table_are_confined() {
        for (url, stays) in [
            ("lake:///_delta_log/00000000000000000000.json", true),
            ("lake:///a%20b/part.parquet", true),
            ("lake://host/part.parquet", false),
            ("https://host/x?X-Amz-Signature=1", false),
            ("file:///etc/passwd", false),
            ("s3://bucket/x", false),
            ("lake:///x?X-Amz-Signature=1", false),
        ] {
            assert_eq!(confined(&Url::parse(url).unwrap()).is_ok(), stays, "{url}");
        }
    }

    #[tokio::test]
    async fn a_panic_of_the_kernel_is_an_error() {
        let error = blocking::<()>(|| panic!("boom {}", 1)).await.unwrap_err();
        assert!(error.to_string().contains("boom 1"), "{error}");
    }
}
