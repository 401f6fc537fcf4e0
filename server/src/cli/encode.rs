//! `limn embed`: vectors of pictures and texts, by a model of the user's own.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use encoder::{Backend, Kind, Pooling};
use engine::predicate::Predicate;
use engine::query::Version;
use engine::steps::Normalize;
use serde_json::value::RawValue;

use super::ground::{Ground, GroundArguments};
use super::{Failure, log_to_stderr, sample};
use crate::encode::model::{self, Opened, Wanted};
use crate::encode::{self, From, Report, Spec};
use crate::jobs::spec::Keep;

/// Make vectors of a folder of pictures, or of a table's pictures or texts, by a model in ONNX
///
/// The vectors go to a new table. What was made is kept as it goes: the same command goes on
/// after it was ended, and later adds what is new in the folder.
#[derive(Debug, clap::Args)]
pub(super) struct EncodeArguments {
    /// A folder of pictures, jpg, png, webp, bmp, gif or tiff; or s3://… in a lake that --lake names
    #[arg(required_unless_present = "table", conflicts_with = "table")]
    folder: Option<PathBuf>,

    /// The model: a file in ONNX, or its address, which is fetched once. Beside it may lie its
    /// preprocessor_config.json and, for texts, has to lie its tokenizer.json
    #[arg(long, value_name = "FILE|URL")]
    model: String,

    /// The table to write
    #[arg(long, value_name = "TABLE")]
    into: String,

    /// Instead of a folder: the table with the pictures or texts
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,

    /// Of a table: the column of texts, of pictures, or of paths and addresses of pictures [default: the one there is]
    #[arg(long, value_name = "NAME", requires = "table")]
    column: Option<String>,

    /// A version of the table [default: the newest]
    #[arg(long, value_name = "VERSION", requires = "table")]
    version: Option<String>,

    /// Filters as JSON, as those of a query
    #[arg(long, value_name = "JSON", requires = "table")]
    filters: Option<String>,

    /// Columns of the table that the result has, beside id, uuid or key; "all" for all of them [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "table")]
    keep: Vec<String>,

    /// Look into the folder's folders too, whose names become a column
    #[arg(long, conflicts_with = "table")]
    recursive: bool,

    /// The longer side, in pixels, of small pictures that the result has; 0 for none [default: 128 for a folder, 0 for a table]
    #[arg(long, value_name = "PIXELS")]
    thumbnails: Option<u32>,

    /// What the column of vectors is called
    #[arg(long = "as", value_name = "NAME", default_value = "emb")]
    name: String,

    /// l2 for vectors of length one, or none
    #[arg(long, value_name = "NORM", default_value = "l2", value_parser = normalize)]
    normalize: Normalize,

    /// The model's output that is used [default: the one that looks like an embedding]
    #[arg(long, value_name = "NAME")]
    output: Option<String>,

    /// Of an output with a vector a token: mean, or first [default: mean of texts, first of pictures]
    #[arg(long, value_name = "HOW", value_parser = pooling)]
    pooling: Option<Pooling>,

    /// The model's tokenizer [default: tokenizer.json beside it]
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,

    /// The most tokens of a text; what is longer is cut [default: what the model takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    max_tokens: Option<u32>,

    /// cpu; cuda for a device, where it gives what the CPU gives; auto for a device that is sooner done
    #[arg(long, value_name = "NAME", default_value = "cpu", value_parser = backend)]
    backend: Backend,

    /// Replace the table if it is there, instead of going on with it
    #[arg(long)]
    overwrite: bool,

    /// Rows after which what was made is kept, as a version of the table; after 30 s it is anyway
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u64).range(1..))]
    commit_rows: u64,

    #[command(flatten)]
    ground: GroundArguments,
}

fn normalize(text: &str) -> Result<Normalize, String> {
    match text {
        "l2" => Ok(Normalize::L2),
        "none" => Ok(Normalize::None),
        _ => Err("expected l2 or none".to_owned()),
    }
}

fn pooling(text: &str) -> Result<Pooling, String> {
    match text {
        "mean" => Ok(Pooling::Mean),
        "first" => Ok(Pooling::First),
        _ => Err("expected mean or first".to_owned()),
    }
}

fn backend(text: &str) -> Result<Backend, String> {
    match text {
        "cpu" => Ok(Backend::Cpu),
        "cuda" => Ok(Backend::Cuda),
        "auto" => Ok(Backend::Auto),
        _ => Err("expected cpu, cuda or auto".to_owned()),
    }
}

impl EncodeArguments {
    fn spec(&self) -> Result<Spec, Failure> {
        let from = match (&self.folder, &self.table) {
            (Some(folder), _) => {
                From::Folder { folder: folder.clone(), is_recursive: self.recursive }
            }
            (None, table) => From::Table {
                table: table.clone().unwrap_or_default(),
                version: self.version.as_deref().map(version),
                column: self.column.clone(),
                filters: self.filters.as_deref().map_or(Ok(Predicate::all()), filters)?,
                keep: match self.keep.as_slice() {
                    [] => Keep::All,
                    [all] if all == "all" => Keep::All,
                    names => Keep::Columns(names.to_vec()),
                },
            },
        };
        let (into, name) = (self.into.clone(), self.name.clone());
        let (overwrite, commit_rows) = (self.overwrite, self.commit_rows);
        Ok(Spec { from, into, name, overwrite, commit_rows, job: None })
    }

    fn wanted(&self) -> Wanted {
        let usual = if self.folder.is_some() { 128 } else { 0 };
        Wanted {
            model: self.model.clone(),
            tokenizer: self.tokenizer.clone(),
            tokens: self.max_tokens.map(|most| most as usize),
            output: self.output.clone(),
            pooling: self.pooling,
            is_unit: self.normalize == Normalize::L2,
            thumbnail: Some(self.thumbnails.unwrap_or(usual)).filter(|side| *side > 0),
            backend: self.backend,
            cache: sample::state_folder().join("models"),
        }
    }
}

pub(super) fn version(text: &str) -> Version {
    text.parse().map_or_else(|_| Version::Fingerprint(text.to_owned()), Version::Number)
}

pub(super) fn filters(text: &str) -> Result<Predicate, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::usage(format!("--filters: {error}"));
    let raw = RawValue::from_string(text.to_owned()).map_err(|error| bad(&error))?;
    Predicate::from_filters(&raw, "filters").map_err(|error| bad(&error))
}

pub(super) fn run(arguments: EncodeArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let (spec, wanted) = (arguments.spec()?, arguments.wanted());
    let ground = Ground::new(arguments.ground)?;
    let progress = Arc::new(Progress::default());
    let interrupted = Arc::clone(&progress);
    ground.runtime.spawn(async move {
        // The first time what was made is kept; the second time nothing is waited for.
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.is_cancelled.store(true, Ordering::Relaxed);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    let model = model::open(ground.runtime.handle(), &wanted, &|bytes| progress.fetched(bytes));
    progress.end_line();
    let model = model.map_err(Failure::failed)?;
    eprintln!("{}", described(&model));
    let done = encode::perform(&ground.place(), &model, &spec, progress.as_ref());
    progress.end_line();
    progress.say_rest();
    ground.end();
    let outcome = done.map_err(Failure::failed)?;
    eprintln!("{}: {}", outcome.table, outcome.message());
    super::print(&serde_json::to_string_pretty(&outcome).map_err(Failure::failed)?);
    Ok(())
}

fn described(model: &Opened) -> String {
    let encoder = &model.encoder;
    let takes = match encoder.model().kind() {
        Kind::Images { height, width, .. } => format!("pictures of {width} × {height}"),
        Kind::Texts { length: Some(length) } => format!("texts of {length} tokens"),
        Kind::Texts { length: None } => "texts".to_owned(),
    };
    let (output, dimensions) = (encoder.model().output(), encoder.model().dimensions());
    format!("the model takes {takes}; its output {output:?} has {dimensions} dimensions")
}

/// Rows that failed, of which each is told.
const TOLD_FAILURES: u64 = 20;
/// Between two lines of progress on a terminal.
const PAUSE: Duration = Duration::from_millis(200);

/// What is told on stderr: a line that is written over where that is a terminal.
#[derive(Debug, Default)]
struct Progress {
    is_cancelled: AtomicBool,
    failures: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    began: Option<Instant>,
    last: Option<Instant>,
}

impl Progress {
    fn line(&self, text: impl FnOnce(Duration) -> String) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *state.began.get_or_insert_with(Instant::now);
        if state.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        state.last = Some(Instant::now());
        eprint!("\r\x1b[K{}", text(began.elapsed()));
    }

    fn fetched(&self, bytes: u64) {
        self.line(|_| format!("fetching the model: {:.1} MB", bytes as f64 / 1e6));
    }

    fn end_line(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// How many failures were not told one by one.
    fn say_rest(&self) {
        let more = self.failures.load(Ordering::Relaxed).saturating_sub(TOLD_FAILURES);
        if more > 0 {
            eprintln!("and {more} more have no vector");
        }
    }
}

impl Report for Progress {
    fn progress(&self, done: u64, of: Option<u64>) {
        self.line(|took| {
            let rate = done as f64 / took.as_secs_f64().max(0.001);
            let Some(of) = of else { return format!("{done} rows, {rate:.1} a second") };
            let left = (of.saturating_sub(done)) as f64 / rate.max(0.001);
            let percent = 100.0 * done as f64 / of.max(1) as f64;
            format!("{percent:3.0} % {done} of {of}, {rate:.1} a second, {left:.0} s left")
        });
    }

    fn failed(&self, row: &str, why: &encoder::Failure) {
        if self.failures.fetch_add(1, Ordering::Relaxed) < TOLD_FAILURES {
            let clear = if std::io::stderr().is_terminal() { "\r\x1b[K" } else { "" };
            eprintln!("{clear}{row}: {why}");
        }
    }

    fn committed(&self, rows: u64, version: u64) {
        if !std::io::stderr().is_terminal() {
            eprintln!("{rows} rows are kept, in version {version}");
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}
