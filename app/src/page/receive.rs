//! The worker's side of the conversation: starting it, its replies into the signals, and
//! what happens when it dies.

use std::sync::Arc;

use engine::query::Version;
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;

use super::figure;
use super::link::Heard;
use super::signals::{Companion, Described, Page, Schema, Shown, Tables, WorkerState};
use super::{address_bar, browser, companion, dropped, groups, jobs, parts};
use crate::protocol::{
    ColumnInfo, Level, LoadState, MarkResult, Notice, Origin, Progress, Reply, Request, TableInfo,
    VersionInfo, Views,
};
use crate::state::AddressChange;
use crate::state::command::Command;
use crate::state::compare;
use crate::state::settle::settle;
use crate::texts;

/// So many deaths within a minute are no accident.
const DEATHS_MAX: usize = 3;
const DEATHS_WINDOW_MILLIS: f64 = 60_000.0;

const POINTS_SHOWN: &str = "limn:first-points";
const ALL_SHOWN: &str = "limn:all-views";

/// What the page remembers about its workers.
#[derive(Clone, Default)]
pub(super) struct Lives {
    deaths: Vec<f64>,
    /// What the running worker was last asked to load: worker, table and version.
    loaded: Option<(u32, String, String)>,
    /// What of that was marked as being on screen.
    marked: Vec<&'static str>,
}

impl Lives {
    /// The next description loads, even if it is of the same name as the one before.
    pub(super) fn forget_load(&mut self) {
        self.loaded = None;
    }
}

pub(super) fn start_worker(page: Page, epoch: u32) {
    page.worker.set(WorkerState::Running { epoch });
    page.pace.update_value(|pace| pace.leave());
    page.link.start(move |heard| {
        // A worker that was replaced may still have something on the way.
        if page.worker.with_untracked(WorkerState::epoch) != epoch {
            return;
        }
        match heard {
            Heard::Reply(reply) => receive(page, *reply),
            Heard::Death(reason) => died(page, epoch, reason),
        }
    });
    let options = page.options.get_value();
    page.link.send(&Request::Start {
        api: page.api.get_value(),
        reader: browser::boot_value("reader").and_then(|reader| reader.as_string()),
        budget_bytes: options.budget_bytes,
        renderer: options.renderer,
        dark: untrack(|| page.is_dark()),
        debug: options.debug,
    });
    page.link.send(&Request::ListTables);
    page.link.send(&Request::ListCached);
    let chosen = page.model.with_untracked(|model| model.chosen.clone());
    if let Some(table) = chosen.table {
        if !matches!(page.described.get_untracked(), Described::Known(_)) {
            page.described.set(Described::Asked);
        }
        if !dropped::hand_over(page, &table) {
            page.link.send(&Request::Describe { table, version: chosen.version });
        }
    }
}

/// With `?debug=1` tests may send the worker any request, to break it on purpose:
/// `limn.request('{"break":{"what":"panic"}}')`.
pub(super) fn offer_requests(page: Page) {
    if page.options.with_value(|options| options.debug) {
        let send = Closure::<dyn Fn(String)>::new(move |text: String| page.link.send_text(&text));
        browser::set_boot_value("request", send.as_ref());
        // Tests may call it for as long as the page lives.
        send.forget();
    }
}

fn died(page: Page, epoch: u32, reason: String) {
    page.link.stop();
    let now = browser::now();
    let deaths = page.lives.try_update_value(|lives| {
        lives.deaths.retain(|then| now - then < DEATHS_WINDOW_MILLIS);
        lives.deaths.push(now);
        lives.deaths.len()
    });
    if deaths.unwrap_or(DEATHS_MAX) >= DEATHS_MAX {
        page.notices.update(|notices| {
            notices.retain(|notice| !notice.text.starts_with(texts::notices::STARTED_AGAIN));
        });
        page.worker.set(WorkerState::Stopped { epoch, reason });
        return;
    }
    page.notify(Level::Warning, texts::notices::started_again(&reason));
    // Not from inside the dead worker's own event.
    set_timeout(move || start_worker(page, epoch + 1), std::time::Duration::ZERO);
}

fn receive(page: Page, reply: Reply) {
    match reply {
        Reply::Ready { renderer } => page.renderer.set(Some(renderer)),
        Reply::Picture { view, picture, legend, relief } => {
            let over = (legend, relief.map(|relief| *relief));
            parts::run(page, figure::take_points(page, view, picture, over));
        }
        Reply::MappedHere { job } => parts::run(page, jobs::heard(page, job)),
        Reply::Groups { request, answer } => groups::receive(page, (request, answer)),
        Reply::CanvasLost { view } => {
            page.canvases_lost.update(|lost| *lost.entry(view).or_insert(0) += 1);
        }
        Reply::Tables { tables, origin } => {
            page.tables.set(Tables::Known { tables: Arc::new(tables), origin });
            heard_from(page, origin);
        }
        Reply::Described { table, columns, versions, origin } => {
            described(page, table, columns, versions, origin);
        }
        Reply::Opening { table, bytes, total } => {
            let is_chosen = page.model.with_untracked(|m| m.chosen.table.as_ref() == Some(&table));
            page.opening.set(is_chosen.then_some((bytes, total)));
        }
        Reply::Progress(progress) => progressed(page, progress),
        Reply::Views(views) => shown(page, views),
        Reply::Rows(rows) => page.rows.set(Some(Arc::new(rows))),
        Reply::Table(reply) => page.table_said(reply),
        Reply::Hovered { view, row } => {
            let wanted = page.hover_wanted.get_value() == Some(view);
            page.hovered.set(row.filter(|_| wanted).map(|row| (view, Arc::new(row))));
        }
        Reply::Picked { row } => page.dispatch(Command::Pin { row }),
        Reply::Pinned { row, values } => page.pinned.set(Some((row, values))),
        Reply::Relief { view, relief } => {
            // The view may have gone meanwhile.
            let relief = relief
                .filter(|_| page.model.with_untracked(|model| model.chosen.view(view).is_some()));
            page.reliefs.update(|reliefs| {
                match relief {
                    Some(relief) => reliefs.insert(view, Arc::new(*relief)),
                    None => reliefs.remove(&view),
                };
            });
        }
        Reply::Cached(cached) => page.cached.set(Some(Arc::new(cached))),
        // For those who measure.
        Reply::Drawn { .. } | Reply::Prepared { .. } => {}
        Reply::Notice(notice) => noticed(page, notice),
        // The link makes a death of it.
        Reply::Panicked { .. } => {}
    }
}

/// An answer from the companion, or in its place from the cache, tells whether it is there.
fn heard_from(page: Page, origin: Origin) {
    let thought = page.companion.get_untracked();
    match (origin, thought) {
        (Origin::Browser | Origin::Server, Companion::Unknown | Companion::Offline) => {
            page.companion.set(Companion::Online);
        }
        (Origin::Cache, Companion::Unknown | Companion::Online) => companion::look(page),
        _ => {}
    }
}

fn described(
    page: Page,
    table: TableInfo,
    columns: Vec<ColumnInfo>,
    versions: Vec<VersionInfo>,
    origin: Origin,
) {
    let chosen = page.model.with_untracked(|model| model.chosen.clone());
    // The answer for a table, or a version, that was left in the meantime.
    let stale = chosen.table.as_ref() != Some(&table.name)
        || chosen.version.is_some() && table.version.is_some() && chosen.version != table.version;
    if stale {
        return;
    }
    heard_from(page, origin);
    if let Some(error) = table.error {
        let on_screen = untrack(|| page.schema()).map(|schema| schema.table.version.clone());
        match on_screen == Some(table.version) {
            // What is on screen stays: only news of it could not be had.
            true => page.notify(Level::Warning, error),
            false => page.described.set(Described::Failed(error)),
        }
        return;
    }
    // The later version of a comparison is as good as any other.
    let shown = table
        .version
        .as_ref()
        .map(|version| compare::number(version).map_or(version.clone(), Version::Number));
    let newest = versions.first().filter(|newest| shown.as_ref() != Some(&newest.version));
    page.newer.set(newest.cloned());
    let (rows, version) = (table.rows, table.version.clone());
    let mut complaints = Vec::new();
    page.model.update(|model| {
        complaints = settle(&mut model.chosen, &columns, rows, version.clone());
    });
    let name = table.name.clone();
    page.described.set(Described::Known(Arc::new(Schema { table, columns, versions, origin })));
    for complaint in complaints {
        page.notify(Level::Warning, complaint);
    }
    address_bar::follow(page, AddressChange::Replace);

    let epoch = page.worker.with_untracked(WorkerState::epoch);
    let version = version.map(|version| version.to_string()).unwrap_or_default();
    let load = Some((epoch, name.clone(), version));
    let fresh = page.lives.try_update_value(|lives| {
        let fresh = lives.loaded != load;
        lives.loaded = load;
        if fresh {
            lives.marked.clear();
        }
        fresh
    });
    if fresh == Some(true) {
        page.ask_load();
        page.ask_show();
    }
}

fn progressed(page: Page, progress: Progress) {
    let wanted = page.model.with_untracked(|model| {
        let chosen = &model.chosen;
        chosen.table.as_ref() == Some(&progress.table) && chosen.version == progress.version
    });
    if !wanted {
        return;
    }
    if !progress.profiles.is_empty() {
        page.profiles.update(|profiles| {
            let profiles = Arc::make_mut(profiles);
            for profile in &progress.profiles {
                profiles.insert(profile.column.clone(), profile.clone());
            }
        });
    }
    // Where nothing is known of the table yet, that is what stands in its place.
    if let LoadState::Failed { detail } = &progress.state
        && page.described.with_untracked(|described| *described == Described::Asked)
    {
        page.described.set(Described::Failed(detail.clone()));
        page.progress.set(None);
        return;
    }
    let ended = progress.state != LoadState::Loading;
    // Rows that have arrived are in the views that the worker sends by itself meanwhile.
    page.progress.set(Some(progress));
    if ended {
        page.link.send(&Request::ListCached);
    }
}

fn shown(page: Page, views: Views) {
    let accepted = page.pace.try_update_value(|pace| pace.accepts(views.generation));
    page.show_if_due();
    if accepted != Some(true) {
        return;
    }
    let is_points =
        |result: &MarkResult| matches!(result, MarkResult::Scatter { points, .. } if *points > 0);
    let has_points = views.results.iter().any(|view| is_points(&view.result));
    mark_shown(page, has_points, views.complete);
    page.results.update(|results| {
        results.clear();
        results.extend(views.results.into_iter().map(|view| (view.id, Arc::new(view.result))));
    });
    let before = page.shown.with_untracked(|shown| shown.as_ref().map_or(0, |s| s.answer));
    page.shown.set(Some(Shown {
        answer: before + 1,
        selected: views.selected,
        total: views.total,
        complete: views.complete,
        origin: views.origin,
        elapsed_millis: views.elapsed_millis,
        reduction: views.reduction,
        files: views.files,
        behind: views.behind,
        clause_errors: views.clause_errors,
    }));
}

/// Marks, for those who measure, when points and when all rows were first on screen.
fn mark_shown(page: Page, has_points: bool, complete: bool) {
    let due = page.lives.try_update_value(|lives| {
        let wanted = [(POINTS_SHOWN, has_points), (ALL_SHOWN, complete)];
        let due = wanted.into_iter().filter(|(mark, is)| *is && !lives.marked.contains(mark));
        let due: Vec<_> = due.map(|(mark, _)| mark).collect();
        lives.marked.extend(&due);
        due
    });
    for mark in due.unwrap_or_default() {
        request_animation_frame(move || browser::mark(mark));
    }
}

fn noticed(page: Page, notice: Notice) {
    // A table that cannot be opened says so in its place rather than in a corner.
    if notice.level == Level::Error && page.described.with_untracked(|d| *d == Described::Asked) {
        page.described.set(Described::Failed(notice.text));
        return;
    }
    let action = (notice.level == Level::Error)
        .then(|| (texts::frame::TRY_AGAIN.to_owned(), Command::Refresh));
    page.notify_with(notice.level, notice.text, action);
}
