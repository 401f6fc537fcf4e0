//! Which rows are asked for, and when: those on screen and some more, at most once a
//! frame, and not before the last answer, unless that takes long. And of which columns the
//! shapes are wanted.

use std::time::Duration;

use crate::page::lasting::Derived;
use engine::kind::Kind;
use engine::query::OrderKey;
use leptos::prelude::*;

use super::{Grid, gallery};
use crate::page::browser::{self, OnceAFrame};
use crate::page::signals::{Page, WorkerState};
use crate::protocol::table::TableRequest;
use crate::protocol::{Origin, Request, Rows};
use crate::state::pictures::source;

const PATIENCE_MILLIS: f64 = 200.0;
/// More columns than these are asked for as they come into sight.
const COLUMNS_MAX: usize = 48;
/// Digits after the point that are set under each other.
const DIGITS_MAX: usize = 6;

/// Everything an answer depends on. Two that are equal have the same answer.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    order_by: Vec<OrderKey>,
    columns: Vec<String>,
    first: u64,
    count: u32,
    /// The views that it stands beside, and the worker that it is of.
    answer: u64,
    epoch: u32,
}

#[derive(Default)]
struct Asked {
    request: u64,
    since: f64,
    answered: bool,
    what: Option<Wanted>,
}

pub(super) fn follow(grid: Grid) {
    let page = grid.page;
    let names = named(grid);
    let is_far =
        move || page.shown.with(|shown| shown.as_ref().is_some_and(|s| s.origin == Origin::Server));
    let wanted = Derived::new(move |before: Option<&Option<Wanted>>| {
        // The steps of a brush over a table elsewhere are too quick for the companion's rows.
        let (answer, is_step) =
            page.shown.with(|shown| shown.as_ref().map(|s| (s.answer, s.is_step())))?;
        if let Some(before) = before.filter(|_| is_step) {
            return before.clone();
        }
        let window = grid.window.get();
        let (first, count) = window.wanted(window.first_within(grid.first.get()), is_far());
        let across = grid.across.get();
        let count = (u64::from(count) * across).min(grid.rows.get().saturating_sub(first * across));
        let (first, count) = (first * across, u32::try_from(count).unwrap_or(u32::MAX));
        let columns = names.get();
        let order_by = page.model.with(|model| model.chosen.order_by.clone());
        let epoch = page.worker.with(WorkerState::epoch);
        (window.height > 0.0 && count > 0 && !columns.is_empty()).then_some(Wanted {
            order_by,
            columns,
            first,
            count,
            answer,
            epoch,
        })
    });
    let asked = StoredValue::new(Asked { answered: true, ..Asked::default() });
    let ask = move || {
        let Some(Some(what)) = wanted.try_get_untracked() else { return };
        let request = asked.try_update_value(|asked| {
            let now = browser::now();
            let patient = !asked.answered && now - asked.since < PATIENCE_MILLIS;
            if patient || asked.what.as_ref() == Some(&what) {
                return None;
            }
            asked.request += 1;
            asked.since = now;
            asked.answered = false;
            asked.what = Some(what.clone());
            Some(asked.request)
        });
        if let Some(Some(request)) = request {
            let Wanted { order_by, columns, first, count, .. } = what;
            page.link.send(&Request::Rows { request, order_by, columns, first, count });
        }
    };
    let once_a_frame = StoredValue::new_local(OnceAFrame::new(ask));
    let ask_soon = move || once_a_frame.with_value(OnceAFrame::ask);
    Effect::new(move |_| {
        if wanted.with(Option::is_some) {
            ask_soon();
            // Should the last answer never come, this one is asked all the same.
            set_timeout(ask, Duration::from_millis(PATIENCE_MILLIS as u64 + 20));
        }
    });
    Effect::new(move |_| {
        let request = page.rows.with(|rows| rows.as_ref().map(|rows| rows.request));
        let is_last = asked.try_update_value(|asked| {
            let is_last = request == Some(asked.request);
            asked.answered |= is_last;
            is_last
        });
        if is_last == Some(true) {
            ask_soon();
        }
    });
    want_shapes(grid);
}

/// What else happens when rows are here.
pub(super) fn look(grid: Grid) {
    Effect::new(move |_| {
        grid.page.rows.with(|rows| {
            if let Some(rows) = rows {
                look_at(grid, rows);
            }
        });
        grid.follow_record();
    });
}

/// What of an answer the look of columns depends on.
fn look_at(grid: Grid, rows: &Rows) {
    grid.columns.with_untracked(|columns| {
        for column in columns {
            let Some(at) = rows.columns.iter().position(|name| *name == column.name) else {
                continue;
            };
            let cells = rows.cells.iter().filter_map(|row| row.get(at)?.as_deref());
            match column.kind {
                Kind::Number => {
                    let longest = cells.filter_map(fraction).map(str::len).max().unwrap_or(0);
                    let known = grid.digits.with_untracked(|d| d.get(&column.name).copied());
                    if longest > known.unwrap_or(0) {
                        let longest = longest.min(DIGITS_MAX);
                        grid.digits.update(|digits| {
                            digits.insert(column.name.clone(), longest);
                        });
                    }
                }
                Kind::Nested | Kind::Text | Kind::Category => {
                    let is_picture =
                        |text: &str| source(&column.name, column.is_binary, text).is_some();
                    if cells.take(64).any(is_picture) {
                        grid.page.picture_seen(&column.name);
                    }
                }
                _ => {}
            }
        }
    });
}

/// Not of what is only dragged: the columns as they are named. Of very many only those that are
/// on screen, or nearly.
fn named(grid: Grid) -> Derived<Vec<String>> {
    Derived::new(move |_| {
        grid.columns.with(|all| {
            let is_asked = |at: usize| {
                all.len() <= COLUMNS_MAX || grid.on_screen.with(|near| near.contains(&at))
            };
            let asked = all.iter().enumerate().filter(|(at, _)| is_asked(*at));
            let mut names = asked.map(|(_, column)| column.name.clone()).collect::<Vec<_>>();
            names.extend(picture_beside(grid.page, &names));
            names
        })
    })
}

/// The column of the pictures, where they are shown and it is here but not among the rows.
fn picture_beside(page: Page, names: &[String]) -> Option<String> {
    let column = page.picture_column().filter(|_| gallery::is_shown(page))?.name;
    let is_loaded = page
        .model
        .with(|model| model.chosen.columns.as_ref().is_some_and(|loaded| loaded.contains(&column)));
    (is_loaded && !names.contains(&column)).then_some(column)
}

/// The digits after the point, without it; `None` for what is written otherwise.
pub(super) fn fraction(text: &str) -> Option<&str> {
    let (_, fraction) = text.split_once('.')?;
    let is_plain = fraction.len() <= DIGITS_MAX && fraction.bytes().all(|b| b.is_ascii_digit());
    is_plain.then_some(fraction)
}

fn want_shapes(grid: Grid) {
    let page = grid.page;
    let wanted = Derived::new(move |_| {
        let epoch = page.worker.with(WorkerState::epoch);
        let is_wanted = page.table.profiles.get() && grid.window.get().height > 0.0;
        let columns = grid.columns.with(|columns| {
            let on_screen = grid.on_screen.get();
            let shown = on_screen.iter().filter_map(|at| columns.get(*at));
            shown.filter(|_| is_wanted).map(|column| column.name.clone()).collect::<Vec<_>>()
        });
        (epoch, columns)
    });
    Effect::new(move |_| {
        let (_, columns) = wanted.get();
        page.send_table(TableRequest::Shapes { columns });
    });
}
