//! A column of a table: texts, pictures, or where pictures are. Its rows all stay, with a vector
//! or without.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use encoder::Source;
use engine::predicate::Predicate;
use engine::query::Query;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::folder::{thumbnails, vector_type, vectors};
use super::keeper::Keeper;
use super::model::Opened;
use super::rows::{Feed, Made, Rows};
use super::{EncodeFailure, From, Place, Spec};
use crate::jobs::results::delta_type;
use crate::jobs::spec::Keep;
use crate::jobs::work::is_kept;
use crate::jobs::{estimate, lineage};
use crate::lake::Snapshot;
use crate::pictures::{FETCHED_ROWS, Pictures, is_bytes};
use crate::query::vectors::{known, with_ids};
use crate::query::{pin, version_spec};

/// The cells of a column, with what else the result has of their rows.
pub(super) struct Cells {
    snapshot: Arc<Snapshot>,
    column: String,
    filters: Predicate,
    /// Columns of the table that the result has.
    kept: Vec<String>,
    has_thumbnails: bool,
    takes_texts: bool,
    schema: SchemaRef,
    /// Rows that pass the filters.
    rows: Option<u64>,
    rows_before: u64,
    readers: Vec<JoinHandle<Result<(), EncodeFailure>>>,
}

/// A row that is read: its number, and its cells that are kept.
pub(super) struct Row {
    number: u64,
    kept: RecordBatch,
}

impl Cells {
    pub(super) fn open(
        place: &Place<'_>,
        model: &Opened,
        spec: &Spec,
    ) -> Result<Self, EncodeFailure> {
        let From::Table { table, version, column, filters, keep } = &spec.from else {
            return Err(EncodeFailure::Nothing);
        };
        if *table == spec.into {
            let reason = "--into names the table that is read; give another name";
            return Err(EncodeFailure::Mismatch(reason.to_owned()));
        }
        let lakes = place.queries.lakes();
        let version = version_spec(version.as_ref())?;
        let snapshot = place.handle.block_on(lakes.snapshot(table, version))?;
        let takes_texts = model.takes_texts();
        let column = column_of(snapshot.schema(), table, column.as_deref(), takes_texts)?;
        let kept = kept(snapshot.schema(), keep)?;
        let has_thumbnails = model.has_thumbnails;
        let own = kept.iter().map(|name| match snapshot.schema().field_with_name(name) {
            Ok(field) => Field::new(name, delta_type(field.data_type()), true),
            Err(_) => Field::new(name, DataType::Int64, true),
        });
        let small = has_thumbnails.then(|| Field::new(THUMBNAILS, DataType::Binary, true));
        let made = small.into_iter().chain([Field::new(&spec.name, vector_type(), true)]);
        let fields: Vec<Field> = own.chain(made).collect();
        let query = Query { filters: filters.clone(), ..Query::of_table(table) };
        let pinned = pin(query, Arc::clone(&snapshot))?;
        let rows = place.handle.block_on(estimate::count(place.queries, &pinned)).ok();
        Ok(Self {
            snapshot,
            column,
            filters: filters.clone(),
            kept,
            has_thumbnails,
            takes_texts,
            schema: Arc::new(Schema::new(fields)),
            rows,
            rows_before: 0,
            readers: Vec::new(),
        })
    }

    fn query(&self) -> Query {
        let own = (!self.kept.contains(&self.column)).then_some(&self.column);
        Query {
            columns: Some(self.kept.iter().chain(own).cloned().collect()),
            filters: self.filters.clone(),
            offset: self.rows_before,
            ..Query::of_table(self.snapshot.table())
        }
    }
}

/// Small pictures of a table's pictures.
const THUMBNAILS: &str = "thumbnail";

impl Rows for Cells {
    type Id = Row;

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn lineage(&self) -> Map<String, Value> {
        let source = lineage::source(&self.snapshot, Some(&self.column), &self.filters);
        Map::from_iter([("source".to_owned(), source), ("keep".to_owned(), json!(self.kept))])
    }

    fn skip(&mut self, _: &Place<'_>, keeper: &Keeper) -> Result<(), EncodeFailure> {
        if keeper.is_going_on() && !keeper.is_untouched() {
            return Err(EncodeFailure::Mismatch(format!(
                "others have written to table {:?} since, so that there is no telling which rows \
                 are left; give another name, or --overwrite",
                keeper.table(),
            )));
        }
        // Every row that was read has one that was written.
        self.rows_before = keeper.rows_before();
        Ok(())
    }

    fn count(&self) -> Option<u64> {
        Some(self.rows?.saturating_sub(self.rows_before))
    }

    fn feed(&mut self, place: &Place<'_>) -> Result<Feed<Row>, EncodeFailure> {
        let pinned = pin(self.query(), Arc::clone(&self.snapshot))?;
        let (give_batch, batches) = sync_channel(1);
        let (give_rows, rows) = sync_channel(1);
        let (handle, queries) = (place.handle.clone(), Arc::clone(place.queries));
        let read = move || {
            // Whoever takes them has ended: so does this.
            let take = |to: &mut SyncSender<RecordBatch>, batch: &RecordBatch| {
                to.send(batch.clone()).map_err(|_| EncodeFailure::Nothing)
            };
            let folded = handle.block_on(queries.fold(pinned, give_batch, take))?;
            folded.map(drop)
        };
        let prepare = Prepare {
            handle: place.handle.clone(),
            pictures: place.pictures.clone(),
            table: self.snapshot.table().to_owned(),
            column: self.column.clone(),
            n_kept: self.kept.len(),
            first: self.rows_before,
            takes_texts: self.takes_texts,
        };
        self.readers.push(std::thread::spawn(read));
        self.readers.push(std::thread::spawn(move || prepare.all(&batches, &give_rows)));
        Ok(Box::new(rows.into_iter().flatten()))
    }

    fn name(&self, row: &Row) -> String {
        format!("row {}", row.number)
    }

    fn assemble(&self, rows: Vec<Made<Row>>) -> Result<RecordBatch, ArrowError> {
        let Some((first, _)) = rows.first() else {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        };
        let kept = first.kept.schema();
        let kept =
            arrow_select::concat::concat_batches(&kept, rows.iter().map(|(row, _)| &row.kept))?;
        let own = kept
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| arrow_cast::cast(column, field.data_type()));
        let made = || rows.iter().map(|(_, made)| made.as_ref().ok());
        let small = self.has_thumbnails.then(|| Ok(thumbnails(made())));
        let columns = own.chain(small).chain([Ok(vectors(made()))]);
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
    }

    fn ended(&mut self) -> Result<(), EncodeFailure> {
        for reader in self.readers.drain(..) {
            let ended = reader.join();
            ended.unwrap_or_else(|_| Err(EncodeFailure::Ended("it panicked".to_owned())))?;
        }
        Ok(())
    }
}

/// Makes of batches what the model takes.
struct Prepare {
    handle: Handle,
    pictures: Arc<Pictures>,
    table: String,
    column: String,
    /// The first columns are kept.
    n_kept: usize,
    first: u64,
    takes_texts: bool,
}

impl Prepare {
    fn all(
        &self,
        batches: &Receiver<RecordBatch>,
        rows: &SyncSender<Vec<(Row, Source)>>,
    ) -> Result<(), EncodeFailure> {
        let mut number = self.first;
        for batch in batches {
            for at in (0..batch.num_rows()).step_by(FETCHED_ROWS) {
                let part = batch.slice(at, FETCHED_ROWS.min(batch.num_rows() - at));
                let sources = self.sources(&part)?;
                let kept: Vec<usize> = (0..self.n_kept).collect();
                let kept = part.project(&kept);
                let kept = kept.map_err(|error| EncodeFailure::Ended(error.to_string()))?;
                let numbered = sources.into_iter().enumerate().map(|(row, source)| {
                    let kept = kept.slice(row, 1);
                    (Row { number: number + row as u64, kept }, source)
                });
                let sent = rows.send(numbered.collect());
                if sent.is_err() {
                    // Nobody waits for them any more.
                    return Ok(());
                }
                number += part.num_rows() as u64;
            }
        }
        Ok(())
    }

    fn sources(&self, part: &RecordBatch) -> Result<Vec<Source>, EncodeFailure> {
        let missing = || Source::Missing("the cell is empty".to_owned());
        let bad = |reason: String| EncodeFailure::Column { column: self.column.clone(), reason };
        let cells = part.column_by_name(&self.column);
        let cells = cells.ok_or_else(|| bad("is not there".to_owned()))?;
        let unread = |error: ArrowError| bad(format!("cannot be read: {error}"));
        if self.takes_texts {
            let cells = arrow_cast::cast(cells, &DataType::LargeUtf8).map_err(unread)?;
            let cells = cells.as_string::<i64>().iter();
            let source = |cell: Option<&str>| cell.map(|text| Source::Text(text.to_owned()));
            return Ok(cells.map(|cell| source(cell).unwrap_or_else(missing)).collect());
        }
        let found = self.handle.block_on(self.pictures.of_cells(&self.table, cells));
        let source = |found: Result<Bytes, String>| match found {
            Ok(bytes) => Source::Bytes(bytes.into()),
            Err(reason) => Source::Missing(reason),
        };
        Ok(found.map_err(unread)?.into_iter().map(source).collect())
    }
}

/// Whether the table has what a model takes, and the columns that are to be kept.
pub(crate) fn check(
    schema: &Schema,
    table: &str,
    column: Option<&str>,
    keep: &Keep,
    takes_texts: bool,
) -> Result<(), EncodeFailure> {
    column_of(schema, table, column, takes_texts)?;
    kept(schema, keep).map(drop)
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// What a column of pictures, or of where they are, is mostly called.
const PICTURES: [&str; 12] = [
    "image",
    "image_url",
    "img_url",
    "url",
    "identifier",
    "picture",
    "photo",
    "path",
    "image_path",
    "file",
    "file_name",
    "filename",
];

/// The column of pictures, or of where they are.
pub(crate) fn picture_column(
    schema: &Schema,
    table: &str,
    named: Option<&str>,
) -> Result<String, EncodeFailure> {
    column_of(schema, table, named, false)
}

/// The column that is named, else the only one that it can be.
fn column_of(
    schema: &Schema,
    table: &str,
    named: Option<&str>,
    takes_texts: bool,
) -> Result<String, EncodeFailure> {
    let fits = |data_type: &DataType| is_text(data_type) || !takes_texts && is_bytes(data_type);
    if let Some(name) = named {
        known(schema, "column", name)?;
        let data_type = schema.field_with_name(name).map(|field| field.data_type());
        return match data_type.is_ok_and(fits) {
            true => Ok(name.to_owned()),
            false => Err(EncodeFailure::Column {
                column: name.to_owned(),
                reason: match takes_texts {
                    true => "has no texts, which the model takes".to_owned(),
                    false => "has neither pictures nor texts that say where they are".to_owned(),
                },
            }),
        };
    }
    let fields = schema.fields().iter().filter(|field| fits(field.data_type()));
    let fields = fields.filter(|field| {
        let is_usual = || PICTURES.contains(&field.name().to_lowercase().as_str());
        takes_texts || is_bytes(field.data_type()) || is_usual()
    });
    let found: Vec<&String> = fields.map(|field| field.name()).collect();
    let what = if takes_texts { "texts" } else { "pictures" };
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(EncodeFailure::Mismatch(format!(
            "table {table:?} has no column of {what} by its type and name: name one with --column"
        ))),
        several => Err(EncodeFailure::Mismatch(format!(
            "which column of table {table:?} has the {what}? Name one with --column: {several:?}"
        ))),
    }
}

/// The columns of the table that the result has.
fn kept(schema: &Schema, keep: &Keep) -> Result<Vec<String>, EncodeFailure> {
    Ok(match keep {
        Keep::All => {
            let fields = schema.fields().iter();
            let fields = fields.filter(|field| is_kept(field.data_type(), true));
            fields.map(|field| field.name().clone()).collect()
        }
        Keep::Columns(wanted) => with_ids(schema, wanted)?,
    })
}
