//! What can be configured, and from where: flags over `LIMN_…` variables over `limn.toml`.
//!
//! [`Settings`] is what was written, part by part optional, and the same struct for flags and
//! file; [`Config`] is what holds, with every default in one place.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::lake::{LakeOptions, LakeSpec, StoreOptions};
use crate::pictures::HostPattern;

pub mod units;

use units::{ByteSize, Span};

/// What was asked for. Absent parts are left to the next source.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// A lake: a folder, s3://bucket/prefix, or name=URI; may be repeated [default: ./lake, else a small sample]
    #[arg(long = "lake", value_name = "URI", env = "LIMN_LAKE", value_delimiter = ';')]
    #[serde(alias = "lakes")]
    pub lake: Vec<String>,

    /// Where jobs are remembered: a folder or s3://bucket/prefix [default: the first lake]
    #[arg(long, value_name = "URI", env = "LIMN_STATE")]
    pub state: Option<String>,

    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "LIMN_LISTEN")]
    pub listen: Option<SocketAddr>,

    /// Another origin whose pages may call the API, as https://host; * for any; may be repeated
    #[arg(long, value_name = "ORIGIN", env = "LIMN_CORS_ORIGIN", value_delimiter = ',')]
    #[serde(alias = "cors-origins")]
    pub cors_origin: Vec<String>,

    /// A further name by which this server may be addressed; * for any; may be repeated
    #[arg(long, value_name = "HOST", env = "LIMN_ALLOWED_HOST", value_delimiter = ',')]
    #[serde(alias = "allowed-hosts")]
    pub allowed_host: Vec<String>,

    /// Another origin that the page may call, for its content security policy; may be repeated
    #[arg(long, value_name = "ORIGIN", env = "LIMN_CONNECT_ORIGIN", value_delimiter = ',')]
    #[serde(alias = "connect-origins")]
    pub connect_origin: Vec<String>,

    /// A host that pictures may be fetched from, as example.org or *.example.org; * for all public ones; may be repeated [default: none]
    #[arg(long, value_name = "HOST", env = "LIMN_IMAGE_HOST", value_delimiter = ',')]
    #[serde(alias = "image-hosts")]
    pub image_host: Vec<String>,

    /// A folder of models in ONNX, that jobs make vectors by [default: ./models, if there is one]
    #[arg(long, value_name = "FOLDER", env = "LIMN_MODELS")]
    pub models: Option<PathBuf>,

    #[command(flatten)]
    #[serde(flatten)]
    pub limits: LimitSettings,
}

/// Limits of queries, for the server and for `limn query`.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct LimitSettings {
    /// Memory that queries may use together before they spill to disk [default: 2GiB]
    #[arg(long, value_name = "SIZE", env = "LIMN_MEMORY")]
    pub memory: Option<ByteSize>,

    /// Folder for what does not fit in memory [default: the system's temporary folder]
    #[arg(long, value_name = "FOLDER", env = "LIMN_SPILL_DIR")]
    pub spill_dir: Option<PathBuf>,

    /// Disk that spilling may use [default: 100GiB]
    #[arg(long, value_name = "SIZE", env = "LIMN_SPILL_LIMIT")]
    pub spill_limit: Option<ByteSize>,

    /// Threads that compute [default: one for each core]
    #[arg(long, value_name = "N", env = "LIMN_THREADS")]
    pub threads: Option<usize>,

    /// Memory that the process of one job may use, all of it; one that needs more fails [default: no limit]
    #[arg(long, value_name = "SIZE", env = "LIMN_JOB_MEMORY")]
    pub job_memory: Option<ByteSize>,

    /// Longest time that one query may compute [default: 5min]
    #[arg(long, value_name = "TIME", env = "LIMN_TIME_LIMIT")]
    pub time_limit: Option<Span>,

    /// Most rows of one answer; more is refused with 413 [default: no limit]
    #[arg(long, value_name = "N", env = "LIMN_ROW_LIMIT")]
    pub row_limit: Option<u64>,

    /// Largest body of a request [default: 1MiB]
    #[arg(long, value_name = "SIZE", env = "LIMN_BODY_LIMIT")]
    pub body_limit: Option<ByteSize>,

    /// Queries that run at the same time [default: four for each thread, at least 16]
    #[arg(long, value_name = "N", env = "LIMN_CONCURRENCY")]
    pub concurrency: Option<usize>,

    /// Queries that may wait for their turn; more are refused with 429 [default: 64]
    #[arg(long, value_name = "N", env = "LIMN_QUEUE")]
    pub queue: Option<usize>,

    /// Longest wait for a turn, after which a query is refused with 503 [default: 10s]
    #[arg(long, value_name = "TIME", env = "LIMN_QUEUE_WAIT")]
    pub queue_wait: Option<Span>,

    /// Longest wait for a store that does not answer [default: 10s]
    #[arg(long, value_name = "TIME", env = "LIMN_STORE_TIMEOUT")]
    pub store_timeout: Option<Span>,
}

/// What holds.
#[derive(Debug, Clone)]
pub struct Config {
    /// Empty: `./lake` if there is one, else the sample.
    pub lakes: Vec<LakeSpec>,
    /// Where jobs are remembered, if not in the first lake.
    pub state: Option<LakeSpec>,
    pub listen: SocketAddr,
    pub cors_origins: Vec<String>,
    pub allowed_hosts: Vec<String>,
    pub connect_origins: Vec<String>,
    /// Where pictures may be fetched from.
    pub image_hosts: Vec<HostPattern>,
    /// The folder of models.
    pub models: Option<PathBuf>,
    pub limits: Limits,
}

/// The limits that hold.
#[derive(Debug, Clone)]
pub struct Limits {
    pub memory_bytes: usize,
    pub spill_dir: Option<PathBuf>,
    pub spill_bytes: u64,
    pub threads: usize,
    /// Of the process of a job.
    pub job_bytes: Option<u64>,
    pub time: Duration,
    pub rows: Option<u64>,
    pub body_bytes: usize,
    pub concurrency: usize,
    pub queue: usize,
    pub queue_wait: Duration,
    pub store_timeout: Duration,
}

impl Limits {
    /// What lakes keep to.
    pub fn lake_options(&self) -> LakeOptions {
        LakeOptions { store: StoreOptions::within(self.store_timeout), ..LakeOptions::default() }
    }

    /// Bytes that an encoder may hold back before it writes them.
    pub fn encoder_bytes(&self) -> usize {
        (self.memory_bytes / 16).clamp(1 << 20, 64 << 20)
    }
}

/// Settings that cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration: {source}: {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("invalid configuration: {source}: {}", path.display())]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error(transparent)]
    Lake(#[from] crate::lake::error::LakeError),
    #[error("invalid {name} {value:?}: {reason}")]
    Value { name: &'static str, value: String, reason: &'static str },
}

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "limn.toml";

impl Settings {
    /// The settings of a file: the one named, else `limn.toml` in the working folder, else none.
    pub fn from_file(path: Option<&Path>) -> Result<Self, ConfigError> {
        let path = match path {
            Some(path) => path,
            None if Path::new(DEFAULT_FILE).is_file() => Path::new(DEFAULT_FILE),
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// These settings, and `fallback` where they say nothing.
    pub fn or(self, fallback: Self) -> Self {
        let list = |mine: Vec<String>, other| if mine.is_empty() { other } else { mine };
        Self {
            lake: list(self.lake, fallback.lake),
            state: self.state.or(fallback.state),
            listen: self.listen.or(fallback.listen),
            cors_origin: list(self.cors_origin, fallback.cors_origin),
            allowed_host: list(self.allowed_host, fallback.allowed_host),
            connect_origin: list(self.connect_origin, fallback.connect_origin),
            image_host: list(self.image_host, fallback.image_host),
            models: self.models.or(fallback.models),
            limits: self.limits.or(fallback.limits),
        }
    }

    /// The configuration with defaults for what nobody set.
    pub fn config(self) -> Result<Config, ConfigError> {
        let lakes = self.lake.iter().map(|text| Ok(text.parse()?));
        for (name, origins) in
            [("cors-origin", &self.cors_origin), ("connect-origin", &self.connect_origin)]
        {
            origins.iter().try_for_each(|origin| check_origin(name, origin))?;
        }
        let image_hosts = self.image_host.iter().map(|host| {
            let bad =
                |reason| ConfigError::Value { name: "image-host", value: host.clone(), reason };
            host.parse().map_err(bad)
        });
        Ok(Config {
            lakes: lakes.collect::<Result<_, ConfigError>>()?,
            state: self.state.map(|text| text.parse()).transpose()?,
            listen: self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            cors_origins: self.cors_origin,
            allowed_hosts: self.allowed_host,
            connect_origins: self.connect_origin,
            image_hosts: image_hosts.collect::<Result<_, _>>()?,
            models: self.models.map_or_else(usual_models, checked_models)?,
            limits: self.limits.limits()?,
        })
    }
}

impl LimitSettings {
    /// These limits, and `fallback` where they say nothing.
    pub fn or(self, fallback: Self) -> Self {
        Self {
            memory: self.memory.or(fallback.memory),
            spill_dir: self.spill_dir.or(fallback.spill_dir),
            spill_limit: self.spill_limit.or(fallback.spill_limit),
            threads: self.threads.or(fallback.threads),
            job_memory: self.job_memory.or(fallback.job_memory),
            time_limit: self.time_limit.or(fallback.time_limit),
            row_limit: self.row_limit.or(fallback.row_limit),
            body_limit: self.body_limit.or(fallback.body_limit),
            concurrency: self.concurrency.or(fallback.concurrency),
            queue: self.queue.or(fallback.queue),
            queue_wait: self.queue_wait.or(fallback.queue_wait),
            store_timeout: self.store_timeout.or(fallback.store_timeout),
        }
    }

    /// The limits with defaults for what nobody set.
    pub fn limits(self) -> Result<Limits, ConfigError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.unwrap_or(cores);
        let concurrency = self.concurrency.unwrap_or((threads * 4).max(16));
        for (name, value) in [("threads", threads), ("concurrency", concurrency)] {
            if value == 0 {
                let reason = "it must be at least 1";
                return Err(ConfigError::Value { name, value: value.to_string(), reason });
            }
        }
        let bytes = |size: Option<ByteSize>, default: u64| size.map_or(default, |size| size.0);
        let memory = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let span = |span: Option<Span>, default| span.map_or(default, |span| span.0);
        Ok(Limits {
            memory_bytes: memory(bytes(self.memory, 2 << 30)),
            spill_dir: self.spill_dir,
            spill_bytes: bytes(self.spill_limit, 100 << 30),
            threads,
            job_bytes: self.job_memory.map(|size| size.0),
            time: span(self.time_limit, Duration::from_secs(300)),
            rows: self.row_limit,
            body_bytes: memory(bytes(self.body_limit, 1 << 20)),
            concurrency,
            queue: self.queue.unwrap_or(64),
            queue_wait: span(self.queue_wait, Duration::from_secs(10)),
            store_timeout: span(self.store_timeout, Duration::from_secs(10)),
        })
    }
}

/// A folder of models that is named has to be there.
fn checked_models(folder: PathBuf) -> Result<Option<PathBuf>, ConfigError> {
    let reason = "it is no folder";
    let value = folder.display().to_string();
    match folder.is_dir() {
        true => Ok(Some(folder)),
        false => Err(ConfigError::Value { name: "models", value, reason }),
    }
}

fn usual_models() -> Result<Option<PathBuf>, ConfigError> {
    Ok(Some(PathBuf::from("models")).filter(|folder| folder.is_dir()))
}

/// An origin is a scheme and a host, and no path.
fn check_origin(name: &'static str, origin: &str) -> Result<(), ConfigError> {
    let whole = url::Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == origin
    });
    if whole || (name == "cors-origin" && origin == "*") {
        return Ok(());
    }
    let reason = "expected an origin, as https://example.org or http://localhost:8081";
    Err(ConfigError::Value { name, value: origin.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file: Settings = toml::from_str(
            "lake = ['a', 'b']\nlisten = '127.0.0.1:1'\nmemory = '1GiB'\ntime-limit = '2s'",
        )
        .unwrap();
        let flags = Settings {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 2))),
            limits: LimitSettings { time_limit: Some("3s".parse().unwrap()), ..Default::default() },
            ..Default::default()
        };
        let config = flags.or(file).config().unwrap();
        assert_eq!(config.lakes.len(), 2);
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.limits.memory_bytes, 1 << 30);
        assert_eq!(config.limits.time, Duration::from_secs(3));
        assert_eq!(config.limits.body_bytes, 1 << 20);
    }

    #[test]
    fn misspelt_settings_are_refused() {
        assert!(toml::from_str::<Settings>("lakke = ['a']").is_err());
        assert!(toml::from_str::<Settings>("memory = 'lots'").is_err());
        let config = |text: &str| toml::from_str::<Settings>(text).unwrap().config();
        assert!(config("cors-origin = ['example.org']").is_err());
        assert!(config("cors-origin = ['https://example.org/path']").is_err());
        assert!(config("threads = 0").is_err());
        assert!(config("cors-origin = ['*', 'https://example.org']").is_ok());
    }
}
