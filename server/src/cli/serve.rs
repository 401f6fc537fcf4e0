//! `limn serve`: the API and the app, on lakes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Failure, io_runtime, log_to_stderr, sample};
use crate::config::{Config, Settings};
use crate::http::state::AppState;
use crate::http::{router, serve};
use crate::jobs::queue::Jobs;
use crate::jobs::stored::StoredJobs;
use crate::lake::{LakeSpec, Lakes};
use crate::pictures::{ImageHosts, Pictures};
use crate::query::Queries;

/// Serve the API and the app
#[derive(Debug, clap::Args)]
pub(super) struct ServeArguments {
    /// Settings in TOML; flags and LIMN_… variables win over it [default: limn.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "LIMN_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(arguments: ServeArguments) -> Result<(), Failure> {
    log_to_stderr("warn,server=info");
    let file = Settings::from_file(arguments.config.as_deref()).map_err(Failure::usage)?;
    let config = arguments.settings.or(file).config().map_err(Failure::usage)?;
    let specs = lakes_to_serve(&config)?;
    let runtime = io_runtime()?;
    let served = runtime.block_on(serve_lakes(&config, &specs));
    // Reads that still hang in a store are not waited for.
    runtime.shutdown_background();
    served
}

/// The lakes that are named; else `./lake`; else a sample.
pub(super) fn lakes_to_serve(config: &Config) -> Result<Vec<LakeSpec>, Failure> {
    if !config.lakes.is_empty() {
        return Ok(config.lakes.clone());
    }
    let here = Path::new("lake");
    let folder = match here.is_dir() {
        true => here.to_owned(),
        false => {
            let folder = sample::make().map_err(Failure::failed)?;
            tracing::info!("no lake given and no ./lake here: serving a sample");
            folder
        }
    };
    let root = crate::lake::LakeRoot::Folder(folder);
    Ok(vec![LakeSpec { name: None, root }])
}

async fn serve_lakes(config: &Config, specs: &[LakeSpec]) -> Result<(), Failure> {
    let lakes = Lakes::open(specs, config.limits.lake_options()).map_err(Failure::failed)?;
    let stored = stored_jobs(config, &lakes)?;
    let hosts = ImageHosts(config.image_hosts.clone());
    let pictures = Pictures::new(lakes.clone(), hosts).map_err(Failure::failed)?;
    let queries = Queries::new(lakes, &config.limits).map_err(Failure::failed)?;
    let jobs = Jobs::new(specs, config, stored).map_err(Failure::failed)?;
    let refused = |error| Failure::failed(format!("cannot listen on {}: {error}", config.listen));
    let listener = serve::listen(config.listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(Failure::failed)?;
    let state = AppState::new(queries, jobs.clone(), pictures, config, address);
    announce(address);
    tokio::spawn(async move { jobs.resume().await });
    serve::serve(listener, router(Arc::clone(&state)), stop_signal()).await;
    Ok(())
}

/// Where jobs are remembered: where `--state` says, else in the first lake.
fn stored_jobs(config: &Config, lakes: &Lakes) -> Result<Option<StoredJobs>, Failure> {
    let store = match &config.state {
        Some(spec) => Some(spec.writable(&config.limits.lake_options()).map_err(Failure::usage)?),
        None => lakes.writable_first(),
    };
    Ok(store.map(StoredJobs::new))
}

#[expect(clippy::print_stdout, reason = "scripts read the address from there")]
fn announce(address: std::net::SocketAddr) {
    println!("limn is serving at http://{address}");
}

/// Done at the first SIGINT or SIGTERM.
async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
    tracing::info!("ending");
}
