//! Pictures on the web, fetched within bounds: from hosts that were allowed, also where an
//! answer leads on to another, so large, so long, so many at a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use tokio::sync::Semaphore;

use super::hosts::{Admission, ImageHosts, is_public};
use super::{BYTES_MAX, PictureFailure};

const TIME_MAX: Duration = Duration::from_secs(5);
const REDIRECTS_MAX: usize = 5;
const FETCHES_MAX: usize = 16;

/// Fetches pictures.
#[derive(Debug)]
pub struct Web {
    hosts: Arc<ImageHosts>,
    client: reqwest::Client,
    turns: Semaphore,
}

impl Web {
    /// Fails where the system's certificates cannot be read.
    pub fn new(hosts: ImageHosts) -> Result<Self, String> {
        let hosts = Arc::new(hosts);
        let (asked, resolved) = (Arc::clone(&hosts), Arc::clone(&hosts));
        let client = reqwest::Client::builder()
            .user_agent(concat!("limn/", env!("CARGO_PKG_VERSION")))
            .timeout(TIME_MAX)
            .redirect(Policy::custom(move |attempt| follow(&asked, attempt)))
            .dns_resolver(Arc::new(PublicResolver(resolved)))
            .build();
        let client = client.map_err(|error| format!("cannot fetch pictures: {error}"))?;
        Ok(Self { hosts, client, turns: Semaphore::new(FETCHES_MAX) })
    }

    /// What is at an `http` or `https` address.
    pub(super) async fn fetch(&self, address: &str) -> Result<Bytes, PictureFailure> {
        let no_source = || PictureFailure::NoSource { place: address.chars().take(200).collect() };
        let url = reqwest::Url::parse(address).map_err(|_| no_source())?;
        let host = url.host_str().ok_or_else(no_source)?.to_owned();
        if self.hosts.admission(&host) == Admission::Refused {
            return Err(PictureFailure::HostNotAllowed { host });
        }
        let _turn = self.turns.acquire().await;
        let failed = |error: reqwest::Error| failure(&host, &error);
        let mut answer = self.client.get(url).send().await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(PictureFailure::Status { host, status: status.as_u16() });
        }
        if answer.content_length().is_some_and(|bytes| bytes > BYTES_MAX as u64) {
            return Err(PictureFailure::TooLarge);
        }
        let mut bytes = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + part.len() > BYTES_MAX {
                return Err(PictureFailure::TooLarge);
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes.freeze())
    }
}

/// Where an answer leads to has to be allowed like what was asked for.
fn follow(hosts: &ImageHosts, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let host = attempt.url().host_str().unwrap_or_default().to_owned();
    if hosts.admission(&host) == Admission::Refused {
        return attempt.error(LedAway { host });
    }
    match attempt.previous().len() > REDIRECTS_MAX {
        true => attempt.error("it leads on too often"),
        false => attempt.follow(),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("led to {host:?}, which is not allowed")]
struct LedAway {
    host: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{host:?} has no public address")]
struct NotPublic {
    host: String,
}

/// Looks names up, and where only public hosts are allowed leaves out all other addresses.
/// The connection is made to what is found here, so that no second look could find another.
struct PublicResolver(Arc<ImageHosts>);

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let admission = self.0.admission(&host);
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let allowed = found.filter(|address| match admission {
                Admission::Named => true,
                Admission::IfPublic => is_public(address.ip()),
                Admission::Refused => false,
            });
            let allowed: Vec<SocketAddr> = allowed.collect();
            if allowed.is_empty() {
                return Err(NotPublic { host }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn failure(host: &str, error: &reqwest::Error) -> PictureFailure {
    let mut cause = std::error::Error::source(error);
    while let Some(current) = cause {
        if let Some(LedAway { host }) = current.downcast_ref() {
            return PictureFailure::HostNotAllowed { host: host.clone() };
        }
        if let Some(NotPublic { host }) = current.downcast_ref() {
            return PictureFailure::HostNotAllowed { host: host.clone() };
        }
        cause = current.source();
    }
    tracing::debug!("no picture: {error:?}");
    let host = host.to_owned();
    match error.is_timeout() {
        true => PictureFailure::TimedOut { host, seconds: TIME_MAX.as_secs() },
        false => PictureFailure::Unreachable { host },
    }
}
