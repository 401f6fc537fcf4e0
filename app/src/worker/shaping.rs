//! Keeps the page told of how the columns of its rows are distributed: once nothing has been
//! filtered for a moment, of all rows and of those that pass. From memory, or asked of the
//! companion where the table is elsewhere.

use std::collections::HashMap;
use std::rc::Rc;

use engine::kind::Kind;
use engine::literal::Literal;
use engine::predicate::Predicate;

use crate::plan::read::Answer;
use crate::protocol::Reply;
use crate::protocol::table::{Shape, Shapes, TableReply};
use crate::worker::bins::Bins;
use crate::worker::cut::Cut;
use crate::worker::elsewhere;
use crate::worker::host::{Host, post};
use crate::worker::net::Cancel;
use crate::worker::numbers::Measure;
use crate::worker::shapes::{SLOTS, Shaping};
use crate::worker::turn::{Stride, sleep};

/// Milliseconds without a change before the counting begins: a drag is not to be held up.
const IDLE_MILLIS: i32 = 120;

/// The task that answers.
pub async fn answer_on_demand(host: Rc<Host>) {
    let mut known = HashMap::new();
    let mut asked = Elsewhere::default();
    loop {
        host.shape.wait().await;
        let question =
            || (host.answers.borrow().revision(), host.desk.borrow().question().generation);
        let before = question();
        sleep(IDLE_MILLIS).await;
        if question() != before {
            host.shape.raise();
            continue;
        }
        let wanted = host.shaped.borrow().clone();
        if wanted.is_empty() {
            continue;
        }
        let generation = host.desk.borrow().question().generation;
        let is_remote = host.data.borrow().is_remote();
        let shapes = match is_remote {
            false => shapes_here(&host, &mut known, &wanted).await,
            true => asked.shapes(&host, &wanted).await,
        };
        if let Some(shapes) = shapes
            && *host.shaped.borrow() == wanted
        {
            post(&Reply::Table(TableReply::Shapes(Shapes { generation, shapes })));
        }
    }
}

/// `None` where the selection changed meanwhile: whoever changed it raises the flag again.
async fn shapes_here(
    host: &Rc<Host>,
    known: &mut HashMap<String, (u64, Shaping)>,
    wanted: &[String],
) -> Option<Vec<Shape>> {
    let (revision, epoch) = (host.answers.borrow().revision(), host.data.borrow().epoch());
    known.retain(|name, _| wanted.contains(name));
    let mut stride = Stride::start();
    let mut shapes = Vec::with_capacity(wanted.len());
    for name in wanted {
        loop {
            {
                let (data, answers) = (host.data.borrow(), host.answers.borrow());
                let is_same = answers.revision() == revision && data.epoch() == epoch;
                if !is_same || !host.desk.borrow().is_answered() {
                    return None;
                }
                let column = data.resident.as_ref().and_then(|resident| resident.column(name));
                let Some(column) = column.filter(|column| column.is_complete()) else { break };
                if known.get(name).is_none_or(|(_, shaping)| !shaping.is_of(column, epoch)) {
                    known.insert(name.clone(), (revision, Shaping::new(column, epoch)));
                }
                let Some((of, shaping)) = known.get_mut(name) else { break };
                if *of != revision {
                    *of = revision;
                    shaping.renew();
                }
                if !shaping.step(column, answers.selection().0) {
                    shapes.push(shaping.shape(name));
                    break;
                }
            }
            stride.breathe().await;
        }
    }
    Some(shapes)
}

/// What the companion said of all rows, which stays while filters move.
#[derive(Default)]
struct Elsewhere {
    epoch: u64,
    known: HashMap<String, Known>,
}

#[derive(Clone)]
enum Known {
    Bins(arrow_schema::DataType, Cut, Vec<u64>),
    Values(Vec<(Literal, u64)>, u64),
    Nothing,
}

impl Elsewhere {
    async fn shapes(&mut self, host: &Rc<Host>, wanted: &[String]) -> Option<Vec<Shape>> {
        let epoch = host.data.borrow().epoch();
        if self.epoch != epoch {
            *self = Self { epoch, known: HashMap::new() };
        }
        let (table, filters) = elsewhere::selection(host).await.ok()?;
        let cancel = Cancel::default();
        let mut queries = vec![table.asked.count(&filters)];
        let mut known = Vec::with_capacity(wanted.len());
        for name in wanted {
            if !self.known.contains_key(name) {
                let found = learn(host, &table, name, &cancel).await.ok()?;
                self.known.insert(name.clone(), found);
            }
            let ground = self.known.get(name).cloned().unwrap_or(Known::Nothing);
            queries.push(table.asked.nulls(name, &filters));
            match &ground {
                Known::Bins(data_type, bins, _) => {
                    queries.push(table.asked.histogram(name, data_type, bins, false, &filters));
                }
                Known::Values(values, _) => {
                    let values = values.iter().map(|(value, _)| value.clone()).collect();
                    let mut query = table.asked.counts_of(name, values);
                    let with = std::mem::replace(&mut query.filters, Predicate::all());
                    query.filters = Predicate::And([vec![with], filters.clone()].concat());
                    queries.push(query);
                }
                Known::Nothing => {}
            }
            known.push(ground);
        }
        let answers = elsewhere::ask_all(host, queries, &cancel).await.ok()?;
        let mut answers = answers.iter();
        let selected = answers.next().and_then(Answer::number)?;
        let shapes = wanted.iter().zip(known).map(|(name, ground)| {
            let nulls = answers.next().and_then(Answer::number).unwrap_or_default();
            let (unfiltered, filtered, distinct) = match ground {
                Known::Bins(data_type, bins, all) => {
                    let counted = answers.next().map(|answer| answer.histogram(&data_type, &bins));
                    (all, counted.map(|counted| counted.counts).unwrap_or_default(), None)
                }
                Known::Values(values, distinct) => {
                    let counted = answers.next().map(Answer::bars).unwrap_or_default();
                    let count = |value: &Literal| {
                        let found = counted.iter().find(|(other, _)| other == value);
                        found.map_or(0, |(_, count)| *count)
                    };
                    let filtered = values.iter().map(|(value, _)| count(value)).collect();
                    let all = values.iter().map(|(_, count)| *count).collect();
                    let is_named = !matches!(values.first(), Some((Literal::Bool(_), _)));
                    (all, filtered, is_named.then_some((distinct, false)))
                }
                Known::Nothing => (Vec::new(), Vec::new(), None),
            };
            Shape { column: name.clone(), unfiltered, filtered, nulls, selected, distinct }
        });
        Some(shapes.collect())
    }
}

async fn learn(
    host: &Rc<Host>,
    table: &elsewhere::Table,
    name: &str,
    cancel: &Cancel,
) -> Result<Known, String> {
    let Ok((data_type, kind)) = table.column(name) else { return Ok(Known::Nothing) };
    let ask = async |queries| elsewhere::ask_all(host, queries, cancel).await;
    if let Some(measure) = Measure::of(&data_type) {
        let extent = ask(vec![table.asked.extent(name, &data_type, false)]).await?;
        let extent = extent.first().and_then(|answer| elsewhere::extent_in(answer, &data_type));
        let Some(extent) = extent else { return Ok(Known::Nothing) };
        let bins = Cut::Equal(Bins::new(measure, extent, None, SLOTS));
        let all = ask(vec![table.asked.histogram(name, &data_type, &bins, false, &[])]).await?;
        let all = all.first().map(|answer| answer.histogram(&data_type, &bins));
        return Ok(Known::Bins(data_type, bins, all.map(|all| all.counts).unwrap_or_default()));
    }
    if !matches!(kind, Kind::Category | Kind::Text | Kind::Boolean) {
        return Ok(Known::Nothing);
    }
    let queries = vec![table.asked.bars(name, SLOTS, "", &[]), table.asked.distinct(name, "")];
    let answers = ask(queries).await?;
    let mut values = answers.first().map(Answer::bars).unwrap_or_default();
    if kind == Kind::Boolean {
        // Yes first, and both of them, as they are counted here.
        let count = |wanted: bool| {
            let found = values.iter().find(|(value, _)| *value == Literal::Bool(wanted));
            (Literal::Bool(wanted), found.map_or(0, |(_, count)| *count))
        };
        values = vec![count(true), count(false)];
    }
    let distinct = answers.get(1).and_then(Answer::number).unwrap_or_default();
    Ok(Known::Values(values, distinct))
}
