//! What models take, each measured once in a process of its own: one that needs too much memory
//! ends that process, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::child::{Given, Said, Start};
use super::encode::EncodeSpec;
use super::failure::JobFailure;
use crate::encode::measure::Measured;
use crate::encode::models::{Models, Stamp};

/// A model that has not computed a few rows by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// The file, as it was, and how much of a text it is given.
type Key = (String, Stamp, Option<u32>);

#[derive(Debug)]
pub(super) struct Measures {
    /// Held while one is measured: two at once would be in each other's way.
    known: Mutex<HashMap<Key, Measured>>,
}

impl Measures {
    pub(super) fn new() -> Self {
        Self { known: Mutex::default() }
    }

    /// `text` is what was asked for, of which `spec` was read.
    pub(super) async fn of(
        &self,
        start: &Start,
        models: &Arc<Models>,
        spec: &EncodeSpec,
        text: &str,
    ) -> Result<Measured, JobFailure> {
        let (name, models) = (spec.model.clone(), Arc::clone(models));
        let found = tokio::task::spawn_blocking(move || models.get(&name)).await;
        let found = found.map_err(|error| JobFailure::Ended(error.to_string()))?;
        let (_, _, stamp) =
            found.map_err(|detail| engine::error::QueryError::malformed("model", detail))?;
        let key = (spec.model.clone(), stamp, spec.tokens);
        let mut known = self.known.lock().await;
        if let Some(measured) = known.get(&key) {
            return Ok(*measured);
        }
        let given = Given { id: String::new(), job: text.to_owned(), is_measured: true };
        let cannot = |error: std::io::Error| JobFailure::Ended(error.to_string());
        let mut running = start.begin(&given).await.map_err(cannot)?;
        match tokio::time::timeout(PATIENCE, running.next()).await {
            Ok(Said::Measured(measured)) => {
                known.insert(key, measured);
                Ok(measured)
            }
            Ok(Said::Failed(why)) => Err(JobFailure::Model(why)),
            Ok(_) => Err(JobFailure::Model("it was not measured".to_owned())),
            Err(_) => {
                running.kill().await;
                let seconds = PATIENCE.as_secs();
                Err(JobFailure::Model(format!("it computes no row within {seconds} s")))
            }
        }
    }
}
