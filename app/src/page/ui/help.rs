//! The help: keys, and what the mouse does on charts.

use leptos::prelude::*;

use super::dialog::ModalDialog;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::state::command::{Dialog, SHORTCUTS, Shortcut};
use crate::texts;

/// The keys of a shortcut, as they are printed on a keyboard.
pub(super) fn keys(shortcut: &Shortcut) -> impl IntoView + use<> {
    let held = [
        shortcut.command_key.then_some(texts::commands::CTRL),
        shortcut.shift.then_some(texts::commands::SHIFT),
    ];
    let names = held.into_iter().flatten().map(str::to_owned).chain([shortcut.key.to_uppercase()]);
    names.map(|key| view! { <kbd>{key}</kbd> }).collect_view()
}

#[component]
pub(super) fn HelpDialog() -> impl IntoView {
    view! {
        <ModalDialog which=Dialog::Help title=texts::frame::KEYS_AND_GESTURES>
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
                {texts::help::GESTURES
                    .iter()
                    .map(|(gesture, effect)| view! { <div><dt>{*gesture}</dt><dd>{*effect}</dd></div> })
                    .collect_view()}
            </dl>
        }
    })
}
