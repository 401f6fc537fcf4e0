//! Which version of the table is shown, the others by number, time and operation, what
//! changed between two of them, and word of a newer one.

use crate::page::lasting::{Derived, Lasting};
use engine::query::Version;
use leptos::prelude::*;

use super::icon::Icon;
use super::popover::Popover;
use crate::page::browser;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::{Level, VersionInfo, file_of_name, is_address};
use crate::state::command::Command;
use crate::state::position::{End, Scalar};
use crate::state::{compare, format};
use crate::texts;

#[component]
pub(super) fn VersionPicker() -> impl IntoView {
    let page = use_page();
    let open = Lasting::new(false);
    let words = move || page.model.with(|model| Page::version_words(model.chosen.version.as_ref()));
    let label = Signal::derive(move || texts::versions::choose_another(words().as_deref()));
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
                    {texts::versions::newer(&words)}
                </button>
            }
        })
    };
    // A file has no history, but a Delta table has, wherever it lies.
    let is_kept =
        move || !is_ours(page) || page.schema().is_some_and(|schema| !schema.versions.is_empty());
    view! {
        <Show when=is_kept>
            <Popover
                label=label
                open=open
                button_class="picker version-picker"
                panel_class="versions-panel"
                button=button
            >
                {part(move || list(open))}
            </Popover>
            {newer}
        </Show>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn list(open: Lasting<bool>) -> Fetched {
    made(move || view! { <VersionList open/> })
}

#[component]
fn VersionList(open: Lasting<bool>) -> impl IntoView {
    let page = use_page();
    let versions = Derived::new(move |_| {
        page.schema().map(|schema| schema.versions.clone()).unwrap_or_default()
    });
    let items = move || {
        let rows = versions.get().into_iter().enumerate().map(|(at, info)| {
            view! { <VersionOption newest=at == 0 info open/> }
        });
        rows.collect_view()
    };
    view! {
        <div class="versions">
            <Show when=move || versions.with(|versions| versions.len() > 1)>
                <Timeline versions/>
            </Show>
            <Show
                when=move || versions.with(|versions| !versions.is_empty())
                fallback=|| view! { <p class="quiet">{texts::versions::NO_HISTORY}</p> }
            >
                <ul class="version-list">{items}</ul>
            </Show>
        </div>
    }
}

/// Whether the table is read here rather than by a companion.
fn is_ours(page: Page) -> bool {
    let ours = |table: &str| file_of_name(table).is_some() || is_address(table);
    page.model.with(|model| model.chosen.table.as_deref().is_some_and(ours))
}

fn shown(page: Page) -> Option<Version> {
    page.model.with(|model| model.chosen.version.clone())
}

fn millis(info: &VersionInfo) -> Option<f64> {
    Scalar::Moment.position(&info.timestamp.as_deref()?.into(), End::Low)
}

fn moment(info: &VersionInfo) -> String {
    let written = millis(info).map(|millis| format::position(millis, Scalar::Moment, 60_000.0));
    written.or_else(|| info.timestamp.clone()).unwrap_or_default()
}

/// All versions as one slider, oldest first, and the version of a time. While changes are
/// looked at, the slider moves their later end.
#[component]
fn Timeline(versions: Derived<Vec<VersionInfo>>) -> impl IntoView {
    let page = use_page();
    let last = move || versions.with(Vec::len).saturating_sub(1);
    let place = move || {
        let number = shown(page).as_ref().and_then(compare::number);
        let at = versions.with(|versions| {
            versions.iter().position(|info| compare::number(&info.version) == number)
        });
        last() - at.unwrap_or(0).min(last())
    };
    // Where the slider is held before it is let go.
    let held = Lasting::new(None::<usize>);
    let info = move |place: usize| {
        versions.with(|versions| versions.get(last().checked_sub(place)?).cloned())
    };
    let open = move |info: VersionInfo| {
        let from = shown(page).as_ref().and_then(compare::ends).map(|[from, _]| from);
        let version = match (from, compare::number(&info.version)) {
            (Some(from), Some(to)) if from != to => compare::between(from, to),
            _ => info.version,
        };
        page.dispatch(Command::OpenVersion { version: Some(version) });
    };
    let words = Derived::new(move |_| {
        let Some(info) = info(held.get().unwrap_or_else(place)) else { return String::new() };
        let operation = info.operation.clone().unwrap_or_default();
        let version = Page::version_words(Some(&info.version)).unwrap_or_default();
        [version, operation, moment(&info)].join(" · ")
    });
    let parse = |event: &web_sys::Event| event_target_value(event).parse::<usize>().ok();
    let on_input = move |event: web_sys::Event| held.set(parse(&event));
    let on_change = move |event: web_sys::Event| {
        held.set(None);
        if let Some(info) = parse(&event).and_then(info) {
            open(info);
        }
    };
    let on_time = move |event: web_sys::Event| {
        // Without a zone the browser reads it as local time.
        let time = js_sys::Date::parse(&event_target_value(&event));
        let found = versions.with(|versions| {
            let is_before = |info: &&VersionInfo| millis(info).is_some_and(|then| then <= time);
            versions.iter().find(is_before).cloned()
        });
        match found {
            Some(info) => open(info),
            None if time.is_nan() => {}
            None => page.notify(Level::Warning, texts::versions::NONE_OF_THAT_TIME),
        }
    };
    view! {
        <div class="timeline">
            <input
                type="range"
                min="0"
                max=move || last().to_string()
                step="1"
                aria-label=texts::versions::SLIDER
                aria-valuetext=move || words.get()
                prop:value=move || place().to_string()
                on:input=on_input
                on:change=on_change
            />
            <output>{move || words.get()}</output>
            <label>
                {texts::versions::AS_OF} <input type="datetime-local" step="1" on:change=on_time/>
            </label>
        </div>
    }
}

#[component]
fn VersionOption(newest: bool, info: VersionInfo, open: Lasting<bool>) -> impl IntoView {
    let page = use_page();
    let version = info.version.clone();
    let own = compare::number(&version);
    let is_shown = {
        let version = version.clone();
        move || shown(page).as_ref() == Some(&version)
    };
    let is_end = move || {
        let ends = shown(page).as_ref().and_then(compare::ends);
        ends.is_some_and(|ends| own.is_some_and(|own| ends.contains(&own)))
    };
    let go = move |version: Version| {
        open.set(false);
        page.dispatch(Command::OpenVersion { version: Some(version) });
    };
    let choose = {
        let version = version.clone();
        move |_| go(version.clone())
    };
    let name = match &version {
        Version::Number(number) => number.to_string(),
        Version::Fingerprint(_) => Page::version_words(Some(&version)).unwrap_or_default(),
    };
    let when = millis(&info).map(|millis| {
        view! {
            <span class="version-time" title=info.timestamp.clone()>
                {moment(&info)}
                <small>{format::age(browser::wall_clock() - millis)}</small>
            </span>
        }
    });
    // What changed from this version to the one on screen.
    let changes = move || {
        // Only a companion compares.
        if is_ours(page) {
            return None;
        }
        let now = shown(page).as_ref().and_then(compare::number)?;
        let from = own.filter(|own| *own != now)?;
        let title = texts::versions::show_changes(from, now);
        Some(view! {
            <button
                type="button"
                class="button small"
                title=title.clone()
                aria-label=title
                on:click=move |_| go(compare::between(from, now))
            >
                {texts::versions::CHANGES}
            </button>
        })
    };
    view! {
        <li class:end=is_end>
            <button
                type="button"
                class="version-option"
                aria-current=move || is_shown().to_string()
                on:click=choose
            >
                <span class="version-number">{name}</span>
                <span class="version-operation">{info.operation.clone().unwrap_or_default()}</span>
                {newest.then(|| view! { <span class="tag ok">{texts::versions::NEWEST}</span> })}
                {when}
            </button>
            {changes}
        </li>
    }
}
