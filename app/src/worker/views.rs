//! Answers `Show` for as long as the worker lives: waits until something changed, works the
//! newest question out in short steps, and posts all views together. A question that is
//! overtaken is given up between two steps.

use std::rc::Rc;

use crate::protocol::{Level, Origin, Reply, Views};
use crate::texts;
use crate::worker::answer::{Answer, Question};
use crate::worker::bins::Extent;
use crate::worker::elsewhere;
use crate::worker::host::{Host, notice, post};
use crate::worker::matcher;
use crate::worker::tables::Described;
use crate::worker::turn::{Stride, now_millis};

/// The task that answers.
pub async fn answer_on_demand(host: Rc<Host>) {
    loop {
        host.show.wait().await;
        let question = host.desk.borrow().question().clone();
        if question.generation == 0 && question.views.is_empty() {
            continue;
        }
        if host.data.borrow().is_remote() {
            let answering = (host.parts.answer_elsewhere)(host.clone(), question.clone());
            if answering.await.is_none() {
                let detail = texts::refusals::PART_NOT_FETCHED;
                elsewhere::refuse(&host, &question, detail);
                // With a button that asks again.
                notice(Level::Error, detail);
            }
        } else {
            answer_here(&host, question).await;
        }
    }
}

/// The task that prepares for the next question while there is none to answer.
pub async fn prepare_on_demand(host: Rc<Host>) {
    loop {
        host.prepare.wait().await;
        if host.data.borrow().is_remote() {
            // Without its part every step is asked for.
            let _fetched = (host.parts.prepare_elsewhere)(host.clone()).await;
            continue;
        }
        let mut stride = Stride::start();
        let mut n_steps = 0;
        while prepare(&host) {
            n_steps += 1;
            stride.breathe().await;
        }
        let column = host.answers.borrow().prepared().map(str::to_owned);
        let tells = host.settings.borrow().debug && n_steps > 0;
        if let Some(column) = column.filter(|_| tells) {
            post(&Reply::Prepared { column });
        }
    }
}

fn prepare(host: &Host) -> bool {
    let data = host.data.borrow();
    let Some(resident) = &data.resident else { return false };
    host.answers.borrow_mut().prepare_next(resident, data.epoch())
}

async fn answer_here(host: &Rc<Host>, question: Question) {
    let started = now_millis();
    let generation = question.generation;
    matcher::fetch_for(&question.clauses).await;
    let epoch = host.data.borrow().epoch();
    begin(host, question, epoch);
    let mut stride = Stride::start();
    let answer = loop {
        if !is_current(host, generation, epoch) {
            // Whoever took over has raised the flag again.
            host.show.raise();
            return;
        }
        let step = {
            let data = host.data.borrow();
            let Some(resident) = &data.resident else { return };
            host.answers.borrow_mut().step(resident)
        };
        if let Some(answer) = step {
            break answer;
        }
        stride.breathe().await;
    };
    let origin = host.data.borrow().resident.as_ref().map_or(Origin::Browser, |r| r.origin);
    tell(host, answer, origin, now_millis() - started);
}

fn begin(host: &Rc<Host>, question: Question, epoch: u64) {
    let data = host.data.borrow();
    let Some(resident) = &data.resident else { return };
    let mut answers = host.answers.borrow_mut();
    answers.renew(epoch);
    if answers.known_extents.is_empty()
        && let Some(version) = &resident.version
        && let Some(described) = host.tables.of_version(&resident.table, version)
    {
        answers.known_extents = known_extents(&described);
    }
    answers.begin(question, resident);
}

fn is_current(host: &Host, generation: u64, epoch: u64) -> bool {
    host.desk.borrow().question().generation == generation && host.data.borrow().epoch() == epoch
}

fn tell(host: &Rc<Host>, answer: Answer, origin: Origin, elapsed_millis: f64) {
    host.desk.borrow_mut().answered(answer.generation);
    post(&Reply::Views(Views {
        generation: answer.generation,
        selected: answer.selected,
        total: answer.total,
        complete: answer.complete,
        origin,
        elapsed_millis,
        reduction: "none".to_owned(),
        files: None,
        behind: Vec::new(),
        results: answer.results,
        clause_errors: answer.clause_errors,
    }));
    host.prepare.raise();
    host.canvases.borrow_mut().refresh();
    host.rows.raise();
    host.shape.raise();
    host.draw.raise();
}

/// The extents that the companion states, so that axes stand still while rows arrive.
fn known_extents(described: &Described) -> std::collections::HashMap<String, Extent> {
    let extents = described.columns.iter().filter_map(|column| {
        let data_type = column.data_type.parse().ok()?;
        let low = crate::plan::units::units_of_text(&data_type, column.min.as_deref()?)?;
        let high = crate::plan::units::units_of_text(&data_type, column.max.as_deref()?)?;
        if !low.is_finite() || !high.is_finite() {
            return None;
        }
        Some((column.name.clone(), Extent::of_units(&data_type, low, high)?))
    });
    extents.collect()
}
