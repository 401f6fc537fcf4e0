//! The line over the rows: how many there are and in which order, what the selected cells
//! are, and the buttons: go to a row, copy, fields, shapes, columns.

use crate::page::lasting::{Derived, Lasting};
use leptos::html;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::{Grid, body, saving};
use crate::page::browser;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::page::ui::icon::Icon;
use crate::page::ui::popover::Popover;
use crate::protocol::table::CellForm;
use crate::state::command::Command;
use crate::state::copy_as::FileForm;
use crate::state::layout;
use crate::state::select::{Place, Selected, typed_place};
use crate::texts;

#[component]
pub(super) fn Head(grid: Grid, folded: Lasting<bool>) -> impl IntoView {
    let page = grid.page;
    let fold = move |_| {
        folded.update(|folded| *folded = !*folded);
        browser::keep("rows-folded", if folded.get_untracked() { "yes" } else { "no" });
    };
    let title = move || texts::counts::rows(grid.rows.get());
    let toggle =
        move |label: &'static str, icon: Icon, is_on: fn(Page) -> bool, command: Command| {
            view! {
                <button
                    type="button"
                    class="icon-button small"
                    title=label
                    aria-label=label
                    aria-pressed=move || is_on(page).to_string()
                    on:click=move |_| page.dispatch(command.clone())
                >
                    {icon.view()}
                </button>
            }
        };
    view! {
        <header class="rows-head">
            <button
                type="button"
                class="icon-button fold"
                aria-expanded=move || (!folded.get()).to_string()
                aria-label=texts::rows::SHOW
                on:click=fold
            >
                {Icon::ChevronDown.view()}
            </button>
            <h2>{title}</h2>
            <SortWords page/>
            <Show when=move || !folded.get()>
                <Peek grid/>
                <CopyState page/>
                <GoTo grid/>
                <CopyMenu/>
                <Show when=move || page.picture_column().is_some()>
                    {toggle(texts::rows::GALLERY, Icon::Views, |page| page.table.gallery.get(), Command::ToggleGallery)}
                </Show>
                {toggle(texts::rows::FILTER_ROW, Icon::Filter, |page| page.table.filter_row.get(), Command::ToggleFilterRow)}
                {toggle(texts::rows::DISTRIBUTIONS, Icon::Shapes, |page| page.table.profiles.get(), Command::ToggleProfiles)}
                <ColumnChooser/>
            </Show>
        </header>
    }
}

#[component]
fn SortWords(page: Page) -> impl IntoView {
    let order = Derived::new(move |_| page.model.with(|model| model.chosen.order_by.clone()));
    let words = move || {
        let keys = order.get();
        let words = keys
            .iter()
            .map(|key| format!("{} {}", key.column, if key.descending { "↓" } else { "↑" }));
        words.collect::<Vec<_>>().join(", ")
    };
    view! {
        <Show when=move || order.with(|order| !order.is_empty())>
            <button
                type="button"
                class="own-clause"
                title=texts::rows::OWN_ORDER
                on:click=move |_| page.dispatch(Command::SortRows { order_by: Vec::new() })
            >
                {words} {Icon::Cancel.view()}
            </button>
        </Show>
    }
}

/// The value of the cell that has the keyboard, or how many cells are selected.
#[component]
fn Peek(grid: Grid) -> impl IntoView {
    let words = Derived::new(move |_| {
        let selected = grid.page.table.selected.get()?;
        let (rows, columns) = (selected.rows(), selected.columns());
        if !selected.is_one() {
            let cells = texts::rows::cells(rows.end - rows.start, columns.end - columns.start);
            return Some((cells, String::new()));
        }
        let name = grid.columns.with(|all| all.get(selected.active.column).map(|c| c.name.clone()));
        let value = grid.page.rows.with(|rows| {
            let rows = rows.as_ref()?;
            let at = usize::try_from(selected.active.row.checked_sub(rows.first)?).ok()?;
            let place =
                grid.places.with(|places| places.get(selected.active.column).copied()).flatten();
            let cell = rows.cells.get(at)?.get(place?)?.clone();
            Some(cell.unwrap_or_else(|| texts::values::NULL.to_owned()))
        });
        Some((name?, value.unwrap_or_default()))
    });
    move || {
        let (name, value) = words.get().unwrap_or_default();
        view! {
            <span class="peek" title=value.clone()>
                <b>{name}</b>
                <span>{value.clone()}</span>
            </span>
        }
    }
}

/// How far a copy is, and a way to give it up.
#[component]
fn CopyState(page: Page) -> impl IntoView {
    move || {
        page.table.copying.get().map(|(rows, total)| {
            let words = texts::rows::copying(rows, total);
            view! {
                <span class="copying" role="status">
                    {words}
                    <button type="button" class="text-button" on:click=move |_| page.dispatch(Command::CancelCopy)>
                        {texts::rows::CANCEL_COPY}
                    </button>
                </span>
            }
        })
    }
}

#[component]
fn GoTo(grid: Grid) -> impl IntoView {
    let page = grid.page;
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if page.table.go_asked.get() > 0
            && let Some(input) = input.get_untracked()
        {
            input.select();
            browser::focus_soon(input.into());
        }
    });
    let on_key = move |event: KeyboardEvent| {
        let Some(input) = input.get_untracked() else { return };
        match event.key().as_str() {
            "Enter" => {
                let rows = grid.rows.get_untracked();
                let Some(row) = typed_place(&input.value(), rows) else { return };
                event.prevent_default();
                let column = page.table.selected.get_untracked().map_or(0, |s| s.active.column);
                body::go_to(grid, Selected::one(Place { row, column }));
                input.set_value("");
                body::focus();
            }
            "Escape" => {
                input.set_value("");
                body::focus();
            }
            _ => {}
        }
    };
    view! {
        <input
            node_ref=input
            type="text"
            inputmode="numeric"
            class="go-to"
            placeholder=texts::rows::GO_TO
            aria-label=texts::rows::GO_TO
            aria-keyshortcuts="g"
            on:keydown=on_key
        />
    }
}

#[component]
fn CopyMenu() -> impl IntoView {
    let open = Lasting::new(false);
    view! {
        <Popover
            label=texts::rows::COPY_SELECTED
            open=open
            button_class="button small"
            panel_class="menu-panel"
            at_end=true
            button=|| view! { <span>{texts::rows::COPY}</span> }
        >
            {part(move || copy_forms(open))}
        </Popover>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn copy_forms(open: Lasting<bool>) -> Fetched {
    made(move || view! { <CopyForms open/> })
}

#[component]
fn CopyForms(open: Lasting<bool>) -> impl IntoView {
    let page = use_page();
    let items = CellForm::ALL.map(|form| {
        let key = match form {
            CellForm::Tsv => Some(texts::commands::CTRL_C),
            CellForm::TsvNamed => Some(texts::commands::CTRL_SHIFT_C),
            _ => None,
        };
        let copy = move |_| {
            open.set(false);
            page.dispatch(Command::CopyCells { form });
        };
        view! {
            <button type="button" on:click=copy>
                {texts::rows::copy_as(form.name())}
                {key.map(|key| view! { <kbd>{key}</kbd> })}
            </button>
        }
    });
    let files = FileForm::ALL.map(|form| {
        let save = move |_| {
            open.set(false);
            saving::save(page, form);
        };
        let (name, _) = form.names();
        view! { <button type="button" on:click=save>{texts::rows::save_as(name)}</button> }
    });
    view! {
        <div class="menu">
            {items.into_iter().collect_view()}
            <hr/>
            {files.into_iter().collect_view()}
        </div>
    }
}

#[component]
fn ColumnChooser() -> impl IntoView {
    let open = Lasting::new(false);
    view! {
        <Popover
            label=texts::rows::CHOOSE_COLUMNS
            open=open
            button_class="button small"
            panel_class="chooser-panel"
            at_end=true
            button=|| view! { {Icon::Columns.view()} <span>{texts::rows::COLUMNS}</span> }
        >
            {part(column_choices)}
        </Popover>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn column_choices() -> Fetched {
    made(|| view! { <ColumnChoices/> })
}

#[component]
fn ColumnChoices() -> impl IntoView {
    let page = use_page();
    let loaded = move || page.model.with(|model| model.chosen.columns.clone()).unwrap_or_default();
    let shown = move || {
        page.model.with(|model| {
            let loaded = model.chosen.columns.as_deref().unwrap_or_default();
            layout::shown(model.chosen.row_columns.as_deref(), loaded)
        })
    };
    let toggle = move |name: &str| {
        let mut names = untrack(shown);
        let loaded = untrack(loaded);
        match names.iter().position(|known| known == name) {
            Some(at) => drop(names.remove(at)),
            None => {
                // Where the load has it, before what follows there.
                let after = loaded.iter().skip_while(|known| *known != name).skip(1);
                let next = after.filter_map(|next| names.iter().position(|n| n == next)).min();
                names.insert(next.unwrap_or(names.len()), name.to_owned());
            }
        }
        // Nothing special to remember where all are shown.
        let columns = (names != loaded).then_some(names);
        page.dispatch(Command::ShowRowColumns { columns });
    };
    let items = move || {
        loaded().into_iter().map(|name| {
            let label = name.clone();
            let ticked = {
                let name = name.clone();
                move || shown().contains(&name)
            };
            view! {
                <li>
                    <label>
                        <input type="checkbox" prop:checked=ticked on:change=move |_| toggle(&name)/>
                        {label}
                    </label>
                </li>
            }
        }).collect_view()
    };
    view! { <ul class="chooser">{items}</ul> }
}
