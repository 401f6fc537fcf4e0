//! Opens the object store of a lake: a folder, or S3 by the usual `AWS_…` variables.
//! Everything a store returns passes through here once, so failures get their kind here.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::error::{LakeError, StoreFailure};
use super::local::LocalStore;
use super::patient::PatientStore;
use super::spec::{LakeRoot, LakeSpec};

/// How long a store may keep a caller waiting. The defaults give an error within seconds.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Time for a connection to stand. `AWS_CONNECT_TIMEOUT` overrides it.
    pub connect_timeout: Duration,
    /// Time without a byte before a request is given up, its second try included.
    pub idle_timeout: Duration,
    /// Further tries of a request that failed in a way that may pass.
    pub retries: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::within(Duration::from_secs(10))
    }
}

impl StoreOptions {
    /// Options by which a request that nobody answers ends after `idle_timeout`.
    pub fn within(idle_timeout: Duration) -> Self {
        let connect_timeout = (idle_timeout / 3).min(Duration::from_secs(5));
        Self { connect_timeout, idle_timeout, retries: 2 }
    }
}

/// The store of a lake, rooted at the lake: no path leads out of it.
pub fn open(spec: &LakeSpec, options: &StoreOptions) -> Result<Arc<dyn ObjectStore>, LakeError> {
    match &spec.root {
        LakeRoot::Folder(folder) => match LocalStore::open(folder) {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(LakeError::Spec {
                spec: spec.label(),
                reason: format!("{error}: {}", folder.display()),
            }),
        },
        LakeRoot::S3 { bucket, prefix } => {
            let open = |total| open_s3(spec, bucket, prefix, options, total);
            // The idle timeout guards a body, which may take longer than any fixed total. A page
            // of a listing is short, and nothing but its total can be seen of it from outside.
            let (files, listings) = (open(BODY_TIME_MAX)?, open(options.idle_timeout / 2)?);
            Ok(Arc::new(PatientStore::new(files, listings, options.idle_timeout)))
        }
    }
}

/// A store of the same root that takes writes.
pub(super) fn open_writable(
    spec: &LakeSpec,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>, LakeError> {
    match &spec.root {
        LakeRoot::Folder(folder) => {
            let opened = LocalFileSystem::new_with_prefix(folder);
            let bad = |error: object_store::Error| LakeError::Spec {
                spec: spec.label(),
                reason: error.to_string(),
            };
            Ok(Arc::new(opened.map_err(bad)?))
        }
        LakeRoot::S3 { bucket, prefix } => {
            Ok(Arc::new(open_s3(spec, bucket, prefix, options, BODY_TIME_MAX)?))
        }
    }
}

fn open_s3(
    spec: &LakeSpec,
    bucket: &str,
    prefix: &str,
    options: &StoreOptions,
    total: Duration,
) -> Result<PrefixStore<AmazonS3>, LakeError> {
    let bad = |error: &dyn std::fmt::Display| LakeError::Spec {
        spec: spec.label(),
        reason: error.to_string(),
    };
    let prefix = Path::parse(prefix).map_err(|error| bad(&error))?;
    let s3 = s3_builder(bucket, options, total).build().map_err(|error| bad(&error))?;
    Ok(PrefixStore::new(s3, prefix))
}

/// Time for a whole body, however steadily it comes. `AWS_TIMEOUT` overrides it.
const BODY_TIME_MAX: Duration = Duration::from_secs(600);

fn s3_builder(bucket: &str, options: &StoreOptions, total_time: Duration) -> AmazonS3Builder {
    let connect = AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout);
    let total = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    if std::env::var_os("AWS_CONNECT_TIMEOUT").is_none() {
        builder = builder.with_config(connect, millis_text(options.connect_timeout));
    }
    if std::env::var_os("AWS_TIMEOUT").is_none() {
        builder = builder.with_config(total, millis_text(total_time));
    }
    builder.with_retry(RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 3.0,
        },
        max_retries: options.retries,
        // No further try begins after this.
        retry_timeout: options.idle_timeout / 2,
    })
}

fn millis_text(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// The error of every write to a lake that is only read.
pub(super) fn read_only(operation: &str, store: &dyn std::fmt::Display) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: format!("read-only {store}"),
    }
}

/// Tells how a store failed from its error, looking through what wraps the transport's own.
pub fn failure(error: &(dyn std::error::Error + 'static)) -> StoreFailure {
    let mut next = Some(error);
    let mut kind = None;
    while let Some(current) = next {
        if let Some(error) = current.downcast_ref::<object_store::Error>()
            && matches!(
                error,
                object_store::Error::PermissionDenied { .. }
                    | object_store::Error::Unauthenticated { .. }
            )
        {
            return StoreFailure::Denied;
        }
        if current.is::<super::patient::IdleTimeout>() {
            return StoreFailure::TimedOut;
        }
        if let Some(http) = current.downcast_ref::<HttpError>() {
            kind = Some(match http.kind() {
                HttpErrorKind::Connect => StoreFailure::Unreachable,
                HttpErrorKind::Timeout => StoreFailure::TimedOut,
                HttpErrorKind::Request | HttpErrorKind::Interrupted | HttpErrorKind::Decode => {
                    StoreFailure::Dropped
                }
                _ => StoreFailure::Failed,
            });
        }
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            kind = match io.kind() {
                std::io::ErrorKind::ConnectionRefused => Some(StoreFailure::Unreachable),
                std::io::ErrorKind::ConnectionReset
                | std::io::ErrorKind::BrokenPipe
                | std::io::ErrorKind::UnexpectedEof => Some(StoreFailure::Dropped),
                std::io::ErrorKind::TimedOut => Some(StoreFailure::TimedOut),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    Some(StoreFailure::Full)
                }
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    Some(StoreFailure::Denied)
                }
                _ => kind,
            };
        }
        next = current.source();
    }
    kind.unwrap_or_else(|| failure_from_status(&error.to_string()))
}

/// The status of an answer is not public in the store's errors: it has to be read from the text.
fn failure_from_status(text: &str) -> StoreFailure {
    let status = text
        .split_once("status code: ")
        .and_then(|(_, rest)| rest.get(..3))
        .and_then(|digits| digits.parse::<u16>().ok());
    match status {
        Some(401 | 403) => StoreFailure::Denied,
        Some(429 | 503) => StoreFailure::Throttled,
        Some(408 | 504) => StoreFailure::TimedOut,
        _ if text.contains("SlowDown") => StoreFailure::Throttled,
        _ => StoreFailure::Failed,
    }
}

/// A store's error as the lake's, with the path it was about.
pub fn lake_error(lake: &str, path: Option<&Path>, error: object_store::Error) -> LakeError {
    LakeError::Store {
        lake: lake.to_owned(),
        failure: failure(&error),
        path: path.map(ToString::to_string),
        source: Arc::new(error),
    }
}
