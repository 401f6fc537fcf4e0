//! The pictures of the rows that pass, in lines as wide as the table: only those on screen
//! are made. Rows, order, selection and scrolling are the table's own.

use engine::kind::Kind;
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, WheelEvent};

use super::Grid;
use super::body::{self, GRID_ID, cell_id};
use crate::page::browser;
use crate::page::lasting::Derived;
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::signals::Page;
use crate::page::ui::each::Each;
use crate::page::ui::picture::Picture;
use crate::protocol::table::TableRequest;
use crate::state::format;
use crate::state::select::{Place, Selected};
use crate::texts;

pub(super) const TILE_HEIGHT: f64 = 168.0;
const TILE_WIDTH: f64 = 144.0;
/// Values under a picture.
const CAPTIONS: usize = 2;

/// Whether pictures stand in place of the rows: wanted, and there.
pub(super) fn is_shown(page: Page) -> bool {
    page.table.gallery.get() && page.picture_column().is_some()
}

/// Pictures beside each other in so many pixels.
pub(super) fn across(width: f64) -> u64 {
    (width / TILE_WIDTH).floor().max(1.0) as u64
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn gallery(grid: Grid) -> Fetched {
    made(move || view! { <Gallery grid/> })
}

#[component]
fn Gallery(grid: Grid) -> impl IntoView {
    let page = grid.page;
    let scroller = NodeRef::<html::Div>::new();
    browser::observe_size(scroller, move |width, height| {
        grid.size.try_set((width, height));
    });
    body::keep_within(grid);
    body::begin(grid);
    let on_screen = Derived::new(move |_| {
        let (window, across) = (grid.window.get(), grid.across.get());
        let first = window.first_within(grid.first.get());
        let to = (first + window.visible()).ceil() as u64;
        (first.floor() as u64 * across, (to * across).min(grid.rows.get()))
    });
    let tiles = move || {
        let (from, to) = on_screen.get();
        from..to
    };
    let column = Derived::new(move |_| page.picture_column().map(|column| column.name));
    let active = Derived::new(move |_| page.table.selected.get().map(|all| all.active.row));
    view! {
        <div
            class="grid gallery"
            id=GRID_ID
            node_ref=scroller
            role="listbox"
            tabindex="0"
            aria-label=texts::rows::PICTURES
            aria-activedescendant=move || active.get().map(|row| cell_id(row, 0))
            on:scroll=move |_| body::scrolled(grid)
            on:wheel=move |event: WheelEvent| body::wheeled(grid, &event)
            on:keydown=move |event| keyed(grid, &event)
            on:pointerleave=move |_| light(page, None)
        >
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", grid.window.get().content_height().max(1.0))>
                <div class="gallery-tiles" role="presentation" style:height=move || format!("{}px", grid.window.get().height)>
                    {move || column.get().map(|column| view! {
                        <Each each=tiles key=|place| *place let:place>
                            <Tile grid place column=column.clone() active/>
                        </Each>
                    })}
                </div>
            </div>
        </div>
    }
}

/// What is known of a row: its number, what its cell says of the picture, and its captions.
type Found = Option<(u64, Option<Option<String>>, Vec<String>)>;

#[component]
fn Tile(grid: Grid, place: u64, column: String, active: Derived<Option<u64>>) -> impl IntoView {
    let page = grid.page;
    let of = column.clone();
    let found = Derived::new(move |_| found(grid, place, &of));
    let number =
        Derived::new(move |_| found.with(|found| found.as_ref().map(|(number, ..)| *number)));
    let picture = Derived::new(move |_| {
        found.with(|found| found.as_ref().map(|(number, text, _)| (*number, text.clone())))
    });
    let captions = Derived::new(move |_| found.get().map(|(.., captions)| captions));
    let position = move || {
        let (window, across) = (grid.window.get(), grid.across.get());
        let width = grid.size.get().0 / across as f64;
        let line = (place / across) as f64 - window.first_within(grid.first.get());
        let left = (place % across) as f64 * width;
        let top = line * window.row_height;
        format!("width:{width:.1}px;transform:translate({left:.1}px,{top:.1}px)")
    };
    let open = move |_| {
        body::go_to(grid, Selected::one(Place { row: place, column: 0 }));
        body::open_record(grid);
    };
    let is_open = move || number.get().is_some() && page.table.record_of.get() == number.get();
    let image = move || match picture.get() {
        None => view! { <span class="no-picture">"…"</span> }.into_any(),
        // The row has none.
        Some((_, Some(None))) => {
            view! { <i class="null">{texts::rows::WITHOUT_PICTURE}</i> }.into_any()
        }
        Some((row, text)) => {
            let column = column.clone();
            view! { <Picture column row text=text.flatten()/> }.into_any()
        }
    };
    let caption = move || {
        let words = captions.get().unwrap_or_default();
        words.into_iter().map(|text| view! { <span>{text}</span> }).collect_view()
    };
    view! {
        <figure
            class="gallery-tile"
            class:active=move || active.get() == Some(place)
            class:open=is_open
            role="option"
            id=cell_id(place, 0)
            aria-selected=move || (active.get() == Some(place)).to_string()
            style=position
            on:click=open
            on:pointerenter=move |_| light(page, number.get_untracked())
        >
            <div class="gallery-picture">{image}</div>
            <figcaption>
                {caption}
                <small>{move || number.get().map(|number| format!("#{}", format::count(number)))}</small>
            </figcaption>
        </figure>
    }
}

fn found(grid: Grid, place: u64, column: &str) -> Found {
    grid.page.rows.with(|rows| {
        let rows = rows.as_ref()?;
        let at = usize::try_from(place.checked_sub(rows.first)?).ok()?;
        let (number, cells) = (*rows.row_numbers.get(at)?, rows.cells.get(at)?);
        let cell = |name: &str| {
            let at = rows.columns.iter().position(|known| known == name)?;
            cells.get(at).cloned()
        };
        let captions = captions(grid, column);
        let captions = captions.iter().filter_map(|name| cell(name).flatten());
        Some((number, cell(column), captions.collect()))
    })
}

/// The columns whose values stand under the pictures: those that the rows are sorted by, and
/// the first that have names.
fn captions(grid: Grid, picture: &str) -> Vec<String> {
    let sorted = grid.page.model.with(|model| {
        let keys = model.chosen.order_by.iter().map(|key| key.column.clone());
        keys.collect::<Vec<_>>()
    });
    grid.columns.with(|columns| {
        let named = columns.iter().filter(|column| {
            matches!(column.kind, Kind::Category | Kind::Text | Kind::Boolean)
                && !grid.page.table.pictured.with(|pictured| pictured.contains(&column.name))
        });
        let mut names = sorted;
        for column in named {
            if !names.contains(&column.name) {
                names.push(column.name.clone());
            }
        }
        names.retain(|name| name != picture);
        names.truncate(CAPTIONS);
        names
    })
}

/// The points of the row under the pointer are lit in the scatters.
fn light(page: Page, row: Option<u64>) {
    if page.table.lit.get_value() != row {
        page.table.lit.set_value(row);
        page.send_table(TableRequest::Point { row });
    }
}

fn keyed(grid: Grid, event: &KeyboardEvent) {
    let page = grid.page;
    if event.alt_key() || event.ctrl_key() || event.meta_key() {
        return;
    }
    let is_record_open = page.table.record_of.with_untracked(Option::is_some);
    let row = page.table.selected.get_untracked().map_or(0, |all| all.active.row);
    let across = grid.across.get_untracked();
    let lines = grid.window.get_untracked().visible().floor().max(1.0) as u64;
    let last = grid.rows.get_untracked().saturating_sub(1);
    let to = match event.key().as_str() {
        "Enter" | " " if !is_record_open => {
            event.prevent_default();
            return body::open_record(grid);
        }
        "Escape" | "Enter" | " " if is_record_open => {
            event.prevent_default();
            return page.show_record(None);
        }
        "ArrowRight" => row + 1,
        "ArrowLeft" => row.saturating_sub(1),
        "ArrowDown" => row + across,
        "ArrowUp" => row.checked_sub(across).unwrap_or(row),
        "PageDown" => row + across * lines,
        "PageUp" => row.saturating_sub(across * lines),
        "Home" => 0,
        "End" => last,
        _ => return,
    };
    event.prevent_default();
    body::go_to(grid, Selected::one(Place { row: to.min(last), column: 0 }));
}
