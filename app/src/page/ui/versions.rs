//! Which version of the table is shown, the others by number, time and operation, and
//! word of a newer one.

use engine::query::Version;
use leptos::prelude::*;

use super::icon::Icon;
use super::popover::Popover;
use crate::page::browser;
use crate::page::signals::{Page, use_page};
use crate::protocol::{VersionInfo, file_of_name};
use crate::state::command::Command;
use crate::state::format;
use crate::state::position::{End, Scalar};

#[component]
pub(super) fn VersionPicker() -> impl IntoView {
    let page = use_page();
    let open = RwSignal::new(false);
    let words = move || page.model.with(|model| Page::version_words(model.chosen.version.as_ref()));
    let label = Signal::derive(move || {
        format!("{}. Choose another version", words().unwrap_or_else(|| "version".to_owned()))
    });
    let button = move || {
        view! {
            {Icon::Time.view()}
            <span class="picker-text">{move || words().unwrap_or_else(|| "…".to_owned())}</span>
            {Icon::ChevronDown.view()}
        }
    };
    let newer = move || {
        page.newer.get().map(|newer| {
            let version = newer.version.clone();
            let words = Page::version_words(Some(&version)).unwrap_or_default();
            let go =
                move |_| page.dispatch(Command::OpenVersion { version: Some(version.clone()) });
            view! {
                <button type="button" class="button small newer" on:click=go>
                    {format!("Newer: {words}")}
                </button>
            }
        })
    };
    // A file of one's own has no history.
    let is_kept = move || {
        page.model.with(|model| model.chosen.table.as_deref().and_then(file_of_name).is_none())
    };
    view! {
        <Show when=is_kept>
            <Popover
                label=label
                open=open
                button_class="picker version-picker"
                panel_class="versions-panel"
                button=button
            >
                <VersionList open/>
            </Popover>
            {newer}
        </Show>
    }
}

#[component]
fn VersionList(open: RwSignal<bool>) -> impl IntoView {
    let page = use_page();
    let versions = move || page.schema().map(|schema| schema.versions.clone()).unwrap_or_default();
    let items = move || {
        let versions = versions();
        if versions.is_empty() {
            return view! { <p class="quiet">"This table has no history."</p> }.into_any();
        }
        let rows = versions.into_iter().enumerate().map(|(at, info)| {
            view! { <VersionOption newest=at == 0 info open/> }
        });
        view! { <ul class="version-list">{rows.collect_view()}</ul> }.into_any()
    };
    view! { <div class="versions">{items}</div> }
}

#[component]
fn VersionOption(newest: bool, info: VersionInfo, open: RwSignal<bool>) -> impl IntoView {
    let page = use_page();
    let version = info.version.clone();
    let is_shown = {
        let version = version.clone();
        move || page.model.with(|model| model.chosen.version.as_ref() == Some(&version))
    };
    let choose = {
        let version = version.clone();
        move |_| {
            open.set(false);
            page.dispatch(Command::OpenVersion { version: Some(version.clone()) });
        }
    };
    let name = match &version {
        Version::Number(number) => number.to_string(),
        Version::Fingerprint(_) => Page::version_words(Some(&version)).unwrap_or_default(),
    };
    let when = info.timestamp.as_deref().map(|timestamp| {
        let millis = Scalar::Moment.position(&timestamp.into(), End::Low);
        let ago = millis.map(|millis| format::age(browser::wall_clock() - millis));
        let moment = millis.map(|millis| format::position(millis, Scalar::Moment, 60_000.0));
        view! {
            <span class="version-time" title=timestamp.to_owned()>
                {moment.unwrap_or_else(|| timestamp.to_owned())}
                <small>{ago}</small>
            </span>
        }
    });
    view! {
        <li>
            <button
                type="button"
                class="version-option"
                aria-current=move || is_shown().to_string()
                on:click=choose
            >
                <span class="version-number">{name}</span>
                <span class="version-operation">{info.operation.unwrap_or_default()}</span>
                {newest.then(|| view! { <span class="tag ok">"newest"</span> })}
                {when}
            </button>
        </li>
    }
}
