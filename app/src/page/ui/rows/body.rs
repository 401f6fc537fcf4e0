//! The rows on screen, and how they move: by the scroll bar, by the wheel, by keys. A
//! table longer than an element can be is scrolled by hand, so that a turn of the wheel
//! is never a thousand rows.

use std::sync::Arc;

use engine::kind::Kind;
use leptos::html;
use leptos::leptos_dom::helpers::request_animation_frame;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, WheelEvent};

use super::header::Header;
use super::{Grid, HEAD_HEIGHT, ROW_HEIGHT};
use crate::page::browser;
use crate::protocol::Rows;
use crate::state::format;

type Scroller = NodeRef<html::Div>;

#[component]
pub(super) fn Body(grid: Grid) -> impl IntoView {
    let page = grid.page;
    let scroller = Scroller::new();
    browser::observe_size(scroller, move |_, height| {
        grid.height.try_set((height - HEAD_HEIGHT).max(0.0));
    });
    // What the bar was last set to, so that its own event is told from the user's.
    let set_to = StoredValue::new(0.0f64);
    // Fewer rows than before: the first one on screen has to be one of them.
    Effect::new(move |_| {
        let window = grid.window.get();
        let first = grid.first.get_untracked();
        let within = window.first_within(first);
        if window.height > 0.0 && (within - first).abs() > f64::EPSILON {
            request_animation_frame(move || move_to(grid, scroller, set_to, within));
        }
    });
    let on_scroll = move |_| {
        let Some(element) = scroller.get_untracked() else { return };
        let top = f64::from(element.scroll_top());
        if (top - set_to.get_value()).abs() >= 1.0 {
            set_to.set_value(top);
            grid.first.set(grid.window.get_untracked().first_from_scroll(top));
        }
    };
    let on_wheel = move |event: WheelEvent| {
        let window = grid.window.get_untracked();
        if !window.is_scaled() || event.ctrl_key() || event.shift_key() {
            return;
        }
        event.prevent_default();
        let pixels = match event.delta_mode() {
            WheelEvent::DOM_DELTA_LINE => event.delta_y() * ROW_HEIGHT,
            WheelEvent::DOM_DELTA_PAGE => event.delta_y() * window.height,
            _ => event.delta_y(),
        };
        let first = window.first_within(grid.first.get_untracked() + pixels / ROW_HEIGHT);
        move_to(grid, scroller, set_to, first);
    };
    let on_key = move |event: KeyboardEvent| keyed(grid, scroller, set_to, &event);
    let error = move || {
        page.rows
            .with(|rows| rows.as_ref().and_then(|rows| rows.error.clone()))
            .map(|error| view! { <p class="rows-error" role="alert">{error}</p> })
    };
    let active_id = move || grid.active.get().map(|(row, column)| cell_id(row, column));
    view! {
        {error}
        <div
            class="grid"
            node_ref=scroller
            role="grid"
            tabindex="0"
            aria-label="Rows that pass the filters"
            aria-rowcount=move || (grid.window.get().rows + 1).to_string()
            aria-colcount=move || (grid.columns.with(Vec::len) + 1).to_string()
            aria-activedescendant=active_id
            on:scroll=on_scroll
            on:wheel=on_wheel
            on:keydown=on_key
        >
            <Header grid/>
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", grid.window.get().content_height().max(1.0))>
                <div class="grid-rows" role="rowgroup" style:height=move || format!("{}px", grid.window.get().height)>
                    <OnScreen grid/>
                </div>
            </div>
        </div>
    }
}

fn move_to(grid: Grid, scroller: Scroller, set_to: StoredValue<f64>, first: f64) {
    grid.first.try_set(first);
    let Some(element) = scroller.get_untracked() else { return };
    let window = grid.window.get_untracked();
    // The browser rounds to whole pixels.
    let top = window.scroll_from_first(first).round();
    set_to.set_value(top);
    element.set_scroll_top(top as i32);
}

#[component]
fn OnScreen(grid: Grid) -> impl IntoView {
    let page = grid.page;
    let template = Memo::new(move |_| grid.template());
    let on_screen =
        move || {
            let window = grid.window.get();
            let first = window.first_within(grid.first.get());
            let from = first.floor() as u64;
            let to = ((first + window.visible()).ceil() as u64).min(window.rows);
            let answer = page.rows.get();
            let columns = grid.columns.get();
            let kinds: Vec<Kind> = columns.iter().map(|column| column.kind).collect();
            (from..to).map(|row| {
            let top = (row as f64 - first) * ROW_HEIGHT;
            view! { <RowView grid row top template answer=answer.clone() kinds=kinds.clone()/> }
        }).collect_view()
        };
    view! { {on_screen} }
}

#[component]
fn RowView(
    grid: Grid,
    row: u64,
    top: f64,
    template: Memo<String>,
    answer: Option<Arc<Rows>>,
    kinds: Vec<Kind>,
) -> impl IntoView {
    let at =
        answer.as_ref().and_then(|answer| usize::try_from(row.checked_sub(answer.first)?).ok());
    let found = answer.as_ref().zip(at).and_then(|(answer, at)| {
        Some((*answer.row_numbers.get(at)?, answer.cells.get(at)?.clone()))
    });
    let waiting = found.is_none();
    let (number, cells) = found.unwrap_or_default();
    let number = if waiting { String::new() } else { format::count(number) };
    let cells = kinds.into_iter().enumerate().map(|(column, kind)| {
        let text = cells.get(column).cloned();
        // A column that was added since the answer is not missing its value.
        let missing = matches!(text, Some(None));
        let text = text.flatten().unwrap_or_default();
        let title = text.clone();
        let is_active = move || grid.active.get() == Some((row, column));
        view! {
            <div
                class="cell"
                class:right=kind == Kind::Number
                class:missing=missing
                class:active=is_active
                role="gridcell"
                id=cell_id(row, column)
                aria-colindex=column + 2
                title=title
                on:click=move |_| grid.active.set(Some((row, column)))
            >
                {text}
            </div>
        }
    });
    view! {
        <div
            class="grid-row"
            class:odd=row % 2 == 1
            class:waiting=waiting
            role="row"
            aria-rowindex=row + 2
            style:grid-template-columns=move || template.get()
            style:transform=format!("translateY({top:.1}px)")
        >
            <div class="cell number" role="rowheader" aria-colindex="1">{number}</div>
            {cells.collect_view()}
        </div>
    }
}

fn cell_id(row: u64, column: usize) -> String {
    format!("cell-{row}-{column}")
}

fn keyed(grid: Grid, scroller: Scroller, set_to: StoredValue<f64>, event: &KeyboardEvent) {
    let window = grid.window.get_untracked();
    let columns = grid.columns.with_untracked(Vec::len);
    if window.rows == 0 || columns == 0 {
        return;
    }
    let (row, column) =
        grid.active.get_untracked().unwrap_or((grid.first.get_untracked() as u64, 0));
    let (row, column) = (row.min(window.rows - 1), column.min(columns - 1));
    let page = (window.visible().floor() as u64).saturating_sub(1).max(1);
    let ends = event.ctrl_key() || event.meta_key();
    let next = match event.key().as_str() {
        "ArrowDown" => (row.saturating_add(1), column),
        "ArrowUp" => (row.saturating_sub(1), column),
        "ArrowRight" => (row, column + 1),
        "ArrowLeft" => (row, column.saturating_sub(1)),
        "PageDown" => (row.saturating_add(page), column),
        "PageUp" => (row.saturating_sub(page), column),
        "Home" if ends => (0, 0),
        "End" if ends => (u64::MAX, columns - 1),
        "Home" => (row, 0),
        "End" => (row, columns - 1),
        "c" if ends => {
            event.prevent_default();
            return copy(grid, row, (!event.shift_key()).then_some(column));
        }
        _ => return,
    };
    event.prevent_default();
    let next = (next.0.min(window.rows - 1), next.1.min(columns - 1));
    grid.active.set(Some(next));
    let first = window.first_showing(next.0, grid.first.get_untracked());
    move_to(grid, scroller, set_to, first);
    // Sideways the browser does it.
    request_animation_frame(move || {
        if let Some(cell) = document().get_element_by_id(&cell_id(next.0, next.1)) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            options.set_inline(web_sys::ScrollLogicalPosition::Nearest);
            cell.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
}

/// One cell, or the whole row by tabs, to the clipboard.
fn copy(grid: Grid, row: u64, column: Option<usize>) {
    let page = grid.page;
    let cells = page.rows.with_untracked(|rows| {
        let rows = rows.as_ref()?;
        rows.cells.get(usize::try_from(row.checked_sub(rows.first)?).ok()?).cloned()
    });
    let Some(cells) = cells else { return };
    let plain = |cell: &Option<String>| cell.clone().unwrap_or_default().replace(['\t', '\n'], " ");
    let text = match column {
        Some(column) => cells.get(column).cloned().flatten().unwrap_or_default(),
        None => cells.iter().map(plain).collect::<Vec<_>>().join("\t"),
    };
    browser::copy(page, &text, if column.is_some() { "Cell copied." } else { "Row copied." });
}
