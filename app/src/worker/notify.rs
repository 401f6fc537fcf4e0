//! How tasks of the worker wake each other: a flag that one task raises and one awaits, and
//! a value that comes later. Single-threaded, and needs no browser.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
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
