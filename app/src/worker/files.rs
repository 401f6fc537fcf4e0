//! Files dropped on the page, as tables: Arrow is decoded here, Parquet and CSV by the
//! reader, a worker of its own. After that a file is a table like any other, and needs no
//! companion.

mod link;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow_schema::SchemaRef;
use engine::kind::columns_from_schema;
use web_sys::File;

use crate::protocol::{
    ColumnInfo, LoadState, Origin, Reply, TableInfo, file_of_name, name_of_file,
};
use crate::reading::{FileFormat, HEAD_BYTES, TOTAL_ROWS, format_of};
use crate::worker::budget::{Fit, bytes_per_row_of_text};
use crate::worker::host::{Host, post};
use crate::worker::load::feed::{Feed, Trouble, decode, file_bytes};
use crate::worker::load::prepare::Wanted;
use crate::worker::load::report::Report;
use crate::worker::load::{Load, conclude};
use crate::worker::resident::Resident;
use crate::worker::resident::column::Column;
use crate::worker::tables::Described;
use crate::worker::turn::Stride;

pub use link::ReaderLink;

/// The files of this session.
#[derive(Default)]
pub struct Files {
    open: RefCell<BTreeMap<String, OpenFile>>,
    n_opened: Cell<u64>,
}

#[derive(Clone)]
struct OpenFile {
    file: File,
    format: FileFormat,
    described: Described,
}

impl Files {
    /// What a file is, if this is the name of one.
    pub fn described(&self, table: &str) -> Option<Described> {
        self.open.borrow().get(table).map(|open| open.described.clone())
    }

    /// All files, for the list of tables.
    pub fn tables(&self) -> Vec<TableInfo> {
        self.open.borrow().values().map(|open| open.described.table.clone()).collect()
    }
}

/// Answers `OpenFile`: a description as soon as there is a schema, then progress.
pub fn open(host: &Rc<Host>, name: String, bytes: u64, file: File) {
    let load = host.load.take_over();
    let host = Rc::clone(host);
    wasm_bindgen_futures::spawn_local(async move {
        let table = name_of_file(&name);
        let mut report = Report::new(table, None, Vec::new());
        report.set_origin(Origin::File);
        report.tell(LoadState::Loading, Vec::new());
        let mut opening = Opening { name, bytes, file, columns: Vec::new() };
        let outcome = opening.run(&host, &load, &mut report).await;
        conclude(&host, &load, report, outcome).await;
    });
}

struct Opening {
    name: String,
    bytes: u64,
    file: File,
    /// Known once the schema is.
    columns: Vec<String>,
}

impl Opening {
    async fn run(
        &mut self,
        host: &Rc<Host>,
        load: &Load,
        report: &mut Report,
    ) -> Result<(), Trouble> {
        let end = (HEAD_BYTES as f64).min(self.file.size());
        let head = file_bytes(&self.file, 0.0, end).await.map_err(Trouble::Failed)?;
        let format = format_of(&head, &self.name).map_err(Trouble::Failed)?;
        let mut feed = feed_of(host, &self.file, &self.name, format, None).await?;
        let n_bytes = Cell::new(0);
        let mut rows = 0;
        let decoded = decode(&mut feed, &load.cancel, &n_bytes, async |schema, batch| {
            let Some(batch) = batch else { return self.begin(host, format, schema, report) };
            rows += batch.num_rows() as u64;
            push(host, &batch, &self.columns)?;
            report.add_bytes(n_bytes.take());
            tick(host, report, rows);
            Ok(())
        });
        decoded.await.map_err(|trouble| named(&self.name, trouble))?;
        finish(host, load, &self.columns).await
    }

    /// The schema has come: tells what the file is, and makes room.
    fn begin(
        &mut self,
        host: &Rc<Host>,
        format: FileFormat,
        schema: &SchemaRef,
        report: &mut Report,
    ) -> Result<(), Trouble> {
        let table = name_of_file(&self.name);
        let rows = schema.metadata().get(TOTAL_ROWS).and_then(|rows| rows.parse().ok());
        let columns: Vec<ColumnInfo> =
            columns_from_schema(schema).into_iter().map(described_column).collect();
        let info = TableInfo {
            name: table.clone(),
            format: format.name().to_owned(),
            version: None,
            rows,
            bytes: Some(self.bytes),
            column_count: u32::try_from(columns.len()).unwrap_or(u32::MAX),
            error: None,
            cached: false,
        };
        // Two files of one name are two tables, the later in place of the earlier.
        let number = host.files.n_opened.get() + 1;
        host.files.n_opened.set(number);
        let uid = format!("{table} {number}");
        let described = Described { table: info, uid: uid.clone(), columns, origin: Origin::File };
        self.columns = described.columns.iter().map(|column| column.name.clone()).collect();
        let open = OpenFile { file: self.file.clone(), format, described: described.clone() };
        host.files.open.borrow_mut().insert(table.clone(), open);
        let Described { table: info, columns, origin, .. } = described.clone();
        post(&Reply::Described { table: info, columns, versions: Vec::new(), origin });
        report.set_rows(0, rows);
        report.set_columns(self.columns.clone());
        let mut resident = Resident::new(table, None, uid, Origin::File);
        resident.rows_total = rows;
        let mut data = host.data.borrow_mut();
        data.resident = Some(resident);
        data.remote = None;
        data.renew();
        check_fit(host, &described, &self.columns)?;
        if let Some(resident) = &mut data.resident {
            insert_columns(resident, schema, &described, &self.columns);
        }
        Ok(())
    }
}

/// Reads columns of an open file that are not here.
pub async fn read_columns(
    host: &Rc<Host>,
    load: &Load,
    report: &mut Report,
    described: &Described,
    missing: &[Wanted],
) -> Result<(), Trouble> {
    let name = &described.table.name;
    let open = host.files.open.borrow().get(name).cloned();
    let open = open.ok_or_else(|| Trouble::Failed(format!("{name} is no longer open")))?;
    let columns: Vec<String> = missing.iter().map(|wanted| wanted.name().to_owned()).collect();
    let short = file_of_name(name).unwrap_or(name);
    let mut feed = feed_of(host, &open.file, short, open.format, Some(columns.clone())).await?;
    let n_bytes = Cell::new(0);
    let mut rows = 0;
    let decoded = decode(&mut feed, &load.cancel, &n_bytes, async |schema, batch| {
        let Some(batch) = batch else {
            let mut data = host.data.borrow_mut();
            let resident = data.resident.as_mut().ok_or(Trouble::Cancelled)?;
            insert_columns(resident, schema, described, &columns);
            return Ok(());
        };
        rows += batch.num_rows() as u64;
        push(host, &batch, &columns)?;
        report.add_bytes(n_bytes.take());
        tick(host, report, rows);
        Ok(())
    });
    decoded.await.map_err(|trouble| named(short, trouble))?;
    finish(host, load, &columns).await
}

/// The file's content as an Arrow stream.
async fn feed_of(
    host: &Rc<Host>,
    file: &File,
    name: &str,
    format: FileFormat,
    columns: Option<Vec<String>>,
) -> Result<Feed, Trouble> {
    if format == FileFormat::Arrow {
        return Ok(Feed::File { file: file.clone(), at: 0.0 });
    }
    let script = host.settings.borrow().reader.clone();
    let script = script.ok_or_else(|| {
        Trouble::Failed(format!("{name}: the reader of such files is not part of this page"))
    })?;
    let link = ReaderLink::open(&script, file, name, format, columns).map_err(Trouble::Failed)?;
    Ok(Feed::Reader(Box::new(link)))
}

fn described_column(column: engine::kind::Column) -> ColumnInfo {
    ColumnInfo {
        bytes_per_row: bytes_per_row_of_text(&column.data_type),
        name: column.name,
        data_type: column.data_type,
        kind: column.kind,
        nullable: column.nullable,
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    }
}

/// Files have no companion to fall back on.
pub fn check_fit(host: &Host, described: &Described, columns: &[String]) -> Result<(), Trouble> {
    let bytes_of =
        |name: &String| described.column(name).map_or(0.0, |(_, info)| info.bytes_per_row);
    let bytes_per_row: f64 = columns.iter().map(bytes_of).sum();
    let budget = host.budget();
    match budget.fit(described.table.rows, bytes_per_row) {
        Fit::Here => Ok(()),
        Fit::TooLarge { needed_bytes } => {
            Err(too_large(&described.table.name, needed_bytes, budget.bytes_max))
        }
    }
}

fn too_large(name: &str, needed_bytes: u64, bytes_max: u64) -> Trouble {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Trouble::Failed(format!(
        "{name} takes about {} MiB of memory here, of which there are {}: load fewer columns",
        mib(needed_bytes),
        mib(bytes_max)
    ))
}

fn insert_columns(
    resident: &mut Resident,
    schema: &SchemaRef,
    described: &Described,
    columns: &[String],
) {
    for name in columns {
        let field = schema.fields().iter().find(|field| field.name() == name);
        if let (Some(field), Ok((place, info))) = (field, described.column(name)) {
            resident.insert(Column::new(field.clone(), info.kind, place));
        }
    }
}

fn push(host: &Host, batch: &arrow_array::RecordBatch, columns: &[String]) -> Result<(), Trouble> {
    let mut data = host.data.borrow_mut();
    let resident = data.resident.as_mut().ok_or(Trouble::Cancelled)?;
    for name in columns {
        if let (Some(array), Some(column)) = (batch.column_by_name(name), resident.column_mut(name))
        {
            column.push(array).map_err(Trouble::failed)?;
        }
    }
    let budget = host.budget();
    let (bytes, rows) = (resident.bytes(), resident.rows() as u64);
    match budget.fit_seen(resident.rows_total, rows, bytes) {
        Fit::Here => Ok(()),
        Fit::TooLarge { needed_bytes } => {
            let name = resident.table.clone();
            columns.iter().for_each(|column| resident.remove(column));
            data.renew();
            Err(too_large(&name, needed_bytes, budget.bytes_max))
        }
    }
}

fn tick(host: &Host, report: &mut Report, rows: u64) {
    let total = host.data.borrow().resident.as_ref().and_then(|resident| resident.rows_total);
    report.set_rows(rows, total);
    if report.tick() {
        host.show.raise();
    }
}

async fn finish(host: &Rc<Host>, load: &Load, columns: &[String]) -> Result<(), Trouble> {
    let mut stride = Stride::start();
    for name in columns {
        {
            let mut data = host.data.borrow_mut();
            let column = data.resident.as_mut().and_then(|resident| resident.column_mut(name));
            column.ok_or(Trouble::Cancelled)?.finish().map_err(Trouble::failed)?;
        }
        stride.breathe().await;
        if load.cancel.is_cancelled() {
            return Err(Trouble::Cancelled);
        }
    }
    Ok(())
}

fn named(name: &str, trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Failed(detail) if !detail.contains(name) => {
            Trouble::Failed(format!("{name}: {detail}"))
        }
        other => other,
    }
}
