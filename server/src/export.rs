//! A table as a page of its own: the app, the table's rows as Parquet, and what the page opens
//! with. A folder of plain files, for any static host, with no companion.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use arrow_array::{ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use engine::predicate::Predicate;
use engine::query::{Query, Version};
use futures::{StreamExt, stream};
use parquet::arrow::ArrowWriter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::json;

use crate::bundle::{self, CONFIG, PAGE};
use crate::delta::write::properties;
use crate::encode::table::picture_column;
use crate::encode::{EncodeFailure, Place};
use crate::pictures::{FETCHED_ROWS, FETCHES};
use crate::query::vectors::known;
use crate::query::{Pinned, pin, version_spec};

/// What is to be a page.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) table: String,
    pub(crate) version: Option<Version>,
    pub(crate) filters: Predicate,
    /// All of them where none are named.
    pub(crate) columns: Option<Vec<String>>,
    /// The column whose cells become the pictures that they name.
    pub(crate) pictures: Option<String>,
    /// The longer side of those, in pixels.
    pub(crate) side: u32,
    /// Views, filters and whatever else an address of the page says, but for its table.
    pub(crate) link: String,
    pub(crate) out: PathBuf,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Exported {
    pub(crate) folder: PathBuf,
    pub(crate) rows: u64,
    pub(crate) data_bytes: u64,
    pub(crate) pictures: u64,
    pub(crate) without_picture: u64,
}

/// Where the rows lie.
const FOLDER: &str = "data";
/// What is written otherwise in a path of an address (RFC 3986).
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Makes the page. Blocks: not to be called by what a runtime runs. `told` hears how many rows
/// are written, `failed` why a row has no picture.
pub(crate) fn export(
    place: &Place<'_>,
    export: &Export,
    told: &dyn Fn(u64),
    failed: &dyn Fn(u64, &str),
) -> Result<Exported, EncodeFailure> {
    if bundle::get(PAGE).is_none() {
        let reason =
            "this limn carries no app: run `make build`, and use the bin/limn that it leaves";
        return Err(EncodeFailure::Mismatch(reason.to_owned()));
    }
    let version = version_spec(export.version.as_ref())?;
    let lakes = place.queries.lakes();
    let snapshot = place.handle.block_on(lakes.snapshot(&export.table, version))?;
    let schema = snapshot.schema();
    let all = || schema.fields().iter().map(|field| field.name().clone()).collect();
    let columns: Vec<String> = export.columns.clone().unwrap_or_else(all);
    columns.iter().try_for_each(|name| known(schema, "columns", name))?;
    if let Some(pictures) = &export.pictures {
        let chosen = schema.project(&places(schema, &columns));
        known(&chosen.unwrap_or_else(|_| Schema::empty()), "pictures", pictures)?;
        picture_column(schema, &export.table, Some(pictures))?;
    }
    let had_folder = export.out.exists();
    claim(&export.out)?;
    let query = Query {
        columns: Some(columns),
        filters: export.filters.clone(),
        ..Query::of_table(snapshot.table())
    };
    let pinned = pin(query, Arc::clone(&snapshot))?;
    let done = write(place, export, pinned, told, failed);
    if done.is_err() {
        drop(give_up(&export.out, had_folder));
    }
    done
}

fn write(
    place: &Place<'_>,
    export: &Export,
    pinned: Pinned,
    told: &dyn Fn(u64),
    failed: &dyn Fn(u64, &str),
) -> Result<Exported, EncodeFailure> {
    let (give, batches) = sync_channel(1);
    let (handle, queries) = (place.handle.clone(), Arc::clone(place.queries));
    let reader = std::thread::spawn(move || {
        let take = |to: &mut SyncSender<RecordBatch>, batch: &RecordBatch| {
            to.send(batch.clone()).map_err(|_| EncodeFailure::Nothing)
        };
        handle.block_on(queries.fold(pinned, give, take))?.map(drop)
    });
    let name = export.table.rsplit('/').next().unwrap_or_default();
    let file = format!("{FOLDER}/{name}.parquet");
    let mut rows = Rows::new(place, export, &file)?;
    for batch in &batches {
        rows.put(&batch, failed)?;
        told(rows.done.rows);
    }
    let ended = reader.join();
    ended.unwrap_or_else(|_| Err(EncodeFailure::Ended("it panicked".to_owned())))?;
    let done = rows.finish()?;
    // Last, and of it the page itself: what is there whole is there to be opened.
    let open = format!("{FOLDER}/{}.parquet", utf8_percent_encode(name, &ENCODED));
    write_app(&export.out, &json!({"api": false, "open": open, "link": export.link}))?;
    Ok(done)
}

/// Takes away what was written into a folder that was empty.
fn give_up(out: &Path, had_folder: bool) -> std::io::Result<()> {
    if !had_folder {
        return fs::remove_dir_all(out);
    }
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let is_ours = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
            name == FOLDER || bundle::names().any(|own| own.split('/').next() == Some(name))
        });
        match is_ours {
            true if path.is_dir() => fs::remove_dir_all(path)?,
            true => fs::remove_file(path)?,
            false => {}
        }
    }
    Ok(())
}

fn places(schema: &Schema, columns: &[String]) -> Vec<usize> {
    columns.iter().filter_map(|name| schema.index_of(name).ok()).collect()
}

/// A folder that nothing is in: whatever is there stays.
fn claim(out: &Path) -> Result<(), EncodeFailure> {
    fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
    let mut inside = fs::read_dir(out).map_err(|error| unwritable(out, &error))?;
    match inside.next() {
        None => Ok(()),
        Some(_) => Err(EncodeFailure::Folder {
            folder: out.to_owned(),
            reason: "something is in it; name a folder that is empty, or not there yet".to_owned(),
        }),
    }
}

fn write_app(out: &Path, config: &serde_json::Value) -> Result<(), EncodeFailure> {
    let names = bundle::names().filter(|name| name != PAGE && name != CONFIG);
    let config = format!("{config:#}\n");
    let files = names.filter_map(|name| Some((name.to_string(), bundle::get(&name)?.data)));
    let own = [(CONFIG.to_owned(), config.into_bytes().into())];
    let page = bundle::get(PAGE).map(|page| (PAGE.to_owned(), page.data));
    for (name, data) in files.chain(own).chain(page) {
        let path = out.join(&name);
        let folder = path.parent().unwrap_or(out);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, &data));
        written.map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

/// The rows on their way into a file.
struct Rows<'a> {
    place: &'a Place<'a>,
    export: &'a Export,
    path: PathBuf,
    writer: Option<ArrowWriter<File>>,
    done: Exported,
}

impl<'a> Rows<'a> {
    fn new(place: &'a Place<'a>, export: &'a Export, file: &str) -> Result<Self, EncodeFailure> {
        let path = export.out.join(file);
        let folder = path.parent().unwrap_or(&export.out);
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        let done = Exported { folder: export.out.clone(), ..Exported::default() };
        Ok(Self { place, export, path, writer: None, done })
    }

    fn put(
        &mut self,
        batch: &RecordBatch,
        failed: &dyn Fn(u64, &str),
    ) -> Result<(), EncodeFailure> {
        for at in (0..batch.num_rows()).step_by(self.rows_at_once()) {
            let part = batch.slice(at, self.rows_at_once().min(batch.num_rows() - at));
            let part = match &self.export.pictures {
                Some(column) => self.with_pictures(&part, column, failed)?,
                None => part,
            };
            self.write(&part)?;
            self.done.rows += part.num_rows() as u64;
        }
        Ok(())
    }

    fn rows_at_once(&self) -> usize {
        if self.export.pictures.is_some() { FETCHED_ROWS } else { usize::MAX }
    }

    fn write(&mut self, part: &RecordBatch) -> Result<(), EncodeFailure> {
        let path = &self.path;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let file = File::create_new(path).map_err(|error| unwritable(path, &error))?;
                let writer = ArrowWriter::try_new(file, part.schema(), Some(properties()));
                none.insert(writer.map_err(|error| unwritable(path, &error))?)
            }
        };
        writer.write(part).map_err(|error| unwritable(path, &error))
    }

    /// The same rows, with pictures where one column says where they are.
    fn with_pictures(
        &mut self,
        part: &RecordBatch,
        column: &str,
        failed: &dyn Fn(u64, &str),
    ) -> Result<RecordBatch, EncodeFailure> {
        let broken = |error: arrow_schema::ArrowError| EncodeFailure::Column {
            column: column.to_owned(),
            reason: format!("cannot be read: {error}"),
        };
        let at = part.schema().index_of(column).map_err(broken)?;
        let (pictures, side) = (self.place.pictures, self.export.side);
        let work = async {
            let found = pictures.of_cells(&self.export.table, part.column(at)).await?;
            let small = found.into_iter().map(|found| async move {
                let small = pictures.smaller(found?, side).await;
                small.ok_or_else(|| "it is no PNG, JPEG, GIF, WebP, AVIF or BMP".to_owned())
            });
            Ok(stream::iter(small).buffered(FETCHES).collect::<Vec<_>>().await)
        };
        let found = self.place.handle.block_on(work).map_err(broken)?;
        for (row, found) in found.iter().enumerate() {
            match found {
                Ok(_) => self.done.pictures += 1,
                Err(reason) => {
                    self.done.without_picture += 1;
                    failed(self.done.rows + row as u64, reason);
                }
            }
        }
        let cells = found.iter().map(|found| found.as_deref().ok());
        let cells: ArrayRef = Arc::new(BinaryArray::from_iter(cells));
        let mut columns = part.columns().to_vec();
        columns[at] = cells;
        RecordBatch::try_new(with_bytes(&part.schema(), at), columns).map_err(broken)
    }

    fn finish(mut self) -> Result<Exported, EncodeFailure> {
        if self.writer.is_none() {
            let reason = "there is nothing to show: no row passes the filters";
            return Err(EncodeFailure::Mismatch(reason.to_owned()));
        }
        if let Some(writer) = self.writer.take() {
            let mut file = writer.into_inner().map_err(|error| unwritable(&self.path, &error))?;
            file.flush().map_err(|error| unwritable(&self.path, &error))?;
        }
        let bytes = fs::metadata(&self.path).map_err(|error| unwritable(&self.path, &error))?;
        Ok(Exported { data_bytes: bytes.len(), ..self.done })
    }
}

fn with_bytes(schema: &SchemaRef, at: usize) -> SchemaRef {
    let field = |(place, field): (usize, &Arc<Field>)| match place == at {
        true => Arc::new(Field::new(field.name(), DataType::Binary, true)),
        false => Arc::clone(field),
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().enumerate().map(field).collect();
    Arc::new(Schema::new(fields))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> EncodeFailure {
    EncodeFailure::unwritable(path, error)
}
