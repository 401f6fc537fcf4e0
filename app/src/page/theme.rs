//! Light or dark: as the system says, or as chosen. The boot script sets what was chosen
//! before the first paint; here it changes.

use leptos::prelude::*;
use web_sys::MediaQueryListEvent;

use super::browser;
use super::signals::Page;
use crate::protocol::Request;
use crate::state::command::Theme;

pub(super) fn start(page: Page) {
    page.theme.set(Theme::from_name(&browser::kept("theme").unwrap_or_default()));
    let Ok(Some(query)) = window().match_media("(prefers-color-scheme: dark)") else { return };
    page.system_dark.set(query.matches());
    browser::listen_forever(query.as_ref(), "change", move |event: MediaQueryListEvent| {
        page.system_dark.set(event.matches());
        tell_worker(page);
    });
}

pub(super) fn set(page: Page, theme: Theme) {
    page.theme.set(theme);
    browser::keep("theme", theme.name());
    if let Some(root) = document().document_element() {
        drop(match theme {
            Theme::System => root.remove_attribute("data-theme"),
            Theme::Light | Theme::Dark => root.set_attribute("data-theme", theme.name()),
        });
    }
    tell_worker(page);
}

/// Its pictures have colours too, and legends come with the views.
fn tell_worker(page: Page) {
    page.link.send(&Request::SetTheme { dark: untrack(|| page.is_dark()) });
    page.ask_show();
}
