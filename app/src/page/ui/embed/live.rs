//! A map while this browser makes it: its points as they move, and once they rest clusters that
//! follow the form as it is changed.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::page::{browser, jobs};
use crate::protocol::{MAP_VIEW, Request};
use crate::state::embed::JobState;
use crate::texts::embed as words;

/// How long somebody has to rest before what was chosen is made to stay.
const REST_MILLIS: u32 = 300;

/// What is seen of the map that is made here, if one is or has been since the dialog was opened.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    into: String,
    pub is_made: bool,
    has_clusters: bool,
}

/// `started` is the job that was begun in this dialog.
pub(super) fn shown(page: Page, started: Lasting<Option<String>>) -> Derived<Option<Shown>> {
    Derived::new(move |_| {
        let started = started.get();
        page.jobs.with(|known| {
            let job = known.iter().find(|job| {
                let is_own = started.as_ref() == Some(&job.id) && job.state == JobState::Done;
                jobs::is_here(job) && (is_own || job.state == JobState::Running)
            })?;
            Some(Shown {
                into: job.job.into.clone(),
                is_made: job.state == JobState::Done,
                has_clusters: job.job.steps.iter().any(|step| step.kind == "cluster"),
            })
        })
    })
}

/// Has clusters of the map that is made follow the form, of which `request` is the job.
pub(super) fn follow(
    page: Page,
    shown: Derived<Option<Shown>>,
    request: impl Fn() -> Option<String> + Send + Sync + 'static,
) {
    let asked = Lasting::new(0_u64);
    Effect::new(move |before: Option<Option<String>>| {
        let is_made = shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.is_made));
        let text = request().filter(|_| is_made);
        let is_changed = before.is_some_and(|before| before.is_some() && before != text);
        if let Some(text) = text.clone().filter(|_| is_changed) {
            page.link.send(&Request::MapAgain { text: text.clone(), is_last: false });
            asked.update_untracked(|asked| *asked += 1);
            let own = asked.get_untracked();
            spawn_local(async move {
                gloo_timers::future::TimeoutFuture::new(REST_MILLIS).await;
                if asked.try_get_untracked() == Some(own) {
                    page.link.send(&Request::MapAgain { text, is_last: true });
                }
            });
        }
        text
    });
}

#[component]
pub(super) fn Live(shown: Derived<Option<Shown>>) -> impl IntoView {
    let is_any = Derived::new(move |_| shown.with(Option::is_some));
    let caption = move || {
        shown.with(|shown| {
            shown.as_ref().map(|shown| match (shown.is_made, shown.has_clusters) {
                (false, _) => words::LIVE_MAKING,
                (true, true) => words::LIVE_CLUSTERS,
                (true, false) => words::LIVE_MADE,
            })
        })
    };
    let label = move || shown.with(|shown| shown.as_ref().map(|it| words::live(&it.into)));
    view! {
        <Show when=move || is_any.get()>
            <figure class="embed-live">
                <div role="img" aria-label=label><Canvas/></div>
                <figcaption class="quiet">{caption}</figcaption>
            </figure>
        </Show>
    }
}

#[component]
fn Canvas() -> impl IntoView {
    let page = use_page();
    let canvas = NodeRef::<html::Canvas>::new();
    let size = Lasting::new((0.0, 0.0));
    browser::observe_size(canvas, move |width, height| size.set((width, height)));
    let attached = StoredValue::new(false);
    Effect::new(move |_| {
        let (width, height) = size.get();
        let Some(canvas) = canvas.get().filter(|_| width > 0.0 && height > 0.0) else { return };
        let (view, pixel_ratio) = (MAP_VIEW, window().device_pixel_ratio());
        if attached.get_value() {
            return page.link.send(&Request::ResizeCanvas { view, width, height, pixel_ratio });
        }
        if let Ok(offscreen) = canvas.transfer_control_to_offscreen() {
            attached.set_value(true);
            let request = Request::AttachCanvas { view, width, height, pixel_ratio };
            page.link.send_transferred(&request, &offscreen);
        }
    });
    on_cleanup(move || page.link.send(&Request::DetachCanvas { view: MAP_VIEW }));
    view! { <canvas node_ref=canvas></canvas> }
}
