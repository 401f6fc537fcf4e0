//! Tables that no companion has: files dropped on the page, and what lies at an address. The
//! reader, a worker of its own, finds out what they are and decodes them; after that each is
//! a table like any other.

mod link;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use engine::query::Version;
use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::few::sort_few;
use crate::protocol::{
    Level, Origin, Reply, TableInfo, VersionInfo, file_of_name, is_address, name_of_file,
};
use crate::reading::{Opened, Place};
use crate::texts;
use crate::worker::host::{Host, notice, post};
use crate::worker::load::feed::Trouble;
use crate::worker::load::prepare::Wanted;
use crate::worker::load::report::Report;
use crate::worker::net::text_of;
use crate::worker::notify::Notify;
use crate::worker::tables::{self, Described};

pub use link::{ReaderLink, Refusal};

/// The files of this session, and what is open of addresses.
#[derive(Default)]
pub struct Files {
    open: RefCell<BTreeMap<String, Rc<OpenTable>>>,
    /// Files that were dropped, by the names of their tables: objects beside their paths.
    dropped: RefCell<BTreeMap<String, (Vec<String>, Array)>>,
    n_opened: Cell<u64>,
    /// Raised when what is being opened is not waited for any more.
    given_up: Notify,
}

struct OpenTable {
    described: Described,
    versions: Vec<VersionInfo>,
    /// The one reading at a time; none after it broke.
    link: RefCell<Option<ReaderLink>>,
}

impl Files {
    pub fn give_up(&self) {
        self.given_up.raise();
    }

    /// The versions of a table that is open here.
    pub fn versions(&self, table: &str) -> Vec<VersionInfo> {
        self.open.borrow().get(table).map(|open| open.versions.clone()).unwrap_or_default()
    }
}

/// Whether a table is none of the companion's.
pub fn is_ours(table: &str) -> bool {
    file_of_name(table).is_some() || is_address(table)
}

/// Answers `OpenFile` as a description is answered: the page asks for columns then.
pub fn open(host: &Rc<Host>, name: String, paths: Vec<String>, objects: Array) {
    let table = name_of_file(&name);
    // Two of one name are two tables, the later in place of the earlier.
    host.files.open.borrow_mut().remove(&table);
    host.files.dropped.borrow_mut().insert(table.clone(), (paths, objects));
    host.load.cancel();
    wasm_bindgen_futures::spawn_local(tables::describe(Rc::clone(host), table, None));
}

/// Keeps what was made here as if it were dropped: it is opened by its name.
pub fn keep(host: &Host, name: &str, bytes: &[u8]) -> Result<(), String> {
    let parts = Array::of1(&js_sys::Uint8Array::from(bytes));
    let file = web_sys::File::new_with_u8_array_sequence(&parts, name).map_err(|e| text_of(&e))?;
    let table = name_of_file(name);
    host.files.open.borrow_mut().remove(&table);
    let dropped = (vec![name.to_owned()], Array::of1(&file));
    host.files.dropped.borrow_mut().insert(table, dropped);
    Ok(())
}

/// What a file, or what lies at an address, is. An address is asked anew unless the version
/// is given.
pub async fn described(
    host: &Rc<Host>,
    table: &str,
    version: Option<&Version>,
) -> Result<Described, Refusal> {
    let known = host.files.open.borrow().get(table).cloned();
    // Where nothing tells the states of a file apart, what was read is what there is.
    if let Some(known) = known
        && known.described.table.version.as_ref() == version
    {
        return Ok(known.described.clone());
    }
    let (link, opened) = link_to(host, table, version).await?;
    let open = take_in(host, table, link, opened);
    Ok(open.described.clone())
}

/// Starts a reader on a table, and hears what it is.
async fn link_to(
    host: &Rc<Host>,
    table: &str,
    version: Option<&Version>,
) -> Result<(ReaderLink, Opened), Refusal> {
    let failed = |detail: String| Refusal { detail, is_unreachable: false };
    let short = file_of_name(table).unwrap_or(table);
    let script = host
        .settings
        .borrow()
        .reader
        .clone()
        .ok_or_else(|| failed(texts::loading::no_reader(short)))?;
    let (place, objects) = match is_address(table) {
        true => (Place::Address(table.to_owned()), JsValue::UNDEFINED),
        false => {
            let dropped = host.files.dropped.borrow().get(table).cloned();
            let gone = || failed(texts::loading::file_gone(short));
            let (paths, objects) = dropped.ok_or_else(gone)?;
            (Place::Files(paths), objects.into())
        }
    };
    let mut link = ReaderLink::start(&script, place, version.cloned(), &objects).map_err(failed)?;
    let looking = |bytes, total| {
        post(&Reply::Opening { table: table.to_owned(), bytes, total });
    };
    let mut opened = None;
    host.files.given_up.lower();
    let opening = async { opened = Some(link.opened(looking).await) };
    if host.files.given_up.is_raised_before(opening).await {
        return Err(failed(texts::loading::CANCELLED.to_owned()));
    }
    let opened = opened.unwrap_or_else(|| Err(failed(texts::loading::CANCELLED.to_owned())));
    let opened = opened.map_err(|refusal| Refusal {
        detail: match refusal.detail.contains(short) {
            true => refusal.detail,
            false => format!("{short}: {}", refusal.detail),
        },
        ..refusal
    })?;
    Ok((link, opened))
}

fn take_in(host: &Rc<Host>, table: &str, link: ReaderLink, opened: Opened) -> Rc<OpenTable> {
    for text in &opened.notices {
        notice(Level::Info, format!("{}: {text}", file_of_name(table).unwrap_or(table)));
    }
    let info = TableInfo {
        name: table.to_owned(),
        format: opened.format,
        version: opened.version,
        rows: opened.rows,
        bytes: opened.bytes,
        column_count: u32::try_from(opened.columns.len()).unwrap_or(u32::MAX),
        error: None,
        cached: false,
    };
    let number = host.files.n_opened.get() + 1;
    host.files.n_opened.set(number);
    let (uid, origin) = match is_address(table) {
        true => (opened.uid, Origin::Address),
        false => (format!("{table} {number}"), Origin::File),
    };
    let described = Described { table: info, uid, columns: opened.columns, origin };
    let link = RefCell::new(Some(link));
    let open = Rc::new(OpenTable { described, versions: opened.versions, link });
    host.files.open.borrow_mut().insert(table.to_owned(), Rc::clone(&open));
    open
}

/// The link of a table, begun to read columns.
pub async fn read(
    host: &Rc<Host>,
    described: &Described,
    columns: &[String],
) -> Result<ReaderLink, Trouble> {
    let table = &described.table.name;
    let known = host.files.open.borrow().get(table).cloned();
    let version = described.table.version.as_ref();
    let known = known.filter(|open| open.described.table.version.as_ref() == version);
    let link = known.and_then(|open| open.link.take());
    let mut link = match link {
        Some(link) => link,
        None => {
            let refused = |refusal: Refusal| match refusal.is_unreachable {
                true => Trouble::Unreachable(refusal.detail),
                false => Trouble::Failed(refusal.detail),
            };
            let (link, opened) = link_to(host, table, version).await.map_err(refused)?;
            let open = take_in(host, table, link, opened);
            open.link.take().ok_or(Trouble::Cancelled)?
        }
    };
    link.read(columns).map_err(Trouble::Failed)?;
    Ok(link)
}

/// A reading is over and went well: the next one need not open the table again.
pub fn give_back(host: &Host, described: &Described, link: ReaderLink) {
    if let Some(open) = host.files.open.borrow().get(&described.table.name) {
        open.link.replace(Some(link));
    }
}

/// The columns that there is memory for, those that take least first: the others are left
/// out, and said.
pub fn those_that_fit(
    host: &Host,
    report: &mut Report,
    described: &Described,
    wanted: Vec<Wanted>,
) -> Vec<Wanted> {
    let budget = host.budget();
    let rows = described.table.rows.unwrap_or_default().min(budget.rows_max) as f64;
    let here = host.data.borrow().resident.as_ref().map_or(0, |resident| resident.bytes());
    let mut left = budget.bytes_max.saturating_sub(here) as f64;
    let mut by_size: Vec<&Wanted> = wanted.iter().collect();
    sort_few(&mut by_size, |column| column.info.bytes_per_row);
    let mut absent: Vec<String> = Vec::new();
    for (at, column) in by_size.into_iter().enumerate() {
        left -= column.info.bytes_per_row * rows;
        if left < 0.0 && at > 0 {
            absent.push(column.name().to_owned());
        }
    }
    if absent.is_empty() {
        return wanted;
    }
    let names: Vec<&str> = absent.iter().map(String::as_str).collect();
    report.leave_out(&names);
    let mib = budget.bytes_max >> 20;
    notice(Level::Warning, texts::loading::columns_left_out(mib, &names.join(", ")));
    wanted.into_iter().filter(|column| !absent.iter().any(|name| name == column.name())).collect()
}

/// Said where the memory was full before the table was over.
pub fn say_partial(host: &Host, described: &Described, rows: u64) {
    let budget = host.budget();
    let (name, all) = (&described.table.name, described.table.rows);
    let text = match rows > budget.rows_max {
        true => texts::loading::rows_at_most(name, rows, all, budget.rows_max),
        false => texts::loading::rows_that_fit(name, rows, all, budget.bytes_max >> 20),
    };
    notice(Level::Warning, text);
}
