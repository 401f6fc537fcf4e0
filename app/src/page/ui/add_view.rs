//! A button for another view: a chart of each sort, its columns guessed and chosen in its
//! title, or the chart of any column.

use crate::page::lasting::Lasting;
use crate::page::ui::each::Each;
use leptos::prelude::*;

use super::icon::{Icon, kind_name};
use super::popover::Popover;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::use_page;
use crate::protocol::{ColumnInfo, Mark};
use crate::state::VIEWS_MAX;
use crate::state::command::{Command, Part};
use crate::state::defaults;
use crate::texts;

#[component]
pub(super) fn AddView() -> impl IntoView {
    let page = use_page();
    let open = Lasting::new(false);
    let is_full = move || page.model.with(|m| m.chosen.shown_views().len() >= VIEWS_MAX);
    let button = || view! { {Icon::Add.view()} <span>{texts::views::ADD_SHORT}</span> };
    view! {
        <Popover
            label=texts::views::ADD
            open=open
            button_class="button add-view"
            panel_class="add-panel"
            at_end=true
            button=button
        >
            <Show
                when=move || !is_full()
                fallback=|| view! { <p class="quiet">{texts::views::room_for(VIEWS_MAX)}</p> }
            >
                {part(move || choices(open))}
            </Show>
        </Popover>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn choices(open: Lasting<bool>) -> Fetched {
    made(move || view! { <Choices open/> })
}

#[component]
fn Choices(open: Lasting<bool>) -> impl IntoView {
    let page = use_page();
    let search = Lasting::new(String::new());
    let add = move |mark: Mark| {
        open.set(false);
        page.dispatch(Command::AddView { mark });
        page.dispatch(Command::ShowPart { part: Part::Views });
    };
    let columns = move || page.schema().map(|schema| schema.columns.clone()).unwrap_or_default();
    let kinds = move || {
        let columns = columns();
        let kinds = defaults::KINDS.into_iter().zip([
            (Icon::Scatter, texts::views::SCATTER_HINT),
            (Icon::Views, texts::views::HEAT_HINT),
            (Icon::Line, texts::views::LINE_HINT),
            (Icon::Boxes, texts::views::BOXES_HINT),
            (Icon::Shapes, texts::views::VIOLINS_HINT),
        ]);
        let kinds = kinds.filter_map(|(kind, (icon, hint))| {
            let mark = defaults::guess(kind, &columns, None)?;
            Some(view! {
                <button type="button" class="choice" on:click=move |_| add(mark.clone())>
                    {icon.view()}
                    <span>{kind}</span>
                    <small>{hint}</small>
                </button>
            })
        });
        kinds.collect_view()
    };
    let found = move || {
        let wanted = search.get().trim().to_lowercase();
        let mut columns = columns();
        columns.retain(|column| {
            column.name.to_lowercase().contains(&wanted) && defaults::mark_of(column).is_some()
        });
        columns
    };
    view! {
        <div class="choices">
            {kinds}
            <div class="search">
                {Icon::Search.view()}
                <input
                    type="search"
                    placeholder=texts::views::CHART_OF_COLUMN
                    aria-label=texts::columns::SEARCH
                    prop:value=move || search.get()
                    on:input=move |event| search.set(event_target_value(&event))
                />
            </div>
            <ul class="choice-list">
                <Each each=found key=|column| column.name.clone() let:column>
                    <li><ColumnChoice column add/></li>
                </Each>
            </ul>
        </div>
    }
}

#[component]
fn ColumnChoice(column: ColumnInfo, add: impl Fn(Mark) + Copy + 'static) -> impl IntoView {
    let page = use_page();
    let name = column.name.clone();
    let is_shown = move || {
        page.model.with(|model| {
            let views = model.chosen.shown_views();
            views.iter().any(|view| {
                matches!(view.mark, Mark::Histogram { .. } | Mark::Bars { .. })
                    && view.mark.columns() == [name.as_str()]
            })
        })
    };
    let kind = column.kind;
    let label = column.name.clone();
    let choose = move |_| {
        if let Some(mark) = defaults::mark_of(&column) {
            add(mark);
        }
    };
    view! {
        <button type="button" class="choice" on:click=choose>
            {Icon::of_kind(kind).view()}
            <span>{label}</span>
            <small>{move || if is_shown() { texts::views::ALREADY_SHOWN } else { kind_name(kind) }}</small>
        </button>
    }
}
