//! The control of one column's filter, by kind: a range over a histogram, values with
//! counts, a switch, a text. All of them write the same clause that charts of the column
//! write.

mod range;
mod text;

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use engine::kind::Kind;
use engine::predicate::Predicate;
use leptos::prelude::*;

use super::bars::BarsChart;
use super::icon::Icon;
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::{ColumnInfo, MarkResult};
use crate::state::choice::TextSearch;
use crate::state::column_clause;
use crate::state::command::{Command, Gesture};
use crate::texts;

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn control(column: ColumnInfo) -> Fetched {
    made(move || {
        let column = column.clone();
        view! { <FilterControl column/> }
    })
}

#[component]
fn FilterControl(column: ColumnInfo) -> impl IntoView {
    let page = use_page();
    let name = Signal::stored(column.name.clone());
    let result = Derived::new(move |_| {
        let view = page.schema()?.filter_view(&name.get())?;
        page.result(view)
    });
    let control = match column.kind {
        Kind::Number | Kind::Time => view! { <range::RangeFilter column=name result/> }.into_any(),
        Kind::Boolean => view! { <BarsChart column=name result/> }.into_any(),
        _ => view! { <NamedFilter column=name result/> }.into_any(),
    };
    view! {
        {control}
        <MissingRow column=name result/>
        <FilterError column=name/>
    }
}

/// Values to choose from, or a text to look for.
#[component]
fn NamedFilter(column: Signal<String>, result: Derived<Option<Arc<MarkResult>>>) -> impl IntoView {
    let page = use_page();
    let clause = move || page.clause(&column_clause(&column.get()));
    let by_text = Lasting::new(untrack(|| TextSearch::from_clause(clause().as_ref()).is_some()));
    let tab = move |label: &'static str, text: bool| {
        view! {
            <button
                type="button"
                aria-pressed=move || (by_text.get() == text).to_string()
                on:click=move |_| by_text.set(text)
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="segmented" role="group" aria-label=texts::filters::HOW>
            {tab(texts::filters::BY_VALUES, false)}
            {tab(texts::filters::BY_TEXT, true)}
        </div>
        <Show
            when=move || by_text.get()
            fallback=move || view! { <ValueSearch column/> <BarsChart column result/> }
        >
            <text::TextFilter column/>
        </Show>
    }
}

/// Narrows the list of values; what is chosen stays in it.
#[component]
fn ValueSearch(column: Signal<String>) -> impl IntoView {
    let page = use_page();
    let text =
        move || page.open_filters.with(|open| open.get(&column.get()).cloned()).unwrap_or_default();
    view! {
        <div class="search">
            {Icon::Search.view()}
            <input
                type="search"
                placeholder=texts::filters::SEARCH_VALUES
                aria-label=move || texts::filters::search_values_of(&column.get())
                prop:value=text
                on:input=move |event| page.search_values(&column.get_untracked(), event_target_value(&event))
            />
        </div>
    }
}

/// How many rows have no value, and a way to see only those, or none of them.
#[component]
fn MissingRow(column: Signal<String>, result: Derived<Option<Arc<MarkResult>>>) -> impl IntoView {
    let page = use_page();
    let nulls = move || {
        result.with(|result| match result.as_deref() {
            Some(MarkResult::Histogram { nulls, .. }) => *nulls,
            _ => 0,
        })
    };
    let is_on = move |missing: bool| {
        move || match page.clause(&column_clause(&column.get())) {
            Some(Predicate::IsNull { .. }) => missing,
            Some(Predicate::NotNull { .. }) => !missing,
            _ => false,
        }
    };
    let toggle = move |missing: bool| {
        let on = untrack(is_on(missing));
        let name = column.get_untracked();
        let predicate = (!on).then_some(match missing {
            true => Predicate::IsNull { column: name },
            false => Predicate::NotNull { column: name },
        });
        set_clause(page, column, predicate, Gesture::Done);
    };
    view! {
        <Show when=move || { nulls() > 0 }>
            <div class="missing-row">
                <span>{move || texts::filters::missing(nulls())}</span>
                <div class="segmented">
                    <button type="button" aria-pressed=move || is_on(true)().to_string() on:click=move |_| toggle(true)>{texts::filters::ONLY_MISSING}</button>
                    <button type="button" aria-pressed=move || is_on(false)().to_string() on:click=move |_| toggle(false)>{texts::filters::WITHOUT_MISSING}</button>
                </div>
            </div>
        </Show>
    }
}

/// What the worker says is wrong with this column's clause.
#[component]
fn FilterError(column: Signal<String>) -> impl IntoView {
    let page = use_page();
    let error = move || {
        let id = column_clause(&column.get());
        page.shown.with(|shown| {
            let errors = shown.as_ref().map(|shown| shown.clause_errors.as_slice());
            let own = errors.unwrap_or_default().iter().find(|error| error.id == id);
            own.map(|error| error.detail.clone())
        })
    };
    move || error().map(|text| view! { <p class="field-error" role="alert">{text}</p> })
}

fn set_clause(page: Page, column: Signal<String>, predicate: Option<Predicate>, gesture: Gesture) {
    let id = column_clause(&column.get_untracked());
    page.dispatch(Command::SetClause { id, predicate, gesture });
}
