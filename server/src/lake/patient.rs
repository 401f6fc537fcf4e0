//! A store whose answers may not keep a caller waiting: every request, every page of a listing
//! and every chunk of a body has to arrive within the idle timeout.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::store::read_only;

/// Nothing arrived for this long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s", .0.as_secs_f32())]
pub struct IdleTimeout(Duration);

/// Read-only access to a store under an idle timeout.
#[derive(Debug)]
pub struct PatientStore {
    inner: Arc<dyn ObjectStore>,
    /// The same store, with a time limit of its own for each page of a listing.
    listings: Arc<dyn ObjectStore>,
    idle: Duration,
}

impl PatientStore {
    pub fn new(inner: impl ObjectStore, listings: impl ObjectStore, idle: Duration) -> Self {
        Self { inner: Arc::new(inner), listings: Arc::new(listings), idle }
    }

    /// Asks, and once more if there was no answer in half the time: a connection may have died
    /// without a word where the store did not.
    async fn asked_twice<T, F>(&self, ask: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let half = self.idle / 2;
        match tokio::time::timeout(half, ask()).await {
            Ok(answer) => answer,
            Err(_) => tokio::time::timeout(half, ask())
                .await
                .unwrap_or_else(|_| Err(idle_error(self.idle))),
        }
    }
}

fn idle_error(idle: Duration) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: Box::new(IdleTimeout(idle)) }
}

/// The same items, each awaited for at most `idle`; ends after the first that came too late.
fn each_within<T: Send + 'static>(
    idle: Duration,
    items: BoxStream<'static, Result<T>>,
) -> BoxStream<'static, Result<T>> {
    stream::unfold(Some(items), move |state| async move {
        let mut items = state?;
        match tokio::time::timeout(idle, items.next()).await {
            Ok(Some(item)) => Some((item, Some(items))),
            Ok(None) => None,
            Err(_) => Some((Err(idle_error(idle)), None)),
        }
    })
    // The kernel's reader asks again after the end, which `unfold` answers with a panic.
    .fuse()
    .boxed()
}

impl std::fmt::Display for PatientStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for PatientStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let ask = || self.inner.get_opts(location, options.clone());
        let mut result = self.asked_twice(ask).await?;
        if let GetResultPayload::Stream(body) = result.payload {
            result.payload = GetResultPayload::Stream(each_within(self.idle, body));
        }
        Ok(result)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        each_within(self.idle, self.listings.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        each_within(self.idle, self.listings.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.listings.list_with_delimiter(prefix).await
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only("put", self))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only("put_multipart", self))
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::iter([Err(read_only("delete", self))]).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only("copy", self))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lake::error::StoreFailure;
    use crate::lake::store::failure;

    #[tokio::test]
    async fn a_request_is_asked_twice_and_then_given_up() {
        let store = object_store::memory::InMemory::new;
        let patient = PatientStore::new(store(), store(), Duration::from_millis(60));
        let asked = std::cell::Cell::new(0);
        let answered_by = |time: u32| {
            asked.set(0);
            let asked = &asked;
            patient.asked_twice(move || {
                asked.set(asked.get() + 1);
                let hangs = asked.get() < time;
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(time)
                }
            })
        };
        assert_eq!(answered_by(1).await.unwrap(), 1);
        assert_eq!(answered_by(2).await.unwrap(), 2);
        let error = answered_by(3).await.unwrap_err();
        assert_eq!((failure(&error), asked.get()), (StoreFailure::TimedOut, 2));
    }

    #[tokio::test]
    async fn a_stream_that_stops_becomes_an_error_and_ends() {
        let items = stream::iter([Ok(1)]).chain(stream::pending()).boxed();
        let mut patient = each_within(Duration::from_millis(50), items);
        assert_eq!(patient.next().await.unwrap().unwrap(), 1);
        let error = patient.next().await.unwrap().unwrap_err();
        assert_eq!(failure(&error), StoreFailure::TimedOut);
        assert!(patient.next().await.is_none());
    }
}
