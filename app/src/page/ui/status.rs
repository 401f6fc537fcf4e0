//! Where the last answer came from and how long it took, whether the companion is there,
//! and what draws.

use leptos::prelude::*;

use crate::page::signals::{Companion, Page, use_page};
use crate::protocol::{LoadState, Origin};
use crate::state::format;

#[component]
pub(super) fn Status() -> impl IntoView {
    let page = use_page();
    let ran = move || {
        page.shown.get().map(|shown| {
            let place = origin_word(shown.origin);
            let elapsed = format::millis(shown.elapsed_millis);
            let title = match shown.origin {
                Origin::Server => {
                    "Answered by the companion: this is larger than the browser holds"
                }
                Origin::Browser => "Computed in this browser on columns of the companion",
                Origin::Cache => "Computed in this browser on columns kept here",
                Origin::File => "Computed in this browser on the file you opened",
                Origin::Address => "Computed in this browser on columns read at the address",
            };
            let files = shown
                .files
                .filter(|[_, all]| *all > 1)
                .map(|[read, all]| format!(" · read {read} of {all} files"));
            view! { <span class="ran" title=title><b>{place}</b> " " {elapsed} {files}</span> }
        })
    };
    let companion = move || {
        let (class, text, title) = match page.companion.get() {
            Companion::Unknown => return None,
            Companion::Online => ("online", "online".to_owned(), "The companion answers"),
            Companion::Absent => (
                "absent",
                "no companion".to_owned(),
                "These files are served without a companion: files of yours and what is kept here work",
            ),
            Companion::Offline => (
                "offline",
                format!("offline{}", as_of(page)),
                "The companion does not answer: what is kept in this browser works on",
            ),
        };
        Some(view! { <span class=format!("presence {class}") title=title>{text}</span> })
    };
    let renderer = move || {
        page.renderer.get().map(|renderer| {
            let mut title = format!("Pictures are drawn by {}", renderer.name);
            if let Some(adapter) = &renderer.adapter {
                title.push_str(&format!(" on {adapter}"));
            }
            if let Some(reason) = &renderer.reason {
                title.push_str(&format!(": {reason}"));
            }
            view! { <span class="renderer" title=title>{renderer.name}</span> }
        })
    };
    view! { <div class="status">{ran} {renderer} {companion}</div> }
}

/// Offline, what is on screen may have changed since: its version says how old it is.
fn as_of(page: Page) -> String {
    let version = page.model.with(|model| Page::version_words(model.chosen.version.as_ref()));
    version.map(|version| format!(" · as of {version}")).unwrap_or_default()
}

pub(super) fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Browser => "browser",
        Origin::Server => "server",
        Origin::Cache => "cache",
        Origin::File => "file",
        Origin::Address => "address",
    }
}

/// What the answers leave out, in words; nothing where they are whole.
pub(super) fn reduction_words(page: Page) -> Option<String> {
    let shown = page.shown.get()?;
    let on_server = page.progress.with(|progress| match progress.as_ref().map(|p| &p.state) {
        Some(LoadState::OnServer { budget_bytes, needed_bytes }) => Some(format!(
            "needs {}, this browser holds {}",
            format::bytes(*needed_bytes),
            format::bytes(*budget_bytes)
        )),
        _ => None,
    });
    match (shown.reduction.as_str(), on_server) {
        ("none" | "", None) => None,
        ("none" | "", Some(why)) => Some(format!("aggregated by the companion: {why}")),
        (reduction, Some(why)) => Some(format!("{reduction} by the companion: {why}")),
        (reduction, None) => Some(reduction.to_owned()),
    }
}
