//! Everything that can be done with a column of the rows, as a menu of its header.

use crate::page::lasting::Lasting;
use leptos::prelude::*;

use super::Grid;
use super::header::{fit, move_by, with_key};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::ui::icon::Icon;
use crate::page::ui::popover::Popover;
use crate::state::command::Command;
use crate::state::defaults;
use crate::texts;

#[component]
pub(super) fn ColumnMenu(
    grid: Grid,
    name: StoredValue<String>,
    open: Lasting<bool>,
) -> impl IntoView {
    let label = Signal::derive(move || texts::rows::menu_of(&name.get_value()));
    view! {
        <Popover
            label=label
            open=open
            button_class="icon-button head-menu"
            panel_class="menu-panel"
            at_end=true
            untabbed=true
            button=|| Icon::More.view()
        >
            {part(move || entries(grid, name, open))}
        </Popover>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn entries(grid: Grid, name: StoredValue<String>, open: Lasting<bool>) -> Fetched {
    made(move || view! { <Entries grid name open/> })
}

#[component]
fn Entries(grid: Grid, name: StoredValue<String>, open: Lasting<bool>) -> impl IntoView {
    let page = grid.page;
    let own = name.get_value();
    let keys = page.model.with_untracked(|model| model.chosen.order_by.clone());
    let is_key = keys.iter().any(|key| key.column == own);
    let is_pinned = page.model.with_untracked(|model| model.chosen.row_layout.is_pinned(&own));
    let names = untrack(|| page.row_columns());
    let mark = untrack(|| page.column(&own)).as_ref().and_then(defaults::mark_of);

    let mut entries = Vec::new();
    let mut entry = |icon: Icon, label: &'static str, act: Box<dyn Fn()>| {
        let run = move |_| {
            open.set(false);
            act();
        };
        entries.push(view! { <button type="button" on:click=run>{icon.view()} {label}</button> });
    };
    let command =
        |command: Command| -> Box<dyn Fn()> { Box::new(move || page.dispatch(command.clone())) };
    let sort = |descending: Option<bool>, add: bool| {
        let order_by = with_key(keys.clone(), &own, descending, add);
        command(Command::SortRows { order_by })
    };
    entry(Icon::Up, texts::rows::SORT_LOWEST, sort(Some(false), false));
    entry(Icon::Down, texts::rows::SORT_HIGHEST, sort(Some(true), false));
    if keys.iter().any(|key| key.column != own) {
        entry(Icon::Up, texts::rows::THEN_LOWEST, sort(Some(false), true));
        entry(Icon::Down, texts::rows::THEN_HIGHEST, sort(Some(true), true));
    }
    if is_key {
        entry(Icon::Cancel, texts::rows::UNSORT, sort(None, true));
    }
    if let Some(mark) = mark {
        let column = own.clone();
        entry(Icon::Filter, texts::rows::FILTER, command(Command::OpenFilter { column }));
        entry(Icon::Add, texts::rows::ADD_CHART, command(Command::AddView { mark }));
    }
    let pin = Command::PinRowColumn { column: own.clone(), pinned: !is_pinned };
    let pin_label = if is_pinned { texts::rows::UNPIN } else { texts::rows::PIN };
    entry(Icon::Side, pin_label, command(pin));
    for (icon, label, by) in
        [(Icon::Undo, texts::rows::MOVE_LEFT, -1), (Icon::Redo, texts::rows::MOVE_RIGHT, 1)]
    {
        let column = own.clone();
        entry(icon, label, Box::new(move || move_by(grid, &column, by)));
    }
    let column = own.clone();
    entry(Icon::Fit, texts::rows::FIT_WIDTH, Box::new(move || fit(grid, &column)));
    let usual = Command::SizeRowColumn { column: own.clone(), width: None };
    entry(Icon::Columns, texts::rows::USUAL_WIDTH, command(usual));
    let others: Vec<String> = names.iter().filter(|other| **other != own).cloned().collect();
    if !others.is_empty() {
        let hide = Command::ShowRowColumns { columns: Some(others) };
        entry(Icon::Cancel, texts::rows::HIDE, command(hide));
    }
    view! { <div class="menu">{entries}</div> }
}
