//! The help: keys, and what the mouse does on charts.

use leptos::prelude::*;

use super::dialog::ModalDialog;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::state::command::{Dialog, SHORTCUTS, Shortcut};

/// The keys of a shortcut, as they are printed on a keyboard.
pub(super) fn keys(shortcut: &Shortcut) -> impl IntoView + use<> {
    let held = [shortcut.command_key.then_some("Ctrl"), shortcut.shift.then_some("Shift")];
    let names = held.into_iter().flatten().map(str::to_owned).chain([shortcut.key.to_uppercase()]);
    names.map(|key| view! { <kbd>{key}</kbd> }).collect_view()
}

/// Gestures on charts, which no list of keys would show.
const GESTURES: [(&str, &str); 25] = [
    ("Scatter: wheel or pinch", "Zoom to the pointer"),
    ("Scatter: drag", "Move"),
    ("Scatter: Shift and drag", "Select a box as a filter"),
    ("Scatter: Ctrl, Shift and drag", "Draw a lasso around points as a filter"),
    (
        "Scatter: with a tool, Shift or Alt",
        "Add to the selection, take away; both: keep what is common",
    ),
    ("Scatter: double click, or 0", "Show everything"),
    ("Scatter: arrows, + and −", "Move and zoom by keyboard"),
    ("Scatter: s", "Select what is shown as a filter"),
    ("Scatter: click, or Enter for the middle", "Pin the record of the nearest point"),
    ("Scatter: arrows, with a record", "To the next point on that side; with Shift move"),
    ("Scatter: a finger that stays", "What is under it"),
    ("Scatter: Space, with a player", "Play or pause the column"),
    ("Histogram: drag", "Select a range; drag its ends or its middle"),
    ("Histogram: arrows on an end", "Move it by a bin, with Shift the whole range"),
    ("Bars: click, or Space", "Choose a value, or no longer"),
    ("Bars: double click, Alt and click, or Enter", "Only this value"),
    ("Rows: click on a header", "Sort; with Shift by one column more"),
    ("Rows: drag a header, or Ctrl, Shift and arrows", "Move the column"),
    ("Rows: right click on a header, or Shift F10", "All that can be done with a column"),
    ("Rows: double click on an edge, or Enter", "As wide as the content"),
    ("Rows: arrows, Page, Home and End, with Ctrl", "Move the cell; with Shift select more"),
    ("Rows: Ctrl C, with Shift the names too", "Copy the selected cells; Ctrl A selects all"),
    ("Rows: Enter, or a click on the number", "All values of the row"),
    ("Rows: a field under a name", ">5, 1..4, !=7, 2024-03, =AA|DL, /pattern/, null, !null"),
    ("Any chart: Escape", "Clear its filter"),
];

#[component]
pub(super) fn HelpDialog() -> impl IntoView {
    view! {
        <ModalDialog which=Dialog::Help title="Keys and gestures">
            {part(help)}
        </ModalDialog>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn help() -> Fetched {
    made(|| {
        view! {
            <dl class="shortcuts">
                {SHORTCUTS
                    .iter()
                    .map(|shortcut| view! { <div><dt>{keys(shortcut)}</dt><dd>{shortcut.label}</dd></div> })
                    .collect_view()}
            </dl>
            <dl class="gestures">
                {GESTURES
                    .iter()
                    .map(|(gesture, effect)| view! { <div><dt>{*gesture}</dt><dd>{*effect}</dd></div> })
                    .collect_view()}
            </dl>
        }
    })
}
