//! The rows that pass, in a table of any length: only what is on screen is asked for and
//! made. Parts: [`header`] names, sorts, sizes and moves columns, with [`menu`], [`shape`] and
//! [`fields`] for each; [`body`] scrolls and selects, [`row`] shows; [`asking`] fetches. The
//! [`gallery`] shows their pictures instead.

mod asking;
mod body;
mod cell;
mod fields;
mod gallery;
mod head;
mod header;
mod menu;
mod row;
mod saving;
mod shape;

use std::collections::BTreeMap;

use crate::page::lasting::{Derived, Lasting};
use engine::kind::Kind;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use super::brush::capture;
use super::picture::Lightbox;
use super::record;
use crate::page::browser;
use crate::page::parts::part;
use crate::page::signals::{Page, use_page};
use crate::state::layout::{WIDTH_MAX, WIDTH_MIN};
use crate::state::select::{Bounds, Place, Selected};
use crate::state::window::Window;
use crate::texts;

pub(super) const ROW_HEIGHT: f64 = 24.0;
/// Rows that have pictures.
const PICTURE_HEIGHT: f64 = 52.0;
const HEAD_HEIGHT: f64 = 28.0;
const SHAPE_HEIGHT: f64 = 36.0;
const FIELD_HEIGHT: f64 = 30.0;
const NUMBER_WIDTH: f64 = 76.0;
const COLUMN_WIDTH: f64 = 118.0;
const PANEL_HEIGHT_MIN: f64 = 90.0;
const PANEL_HEIGHT_STEP: f64 = 24.0;
/// What pinned columns may take of the width.
const PINNED_SHARE: f64 = 0.6;
/// Pixels beside the screen that have their cells already.
const BESIDE: f64 = 260.0;

/// A column of the table as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub name: String,
    pub kind: Kind,
    pub is_binary: bool,
    pub width: f64,
    /// Where it begins, from the left.
    pub left: f64,
    pub is_pinned: bool,
}

/// What the parts of the table share.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub page: Page,
    pub columns: Derived<Vec<Shown>>,
    /// The columns that are on screen, or nearly: those that are made.
    pub on_screen: Derived<Vec<usize>>,
    /// Where each column's cell stands in the rows that are here.
    pub places: Derived<Vec<Option<usize>>>,
    /// The first row on screen, and the share of it that is scrolled out.
    pub first: Lasting<f64>,
    pub size: Lasting<(f64, f64)>,
    pub left: Lasting<f64>,
    /// A width that is being dragged.
    pub sizing: Lasting<Option<(String, f64)>>,
    /// How many rows pass.
    pub rows: Derived<u64>,
    /// Rows beside each other: as many as pictures have room, else one.
    pub across: Derived<u64>,
    /// Of lines of so many rows.
    pub window: Derived<Window>,
    /// Digits after the point, by column: as many as were ever seen, so that points stand
    /// under each other and stay there.
    pub digits: Lasting<BTreeMap<String, usize>>,
    /// The row that the keyboard is on, if the record is to follow it.
    pub followed: StoredValue<Option<u64>>,
}

impl Grid {
    fn new(page: Page) -> Self {
        let sizing = Lasting::new(None);
        let size = Lasting::new((0.0, 0.0));
        let left = Lasting::new(0.0);
        let columns = Derived::new(move |_| shown_columns(page, &sizing.get(), size.get().0));
        let on_screen = Derived::new(move |_| {
            let (from, to) = (left.get() - BESIDE, left.get() + size.get().0 + BESIDE);
            // By steps, so that not every pixel makes a new list.
            let (from, to) = ((from / 100.0).floor() * 100.0, (to / 100.0).ceil() * 100.0);
            columns.with(|columns| {
                let near = columns.iter().enumerate().filter(|(_, column)| {
                    column.is_pinned || column.left + column.width > from && column.left < to
                });
                near.map(|(at, _)| at).collect::<Vec<usize>>()
            })
        });
        let places = Derived::new(move |_| {
            page.rows.with(|rows| {
                let here = rows.as_ref().map(|rows| rows.columns.as_slice()).unwrap_or_default();
                let place = |column: &Shown| here.iter().position(|name| *name == column.name);
                columns.with(|columns| columns.iter().map(place).collect::<Vec<_>>())
            })
        });
        let rows = Derived::new(move |_| {
            page.shown.with(|shown| shown.as_ref().map_or(0, |s| s.selected))
        });
        let across = Derived::new(move |_| match gallery::is_shown(page) {
            true => gallery::across(size.get().0),
            false => 1,
        });
        let row_height = Derived::new(move |_| {
            if gallery::is_shown(page) {
                return gallery::TILE_HEIGHT;
            }
            let is_any = page.table.pictured.with(|pictured| {
                columns.with(|columns| columns.iter().any(|c| pictured.contains(&c.name)))
            });
            if is_any { PICTURE_HEIGHT } else { ROW_HEIGHT }
        });
        let window = Derived::new(move |_| Window {
            rows: rows.get().div_ceil(across.get()),
            row_height: row_height.get(),
            height: (size.get().1 - head_height(page)).max(0.0),
        });
        Self {
            page,
            columns,
            on_screen,
            places,
            first: Lasting::new(0.0),
            size,
            left,
            sizing,
            rows,
            across,
            window,
            digits: Lasting::default(),
            followed: StoredValue::new(None),
        }
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

    pub(super) fn total_width(self) -> f64 {
        let last = self.columns.with(|columns| columns.last().map(|last| last.left + last.width));
        last.unwrap_or(NUMBER_WIDTH)
    }

    pub(super) fn bounds(self) -> Bounds {
        let window = self.window.get_untracked();
        let lines = (window.visible().floor() as u64).saturating_sub(1).max(1);
        let page = lines * self.across.get_untracked();
        let columns = self.columns.with_untracked(Vec::len);
        Bounds { rows: self.rows.get_untracked(), columns, page }
    }

    pub(super) fn select(self, selected: Selected) {
        let selected = selected.within(self.bounds());
        let row = selected.map(|selected| selected.active.row);
        let before = self.page.table.selected.get_untracked().map(|before| before.active.row);
        self.page.table.selected.set(selected);
        // An open record goes along.
        if row != before && self.page.table.record_of.with_untracked(Option::is_some) {
            self.followed.set_value(row);
            self.follow_record();
        }
    }

    /// The number of a row in the table, if it is here.
    pub(super) fn number_at(self, place: u64) -> Option<u64> {
        self.page.rows.with(|rows| {
            let rows = rows.as_ref()?;
            let at = usize::try_from(place.checked_sub(rows.first)?).ok()?;
            rows.row_numbers.get(at).copied()
        })
    }

    /// Opens the record of the row that the keyboard is on as soon as its number is known.
    pub(super) fn follow_record(self) {
        if let Some(place) = self.followed.get_value()
            && let Some(number) = untrack(|| self.number_at(place))
        {
            self.followed.set_value(None);
            self.page.show_record(Some(number));
        }
    }
}

/// The height of all that stands over the rows.
pub(super) fn head_height(page: Page) -> f64 {
    if gallery::is_shown(page) {
        return 0.0;
    }
    let shape = if page.table.profiles.get() { SHAPE_HEIGHT } else { 0.0 };
    let field = if page.table.filter_row.get() { FIELD_HEIGHT } else { 0.0 };
    HEAD_HEIGHT + shape + field
}

fn shown_columns(page: Page, sizing: &Option<(String, f64)>, width: f64) -> Vec<Shown> {
    let Some(schema) = page.schema() else { return Vec::new() };
    let names = page.row_columns();
    let layout = page.model.with(|model| model.chosen.row_layout.clone());
    let mut left = NUMBER_WIDTH;
    let shown = names.into_iter().filter_map(|name| {
        let info = schema.column(&name)?;
        let usual = match info.kind {
            Kind::Boolean => 84.0,
            Kind::Time => 158.0,
            Kind::Text | Kind::Nested | Kind::Vector => 160.0,
            Kind::Number | Kind::Category => COLUMN_WIDTH,
        };
        // A name is read whole, as far as it is not a sentence.
        let usual = usual.max((name.chars().count() as f64).mul_add(7.4, 46.0).min(190.0));
        let own = match sizing {
            Some((sized, width)) if *sized == name => {
                Some(width.clamp(f64::from(WIDTH_MIN), f64::from(WIDTH_MAX)))
            }
            _ => layout.widths.get(&name).map(|width| f64::from(*width)),
        };
        let own = own.unwrap_or(usual);
        // Pinned columns that would cover the others scroll with them.
        let is_pinned = layout.is_pinned(&name) && left + own <= width * PINNED_SHARE;
        let is_binary = info.data_type.contains("Binary");
        let shown = Shown { kind: info.kind, is_binary, width: own, left, is_pinned, name };
        left += own;
        Some(shown)
    });
    shown.collect()
}

#[component]
pub(super) fn RowsPanel() -> impl IntoView {
    let page = use_page();
    let grid = Grid::new(page);
    asking::follow(grid);
    asking::look(grid);
    let kept = browser::kept("rows-height").and_then(|height| height.parse::<f64>().ok());
    let panel_height = Lasting::new(kept.unwrap_or(264.0).max(PANEL_HEIGHT_MIN));
    let is_gallery = Derived::new(move |_| gallery::is_shown(page));
    let folded = Lasting::new(browser::kept("rows-folded").as_deref() == Some("yes"));
    // Another row is one further down, or up, of those that are shown.
    let step = Callback::new(move |by: i64| {
        let selected = page.table.selected.get_untracked();
        let at = selected.map(|selected| selected.active).unwrap_or_default();
        let row = at.row.saturating_add_signed(by);
        body::go_to(grid, Selected::one(Place { row, ..at }));
    });
    view! {
        <section
            class="rows"
            class:folded=move || folded.get()
            aria-label=texts::rows::PANEL
            style:--rows-height=move || format!("{}px", panel_height.get())
        >
            <HeightHandle panel_height/>
            <head::Head grid folded/>
            <Show when=move || !folded.get()>
                <div class="rows-body">
                    <div class="rows-grid">
                        {move || match is_gallery.get() {
                            true => part(move || gallery::gallery(grid)),
                            false => view! { <body::Body grid/> }.into_any(),
                        }}
                    </div>
                    <record::RecordPanel step/>
                </div>
            </Show>
            <Lightbox/>
        </section>
    }
}

/// The upper edge: dragged, or moved by arrows.
#[component]
fn HeightHandle(panel_height: Lasting<f64>) -> impl IntoView {
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
            aria-label=texts::rows::HEIGHT
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
