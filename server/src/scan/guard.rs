//! A stream whose panics are errors: what a decoder does with hostile bytes ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::BoxStream;

use crate::delta::kernel::panic_text;

/// Polls `inner`, and ends it with an error if it panics.
pub(crate) struct Guarded<T, E> {
    inner: Option<BoxStream<'static, Result<T, E>>>,
    /// Makes an error of what the panic said.
    error: Box<dyn Fn(String) -> E + Send>,
}

impl<T, E> Guarded<T, E> {
    pub(crate) fn new(
        inner: BoxStream<'static, Result<T, E>>,
        error: impl Fn(String) -> E + Send + 'static,
    ) -> Self {
        Self { inner: Some(inner), error: Box::new(error) }
    }
}

impl<T, E> Unpin for Guarded<T, E> {}

impl<T, E> Stream for Guarded<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(inner) = this.inner.as_mut() else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll_next(context)));
        let item = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(item)) => item,
            Err(panic) => Some(Err((this.error)(panic_text(panic.as_ref())))),
        };
        // Whatever comes after an error cannot be trusted to be the rest.
        if !matches!(item, Some(Ok(_))) {
            this.inner = None;
        }
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use futures::StreamExt;
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_panic_ends_the_stream_with_an_error() {
        let items = stream::iter(0..5).map(|n| match n {
            2 => panic!("at {n}"),
            n => Ok::<_, String>(n),
        });
        let seen: Vec<_> = Guarded::new(items.boxed(), |text| text).collect().await;
        assert_eq!(seen, [Ok(0), Ok(1), Err("at 2".to_owned())]);
    }
}
