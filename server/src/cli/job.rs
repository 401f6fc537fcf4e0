//! `limn job`: one job of a server, in a process of its own. What it is given and says is for
//! the server alone.

use std::process;
use std::sync::Arc;

use super::{Failure, io_runtime, log_to_stderr};
use crate::config::LimitSettings;
use crate::jobs::child::{self, Given, Speaker};
use crate::jobs::failure::JobFailure;
use crate::jobs::spec::JobSpec;
use crate::jobs::work::{self, Outcome};
use crate::lake::{LakeSpec, Lakes};
use crate::query::Queries;

/// Do one job of a server
#[derive(Debug, clap::Args)]
pub(super) struct JobArguments {
    #[arg(long = "lake")]
    lake: Vec<String>,

    #[command(flatten)]
    limits: LimitSettings,
}

pub(super) fn run(arguments: JobArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let limits = arguments.limits.limits().map_err(Failure::usage)?;
    child::bound_memory(limits.job_bytes).map_err(Failure::failed)?;
    let specs = arguments.lake.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
    let specs: Vec<LakeSpec> = specs.map_err(Failure::usage)?;
    let runtime = io_runtime()?;
    let done = runtime.block_on(async {
        let (given, closed) = child::given().await.map_err(Failure::usage)?;
        tokio::spawn(async move {
            closed.await;
            // The server is gone. It begins the job anew when it is back.
            process::exit(1);
        });
        let lakes = Lakes::open(&specs, limits.lake_options()).map_err(Failure::failed)?;
        let queries = Queries::new(lakes, &limits).map_err(Failure::failed)?;
        let outcome = perform(&queries, &given).await;
        Speaker.say(&child::said(outcome));
        Ok(())
    });
    runtime.shutdown_background();
    done
}

async fn perform(queries: &Queries, given: &Given) -> Result<Outcome, JobFailure> {
    let spec = JobSpec::from_json(&given.job)?;
    work::perform(queries, &spec, &given.id, Arc::new(Speaker)).await
}
