//! `limn export`: a table as a page of its own, for any static host.

use std::cell::Cell;
use std::io::IsTerminal;
use std::path::PathBuf;

use engine::predicate::Predicate;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::encode::{filters, version};
use super::ground::{Ground, GroundArguments};
use super::{Failure, log_to_stderr};
use crate::export::{self, Export};

/// Write a table, and the page that shows it, as plain files for any static host
///
/// DIR gets the app, the rows as Parquet, and what the page opens with: charts, filters and
/// brushes work in the browser, offline as well, with no companion. Files are to be served, as by
/// a bucket or a web server; a browser reads none from a disk by itself.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArguments {
    /// The table [default: that of --link]
    #[arg(required_unless_present = "link")]
    table: Option<String>,

    /// Where to write: a folder that is empty, or not there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// What the page opens with: its address while it shows what it is to show, as Share copies it
    #[arg(long, value_name = "ADDRESS")]
    link: Option<String>,

    /// A version of the table [default: that of --link, else the newest]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// Filters as JSON, as those of a query: rows that do not pass them are left out
    #[arg(long, value_name = "JSON")]
    filters: Option<String>,

    /// Columns that the page has [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Option<Vec<String>>,

    /// A column of pictures, or of paths and addresses of pictures: its cells become the pictures
    #[arg(long, value_name = "COLUMN")]
    pictures: Option<String>,

    /// The longer side of those pictures in pixels; larger ones are made so small, as JPEG
    #[arg(long, value_name = "PIXELS", default_value_t = 384, value_parser = clap::value_parser!(u32).range(16..=4096))]
    side: u32,

    #[command(flatten)]
    ground: GroundArguments,
}

/// Rows that failed, of which each is told.
const TOLD_FAILURES: u64 = 20;

pub(super) fn run(arguments: ExportArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let link = arguments.link.as_deref().map_or(Ok(Link::default()), Link::read)?;
    let table = match (arguments.table, link.table) {
        (Some(table), Some(linked)) if table != linked => {
            return Err(Failure::usage(format!(
                "--link opens table {linked:?}, and the table to export is {table:?}"
            )));
        }
        (Some(table), _) | (None, Some(table)) => table,
        (None, None) => return Err(Failure::usage("--link opens no table; name one")),
    };
    let version_asked = arguments.version.or(link.version);
    let link = match &arguments.pictures {
        Some(column) => with_column(&link.rest, column),
        None => link.rest,
    };
    let export = Export {
        table,
        version: version_asked.as_deref().map(version),
        filters: arguments.filters.as_deref().map_or(Ok(Predicate::all()), filters)?,
        columns: arguments.columns,
        pictures: arguments.pictures,
        side: arguments.side,
        link,
        out: arguments.out,
    };
    let ground = Ground::new(arguments.ground)?;
    let is_terminal = std::io::stderr().is_terminal();
    let told = |rows: u64| {
        if is_terminal {
            eprint!("\r\x1b[K{rows} rows");
        }
    };
    let failures = Cell::new(0);
    let failed = |row: u64, reason: &str| {
        failures.set(failures.get() + 1);
        if failures.get() <= TOLD_FAILURES {
            eprintln!("{}row {row}: {reason}", if is_terminal { "\r\x1b[K" } else { "" });
        }
    };
    let exported = export::export(&ground.place(), &export, &told, &failed);
    if is_terminal {
        eprint!("\r\x1b[K");
    }
    ground.end();
    let exported = exported.map_err(Failure::failed)?;
    let more = exported.without_picture.saturating_sub(TOLD_FAILURES);
    if more > 0 {
        eprintln!("and {more} more have no picture");
    }
    super::print(&serde_json::to_string_pretty(&exported).map_err(Failure::failed)?);
    Ok(())
}

/// What an address of the page says.
#[derive(Debug, Default, PartialEq)]
struct Link {
    table: Option<String>,
    version: Option<String>,
    /// All else, as it was written.
    rest: String,
}

impl Link {
    fn read(address: &str) -> Result<Self, Failure> {
        let query = match address.split_once('?') {
            Some((_, query)) => query,
            // An address that says nothing; or its query alone, copied without the rest.
            None if address.contains("://") => "",
            None => address,
        };
        let query = query.split('#').next().unwrap_or_default();
        let mut link = Self::default();
        let mut rest = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let decoded = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "table" => link.table = Some(decoded()),
                "version" => link.version = Some(decoded()),
                "open" => {
                    let reason = "--link opens a file at an address, not a table of a lake";
                    return Err(Failure::usage(reason));
                }
                // Of the form it is, whoever writes the page says.
                "link" => {}
                _ => rest.push(part),
            }
        }
        link.rest = rest.join("&");
        Ok(link)
    }
}

/// The same link, with a column among those that it loads.
fn with_column(link: &str, column: &str) -> String {
    let encoded = utf8_percent_encode(column, NON_ALPHANUMERIC).to_string();
    let loads =
        |list: &str| list.split(',').any(|name| percent_decode_str(name).eq(column.bytes()));
    let part = |part: &str| match part.strip_prefix("columns=") {
        Some(list) if !loads(list) => format!("{part},{encoded}"),
        _ => part.to_owned(),
    };
    link.split('&').map(part).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_says_which_table_and_how_it_is_shown() {
        let link = Link::read(
            "http://h:1/a/?link=1&table=a%20b&version=4&filter=x:in:1%3A2&view=1:bars:x:12#end",
        );
        let rest = "filter=x:in:1%3A2&view=1:bars:x:12".to_owned();
        let expected = Link { table: Some("a b".to_owned()), version: Some("4".to_owned()), rest };
        assert_eq!(link.unwrap(), expected);
        assert_eq!(Link::read("table=t").unwrap().table.as_deref(), Some("t"));
        assert_eq!(Link::read("http://h/").unwrap(), Link::default());
        assert_eq!(with_column("view=none&columns=a,b%20c", "b c"), "view=none&columns=a,b%20c");
        assert_eq!(with_column("columns=a&view=none", "b,c"), "columns=a,b%2Cc&view=none");
        assert_eq!(with_column("view=none", "b"), "view=none");
        assert!(Link::read("?open=https%3A//h/t.parquet").is_err());
    }
}
