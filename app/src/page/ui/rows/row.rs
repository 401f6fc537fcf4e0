//! One row on screen. Its elements stay while the table scrolls and its selection changes, and
//! only what they say becomes something else: see `OnScreenRows`.

use std::ops::Range;

use crate::page::lasting::Derived;
use crate::page::ui::each::Each;
use engine::kind::Kind;
use leptos::prelude::*;

use super::body::{OnScreenRows, cell_id};
use super::cell::cell;
use super::{Grid, Shown};
use crate::state::format;

/// What is known of a row: its number in the table, and its cells as they came.
type Found = Option<(u64, Vec<Option<String>>)>;

#[component]
pub(super) fn RowView(grid: Grid, lane: u64, on_screen: Derived<OnScreenRows>) -> impl IntoView {
    let page = grid.page;
    let row = Derived::new(move |_| on_screen.get().row_in(lane));
    let found = Derived::new(move |_| -> Found {
        page.rows.with(|rows| {
            let rows = rows.as_ref()?;
            let at = usize::try_from(row.get().checked_sub(rows.first)?).ok()?;
            Some((*rows.row_numbers.get(at)?, rows.cells.get(at)?.clone()))
        })
    });
    let selected = Derived::new(move |_| {
        let selected = page.table.selected.get()?;
        selected.rows().contains(&row.get()).then(|| selected.columns())
    });
    let active = Derived::new(move |_| {
        let active = page.table.selected.get()?.active;
        (active.row == row.get()).then_some(active.column)
    });
    let number =
        Derived::new(move |_| found.with(|found| found.as_ref().map(|(number, _)| *number)));
    // The row of the point under the pointer, and the one whose record is open.
    let is_linked = move || {
        let number = number.get();
        number.is_some()
            && page.hovered.with(|hovered| hovered.as_ref().map(|(_, row)| row.row_number))
                == number
    };
    let is_open = move || number.get().is_some() && page.table.record_of.get() == number.get();
    let columns = move || {
        let columns = grid.columns.get();
        let on_screen = grid.on_screen.get().into_iter();
        let shown = on_screen.filter_map(move |at| Some((at, columns.get(at)?.clone())));
        shown.collect::<Vec<_>>()
    };
    let top = move || {
        let window = grid.window.get();
        (row.get() as f64 - window.first_within(grid.first.get())) * window.row_height
    };
    view! {
        <div
            class="grid-row"
            class:odd=move || row.get() % 2 == 1
            class:waiting=move || found.with(Option::is_none)
            class:linked=is_linked
            class:open=is_open
            role="row"
            aria-rowindex=move || row.get() + 2
            style:transform=move || format!("translateY({:.1}px)", top())
        >
            <div class="cell number" role="rowheader" aria-colindex="1">
                {move || number.get().map(format::count)}
            </div>
            <Each each=columns key=|(at, column)| cell_key(*at, column) let:item>
                <CellView grid row found selected active at=item.0 column=item.1/>
            </Each>
        </div>
    }
}

/// All of a column that its cells are made of: they stay while only their texts change.
fn cell_key(at: usize, column: &Shown) -> (usize, String, Kind, Option<u64>) {
    let left = column.is_pinned.then(|| column.left.to_bits());
    (at, column.name.clone(), column.kind, left)
}

#[component]
fn CellView(
    grid: Grid,
    row: Derived<u64>,
    found: Derived<Found>,
    selected: Derived<Option<Range<usize>>>,
    active: Derived<Option<usize>>,
    at: usize,
    column: Shown,
) -> impl IntoView {
    let is_selected = move || selected.with(|s| s.as_ref().is_some_and(|s| s.contains(&at)));
    let left = column.is_pinned.then(|| format!("{}px", column.left));
    let (is_pinned, is_number) = (column.is_pinned, column.kind == Kind::Number);
    // The row's number, and the text, once they are here.
    let content = Derived::new(move |_| {
        let place = grid.places.with(|places| places.get(at).copied().flatten());
        found.with(|found| {
            let (number, cells) = found.as_ref()?;
            Some((*number, cells.get(place?)?.clone()))
        })
    });
    view! {
        <div
            class="cell"
            class:pinned=is_pinned
            class:right=is_number
            class:active=move || active.get() == Some(at)
            class:selected=is_selected
            role="gridcell"
            id=move || cell_id(row.get(), at)
            aria-colindex=at + 2
            aria-selected=move || is_selected().to_string()
            style:grid-column=(at + 2).to_string()
            style:left=left
        >
            {move || content.get().map(|(number, text)| cell(grid, &column, text, number))}
        </div>
    }
}
