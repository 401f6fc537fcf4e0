//! `limn pictures`: pictures of rows, sorted into a folder for each group.

use std::cell::Cell;
use std::io::IsTerminal;
use std::path::PathBuf;

use super::encode::{filters, version};
use super::ground::{Ground, GroundArguments};
use super::{Failure, log_to_stderr};
use crate::encode::folders::{self, Sorting};
use engine::predicate::Predicate;

/// Copy the pictures of a table's rows into a folder for each group, as of clusters
///
/// DIR gets a folder for each value of the column, as cluster_3, and cluster_summary.csv with
/// abs_path, file_name and cluster of each picture.
#[derive(Debug, clap::Args)]
pub(super) struct PicturesArguments {
    /// The table whose rows have pictures
    table: String,

    /// The column whose values are groups
    #[arg(long, value_name = "COLUMN")]
    by: String,

    /// Where to write: a folder that is empty, or not there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The column of pictures, or of paths and addresses of pictures [default: the one there is]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,

    /// A version of the table [default: the newest]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// Filters as JSON, as those of a query: to have some groups alone
    #[arg(long, value_name = "JSON")]
    filters: Option<String>,

    /// Link to pictures that are files of a lake on this machine, instead of copying them
    #[arg(long)]
    link: bool,

    #[command(flatten)]
    ground: GroundArguments,
}

/// Rows that failed, of which each is told.
const TOLD_FAILURES: u64 = 20;

pub(super) fn run(arguments: PicturesArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let sorting = Sorting {
        table: arguments.table,
        version: arguments.version.as_deref().map(version),
        filters: arguments.filters.as_deref().map_or(Ok(Predicate::all()), filters)?,
        column: arguments.column,
        by: arguments.by,
        out: arguments.out,
        has_links: arguments.link,
    };
    let ground = Ground::new(arguments.ground)?;
    let is_terminal = std::io::stderr().is_terminal();
    let told = |done: u64| {
        if is_terminal {
            eprint!("\r\x1b[K{done} rows");
        }
    };
    let failures = Cell::new(0);
    let failed = |row: u64, reason: &str| {
        failures.set(failures.get() + 1);
        if failures.get() <= TOLD_FAILURES {
            eprintln!("{}row {row}: {reason}", if is_terminal { "\r\x1b[K" } else { "" });
        }
    };
    let sorted = folders::sort(&ground.place(), &sorting, &told, &failed);
    if is_terminal {
        eprint!("\r\x1b[K");
    }
    ground.end();
    let sorted = sorted.map_err(Failure::failed)?;
    let more = sorted.failed.saturating_sub(TOLD_FAILURES);
    if more > 0 {
        eprintln!("and {more} more have no picture");
    }
    super::print(&serde_json::to_string_pretty(&sorted).map_err(Failure::failed)?);
    Ok(())
}
