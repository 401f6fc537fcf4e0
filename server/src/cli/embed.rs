//! `limn cluster` and `limn project`: a job on vectors, done here and now.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::serve::lakes_to_serve;
use super::{Failure, io_runtime, log_to_stderr};
use crate::config::{LimitSettings, Settings};
use crate::jobs::job::Job;
use crate::jobs::work::{self, Report, Told};
use crate::lake::Lakes;
use crate::query::Queries;

/// Cluster the vectors of a table: labels go to a new table, measures to stdout
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArguments {
    #[command(flatten)]
    common: CommonArguments,

    /// Clusters that are wanted [default: 10]
    #[arg(long, short, value_name = "N")]
    k: Option<u64>,

    /// Most iterations [default: 300]
    #[arg(long, value_name = "N")]
    max_iterations: Option<u64>,

    /// kmeans or hdbscan [default: kmeans]
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,

    /// Of kmeans: also a column of how far rows are from their centroid
    #[arg(long)]
    distances: bool,

    /// Of kmeans: learn from some rows at a time, which is sooner done and not quite as good
    #[arg(long)]
    mini_batch: bool,

    /// Of kmeans: a further table, of each cluster's size and the mean of its vectors
    #[arg(long, value_name = "TABLE")]
    centroids_into: Option<String>,

    /// Of hdbscan: rows that make a cluster [default: 15]
    #[arg(long, value_name = "N")]
    min_cluster_size: Option<u64>,

    /// Of hdbscan: rows of a neighbourhood, a row itself among them [default: as many as make
    /// a cluster, but 100 at most]
    #[arg(long, value_name = "N")]
    min_samples: Option<u64>,

    /// Of hdbscan: eom for the clusters that last longest, leaf for the smallest [default: eom]
    #[arg(long, value_name = "NAME")]
    selection: Option<String>,

    /// Of hdbscan: by the nearest neighbours of each row alone, rather than by all pairs of rows,
    /// which takes far less time where rows and dimensions are many
    #[arg(long)]
    graph: bool,
}

/// Project the vectors of a table: coordinates go to a new table, measures to stdout
#[derive(Debug, clap::Args)]
pub(super) struct ProjectArguments {
    #[command(flatten)]
    common: CommonArguments,

    /// pca, umap or tsne [default: pca]
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,

    /// Of umap: rows in a neighbourhood, a row itself among them [default: 15]
    #[arg(long, value_name = "N")]
    neighbours: Option<u64>,

    /// Of umap: how near points may come to each other, from 0 to 1 [default: 0.1]
    #[arg(long, value_name = "X")]
    min_dist: Option<f64>,

    /// Of umap: place rows on this map, a table with its vectors, where rows like them are
    #[arg(long, value_name = "TABLE")]
    onto: Option<String>,

    /// Of umap: where points begin, pca or spectral [default: pca]
    #[arg(long, value_name = "NAME")]
    init: Option<String>,

    /// Of tsne: about how many neighbours count [default: 30, fewer where there are few rows]
    #[arg(long, value_name = "X")]
    perplexity: Option<f64>,

    /// Dimensions that are wanted [default: 2]
    #[arg(long, short, value_name = "N")]
    dimensions: Option<u64>,
}

/// What both are told.
#[derive(Debug, clap::Args)]
struct CommonArguments {
    /// The table with the vectors
    #[arg(required_unless_present = "recipe")]
    table: Option<String>,

    /// The table to write
    #[arg(long, value_name = "TABLE", required_unless_present = "recipe")]
    into: Option<String>,

    /// A job as JSON, as POST /api/jobs takes it; flags win over what it says
    #[arg(long = "config", value_name = "FILE")]
    recipe: Option<PathBuf>,

    /// A version of the table [default: the newest]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// The column of vectors [default: the one there is]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,

    /// Filters as JSON, as those of a query
    #[arg(long, value_name = "JSON")]
    filters: Option<String>,

    /// Columns that say which row is which [default: id, uuid or key, else the row's number]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    id: Vec<String>,

    /// Further columns that the result has; all but the vectors with "all"
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    keep: Vec<String>,

    /// The result has the vectors too, as they came
    #[arg(long)]
    keep_vectors: bool,

    /// A further table, of the nearest neighbours of each row
    #[arg(long, value_name = "TABLE")]
    neighbours_into: Option<String>,

    /// l2 or none [default: l2]
    #[arg(long, value_name = "NORM")]
    normalize: Option<String>,

    /// auto, cpu or cuda [default: auto]
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,

    /// [default: 614]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// What the result's column is called [default: cluster, or dim_1, dim_2 …]
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

pub(super) fn cluster(arguments: ClusterArguments) -> Result<(), Failure> {
    let own = [
        ("k", arguments.k.map(Value::from)),
        ("max_iterations", arguments.max_iterations.map(Value::from)),
        ("algorithm", arguments.algorithm.map(Value::from)),
        ("distances", arguments.distances.then_some(Value::Bool(true))),
        ("mini_batch", arguments.mini_batch.then_some(Value::Bool(true))),
        ("graph", arguments.graph.then_some(Value::Bool(true))),
        ("centroids_into", arguments.centroids_into.map(Value::from)),
        ("min_cluster_size", arguments.min_cluster_size.map(Value::from)),
        ("min_samples", arguments.min_samples.map(Value::from)),
        ("selection", arguments.selection.map(Value::from)),
    ];
    run(arguments.common, "cluster", own.into())
}

pub(super) fn project(arguments: ProjectArguments) -> Result<(), Failure> {
    let own = [
        ("algorithm", arguments.algorithm.map(Value::from)),
        ("dimensions", arguments.dimensions.map(Value::from)),
        ("neighbours", arguments.neighbours.map(Value::from)),
        ("min_dist", arguments.min_dist.map(Value::from)),
        ("onto", arguments.onto.map(Value::from)),
        ("init", arguments.init.map(Value::from)),
        ("perplexity", arguments.perplexity.map(Value::from)),
    ];
    run(arguments.common, "project", own.into())
}

fn run(
    common: CommonArguments,
    kind: &str,
    own: Vec<(&str, Option<Value>)>,
) -> Result<(), Failure> {
    log_to_stderr("error");
    let (lake, limits) = (common.lake.clone(), common.limits.clone());
    let text = job_text(common, kind, own)?;
    done(&Job::from_json(&text).map_err(Failure::usage)?, lake, limits)
}

/// Does a job that needs no model, tells how far it is, and prints what came of it.
pub(super) fn done(job: &Job, lake: Vec<String>, limits: LimitSettings) -> Result<(), Failure> {
    let file = Settings::from_file(None).map_err(Failure::usage)?;
    let settings = Settings { lake, limits, ..Settings::default() };
    let config = settings.or(file).config().map_err(Failure::usage)?;
    let specs = lakes_to_serve(&config)?;
    let runtime = io_runtime()?;
    let done = runtime.block_on(async {
        let lakes = Lakes::open(&specs, config.limits.lake_options()).map_err(Failure::failed)?;
        let queries = Queries::new(lakes, &config.limits).map_err(Failure::failed)?;
        let id = uuid::Uuid::new_v4().to_string();
        let progress = Arc::new(ProgressLine);
        let outcome = match job {
            Job::OnVectors(spec) => {
                work::perform(&queries, spec, &id, Arc::clone(&progress) as _).await
            }
            Job::Label(spec) => spec.perform(&queries, &id, Arc::clone(&progress) as _).await,
            Job::Encode(_) => return Err(Failure::usage("limn embed makes vectors")),
        };
        progress.end();
        outcome.map_err(Failure::failed)
    });
    runtime.shutdown_background();
    let outcome = done?;
    eprintln!("{}: {}", outcome.result.table, outcome.message);
    let text = serde_json::to_string_pretty(&outcome).map_err(Failure::failed)?;
    super::print(&text);
    Ok(())
}

/// The job as JSON: the recipe, if there is one, and over it what the flags say.
fn job_text(
    common: CommonArguments,
    kind: &str,
    own: Vec<(&str, Option<Value>)>,
) -> Result<String, Failure> {
    let mut job = recipe(common.recipe.as_deref(), kind, &[kind, "embed"])?;
    if let Some(filters) = common.filters {
        let filters = RawValue::from_string(filters);
        let bad = |error| Failure::usage(format!("--filters: {error}"));
        job.insert("filters".to_owned(), filters.map_err(bad)?);
    }
    let flags = [
        ("table", common.table.map(Value::from)),
        ("into", common.into.map(Value::from)),
        ("version", common.version.map(version_of)),
        ("column", common.column.map(Value::from)),
        ("id", named(common.id)),
        ("keep", keep_of(common.keep)),
        ("keep_vectors", common.keep_vectors.then_some(Value::Bool(true))),
        ("neighbours_into", common.neighbours_into.map(Value::from)),
        ("normalize", common.normalize.map(Value::from)),
        ("backend", common.backend.map(Value::from)),
        ("seed", common.seed.map(Value::from)),
        ("as", common.name.map(Value::from)),
        ("mode", common.overwrite.then(|| "overwrite".into())),
    ];
    for (name, value) in flags.into_iter().chain(own) {
        if let Some(value) = value {
            let value = serde_json::value::to_raw_value(&value).map_err(Failure::usage)?;
            job.insert(name.to_owned(), value);
        }
    }
    serde_json::to_string(&job).map_err(Failure::usage)
}

/// A job that is in a file, if there is one, of one of some kinds; of `kind` where it does not say.
pub(super) fn recipe(
    path: Option<&Path>,
    kind: &str,
    kinds: &[&str],
) -> Result<BTreeMap<String, Box<RawValue>>, Failure> {
    // Texts as they were written: numbers in them keep their digits.
    let mut job: BTreeMap<String, Box<RawValue>> = match path {
        None => BTreeMap::new(),
        Some(path) => {
            let bad = |error: &dyn std::fmt::Display| {
                Failure::usage(format!("cannot read the job: {error}: {}", path.display()))
            };
            let text = std::fs::read_to_string(path).map_err(|error| bad(&error))?;
            serde_json::from_str(&text).map_err(|error| bad(&error))?
        }
    };
    let asked = job.get("kind").map(|kind| kind.get().trim_matches('"').to_owned());
    match asked {
        Some(other) if !kinds.contains(&other.as_str()) => {
            let text = format!("the job is of kind {other}, and this is limn {kind}");
            return Err(Failure::usage(text));
        }
        Some(_) => {}
        None => {
            let kind = serde_json::value::to_raw_value(kind).map_err(Failure::usage)?;
            job.insert("kind".to_owned(), kind);
        }
    }
    Ok(job)
}

/// A number, or what a table without versions has.
pub(super) fn version_of(version: String) -> Value {
    version.parse::<u64>().map_or_else(|_| json!(version), |number| json!(number))
}

fn named(names: Vec<String>) -> Option<Value> {
    (!names.is_empty()).then(|| json!(names))
}

pub(super) fn keep_of(names: Vec<String>) -> Option<Value> {
    match names.as_slice() {
        [all] if all == "all" => Some(json!("all")),
        _ => named(names),
    }
}

/// One line on stderr, written over and over, where stderr is a terminal.
#[derive(Debug, Default)]
struct ProgressLine;

impl Report for ProgressLine {
    fn tell(&self, told: Told) {
        if std::io::stderr().is_terminal() {
            let percent = (told.progress * 100.0) as u32;
            eprint!("\r\x1b[K{percent:3} % {}: {}", told.phase, told.message);
        }
    }
}

impl ProgressLine {
    fn end(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }
}
