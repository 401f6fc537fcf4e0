//! Rows of the selection counted by what is in some columns: by the engine where they are
//! here, by the companion where they are not.

mod extremes;
mod finding;
mod terms;

use std::rc::Rc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use engine::group::Grouper;
use engine::literal::Literal;
use engine::mask::Mask;
use engine::predicate::Predicate;
use engine::query::{Aggregate, AggregateOp, GroupKey, OrderKey, Query};
use serde_json::value::RawValue;

use crate::cell::whole::write_json;
use crate::protocol::groups::{Counts, Group, Groups, GroupsAsked};
use crate::protocol::{Reply, file_of_name, is_address};
use crate::texts;
use crate::worker::elsewhere;
use crate::worker::host::{Host, post};
use crate::worker::net::Cancel;
use crate::worker::resident::{BLOCK_ROWS, n_blocks};
use crate::worker::turn::Stride;

/// Groups that are counted here at most: beyond, there is nothing to be seen in them.
const GROUPS_HERE_MAX: usize = 1 << 20;
/// Texts of groups whose words are counted.
const TEXTS_MAX: u32 = 300_000;
const ROWS: &str = "limn_rows";
/// Between two looks whether the question before is answered.
const PAUSE_MILLIS: u32 = 10;

pub async fn answer(host: Rc<Host>, request: u64, text: String) {
    let answer = answer_to(&host, &text).await;
    post(&Reply::Groups { request, answer });
}

async fn answer_to(host: &Rc<Host>, text: &str) -> Result<String, String> {
    let bad = |error: serde_json::Error| error.to_string();
    match serde_json::from_str(text).map_err(bad)? {
        GroupsAsked::Counts(asked) => serde_json::to_string(&count(host, &asked).await?),
        GroupsAsked::Find(asked) => serde_json::to_string(&finding::find(host, &asked).await?),
        GroupsAsked::Extremes(asked) => serde_json::to_string(&extremes::find(host, &asked).await?),
    }
    .map_err(bad)
}

async fn count(host: &Rc<Host>, asked: &Counts) -> Result<Groups, String> {
    if asked.has_terms {
        let texts = Counts { has_terms: false, most: TEXTS_MAX, ..asked.clone() };
        let texts = Box::pin(count(host, &texts)).await?;
        return Ok(terms::of(&texts, asked.most as usize));
    }
    let names = asked.keys.iter().chain(&asked.measures);
    let batches = match is_here(host, names) {
        true => vec![count_here(host, asked).await?],
        false => count_elsewhere(host, asked).await?,
    };
    Ok(read(&batches, asked))
}

/// Whether columns are here whole.
fn is_here<'a>(host: &Host, names: impl Iterator<Item = &'a String> + Clone) -> bool {
    let data = host.data.borrow();
    let names = names.map(String::as_str);
    let resident = data.resident.as_ref().filter(|_| !data.is_remote());
    resident.is_some_and(|here| {
        names.clone().all(|name| here.column(name).is_some()) && here.is_complete(names)
    })
}

/// What is selected, for as long as it is.
struct Selected {
    /// All clauses but some.
    words: Vec<u64>,
    rows: usize,
    schema: SchemaRef,
    of: (u64, u64),
}

impl Selected {
    async fn of(host: &Host, names: &[&str], without: &[String]) -> Result<Self, String> {
        // It is known once the question before has its answer.
        let epoch = host.data.borrow().epoch();
        while !host.desk.borrow().is_answered() {
            gloo_timers::future::TimeoutFuture::new(PAUSE_MILLIS).await;
            if host.data.borrow().epoch() != epoch {
                return Err(changed());
            }
        }
        let without: Vec<&str> = without.iter().map(String::as_str).collect();
        let data = host.data.borrow();
        let here = data.resident.as_ref().ok_or_else(changed)?;
        let answers = host.answers.borrow();
        let (words, rows) = answers.selection_without(&without, here.rows());
        let of = (answers.revision(), data.epoch());
        Ok(Self { words, rows, schema: here.schema_of(names), of })
    }

    /// One block of some columns, and which of its rows are meant.
    fn block(
        &self,
        host: &Host,
        names: &[&str],
        block: usize,
    ) -> Result<(RecordBatch, Mask), String> {
        if (host.answers.borrow().revision(), host.data.borrow().epoch()) != self.of {
            return Err(changed());
        }
        let first = block * BLOCK_ROWS;
        let batch = block_of(host, names, &self.schema, block, self.rows - first);
        let batch = batch.ok_or_else(changed)?;
        let len = batch.num_rows().min(self.rows - first);
        let own = self.words.get(first / 64..(first + len).div_ceil(64)).unwrap_or_default();
        Ok((batch.slice(0, len), Mask::from_words(own.to_vec(), len)))
    }
}

fn changed() -> String {
    texts::refusals::SELECTION_CHANGED.to_owned()
}

/// The table for the companion, with the filters but for some.
fn elsewhere(host: &Host, names: Vec<&String>, without: &[String]) -> Result<Query, String> {
    let data = host.data.borrow();
    let here = data.resident.as_ref().map(|here| (here.table.clone(), here.version.clone()));
    let remote = data.remote.as_ref();
    let remote = remote.map(|remote| (remote.table.name.clone(), remote.table.version.clone()));
    let found = remote.or(here).ok_or_else(|| texts::refusals::NO_TABLE.to_owned())?;
    let (table, version) = found;
    if file_of_name(&table).is_some() || is_address(&table) {
        // The companion knows nothing of it.
        return Err(texts::refusals::load_first(&names));
    }
    let mut clauses = host.desk.borrow().question().clauses.clone();
    clauses.retain(|clause| !without.contains(&clause.id));
    let filters = Predicate::And(clauses.into_iter().map(|clause| clause.predicate).collect());
    Ok(Query { version, filters, ..Query::of_table(&table) })
}

fn aggregates(measures: &[String]) -> Vec<Aggregate> {
    let of = |op: AggregateOp, column: Option<&String>, name: String| Aggregate {
        op,
        column: column.cloned(),
        q: None,
        name: Some(name),
    };
    let mut all = vec![of(AggregateOp::Count, None, ROWS.to_owned())];
    for (at, measure) in measures.iter().enumerate() {
        let [mean, spread] = names_of(at);
        all.push(of(AggregateOp::Mean, Some(measure), mean));
        all.push(of(AggregateOp::Stddev, Some(measure), spread));
    }
    all
}

/// What mean and standard deviation of a measure are called.
fn names_of(measure: usize) -> [String; 2] {
    [format!("limn_mean_{measure}"), format!("limn_stddev_{measure}")]
}

fn keys(asked: &Counts) -> Vec<GroupKey> {
    asked.keys.iter().cloned().map(GroupKey::Column).collect()
}

async fn count_here(host: &Host, asked: &Counts) -> Result<RecordBatch, String> {
    let mut names: Vec<&str> = asked.keys.iter().map(String::as_str).collect();
    names.extend(asked.measures.iter().map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let selected = Selected::of(host, &names, &asked.without).await?;
    let mut grouper = Grouper::new(&keys(asked), &aggregates(&asked.measures), &selected.schema)
        .map_err(|error| error.to_string())?;
    let mut stride = Stride::start();
    for block in 0..n_blocks(selected.rows) {
        stride.breathe().await;
        let (batch, mask) = selected.block(host, &names, block)?;
        grouper
            .push(&batch, Some(&mask), (block * BLOCK_ROWS) as u64)
            .map_err(|error| error.to_string())?;
        if grouper.group_count() > GROUPS_HERE_MAX {
            return Err(texts::refusals::too_many_groups(GROUPS_HERE_MAX));
        }
    }
    grouper.finish().map_err(|error| error.to_string())
}

async fn count_elsewhere(host: &Rc<Host>, asked: &Counts) -> Result<Vec<RecordBatch>, String> {
    let names = asked.keys.iter().chain(&asked.measures).collect();
    let most_first =
        OrderKey { column: ROWS.to_owned(), descending: true, nulls: Default::default() };
    let query = Query {
        group_by: keys(asked),
        aggregates: aggregates(&asked.measures),
        order_by: vec![most_first],
        limit: Some(u64::from(asked.most) + 1),
        ..elsewhere(host, names, &asked.without)?
    };
    elsewhere::batches(host, &query, &Cancel::default()).await
}

/// A block of some columns; of none of them, as many rows as are left, but no more than a block.
pub(super) fn block_of(
    host: &Host,
    names: &[&str],
    schema: &SchemaRef,
    block: usize,
    left: usize,
) -> Option<RecordBatch> {
    if names.is_empty() {
        let many = RecordBatchOptions::new().with_row_count(Some(left.min(BLOCK_ROWS)));
        return RecordBatch::try_new_with_options(schema.clone(), Vec::new(), &many).ok();
    }
    host.data.borrow().resident.as_ref()?.block(names, block)
}

/// Groups as the page is told them, those with the most rows first.
fn read(batches: &[RecordBatch], asked: &Counts) -> Groups {
    let mut groups: Vec<Group> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| group(batch, row, asked)))
        .collect();
    groups.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.key.cmp(&b.key)));
    let is_cut = groups.len() > asked.most as usize;
    groups.truncate(asked.most as usize);
    Groups { groups, is_cut }
}

fn group(batch: &RecordBatch, row: usize, asked: &Counts) -> Group {
    let key = |name: &String| literal(batch.column_by_name(name)?.as_ref(), row);
    let number = |name: &str| {
        let array = batch.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
        array.is_valid(row).then(|| array.value(row)).filter(|value| value.is_finite())
    };
    let rows = batch.column_by_name(ROWS).and_then(|array| array.as_primitive_opt::<Int64Type>());
    Group {
        key: asked.keys.iter().map(key).collect(),
        rows: rows.map_or(0, |rows| rows.value(row).unsigned_abs()),
        measures: (0..asked.measures.len())
            .map(|at| names_of(at).map(|name| number(&name)))
            .collect(),
    }
}

/// A value as a query writes it; `None` for null.
pub(super) fn literal(array: &dyn Array, row: usize) -> Option<Literal> {
    let mut json = String::new();
    write_json(&mut json, array, row);
    Literal::from_json(&RawValue::from_string(json).ok()?)
}
