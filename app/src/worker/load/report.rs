//! How a load is going, told to the page a few times a second.

use engine::query::Version;

use crate::protocol::{LoadState, Origin, Profile, Progress, Reply};
use crate::worker::host::post;
use crate::worker::turn::now_millis;

const INTERVAL_MILLIS: f64 = 120.0;

/// The progress of one load.
#[derive(Debug)]
pub struct Report {
    progress: Progress,
    started: f64,
    told: f64,
}

impl Report {
    pub fn new(table: String, version: Option<Version>, columns: Vec<String>) -> Self {
        let started = now_millis();
        let progress = Progress {
            table,
            version,
            columns,
            rows: 0,
            rows_total: None,
            bytes: 0,
            elapsed_millis: 0.0,
            origin: Origin::Browser,
            state: LoadState::Loading,
            profiles: Vec::new(),
        };
        Self { progress, started, told: f64::NEG_INFINITY }
    }

    pub fn set_version(&mut self, version: Option<Version>) {
        self.progress.version = version;
    }

    pub fn set_columns(&mut self, columns: Vec<String>) {
        self.progress.columns = columns;
    }

    pub fn columns(&self) -> &[String] {
        &self.progress.columns
    }

    /// Some columns cannot be had: the load is of the others.
    pub fn leave_out(&mut self, absent: &[&str]) {
        self.progress.columns.retain(|column| !absent.contains(&column.as_str()));
    }

    pub fn set_origin(&mut self, origin: Origin) {
        self.progress.origin = origin;
    }

    pub fn set_rows(&mut self, rows: u64, total: Option<u64>) {
        self.progress.rows = rows;
        self.progress.rows_total = total;
    }

    pub fn add_bytes(&mut self, bytes: u64) {
        self.progress.bytes += bytes;
    }

    /// Tells, unless it was told just now; says whether.
    pub fn tick(&mut self) -> bool {
        if now_millis() - self.told < INTERVAL_MILLIS {
            return false;
        }
        self.tell(LoadState::Loading, Vec::new());
        true
    }

    pub fn tell(&mut self, state: LoadState, profiles: Vec<Profile>) {
        self.told = now_millis();
        self.progress.elapsed_millis = self.told - self.started;
        let progress = Progress { state, profiles, ..self.progress.clone() };
        post(&Reply::Progress(progress));
    }
}
