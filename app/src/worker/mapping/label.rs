//! Rows given names in this browser: which rows each group has is the engine's word, as in the
//! companion. What comes of it is a file, as a map that is made here.

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array as _, ArrayRef, StringArray};
use engine::label::{Labeller, Labels};
use engine::steps::fields::Fields;
use serde_json::json;

use super::table::{Extra, blocks_of, encoded};
use super::{ENDING, Teller};
use crate::protocol::{Clause, name_of_file};
use crate::texts;
use crate::worker::groups::literal;
use crate::worker::host::Host;
use crate::worker::matcher;
use crate::worker::resident::{BLOCK_ROWS, n_blocks};
use crate::worker::turn::Stride;

/// Answers `MapHere` where rows are to get names.
pub(super) async fn answer(host: &Rc<Host>, text: &str, teller: &Teller) {
    teller.tell("running", 0.0, texts::mapping::READING, "", &serde_json::Value::Null);
    match make(host, text, teller).await {
        Ok((file, rows, message)) => {
            let result = json!({"table": name_of_file(&file), "rows": rows});
            teller.tell("done", 1.0, "", &message, &result);
        }
        Err(detail) => teller.tell("failed", 0.0, "", &detail, &serde_json::Value::Null),
    }
}

/// The file's name, its rows, and what is said of them.
async fn make(
    host: &Rc<Host>,
    text: &str,
    teller: &Teller,
) -> Result<(String, usize, String), String> {
    let bad = |error: engine::error::QueryError| error.to_string();
    let mut fields = Fields::read(text).map_err(bad)?;
    let into: String = fields.required("into").map_err(bad)?;
    let table: String = fields.required("table").map_err(bad)?;
    let labels = Labels::take(&mut fields).map_err(bad)?;
    fetch_matcher(&labels).await;
    let needed: Vec<String> = labels.columns().into_iter().map(str::to_owned).collect();
    for column in &needed {
        blocks_of(host, column).await?;
    }
    let rows = check(host, &table, &labels)?;
    let names = names(host, &labels, &needed, rows, teller).await?;
    let nameless = names.null_count();
    let column = Arc::new(names) as ArrayRef;
    let extra = Extra {
        rows,
        // Vectors too: this table has all that the other has.
        has_vectors: true,
        columns: vec![(labels.name.clone(), column)],
    };
    let file = format!("{into}{ENDING}");
    let bytes = encoded(host, &None, &extra)?;
    crate::worker::files::keep(host, &file, &bytes)?;
    Ok((file, rows, texts::mapping::named(rows, nameless)))
}

async fn fetch_matcher(labels: &Labels) {
    let clause = |predicate| Clause { id: String::new(), predicate };
    let groups = labels.groups.iter().map(|group| clause(group.filters.clone()));
    matcher::fetch_for(&groups.collect::<Vec<_>>()).await;
}

/// Gives how many rows there are.
fn check(host: &Host, table: &str, labels: &Labels) -> Result<usize, String> {
    let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
    let data = host.data.borrow();
    let here = data.resident.as_ref().filter(|here| here.table == table).ok_or_else(changed)?;
    let taken = here.columns().iter().find(|column| column.name() == labels.name);
    match taken {
        Some(_) if labels.otherwise.as_ref() != Some(&labels.name) => {
            Err(texts::mapping::name_taken(&labels.name))
        }
        _ => Ok(here.rows()),
    }
}

async fn names(
    host: &Host,
    labels: &Labels,
    needed: &[String],
    rows: usize,
    teller: &Teller,
) -> Result<StringArray, String> {
    let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
    let epoch = host.data.borrow().epoch();
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    let schema = host.data.borrow().resident.as_ref().ok_or_else(changed)?.schema_of(&needed);
    let labeller = Labeller::new(&labels.groups, &schema);
    let mut labeller = labeller.map_err(|error| error.to_string())?;
    let mut names = StringBuilder::new();
    let mut stride = Stride::start();
    for block in 0..n_blocks(rows) {
        stride.breathe().await;
        if host.data.borrow().epoch() != epoch {
            return Err(changed());
        }
        let first = block * BLOCK_ROWS;
        teller.progress(first as f64 / rows.max(1) as f64, texts::mapping::NAMING, "");
        let left = (rows - first).min(BLOCK_ROWS);
        let batch = crate::worker::groups::block_of(host, &needed, &schema, block, left);
        let batch = batch.ok_or_else(changed)?;
        let mut own = labeller.names(&batch, first as u64).map_err(|error| error.to_string())?;
        let otherwise = labels.otherwise.as_ref().and_then(|name| batch.column_by_name(name));
        if let Some(otherwise) = otherwise {
            for (row, name) in own.iter_mut().enumerate().filter(|(_, name)| name.is_none()) {
                let value = literal(otherwise.as_ref(), row);
                *name = value.map(|value| Arc::from(value.as_text()));
            }
        }
        own.resize(left, None);
        own.iter().for_each(|name| names.append_option(name.as_deref()));
    }
    Ok(names.finish())
}
