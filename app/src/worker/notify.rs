//! How tasks of the worker wake each other: a flag that one task raises and one awaits.
//! Single-threaded, and needs no browser.

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
}
