//! The top of the page: the mark, which table at which version, where it comes from, and
//! the page's own switches.

use leptos::prelude::*;

use super::icon::Icon;
use super::status::Status;
use super::tables::TablePicker;
use super::versions::VersionPicker;
use crate::page::signals::use_page;
use crate::state::command::{Command, Dialog, Theme};
use crate::texts;

#[component]
pub(super) fn Header() -> impl IntoView {
    let page = use_page();
    let table = move || page.model.with(|model| model.chosen.table.clone());
    let is_open = move || table().is_some();
    view! {
        <header class="top">
            <a class="mark" href="./" aria-label=texts::frame::TO_TABLES>
                <img src="icon.svg" alt="" width="24" height="24"/>
                <span>{texts::frame::NAME}</span>
            </a>
            {move || table().map(|table| view! { <h1 class="unseen">{table}</h1> })}
            <TablePicker/>
            <Show when=is_open><VersionPicker/></Show>
            <div class="spacer"></div>
            <Status/>
            <div class="top-buttons">
                <IconButton
                    label=texts::frame::FIND
                    icon=Icon::Search
                    command=Command::ShowDialog { dialog: Some(Dialog::Palette) }
                />
                <IconButton label=texts::frame::COPY_LINK icon=Icon::Link command=Command::CopyLink/>
                <IconButton
                    label=texts::frame::SAVED_VIEWS
                    icon=Icon::Saved
                    command=Command::ShowDialog { dialog: Some(Dialog::Saved) }
                />
                <IconButton
                    label=texts::frame::KEPT_OFFLINE
                    icon=Icon::Offline
                    command=Command::ShowDialog { dialog: Some(Dialog::Offline) }
                />
                <ThemeButton/>
                <IconButton
                    label=texts::frame::KEYS_AND_GESTURES
                    icon=Icon::Help
                    command=Command::ShowDialog { dialog: Some(Dialog::Help) }
                />
            </div>
        </header>
    }
}

/// A button that shows a sign, says its name, and gives one command.
#[component]
pub(super) fn IconButton(label: &'static str, icon: Icon, command: Command) -> impl IntoView {
    let page = use_page();
    view! {
        <button
            type="button"
            class="icon-button"
            title=label
            aria-label=label
            on:click=move |_| page.dispatch(command.clone())
        >
            {icon.view()}
        </button>
    }
}

#[component]
fn ThemeButton() -> impl IntoView {
    let page = use_page();
    let label = move || match page.theme.get() {
        Theme::System => texts::frame::THEME_IS_SYSTEM,
        Theme::Light => texts::frame::THEME_IS_LIGHT,
        Theme::Dark => texts::frame::THEME_IS_DARK,
    };
    let icon = move || match page.theme.get() {
        Theme::System => Icon::System.view(),
        Theme::Light => Icon::Light.view(),
        Theme::Dark => Icon::Dark.view(),
    };
    let next =
        move |_| page.dispatch(Command::SetTheme { theme: page.theme.get_untracked().next() });
    view! {
        <button type="button" class="icon-button" title=label aria-label=label on:click=next>
            {icon}
        </button>
    }
}
