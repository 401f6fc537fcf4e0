//! What handlers share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::app;
use super::guard::AllowedHosts;
use crate::config::Config;
use crate::encode::models::Models;
use crate::jobs::queue::Jobs;
use crate::lake::Snapshot;
use crate::pictures::Pictures;
use crate::query::Queries;

/// One server.
#[derive(Debug)]
pub struct AppState {
    pub queries: Queries,
    pub jobs: Jobs,
    pub pictures: Pictures,
    pub models: Arc<Models>,
    pub allowed_hosts: AllowedHosts,
    pub cors_origins: Vec<String>,
    pub content_security_policy: String,
    pub known: Known,
}

impl AppState {
    /// `listen` is the address that was really taken.
    pub fn new(
        queries: Queries,
        jobs: Jobs,
        pictures: Pictures,
        config: &Config,
        listen: SocketAddr,
    ) -> Arc<Self> {
        Arc::new(Self {
            queries,
            jobs,
            pictures,
            models: Arc::new(Models::new(config.models.clone())),
            allowed_hosts: AllowedHosts::new(listen, &config.allowed_hosts),
            cors_origins: config.cors_origins.clone(),
            content_security_policy: app::content_security_policy(&config.connect_origins),
            known: Known::default(),
        })
    }
}

/// How many distinct values columns were found to have, by table, version and column. Forgotten
/// as a whole when there is too much of it: it can be found out again.
#[derive(Debug, Default)]
pub struct Known {
    distinct: Mutex<HashMap<[String; 3], u64>>,
}

const KNOWN_MAX: usize = 10_000;

impl Known {
    pub fn distinct(&self, snapshot: &Snapshot, column: &str) -> Option<u64> {
        let known = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key(snapshot, column)).copied()
    }

    pub fn remember(&self, snapshot: &Snapshot, column: &str, distinct: u64) {
        let mut known = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key(snapshot, column), distinct);
    }
}

fn key(snapshot: &Snapshot, column: &str) -> [String; 3] {
    [snapshot.uid().to_owned(), snapshot.version().to_string(), column.to_owned()]
}
