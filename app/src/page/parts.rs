//! Parts of the page that are fetched when they are first used: what opens on a press, and
//! charts that no table begins with. The bundler cuts them out of the page's program where
//! a function is marked `wasm_split` (<https://docs.rs/wasm_split_helpers>): what only such
//! functions reach is in files of their own, one to each name.

use std::pin::Pin;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
pub(super) use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::signals::Page;
use crate::protocol::Level;
use crate::texts;

/// What a marked function gives: that which makes the view, or no file.
pub(super) type Fetched = Result<Rc<dyn Fn() -> AnyView>, SplitLoaderError>;

type Loading = Pin<Box<dyn Future<Output = Fetched>>>;

/// Told once a part that had to be fetched is on screen.
#[derive(Clone, Copy)]
pub(super) struct OnArrival(pub(super) Callback<()>);

pub(super) fn made<V: IntoAny + 'static>(make: impl Fn() -> V + 'static) -> Fetched {
    Ok(Rc::new(move || make().into_any()))
}

/// The view of a part: nothing until its file is here, which it is for good after the first
/// time.
pub(super) fn part<F>(load: impl Fn() -> F + 'static) -> AnyView
where
    F: Future<Output = Fetched> + 'static,
{
    shown(Rc::new(move || -> Loading { Box::pin(load()) }))
}

fn shown(load: Rc<dyn Fn() -> Loading>) -> AnyView {
    let loaded = RwSignal::new_local(None::<Fetched>);
    let on_arrival = use_context::<OnArrival>();
    let load = StoredValue::new_local(load);
    let fetch = move || {
        let Some(loading) = load.try_with_value(|load| load()) else { return };
        spawn_local(async move {
            let fetched = loading.await;
            loaded.try_set(Some(fetched));
            if let Some(OnArrival(then)) = on_arrival {
                request_animation_frame(move || {
                    then.try_run(());
                });
            }
        });
    };
    fetch();
    let again = move |_| {
        loaded.set(None);
        fetch();
    };
    (move || match loaded.get()? {
        Ok(make) => Some(make()),
        Err(_) => Some(
            view! {
                <p class="part-missing" role="alert">
                    {texts::notices::PART_NOT_FETCHED}
                    <button type="button" class="button small" on:click=again>{texts::frame::TRY_AGAIN}</button>
                </p>
            }
            .into_any(),
        ),
    })
    .into_any()
}

/// Runs what a part does rather than shows.
pub(super) fn run(page: Page, work: impl Future<Output = Result<(), SplitLoaderError>> + 'static) {
    spawn_local(async move {
        if work.await.is_err() {
            page.notify(Level::Error, texts::notices::PART_NOT_FETCHED);
        }
    });
}
