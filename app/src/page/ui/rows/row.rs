//! One row on screen: made when it comes into sight, and kept while it moves.

use std::ops::Range;

use engine::kind::Kind;
use leptos::prelude::*;

use super::Grid;
use super::body::cell_id;
use super::cell::Cell;
use crate::state::format;

/// What is known of a row: its number in the table, and its cells as they came.
type Found = Option<(u64, Vec<Option<String>>)>;

#[component]
pub(super) fn RowView(grid: Grid, row: u64) -> impl IntoView {
    let page = grid.page;
    let found = Memo::new(move |_| -> Found {
        page.rows.with(|rows| {
            let rows = rows.as_ref()?;
            let at = usize::try_from(row.checked_sub(rows.first)?).ok()?;
            Some((*rows.row_numbers.get(at)?, rows.cells.get(at)?.clone()))
        })
    });
    let selected = Memo::new(move |_| {
        let selected = page.table.selected.get()?;
        selected.rows().contains(&row).then(|| selected.columns())
    });
    let active = Memo::new(move |_| {
        let active = page.table.selected.get()?.active;
        (active.row == row).then_some(active.column)
    });
    let number = Memo::new(move |_| found.with(|found| found.as_ref().map(|(number, _)| *number)));
    // The row of the point under the pointer, and the one whose record is open.
    let is_linked = move || {
        let number = number.get();
        number.is_some()
            && page.hovered.with(|hovered| hovered.as_ref().map(|(_, row)| row.row_number))
                == number
    };
    let is_open = move || number.get().is_some() && page.table.record_of.get() == number.get();
    let cells = move || cells(grid, row, found, selected, active);
    let top = move || {
        let window = grid.window.get();
        (row as f64 - window.first_within(grid.first.get())) * window.row_height
    };
    view! {
        <div
            class="grid-row"
            class:odd=row % 2 == 1
            class:waiting=move || found.with(Option::is_none)
            class:linked=is_linked
            class:open=is_open
            role="row"
            aria-rowindex=row + 2
            style:transform=move || format!("translateY({:.1}px)", top())
        >
            <div class="cell number" role="rowheader" aria-colindex="1">
                {move || number.get().map(format::count)}
            </div>
            {cells}
        </div>
    }
}

/// The cells of a row that are on screen, or nearly.
fn cells(
    grid: Grid,
    row: u64,
    found: Memo<Found>,
    selected: Memo<Option<Range<usize>>>,
    active: Memo<Option<usize>>,
) -> impl IntoView + use<> {
    let columns = grid.columns.get();
    let places = grid.places.get();
    let on_screen = grid.on_screen.get();
    found.with(|found| {
        let cells = on_screen.into_iter().filter_map(|at| {
            let column = columns.get(at)?.clone();
            let place = places.get(at).copied().flatten();
            let text = found.as_ref().zip(place).and_then(|((_, cells), at)| cells.get(at));
            let text = text.cloned();
            let is_number = column.kind == Kind::Number;
            let is_pinned = column.is_pinned;
            let left = is_pinned.then(|| format!("{}px", column.left));
            let number = found.as_ref().map_or(0, |(number, _)| *number);
            Some(view! {
                <div
                    class="cell"
                    class:pinned=is_pinned
                    class:right=is_number
                    class:active=move || active.get() == Some(at)
                    class:selected=move || selected.with(|s| s.as_ref().is_some_and(|s| s.contains(&at)))
                    role="gridcell"
                    id=cell_id(row, at)
                    aria-colindex=at + 2
                    aria-selected=move || selected.with(|s| s.as_ref().is_some_and(|s| s.contains(&at))).to_string()
                    style:grid-column=(at + 2).to_string()
                    style:left=left
                >
                    <Cell grid column text number/>
                </div>
            })
        });
        cells.collect_view()
    })
}
