//! How the columns of a table elsewhere are distributed, as the companion counts it: of all
//! rows once, of those that pass with every change of the filters.

use std::rc::Rc;

use arrow_schema::DataType;
use engine::kind::Kind;
use engine::literal::Literal;
use engine::predicate::Predicate;

use super::{Table, ask_all, extent_in, forget_others, selection};
use crate::plan::read::Answer;
use crate::protocol::table::Shape;
use crate::worker::bins::Bins;
use crate::worker::cut::Cut;
use crate::worker::host::Host;
use crate::worker::net::Cancel;
use crate::worker::numbers::Measure;
use crate::worker::shapes::SLOTS;

/// What the companion said of all rows of a column, which stays while filters move.
#[derive(Clone)]
pub enum Known {
    Bins(DataType, Cut, Vec<u64>),
    Values(Vec<(Literal, u64)>, u64),
    Nothing,
}

/// The shapes of columns; `None` where the companion does not answer.
pub type ShapesFound = Option<Vec<Shape>>;

/// Asks for the shapes of columns.
pub async fn of(host: &Rc<Host>, wanted: &[String]) -> ShapesFound {
    forget_others(host);
    let epoch = host.data.borrow().epoch();
    let (table, filters) = selection(host).await.ok()?;
    let cancel = Cancel::default();
    let mut queries = vec![table.asked.count(&filters)];
    let mut known = Vec::with_capacity(wanted.len());
    for name in wanted {
        let before = host.memory.borrow().shapes.get(name).cloned();
        let ground = match before {
            Some(ground) => ground,
            None => {
                let found = learn(host, &table, name, &cancel).await.ok()?;
                if host.data.borrow().epoch() != epoch {
                    return None;
                }
                host.memory.borrow_mut().shapes.insert(name.clone(), found.clone());
                found
            }
        };
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
    let answers = ask_all(host, queries, &cancel).await.ok()?;
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

async fn learn(
    host: &Rc<Host>,
    table: &Table,
    name: &str,
    cancel: &Cancel,
) -> Result<Known, String> {
    let Ok((data_type, kind)) = table.column(name) else { return Ok(Known::Nothing) };
    let ask = async |queries| ask_all(host, queries, cancel).await;
    if let Some(measure) = Measure::of(&data_type) {
        let extent = ask(vec![table.asked.extent(name, &data_type, false)]).await?;
        let extent = extent.first().and_then(|answer| extent_in(answer, &data_type));
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
