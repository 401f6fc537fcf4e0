//! Steps of a brush over a table elsewhere, answered before they are asked for: once the
//! pointer comes near a column, the companion counts every view by the bins of that column,
//! in one request. A step is then worked out here, as exact as those bins; what cannot be
//! counted so stays as it was, and once the brush rests the companion says it all exactly.

use std::collections::BTreeMap;
use std::rc::Rc;

use engine::predicate::Predicate;
use engine::query::Query;

use super::{
    Memory, Planned, Table, ask_for_bytes, extent_of, forget_others, learn_extents_of, plan_all,
    usable,
};
use crate::plan::read::Answer;
use crate::plan::steps::{Slice, SlicedAnswers, StepBins, name_of, without};
use crate::protocol::{
    Clause, ClauseError, Mark, MarkResult, Origin, Reply, STEPS, ViewId, ViewResult, Views,
    column_clause,
};
use crate::worker::answer::Question;
use crate::worker::host::{Host, post};
use crate::worker::net::Cancel;
use crate::worker::turn::{now_millis, sleep};

/// Somebody who only passes by is not near.
const NEAR_MILLIS: i32 = 60;
/// A brush that stands still for so long rests.
const REST_MILLIS: i32 = 120;
/// What is kept of a brush at most.
const BYTES_MAX: usize = 64 << 20;

/// What moves, and the counts for each of its steps, by their queries.
#[derive(Debug)]
pub struct Ahead {
    steps: StepBins,
    slices: BTreeMap<String, Slice>,
}

/// What was last on screen.
#[derive(Debug, Default)]
pub struct Last {
    /// By query.
    pub answers: BTreeMap<String, Answer>,
    pub results: BTreeMap<ViewId, (Mark, MarkResult)>,
    pub files: u64,
}

/// Whether no clause but the column's is another one now.
pub fn moved_alone(before: &[Clause], now: &[Clause], column: &str) -> bool {
    let id = column_clause(column);
    let is_other = |clause: &&Clause| clause.id != id;
    before.iter().filter(is_other).eq(now.iter().filter(is_other))
}

/// Shows a step of the brush at once, if it was foreseen. False where a newer question came
/// while it rested.
pub async fn step_and_rest(host: &Rc<Host>, question: &Question) -> bool {
    let started = now_millis();
    let Some(mut views) = step(host, question).await else { return true };
    views.elapsed_millis = now_millis() - started;
    post(&Reply::Views(views));
    !host.show.is_raised_before(sleep(REST_MILLIS)).await
}

async fn step(host: &Rc<Host>, question: &Question) -> Option<Views> {
    let table = table_of(host)?;
    forget_others(host);
    let column = {
        let memory = host.memory.borrow();
        let column = memory.ahead.as_ref()?.steps.column.clone();
        (memory.near.as_ref() == Some(&column)).then_some(column)?
    };
    let (clauses, clause_errors) = usable(&table, question).await;
    let planned = plan_all(host, &table, question, &clauses);
    let id = column_clause(&column);
    let moving = clauses.iter().find(|(of, _)| *of == id).map(|(_, predicate)| predicate);
    let answers = foreseen(&host.memory, &planned.queries, moving)?;
    shown(host, question, planned, answers, clause_errors)
}

/// The answers that are known, by their places.
fn foreseen(
    memory: &Memory,
    queries: &[Query],
    moving: Option<&Predicate>,
) -> Option<Vec<Option<Answer>>> {
    let memory = memory.borrow();
    let ahead = memory.ahead.as_ref()?;
    let runs = match moving {
        Some(predicate) => ahead.steps.passing(predicate)?,
        None => ahead.steps.all(),
    };
    let answer = |query: &Query| match moving.and_then(|moving| without(query, moving)) {
        Some(base) => Some(ahead.slices.get(&name_of(&base))?.answer(&runs)),
        None => {
            let name = name_of(query);
            let last = || memory.last.answers.get(&name).cloned();
            // Without its filter a query is what was cut.
            ahead.slices.get(&name).map(|slice| slice.answer(&runs)).or_else(last)
        }
    };
    Some(queries.iter().map(answer).collect())
}

/// `None` where nothing would move, or a view has never been on screen.
fn shown(
    host: &Host,
    question: &Question,
    planned: Planned,
    answers: Vec<Option<Answer>>,
    clause_errors: Vec<ClauseError>,
) -> Option<Views> {
    let selected = answers.get(planned.selected)?.as_ref()?.number()?;
    let is_known: Vec<bool> = answers.iter().map(Option::is_some).collect();
    let answers: Vec<Answer> = answers.into_iter().map(Option::unwrap_or_default).collect();
    let memory = &mut *host.memory.borrow_mut();
    let (mut results, mut behind) = (Vec::new(), Vec::new());
    for (view, (places, picture)) in question.views.iter().zip(planned.pictures) {
        let is_foreseen = is_known.get(places)?.iter().all(|known| *known);
        let result = match picture {
            Err(detail) => MarkResult::Failed { detail },
            Ok(picture) if is_foreseen => picture.read(&answers, memory).result,
            Ok(_) => {
                behind.push(view.id);
                let (mark, result) = memory.last.results.get(&view.id)?;
                (*mark == view.mark).then(|| result.clone())?
            }
        };
        results.push(ViewResult { id: view.id, result });
    }
    Some(Views {
        generation: question.generation,
        selected,
        total: memory.total_rows.unwrap_or_default(),
        complete: true,
        origin: Origin::Server,
        elapsed_millis: 0.0,
        reduction: STEPS.to_owned(),
        files: Some([0, memory.last.files]),
        behind,
        results,
        clause_errors,
    })
}

fn table_of(host: &Host) -> Option<Table> {
    host.data.borrow().remote.clone().map(Table::new)
}

/// Prepares for the steps of the column that the pointer is near, unless it leaves at once.
pub async fn prepare(host: &Rc<Host>) {
    let Some(column) = host.memory.borrow().near.clone() else { return };
    let question = host.desk.borrow().question().clone();
    let is_current = || {
        let desk = host.desk.borrow();
        desk.is_answered()
            && desk.question().generation == question.generation
            && host.memory.borrow().near.as_ref() == Some(&column)
    };
    sleep(NEAR_MILLIS).await;
    // Whoever changes that raises the flag again.
    if !is_current() {
        return;
    }
    let cancel = Cancel::default();
    host.preparing.replace(Some((cancel.clone(), column.clone())));
    let epoch = host.data.borrow().epoch();
    let made = make(host, &question, &column, &cancel).await;
    host.preparing.replace(None);
    if cancel.is_cancelled() || host.data.borrow().epoch() != epoch {
        return;
    }
    // Without it a step is asked for, as ever.
    let Ok(Some(ahead)) = made else { return };
    host.memory.borrow_mut().ahead = Some(ahead);
    if host.settings.borrow().debug {
        post(&Reply::Prepared { column });
    }
}

/// The counts that are not there yet, with those that are; `None` where all of them are, or
/// none can be.
async fn make(
    host: &Rc<Host>,
    question: &Question,
    column: &str,
    cancel: &Cancel,
) -> Result<Option<Ahead>, String> {
    let Some(table) = table_of(host) else { return Ok(None) };
    forget_others(host);
    let Ok((data_type, _)) = table.column(column) else { return Ok(None) };
    let is_log = question.views.iter().any(|view| match &view.mark {
        Mark::Histogram { column: of, form, .. } => of == column && form.log_axis,
        _ => false,
    });
    learn_extents_of(host, &table, std::iter::once((column, is_log)), cancel).await?;
    let extent = extent_of(&host.memory.borrow(), column, is_log);
    let steps = extent.and_then(|extent| StepBins::new(column, &data_type, extent, is_log));
    let Some(steps) = steps else { return Ok(None) };
    let wanted = wanted(host, &table, question, &steps).await;
    let mut slices = BTreeMap::new();
    {
        // What was counted before by the same bins is not counted again.
        let mut memory = host.memory.borrow_mut();
        if let Some(ahead) = memory.ahead.take_if(|ahead| ahead.steps.is_like(&steps)) {
            slices = ahead.slices;
        }
    }
    slices.retain(|name, _| wanted.contains_key(name));
    let missing: Vec<_> =
        wanted.into_iter().filter(|(name, _)| !slices.contains_key(name)).collect();
    let queries = missing.iter().map(|(_, (_, sliced))| sliced.clone()).collect();
    if !missing.is_empty() {
        let (ask, body) = ask_for_bytes(host, queries, cancel).await?;
        let read: SlicedAnswers<'_> =
            crate::worker::net::from_json(&ask, &body).map_err(|error| error.to_string())?;
        let mut bytes = slices.values().map(Slice::byte_count).sum::<usize>();
        for ((name, (base, _)), answer) in missing.into_iter().zip(&read.answers) {
            if let Some(slice) = Slice::of(&base, &steps, answer) {
                bytes += slice.byte_count();
                if bytes <= BYTES_MAX {
                    slices.insert(name, slice);
                }
            }
        }
    }
    Ok(Some(Ahead { steps, slices }))
}

/// The queries that the column's clause would cut, without it, each with the query for all of
/// its steps; by name.
async fn wanted(
    host: &Rc<Host>,
    table: &Table,
    question: &Question,
    steps: &StepBins,
) -> BTreeMap<String, (Query, Query)> {
    let id = column_clause(&steps.column);
    let (mut clauses, _) = usable(table, question).await;
    // Stands for the clause, wherever it would be.
    let moving = Predicate::NotNull { column: steps.column.clone() };
    clauses.retain(|(of, _)| *of != id);
    clauses.push((id, moving.clone()));
    let Planned { queries, pictures, selected } = plan_all(host, table, question, &clauses);
    let mut wanted = BTreeMap::new();
    let mut want = |query: &Query, groups: usize| {
        let cut = without(query, &moving).and_then(|base| {
            let sliced = steps.of(&base, groups)?;
            Some((name_of(&base), (base, sliced)))
        });
        wanted.extend(cut);
    };
    if let Some(query) = queries.get(selected) {
        want(query, 1);
    }
    let memory = host.memory.borrow();
    for (places, picture) in &pictures {
        let Some(groups) = picture.as_ref().ok().and_then(|picture| picture.groups(&memory)) else {
            continue;
        };
        queries.get(places.clone()).into_iter().flatten().for_each(|query| want(query, groups));
    }
    wanted
}
