//! The command `limn`: what it is told, and what it exits with.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

mod embed;
mod encode;
mod export;
mod ground;
mod job;
mod label;
mod models;
mod pictures;
mod query;
mod sample;
mod serve;

/// Draws data lakes: serves their tables to the browser, and answers queries about them
#[derive(Debug, Parser)]
#[command(name = "limn", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArguments),
    Query(query::QueryArguments),
    Cluster(embed::ClusterArguments),
    Project(embed::ProjectArguments),
    Label(label::LabelArguments),
    Embed(encode::EncodeArguments),
    Models(models::ModelsArguments),
    Pictures(pictures::PicturesArguments),
    Export(export::ExportArguments),
    #[command(hide = true)]
    Job(job::JobArguments),
}

/// Why the command failed, as a line for the person who gave it.
#[derive(Debug)]
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// What was asked for cannot be done.
    fn failed(error: impl std::fmt::Display) -> Self {
        Self { message: error.to_string(), code: 1 }
    }

    /// It was asked for in the wrong way.
    fn usage(error: impl std::fmt::Display) -> Self {
        Self { message: error.to_string(), code: 2 }
    }
}

/// Runs the command. Exits with 0 if all went well, 1 if it failed, 2 if it was called wrongly.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and are no errors.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let done = match cli.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Query(arguments) => query::run(arguments),
        Command::Cluster(arguments) => embed::cluster(arguments),
        Command::Project(arguments) => embed::project(arguments),
        Command::Label(arguments) => label::run(arguments),
        Command::Embed(arguments) => encode::run(arguments),
        Command::Models(arguments) => models::run(arguments),
        Command::Pictures(arguments) => pictures::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Job(arguments) => job::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("limn: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Sends the log to stderr: as much as `LIMN_LOG` asks for, else as `default` does.
fn log_to_stderr(default: &str) {
    let filter = EnvFilter::try_from_env("LIMN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    // Somebody else's log, as in tests, stays.
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    drop(log.with_target(false).with_ansi(ansi).try_init());
}

/// The runtime that accepts connections and reads from stores; queries compute on another.
fn io_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("limn-io")
        .enable_all()
        .build()
        .map_err(Failure::failed)
}

/// A line of data on stdout.
#[expect(clippy::print_stdout, reason = "stdout is where the data goes")]
fn print(text: &str) {
    println!("{text}");
}
