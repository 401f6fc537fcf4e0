//! Files at an address: parts of them by `Range`, or the whole from front to back. What an
//! address says of a file's identity (`ETag`, `Last-Modified`, length) holds for every
//! request: a file that changed in between is never half of one and half of the other.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, ReadableStreamDefaultReader, RequestInit, Response};

use super::source::{Chunks, Folder, Source, together};
use super::stream::ReadError;
use app::worker::net::text_of;
use app::worker::turn::scope;

/// Columns that lie nearer to each other are fetched in one.
const GAP_BYTES: u64 = 256 << 10;
/// Requests at the same time: what browsers allow to one host.
const AT_ONCE: usize = 6;
/// A file that comes only whole is held here while it is read.
const WHOLE_BYTES_MAX: u64 = 1 << 30;
/// A text is kept so far, so that its types are found without fetching it twice.
const KEPT_BYTES_MAX: u64 = 64 << 20;

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    pub etag: Option<String>,
    pub modified: Option<String>,
    pub size: Option<u64>,
}

impl Identity {
    /// Whether there is anything to tell by.
    pub fn is_known(&self) -> bool {
        self.etag.is_some() || self.modified.is_some()
    }

    pub fn text(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let size = self.size.map(|size| size.to_string()).unwrap_or_default();
        format!("{} {} {size}", part(&self.etag), part(&self.modified))
    }
}

fn changed(url: &str) -> ReadError {
    ReadError::Bad(format!("{url}: the file changed while it was read: open it again"))
}

/// One answer, its status seen to.
struct Answer {
    response: Response,
    status: u16,
}

impl Answer {
    fn header(&self, name: &str) -> Option<String> {
        self.response.headers().get(name).ok().flatten()
    }

    fn identity(&self) -> Identity {
        let whole = || match self.header("content-encoding") {
            // The length is that of what travels, not of the file.
            Some(encoding) if encoding != "identity" => None,
            _ => self.header("content-length")?.parse().ok(),
        };
        let size = match self.status {
            206 => self
                .header("content-range")
                .and_then(|range| range.rsplit('/').next()?.parse().ok()),
            _ => whole(),
        };
        Identity { etag: self.header("etag"), modified: self.header("last-modified"), size }
    }

    async fn bytes(&self, url: &str) -> Result<Bytes, ReadError> {
        let broken = |error: JsValue| broken_off(url, &error);
        let buffer = JsFuture::from(self.response.array_buffer().map_err(broken)?).await;
        Ok(Uint8Array::new(&buffer.map_err(broken)?).to_vec().into())
    }
}

fn broken_off(url: &str, error: &JsValue) -> ReadError {
    ReadError::Bad(format!("{url}: the answer broke off: {}", text_of(error)))
}

async fn ask(url: &str, range: Option<String>) -> Result<Answer, ReadError> {
    let init = RequestInit::new();
    let thrown = |error: JsValue| ReadError::Bad(format!("{url}: {}", text_of(&error)));
    if let Some(range) = range {
        let headers = Headers::new().map_err(thrown)?;
        headers.set("Range", &range).map_err(thrown)?;
        init.set_headers(&headers);
    }
    // Nobody's cookies go to where a link leads.
    init.set_credentials(web_sys::RequestCredentials::Omit);
    let fetched = JsFuture::from(scope().fetch_with_str_and_init(url, &init)).await;
    let response = fetched.and_then(|response| response.dyn_into::<Response>());
    let response = response.map_err(|_| {
        ReadError::Unreachable(format!(
            "{url} cannot be read: nobody answers there, or the host does not let this page read \
             it (it must send Access-Control-Allow-Origin)"
        ))
    })?;
    let status = response.status();
    match status {
        200 | 206 | 404 | 410 | 416 => Ok(Answer { response, status }),
        401 | 403 => Err(ReadError::Bad(format!("{url}: the host refuses to give it ({status})"))),
        502 | 504 => Err(ReadError::Unreachable(format!("{url}: nobody answers there ({status})"))),
        _ => Err(ReadError::Bad(format!(
            "{url}: the host answers {status} {}",
            response.status_text()
        ))),
    }
}

fn not_found(url: &str) -> ReadError {
    ReadError::Bad(format!("{url}: there is no such file (404)"))
}

/// A file whose parts are fetched as they are wanted.
#[derive(Clone)]
pub struct WebSource {
    url: Rc<str>,
    pub identity: Identity,
    size: u64,
    /// The whole file, where the host gives no parts.
    whole: Option<Bytes>,
    /// The start that came with the first answer.
    head: Bytes,
    fetched: Rc<Cell<u64>>,
}

const HEAD_BYTES: u64 = 4096;

impl WebSource {
    /// Asks for the first bytes, which tell what the file is and whether parts can be had.
    pub async fn open(url: &str) -> Result<Self, ReadError> {
        let answer = ask(url, Some(format!("bytes=0-{}", HEAD_BYTES - 1))).await?;
        let mut identity = answer.identity();
        let (whole, head) = match answer.status {
            404 | 410 => return Err(not_found(url)),
            416 => return Err(ReadError::Bad(format!("{url}: the file is empty"))),
            206 if identity.size.is_some() => (None, answer.bytes(url).await?),
            _ => {
                // Only a host that gives parts says so; the size may be hidden from this page.
                let answer = if answer.status == 206 { ask(url, None).await? } else { answer };
                identity = answer.identity();
                if identity.size.is_some_and(|size| size > WHOLE_BYTES_MAX) {
                    return Err(ReadError::Bad(format!(
                        "{url}: the host gives only the whole file, which is too large for a page"
                    )));
                }
                let bytes = answer.bytes(url).await?;
                if identity.size.is_some_and(|size| size != bytes.len() as u64) {
                    return Err(ReadError::Bad(format!("{url}: the answer broke off")));
                }
                identity.size = Some(bytes.len() as u64);
                (Some(bytes.clone()), bytes)
            }
        };
        let size = identity.size.unwrap_or_default();
        let fetched = Rc::new(Cell::new(head.len() as u64));
        Ok(Self { url: url.into(), identity, size, whole, head, fetched })
    }

    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    pub fn head(&self) -> &Bytes {
        &self.head
    }

    async fn part(&self, range: Range<u64>) -> Result<Bytes, ReadError> {
        let answer =
            ask(&self.url, Some(format!("bytes={}-{}", range.start, range.end - 1))).await?;
        if matches!(answer.status, 404 | 410) {
            return Err(not_found(&self.url));
        }
        let now = answer.identity();
        // A host may hide a header from pages of other origins, always.
        if answer.status != 206 || now != self.identity {
            return Err(changed(&self.url));
        }
        let bytes = answer.bytes(&self.url).await?;
        if bytes.len() as u64 != range.end - range.start {
            return Err(ReadError::Bad(format!("{}: the answer broke off", self.url)));
        }
        self.fetched.set(self.fetched.get() + bytes.len() as u64);
        Ok(bytes)
    }
}

impl Source for WebSource {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let short = || ReadError::Bad(format!("{}: the file is cut short", self.url));
        if ranges.iter().any(|range| range.start > range.end || range.end > self.size) {
            return Err(short());
        }
        let cut = |bytes: &Bytes, start: u64, range: &Range<u64>| {
            let (from, to) = ((range.start - start) as usize, (range.end - start) as usize);
            (to <= bytes.len()).then(|| bytes.slice(from..to)).ok_or_else(short)
        };
        if let Some(whole) = &self.whole {
            return ranges.iter().map(|range| cut(whole, 0, range)).collect();
        }
        let spans = spans_of(ranges);
        let mut parts: Vec<(Range<u64>, Bytes)> = Vec::with_capacity(spans.len());
        for some in spans.chunks(AT_ONCE) {
            let asked = some.iter().map(|span| self.part(span.clone())).collect();
            for (span, part) in some.iter().zip(together(asked).await) {
                parts.push((span.clone(), part?));
            }
        }
        let found = |range: &Range<u64>| {
            if range.is_empty() {
                return Ok(Bytes::new());
            }
            let part =
                parts.iter().find(|(span, _)| span.start <= range.start && range.end <= span.end);
            let (span, bytes) = part.ok_or_else(short)?;
            cut(bytes, span.start, range)
        };
        ranges.iter().map(found).collect()
    }
}

/// Ranges that lie near to each other, in one.
fn spans_of(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> =
        ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_by_key(|range| range.start);
    let mut spans: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match spans.last_mut() {
            Some(last) if range.start <= last.end + GAP_BYTES => last.end = last.end.max(range.end),
            _ => spans.push(range),
        }
    }
    spans
}

/// A file from front to back, in one request as long as it is read once.
pub struct WebChunks {
    url: Rc<str>,
    identity: Identity,
    kept: Vec<Bytes>,
    n_kept: u64,
    /// The next of those kept.
    at: usize,
    body: Option<ReadableStreamDefaultReader>,
    is_ended: bool,
    n_read: u64,
}

impl WebChunks {
    pub async fn open(url: &str) -> Result<Self, ReadError> {
        let mut chunks = Self {
            url: url.into(),
            identity: Identity::default(),
            kept: Vec::new(),
            n_kept: 0,
            at: 0,
            body: None,
            is_ended: false,
            n_read: 0,
        };
        chunks.identity = chunks.begin().await?;
        Ok(chunks)
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn begin(&mut self) -> Result<Identity, ReadError> {
        let answer = ask(&self.url, None).await?;
        if answer.status != 200 {
            return Err(not_found(&self.url));
        }
        let body = answer.response.body();
        self.body = body.map(|body| body.get_reader().unchecked_into());
        (self.at, self.n_kept, self.n_read, self.is_ended) = (0, 0, 0, false);
        self.kept.clear();
        Ok(answer.identity())
    }

    async fn pull(&mut self) -> Result<Option<Bytes>, ReadError> {
        let Some(body) = &self.body else { return Ok(None) };
        let broken = |error: JsValue| broken_off(&self.url, &error);
        let step = JsFuture::from(body.read()).await.map_err(broken)?;
        if Reflect::get(&step, &"done".into()).map_err(broken)?.is_truthy() {
            self.body = None;
            if self.identity.size.is_some_and(|size| size != self.n_read) {
                let text =
                    format!("{}: the answer broke off after {} bytes", self.url, self.n_read);
                return Err(ReadError::Bad(text));
            }
            return Ok(None);
        }
        let value = Reflect::get(&step, &"value".into()).map_err(broken)?;
        let bytes = value.dyn_into::<Uint8Array>().map_err(broken)?.to_vec();
        self.n_read += bytes.len() as u64;
        Ok(Some(bytes.into()))
    }
}

impl Chunks for WebChunks {
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if let Some(kept) = self.kept.get(self.at) {
            self.at += 1;
            return Ok(Some(kept.clone()));
        }
        let chunk = self.pull().await?;
        match &chunk {
            None => self.is_ended = true,
            Some(chunk)
                if self.n_kept == self.n_read - chunk.len() as u64
                    && self.n_read <= KEPT_BYTES_MAX =>
            {
                self.n_kept = self.n_read;
                self.at += 1;
                self.kept.push(chunk.clone());
            }
            Some(_) => {}
        }
        Ok(chunk)
    }

    async fn restart(&mut self) -> Result<(), ReadError> {
        if self.n_kept == self.n_read {
            self.at = 0;
            return Ok(());
        }
        let before = self.identity.clone();
        let now = self.begin().await?;
        if now == before { Ok(()) } else { Err(changed(&self.url)) }
    }

    fn cheap_bytes(&self) -> u64 {
        KEPT_BYTES_MAX - (4 << 20)
    }
}

/// A folder on any static host.
#[derive(Clone)]
pub struct WebFolder {
    base: Rc<str>,
    /// Files that were opened: what they are is asked once.
    open: Rc<RefCell<std::collections::HashMap<String, WebSource>>>,
}

impl WebFolder {
    pub fn new(url: &str) -> Self {
        let base = format!("{}/", url.trim_end_matches('/'));
        Self { base: base.into(), open: Rc::default() }
    }

    fn url(&self, path: &str) -> String {
        let part = |part: &str| String::from(js_sys::encode_uri_component(part));
        let parts: Vec<String> = path.split('/').map(part).collect();
        format!("{}{}", self.base, parts.join("/"))
    }
}

impl Folder for WebFolder {
    type File = WebSource;

    async fn whole(&self, path: &str) -> Result<Option<Bytes>, ReadError> {
        let url = self.url(path);
        let answer = ask(&url, None).await?;
        match answer.status {
            404 | 410 => Ok(None),
            _ => answer.bytes(&url).await.map(Some),
        }
    }

    async fn open(&self, path: &str, _size: Option<u64>) -> Result<WebSource, ReadError> {
        if let Some(open) = self.open.borrow().get(path) {
            return Ok(open.clone());
        }
        let source = WebSource::open(&self.url(path)).await?;
        if !source.is_whole() {
            self.open.borrow_mut().insert(path.to_owned(), source.clone());
        }
        Ok(source)
    }
}
