//! Which rows are asked for, and when: those on screen and some more, at most once a
//! frame, and not before the last answer, unless that takes long.

use std::time::Duration;

use engine::query::OrderKey;
use leptos::prelude::*;

use super::Grid;
use crate::page::browser::{self, OnceAFrame};
use crate::page::signals::WorkerState;
use crate::protocol::Request;

const PATIENCE_MILLIS: f64 = 200.0;

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
    let wanted = Memo::new(move |_| {
        let shown = page.shown.with(|shown| shown.as_ref().map(|s| s.answer));
        let answer = shown?;
        let window = grid.window.get();
        let (first, count) = window.wanted(window.first_within(grid.first.get()));
        let columns =
            grid.columns.with(|all| all.iter().map(|c| c.name.clone()).collect::<Vec<_>>());
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
}
