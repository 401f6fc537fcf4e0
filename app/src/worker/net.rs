//! Reading from the companion: one request, its problem if it has one, and its body chunk
//! by chunk. The only place of the worker that fetches.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, RequestInit, Response};

use crate::texts;
use crate::worker::turn::{scope, sleep};

/// Why there is no answer, or not all of one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NetError {
    /// Nobody answers: no network, no companion, or a gateway that says so.
    #[error("{}", texts::loading::unreachable(.detail))]
    Unreachable { detail: String },
    /// The companion refuses, and says why.
    #[error("{detail}")]
    Refused { status: u16, detail: String },
    /// The answer stopped before its end, or is not what was asked for.
    #[error("{}", texts::loading::broken_off(.detail))]
    Broken { detail: String },
    #[error("{}", texts::loading::CANCELLED)]
    Cancelled,
}

impl NetError {
    /// Whether what is kept in the browser may stand in.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Stops requests and the work that waits for them. Clones are one token.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    shared: Rc<CancelShared>,
}

#[derive(Debug, Default)]
struct CancelShared {
    cancelled: Cell<bool>,
    controllers: RefCell<Vec<AbortController>>,
}

impl Cancel {
    pub fn cancel(&self) {
        self.shared.cancelled.set(true);
        for controller in self.shared.controllers.borrow_mut().drain(..) {
            controller.abort();
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.get()
    }

    fn adopt(&self, controller: &AbortController) {
        self.shared.controllers.borrow_mut().push(controller.clone());
    }

    fn release(&self, controller: &AbortController) {
        self.shared.controllers.borrow_mut().retain(|other| other != controller);
    }
}

/// What is asked: a GET, or a POST with a JSON body.
#[derive(Debug, Clone)]
pub struct Ask {
    pub url: String,
    pub body: Option<String>,
    /// How long to wait for the answer to begin.
    pub patience_millis: Option<i32>,
}

impl Ask {
    pub fn get(url: String) -> Self {
        Self { url, body: None, patience_millis: None }
    }

    /// Gives up if nothing has begun to arrive by then: a network that swallows requests
    /// must not keep anybody from what is kept here.
    pub fn within(self, millis: i32) -> Self {
        Self { patience_millis: Some(millis), ..self }
    }
}

/// Whether the browser knows that there is no network.
pub fn is_offline() -> bool {
    let navigator = scope().navigator();
    !navigator.on_line()
}

/// Sends, and waits for the status. An error status becomes its problem's detail.
pub async fn send(ask: &Ask, cancel: &Cancel) -> Result<Answer, NetError> {
    if cancel.is_cancelled() {
        return Err(NetError::Cancelled);
    }
    let controller = AbortController::new().map_err(broken)?;
    cancel.adopt(&controller);
    let late = Rc::new(Cell::new(false));
    let began = Rc::new(Cell::new(false));
    if let Some(millis) = ask.patience_millis {
        let (controller, late, began) = (controller.clone(), late.clone(), began.clone());
        wasm_bindgen_futures::spawn_local(async move {
            sleep(millis).await;
            if !began.get() {
                late.set(true);
                controller.abort();
            }
        });
    }
    let fetched = fetch(ask, &controller).await;
    began.set(true);
    let response = match fetched {
        Ok(response) => response,
        Err(_) if cancel.is_cancelled() => return Err(NetError::Cancelled),
        Err(error) => {
            cancel.release(&controller);
            let detail = match (late.get(), ask.patience_millis) {
                (true, Some(millis)) => texts::loading::no_answer_within(millis / 1000),
                _ => text_of(&error),
            };
            return Err(NetError::Unreachable { detail });
        }
    };
    if !response.ok() {
        cancel.release(&controller);
        return Err(problem(&response).await);
    }
    let reader = response
        .body()
        .map(|body| body.get_reader().unchecked_into::<ReadableStreamDefaultReader>());
    Ok(Answer { response, reader, controller, cancel: cancel.clone(), bytes: 0 })
}

/// The answer to a GET, read from JSON.
pub async fn get_json<T: DeserializeOwned>(ask: &Ask, cancel: &Cancel) -> Result<T, NetError> {
    from_json(ask, &get_bytes(ask, cancel).await?)
}

/// The whole answer, as it is.
pub async fn get_bytes(ask: &Ask, cancel: &Cancel) -> Result<Vec<u8>, NetError> {
    let mut answer = send(ask, cancel).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads JSON where it lies.
pub fn from_json<'a, T: Deserialize<'a>>(ask: &Ask, body: &'a [u8]) -> Result<T, NetError> {
    serde_json::from_slice(body)
        .map_err(|error| NetError::Broken { detail: format!("{}: {error}", ask.url) })
}

async fn fetch(ask: &Ask, controller: &AbortController) -> Result<Response, JsValue> {
    let init = RequestInit::new();
    init.set_signal(Some(&controller.signal()));
    if let Some(body) = &ask.body {
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
        let headers = web_sys::Headers::new()?;
        headers.set("Content-Type", "application/json")?;
        init.set_headers(&headers);
    }
    let fetched = JsFuture::from(scope().fetch_with_str_and_init(&ask.url, &init)).await?;
    fetched.dyn_into::<Response>()
}

/// A body in the course of arriving. Dropped early, it stops the request.
#[derive(Debug)]
pub struct Answer {
    response: Response,
    reader: Option<ReadableStreamDefaultReader>,
    controller: AbortController,
    cancel: Cancel,
    bytes: u64,
}

impl Answer {
    /// A header of the contract, percent-decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.response.headers().get(name).ok().flatten()?;
        let decoded = js_sys::decode_uri_component(&value).ok().map(String::from);
        Some(decoded.unwrap_or(value))
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next bytes of the body; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, NetError> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let step = JsFuture::from(reader.read()).await;
        if self.cancel.is_cancelled() {
            return Err(NetError::Cancelled);
        }
        let step = step.map_err(broken)?;
        let done = Reflect::get(&step, &"done".into()).map_err(broken)?;
        if done.is_truthy() {
            self.reader = None;
            return Ok(None);
        }
        let value = Reflect::get(&step, &"value".into()).map_err(broken)?;
        let chunk = value.dyn_into::<Uint8Array>().map_err(broken)?.to_vec();
        self.bytes += chunk.len() as u64;
        Ok(Some(chunk))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.reader.is_some() {
            self.controller.abort();
        }
        self.cancel.release(&self.controller);
    }
}

/// The parts of RFC 9457 that are shown.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    field: Option<String>,
}

async fn problem(response: &Response) -> NetError {
    let status = response.status();
    let text = match response.text() {
        Ok(promise) => JsFuture::from(promise).await.ok().and_then(|text| text.as_string()),
        Err(_) => None,
    };
    let read = text.as_deref().and_then(|text| serde_json::from_str::<Problem>(text).ok());
    let detail = match read {
        Some(Problem { detail: Some(detail), field: Some(field), .. })
            if !detail.starts_with(&field) =>
        {
            format!("{field}: {detail}")
        }
        Some(Problem { detail: Some(detail), .. }) => detail,
        Some(Problem { title: Some(title), .. }) => title,
        _ => texts::loading::companion_answers(status, &response.status_text()),
    };
    match status {
        // What a gateway or a service worker says where there is nobody behind it.
        502 | 504 => NetError::Unreachable { detail },
        _ => NetError::Refused { status, detail },
    }
}

fn broken(error: JsValue) -> NetError {
    NetError::Broken { detail: text_of(&error) }
}

/// The message of a thrown value.
pub fn text_of(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_else(|| format!("{error:?}")),
    }
}

/// A part of a URL's path or a query's value.
pub fn encoded(text: &str) -> String {
    String::from(js_sys::encode_uri_component(text))
}
