//! Where the last answer came from and how long it took, whether the companion is there,
//! and what draws.

use leptos::prelude::*;

use crate::page::signals::{Companion, Page, use_page};
use crate::protocol::{LoadState, Origin, STEPS};
use crate::state::format;
use crate::texts;

#[component]
pub(super) fn Status() -> impl IntoView {
    let page = use_page();
    let ran = move || {
        page.shown.get().map(|shown| {
            let place = origin_word(shown.origin);
            let elapsed = format::millis(shown.elapsed_millis);
            let title = match shown.origin {
                Origin::Server => texts::status::FROM_SERVER,
                Origin::Browser => texts::status::FROM_BROWSER,
                Origin::Cache => texts::status::FROM_CACHE,
                Origin::File => texts::status::FROM_FILE,
                Origin::Address => texts::status::FROM_ADDRESS,
            };
            let files = shown.files.filter(|[_, all]| *all > 1).map(texts::status::files_read);
            view! { <span class="ran" title=title><b>{place}</b> " " {elapsed} {files}</span> }
        })
    };
    let companion = move || {
        let (class, text, title) = match page.companion.get() {
            Companion::Unknown => return None,
            Companion::Online => {
                ("online", texts::status::ONLINE.to_owned(), texts::status::ONLINE_HINT)
            }
            Companion::Absent => {
                ("absent", texts::status::NO_COMPANION.to_owned(), texts::status::NO_COMPANION_HINT)
            }
            Companion::Offline => (
                "offline",
                texts::status::offline(version_of(page).as_deref()),
                texts::status::OFFLINE_HINT,
            ),
        };
        Some(view! { <span class=format!("presence {class}") title=title>{text}</span> })
    };
    let renderer = move || {
        page.renderer.get().map(|renderer| {
            let (adapter, reason) = (renderer.adapter.as_deref(), renderer.reason.as_deref());
            let title = texts::status::drawn_by(&renderer.name, adapter, reason);
            view! { <span class="renderer" title=title>{renderer.name}</span> }
        })
    };
    view! { <div class="status">{ran} {renderer} {companion}</div> }
}

/// Offline, what is on screen may have changed since: its version says how old it is.
fn version_of(page: Page) -> Option<String> {
    page.model.with(|model| Page::version_words(model.chosen.version.as_ref()))
}

pub(super) fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Browser => texts::status::BROWSER,
        Origin::Server => texts::status::SERVER,
        Origin::Cache => texts::status::CACHE,
        Origin::File => texts::status::FILE,
        Origin::Address => texts::status::ADDRESS,
    }
}

/// What the answers leave out, in words; nothing where they are whole.
pub(super) fn reduction_words(page: Page) -> Option<String> {
    let shown = page.shown.get()?;
    let on_server = page.progress.with(|progress| match progress.as_ref().map(|p| &p.state) {
        Some(LoadState::OnServer { budget_bytes, needed_bytes }) => {
            Some(texts::status::too_large(*needed_bytes, *budget_bytes))
        }
        _ => None,
    });
    match (shown.reduction.as_str(), on_server) {
        (STEPS, _) => Some(texts::status::IN_STEPS.to_owned()),
        ("none" | "", None) => None,
        ("none" | "", Some(why)) => Some(texts::status::aggregated(&why)),
        (reduction, Some(why)) => Some(texts::status::reduced(reduction, &why)),
        (reduction, None) => Some(reduction.to_owned()),
    }
}
