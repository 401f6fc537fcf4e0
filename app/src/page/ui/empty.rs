//! What stands where views would, or over them: before a table is chosen, while it is looked up, when
//! it cannot be opened, when no row passes the filters, when the worker was given up.

use crate::page::lasting::Derived;
use leptos::prelude::*;

use super::icon::Icon;
use super::tables::TableList;
use crate::page::signals::{Companion, Described, Page, WorkerState, use_page};
use crate::protocol::Clause;
use crate::state::command::{Command, Gesture};
use crate::state::describe;
use crate::texts;

/// Before a table is chosen: the tables there are.
#[component]
pub(super) fn Welcome() -> impl IntoView {
    let page = use_page();
    let offline = move || page.companion.get() == Companion::Offline;
    view! {
        <main id="main" class="welcome" tabindex="-1">
            <section class="welcome-card">
                <img src="icon.svg" alt="" width="52" height="52"/>
                <h1>{texts::start::EXPLORE}</h1>
                <p>{texts::start::WHAT_IT_DOES}</p>
                <Show when=offline>
                    <p class="hint">
                        {Icon::Offline.view()}
                        {texts::start::COMPANION_AWAY}
                    </p>
                </Show>
                <TableList/>
                <p class="quiet">{texts::start::OR_DROP}</p>
            </section>
        </main>
    }
}

/// Over the views: the table cannot be shown (yet).
#[component]
pub(super) fn TableState() -> impl IntoView {
    let page = use_page();
    move || match page.described.get() {
        Described::Asked => Some(match page.opening.get() {
            None => view! { <p class="state quiet" role="status">{texts::start::OPENING}</p> }
                .into_any(),
            Some((bytes, total)) => looking(page, bytes, total).into_any(),
        }),
        Described::Failed(reason) => Some(view! { <CannotOpen reason/> }.into_any()),
        Described::None | Described::Known(_) => None,
    }
}

/// How far a file has been looked at: its types are those of all its rows.
fn looking(page: Page, bytes: u64, total: u64) -> impl IntoView {
    let share = bytes as f64 / total.max(1) as f64 * 100.0;
    view! {
        <section class="state looking">
            <p>{texts::start::LOOKING}</p>
            <div
                class="load-bar"
                role="progressbar"
                aria-label=texts::start::LOOKING
                aria-valuenow=format!("{share:.0}")
                aria-valuemin="0"
                aria-valuemax="100"
            >
                <i style:width=format!("{share:.1}%")></i>
            </div>
            <p class="quiet">{texts::start::looked_at(bytes, total)}</p>
            <div class="state-buttons">
                <button type="button" class="button" on:click=move |_| page.dispatch(Command::CancelLoad)>
                    {texts::toolbar::STOP}
                </button>
            </div>
        </section>
    }
}

/// No row passes: said over the foot of the views, so that nothing moves under a drag that
/// leaves no row for a moment.
#[component]
pub(super) fn NoRows() -> impl IntoView {
    let page = use_page();
    let nothing = Derived::new(move |_| {
        let known = page.described.with(|described| matches!(described, Described::Known(_)));
        let left = page.shown.with(|shown| {
            shown.as_ref().is_none_or(|shown| shown.selected > 0 || shown.total == 0)
        });
        known && !left
    });
    view! { <Show when=move || nothing.get()><NothingLeft/></Show> }
}

#[component]
fn CannotOpen(reason: String) -> impl IntoView {
    let page = use_page();
    let table = page.model.with_untracked(|model| model.chosen.table.clone()).unwrap_or_default();
    let pinned = page.model.with_untracked(|model| model.chosen.version.is_some());
    let newest = pinned.then(|| {
        let go = move |_| page.dispatch(Command::OpenVersion { version: None });
        view! { <button type="button" class="button" on:click=go>{texts::start::OPEN_NEWEST}</button> }
    });
    view! {
        <section class="state error" role="alert">
            <h2>{Icon::Warning.view()} {texts::start::cannot_open(&table)}</h2>
            <p>{reason}</p>
            <div class="state-buttons">
                {newest}
                <button type="button" class="button" on:click=move |_| page.dispatch(Command::Refresh)>{texts::frame::TRY_AGAIN}</button>
                <button type="button" class="button" on:click=move |_| page.dispatch(Command::ToggleTables)>
                    {texts::start::CHOOSE_ANOTHER}
                </button>
            </div>
        </section>
    }
}

/// No row passes: which filter to loosen, newest first, since that one did it.
#[component]
fn NothingLeft() -> impl IntoView {
    let page = use_page();
    let clauses = move || page.model.with(|model| model.chosen.clauses.clone());
    let button = move |clause: Clause| {
        let (about, says) = (describe::subject(&clause), describe::predicate(&clause.predicate));
        let clear = move |_| {
            let (id, gesture) = (clause.id.clone(), Gesture::Done);
            page.dispatch(Command::SetClause { id, predicate: None, gesture });
        };
        view! {
            <button type="button" class="button small" on:click=clear>
                {texts::start::clear(&about, &says)}
            </button>
        }
    };
    let buttons = move || clauses().into_iter().rev().take(4).map(button).collect_view();
    view! {
        <section class="state nothing" role="status">
            <p><b>{texts::start::NO_ROW_PASSES}</b> {texts::start::LOOSEN_ONE}</p>
            <div class="state-buttons">{buttons}</div>
        </section>
    }
}

/// The worker died too often to be started again unasked.
#[component]
pub(super) fn WorkerStopped() -> impl IntoView {
    let page = use_page();
    let reason = move || match page.worker.get() {
        WorkerState::Stopped { reason, .. } => reason,
        WorkerState::Coming | WorkerState::Running { .. } => String::new(),
    };
    let filtered = page.model.with_untracked(|model| !model.chosen.clauses.is_empty());
    let without_filters = filtered.then(|| {
        let go = move |_| {
            page.dispatch(Command::ClearClauses);
            page.start_again();
        };
        view! { <button type="button" class="button" on:click=go>{texts::start::TRY_WITHOUT_FILTERS}</button> }
    });
    view! {
        <main id="main" class="welcome" tabindex="-1">
            <section class="welcome-card" role="alert">
                <h1>{texts::start::KEEPS_STOPPING}</h1>
                <p>{texts::start::STOPPED_OFTEN}</p>
                <pre>{reason}</pre>
                <div class="state-buttons">
                    <button type="button" class="button primary" on:click=move |_| page.start_again()>{texts::frame::TRY_AGAIN}</button>
                    {without_filters}
                    <a class="button" href="./">{texts::start::BACK_TO_TABLES}</a>
                </div>
            </section>
        </main>
    }
}
