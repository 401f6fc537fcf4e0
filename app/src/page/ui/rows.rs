//! The rows that pass, in a table of any length: only what is on screen is asked for and
//! made. Sorted by its headers, its columns chosen, sized and copied. Parts: [`header`]
//! sorts and sizes, [`body`] scrolls, [`asking`] fetches.

mod asking;
mod body;
mod header;

use std::collections::HashMap;

use engine::kind::Kind;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use super::brush::capture;
use super::icon::Icon;
use super::popover::Popover;
use crate::page::browser;
use crate::page::signals::{Page, use_page};
use crate::state::command::Command;
use crate::state::format;
use crate::state::window::Window;

pub(super) const ROW_HEIGHT: f64 = 24.0;
pub(super) const HEAD_HEIGHT: f64 = 28.0;
const NUMBER_WIDTH: f64 = 84.0;
const COLUMN_WIDTH: f64 = 118.0;
const COLUMN_WIDTH_MIN: f64 = 40.0;
const PANEL_HEIGHT_MIN: f64 = 90.0;
const PANEL_HEIGHT_STEP: f64 = 24.0;

/// A column of the table as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub name: String,
    pub kind: Kind,
    pub width: f64,
}

/// What the parts of the table share.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub page: Page,
    pub columns: Memo<Vec<Shown>>,
    /// The first row on screen, and the share of it that is scrolled out.
    pub first: RwSignal<f64>,
    pub height: RwSignal<f64>,
    pub widths: RwSignal<HashMap<String, f64>>,
    /// The cell that has the keyboard.
    pub active: RwSignal<Option<(u64, usize)>>,
    pub window: Memo<Window>,
}

impl Grid {
    fn new(page: Page) -> Self {
        let widths = RwSignal::new(HashMap::new());
        let height = RwSignal::new(0.0);
        let columns = Memo::new(move |_| shown_columns(page, &widths.get()));
        let rows =
            Memo::new(move |_| page.shown.with(|shown| shown.as_ref().map_or(0, |s| s.selected)));
        let window = Memo::new(move |_| Window {
            rows: rows.get(),
            row_height: ROW_HEIGHT,
            height: height.get(),
        });
        let active = RwSignal::new(None);
        Self { page, columns, first: RwSignal::new(0.0), height, widths, active, window }
    }

    /// The widths of all columns, for the style that header and rows share.
    pub(super) fn template(self) -> String {
        let mut template = format!("{NUMBER_WIDTH}px");
        self.columns.with(|columns| {
            for column in columns {
                template.push_str(&format!(" {}px", column.width));
            }
        });
        template
    }

    pub(super) fn resize(self, name: &str, width: f64) {
        self.widths.update(|widths| {
            widths.insert(name.to_owned(), width.max(COLUMN_WIDTH_MIN));
        });
    }
}

fn shown_columns(page: Page, widths: &HashMap<String, f64>) -> Vec<Shown> {
    let Some(schema) = page.schema() else { return Vec::new() };
    let names = page.model.with(|model| {
        let loaded = model.chosen.columns.clone().unwrap_or_default();
        match &model.chosen.row_columns {
            Some(names) => names.iter().filter(|name| loaded.contains(name)).cloned().collect(),
            None => loaded,
        }
    });
    let shown = names.into_iter().filter_map(|name| {
        let kind = schema.column(&name)?.kind;
        let usual = match kind {
            Kind::Boolean => 70.0,
            Kind::Time => 158.0,
            Kind::Text | Kind::Nested | Kind::Vector => 150.0,
            Kind::Number | Kind::Category => COLUMN_WIDTH,
        };
        let width = widths.get(&name).copied().unwrap_or(usual);
        Some(Shown { name, kind, width })
    });
    shown.collect()
}

#[component]
pub(super) fn RowsPanel() -> impl IntoView {
    let page = use_page();
    let grid = Grid::new(page);
    asking::follow(grid);
    let kept = browser::kept("rows-height").and_then(|height| height.parse::<f64>().ok());
    let panel_height = RwSignal::new(kept.unwrap_or(264.0).max(PANEL_HEIGHT_MIN));
    let folded = RwSignal::new(browser::kept("rows-folded").as_deref() == Some("yes"));
    let fold = move |_| {
        folded.update(|folded| *folded = !*folded);
        browser::keep("rows-folded", if folded.get_untracked() { "yes" } else { "no" });
    };
    let title = move || format::counted(grid.window.get().rows, "row");
    view! {
        <section
            class="rows"
            class:folded=move || folded.get()
            aria-label="Rows"
            style:--rows-height=move || format!("{}px", panel_height.get())
        >
            <HeightHandle panel_height/>
            <header class="rows-head">
                <button
                    type="button"
                    class="icon-button fold"
                    aria-expanded=move || (!folded.get()).to_string()
                    aria-label="Show the rows"
                    on:click=fold
                >
                    {Icon::ChevronDown.view()}
                </button>
                <h2>{title}</h2>
                <SortWords page/>
                <div class="spacer"></div>
                <ColumnChooser page/>
            </header>
            <Show when=move || !folded.get()><body::Body grid/></Show>
        </section>
    }
}

/// The upper edge: dragged, or moved by arrows.
#[component]
fn HeightHandle(panel_height: RwSignal<f64>) -> impl IntoView {
    let drag = StoredValue::new(None::<(f64, f64)>);
    let most = || window().inner_height().ok().and_then(|h| h.as_f64()).unwrap_or(900.0) * 0.8;
    let set = move |height: f64| {
        let height = height.clamp(PANEL_HEIGHT_MIN, most().max(PANEL_HEIGHT_MIN));
        panel_height.set(height);
        browser::keep("rows-height", &format!("{height:.0}"));
    };
    let on_down = move |event: PointerEvent| {
        capture(&event);
        drag.set_value(Some((f64::from(event.client_y()), panel_height.get_untracked())));
    };
    let on_move = move |event: PointerEvent| {
        if let Some((from, before)) = drag.get_value() {
            set(before + from - f64::from(event.client_y()));
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowUp" => PANEL_HEIGHT_STEP,
            "ArrowDown" => -PANEL_HEIGHT_STEP,
            _ => return,
        };
        event.prevent_default();
        set(panel_height.get_untracked() + by);
    };
    view! {
        <div
            class="height-handle"
            role="separator"
            aria-orientation="horizontal"
            aria-label="Height of the rows"
            aria-valuenow=move || format!("{:.0}", panel_height.get())
            tabindex="0"
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=move |_| drag.set_value(None)
            on:pointercancel=move |_| drag.set_value(None)
            on:keydown=on_key
        ></div>
    }
}

#[component]
fn SortWords(page: Page) -> impl IntoView {
    let order = Memo::new(move |_| page.model.with(|model| model.chosen.order_by.clone()));
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
                title="Back to the table's own order"
                on:click=move |_| page.dispatch(Command::SortRows { order_by: Vec::new() })
            >
                {words} {Icon::Cancel.view()}
            </button>
        </Show>
    }
}

#[component]
fn ColumnChooser(page: Page) -> impl IntoView {
    let open = RwSignal::new(false);
    let loaded = move || page.model.with(|model| model.chosen.columns.clone()).unwrap_or_default();
    let shown =
        move || page.model.with(|model| model.chosen.row_columns.clone()).unwrap_or_else(loaded);
    let toggle = move |name: &str| {
        let mut names = untrack(shown);
        match names.iter().position(|known| known == name) {
            Some(at) => drop(names.remove(at)),
            None => names.push(name.to_owned()),
        }
        // In the order of the load, and nothing special to remember where all are shown.
        let loaded = untrack(loaded);
        let columns: Vec<String> =
            loaded.iter().filter(|name| names.contains(name)).cloned().collect();
        let columns = (columns != loaded).then_some(columns);
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
    view! {
        <Popover
            label="Columns of the rows"
            open=open
            button_class="button small"
            panel_class="chooser-panel"
            at_end=true
            button=|| view! { {Icon::Columns.view()} <span>"Columns"</span> }
        >
            <ul class="chooser">{items}</ul>
        </Popover>
    }
}
