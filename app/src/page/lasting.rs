//! Signals and memos that let go of those who listen to them.
//!
//! Leptos (reactive_graph 0.2) never takes an effect or a memo that is gone from the listeners
//! of a signal that does not change, nor from those of any memo: every cell, chip and label
//! that was ever on screen would stay there for good, and be walked at every change. Here
//! whoever listens leaves when it runs again or goes. The page has no other signals, but for
//! the one of a part that is fetched, whose only listener goes with it.

use std::ops::Deref;
use std::panic::Location;

use leptos::prelude::*;
use leptos::reactive::computed::ArcMemo;
use leptos::reactive::graph::{AnySource, Observer, Source, ToAnySource};

/// A signal. What does not listen is [`RwSignal`]'s own.
pub(super) struct Lasting<T: 'static>(RwSignal<T>);

/// What follows from signals, and is told only where it changed.
pub(super) struct Derived<T: Send + Sync + 'static>(StoredValue<ArcMemo<T>>);

/// A signal that goes with the last that has it, wherever it was made.
pub(super) struct Counted<T: 'static>(ArcRwSignal<T>);

impl<T: Clone + Send + Sync + 'static> Counted<T> {
    #[track_caller]
    pub(super) fn new(value: T) -> Self {
        Self(ArcRwSignal::new(value))
    }

    pub(super) fn get(&self) -> T {
        leave_in_time(self.0.to_any_source());
        self.0.get()
    }

    pub(super) fn get_untracked(&self) -> T {
        self.0.get_untracked()
    }

    pub(super) fn set(&self, value: T) {
        self.0.set(value);
    }
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Lasting<T> {
    #[track_caller]
    pub(super) fn new(value: T) -> Self {
        Self(RwSignal::new(value))
    }
}

impl<T: PartialEq + Send + Sync + 'static> Derived<T> {
    /// `of` is given what it returned last.
    #[track_caller]
    pub(super) fn new(of: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Self {
        Self(StoredValue::new(ArcMemo::new(of)))
    }
}

fn leave_in_time(source: AnySource) {
    if let Some(observer) = Observer::get() {
        on_cleanup(move || source.remove_subscriber(&observer));
    }
}

impl<T: Send + Sync + 'static> Track for Lasting<T> {
    fn track(&self) {
        if !self.0.is_disposed() {
            leave_in_time(self.0.to_any_source());
            self.0.track();
        }
    }
}

impl<T: Send + Sync + 'static> Track for Derived<T> {
    fn track(&self) {
        if let Some(memo) = self.0.try_get_value() {
            leave_in_time(memo.to_any_source());
            memo.track();
        }
    }
}

impl<T: Send + Sync + 'static> ReadUntracked for Lasting<T> {
    type Value = <RwSignal<T> as ReadUntracked>::Value;

    fn try_read_untracked(&self) -> Option<Self::Value> {
        self.0.try_read_untracked()
    }
}

impl<T: Send + Sync + 'static> ReadUntracked for Derived<T> {
    type Value = <ArcMemo<T> as ReadUntracked>::Value;

    fn try_read_untracked(&self) -> Option<Self::Value> {
        self.0.try_get_value()?.try_read_untracked()
    }
}

/// What is asked of a signal beside, for both.
macro_rules! as_a_signal {
    ($name:ident) => {
        impl<T: Send + Sync> DefinedAt for $name<T> {
            fn defined_at(&self) -> Option<&'static Location<'static>> {
                self.0.defined_at()
            }
        }

        impl<T: Clone + Send + Sync + 'static> From<$name<T>> for Signal<T> {
            fn from(source: $name<T>) -> Self {
                Self::derive(move || source.get())
            }
        }

        // Not derived, which would ask the same of what is inside.
        impl<T: Send + Sync> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T: Send + Sync> Copy for $name<T> {}
    };
}

as_a_signal!(Lasting);
as_a_signal!(Derived);

impl<T: Default + Send + Sync + 'static> Default for Lasting<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for Lasting<T> {
    type Target = RwSignal<T>;

    fn deref(&self) -> &RwSignal<T> {
        &self.0
    }
}
