//! The tables of the lake: a list with search, used by the picker in the header and by
//! the page that is shown before a table is chosen; and the way to files and addresses.

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use leptos::html;
use leptos::prelude::*;

use super::icon::Icon;
use super::popover::Popover;
use crate::page::signals::{Companion, Page, Tables, use_page};
use crate::protocol::{Origin, TableInfo, short_name};
use crate::state::command::Command;
use crate::state::format;
use crate::texts;

#[component]
pub(super) fn TablePicker() -> impl IntoView {
    let page = use_page();
    let chosen = move || page.model.with(|model| model.chosen.table.clone());
    let label = Signal::derive(move || match chosen() {
        Some(table) => texts::tables::choose_another(&table),
        None => texts::tables::CHOOSE.to_owned(),
    });
    let button = move || {
        view! {
            {Icon::Table.view()}
            <span class="picker-text">{move || chosen().map_or(texts::tables::CHOOSE.to_owned(), |table| short_name(&table).to_owned())}</span>
            {Icon::ChevronDown.view()}
        }
    };
    view! {
        <Popover
            label=label
            open=page.tables_open
            button_class="picker"
            panel_class="tables-panel"
            button=button
        >
            <TableList/>
        </Popover>
    }
}

/// Search, the tables that match, and a button for a file of one's own.
#[component]
pub(super) fn TableList() -> impl IntoView {
    let page = use_page();
    let search = Lasting::new(String::new());
    let active = Lasting::new(0usize);
    let input = NodeRef::<html::Input>::new();
    let offline = move || page.companion.get() == Companion::Offline;
    let found = Derived::new(move |_| matching(&page.tables.get(), &search.get(), offline()));
    let open_at = move |at: usize| {
        if let Some(table) = found.with_untracked(|found| found.get(at).cloned())
            && table.error.is_none()
        {
            page.dispatch(Command::OpenTable { table: table.name });
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        let last = found.with_untracked(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => active.update(|at| *at = (*at + 1).min(last)),
            "ArrowUp" => active.update(|at| *at = at.saturating_sub(1)),
            "Enter" => open_at(active.get_untracked()),
            _ => return,
        }
        event.prevent_default();
        if let Some(row) = document().get_element_by_id(&option_id(active.get_untracked())) {
            row.scroll_into_view_with_bool(false);
        }
    };
    let numbered = move || found.get().into_iter().enumerate().collect::<Vec<_>>();
    view! {
        <div class="tables">
            <div class="search">
                {Icon::Search.view()}
                <input
                    node_ref=input
                    type="search"
                    autofocus=true
                    placeholder=texts::tables::SEARCH
                    role="combobox"
                    aria-label=texts::tables::SEARCH
                    aria-expanded="true"
                    aria-controls="table-list"
                    aria-activedescendant=move || option_id(active.get())
                    prop:value=move || search.get()
                    on:input=move |event| {
                        search.set(event_target_value(&event));
                        active.set(0);
                    }
                    on:keydown=on_key
                />
            </div>
            <ul id="table-list" class="table-list" role="listbox" aria-label=texts::tables::TABLES>
                <Each
                    each=numbered
                    key=|(at, table)| (*at, table.name.clone(), table.cached, table.error.clone(), table.rows)
                    children=move |(at, table)| view! { <TableOption at table active open_at/> }
                />
            </ul>
            <NoTables found/>
            <button type="button" class="button wide" on:click=move |_| page.dispatch(Command::ChooseFile)>
                {Icon::Open.view()}
                {texts::tables::OPEN_FILE}
            </button>
            <button type="button" class="button wide" on:click=move |_| page.dispatch(Command::ChooseFolder)>
                {Icon::Open.view()}
                {texts::tables::OPEN_FOLDER}
            </button>
            <AddressForm/>
        </div>
    }
}

/// A file, or a Delta table, that lies anywhere.
#[component]
fn AddressForm() -> impl IntoView {
    let page = use_page();
    let address = Lasting::new(String::new());
    let open = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let table = address.get_untracked().trim().to_owned();
        page.dispatch(Command::OpenTable { table });
    };
    view! {
        <form class="address-form" on:submit=open>
            <input
                type="url"
                aria-label=texts::tables::ADDRESS
                placeholder=texts::tables::ADDRESS_HINT
                pattern="https?://.+"
                required=true
                prop:value=move || address.get()
                on:input=move |event| address.set(event_target_value(&event))
            />
            <button type="submit" class="button">{texts::tables::OPEN_ADDRESS}</button>
        </form>
    }
}

fn option_id(at: usize) -> String {
    format!("table-option-{at}")
}

fn matching(tables: &Tables, search: &str, offline: bool) -> Vec<TableInfo> {
    let Tables::Known { tables, .. } = tables else { return Vec::new() };
    let search = search.trim().to_lowercase();
    let found = tables.iter().filter(|table| table.name.to_lowercase().contains(&search));
    let mut found: Vec<TableInfo> = found.cloned().collect();
    // Those that cannot be read are there to be explained, not to be in the way.
    // Without the companion those that are kept here come first.
    found.sort_by_key(|table| (table.error.is_some(), offline && !table.cached));
    found
}

#[component]
fn TableOption(
    at: usize,
    table: TableInfo,
    active: Lasting<usize>,
    open_at: impl Fn(usize) + Copy + 'static,
) -> impl IntoView {
    let page = use_page();
    let name = Arc::new(table.name.clone());
    let is_chosen = move || page.model.with(|model| model.chosen.table.as_ref() == Some(&*name));
    let unreadable = table.error.is_some();
    let facts = facts(&table);
    let error = table.error.clone().map(|error| {
        view! { <p class="table-error">{Icon::Warning.view()} {error}</p> }
    });
    let is_cached = table.cached;
    let is_away = move || !is_cached && page.companion.get() == Companion::Offline;
    let offline = table.cached.then(|| {
        view! { <span class="tag ok" title=texts::tables::OFFLINE_HINT>{Icon::Check.view()} {texts::tables::OFFLINE}</span> }
    });
    view! {
        <li
            id=option_id(at)
            role="option"
            class="table-option"
            class:highlighted=move || active.get() == at
            class:unreadable=unreadable
            class:away=is_away
            title=move || is_away().then_some(texts::tables::AWAY)
            aria-selected=move || is_chosen().to_string()
            aria-disabled=unreadable.to_string()
            on:click=move |_| open_at(at)
            on:pointermove=move |_| active.set(at)
        >
            <div class="table-line">
                <span class="table-name">{table.name.clone()}</span>
                {offline}
                <span class="tag">{table.format.clone()}</span>
            </div>
            <p class="table-facts">{facts}</p>
            {error}
        </li>
    }
}

fn facts(table: &TableInfo) -> String {
    let mut facts = Vec::new();
    facts.extend(table.rows.map(texts::counts::rows));
    if table.column_count > 0 {
        facts.push(texts::counts::columns(u64::from(table.column_count)));
    }
    facts.extend(table.bytes.map(format::bytes));
    facts.extend(Page::version_words(table.version.as_ref()));
    facts.join(" · ")
}

#[component]
fn NoTables(found: Derived<Vec<TableInfo>>) -> impl IntoView {
    let page = use_page();
    let text = move || {
        if found.with(|found| !found.is_empty()) {
            return None;
        }
        Some(match (page.tables.get(), page.companion.get()) {
            (Tables::Asked, _) => texts::tables::LOOKING,
            (Tables::Known { tables, .. }, _) if !tables.is_empty() => texts::tables::NONE_NAMED_SO,
            (Tables::Known { origin: Origin::Cache, .. }, Companion::Absent) => {
                texts::tables::NONE_WITHOUT_COMPANION
            }
            (Tables::Known { .. }, Companion::Offline) => texts::tables::NONE_OFFLINE,
            (Tables::Known { .. }, _) => texts::tables::NONE_IN_LAKE,
        })
    };
    move || text().map(|text| view! { <p class="quiet">{text}</p> })
}
