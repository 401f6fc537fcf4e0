//! The command palette: one field to type in, and under it what that finds among all that
//! can be done. A combobox, as the ARIA practices have it.

use crate::page::lasting::{Derived, Lasting};
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition};

use super::dialog::ModalDialog;
use super::help::keys;
use super::icon::Icon;
use crate::page::browser;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Tables, use_page};
use crate::state::command::{Command, Dialog, SHORTCUTS};
use crate::state::palette::{self, Entry, Group};
use crate::texts;

#[component]
pub(super) fn PaletteDialog() -> impl IntoView {
    view! { <ModalDialog which=Dialog::Palette title=texts::commands::TITLE bare=true>{part(body)}</ModalDialog> }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn body() -> Fetched {
    made(|| view! { <Palette/> })
}

#[component]
fn Palette() -> impl IntoView {
    let page = use_page();
    page.read_saved();
    let text = Lasting::new(String::new());
    let at = Lasting::new(0_usize);
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            browser::focus_soon(input.into());
        }
    });
    let entries = Derived::new(move |_| {
        let tables: Vec<String> = page.tables.with(|tables| match tables {
            Tables::Known { tables, .. } => {
                let readable = tables.iter().filter(|table| table.error.is_none());
                readable.map(|table| table.name.clone()).collect()
            }
            Tables::Asked => Vec::new(),
        });
        let schema = page.schema();
        let columns = schema.as_ref().map(|schema| schema.columns.as_slice()).unwrap_or_default();
        let mut entries =
            page.model.with(|model| palette::entries(&model.chosen, &tables, columns));
        page.saved.with(|saved| palette::add_saved(&mut entries, saved));
        entries
    });
    let found = Derived::new(move |_| entries.with(|entries| palette::found(entries, &text.get())));
    let run = move |command: Command| {
        page.dispatch(Command::ShowDialog { dialog: None });
        page.dispatch(command);
    };
    let go = move |to: usize| {
        at.set(to);
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        if let Some(option) = document().get_element_by_id(&option_id(to)) {
            option.scroll_into_view_with_scroll_into_view_options(&options);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len).max(1);
        let now = at.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => go((now + 1) % count),
            "ArrowUp" => go((now + count - 1) % count),
            "PageDown" => go((now + 8).min(count - 1)),
            "PageUp" => go(now.saturating_sub(8)),
            "Enter" => {
                let chosen = found.with_untracked(|found| found.get(now).cloned());
                if let Some(entry) = chosen {
                    run(entry.command);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let options = move || {
        let line = move |(index, entry): (usize, Entry)| line(index, entry, at, run);
        found.get().into_iter().enumerate().map(line).collect_view()
    };
    view! {
        <div class="search palette-search">
            {Icon::Search.view()}
            <input
                node_ref=input
                type="text"
                role="combobox"
                aria-label=texts::commands::FIND
                aria-expanded="true"
                aria-controls="palette-list"
                aria-autocomplete="list"
                aria-activedescendant=move || option_id(at.get())
                placeholder=texts::commands::FIND
                autocomplete="off"
                spellcheck="false"
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    at.set(0);
                }
                on:keydown=on_key
            />
            <kbd>{texts::commands::ESCAPE}</kbd>
        </div>
        <ul id="palette-list" class="palette-list" role="listbox" aria-label=texts::commands::COMMANDS>{options}</ul>
        <Show when=move || found.with(Vec::is_empty)>
            <p class="quiet" role="status">{texts::commands::NONE_NAMED_SO}</p>
        </Show>
    }
}

fn option_id(index: usize) -> String {
    format!("palette-{index}")
}

fn line(
    index: usize,
    entry: Entry,
    at: Lasting<usize>,
    run: impl Fn(Command) + Copy + 'static,
) -> impl IntoView {
    let icon = match entry.group {
        Group::Command => Icon::ChevronDown,
        Group::Table => Icon::Table,
        Group::View => Icon::Saved,
        Group::Column(kind) => Icon::of_kind(kind),
    };
    let keys = entry.shortcut.and_then(|at| SHORTCUTS.get(at)).map(keys);
    let is_command = entry.group == Group::Command;
    let command = entry.command;
    view! {
        <li
            id=option_id(index)
            class:command=is_command
            role="option"
            aria-selected=move || (at.get() == index).to_string()
            on:pointermove=move |_| at.set(index)
            on:click=move |_| run(command.clone())
        >
            {icon.view()}
            <span class="palette-label">{entry.label}</span>
            <small class="quiet">{(!is_command).then_some(entry.group.name())}</small>
            {keys.map(|keys| view! { <span class="palette-keys">{keys}</span> })}
        </li>
    }
}
