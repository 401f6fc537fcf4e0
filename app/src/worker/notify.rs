//! How tasks of the worker wake each other: a flag that one task raises and one awaits, and
//! a value that comes later. Single-threaded, and needs no browser.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};

/// Raised any number of times, seen once: the newest state is elsewhere.
#[derive(Debug, Default)]
pub struct Notify {
    raised: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Notify {
    pub fn raise(&self) {
        self.raised.set(true);
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What was raised before counts no more.
    pub fn lower(&self) {
        self.raised.set(false);
    }

    /// Waits until raised, and lowers it.
    pub async fn wait(&self) {
        poll_fn(|context| {
            if self.raised.take() {
                return Poll::Ready(());
            }
            self.waker.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Whether it is raised before something else has come to its end. It stays raised.
    pub async fn is_raised_before(&self, end: impl Future<Output = ()>) -> bool {
        let mut end = pin!(end);
        poll_fn(|context| {
            if self.raised.get() {
                return Poll::Ready(true);
            }
            self.waker.replace(Some(context.waker().clone()));
            end.as_mut().poll(context).map(|()| false)
        })
        .await
    }
}

/// A value that is there later, once: any number of tasks wait for it.
#[derive(Debug)]
pub struct Later<T> {
    value: RefCell<Option<T>>,
    wakers: RefCell<Vec<Waker>>,
}

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self { value: RefCell::new(None), wakers: RefCell::default() }
    }
}

impl<T: Clone> Later<T> {
    pub fn set(&self, value: T) {
        self.value.replace(Some(value));
        let wakers = self.wakers.take();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The value, if it is there.
    pub fn now(&self) -> Option<T> {
        self.value.borrow().clone()
    }

    pub async fn get(&self) -> T {
        poll_fn(|context| match self.now() {
            Some(value) => Poll::Ready(value),
            None => {
                self.wakers.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::Context;

    use super::*;

    #[test]
    fn a_raise_before_the_wait_is_not_lost() {
        let notify = Notify::default();
        let mut context = Context::from_waker(Waker::noop());
        notify.raise();
        notify.raise();
        assert!(pin!(notify.wait()).poll(&mut context).is_ready());
        let mut wait = pin!(notify.wait());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        notify.raise();
        assert!(wait.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn whichever_is_first_ends_the_wait_and_a_raise_is_kept() {
        let notify = Notify::default();
        let mut context = Context::from_waker(Waker::noop());
        let ended = pin!(notify.is_raised_before(std::future::ready(())));
        assert_eq!(ended.poll(&mut context), Poll::Ready(false));
        let mut waiting = pin!(notify.is_raised_before(std::future::pending()));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        notify.raise();
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(true));
        assert!(pin!(notify.wait()).poll(&mut context).is_ready());
    }

    #[test]
    fn a_later_value_reaches_all_who_wait() {
        let later = Later::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut a, mut b) = (pin!(later.get()), pin!(later.get()));
        assert!(a.as_mut().poll(&mut context).is_pending());
        assert!(b.as_mut().poll(&mut context).is_pending());
        later.set(7);
        assert_eq!(a.as_mut().poll(&mut context), Poll::Ready(7));
        assert_eq!(b.as_mut().poll(&mut context), Poll::Ready(7));
    }
}
