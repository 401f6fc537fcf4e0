//! The rows on screen, and how they move: by the scroll bar, by the wheel, by keys. A
//! table longer than an element can be is scrolled by hand, so that a turn of the wheel
//! is never a thousand rows. Cells are selected by keys and by dragging over them.

use std::time::Duration;

use crate::page::lasting::Derived;
use crate::page::ui::each::Each;
use leptos::html;
use leptos::leptos_dom::helpers::request_animation_frame;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, PointerEvent, WheelEvent};

use super::header::Header;
use super::row::RowView;
use super::{Grid, NUMBER_WIDTH, ROW_HEIGHT, head_height};
use crate::page::browser;
use crate::page::ui::brush::capture;
use crate::protocol::Mark;
use crate::protocol::table::{CellForm, TableRequest};
use crate::state::command::Command;
use crate::state::select::{Place, Selected};
use crate::texts;

pub(super) const GRID_ID: &str = "rows-grid";
/// How often rows move on while the pointer is held beyond them.
const PULL_MILLIS: u64 = 50;

#[component]
pub(super) fn Body(grid: Grid) -> impl IntoView {
    let page = grid.page;
    let scroller = NodeRef::<html::Div>::new();
    browser::observe_size(scroller, move |width, height| {
        grid.size.try_set((width, height));
    });
    keep_within(grid);
    begin(grid);
    let on_scroll = move |_| scrolled(grid);
    let on_wheel = move |event: WheelEvent| wheeled(grid, &event);
    let on_key = move |event: KeyboardEvent| keyed(grid, &event);
    let error = move || {
        page.rows
            .with(|rows| rows.as_ref().and_then(|rows| rows.error.clone()))
            .map(|error| view! { <p class="rows-error" role="alert">{error}</p> })
    };
    let active_id = move || {
        let active = page.table.selected.get()?.active;
        Some(cell_id(active.row, active.column))
    };
    view! {
        {error}
        <div
            class="grid"
            id=GRID_ID
            node_ref=scroller
            role="grid"
            tabindex="0"
            aria-label=texts::rows::GRID
            aria-multiselectable="true"
            aria-rowcount=move || (grid.window.get().rows + 1).to_string()
            aria-colcount=move || (grid.columns.with(Vec::len) + 1).to_string()
            aria-activedescendant=active_id
            style:--columns=move || grid.template()
            style:--total=move || format!("{}px", grid.total_width())
            style:--head-height=move || format!("{}px", head_height(page))
            style:--row-height=move || format!("{}px", grid.window.get().row_height)
            on:scroll=on_scroll
            on:wheel=on_wheel
            on:keydown=on_key
        >
            <Header grid/>
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", grid.window.get().content_height().max(1.0))>
                <OnScreen grid/>
            </div>
        </div>
    }
}

/// A new scroller begins at the selected row, else at the top, whatever was scrolled before it.
pub(super) fn begin(grid: Grid) {
    grid.first.set(0.0);
    request_animation_frame(move || {
        if let Some(selected) = grid.page.table.selected.try_get_untracked().flatten() {
            go_to(grid, selected);
        }
    });
}

/// Where there are fewer rows than before, the first one on screen has to be one of them, and so
/// has the one with the keyboard.
pub(super) fn keep_within(grid: Grid) {
    Effect::new(move |_| {
        let window = grid.window.get();
        let first = grid.first.get_untracked();
        let within = window.first_within(first);
        if window.height > 0.0 && (within - first).abs() > f64::EPSILON {
            request_animation_frame(move || move_to(grid, within));
        }
        let selected = grid.page.table.selected.get_untracked();
        let held = selected.and_then(|selected| selected.within(grid.bounds()));
        if held != selected {
            grid.page.table.selected.set(held);
        }
    });
}

fn scroller() -> Option<HtmlElement> {
    document().get_element_by_id(GRID_ID)?.dyn_into().ok()
}

pub(super) fn focus() {
    if let Some(element) = scroller() {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        drop(element.focus_with_options(&options));
    }
}

pub(super) fn scrolled(grid: Grid) {
    let Some(element) = scroller() else { return };
    let left = f64::from(element.scroll_left());
    if left != grid.left.get_untracked() {
        grid.left.set(left);
    }
    let top = f64::from(element.scroll_top());
    let window = grid.window.get_untracked();
    // What we have set ourselves, rounded to whole pixels, is told from the user's own.
    let own = window.scroll_from_first(grid.first.get_untracked());
    if (top - own).abs() >= 1.0 {
        grid.first.set(window.first_from_scroll(top));
    }
}

pub(super) fn wheeled(grid: Grid, event: &WheelEvent) {
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
    let first = grid.first.get_untracked() + pixels / window.row_height;
    move_to(grid, window.first_within(first));
}

pub(super) fn move_to(grid: Grid, first: f64) {
    grid.first.try_set(first);
    let Some(element) = scroller() else { return };
    let top = grid.window.get_untracked().scroll_from_first(first).round();
    element.set_scroll_top(top as i32);
}

/// Selects cells, and scrolls by the least that has the one with the keyboard on screen.
pub(super) fn go_to(grid: Grid, selected: Selected) {
    grid.select(selected);
    let Some(selected) = grid.page.table.selected.get_untracked() else { return };
    let Place { row, column } = selected.active;
    let window = grid.window.get_untracked();
    let first = grid.first.get_untracked();
    let showing = window.first_showing(row / grid.across.get_untracked(), first);
    if (showing - first).abs() > f64::EPSILON {
        move_to(grid, showing);
    }
    let Some(element) = scroller() else { return };
    let (left, width) = (f64::from(element.scroll_left()), grid.size.get_untracked().0);
    let to = grid.columns.with_untracked(|columns| {
        let shown = columns.get(column).filter(|column| !column.is_pinned)?;
        let pinned: f64 = columns.iter().filter(|c| c.is_pinned).map(|c| c.width).sum();
        let covered = NUMBER_WIDTH + pinned;
        if shown.left - covered < left {
            return Some(shown.left - covered);
        }
        let beyond = shown.left + shown.width - width;
        // The start of a column wider than the screen is what is read first.
        (beyond > left).then_some(beyond.min(shown.left - covered))
    });
    if let Some(to) = to {
        element.set_scroll_left(to.max(0.0) as i32);
    }
}

/// The rows on screen, and in how many lanes they stand: a lane shows one row after another,
/// so that scrolling makes no elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OnScreenRows {
    from: u64,
    to: u64,
    lanes: u64,
}

impl OnScreenRows {
    /// The row in a lane; of one that is about to go, any.
    pub(super) fn row_in(self, lane: u64) -> u64 {
        let Self { from, lanes, .. } = self;
        from + (lane + lanes - from % lanes) % lanes
    }
}

#[component]
fn OnScreen(grid: Grid) -> impl IntoView {
    let page = grid.page;
    let on_screen = Derived::new(move |_| {
        let window = grid.window.get();
        let first = window.first_within(grid.first.get());
        let from = first.floor() as u64;
        let lanes = window.visible().ceil() as u64 + 1;
        let to = ((first + window.visible()).ceil() as u64).min(window.rows);
        OnScreenRows { from, to, lanes }
    });
    let lanes = move || {
        let OnScreenRows { from, to, lanes } = on_screen.get();
        (from..to).map(move |row| row % lanes)
    };
    // Where the pointer is while it selects.
    let drag = StoredValue::new(None::<(f64, f64)>);
    let on_down = move |event: PointerEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(target) = target.filter(|_| event.button() == 0) else { return };
        let is_own = matches!(target.closest("a, button"), Ok(Some(_)));
        if is_own || event.pointer_type() == "touch" {
            return;
        }
        event.prevent_default();
        capture(&event);
        focus();
        let at = (f64::from(event.client_x()), f64::from(event.client_y()));
        drag.set_value(Some(at));
        point(grid, at, event.shift_key());
    };
    let on_move = move |event: PointerEvent| {
        let at = (f64::from(event.client_x()), f64::from(event.client_y()));
        match drag.get_value() {
            Some(_) => {
                drag.set_value(Some(at));
                point(grid, at, true);
                pull(grid, drag);
            }
            None if event.pointer_type() == "mouse" => light(grid, Some(at)),
            None => {}
        }
    };
    let on_click = move |event: web_sys::MouseEvent| {
        let at = (f64::from(event.client_x()), f64::from(event.client_y()));
        let place = place_at(grid, at);
        // A finger scrolls by dragging; a tap selects.
        let active = page.table.selected.get_untracked().map(|selected| selected.active.row);
        if active != place.map(|(row, _)| row) {
            point(grid, at, false);
        }
        if matches!(place, Some((_, None))) && !event.shift_key() {
            open_record(grid);
        }
    };
    view! {
        <div
            class="grid-rows"
            role="rowgroup"
            style:height=move || format!("{}px", grid.window.get().height)
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=move |_| drag.set_value(None)
            on:pointercancel=move |_| drag.set_value(None)
            on:pointerleave=move |_| light(grid, None)
            on:click=on_click
            on:dblclick=move |_| open_record(grid)
        >
            <Each each=lanes key=|lane| *lane let:lane>
                <RowView grid lane on_screen/>
            </Each>
        </div>
    }
}

/// The place under a point of the screen; of the number at the left, no column.
fn place_at(grid: Grid, (x, y): (f64, f64)) -> Option<(u64, Option<usize>)> {
    let rect = scroller()?.get_bounding_client_rect();
    let window = grid.window.get_untracked();
    let top = rect.top() + untrack(|| head_height(grid.page));
    let row = grid.first.get_untracked() + (y - top) / window.row_height;
    let x = x - rect.left();
    let column = grid.columns.with_untracked(|columns| {
        if x < NUMBER_WIDTH {
            return None;
        }
        let pinned = columns.iter().position(|c| c.is_pinned && x < c.left + c.width);
        let moved = x + grid.left.get_untracked();
        let other = columns.iter().position(|c| !c.is_pinned && moved < c.left + c.width);
        Some(pinned.or(other).unwrap_or(columns.len().saturating_sub(1)))
    });
    Some((row.max(0.0) as u64, column))
}

/// Selects what is under the pointer; the number at the left stands for its whole row.
fn point(grid: Grid, at: (f64, f64), extend: bool) {
    let Some((row, column)) = place_at(grid, at) else { return };
    let last = grid.columns.with_untracked(Vec::len).saturating_sub(1);
    let before = grid.page.table.selected.get_untracked();
    let active = Place { row, column: column.unwrap_or(0) };
    let anchor = match (before.filter(|_| extend), column) {
        (Some(before), _) => before.anchor,
        (None, Some(_)) => active,
        (None, None) => Place { row, column: last },
    };
    let next = Selected { anchor, active };
    if before != Some(next) {
        match extend {
            true => go_to(grid, next),
            false => grid.select(next),
        }
    }
}

/// Goes on selecting while the pointer is held above or below the rows.
fn pull(grid: Grid, drag: StoredValue<Option<(f64, f64)>>) {
    let Some(Some(at)) = drag.try_get_value() else { return };
    let Some(rect) = scroller().map(|element| element.get_bounding_client_rect()) else { return };
    let top = rect.top() + untrack(|| head_height(grid.page));
    if at.1 >= top && at.1 < rect.bottom() {
        return;
    }
    let again = move || {
        // The pointer rested meanwhile: nobody else moves the selection on.
        if drag.try_get_value() == Some(Some(at)) {
            point(grid, at, true);
            pull(grid, drag);
        }
    };
    set_timeout(again, Duration::from_millis(PULL_MILLIS));
}

/// The points of the row under the pointer are lit in the scatters.
fn light(grid: Grid, at: Option<(f64, f64)>) {
    let page = grid.page;
    let is_any = page.model.with_untracked(|model| {
        model.chosen.shown_views().iter().any(|view| matches!(view.mark, Mark::Scatter { .. }))
    });
    let row = at
        .filter(|_| is_any)
        .and_then(|at| place_at(grid, at))
        .and_then(|(place, _)| untrack(|| grid.number_at(place)));
    if page.table.lit.get_value() != row {
        page.table.lit.set_value(row);
        page.send_table(TableRequest::Point { row });
    }
}

pub(super) fn open_record(grid: Grid) {
    let active = grid.page.table.selected.get_untracked().map(|selected| selected.active);
    grid.followed.set_value(active.map(|active| active.row));
    grid.follow_record();
}

pub(super) fn cell_id(row: u64, column: usize) -> String {
    format!("cell-{row}-{column}")
}

fn keyed(grid: Grid, event: &KeyboardEvent) {
    let page = grid.page;
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    // Names, fields and edges of columns have keys of their own.
    if target.is_some_and(|target| target.id() != GRID_ID) || event.alt_key() {
        return;
    }
    let (ends, extend) = (event.ctrl_key() || event.meta_key(), event.shift_key());
    let before = page.table.selected.get_untracked();
    let key = event.key();
    match key.as_str() {
        "c" | "C" if ends => {
            let form = if extend { CellForm::TsvNamed } else { CellForm::Tsv };
            page.dispatch(Command::CopyCells { form });
        }
        "Enter" if before.is_some() && page.table.record_of.with_untracked(Option::is_some) => {
            page.dispatch(Command::ShowRecord { row: None });
        }
        "Enter" if before.is_some() => open_record(grid),
        "Escape"
            if before.is_none_or(Selected::is_one)
                && page.table.record_of.with_untracked(Option::is_some) =>
        {
            page.dispatch(Command::ShowRecord { row: None });
        }
        _ => {
            // The first key shows where the keyboard is; the next ones move it.
            let start =
                Selected::one(Place { row: grid.first.get_untracked().ceil() as u64, column: 0 });
            let is_all = ends && key.eq_ignore_ascii_case("a");
            let next = match before {
                Some(before) => before.keyed(&key, ends, extend, grid.bounds()),
                None if ends => start.keyed(&key, ends, extend, grid.bounds()),
                None => start.keyed(&key, ends, extend, grid.bounds()).map(|_| start),
            };
            let Some(next) = next else { return };
            match is_all {
                true => grid.select(next),
                false => go_to(grid, next),
            }
        }
    }
    event.prevent_default();
}
