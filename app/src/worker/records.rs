//! A row whole, whether its columns are loaded or not: what is here from memory, the rest
//! from the companion. And pictures that are in cells.

use std::rc::Rc;

use arrow_array::{Array, ArrayRef};
use engine::query::Query;

use crate::cell::cell_text;
use crate::cell::whole::{bytes_at, exact_text, image_address, image_type, write_json};
use crate::protocol::Reply;
use crate::protocol::table::{Record, RecordValue, TableReply};
use crate::texts;
use crate::worker::elsewhere;
use crate::worker::host::{Host, post};
use crate::worker::net::Cancel;
use crate::worker::resident::BLOCK_ROWS;

/// What a page shows of one value, and carries of it as JSON.
const TEXT_BYTES_MAX: usize = 100_000;
const JSON_BYTES_MAX: usize = 4 << 20;
const IMAGE_BYTES_MAX: usize = 12 << 20;
/// Longer texts are no addresses.
const PLACE_BYTES_MAX: usize = 8_000;

pub async fn answer(host: Rc<Host>, request: u64, row: u64, columns: Vec<String>) {
    let mut values: Vec<Option<RecordValue>> = columns
        .iter()
        .map(|name| value_here(&host, name, row).map(|(array, at)| value_of(name, &array, at)))
        .collect();
    let absent = columns.iter().zip(&values).filter(|(_, value)| value.is_none());
    let absent: Vec<String> = absent.map(|(name, _)| name.clone()).collect();
    let mut missing = None;
    if !absent.is_empty() {
        match fetched(&host, &absent, row).await {
            Ok(found) => {
                for (name, array) in absent.iter().zip(found) {
                    let place = columns.iter().position(|column| column == name);
                    let slot = place.and_then(|place| values.get_mut(place));
                    if let Some((slot, array)) = slot.zip(array) {
                        *slot = Some(value_of(name, &array, 0));
                    }
                }
            }
            Err(detail) => {
                missing = Some(texts::refusals::columns_not_loaded(absent.len(), &detail));
            }
        }
    }
    let record = Record { request, row, values: values.into_iter().flatten().collect(), missing };
    post(&Reply::Table(TableReply::Record(record)));
}

pub async fn answer_image(host: Rc<Host>, row: u64, column: String) {
    let image = image(&host, &column, row).await;
    post(&Reply::Table(TableReply::Image { row, column, image }));
}

async fn image(host: &Rc<Host>, column: &str, row: u64) -> Result<String, String> {
    let (array, at) = match value_here(host, column, row) {
        Some(found) => found,
        None => {
            let mut found = fetched(host, &[column.to_owned()], row).await?;
            (found.pop().flatten().ok_or_else(|| texts::refusals::NO_SUCH_VALUE.to_owned())?, 0)
        }
    };
    // What is no picture itself may say where one is.
    let address = image_address(array.as_ref(), at).or_else(|| place_at(array.as_ref(), at));
    let address = address.ok_or_else(|| texts::refusals::NO_PICTURE_IN_BYTES.to_owned())?;
    match address.len() <= IMAGE_BYTES_MAX {
        true => Ok(address),
        false => Err(texts::refusals::picture_too_large(IMAGE_BYTES_MAX >> 20)),
    }
}

fn place_at(array: &dyn Array, at: usize) -> Option<String> {
    let text = bytes_at(array, at).is_none().then(|| exact_text(array, at)).flatten();
    text.filter(|text| text.len() <= PLACE_BYTES_MAX)
}

fn value_here(host: &Host, column: &str, row: u64) -> Option<(ArrayRef, usize)> {
    let data = host.data.borrow();
    let row = usize::try_from(row).ok()?;
    let column = data.resident.as_ref()?.column(column).filter(|column| row < column.rows())?;
    Some((ArrayRef::clone(column.blocks().get(row / BLOCK_ROWS)?), row % BLOCK_ROWS))
}

/// Values of one row from the companion: in table order a row's number is its offset.
async fn fetched(
    host: &Rc<Host>,
    columns: &[String],
    row: u64,
) -> Result<Vec<Option<ArrayRef>>, String> {
    let (table, version) = {
        let data = host.data.borrow();
        let here = data.resident.as_ref().map(|here| (here.table.clone(), here.version.clone()));
        let remote = data.remote.as_ref();
        let remote = remote.map(|remote| (remote.table.name.clone(), remote.table.version.clone()));
        remote.or(here).ok_or_else(|| texts::refusals::NO_TABLE.to_owned())?
    };
    let query = Query {
        version,
        columns: Some(columns.to_vec()),
        offset: row,
        limit: Some(1),
        ..Query::of_table(&table)
    };
    let batches = elsewhere::batches(host, &query, &Cancel::default()).await?;
    let batch = batches.into_iter().find(|batch| batch.num_rows() > 0);
    let batch = batch.ok_or_else(|| texts::refusals::NO_SUCH_ROW.to_owned())?;
    Ok(columns.iter().map(|name| batch.column_by_name(name).cloned()).collect())
}

fn value_of(column: &str, array: &ArrayRef, at: usize) -> RecordValue {
    let array: &dyn Array = array.as_ref();
    let mut is_cut = false;
    let is_long =
        bytes_at(array, at).is_some_and(|bytes| bytes.len() > 1024 || image_type(bytes).is_some());
    let mut text = if is_long { cell_text(array, at) } else { exact_text(array, at) };
    if let Some(text) = text.as_mut().filter(|text| text.len() > TEXT_BYTES_MAX) {
        is_cut = true;
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('…');
    }
    let mut json = String::new();
    write_json(&mut json, array, at);
    if json.len() > JSON_BYTES_MAX {
        is_cut = true;
        json = "null".to_owned();
    }
    RecordValue { column: column.to_owned(), text, json, is_cut }
}
