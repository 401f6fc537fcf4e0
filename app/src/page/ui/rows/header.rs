//! The names of the columns: a click sorts, with Shift by one more; a drag moves a column, a
//! drag of its edge sizes it, and keys do the same. Under each name its shape and the field of
//! its filter, if they are shown.

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use engine::query::{Nulls, OrderKey};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, MouseEvent, PointerEvent};

use super::fields::field;
use super::menu::ColumnMenu;
use super::shape::ShapeButton;
use super::{Grid, NUMBER_WIDTH, Shown};
use crate::page::browser;
use crate::page::parts::part;
use crate::page::ui::brush::capture;
use crate::page::ui::icon::Icon;
use crate::state::command::Command;
use crate::state::layout::{WIDTH_MAX, WIDTH_MIN};
use crate::texts;

const WIDTH_STEP: f64 = 12.0;
/// Pixels that a press may move without being a drag.
const STILL: f64 = 5.0;

/// A column that is dragged, and before which one it would come to stand.
pub(super) type Moving = Lasting<Option<(String, usize)>>;

#[component]
pub(super) fn Header(grid: Grid) -> impl IntoView {
    let moving = Moving::new(None);
    let shown = move || {
        let columns = grid.columns.get();
        let on_screen = grid.on_screen.get();
        on_screen.into_iter().filter_map(move |at| columns.get(at).cloned()).collect::<Vec<_>>()
    };
    let mark = move || {
        let (_, to) = moving.get()?;
        let left = grid.columns.with(|columns| {
            let left = columns.get(to).map(|column| column.left);
            left.or_else(|| columns.last().map(|last| last.left + last.width))
        });
        Some(view! { <div class="move-mark" style:left=format!("{}px", left?)></div> })
    };
    view! {
        <div class="grid-head" role="row" aria-rowindex="1">
            <div class="head-cell number" role="columnheader" aria-colindex="1" title=texts::rows::NUMBER_HINT>"#"</div>
            <Each
                each=shown
                key=|column| (column.name.clone(), column.kind)
                let:column
            >
                <HeadCell grid column moving/>
            </Each>
            {mark}
        </div>
    }
}

#[component]
fn HeadCell(grid: Grid, column: Shown, moving: Moving) -> impl IntoView {
    let page = grid.page;
    let name = StoredValue::new(column.name.clone());
    let own = Derived::new(move |_| {
        grid.columns.with(|columns| {
            let at = name.with_value(|name| columns.iter().position(|c| c.name == *name))?;
            columns.get(at).map(|column| (at, column.is_pinned.then_some(column.left)))
        })
    });
    let at = move || own.get().map_or(0, |(at, _)| at);
    let pinned = move || own.get().and_then(|(_, left)| left);
    let key = Derived::new(move |_| {
        name.with_value(|name| {
            page.model.with(|model| {
                let keys = &model.chosen.order_by;
                let at = keys.iter().position(|key| key.column == *name)?;
                keys.get(at).map(|key| (key.descending, (keys.len() > 1).then_some(at + 1)))
            })
        })
    });
    let aria_sort = move || match key.get() {
        Some((true, _)) => "descending",
        Some((false, _)) => "ascending",
        None => "none",
    };
    let sign = move || {
        key.get().map(|(descending, place)| {
            let icon = if descending { Icon::Down } else { Icon::Up };
            view! { <span class="sort-sign">{icon.view()} {place}</span> }
        })
    };
    let menu_open = Lasting::new(false);
    // Not with the press that the browser tells of first: its end would close the menu.
    let open_menu = move |event: MouseEvent| {
        if event.button() == 2 {
            menu_open.set(true);
        }
    };
    let is_moving =
        move || moving.with(|m| m.as_ref().is_some_and(|(n, _)| name.with_value(|own| own == n)));
    view! {
        <div
            class="head-cell"
            class:pinned=move || pinned().is_some()
            class:moving=is_moving
            role="columnheader"
            aria-colindex=move || at() + 2
            aria-sort=aria_sort
            style:grid-column=move || (at() + 2).to_string()
            style:left=move || pinned().map(|left| format!("{left}px"))
            on:contextmenu=move |event| event.prevent_default()
            on:auxclick=open_menu
        >
            <div class="head-line">
                <NameButton grid name moving menu_open sign=ViewFn::from(sign) kind=column.kind/>
                <WidthHandle grid name/>
                <ColumnMenu grid name open=menu_open/>
            </div>
            <Show when=move || page.table.profiles.get()><ShapeButton grid name/></Show>
            <Show when=move || page.table.filter_row.get()>{part(move || field(grid, name))}</Show>
        </div>
    }
}

/// The name: pressed it sorts, dragged it moves its column.
#[component]
fn NameButton(
    grid: Grid,
    name: StoredValue<String>,
    moving: Moving,
    menu_open: Lasting<bool>,
    sign: ViewFn,
    kind: engine::kind::Kind,
) -> impl IntoView {
    let page = grid.page;
    let drag = StoredValue::new(None::<f64>);
    // The click that ends a drag is none.
    let was_dragged = StoredValue::new(false);
    let on_down = move |event: PointerEvent| {
        was_dragged.set_value(false);
        if event.button() == 0 && event.pointer_type() != "touch" {
            drag.set_value(Some(f64::from(event.client_x())));
        }
    };
    let on_move = move |event: PointerEvent| {
        let Some(from) = drag.get_value() else { return };
        let x = f64::from(event.client_x());
        if !was_dragged.get_value() {
            if (x - from).abs() < STILL {
                return;
            }
            was_dragged.set_value(true);
            capture(&event);
        }
        moving.set(Some((name.get_value(), gap_at(grid, x))));
    };
    let on_up = move |_| {
        drag.set_value(None);
        // The click that ends a drag comes right after this.
        let forget = move || {
            was_dragged.try_set_value(false);
        };
        set_timeout(forget, std::time::Duration::ZERO);
        let Some((column, gap)) = moving.get_untracked() else { return };
        moving.set(None);
        let from = place_of(grid, &column).unwrap_or(gap);
        // Taken out where it was, what follows it comes nearer.
        let to = if gap > from { gap - 1 } else { gap };
        if to != from {
            page.dispatch(Command::MoveRowColumn { column, to });
        }
    };
    let on_cancel = move |_| {
        drag.set_value(None);
        moving.set(None);
    };
    let sort = move |event: MouseEvent| {
        if was_dragged.get_value() {
            return was_dragged.set_value(false);
        }
        let before = page.model.with_untracked(|model| model.chosen.order_by.clone());
        let order_by = name.with_value(|name| sorted(before, name, event.shift_key()));
        page.dispatch(Command::SortRows { order_by });
    };
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" if event.alt_key() => return menu_open.set(true),
            "ContextMenu" | "F10" if event.key() == "ContextMenu" || event.shift_key() => {
                event.prevent_default();
                return menu_open.set(true);
            }
            "Escape" if moving.with_untracked(Option::is_some) => return on_cancel(event),
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            _ => return,
        };
        if event.shift_key() && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            move_by(grid, &name.get_value(), by);
        }
    };
    let id = move || format!("name-{}", name.get_value());
    view! {
        <button
            type="button"
            class="head-button"
            id=id
            title=texts::rows::NAME_HINT
            aria-keyshortcuts="Shift+F10 Control+Shift+ArrowLeft Control+Shift+ArrowRight"
            on:click=sort
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=on_up
            on:pointercancel=move |_| { drag.set_value(None); moving.set(None) }
            on:keydown=on_key
        >
            <span class="kind">{Icon::of_kind(kind).view()}</span>
            <span class="head-name">{name.get_value()}</span>
            {move || sign.run()}
        </button>
    }
}

fn place_of(grid: Grid, column: &str) -> Option<usize> {
    grid.columns.with_untracked(|columns| columns.iter().position(|c| c.name == column))
}

/// Moves a column by places; the focus stays on its name.
pub(super) fn move_by(grid: Grid, column: &str, by: isize) {
    let Some(from) = place_of(grid, column) else { return };
    let to = from.saturating_add_signed(by);
    grid.page.dispatch(Command::MoveRowColumn { column: column.to_owned(), to });
    let id = format!("name-{column}");
    request_animation_frame(move || {
        use wasm_bindgen::JsCast;
        let button = document().get_element_by_id(&id);
        if let Some(button) = button.and_then(|button| button.dyn_into().ok()) {
            browser::focus_soon(button);
        }
    });
}

/// Before which column a place of the screen is.
fn gap_at(grid: Grid, x: f64) -> usize {
    let head = document().get_element_by_id("rows-grid");
    let left = head.map_or(0.0, |head| head.get_bounding_client_rect().left());
    let x = (x - left).max(NUMBER_WIDTH);
    let scrolled = grid.left.get_untracked();
    grid.columns.with_untracked(|columns| {
        let middle = |column: &Shown| {
            let left = if column.is_pinned { column.left } else { column.left - scrolled };
            left + column.width / 2.0
        };
        columns.iter().position(|column| x < middle(column)).unwrap_or(columns.len())
    })
}

/// Ascending, descending, not at all; alone, or with the keys that are there.
fn sorted(keys: Vec<OrderKey>, name: &str, add: bool) -> Vec<OrderKey> {
    let before = keys.iter().find(|key| key.column == name).map(|key| key.descending);
    let next = match before {
        None => Some(false),
        Some(false) => Some(true),
        Some(true) => None,
    };
    with_key(keys, name, next, add)
}

/// The keys with one of a column in a direction, or without it; alone, or with those that are
/// there.
pub(super) fn with_key(
    mut keys: Vec<OrderKey>,
    name: &str,
    descending: Option<bool>,
    add: bool,
) -> Vec<OrderKey> {
    let before = keys.iter().position(|key| key.column == name);
    let key = descending.map(|descending| OrderKey {
        column: name.to_owned(),
        descending,
        nulls: Nulls::Last,
    });
    if !add {
        return key.into_iter().collect();
    }
    match (before, key) {
        (Some(at), Some(key)) => {
            if let Some(place) = keys.get_mut(at) {
                *place = key;
            }
        }
        (Some(at), None) => drop(keys.remove(at)),
        (None, Some(key)) => keys.push(key),
        (None, None) => {}
    }
    keys
}

#[component]
fn WidthHandle(grid: Grid, name: StoredValue<String>) -> impl IntoView {
    let drag = StoredValue::new(None::<(f64, f64)>);
    let width = move || {
        grid.columns.with(|columns| {
            let own = name.with_value(|name| {
                columns.iter().find(|column| column.name == *name).map(|c| c.width)
            });
            own.unwrap_or(0.0)
        })
    };
    let on_down = move |event: PointerEvent| {
        event.stop_propagation();
        capture(&event);
        drag.set_value(Some((f64::from(event.client_x()), untrack(width))));
    };
    let on_move = move |event: PointerEvent| {
        if let Some((from, before)) = drag.get_value() {
            let width = before + f64::from(event.client_x()) - from;
            grid.sizing.set(Some((name.get_value(), width)));
        }
    };
    let on_up = move |_| {
        drag.set_value(None);
        if let Some((name, width)) = grid.sizing.get_untracked() {
            size(grid, &name, width);
            grid.sizing.set(None);
        }
    };
    let on_cancel = move |_| {
        drag.set_value(None);
        grid.sizing.set(None);
    };
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => -WIDTH_STEP,
            "ArrowRight" => WIDTH_STEP,
            "Enter" => {
                event.prevent_default();
                return name.with_value(|name| fit(grid, name));
            }
            _ => return,
        };
        event.prevent_default();
        name.with_value(|name| size(grid, name, untrack(width) + by));
    };
    view! {
        <span
            class="width-handle"
            role="separator"
            aria-orientation="vertical"
            aria-label=move || texts::rows::width_of(&name.get_value())
            aria-valuenow=move || format!("{:.0}", width())
            title=texts::rows::WIDTH_HINT
            tabindex="0"
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=on_up
            on:pointercancel=on_cancel
            on:dblclick=move |_| name.with_value(|name| fit(grid, name))
            on:keydown=on_key
        ></span>
    }
}

fn size(grid: Grid, column: &str, width: f64) {
    let width = width.clamp(f64::from(WIDTH_MIN), f64::from(WIDTH_MAX)) as u16;
    grid.page.dispatch(Command::SizeRowColumn { column: column.to_owned(), width: Some(width) });
}

/// As wide as the longest of what is on screen, its name among it.
pub(super) fn fit(grid: Grid, column: &str) {
    let Some(at) = place_of(grid, column) else { return };
    let widest = |what: &str, around: f64| {
        let selector = format!("#rows-grid {}", what.replace('N', &(at + 2).to_string()));
        browser::widest_content(&selector).map(|width| width + around)
    };
    let cells = widest(".cell[aria-colindex=\"N\"] > *", 20.0);
    let name = widest(".head-cell[aria-colindex=\"N\"] .head-name", 58.0);
    if let Some(widest) = cells.into_iter().chain(name).reduce(f64::max) {
        size(grid, column, widest.ceil());
    }
}
