//! What all views have in common: a card with a title, a readout, a menu to move and
//! remove it, and word of an answer that failed.

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use leptos::prelude::*;

use super::icon::Icon;
use super::popover::Popover;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::use_page;
use crate::protocol::{LoadState, MarkResult, Origin, ViewId};
use crate::state::command::{Command, PictureForm};
use crate::texts;

#[component]
pub(super) fn ViewFrame(
    id: ViewId,
    class: &'static str,
    #[prop(into)] name: Signal<String>,
    #[prop(into)] result: Signal<Option<Arc<MarkResult>>>,
    #[prop(into)] title: ViewFn,
    /// More entries of the menu.
    #[prop(optional, into)]
    menu: ViewFn,
    /// Said at the end of the title: what is under the pointer.
    #[prop(optional, into)]
    readout: ViewFn,
    children: Children,
) -> impl IntoView {
    let page = use_page();
    let failure = move || {
        result.with(|result| match result.as_deref() {
            Some(MarkResult::Failed { detail }) => Some(detail.clone()),
            _ => None,
        })
    };
    // What became of a load is said once, above all views.
    let nothing_came = move || {
        page.progress.with(|progress| {
            progress.as_ref().is_some_and(|progress| {
                progress.rows == 0 && matches!(progress.state, LoadState::Failed { .. })
            })
        })
    };
    let failed = move || {
        failure().map(|detail| match nothing_came() {
            true => {
                view! { <p class="view-failed quiet">{texts::views::NOT_LOADED}</p> }.into_any()
            }
            false => {
                view! { <p class="view-failed" role="alert">{Icon::Warning.view()} {detail}</p> }
                    .into_any()
            }
        })
    };
    // Where a picture is not of columns that are here, it says so itself.
    let elsewhere = move || {
        let shown = page.shown.get().filter(|shown| shown.origin == Origin::Server)?;
        let (word, title) = match shown.behind.contains(&id) {
            true => (texts::views::BEHIND, texts::views::BEHIND_TITLE.to_owned()),
            false => (texts::status::SERVER, texts::views::counted_elsewhere(&shown.reduction)),
        };
        Some(view! { <span class="tag reduction" title=title>{word}</span> })
    };
    let is_twin = move || page.model.with(|model| model.chosen.twins.contains(&id));
    let twin = move || is_twin().then(|| part(move || twin_table(id, name)));
    view! {
        <article class=format!("view {class}") data-view=id.0 aria-label=move || name.get() class:waiting=move || result.with(Option::is_none)>
            <header class="view-head">
                <div class="view-title">{title.run()}</div>
                {elsewhere}
                <div class="view-readout">{move || readout.run()}</div>
                <ViewMenu id name menu/>
            </header>
            <div class="view-body">
                <div class="view-chart" inert=is_twin>{children()}</div>
                {twin}
                {failed}
            </div>
        </article>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn twin_table(id: ViewId, name: Signal<String>) -> Fetched {
    made(move || view! { <TwinTable id name/> })
}

/// The numbers that the chart draws, over it.
#[component]
fn TwinTable(id: ViewId, name: Signal<String>) -> impl IntoView {
    let page = use_page();
    let twin = Derived::new(move |_| page.twin(id).unwrap_or_default());
    let head = move || {
        let cell = |text: String| view! { <th scope="col">{text}</th> };
        twin.with(|twin| twin.head.iter().cloned().map(cell).collect_view())
    };
    let rows = move || {
        let row = |cells: &Vec<String>| {
            let cells = cells.iter().cloned().map(|text| view! { <td>{text}</td> }).collect_view();
            view! { <tr>{cells}</tr> }
        };
        twin.with(|twin| twin.rows.iter().map(row).collect_view())
    };
    let note = move || {
        twin.with(|twin| twin.note.clone()).map(|note| view! { <p class="quiet">{note}</p> })
    };
    view! {
        <div class="twin" role="region" aria-label=move || texts::views::numbers_of(&name.get()) tabindex="0">
            <table>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {note}
        </div>
    }
}

#[component]
fn ViewMenu(id: ViewId, name: Signal<String>, menu: ViewFn) -> impl IntoView {
    let page = use_page();
    let open = Lasting::new(false);
    let place = move || {
        page.model.with(|model| {
            let views = model.chosen.shown_views();
            (views.iter().position(|view| view.id == id).unwrap_or(0), views.len())
        })
    };
    let is_last = move || place().0 + 1 >= place().1;
    let move_to = move |to: usize| {
        open.set(false);
        page.dispatch(Command::MoveView { view: id, to });
    };
    let is_twin = move || page.model.with(|model| model.chosen.twins.contains(&id));
    let run = move |command: Command| {
        open.set(false);
        page.dispatch(command);
    };
    let remove = move |_| page.dispatch(Command::RemoveView { view: id });
    let save = move |form: PictureForm| {
        open.set(false);
        page.dispatch(Command::SavePicture { view: id, form });
    };
    let label = Signal::derive(move || texts::views::menu_of(&name.get()));
    view! {
        <Popover
            label=label
            open=open
            button_class="icon-button view-menu"
            panel_class="menu-panel"
            at_end=true
            button=|| Icon::More.view()
        >
            <div class="menu">
                {menu.run()}
                <button
                    type="button"
                    class="toggle"
                    aria-pressed=move || is_twin().to_string()
                    on:click=move |_| run(Command::ToggleTwin { view: id })
                >
                    {Icon::Check.view()} {texts::views::SHOW_AS_TABLE}
                </button>
                <button type="button" on:click=move |_| run(Command::CopyTwin { view: id })>
                    {Icon::Rows.view()} {texts::views::COPY_NUMBERS}
                </button>
                <button
                    type="button"
                    disabled=move || place().0 == 0
                    on:click=move |_| move_to(place().0.saturating_sub(1))
                >
                    {Icon::Up.view()} {texts::views::MOVE_FORWARD}
                </button>
                <button
                    type="button"
                    disabled=is_last
                    on:click=move |_| move_to(place().0 + 1)
                >
                    {Icon::Down.view()} {texts::views::MOVE_BACK}
                </button>
                <button type="button" on:click=move |_| save(PictureForm::Png)>
                    {Icon::Save.view()} {texts::views::SAVE_AS_PNG}
                </button>
                <button type="button" on:click=move |_| save(PictureForm::Svg)>
                    {Icon::Save.view()} {texts::views::SAVE_AS_SVG}
                </button>
                <button type="button" class="danger" on:click=remove>{Icon::Delete.view()} {texts::views::REMOVE}</button>
            </div>
        </Popover>
    }
}

/// A column chosen from a list, in the title of a view.
#[component]
pub(super) fn ColumnSelect(
    label: &'static str,
    /// The columns to choose from.
    #[prop(into)]
    names: Signal<Vec<String>>,
    #[prop(into)] chosen: Signal<String>,
    /// What no column is called, where that may be chosen.
    #[prop(optional)]
    none: Option<&'static str>,
    on_choose: Callback<String>,
) -> impl IntoView {
    let options = move || {
        let chosen = chosen.get();
        let mut names = names.get();
        // A column that the schema has no more is still what is chosen.
        if !chosen.is_empty() && !names.contains(&chosen) {
            names.insert(0, chosen.clone());
        }
        let options = names.into_iter().map(|name| {
            let selected = name == chosen;
            view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
        });
        let none =
            none.map(|none| view! { <option value="" selected=chosen.is_empty()>{none}</option> });
        view! { {none} {options.collect_view()} }
    };
    view! {
        <select
            class="column-select"
            aria-label=label
            title=label
            on:change=move |event| on_choose.run(event_target_value(&event))
        >
            {options}
        </select>
    }
}
