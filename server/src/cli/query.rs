//! `limn query`: one query answered on stdout.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use engine::query::Query;
use futures::StreamExt;

use super::serve::lakes_to_serve;
use super::{Failure, io_runtime, log_to_stderr};
use crate::config::{LimitSettings, Settings};
use crate::lake::Lakes;
use crate::query::Queries;
use crate::query::answer::{Answer, Body};
use crate::query::encode::AnswerFormat;

/// Answer one query: data on stdout, progress on stderr
#[derive(Debug, clap::Args)]
pub(super) struct QueryArguments {
    /// The query as JSON; @FILE reads it from a file, - or nothing from stdin
    query: Option<String>,

    /// A lake: a folder, s3://bucket/prefix, or name=URI; may be repeated [default: ./lake]
    #[arg(long = "lake", value_name = "URI", env = "LIMN_LAKE", value_delimiter = ';')]
    lake: Vec<String>,

    /// arrow-stream, arrow-file, parquet, csv, json or ndjson [default: csv on a terminal, else arrow-stream]
    #[arg(long, value_name = "FORMAT")]
    format: Option<AnswerFormat>,

    /// Where to write instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Settings in TOML; flags and LIMN_… variables win over it [default: limn.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "LIMN_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    limits: LimitSettings,
}

pub(super) fn run(arguments: QueryArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let file = Settings::from_file(arguments.config.as_deref()).map_err(Failure::usage)?;
    let settings = Settings {
        lake: arguments.lake.clone(),
        limits: arguments.limits.clone(),
        ..Settings::default()
    };
    let config = settings.or(file).config().map_err(Failure::usage)?;
    let text = query_text(arguments.query.as_deref())?;
    let query = Query::from_json(&text).map_err(Failure::usage)?;
    let format = arguments.format.unwrap_or_else(|| {
        let shown = arguments.output.is_none() && std::io::stdout().is_terminal();
        if shown { AnswerFormat::Csv } else { AnswerFormat::ArrowStream }
    });
    let specs = lakes_to_serve(&config)?;
    let runtime = io_runtime()?;
    let answered = runtime.block_on(async {
        let lakes = Lakes::open(&specs, config.limits.lake_options()).map_err(Failure::failed)?;
        let queries = Queries::new(lakes, &config.limits).map_err(Failure::failed)?;
        let pinned = queries.open(query).await.map_err(Failure::failed)?;
        let answer = queries.answer(pinned, format.into()).await.map_err(Failure::failed)?;
        write(answer, arguments.output.as_deref()).await
    });
    runtime.shutdown_background();
    answered
}

fn query_text(argument: Option<&str>) -> Result<String, Failure> {
    match argument {
        None | Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Failure::failed(format!("cannot read stdin: {error}")))?;
            Ok(text)
        }
        Some(argument) => match argument.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::failed(format!("cannot read the query: {error}: {path}"))
            }),
            None => Ok(argument.to_owned()),
        },
    }
}

async fn write(answer: Answer, output: Option<&std::path::Path>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write: {error}"));
    let mut out: Box<dyn Write> = match output {
        Some(path) => Box::new(std::fs::File::create(path).map_err(failed)?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut progress = Progress::new();
    let mut chunks = match answer.body {
        Body::Whole(whole) => whole.boxed(),
        Body::Stream(stream) => stream.boxed(),
    };
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(Failure::failed)?;
        match out.write_all(&chunk) {
            // Whoever reads us had enough, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(failed)?,
        }
        progress.add(chunk.len() as u64);
    }
    out.flush().map_err(failed)?;
    progress.end();
    Ok(())
}

/// A line on stderr that counts bytes, where stderr is a terminal and stdout is not.
struct Progress {
    bytes: u64,
    began: Instant,
    shown: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    fn new() -> Self {
        let is_shown = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        Self { bytes: 0, began: Instant::now(), shown: None, is_shown }
    }

    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        let due = self.shown.is_none_or(|shown| shown.elapsed() > Duration::from_millis(200));
        if self.is_shown && due {
            self.shown = Some(Instant::now());
            eprint!("\r{} MB, {:.1} s", self.bytes / 1_000_000, self.began.elapsed().as_secs_f64());
        }
    }

    fn end(&self) {
        if self.shown.is_some() {
            eprintln!("\r{} bytes in {:.1} s", self.bytes, self.began.elapsed().as_secs_f64());
        }
    }
}
