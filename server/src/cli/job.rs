//! `limn job`: one job of a server, in a process of its own. What it is given and says is for
//! the server alone.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::{Failure, io_runtime, log_to_stderr};
use crate::config::LimitSettings;
use crate::encode::Place;
use crate::encode::models::Models;
use crate::jobs::child::{self, FAREWELL, Given, Said, Speaker};
use crate::jobs::encode::EncodeSpec;
use crate::jobs::encode::progress::Progress;
use crate::jobs::failure::JobFailure;
use crate::jobs::job::Job;
use crate::jobs::work;
use crate::lake::{LakeSpec, Lakes};
use crate::pictures::{ImageHosts, Pictures};
use crate::query::Queries;

/// Do one job of a server
#[derive(Debug, clap::Args)]
pub(super) struct JobArguments {
    #[arg(long = "lake")]
    lake: Vec<String>,

    #[arg(long)]
    models: Option<PathBuf>,

    #[arg(long)]
    image_host: Vec<String>,

    #[command(flatten)]
    limits: LimitSettings,
}

pub(super) fn run(arguments: JobArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let limits = arguments.limits.limits().map_err(Failure::usage)?;
    child::bound_memory(limits.job_bytes).map_err(Failure::failed)?;
    let specs = arguments.lake.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
    let specs: Vec<LakeSpec> = specs.map_err(Failure::usage)?;
    let hosts = arguments.image_host.iter().map(|host| host.parse()).collect::<Result<_, _>>();
    let hosts = ImageHosts(hosts.map_err(Failure::usage)?);
    let runtime = io_runtime()?;
    let done = runtime.block_on(async {
        let (given, closed) = child::given().await.map_err(Failure::usage)?;
        let job = match Job::from_json(&given.job) {
            Ok(job) => job,
            Err(error) => {
                Speaker.say(&child::said(Err(error.into())));
                return Ok(());
            }
        };
        let is_kept = matches!(job, Job::Encode(_)) && !given.is_measured;
        let progress = Arc::new(Progress::new(Speaker));
        let ending = Arc::clone(&progress);
        tokio::spawn(async move {
            closed.await;
            // The server is gone, and begins the job anew when it is back; or nobody wants it.
            ending.is_cancelled.store(true, Ordering::Relaxed);
            if is_kept {
                tokio::time::sleep(FAREWELL).await;
            }
            process::exit(1);
        });
        let lakes = Lakes::open(&specs, limits.lake_options()).map_err(Failure::failed)?;
        let queries = Arc::new(Queries::new(lakes.clone(), &limits).map_err(Failure::failed)?);
        match job {
            Job::OnVectors(spec) => {
                let outcome = work::perform(&queries, &spec, &given.id, Arc::new(Speaker)).await;
                Speaker.say(&child::said(outcome));
            }
            Job::Label(spec) => {
                let outcome = spec.perform(&queries, &given.id, Arc::new(Speaker)).await;
                Speaker.say(&child::said(outcome));
            }
            Job::Encode(spec) => {
                let pictures = Arc::new(Pictures::new(lakes, hosts).map_err(Failure::failed)?);
                let models = Models::new(arguments.models);
                let encoding = Encoding { queries, lakes: specs, pictures, models, progress };
                Speaker.say(&encoding.run(*spec, given).await);
            }
        }
        Ok(())
    });
    runtime.shutdown_background();
    done
}

/// What a job that makes vectors stands on.
struct Encoding {
    queries: Arc<Queries>,
    lakes: Vec<LakeSpec>,
    pictures: Arc<Pictures>,
    models: Models,
    progress: Arc<Progress<Speaker>>,
}

impl Encoding {
    /// On a thread of its own, which may wait for what the runtime does.
    async fn run(self, spec: EncodeSpec, given: Given) -> Said {
        let handle = Handle::current();
        let work = move || {
            let Self { queries, lakes, pictures, models, progress } = &self;
            let place = Place { handle: &handle, queries, lakes, pictures };
            match given.is_measured {
                true => spec.measure(&place, models).map(Said::Measured),
                false => {
                    progress.opening(&spec.model);
                    let made = spec.perform(&place, models, &given.id, progress.as_ref());
                    made.map(|outcome| Said::Done(Box::new(outcome)))
                }
            }
        };
        let said = tokio::task::spawn_blocking(work).await;
        let said = said.unwrap_or_else(|error| Err(JobFailure::Ended(error.to_string())));
        said.unwrap_or_else(|failure| Said::Failed(failure.to_string()))
    }
}
