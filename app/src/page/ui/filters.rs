//! The side panel: the filter of each column that is loaded, found by search, opened on
//! demand; and, on its other tab, the columns themselves.

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use engine::kind::Kind;
use leptos::html;
use leptos::prelude::*;

use super::columns;
use super::filter;
use super::icon::{Icon, kind_name};
use super::sparkline::sparkline;
use crate::page::browser;
use crate::page::parts::part;
use crate::page::signals::use_page;
use crate::protocol::ColumnInfo;
use crate::state::column_clause;
use crate::state::command::{Command, Part};
use crate::texts;

#[component]
pub(super) fn Side() -> impl IntoView {
    let page = use_page();
    // One panel, two tabs; on a narrow screen each is a part of its own.
    let on_columns = move || page.part.get() == Part::Columns;
    let tab = move |label: &'static str, part: Part, is_on: Signal<bool>| {
        view! {
            <button
                type="button"
                role="tab"
                aria-selected=move || is_on.get().to_string()
                on:click=move |_| page.dispatch(Command::ShowPart { part })
            >
                {label}
            </button>
        }
    };
    view! {
        <aside class="side" aria-label=texts::filters::PANEL>
            <div class="tabs" role="tablist">
                {tab(texts::frame::FILTERS, Part::Filters, Signal::derive(move || !on_columns()))}
                {tab(texts::frame::COLUMNS, Part::Columns, Signal::derive(on_columns))}
            </div>
            <Show when=on_columns fallback=|| view! { <Filters/> }>{part(columns::list)}</Show>
        </aside>
    }
}

#[component]
fn Filters() -> impl IntoView {
    let page = use_page();
    let search = Lasting::new(String::new());
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if page.search_asked.get() > 0
            && let Some(input) = input.get()
        {
            browser::focus_soon(input.into());
        }
    });
    // What is asked for by name must not be hidden by what was searched for before.
    Effect::new(move |_| {
        if page.filter_asked.with(Option::is_some) {
            search.set(String::new());
        }
    });
    let loaded = Derived::new(move |_| {
        page.model.with(|model| model.chosen.columns.clone()).unwrap_or_default()
    });
    let found = Derived::new(move |_| {
        let Some(schema) = page.schema() else { return Vec::new() };
        let wanted = search.get().trim().to_lowercase();
        let loaded = loaded.get();
        let columns = schema.columns.iter().filter(|column| {
            loaded.contains(&column.name)
                && !matches!(column.kind, Kind::Vector | Kind::Nested)
                && column.name.to_lowercase().contains(&wanted)
        });
        columns.cloned().collect::<Vec<ColumnInfo>>()
    });
    let nothing = move || {
        (page.schema().is_some() && found.with(Vec::is_empty))
            .then(|| view! { <p class="quiet">{texts::filters::NONE_NAMED_SO}</p> })
    };
    view! {
        <div class="search side-search">
            {Icon::Search.view()}
            <input
                node_ref=input
                type="search"
                placeholder=texts::filters::SEARCH
                aria-label=texts::filters::SEARCH
                aria-keyshortcuts="/"
                prop:value=move || search.get()
                on:input=move |event| search.set(event_target_value(&event))
            />
        </div>
        <ul class="filter-list">
            <Each each=move || found.get() key=|column| (column.name.clone(), column.kind) let:column>
                <FilterItem column/>
            </Each>
            {nothing}
        </ul>
    }
}

/// One column: its name and shape, and its control when it is open.
#[component]
fn FilterItem(column: ColumnInfo) -> impl IntoView {
    let page = use_page();
    let name = StoredValue::new(column.name.clone());
    let is_open = Derived::new(move |_| {
        name.with_value(|name| page.open_filters.with(|open| open.contains_key(name)))
    });
    let is_set = move || name.with_value(|name| page.clause(&column_clause(name)).is_some());
    let spark = move || {
        name.with_value(|name| page.profiles.with(|profiles| profiles.get(name).map(sparkline)))
    };
    let body = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let asked =
            page.filter_asked.with(|asked| name.with_value(|name| asked.as_ref() == Some(name)));
        if let (true, Some(body)) = (asked, body.get()) {
            page.filter_asked.set(None);
            request_animation_frame(move || browser::focus_first(&body));
        }
    });
    let toggle = move |_| page.toggle_filter(&name.get_value());
    let clear = move |_| page.clear_column(&name.get_value());
    let kind = column.kind;
    let id = format!("filter-{}", column.name);
    let controls = id.clone();
    view! {
        <li class="filter" class:open=move || is_open.get() class:set=is_set>
            <div class="filter-head">
                <button
                    type="button"
                    class="filter-toggle"
                    aria-expanded=move || is_open.get().to_string()
                    aria-controls=controls
                    on:click=toggle
                >
                    <span class="kind" title=kind_name(kind)>{Icon::of_kind(kind).view()}</span>
                    <span class="filter-name">{column.name.clone()}</span>
                    {spark}
                    <span class="turn">{Icon::ChevronDown.view()}</span>
                </button>
                <Show when=is_set>
                    <button
                        type="button"
                        class="icon-button dot"
                        title=texts::filters::CLEAR_THIS
                        aria-label=move || texts::filters::clear_of(&name.get_value())
                        on:click=clear
                    >
                        {Icon::Cancel.view()}
                    </button>
                </Show>
            </div>
            <div id=id node_ref=body class="filter-body">
                <Show when=move || is_open.get()>
                    {part({
                        let column = page.column(&name.get_value()).unwrap_or_else(|| column.clone());
                        move || filter::control(column.clone())
                    })}
                </Show>
            </div>
        </li>
    }
}
