//! The names of the columns: a click sorts, with Shift by one more; an edge is dragged to
//! size a column.

use engine::query::{Nulls, OrderKey};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, MouseEvent, PointerEvent};

use super::{Grid, Shown};
use crate::page::ui::brush::capture;
use crate::page::ui::icon::Icon;
use crate::state::command::Command;

const WIDTH_STEP: f64 = 12.0;

#[component]
pub(super) fn Header(grid: Grid) -> impl IntoView {
    let numbered = move || grid.columns.get().into_iter().enumerate().collect::<Vec<_>>();
    view! {
        <div class="grid-head" role="row" aria-rowindex="1" style:grid-template-columns=move || grid.template()>
            <div class="head-cell number" role="columnheader" aria-colindex="1" title="The row's place in the table">"#"</div>
            <For
                each=numbered
                key=|(at, column)| (*at, column.name.clone(), column.kind)
                let:item
            >
                <HeadCell grid at=item.0 column=item.1/>
            </For>
        </div>
    }
}

#[component]
fn HeadCell(grid: Grid, at: usize, column: Shown) -> impl IntoView {
    let page = grid.page;
    let name = StoredValue::new(column.name.clone());
    let key = Memo::new(move |_| {
        name.with_value(|name| {
            page.model.with(|model| {
                let keys = &model.chosen.order_by;
                let at = keys.iter().position(|key| key.column == *name)?;
                keys.get(at).map(|key| (key.descending, (keys.len() > 1).then_some(at + 1)))
            })
        })
    });
    let sort = move |event: MouseEvent| {
        let before = page.model.with_untracked(|model| model.chosen.order_by.clone());
        let order_by = name.with_value(|name| sorted(before, name, event.shift_key()));
        page.dispatch(Command::SortRows { order_by });
    };
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
    view! {
        <div class="head-cell" role="columnheader" aria-colindex=at + 2 aria-sort=aria_sort>
            <button type="button" class="head-button" title="Sort; with Shift by one more" on:click=sort>
                <span class="kind">{Icon::of_kind(column.kind).view()}</span>
                <span class="head-name">{column.name.clone()}</span>
                {sign}
            </button>
            <WidthHandle grid name/>
        </div>
    }
}

/// Ascending, descending, not at all; alone, or with the keys that are there.
fn sorted(mut keys: Vec<OrderKey>, name: &str, add: bool) -> Vec<OrderKey> {
    let before = keys.iter().position(|key| key.column == name);
    let was_descending = before.and_then(|at| keys.get(at)).map(|key| key.descending);
    let next = match was_descending {
        None => Some(false),
        Some(false) => Some(true),
        Some(true) => None,
    };
    let key =
        next.map(|descending| OrderKey { column: name.to_owned(), descending, nulls: Nulls::Last });
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
            name.with_value(|name| grid.resize(name, before + f64::from(event.client_x()) - from));
        }
    };
    let reset = move |_| {
        grid.widths.update(|widths| {
            name.with_value(|name| {
                widths.remove(name);
            })
        });
    };
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => -WIDTH_STEP,
            "ArrowRight" => WIDTH_STEP,
            _ => return,
        };
        event.prevent_default();
        name.with_value(|name| grid.resize(name, untrack(width) + by));
    };
    view! {
        <span
            class="width-handle"
            role="separator"
            aria-orientation="vertical"
            aria-label=move || format!("Width of {}", name.get_value())
            aria-valuenow=move || format!("{:.0}", width())
            tabindex="0"
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=move |_| drag.set_value(None)
            on:pointercancel=move |_| drag.set_value(None)
            on:dblclick=reset
            on:keydown=on_key
        ></span>
    }
}
