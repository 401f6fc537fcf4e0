//! The values of a column by count, as bars that are chosen by clicking: what passes the
//! other filters in front of what there is in all. Used as a view and as a filter.

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use engine::literal::Literal;
use engine::predicate::Predicate;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, MouseEvent};

use crate::page::signals::{Page, use_page};
use crate::protocol::{Bar, MarkResult};
use crate::state::command::{Command, Gesture};
use crate::state::{choice, column_clause, describe, format};
use crate::texts;

/// What a row stands for.
#[derive(Debug, Clone, PartialEq)]
enum Row {
    Value(Bar),
    /// A chosen value that the answer does not hold: it stays in the list all the same.
    Absent(Literal),
    Missing(u64),
}

#[derive(Clone, PartialEq, Default)]
struct Rows {
    rows: Vec<Row>,
    /// The longest bar of all rows, and of those that pass.
    longest: (u64, u64),
    /// Values that are not listed.
    more: u64,
}

#[component]
pub(super) fn BarsChart(
    #[prop(into)] column: Signal<String>,
    #[prop(into)] result: Signal<Option<Arc<MarkResult>>>,
) -> impl IntoView {
    let page = use_page();
    let clause = Derived::new(move |_| page.clause(&column_clause(&column.get())));
    let rows = Derived::new(move |_| rows(result.get().as_deref(), clause.get().as_ref()));
    let focused = Lasting::new(0usize);
    let list = NodeRef::<html::Ul>::new();
    let on_key = move |event: KeyboardEvent| {
        let many = rows.with(|rows| rows.rows.len());
        let at = focused.get_untracked().min(many.saturating_sub(1));
        let next = match event.key().as_str() {
            "ArrowDown" => (at + 1).min(many.saturating_sub(1)),
            "ArrowUp" => at.saturating_sub(1),
            "Home" => 0,
            "End" => many.saturating_sub(1),
            "Escape" => {
                event.stop_propagation();
                set(page, column, None);
                return;
            }
            " " | "Enter" => {
                event.prevent_default();
                let row = rows.with_untracked(|rows| rows.rows.get(at).cloned());
                if let Some(row) = row {
                    choose(
                        page,
                        column,
                        clause.get_untracked().as_ref(),
                        &row,
                        event.key() == "Enter",
                    );
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        focused.set(next);
        focus_row(list.get_untracked(), next);
    };
    let label = move || summary(&column.get(), &rows.get());
    let more = move || {
        let more = rows.with(|rows| rows.more);
        (more > 0).then(|| view! { <li class="bars-more" role="presentation">{texts::charts::more_values(more)}</li> })
    };
    let places = move || 0..rows.with(|rows| rows.rows.len());
    view! {
        <ul
            class="bars"
            class:choosing=move || clause.with(Option::is_some)
            node_ref=list
            role="listbox"
            aria-multiselectable="true"
            aria-label=label
            on:keydown=on_key
        >
            // By place: a row keeps its element, whatever it comes to stand for.
            <Each each=places key=|at| *at let:at>
                <BarRow at rows column clause focused/>
            </Each>
            {more}
        </ul>
    }
}

fn rows(result: Option<&MarkResult>, clause: Option<&Predicate>) -> Rows {
    let Some(MarkResult::Bars { bars, distinct, nulls }) = result else { return Rows::default() };
    let absent =
        choice::values(clause).iter().filter(|value| !bars.iter().any(|bar| bar.value == **value));
    let mut rows: Vec<Row> = absent.cloned().map(Row::Absent).collect();
    rows.extend(bars.iter().cloned().map(Row::Value));
    if *nulls > 0 || matches!(clause, Some(Predicate::IsNull { .. })) {
        rows.push(Row::Missing(*nulls));
    }
    Rows {
        rows,
        longest: (
            bars.iter().map(|bar| bar.unfiltered.max(bar.count)).max().unwrap_or(0),
            bars.iter().map(|bar| bar.count).max().unwrap_or(0),
        ),
        more: distinct.saturating_sub(bars.len() as u64),
    }
}

#[component]
fn BarRow(
    at: usize,
    rows: Derived<Rows>,
    column: Signal<String>,
    clause: Derived<Option<Predicate>>,
    focused: Lasting<usize>,
) -> impl IntoView {
    let page = use_page();
    let row = Derived::new(move |_| rows.with(|rows| rows.rows.get(at).cloned()));
    let is_chosen = move || {
        row.with(|row| {
            clause.with(|clause| match row {
                Some(Row::Value(bar)) => choice::values(clause.as_ref()).contains(&bar.value),
                Some(Row::Absent(_)) => true,
                Some(Row::Missing(_)) => matches!(clause, Some(Predicate::IsNull { .. })),
                None => false,
            })
        })
    };
    let names = page.names();
    let called = move |value: &Literal| {
        names.with(|names| names.of(&column.get(), value.as_text()).map(str::to_owned))
    };
    let label = move || {
        row.with(|row| match row {
            Some(Row::Value(bar)) if bar.label.is_empty() => "“”".to_owned(),
            Some(Row::Value(bar)) => called(&bar.value).unwrap_or_else(|| bar.label.clone()),
            Some(Row::Absent(value)) => called(value).unwrap_or_else(|| describe::value(value)),
            Some(Row::Missing(_)) => texts::values::MISSING.to_owned(),
            None => String::new(),
        })
    };
    let counts = move || {
        row.with(|row| match row {
            Some(Row::Value(bar)) => (bar.count, bar.unfiltered.max(bar.count)),
            Some(Row::Missing(nulls)) => (*nulls, *nulls),
            _ => (0, 0),
        })
    };
    let width = move |count: u64, front: bool| {
        let (all, passing) = rows.with(|rows| rows.longest);
        let longest = if front && page.shapes.get() && passing > 0 { passing } else { all };
        let share = count as f64 / longest.max(1) as f64;
        format!("{:.2}%", share.min(1.0) * 100.0)
    };
    let title = move || {
        let (count, all) = counts();
        texts::charts::bar(&label(), count, all)
    };
    let pick = move |only: bool| {
        if let Some(row) = row.get_untracked() {
            focused.set(at);
            choose(page, column, clause.get_untracked().as_ref(), &row, only);
        }
    };
    let on_click = move |event: MouseEvent| match event.detail() {
        // The first click of a double click has toggled already.
        2.. => set_only(page, column, row.get_untracked()),
        _ => pick(event.alt_key()),
    };
    view! {
        <li
            role="option"
            class="bar-row"
            class:special=move || row.with(|row| matches!(row, Some(Row::Missing(_))))
            tabindex=move || if focused.get() == at { "0" } else { "-1" }
            aria-selected=move || is_chosen().to_string()
            title=title
            on:click=on_click
        >
            <span class="bar-ghost" style:width=move || width(counts().1, false)></span>
            <span class="bar-front" style:width=move || width(counts().0, true)></span>
            <span class="bar-label">{label}</span>
            <span class="bar-count">{move || format::short_count(counts().0)}</span>
        </li>
    }
}

fn choose(page: Page, column: Signal<String>, clause: Option<&Predicate>, row: &Row, only: bool) {
    let name = column.get_untracked();
    let predicate = match row {
        Row::Value(Bar { value, .. }) | Row::Absent(value) if only => {
            choice::only(&name, clause, value)
        }
        Row::Value(Bar { value, .. }) | Row::Absent(value) => choice::toggled(&name, clause, value),
        Row::Missing(_) => choice::missing(&name, clause),
    };
    set(page, column, predicate);
}

/// This value alone, whatever was chosen before.
fn set_only(page: Page, column: Signal<String>, row: Option<Row>) {
    if let Some(Row::Value(Bar { value, .. }) | Row::Absent(value)) = row {
        set(page, column, choice::only(&column.get_untracked(), None, &value));
    }
}

fn set(page: Page, column: Signal<String>, predicate: Option<Predicate>) {
    let id = column_clause(&column.get_untracked());
    page.dispatch(Command::SetClause { id, predicate, gesture: Gesture::Done });
}

fn focus_row(list: Option<web_sys::HtmlUListElement>, at: usize) {
    let children = list.map(|list| list.children());
    let row = children.and_then(|children| u32::try_from(at).ok().and_then(|at| children.item(at)));
    if let Some(row) = row.and_then(|row| row.dyn_into::<HtmlElement>().ok()) {
        drop(row.focus());
    }
}

fn summary(column: &str, rows: &Rows) -> String {
    let most: Vec<String> = rows
        .rows
        .iter()
        .filter_map(|row| match row {
            Row::Value(bar) => Some(format!("{} {}", bar.label, format::count(bar.count))),
            _ => None,
        })
        .take(3)
        .collect();
    let listed = rows.rows.len() as u64 + rows.more;
    texts::charts::bars(column, listed, &most.join(", "))
}
