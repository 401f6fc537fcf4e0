//! Keys that work anywhere: each is a command. Keys that belong to what has the focus (a
//! chart, a slider, the rows) are handled there and never come here.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::page::signals::Page;
use crate::state::command::{Command, Dialog, command_from_key};

pub(super) fn listen(page: Page) {
    let handle = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        if event.default_prevented() || event.is_composing() {
            return;
        }
        // A dialog that is open has its own keys; closing it is the browser's, which tells of
        // it a little later.
        if matches!(document().query_selector("dialog[open]"), Ok(Some(_))) {
            return;
        }
        let command_key = event.ctrl_key() || event.meta_key();
        let command =
            command_from_key(&event.key(), command_key, event.shift_key(), event.alt_key());
        // From within a text field only to find something else.
        let palette = Command::ShowDialog { dialog: Some(Dialog::Palette) };
        if let Some(command) = command.filter(|command| *command == palette || !is_typing(&event)) {
            event.prevent_default();
            page.dispatch(command);
        }
    });
    // Lives as long as the page.
    drop(handle);
}

/// Text fields keep their keys, the browser's own undo among them.
fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|element| {
        let name = element.tag_name();
        let input_type = element.get_attribute("type").unwrap_or_default();
        let field =
            name == "INPUT" && !matches!(input_type.as_str(), "checkbox" | "radio" | "range");
        field || name == "TEXTAREA" || name == "SELECT" || element.is_content_editable()
    })
}
