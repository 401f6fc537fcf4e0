//! Columns on their way into memory: from their files, or from the companion and into
//! their files at the same time.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use arrow_schema::Schema;
use engine::query::Query;

use crate::protocol::{LoadState, Origin};
use crate::texts;
use crate::worker::budget::Fit;
use crate::worker::cache::browser::Cache;
use crate::worker::cache::manifest::Entry;
use crate::worker::companion::compression_for;
use crate::worker::data::Remote;
use crate::worker::files;
use crate::worker::host::Host;
use crate::worker::net::{Answer, Ask, encoded, send};
use crate::worker::resident::column::Column;
use crate::worker::tables::{self, Described, reachable_api};
use crate::worker::turn::{Stride, unix_millis};

use super::Load;
use super::feed::{Feed, Trouble, decode};
use super::prepare::Wanted;
use super::report::Report;
use super::save::Saver;

/// Addresses longer than this are refused by some servers on the way.
const URL_BYTES_MAX: usize = 6000;

/// Brings one column from its file; false where there is none, or not a sound one.
pub async fn from_cache(
    host: &Rc<Host>,
    load: &Load,
    report: &mut Report,
    described: &Described,
    wanted: &Wanted,
) -> Result<bool, Trouble> {
    let cache = host.cache.get().await;
    let Some(file) = &wanted.file else { return Ok(false) };
    let Some(entry) = cache.entry(file) else { return Ok(false) };
    let Some(reader) = cache.read(file).await else { return Ok(false) };
    let mut feed = Feed::Kept(Box::new(reader));
    match fill(host, load, report, &mut feed, std::slice::from_ref(wanted), None).await {
        Ok(()) => {}
        Err(Trouble::Failed(_)) => {
            // Damaged: out with it; the companion has the column.
            cache.discard(file).await;
            remove(host, wanted);
            return Ok(false);
        }
        Err(other) => return Err(other),
    }
    if rows_here(host, wanted) != Some(entry.rows) {
        cache.discard(file).await;
        remove(host, wanted);
        return Ok(false);
    }
    report.set_rows(entry.rows, Some(entry.rows));
    if report.tick() {
        host.show.raise();
    }
    hold(host, &cache, described);
    let (cache, file) = (cache, file.clone());
    wasm_bindgen_futures::spawn_local(async move { cache.touch(&[file]).await });
    Ok(true)
}

/// The files of the columns that are shown must not be evicted.
fn hold(host: &Host, cache: &Cache, described: &Described) {
    let data = host.data.borrow();
    let Some(resident) = &data.resident else { return };
    let version = described.table.version.as_ref();
    let files = resident.columns().iter().filter_map(|column| {
        crate::worker::cache::column_file(&described.uid, version, column.name())
    });
    cache.hold(files.collect::<BTreeSet<String>>());
}

fn remove(host: &Host, wanted: &Wanted) {
    let mut data = host.data.borrow_mut();
    if let Some(resident) = &mut data.resident {
        resident.remove(wanted.name());
    }
    data.renew();
}

fn rows_here(host: &Host, wanted: &Wanted) -> Option<u64> {
    let data = host.data.borrow();
    let column = data.resident.as_ref()?.column(wanted.name())?;
    Some(column.rows() as u64)
}

/// Brings columns in one stream from the companion.
pub async fn from_companion(
    host: &Rc<Host>,
    load: &Load,
    report: &mut Report,
    described: &Described,
    wanted: &[Wanted],
) -> Result<(), Trouble> {
    let answer = ask(host, load, described, wanted).await?;
    let total = answer.header("Limn-Total-Rows").and_then(|rows| rows.parse::<u64>().ok());
    let total = total.or(described.table.rows);
    check_total(host, total)?;
    report.set_rows(0, total);
    if let Some(resident) = &mut host.data.borrow_mut().resident {
        resident.rows_total = total.or(resident.rows_total);
    }
    let cache = host.cache.get().await;
    let mut saver = saver_of(&cache, described, wanted, total).await;
    let mut feed = Feed::Companion(answer);
    let filled = fill(host, load, report, &mut feed, wanted, Some(&mut saver)).await;
    if let Err(Trouble::TooLarge { needed_bytes }) = filled {
        let mut data = host.data.borrow_mut();
        data.resident = None;
        let Described { table, columns, .. } = described.clone();
        data.remote = Some(Remote { table, columns });
        data.renew();
        return Err(Trouble::TooLarge { needed_bytes });
    }
    filled?;
    let rows = wanted.first().and_then(|first| rows_here(host, first)).unwrap_or_default();
    let expected = total.unwrap_or(rows);
    if rows != expected {
        wanted.iter().for_each(|column| remove(host, column));
        return Err(Trouble::Failed(texts::loading::rows_missing(rows, expected)));
    }
    tables::remember(host, described, Vec::new());
    finish_saving(host, load, saver, rows).await;
    hold(host, &cache, described);
    Ok(())
}

/// Brings columns in one stream from the reader of files.
pub async fn from_reader(
    host: &Rc<Host>,
    load: &Load,
    report: &mut Report,
    described: &Described,
    wanted: &[Wanted],
) -> Result<(), Trouble> {
    let total = described.table.rows;
    report.set_rows(0, total);
    report.tell(LoadState::Loading, Vec::new());
    let names: Vec<String> = wanted.iter().map(|column| column.name().to_owned()).collect();
    let mut feed = Feed::Reader(Box::new(files::read(host, described, &names).await?));
    let cache = host.cache.get().await;
    // What has no name for its state, or is a file of one's own, is not kept.
    let is_kept = described.origin == Origin::Address && described.table.version.is_some();
    let kept = if is_kept { wanted } else { &[] };
    let mut saver = saver_of(&cache, described, kept, total).await;
    match fill(host, load, report, &mut feed, wanted, Some(&mut saver)).await {
        Ok(()) => {}
        Err(Trouble::TooLarge { .. }) => {
            // What is here is shown, as a part.
            let rows = wanted.first().and_then(|first| rows_here(host, first)).unwrap_or_default();
            files::say_partial(host, described, rows);
            return Err(Trouble::Cancelled);
        }
        Err(Trouble::Failed(detail)) if !detail.contains(&described.table.name) => {
            return Err(Trouble::Failed(format!("{}: {detail}", described.table.name)));
        }
        Err(other) => return Err(other),
    }
    if let Feed::Reader(link) = feed {
        files::give_back(host, described, *link);
    }
    let rows = wanted.first().and_then(|first| rows_here(host, first)).unwrap_or_default();
    if let Some(expected) = total.filter(|expected| *expected != rows) {
        wanted.iter().for_each(|column| remove(host, column));
        return Err(Trouble::Failed(texts::loading::rows_missing(rows, expected)));
    }
    if is_kept {
        tables::remember(host, described, host.files.versions(&described.table.name));
        finish_saving(host, load, saver, rows).await;
        hold(host, &cache, described);
    }
    Ok(())
}

/// Columns of one version have as many rows as each other.
fn check_total(host: &Host, total: Option<u64>) -> Result<(), Trouble> {
    let data = host.data.borrow();
    let columns = data.resident.iter().flat_map(|resident| resident.columns());
    let here = columns.filter(|column| column.is_complete()).map(|column| column.rows() as u64);
    match (here.max(), total) {
        (Some(here), Some(total)) if here != total => {
            Err(Trouble::Failed(texts::loading::rows_differ(here, total)))
        }
        _ => Ok(()),
    }
}

async fn ask(
    host: &Rc<Host>,
    load: &Load,
    described: &Described,
    wanted: &[Wanted],
) -> Result<Answer, Trouble> {
    let api = reachable_api(host)?;
    let query = Query {
        version: described.table.version.clone(),
        columns: Some(wanted.iter().map(|column| column.name().to_owned()).collect()),
        ..Query::of_table(&described.table.name)
    };
    Ok(send(&ask_for(&api, &query)?, &load.cancel).await?)
}

/// A query as a request that caches can answer, unless it is too long for an address.
pub fn ask_for(api: &str, query: &Query) -> Result<Ask, Trouble> {
    let text = serde_json::to_string(query).map_err(Trouble::failed)?;
    let form = format!("format=arrow-stream&compression={}", compression_for(api));
    let url = format!("{api}/api/query?q={}&{form}", encoded(&text));
    if url.len() <= URL_BYTES_MAX {
        return Ok(Ask::get(url));
    }
    Ok(Ask { body: Some(text), ..Ask::get(format!("{api}/api/query?{form}")) })
}

/// Opens the files of the columns that are to come, as far as there is room for them.
async fn saver_of(
    cache: &Rc<Cache>,
    described: &Described,
    wanted: &[Wanted],
    total: Option<u64>,
) -> Saver {
    let mut saver = Saver::new(Rc::clone(cache));
    let now = unix_millis();
    let rows = total.unwrap_or_default();
    let bytes_of = |column: &Wanted| (column.info.bytes_per_row * rows as f64) as u64;
    let together: u64 = wanted.iter().map(bytes_of).sum();
    for column in wanted {
        let Some(file) = &column.file else { continue };
        let entry = Entry {
            table: described.table.name.clone(),
            uid: described.uid.clone(),
            version: described.table.version.clone(),
            column: column.name().to_owned(),
            data_type: column.info.data_type.clone(),
            kind: column.info.kind,
            nullable: column.info.nullable,
            place: column.place,
            rows,
            bytes: 0,
            saved_at: now,
            used_at: now,
        };
        if let Some(writer) = cache.write(file, entry, together).await {
            saver.add(writer);
        }
    }
    saver
}

async fn finish_saving(host: &Host, load: &Load, mut saver: Saver, rows: u64) {
    let mut stride = Stride::start();
    loop {
        let is_written = {
            let data = host.data.borrow();
            let Some(resident) = &data.resident else { return };
            !saver.step(resident)
        };
        if is_written {
            break;
        }
        stride.breathe().await;
        if load.cancel.is_cancelled() {
            return;
        }
    }
    saver.finish(rows).await;
}

/// Decodes a feed into columns of the resident table.
async fn fill(
    host: &Rc<Host>,
    load: &Load,
    report: &mut Report,
    feed: &mut Feed,
    wanted: &[Wanted],
    mut saver: Option<&mut Saver>,
) -> Result<(), Trouble> {
    let is_network = !matches!(feed, Feed::Kept(_));
    let mut rows = 0;
    let n_bytes = Cell::new(0);
    decode(feed, &load.cancel, &n_bytes, async |schema, batch| {
        let Some(batch) = batch else { return begin_columns(host, schema, wanted) };
        {
            let mut data = host.data.borrow_mut();
            let Some(resident) = &mut data.resident else { return Err(Trouble::Cancelled) };
            for column in wanted {
                let array = batch.column_by_name(column.name());
                let here = resident.column_mut(column.name());
                let (Some(array), Some(here)) = (array, here) else {
                    return Err(Trouble::Failed(texts::loading::column_missing(column.name())));
                };
                here.push(array).map_err(Trouble::failed)?;
            }
            rows += batch.num_rows() as u64;
            let fit = host.budget().fit_seen(resident.rows_total, rows, resident.bytes());
            if let (Fit::TooLarge { needed_bytes }, true) = (fit, is_network) {
                return Err(Trouble::TooLarge { needed_bytes });
            }
            if let Some(saver) = saver.as_deref_mut() {
                saver.step(resident);
            }
        }
        report.add_bytes(n_bytes.take());
        if is_network {
            report.set_rows(rows, host.data.borrow().resident.as_ref().and_then(|r| r.rows_total));
            if report.tick() {
                host.show.raise();
            }
        }
        Ok(())
    })
    .await?;
    finish_columns(host, load, wanted).await
}

/// Puts empty columns in, of the types that will come.
fn begin_columns(host: &Host, schema: &Schema, wanted: &[Wanted]) -> Result<(), Trouble> {
    let mut data = host.data.borrow_mut();
    let Some(resident) = &mut data.resident else { return Err(Trouble::Cancelled) };
    for column in wanted {
        let field = schema.fields().iter().find(|field| field.name() == column.name());
        let Some(field) = field else {
            return Err(Trouble::Failed(texts::loading::column_has_not_come(column.name())));
        };
        resident.insert(Column::new(Arc::clone(field), column.info.kind, column.place));
    }
    Ok(())
}

async fn finish_columns(host: &Rc<Host>, load: &Load, wanted: &[Wanted]) -> Result<(), Trouble> {
    let mut stride = Stride::start();
    for column in wanted {
        {
            let mut data = host.data.borrow_mut();
            let here = data.resident.as_mut().and_then(|r| r.column_mut(column.name()));
            let here = here.ok_or(Trouble::Cancelled)?;
            here.finish().map_err(Trouble::failed)?;
        }
        stride.breathe().await;
        if load.cancel.is_cancelled() {
            return Err(Trouble::Cancelled);
        }
    }
    Ok(())
}
