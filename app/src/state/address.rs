//! What was chosen as the query part of an address, and back:
//!
//! `?link=1&table=flights&version=4&columns=date,delay&filter=delay:between:0:60`
//! `&filter=origin:in:ATL:ORD&view=1:scatter:distance:delay:origin&sort=-delay`
//!
//! Rows that were named have `rows-named=NAME`, and after it `of=…` for each filter they pass.
//! One level of percent-encoding; `:` and `,` stand bare where they separate and encoded
//! where they are data. Numbers are bare, a text that could be taken for one has an
//! apostrophe before it. Clauses of a shape that no control makes are JSON. An address
//! may come from anywhere: what cannot be read is left out and named in a notice.

mod atoms;
mod clauses;
mod views;

pub use views::MEASURING;

use engine::query::{Nulls, OrderKey, Version};

use super::layout::RowLayout;
use super::names::{NAMES_MAX, Name};
use super::player::{Player, SPEEDS, WIDTHS};
use super::row_groups::{GROUPS_MAX, NamedRows};
use super::{CLAUSES_MAX, Chosen, ShownView, VIEWS_MAX, compare};
use crate::protocol::{Clause, RendererChoice, is_address};
use crate::texts;
use atoms::{decoded, encoded, pairs};

/// Longer addresses than this are made by no page of ours.
pub const ADDRESS_BYTES_MAX: usize = 64 << 10;
/// The form written here. A link of a later form is still read as far as it goes.
const FORM: &str = "1";
const COLUMNS_MAX: usize = 4096;
const SORT_KEYS_MAX: usize = 16;

/// What an address says besides what was chosen: kept while the page lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    pub renderer: RendererChoice,
    pub debug: bool,
    /// How many bytes of columns the worker may hold.
    pub budget_bytes: Option<u64>,
}

/// An address as read, and what of it could not be understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Read {
    pub chosen: Chosen,
    pub options: Options,
    pub complaints: Vec<String>,
}

/// The query part, with its `?`; empty where nothing is chosen.
pub fn write(chosen: &Chosen, options: &Options) -> String {
    let mut parts = Vec::new();
    if let Some(table) = &chosen.table {
        parts.push(format!("link={FORM}"));
        let key = if is_address(table) { "open" } else { "table" };
        parts.push(format!("{key}={}", encoded(table)));
        parts.extend(
            chosen.version.as_ref().map(|version| format!("version={}", written_version(version))),
        );
        parts.extend(chosen.columns.as_ref().map(|columns| format!("columns={}", list(columns))));
        parts.extend(
            chosen.clauses.iter().map(|clause| format!("filter={}", clauses::write(clause))),
        );
        match chosen.views.as_deref() {
            Some([]) => parts.push("view=none".to_owned()),
            Some(views) => {
                parts.extend(views.iter().map(|view| format!("view={}", views::write(view))))
            }
            None => {}
        }
        if !chosen.twins.is_empty() {
            let twins: Vec<String> = chosen.twins.iter().map(|view| view.0.to_string()).collect();
            parts.push(format!("numbers={}", twins.join(",")));
        }
        parts.extend(chosen.player.as_ref().map(|Player { column, width, speed }| {
            format!("play={}:{width}:{speed}", encoded(column))
        }));
        parts.extend(chosen.names.all().iter().map(|Name { column, value, name }| {
            format!("name={}:{}:{}", encoded(column), encoded(value), encoded(name))
        }));
        for NamedRows { name, clauses } in chosen.row_groups.all() {
            parts.push(["rows-named=", &encoded(name)].concat());
            parts.extend(clauses.iter().map(|clause| ["of=", &clauses::write(clause)].concat()));
        }
        parts.extend(chosen.pinned.map(|row| ["pin=", &row.to_string()].concat()));
        if !chosen.order_by.is_empty() {
            parts.push(format!("sort={}", written_sort(&chosen.order_by)));
        }
        parts.extend(chosen.row_columns.as_ref().map(|columns| format!("rows={}", list(columns))));
        let RowLayout { pins, widths } = &chosen.row_layout;
        if !pins.is_empty() {
            parts.push(format!("pins={}", list(pins)));
        }
        if !widths.is_empty() {
            let each = widths.iter().map(|(name, width)| format!("{}:{width}", encoded(name)));
            parts.push(format!("widths={}", each.collect::<Vec<_>>().join(",")));
        }
    }
    match options.renderer {
        RendererChoice::Auto => {}
        RendererChoice::Webgpu => parts.push("renderer=webgpu".to_owned()),
        RendererChoice::Raster => parts.push("renderer=raster".to_owned()),
    }
    parts.extend(options.budget_bytes.map(|bytes| format!("budget={bytes}")));
    if options.debug {
        parts.push("debug=1".to_owned());
    }
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}

/// The query part of what opens a table, without anything said of it.
pub fn opening(table: &str) -> String {
    write(&Chosen { table: Some(table.to_owned()), ..Chosen::default() }, &Options::default())
}

/// Reads the query part of an address, its `?` included or not.
pub fn read(query: &str) -> Read {
    let mut read = Read::default();
    if query.len() > ADDRESS_BYTES_MAX {
        read.complaints.push(texts::address::TOO_LONG.to_owned());
        return read;
    }
    for (name, value) in pairs(query) {
        if let Err(complaint) = read_part(&mut read, &name, value) {
            read.complaints.push(complaint);
        }
    }
    // Everything else belongs to a table.
    if read.chosen.table.is_none() && read.chosen != Chosen::default() {
        read.complaints.push(texts::address::NO_TABLE.to_owned());
        read.chosen = Chosen::default();
    }
    read
}

fn read_part(read: &mut Read, name: &str, value: &str) -> Result<(), String> {
    let chosen = &mut read.chosen;
    match name {
        "link" if value == FORM => {}
        "link" => return Err(texts::address::NEWER_LINK.to_owned()),
        "table" if value.is_empty() => return Err(texts::address::NO_TABLE.to_owned()),
        "table" => chosen.table = Some(decoded(value)?),
        "open" => {
            let address = decoded(value)?;
            if !is_address(&address) {
                return Err(texts::address::no_address(&atoms::shortened(&address)));
            }
            chosen.table = Some(address);
        }
        "version" => chosen.version = Some(read_version(value)?),
        "columns" => chosen.columns = Some(read_list(value)?),
        "rows" => chosen.row_columns = Some(read_list(value)?),
        "numbers" => {
            for atom in value.split(',').take(VIEWS_MAX) {
                let view =
                    atom.parse().map_err(|_| texts::address::no_view(&atoms::shortened(atom)))?;
                chosen.twins.push(crate::protocol::ViewId(view));
            }
        }
        "name" => {
            let atoms: Result<Vec<String>, String> = value.split(':').map(decoded).collect();
            let [column, own, name] =
                atoms?.try_into().map_err(|_| texts::address::no_name(&atoms::shortened(value)))?;
            if !chosen.names.set(&column, &own, &name) {
                return Err(texts::address::too_many_names(NAMES_MAX));
            }
        }
        "rows-named" if !chosen.row_groups.add(&decoded(value)?, Vec::new()) => {
            return Err(texts::address::too_many_names(GROUPS_MAX));
        }
        // Of the rows that were named before it.
        "of" if chosen.row_groups.narrow(clauses::read(value)?) => {}
        "play" => chosen.player = Some(read_player(value)?),
        "pin" => {
            let row = value.parse().map_err(|_| texts::address::no_row(value))?;
            chosen.pinned = Some(row);
        }
        "pins" => chosen.row_layout.pins = read_list(value)?,
        "widths" => read_widths(&mut chosen.row_layout, value)?,
        "sort" => chosen.order_by = read_sort(value)?,
        "filter" => {
            let clause = clauses::read(value)?;
            if chosen.clauses.len() >= CLAUSES_MAX {
                return Err(texts::address::too_many_filters(CLAUSES_MAX));
            }
            add_clause(&mut chosen.clauses, clause);
        }
        "view" => add_view(chosen.views.get_or_insert_default(), value)?,
        "renderer" => {
            read.options.renderer = match value {
                "auto" => RendererChoice::Auto,
                "webgpu" => RendererChoice::Webgpu,
                "raster" => RendererChoice::Raster,
                _ => return Err(texts::address::no_renderer(value)),
            };
        }
        "budget" => {
            let bytes = value.parse().map_err(|_| texts::address::no_budget(value))?;
            read.options.budget_bytes = Some(bytes);
        }
        "debug" => read.options.debug = value != "0",
        // Trackers and hosts add parameters of their own.
        _ => {}
    }
    Ok(())
}

/// Of two filters for one thing the later one holds.
fn add_clause(clauses: &mut Vec<Clause>, clause: Clause) {
    match clauses.iter_mut().find(|known| known.id == clause.id) {
        Some(known) => *known = clause,
        None => clauses.push(clause),
    }
}

fn add_view(views: &mut Vec<ShownView>, value: &str) -> Result<(), String> {
    if value == "none" {
        return Ok(());
    }
    let view = views::read(value)?;
    if views.len() >= VIEWS_MAX {
        return Err(texts::address::too_many_views(VIEWS_MAX));
    }
    if views.iter().any(|known| known.id == view.id) {
        return Err(texts::address::twice(view.id.0));
    }
    views.push(view);
    Ok(())
}

fn written_version(version: &Version) -> String {
    match version {
        Version::Number(number) => number.to_string(),
        Version::Fingerprint(text) => encoded(text),
    }
}

fn read_player(value: &str) -> Result<Player, String> {
    let broken = || texts::address::no_player(value);
    let (rest, speed) = value.rsplit_once(':').ok_or_else(broken)?;
    let (column, width) = rest.rsplit_once(':').ok_or_else(broken)?;
    let among = |text: &str, all: &[u8]| text.parse().ok().filter(|number| all.contains(number));
    let width = among(width, &WIDTHS).ok_or_else(broken)?;
    let speed = among(speed, &SPEEDS).ok_or_else(broken)?;
    Ok(Player { column: decoded(column)?, width, speed })
}

fn read_version(value: &str) -> Result<Version, String> {
    let text = decoded(value)?;
    if let Ok(number) = text.parse() {
        return Ok(Version::Number(number));
    }
    let is_fingerprint = text.starts_with("f-") && text.len() <= 64;
    let version = Version::Fingerprint(text);
    match is_fingerprint || compare::ends(&version).is_some() {
        true => Ok(version),
        false => Err(texts::address::no_version(&atoms::shortened(&version.to_string()))),
    }
}

fn list(names: &[String]) -> String {
    // A list of nothing still differs from no list.
    names.iter().map(|name| encoded(name)).collect::<Vec<_>>().join(",")
}

fn read_list(value: &str) -> Result<Vec<String>, String> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = Vec::new();
    for atom in value.split(',').filter(|atom| !atom.is_empty()) {
        let name = decoded(atom)?;
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > COLUMNS_MAX {
            return Err(texts::address::too_many_columns(COLUMNS_MAX));
        }
    }
    Ok(names)
}

/// `name:120,other:80`.
fn read_widths(layout: &mut RowLayout, value: &str) -> Result<(), String> {
    for atom in value.split(',').filter(|atom| !atom.is_empty()).take(COLUMNS_MAX) {
        let width =
            atom.split_once(':').and_then(|(name, width)| Some((name, width.parse().ok()?)));
        let (name, width) =
            width.ok_or_else(|| texts::address::no_width(&atoms::shortened(atom)))?;
        layout.size(&decoded(name)?, Some(width));
    }
    Ok(())
}

/// `-` before a name for descending, `!` for nulls first; a name that begins like that is
/// encoded.
fn written_sort(keys: &[OrderKey]) -> String {
    let written = keys.iter().map(|key| {
        let direction = if key.descending { "-" } else { "" };
        let nulls = if key.nulls == Nulls::First { "!" } else { "" };
        let name = encoded(&key.column);
        let name = match name.strip_prefix('-') {
            Some(rest) => format!("%2D{rest}"),
            None => name.replace('!', "%21"),
        };
        format!("{direction}{nulls}{name}")
    });
    written.collect::<Vec<_>>().join(",")
}

fn read_sort(value: &str) -> Result<Vec<OrderKey>, String> {
    let mut keys = Vec::new();
    for atom in value.split(',').filter(|atom| !atom.is_empty()) {
        let (descending, atom) = stripped(atom, '-');
        let (nulls_first, atom) = stripped(atom, '!');
        let nulls = if nulls_first { Nulls::First } else { Nulls::Last };
        keys.push(OrderKey { column: decoded(atom)?, descending, nulls });
        if keys.len() > SORT_KEYS_MAX {
            return Err(texts::address::too_many_sorted(SORT_KEYS_MAX));
        }
    }
    Ok(keys)
}

fn stripped(atom: &str, sign: char) -> (bool, &str) {
    match atom.strip_prefix(sign) {
        Some(rest) => (true, rest),
        None => (false, atom),
    }
}

#[cfg(test)]
mod tests;
