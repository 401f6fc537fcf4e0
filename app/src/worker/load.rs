//! Making columns of a table resident: those that are kept in this browser from there, the
//! others in one stream from the companion, or none of them where they do not fit. One
//! load at a time; a new one takes over from the old.

pub mod feed;
pub mod report;
pub mod save;

pub mod arrive;
pub mod prepare;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use engine::query::Version;
use wasm_bindgen_futures::spawn_local;

use crate::protocol::{Level, LoadState, Origin, Profile};
use crate::texts;
use crate::worker::files;
use crate::worker::host::{Host, notice};
use crate::worker::net::Cancel;
use crate::worker::profile;
use crate::worker::tables::{self, Described};
use crate::worker::turn::Stride;

use feed::Trouble;
use prepare::{Prepared, Wanted};
use report::Report;

/// The load that is going on.
#[derive(Default)]
pub struct Loads {
    current: RefCell<Option<Rc<Load>>>,
}

/// One load, as seen from outside of it.
#[derive(Debug, Default)]
pub struct Load {
    pub cancel: Cancel,
    /// Another load has begun, which does the talking.
    is_superseded: Cell<bool>,
}

impl Loads {
    /// As the user wishes: what has arrived stays.
    pub fn cancel(&self) {
        if let Some(load) = self.current.borrow().as_ref() {
            load.cancel.cancel();
        }
    }

    /// Takes over from the load that is going on.
    pub fn take_over(&self) -> Rc<Load> {
        let next = Rc::<Load>::default();
        if let Some(old) = self.current.replace(Some(Rc::clone(&next))) {
            old.is_superseded.set(true);
            old.cancel.cancel();
        }
        next
    }
}

/// Answers `Load`.
pub fn begin(host: &Rc<Host>, table: String, version: Option<Version>, columns: Vec<String>) {
    let load = host.load.take_over();
    let host = Rc::clone(host);
    spawn_local(async move {
        let mut report = Report::new(table.clone(), version.clone(), columns.clone());
        report.tell(LoadState::Loading, Vec::new());
        let outcome = run(&host, &load, &mut report, &table, version, &columns).await;
        conclude(&host, &load, report, outcome).await;
    });
}

async fn run(
    host: &Rc<Host>,
    load: &Load,
    report: &mut Report,
    table: &str,
    version: Option<Version>,
    columns: &[String],
) -> Result<(), Trouble> {
    let described = describe(host, load, table, version, columns).await?;
    report.set_version(described.table.version.clone());
    let Prepared { missing, rows } = prepare::prepare(host, &described, columns)?;
    report.set_rows(rows.unwrap_or_default(), described.table.rows);
    host.show.raise();
    host.rows.raise();
    let mut wanted = Vec::new();
    let n_missing = missing.len();
    for column in missing {
        if !arrive::from_cache(host, load, report, &described, &column).await? {
            wanted.push(column);
        }
    }
    if described.origin == Origin::Cache {
        report.set_origin(Origin::Cache);
        set_origin(host, Origin::Cache);
        return say_offline(host, report, &described, &wanted);
    }
    let is_ours = files::is_ours(&described.table.name);
    if n_missing > 0 {
        let origin = match described.origin {
            _ if wanted.is_empty() => Origin::Cache,
            ours @ (Origin::File | Origin::Address) => ours,
            _ => Origin::Browser,
        };
        report.set_origin(origin);
        set_origin(host, origin);
    }
    if wanted.is_empty() {
        return Ok(());
    }
    if is_ours {
        let wanted = files::those_that_fit(host, report, &described, wanted);
        return arrive::from_reader(host, load, report, &described, &wanted).await;
    }
    match arrive::from_companion(host, load, report, &described, &wanted).await {
        Err(Trouble::Unreachable(_)) => {
            // The description was heard before; now there is nobody.
            report.set_origin(Origin::Cache);
            set_origin(host, Origin::Cache);
            say_offline(host, report, &described, &wanted)
        }
        other => other,
    }
}

/// The description that a load goes by. A version that was pinned before is not asked for
/// again; one that is left open is the newest that can be had.
async fn describe(
    host: &Rc<Host>,
    load: &Load,
    table: &str,
    version: Option<Version>,
    columns: &[String],
) -> Result<Described, Trouble> {
    let heard = version.as_ref().and_then(|version| host.tables.of_version(table, version));
    let described = match heard {
        Some(heard) => heard,
        None => tables::described(host, table, version.as_ref()).await.map_err(Trouble::Failed)?,
    };
    if load.cancel.is_cancelled() {
        return Err(Trouble::Cancelled);
    }
    if let Some(error) = &described.table.error {
        return Err(Trouble::Failed(error.clone()));
    }
    for column in columns {
        // Without a network a column may be unknown because it was never here.
        if described.origin != Origin::Cache {
            described.column(column).map_err(Trouble::Failed)?;
        }
    }
    Ok(described)
}

fn set_origin(host: &Host, origin: Origin) {
    if let Some(resident) = &mut host.data.borrow_mut().resident {
        resident.origin = origin;
    }
}

/// Says as of when the table is shown, and what of it is missing.
fn say_offline(
    host: &Host,
    report: &mut Report,
    described: &Described,
    absent: &[Wanted],
) -> Result<(), Trouble> {
    let table = &described.table;
    let version = table.version.as_ref().map(|version| version.to_string());
    let version = version.as_deref();
    if absent.is_empty() {
        let saved = host.cache.now().and_then(|cache| saved_at(&cache, described));
        notice(Level::Info, texts::loading::offline(&table.name, version, saved.as_deref()));
        return Ok(());
    }
    let names: Vec<&str> = absent.iter().map(Wanted::name).collect();
    let detail = texts::loading::not_kept(&table.name, version, &names.join(", "));
    report.leave_out(&names);
    if report.columns().is_empty() {
        return Err(Trouble::Failed(detail));
    }
    notice(Level::Warning, detail);
    Ok(())
}

fn saved_at(cache: &crate::worker::cache::browser::Cache, described: &Described) -> Option<String> {
    let table = &described.table;
    let saved = cache.with_manifest(|manifest| {
        let columns = manifest.columns_of(&table.name, table.version.as_ref());
        columns.iter().map(|(_, entry)| entry.saved_at).reduce(f64::max)
    })?;
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(saved));
    Some(String::from(date.to_locale_string("default", &wasm_bindgen::JsValue::UNDEFINED)))
}

/// Tells how the load went, and has everything shown anew.
pub async fn conclude(
    host: &Rc<Host>,
    load: &Load,
    mut report: Report,
    outcome: Result<(), Trouble>,
) {
    if load.is_superseded.get() {
        return;
    }
    if let Some(resident) = &mut host.data.borrow_mut().resident {
        resident.set_coming(Vec::new());
    }
    let state = match outcome {
        Ok(()) => LoadState::Complete,
        Err(Trouble::Cancelled) => LoadState::Cancelled,
        Err(Trouble::Failed(detail) | Trouble::Unreachable(detail)) => LoadState::Failed { detail },
        Err(Trouble::TooLarge { needed_bytes }) => {
            LoadState::OnServer { budget_bytes: host.budget().bytes_max, needed_bytes }
        }
    };
    host.show.raise();
    host.rows.raise();
    let profiles = match state {
        LoadState::Complete => profiles(host, load, report.columns()).await,
        _ => Vec::new(),
    };
    if load.is_superseded.get() {
        return;
    }
    if let Some(resident) = &host.data.borrow().resident
        && state == LoadState::Complete
    {
        let rows = resident.rows_of(report.columns().iter().map(String::as_str)) as u64;
        report.set_rows(rows, Some(rows));
    }
    report.tell(state, profiles);
}

/// What each column holds, a column a step.
async fn profiles(host: &Rc<Host>, load: &Load, columns: &[String]) -> Vec<Profile> {
    let mut profiles = Vec::with_capacity(columns.len());
    let mut stride = Stride::start();
    for name in columns {
        let mut profiling = profile::Profiling::default();
        loop {
            if load.cancel.is_cancelled() {
                return profiles;
            }
            let step = {
                let data = host.data.borrow();
                let column = data.resident.as_ref().and_then(|resident| resident.column(name));
                column.map(|column| profiling.step(column))
            };
            match step {
                None => break,
                Some(None) => stride.breathe().await,
                Some(Some(profile)) => {
                    profiles.push(profile);
                    break;
                }
            }
        }
    }
    profiles
}
