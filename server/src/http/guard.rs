//! What every request passes: the name it addresses the server by, other origins, panics,
//! and the headers that every answer has.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::problem::Problem;
use super::serve::Peer;
use super::state::AppState;
use crate::query::executor::panic_message;

/// The names by which a server may be addressed. A page elsewhere can make a name of its own
/// point at a loopback address; the browser then takes our answers for that page's own
/// (DNS rebinding). Addresses can't be made to point elsewhere, so they are always let in.
#[derive(Debug, Clone)]
pub enum AllowedHosts {
    Any,
    Named(Vec<String>),
}

impl AllowedHosts {
    /// On a loopback address `localhost` and the names given; elsewhere any name, unless some
    /// are given.
    pub fn new(listen: SocketAddr, names: &[String]) -> Self {
        let open = !listen.ip().is_loopback() && names.is_empty();
        if open || names.iter().any(|name| name == "*") {
            return Self::Any;
        }
        Self::Named(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    fn allow(&self, host: &str) -> bool {
        matches!(self, Self::Any) || self.is_own(host)
    }

    /// Whether nobody else can have made a name up, or pointed it here.
    fn is_own(&self, host: &str) -> bool {
        let names = match self {
            Self::Named(names) => names.as_slice(),
            Self::Any => &[],
        };
        let name = without_port(host).to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let local = name == "localhost" || name.ends_with(".localhost");
        local || address.parse::<IpAddr>().is_ok() || names.contains(&name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Refuses requests that address the server by a name that is not its own.
pub async fn check_host(
    State(state): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    let named = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or("?"));
    let host = named.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    match host {
        Some(host) if !state.allowed_hosts.allow(host) => {
            let host: String = host.chars().take(100).collect();
            let detail = format!("this server is not called {host:?}; see --allowed-host");
            let status = StatusCode::MISDIRECTED_REQUEST;
            Problem::new(status, "misdirected", "Misdirected request", detail).into_response()
        }
        _ => next.run(request).await,
    }
}

/// A caller who may write: one of this machine, whose request is no other page's.
#[derive(Debug, Clone, Copy)]
pub struct MayWrite;

impl FromRequestParts<Arc<AppState>> for MayWrite {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, Self::Rejection> {
        let refused = |detail: &str| {
            Err(Problem::new(StatusCode::FORBIDDEN, "read-only", "Not allowed", detail))
        };
        let is_local = parts.extensions.get::<Peer>().is_some_and(|Peer(peer)| is_loopback(*peer));
        // Behind a proxy everybody seems to be of this machine.
        let forwarded = ["forwarded", "x-forwarded-for"];
        if !is_local || forwarded.iter().any(|name| parts.headers.contains_key(*name)) {
            return refused("only callers on the server's own machine may write");
        }
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let Some(origin) = text(header::ORIGIN) else { return Ok(Self) };
        let own = text(header::HOST)
            .is_some_and(|host| origin.split_once("://").is_some_and(|(_, named)| named == host));
        // On an address that answers to any name, another's may have been made to lead here.
        let own = own && text(header::HOST).is_some_and(|host| state.allowed_hosts.is_own(host));
        if own || state.cors_origins.iter().any(|allowed| allowed == origin) {
            return Ok(Self);
        }
        refused(
            "the request comes from a page of another origin; see --cors-origin and --allowed-host",
        )
    }
}

fn is_loopback(peer: SocketAddr) -> bool {
    match peer.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}

/// Headers that do no harm anywhere.
pub async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A panic in a handler as an answer; its text goes to the log.
pub fn panic_response(payload: Box<dyn std::any::Any + Send>) -> Response {
    Problem::internal(&format!("panicked: {}", panic_message(&*payload))).into_response()
}

/// Headers of ours that a page of another origin may read.
const EXPOSED: [&str; 13] = [
    "content-disposition",
    "etag",
    "limn-bytes-read",
    "limn-files",
    "limn-files-read",
    "limn-reduction",
    "limn-rows",
    "limn-table",
    "limn-total-rows",
    "limn-version",
    "location",
    "retry-after",
    "server-timing",
];

/// The origins whose pages may call the API; none, if the list is empty.
pub fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(origins.iter().filter_map(|o| HeaderValue::from_str(o).ok())),
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        .allow_headers([header::ACCEPT, header::CONTENT_TYPE, header::IF_NONE_MATCH])
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600));
    Some(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_ours_are_refused_on_loopback() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 80));
        let hosts = AllowedHosts::new(loopback, &["Limn.example".to_owned()]);
        for (host, allowed) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("limn.localhost:1", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("192.168.0.7", true),
            ("limn.example:443", true),
            ("evil.example", false),
            ("localhost.evil.example:8080", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(hosts.allow(host), allowed, "{host}");
        }
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 80));
        assert!(AllowedHosts::new(everywhere, &[]).allow("any.example"));
        assert!(!AllowedHosts::new(everywhere, &["a.example".to_owned()]).allow("any.example"));
        assert!(AllowedHosts::new(loopback, &["*".to_owned()]).allow("any.example"));
    }
}
