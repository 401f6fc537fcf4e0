//! Signals that last as long as the page does.

use std::ops::Deref;

use leptos::prelude::*;
use leptos::reactive::graph::{Observer, Source};

/// A signal that outlives most of those who listen to it. Leptos (reactive_graph 0.2) never
/// takes an effect or a memo that is gone from the listeners of a signal: every menu, chip and
/// label that was ever on screen would stay in the page's own for good. Here whoever listens
/// leaves when it runs again or goes.
pub(super) struct Lasting<T: 'static>(RwSignal<T>);

impl<T: Send + Sync + 'static> Lasting<T> {
    pub(super) fn new(value: T) -> Self {
        Self(RwSignal::new(value))
    }

    pub(super) fn with<O>(self, read: impl FnOnce(&T) -> O) -> O {
        self.leave_in_time();
        self.0.with(read)
    }

    pub(super) fn get(self) -> T
    where
        T: Clone,
    {
        self.leave_in_time();
        self.0.get()
    }

    fn leave_in_time(self) {
        if let Some(observer) = Observer::get() {
            on_cleanup(move || self.0.remove_subscriber(&observer));
        }
    }
}

// Not derived, which would ask the same of what is inside.
impl<T> Clone for Lasting<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Lasting<T> {}

impl<T: Default + Send + Sync + 'static> Default for Lasting<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// What does not listen is the signal's own. Listen by [`Lasting::with`] and [`Lasting::get`]
/// only: the signal's `read` and `track` are not told of those who go.
impl<T> Deref for Lasting<T> {
    type Target = RwSignal<T>;

    fn deref(&self) -> &RwSignal<T> {
        &self.0
    }
}
