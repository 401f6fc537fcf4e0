//! Rows of the selection as a file, made here where no companion can: in the order in which they
//! are shown, as CSV, or as Arrow and Parquet, which the reader of files writes.

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use engine::gather::{concat, take};
use engine::ipc::encode::{Compression, Container, Encoder};
use engine::query::OrderKey;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag, Url};

use crate::protocol::table::CellForm;
use crate::texts;
use crate::worker::clip::Clip;
use crate::worker::files::ReaderLink;
use crate::worker::host::Host;
use crate::worker::mapping::table::blocks_of;
use crate::worker::net::text_of;
use crate::worker::pages::ordered;
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::rows::RowOrder;
use crate::worker::turn::Stride;

/// Rows of CSV that are written at once.
const CSV_ROWS: usize = 512;

/// As a job is asked for; what is not said here does not matter here.
#[derive(Debug, Deserialize)]
struct Asked {
    table: String,
    columns: Vec<String>,
    order_by: Vec<OrderKey>,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csv,
    Arrow,
    Parquet,
}

/// Where the file is, for as long as no other is made; and its rows.
pub async fn make(host: &Rc<Host>, text: &str) -> Result<(String, usize), String> {
    let asked: Asked = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for column in &asked.columns {
        blocks_of(host, column).await?;
    }
    let rows = rows(host, &asked).await?;
    let batch = gathered(host, &asked.columns, &rows).await?;
    let parts = js_sys::Array::new();
    let kind = match asked.format {
        Format::Csv => {
            csv(&batch, &asked.columns, &parts).await?;
            "text/csv"
        }
        Format::Arrow | Format::Parquet => {
            let script = host.settings.borrow().reader.clone();
            let script = script.ok_or_else(|| texts::loading::READER_NOT_STARTED.to_owned())?;
            let stream = stream(&batch).await?;
            let is_parquet = asked.format == Format::Parquet;
            put(&parts, &ReaderLink::file(&script, &stream, is_parquet).await?);
            match is_parquet {
                true => "application/vnd.apache.parquet",
                false => "application/vnd.apache.arrow.file",
            }
        }
    };
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let refused = |error: JsValue| text_of(&error);
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(refused)?;
    let address = Url::create_object_url_with_blob(&blob).map_err(refused)?;
    if let Some(before) = host.mapping.saved.replace(Some(address.clone())) {
        // Whoever wanted it has it by now.
        drop(Url::revoke_object_url(&before));
    }
    Ok((address, rows.len()))
}

/// The numbers of the selected rows, in their order.
async fn rows(host: &Rc<Host>, asked: &Asked) -> Result<Vec<u32>, String> {
    let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
    let is_own = |host: &Host| {
        let data = host.data.borrow();
        data.resident.as_ref().is_some_and(|here| here.table == asked.table)
    };
    while !host.desk.borrow().is_answered() {
        gloo_timers::future::TimeoutFuture::new(10).await;
    }
    if !is_own(host) {
        return Err(changed());
    }
    let mut order = RowOrder::default();
    ordered(host, &mut order, &asked.order_by, |order, _, selection| {
        let all = order.window(selection, 0, order.selected());
        all.into_iter().map(|row| u32::try_from(row).map_err(|_| changed())).collect()
    })
    .await
}

/// The rows, column by column.
async fn gathered(host: &Host, columns: &[String], rows: &[u32]) -> Result<RecordBatch, String> {
    let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
    let failed = |error: arrow_schema::ArrowError| error.to_string();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(names.len());
    let mut stride = Stride::start();
    for name in &names {
        stride.breathe().await;
        let data = host.data.borrow();
        let here = data.resident.as_ref().ok_or_else(changed)?;
        let blocks = here.column(name).ok_or_else(changed)?.blocks();
        let parts: Vec<&dyn arrow_array::Array> = blocks.iter().map(AsRef::as_ref).collect();
        let whole = concat(&parts).map_err(failed)?;
        arrays.push(take(whole.as_ref(), rows).map_err(failed)?);
    }
    let data = host.data.borrow();
    let here = data.resident.as_ref().ok_or_else(changed)?;
    let fields = here.schema_of(&names);
    let fields = fields.fields().iter().zip(&arrays);
    let fields = fields.map(|(f, array)| Field::new(f.name(), array.data_type().clone(), true));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, arrays).map_err(failed)
}

fn slices(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> + '_ {
    let starts = (0..batch.num_rows()).step_by(BLOCK_ROWS);
    starts.map(|at| batch.slice(at, BLOCK_ROWS.min(batch.num_rows() - at)))
}

async fn stream(batch: &RecordBatch) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let encoder = Encoder::new(batch.schema_ref(), Container::Stream, Compression::None);
    let mut encoder = encoder.map_err(|error| failed(&error))?;
    let mut stride = Stride::start();
    for part in slices(batch) {
        stride.breathe().await;
        encoder.write(&part).map_err(|error| failed(&error))?;
    }
    encoder.finish().map_err(|error| failed(&error))
}

/// As cells are copied, text by text.
async fn csv(batch: &RecordBatch, columns: &[String], parts: &js_sys::Array) -> Result<(), String> {
    let mut clip = Clip::new(CellForm::Csv, "", columns);
    let mut stride = Stride::start();
    for part in slices(batch) {
        stride.breathe().await;
        for row in 0..part.num_rows() {
            let cells: Vec<_> = part.columns().iter().map(|array| Some((array, row))).collect();
            clip.push(&cells)?;
            // Vectors are long as texts.
            if row % CSV_ROWS == CSV_ROWS - 1 {
                put(parts, clip.taken().as_bytes());
            }
        }
    }
    put(parts, clip.finish().as_bytes());
    Ok(())
}

fn put(parts: &js_sys::Array, bytes: &[u8]) {
    parts.push(&js_sys::Uint8Array::from(bytes));
}
