//! `limn label`: rows given names, in a table of their own or in the one they are of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::value::RawValue;

use super::embed::{done, keep_of, recipe, version_of};
use super::{Failure, log_to_stderr};
use crate::config::LimitSettings;
use crate::jobs::job::Job;

/// Give rows names: a table with a column of what each is called
#[derive(Debug, clap::Args)]
pub(super) struct LabelArguments {
    /// The table whose rows get names
    #[arg(required_unless_present = "recipe")]
    table: Option<String>,

    /// The table to write; with --overwrite it may be the same, which gets a version more
    #[arg(long, value_name = "TABLE", required_unless_present = "recipe")]
    into: Option<String>,

    /// A name, and the filters that its rows pass as JSON, as those of a query; may be repeated: a
    /// row of several has the name of the last
    #[arg(long, num_args = 2, value_names = ["NAME", "FILTERS"])]
    group: Vec<String>,

    /// The column whose value is the name of rows in no group [default: they have none]
    #[arg(long, value_name = "COLUMN")]
    otherwise: Option<String>,

    /// A job as JSON, as POST /api/jobs takes it; flags win over what it says
    #[arg(long = "config", value_name = "FILE")]
    recipe: Option<PathBuf>,

    /// A version of the table [default: the newest]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// Filters as JSON: the rows that the result has [default: all]
    #[arg(long, value_name = "JSON")]
    filters: Option<String>,

    /// Columns that the result has, beside those that say which row is which [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    keep: Vec<String>,

    /// What the column of names is called [default: label]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,

    /// Replace the table if it is there
    #[arg(long)]
    overwrite: bool,

    /// A lake: a folder, s3://bucket/prefix, or name=URI; may be repeated [default: ./lake]
    #[arg(long = "lake", value_name = "URI", env = "LIMN_LAKE", value_delimiter = ';')]
    lake: Vec<String>,

    #[command(flatten)]
    limits: LimitSettings,
}

pub(super) fn run(arguments: LabelArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let (lake, limits) = (arguments.lake.clone(), arguments.limits.clone());
    let text = job_text(arguments)?;
    done(&Job::from_json(&text).map_err(Failure::usage)?, lake, limits)
}

fn job_text(arguments: LabelArguments) -> Result<String, Failure> {
    let mut job = recipe(arguments.recipe.as_deref(), "label", &["label"])?;
    if let Some(filters) = arguments.filters {
        job.insert("filters".to_owned(), raw(filters, "--filters")?);
    }
    let groups = arguments.group.chunks_exact(2).map(|pair| {
        let [name, filters] = pair else { return Ok(BTreeMap::new()) };
        let name = serde_json::value::to_raw_value(name).map_err(Failure::usage)?;
        let filters = raw(filters.clone(), "--group")?;
        Ok(BTreeMap::from([("name", name), ("filters", filters)]))
    });
    let groups = groups.collect::<Result<Vec<_>, Failure>>()?;
    if !groups.is_empty() {
        let groups = serde_json::value::to_raw_value(&groups).map_err(Failure::usage)?;
        job.insert("groups".to_owned(), groups);
    }
    let flags = [
        ("table", arguments.table.map(Value::from)),
        ("into", arguments.into.map(Value::from)),
        ("version", arguments.version.map(version_of)),
        ("otherwise", arguments.otherwise.map(Value::from)),
        ("keep", keep_of(arguments.keep)),
        ("as", arguments.name.map(Value::from)),
        ("mode", arguments.overwrite.then(|| "overwrite".into())),
    ];
    for (name, value) in flags {
        if let Some(value) = value {
            let value = serde_json::value::to_raw_value(&value).map_err(Failure::usage)?;
            job.insert(name.to_owned(), value);
        }
    }
    serde_json::to_string(&job).map_err(Failure::usage)
}

/// JSON as it was written: numbers in it keep their digits.
fn raw(text: String, flag: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text).map_err(|error| Failure::usage(format!("{flag}: {error}")))
}
