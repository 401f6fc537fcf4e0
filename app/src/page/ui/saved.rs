//! The dialog of saved views: a name for what is on screen, and those there are.

use crate::page::lasting::Lasting;
use leptos::prelude::*;

use super::dialog::ModalDialog;
use super::icon::Icon;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::use_page;
use crate::state::command::{Command, Dialog};
use crate::state::saved::{self, SavedView};
use crate::texts;

#[component]
pub(super) fn SavedDialog() -> impl IntoView {
    view! { <ModalDialog which=Dialog::Saved title=texts::saved::TITLE>{part(body)}</ModalDialog> }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn body() -> Fetched {
    made(|| view! { <Saved/> })
}

#[component]
fn Saved() -> impl IntoView {
    let page = use_page();
    page.read_saved();
    let name = Lasting::new(String::new());
    let has_table = move || page.model.with(|model| model.chosen.table.is_some());
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        page.dispatch(Command::SaveView { name: name.get_untracked(), query: None });
        name.set(String::new());
    };
    let is_nameless = move || name.with(|name| saved::name(name).is_none());
    let list = move || {
        let views = page.saved.get();
        match views.is_empty() {
            true => view! { <p class="quiet">{texts::saved::NONE}</p> }.into_any(),
            false => {
                let lines = views.into_iter().map(|view| view! { <Line view/> });
                view! { <ul class="saved-list">{lines.collect_view()}</ul> }.into_any()
            }
        }
    };
    view! {
        <p>{texts::saved::WHAT}</p>
        <Show when=has_table>
            <form class="saved-form" on:submit=save>
                <input
                    type="text"
                    maxlength="80"
                    placeholder=texts::saved::NAME
                    aria-label=texts::saved::NAME
                    prop:value=move || name.get()
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <button type="submit" class="button" disabled=is_nameless>{texts::saved::SAVE}</button>
            </form>
        </Show>
        {list}
    }
}

#[component]
fn Line(view: SavedView) -> impl IntoView {
    let page = use_page();
    let SavedView { name, query } = view;
    let forget = {
        let name = name.clone();
        move |_| page.dispatch(Command::ForgetView { name: name.clone() })
    };
    let label = texts::saved::delete(&name);
    view! {
        <li>
            <button
                type="button"
                class="saved-view"
                on:click=move |_| {
                    page.dispatch(Command::ShowDialog { dialog: None });
                    page.dispatch(Command::OpenView { query: query.clone() });
                }
            >
                {name}
            </button>
            <button type="button" class="icon-button" aria-label=label on:click=forget>
                {Icon::Delete.view()}
            </button>
        </li>
    }
}
