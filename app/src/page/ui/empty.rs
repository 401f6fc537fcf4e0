//! What stands where views would, or over them: before a table is chosen, while it is looked up, when
//! it cannot be opened, when no row passes the filters, when the worker was given up.

use leptos::prelude::*;

use super::icon::Icon;
use super::tables::TableList;
use crate::page::signals::{Companion, Described, WorkerState, use_page};
use crate::protocol::Clause;
use crate::state::command::{Command, Gesture};
use crate::state::describe;

/// Before a table is chosen: the tables there are.
#[component]
pub(super) fn Welcome() -> impl IntoView {
    let page = use_page();
    let offline = move || page.companion.get() == Companion::Offline;
    view! {
        <main id="main" class="welcome" tabindex="-1">
            <section class="welcome-card">
                <img src="icon.svg" alt="" width="52" height="52"/>
                <h1>"Explore a table"</h1>
                <p>
                    "Filters, charts, points and rows move together. What you have loaded stays
                    in this browser and works without a network."
                </p>
                <Show when=offline>
                    <p class="hint">
                        {Icon::Offline.view()}
                        "The companion does not answer. Tables marked offline are kept here."
                    </p>
                </Show>
                <TableList/>
                <p class="quiet">"Or drop a Parquet, Arrow, CSV or JSON file anywhere on this page: it stays on your machine."</p>
            </section>
        </main>
    }
}

/// Over the views: the table cannot be shown (yet).
#[component]
pub(super) fn TableState() -> impl IntoView {
    let page = use_page();
    move || match page.described.get() {
        Described::Asked => Some(
            view! { <p class="state quiet" role="status">"Opening the table …"</p> }.into_any(),
        ),
        Described::Failed(reason) => Some(view! { <CannotOpen reason/> }.into_any()),
        Described::None | Described::Known(_) => None,
    }
}

/// No row passes: said over the foot of the views, so that nothing moves under a drag that
/// leaves no row for a moment.
#[component]
pub(super) fn NoRows() -> impl IntoView {
    let page = use_page();
    let nothing = Memo::new(move |_| {
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
        view! { <button type="button" class="button" on:click=go>"Open the newest version"</button> }
    });
    view! {
        <section class="state error" role="alert">
            <h2>{Icon::Warning.view()} {format!("{table} cannot be opened")}</h2>
            <p>{reason}</p>
            <div class="state-buttons">
                {newest}
                <button type="button" class="button" on:click=move |_| page.dispatch(Command::Refresh)>"Try again"</button>
                <button type="button" class="button" on:click=move |_| page.dispatch(Command::ToggleTables)>
                    "Choose another table"
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
                {format!("Clear {about}: {says}")}
            </button>
        }
    };
    let buttons = move || clauses().into_iter().rev().take(4).map(button).collect_view();
    view! {
        <section class="state nothing" role="status">
            <p><b>"No row passes all filters."</b> " Loosen one:"</p>
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
        view! { <button type="button" class="button" on:click=go>"Try again without filters"</button> }
    });
    view! {
        <main id="main" class="welcome" tabindex="-1">
            <section class="welcome-card" role="alert">
                <h1>"The part that holds the data keeps stopping"</h1>
                <p>"It was started again three times within a minute. This is what it said last:"</p>
                <pre>{reason}</pre>
                <div class="state-buttons">
                    <button type="button" class="button primary" on:click=move |_| page.start_again()>"Try again"</button>
                    {without_filters}
                    <a class="button" href="./">"Back to the tables"</a>
                </div>
            </section>
        </main>
    }
}
