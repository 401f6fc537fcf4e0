//! The app that the binary carries: its files with the right types, encodings and cache rules,
//! and its page for every address that the app itself gives a meaning to.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use rust_embed::EmbeddedFile;
use sha2::{Digest, Sha256};

use super::caching;
use super::negotiate::accepted_encoding;
use super::problem::Problem;
use super::state::AppState;
use crate::bundle::{self, PAGE};
use crate::query::encode::compress::ContentEncoding;

const NO_APP: &str = "This limn carries no app: it was compiled before the app was bundled.\n\
    Run `make build` in the checkout and start bin/limn.\n\n\
    The API is here all the same: /api/openapi.json describes it.\n";

/// Everything that is not the API.
pub async fn get_app(
    State(state): State<Arc<AppState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return Problem::not_found(path).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let mut refused = Problem::method_not_allowed(&method).into_response();
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let Some(name) = file_name(path) else {
        return Problem::not_found(path).into_response();
    };
    match bundle::get(&name) {
        Some(file) => file_response(&state, &name, &file, &headers),
        // An address without an extension is one that the app gives a meaning to.
        None if !name.rsplit('/').next().unwrap_or_default().contains('.') => {
            match bundle::get(PAGE) {
                Some(page) => file_response(&state, PAGE, &page, &headers),
                None => no_app(),
            }
        }
        None if name == PAGE => no_app(),
        None => Problem::not_found(path).into_response(),
    }
}

fn no_app() -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = NO_APP.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The name of the file that a path asks for, if it can be one.
fn file_name(path: &str) -> Option<Cow<'_, str>> {
    let decoded =
        percent_encoding::percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    let plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    match decoded.as_ref() {
        "" => Some(Cow::Borrowed(PAGE)),
        name if name.contains('\\') || !name.trim_end_matches('/').split('/').all(plain) => None,
        // Their originals are what is asked for; these are only how they travel.
        name if name.ends_with(".br") || name.ends_with(".gz") => None,
        _ => Some(decoded),
    }
}

fn file_response(
    state: &AppState,
    name: &str,
    file: &EmbeddedFile,
    headers: &HeaderMap,
) -> Response {
    let sibling = |extension: &str| bundle::get(&format!("{name}.{extension}"));
    let (encoding, encoded) = match accepted_encoding(headers) {
        ContentEncoding::Brotli => ("br", sibling("br")),
        ContentEncoding::Gzip => ("gzip", sibling("gz")),
        ContentEncoding::Identity => ("", None),
    };
    let encoding = if encoded.is_some() { encoding } else { "" };
    let hash = file.metadata.sha256_hash();
    let etag = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
    let etag =
        if encoding.is_empty() { format!("\"{etag}\"") } else { format!("\"{etag}-{encoding}\"") };

    let mut response = if caching::matches(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let data = match encoded {
            Some(encoded) => encoded.data,
            None => file.data.clone(),
        };
        let body = match data {
            Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        let mut response = body.into_response();
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
        if !encoding.is_empty() {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    };
    let cache = match is_hashed(name) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let out = response.headers_mut();
    put(out, header::ETAG, &etag);
    put(out, header::CACHE_CONTROL, cache);
    put(out, header::VARY, "Accept-Encoding");
    let policy = match is_reader(name) {
        true => Cow::Owned(reader_policy(&state.content_security_policy)),
        false => Cow::Borrowed(state.content_security_policy.as_str()),
    };
    put(out, header::CONTENT_SECURITY_POLICY, &policy);
    put(out, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether the bundler put the content's hash into the name, as in `page-0123456789abcdef_bg.wasm`.
fn is_hashed(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.split('.').next().unwrap_or(file);
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    let is_hex = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    stem.rsplit_once('-').is_some_and(|(_, hash)| is_hex(hash))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "wgsl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The policy of the page and of its workers: nothing from elsewhere runs, and only the API's
/// origins are called. Inline scripts of the page are let in by their hashes.
pub fn content_security_policy(connect_origins: &[String]) -> String {
    let page = bundle::get(PAGE).map(|page| String::from_utf8_lossy(&page.data).into_owned());
    let hashes: String =
        inline_scripts(page.as_deref().unwrap_or_default()).map(script_hash).collect();
    let origins: String = connect_origins.iter().map(|origin| format!(" {origin}")).collect();
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{hashes}; \
         worker-src 'self' blob:; connect-src 'self'{origins}; img-src 'self' data: blob: https:{origins}; \
         style-src 'self' 'unsafe-inline'; font-src 'self' data:; object-src 'none'; \
         base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Whether this is the script that the reader of files starts with.
fn is_reader(name: &str) -> bool {
    name.starts_with("reader-start-") && name.ends_with(".js")
}

/// The policy of the reader, a worker of its own with the policy that its script brings. A
/// file may be opened at any address, which nobody knows beforehand, so this one worker may
/// fetch from everywhere. It sees what it is given to read and nothing else: the page and
/// the data worker still call the API's origins only.
fn reader_policy(policy: &str) -> String {
    policy.replacen("connect-src 'self'", "connect-src 'self' https: http:", 1)
}

fn script_hash(script: &str) -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script));
    format!(" 'sha256-{hash}'")
}

/// The texts of scripts that stand in the page itself.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !text.is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_files_of_the_app_only() {
        for (path, name) in [
            ("/", Some("index.html")),
            ("/a/b.js", Some("a/b.js")),
            ("/some/view", Some("some/view")),
            ("/%61.js", Some("a.js")),
            ("/../Cargo.toml", None),
            ("/%2e%2e/x", None),
            ("/..%2fCargo.toml", None),
            ("//etc/passwd", None),
            ("/a\\b", None),
            ("/%ff", None),
            ("/page.wasm.br", None),
        ] {
            assert_eq!(file_name(path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn only_hashed_names_are_immutable() {
        for (name, hashed) in [
            ("page-0123456789abcdef.js", true),
            ("page-0123456789abcdef_bg.wasm", true),
            ("snippets/x-0123456789abcdef/inline0.js", false),
            ("style-0123456789ABCDEF.css", true),
            ("index.html", false),
            ("sw.js", false),
            ("config-local.json", false),
        ] {
            assert_eq!(is_hashed(name), hashed, "{name}");
        }
    }

    #[test]
    fn only_the_reader_may_fetch_from_everywhere() {
        let policy = content_security_policy(&[]);
        assert!(!policy.contains("http:") && policy.contains("connect-src 'self';"));
        assert!(reader_policy(&policy).contains("connect-src 'self' https: http:;"));
        assert!(is_reader("reader-start-0123456789abcdef.js"));
        for other in
            ["worker-start-0123456789abcdef.js", "reader-0123456789abcdef.js", "index.html"]
        {
            assert!(!is_reader(other), "{other}");
        }
    }

    #[test]
    fn inline_scripts_are_found() {
        let page = "<script src=\"a.js\"></script><script type=\"module\">go()</script><p>";
        assert_eq!(inline_scripts(page).collect::<Vec<_>>(), ["go()"]);
        assert!(
            content_security_policy(&["https://api.example".to_owned()])
                .contains("connect-src 'self' https://api.example;")
        );
    }
}
