//! The dialog of groups: what the groups of a column are made of, how they agree with another
//! column, and columns that divide each other as a tree.

mod asking;
mod beside;
mod examples;
mod naming;
mod saving;
mod selected;
mod summary;
mod tree;

use leptos::prelude::*;

use asking::Asking;

use super::dialog::ModalDialog;
use super::icon::Icon;
use crate::page::lasting::{Derived, Lasting};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::ColumnInfo;
use crate::protocol::groups::Groups;
use crate::state::command::{Command, Dialog, Gesture};
use crate::state::{choice, column_clause, groups};
use crate::texts::groups as words;
use engine::literal::Literal;
use engine::predicate::Predicate;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Selected,
    Summary,
    Beside,
    Tree,
}

const TABS: [(Tab, &str); 4] = [
    (Tab::Selected, words::SELECTION),
    (Tab::Summary, words::SUMMARY),
    (Tab::Beside, words::AGAINST),
    (Tab::Tree, words::TREE),
];

#[component]
pub(super) fn GroupsDialog() -> impl IntoView {
    view! { <ModalDialog which=Dialog::Groups title=words::TITLE>{part(body)}</ModalDialog> }
}

/// Opens the dialog, where the table has columns with groups.
#[component]
pub(super) fn GroupsButton() -> impl IntoView {
    let page = use_page();
    let is_offered =
        Derived::new(move |_| page.schema().is_some_and(|s| groups::has_groupings(&s.columns)));
    view! {
        <Show when=move || is_offered.get()>
            <button
                type="button"
                class="button groups-open"
                title=words::HINT
                on:click=move |_| page.dispatch(Command::ShowDialog { dialog: Some(Dialog::Groups) })
            >
                {Icon::Groups.view()}
                <span>{words::SHORT}</span>
            </button>
        </Show>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn body() -> Fetched {
    made(|| view! { <Body/> })
}

#[component]
fn Body() -> impl IntoView {
    let page = use_page();
    let Some(schema) = untrack(|| page.schema()) else {
        return view! { <p class="quiet">{words::NO_COLUMNS}</p> }.into_any();
    };
    let all = groups::groupings(&schema.columns);
    let guessed = page.model.with_untracked(|model| {
        let views = model.chosen.shown_views();
        let marks: Vec<_> = views.iter().map(|view| &view.mark).collect();
        groups::guess(&schema.columns, &marks)
    });
    Asking::provide();
    // What is shown is of this table.
    let table = page.model.with_untracked(|model| model.chosen.table.clone());
    let is_other = Derived::new(move |_| page.model.with(|model| model.chosen.table != table));
    Effect::new(move |_| {
        if is_other.get() {
            page.dispatch(Command::ShowDialog { dialog: None });
        }
    });
    // Whoever has drawn something, or asks, wants to know what is in it.
    let is_asked = page.selection_asked.get_untracked() || has_drawn(page);
    page.selection_asked.set(false);
    let has_groups = guessed.is_some();
    let first = if is_asked || !has_groups { Tab::Selected } else { Tab::Summary };
    let by = Lasting::new(guessed.unwrap_or_default());
    let tab = Lasting::new(first);
    let tabs = TABS.into_iter().filter(|(this, _)| has_groups || *this == Tab::Selected);
    let tabs = tabs.map(|(this, label)| {
        view! {
            <button
                type="button"
                role="tab"
                aria-selected=move || (tab.get() == this).to_string()
                on:click=move |_| tab.set(this)
            >
                {label}
            </button>
        }
    });
    let is_by = move || matches!(tab.get(), Tab::Summary | Tab::Beside);
    let shown = move || match tab.get() {
        Tab::Selected => view! { <selected::Selected/> }.into_any(),
        Tab::Summary => view! { <summary::Summary by/> }.into_any(),
        Tab::Beside => view! { <beside::Beside by/> }.into_any(),
        Tab::Tree => view! { <tree::Tree/> }.into_any(),
    };
    view! {
        <div class="groups">
            <div class="groups-head">
                <div class="groups-tabs" role="tablist" aria-label=words::TITLE>{tabs.collect_view()}</div>
                <label class="groups-by" class:off=move || !is_by()>
                    <span>{words::BY}</span>
                    <ColumnSelect all chosen=move || by.get() choose=move |name| by.set(name)/>
                </label>
            </div>
            <div class="groups-body" role="tabpanel">{shown}</div>
        </div>
    }
    .into_any()
}

/// Whether what is selected was drawn on a view.
fn has_drawn(page: Page) -> bool {
    page.model.with_untracked(|model| {
        model.chosen.clauses.iter().any(|clause| clause.id.starts_with("view:"))
    })
}

/// What follows from the columns of the table; of none, while they are not known.
fn of_columns<T>(page: Page, of: impl Fn(&[ColumnInfo]) -> T) -> T {
    page.schema().map_or_else(|| of(&[]), |schema| of(&schema.columns))
}

/// One of some columns.
#[component]
fn ColumnSelect(
    all: Vec<String>,
    chosen: impl Fn() -> String + Send + Sync + Copy + 'static,
    choose: impl Fn(String) + 'static,
) -> impl IntoView {
    let options = all.into_iter().map(|name| {
        let value = name.clone();
        view! { <option value=name.clone() selected=move || chosen() == value>{name.clone()}</option> }
    });
    view! {
        <select prop:value=chosen on:change=move |event| choose(event_target_value(&event))>
            {options.collect_view()}
        </select>
    }
}

/// What is said where there are no groups.
fn instead_of(found: Option<&Result<Groups, String>>) -> Option<AnyView> {
    match found {
        None => Some(view! { <p class="quiet" role="status">{words::COUNTING}</p> }.into_any()),
        Some(Err(why)) => {
            Some(view! { <p class="field-error" role="alert">{why.clone()}</p> }.into_any())
        }
        Some(Ok(groups)) if groups.groups.iter().all(|group| group.rows == 0) => {
            Some(view! { <p class="quiet">{words::NO_ROWS}</p> }.into_any())
        }
        Some(Ok(_)) => None,
    }
}

fn name_of(value: Option<&Literal>) -> String {
    value.map_or_else(|| words::MISSING.to_owned(), |value| value.as_text().to_owned())
}

/// The clause that a click on a value makes, over the one that is there.
fn clause_of(
    column: &str,
    clause: Option<&Predicate>,
    value: Option<&Literal>,
) -> Option<Predicate> {
    match value {
        Some(value) => choice::only(column, clause, value),
        None => choice::missing(column, clause),
    }
}

fn set_clause(page: Page, column: &str, predicate: Option<Predicate>) {
    let id = column_clause(column);
    page.dispatch(Command::SetClause { id, predicate, gesture: Gesture::Done });
}

/// Shows only rows with this value, or all again.
fn toggle(page: Page, column: &str, value: Option<&Literal>) {
    let clause = untrack(|| page.clause(&column_clause(column)));
    set_clause(page, column, clause_of(column, clause.as_ref(), value));
}

/// Whether a clause is about this value.
fn is_chosen(page: Page, column: &str, value: Option<&Literal>) -> bool {
    let clause = page.clause(&column_clause(column));
    match value {
        Some(value) => choice::values(clause.as_ref()).contains(value),
        None => matches!(clause, Some(Predicate::IsNull { .. })),
    }
}
