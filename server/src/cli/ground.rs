//! What commands that read lakes and pictures stand on, and what they are told of it.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::serve::lakes_to_serve;
use super::{Failure, io_runtime};
use crate::config::{LimitSettings, Settings};
use crate::encode::Place;
use crate::lake::{LakeSpec, Lakes};
use crate::pictures::{ImageHosts, Pictures};
use crate::query::Queries;

/// Lakes, hosts of pictures, and limits.
#[derive(Debug, clap::Args)]
pub(super) struct GroundArguments {
    /// A lake: a folder, s3://bucket/prefix, or name=URI; may be repeated [default: ./lake]
    #[arg(long = "lake", value_name = "URI", env = "LIMN_LAKE", value_delimiter = ';')]
    lake: Vec<String>,

    /// A host that pictures may be fetched from, as example.org or *.example.org; * for all public ones; may be repeated [default: none]
    #[arg(long, value_name = "HOST", env = "LIMN_IMAGE_HOST", value_delimiter = ',')]
    image_host: Vec<String>,

    #[command(flatten)]
    limits: LimitSettings,
}

/// What such a command stands on.
pub(super) struct Ground {
    pub(super) runtime: Runtime,
    lakes: Vec<LakeSpec>,
    queries: Arc<Queries>,
    pictures: Arc<Pictures>,
}

impl Ground {
    pub(super) fn new(arguments: GroundArguments) -> Result<Self, Failure> {
        let GroundArguments { lake, image_host, limits } = arguments;
        let file = Settings::from_file(None).map_err(Failure::usage)?;
        let settings = Settings { lake, limits, image_host, ..Settings::default() };
        let config = settings.or(file).config().map_err(Failure::usage)?;
        let lakes = lakes_to_serve(&config)?;
        let runtime = io_runtime()?;
        let opened = {
            // Stores are opened where a runtime is.
            let _entered = runtime.enter();
            Lakes::open(&lakes, config.limits.lake_options()).map_err(Failure::failed)?
        };
        let hosts = ImageHosts(config.image_hosts.clone());
        let pictures = Arc::new(Pictures::new(opened.clone(), hosts).map_err(Failure::failed)?);
        let queries = Arc::new(Queries::new(opened, &config.limits).map_err(Failure::failed)?);
        Ok(Self { runtime, lakes, queries, pictures })
    }

    pub(super) fn place(&self) -> Place<'_> {
        let Self { runtime, lakes, queries, pictures } = self;
        Place { handle: runtime.handle(), queries, lakes, pictures }
    }

    /// Does not wait for reads that still hang in a store.
    pub(super) fn end(self) {
        self.runtime.shutdown_background();
    }
}
