//! `limn models`: the models of a folder, and what each takes.

use std::path::PathBuf;

use encoder::Takes;

use super::{Failure, log_to_stderr};
use crate::config::Settings;
use crate::encode::models::{Listed, Models};

/// List the models that jobs make vectors by
#[derive(Debug, clap::Args)]
pub(super) struct ModelsArguments {
    /// A folder of models in ONNX [default: ./models]
    #[arg(long, value_name = "FOLDER", env = "LIMN_MODELS")]
    models: Option<PathBuf>,
}

pub(super) fn run(arguments: ModelsArguments) -> Result<(), Failure> {
    log_to_stderr("error");
    let file = Settings::from_file(None).map_err(Failure::usage)?;
    let settings = Settings { models: arguments.models, ..Settings::default() };
    let config = settings.or(file).config().map_err(Failure::usage)?;
    let Some(folder) = config.models else {
        return Err(Failure::failed("there is no folder ./models; name another with --models"));
    };
    let listed = Models::new(Some(folder.clone())).list();
    if listed.is_empty() {
        let text = format!("there is no file .onnx in {}", folder.display());
        return Err(Failure::failed(text));
    }
    let width = listed.iter().map(|model| model.name.chars().count()).max().unwrap_or_default();
    for Listed { name, bytes, takes } in listed {
        let takes = match takes {
            Ok(Takes::Images) => format!("pictures  {:.1} MB", bytes as f64 / 1e6),
            Ok(Takes::Texts) => format!("texts     {:.1} MB", bytes as f64 / 1e6),
            Err(why) => format!("cannot be used: {why}"),
        };
        super::print(&format!("{name:width$}  {takes}"));
    }
    Ok(())
}
