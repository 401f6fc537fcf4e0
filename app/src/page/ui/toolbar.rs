//! Above the views: how many rows are selected of how many, how far the load is, undo and
//! redo, and a button for another view.

use std::time::Duration;

use crate::page::lasting::{Derived, Lasting};
use leptos::prelude::*;

use super::active::ActiveFilters;
use super::add_view::AddView;
use super::embed::EmbedButton;
use super::groups::GroupsButton;
use super::icon::Icon;
use super::status::reduction_words;
use crate::page::signals::{Page, use_page};
use crate::protocol::{LoadState, Progress};
use crate::state::command::Command;
use crate::state::format;
use crate::texts;

/// A screen reader hears counts when they have come to rest.
const REST_MILLIS: u64 = 700;

#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let page = use_page();
    let can_undo = move || page.model.with(|model| model.history.can_undo());
    let can_redo = move || page.model.with(|model| model.history.can_redo());
    view! {
        <div class="toolbar">
            <button
                type="button"
                class="icon-button side-toggle"
                title=texts::toolbar::SIDE_PANEL_HINT
                aria-label=texts::toolbar::SIDE_PANEL
                aria-pressed=move || page.side_open.get().to_string()
                on:click=move |_| page.dispatch(Command::ToggleSide)
            >
                {Icon::Side.view()}
            </button>
            <Counts/>
            <ActiveFilters/>
            <div class="spacer"></div>
            <button
                type="button"
                class="icon-button"
                title=texts::toolbar::COMPARE_SHAPES_HINT
                aria-label=texts::toolbar::COMPARE_SHAPES
                aria-pressed=move || page.shapes.get().to_string()
                on:click=move |_| page.dispatch(Command::CompareShapes)
            >
                {Icon::Shapes.view()}
            </button>
            <button
                type="button"
                class="icon-button"
                title=texts::toolbar::UNDO_HINT
                aria-label=texts::toolbar::UNDO
                disabled=move || !can_undo()
                on:click=move |_| page.dispatch(Command::Undo)
            >
                {Icon::Undo.view()}
            </button>
            <button
                type="button"
                class="icon-button"
                title=texts::toolbar::REDO_HINT
                aria-label=texts::toolbar::REDO
                disabled=move || !can_redo()
                on:click=move |_| page.dispatch(Command::Redo)
            >
                {Icon::Redo.view()}
            </button>
            <GroupsButton/>
            <EmbedButton/>
            <AddView/>
        </div>
        <LoadStopped/>
    }
}

#[component]
fn Counts() -> impl IntoView {
    let page = use_page();
    let counts =
        Derived::new(move |_| page.shown.with(|s| s.as_ref().map(|s| (s.selected, s.total))));
    let complete =
        Derived::new(move |_| page.shown.with(|s| s.as_ref().is_none_or(|s| s.complete)));
    let share = move || {
        counts.get().map_or(0.0, |(selected, total)| {
            if total == 0 { 0.0 } else { selected as f64 / total as f64 * 100.0 }
        })
    };
    let text = move || {
        counts.get().map(|(selected, total)| {
        let is_filtered = page.model.with(|model| !model.chosen.clauses.is_empty());
        let title = texts::toolbar::rows_pass(selected, total);
        view! {
            <span class="counts" title=title class:filtered=is_filtered>
                <b>{format::count(selected)}</b>
                <span class="of">" / " {format::count(total)}</span>
                {(!complete.get()).then(|| view! { <span class="share">{texts::toolbar::SO_FAR}</span> })}
                {is_filtered.then(|| view! { <span class="share">{format::share(selected, total)}</span> })}
            </span>
        }
    })
    };
    let reduction = move || {
        reduction_words(page).map(|words| {
            view! { <span class="tag reduction" title=texts::toolbar::LEFT_OUT>{words}</span> }
        })
    };
    view! {
        <div class="counts-box">
            {text}
            <span class="meter" aria-hidden="true"><i style:width=move || format!("{}%", share())></i></span>
        </div>
        {reduction}
        <Announcement counts/>
    }
}

/// The counts for those who listen, once they rest.
#[component]
fn Announcement(counts: Derived<Option<(u64, u64)>>) -> impl IntoView {
    let said = Lasting::new(String::new());
    let pending = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        let Some((selected, total)) = counts.get() else { return };
        let say = move || {
            said.try_set(texts::toolbar::rows_selected(selected, total));
        };
        let handle = set_timeout_with_handle(say, Duration::from_millis(REST_MILLIS)).ok();
        let before = pending.try_update_value(|pending| std::mem::replace(pending, handle));
        if let Some(Some(before)) = before {
            before.clear();
        }
    });
    view! { <p class="unseen" role="status" aria-live="polite">{move || said.get()}</p> }
}

/// The load, while there is one. It lies over the views: nothing moves when it is over.
#[component]
pub(super) fn LoadProgress() -> impl IntoView {
    let page = use_page();
    move || {
        let progress = page.progress.get()?;
        (progress.state == LoadState::Loading).then(|| loading(page, &progress))
    }
}

/// What became of a load that did not complete.
#[component]
fn LoadStopped() -> impl IntoView {
    let page = use_page();
    move || {
        let progress = page.progress.get()?;
        match progress.state.clone() {
            LoadState::Loading | LoadState::Complete | LoadState::OnServer { .. } => None,
            LoadState::Cancelled => {
                let here = page.shown.with(|shown| shown.as_ref().map(|shown| shown.total));
                let text = texts::toolbar::load_stopped(here.unwrap_or(progress.rows));
                Some(stopped(page, text, texts::toolbar::LOAD_REST))
            }
            LoadState::Failed { detail } => {
                let again = match progress.rows {
                    0 => texts::frame::TRY_AGAIN,
                    _ => texts::toolbar::LOAD_REST,
                };
                Some(stopped(page, texts::toolbar::load_failed(&detail), again))
            }
        }
    }
}

fn loading(page: Page, progress: &Progress) -> impl IntoView + use<> {
    let share = progress
        .rows_total
        .filter(|total| *total > 0)
        .map(|total| (progress.rows as f64 / total as f64 * 100.0).min(100.0));
    let seconds = (progress.elapsed_millis / 1000.0).max(1e-3);
    let rate = (progress.bytes as f64 / seconds) as u64;
    let text = texts::toolbar::loading(progress.rows, progress.rows_total, progress.bytes, rate);
    view! {
        <div class="load-line running">
            <div
                class="load-bar"
                class:unknown=share.is_none()
                role="progressbar"
                aria-label=texts::toolbar::LOADING
                aria-valuenow=share.map(|share| format!("{share:.0}"))
                aria-valuemin="0"
                aria-valuemax="100"
            >
                <i style:width=format!("{}%", share.unwrap_or(30.0))></i>
            </div>
            <span class="load-text">{text}</span>
            <button type="button" class="button small" on:click=move |_| page.dispatch(Command::CancelLoad)>
                {texts::toolbar::STOP}
            </button>
        </div>
    }
}

fn stopped(page: Page, text: String, again: &'static str) -> impl IntoView {
    view! {
        <div class="load-line stopped" role="alert">
            <span class="load-text">{Icon::Warning.view()} {text}</span>
            <button type="button" class="button small" on:click=move |_| page.ask_load()>{again}</button>
        </div>
    }
}
