//! What the page itself asks the companion, besides the worker.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestInit, Response};

use super::signals::Page;

pub(super) const OK: u16 = 200;
const ANSWER_MILLIS: u32 = 20_000;

/// The status of the answer and its text; none where there is no answer.
pub(super) async fn ask(
    page: Page,
    path: &str,
    method: &str,
    body: Option<&str>,
) -> Option<(u16, String)> {
    let url = format!("{}{path}", page.api.get_value()?.trim_end_matches('/'));
    let options = RequestInit::new();
    options.set_method(method);
    options.set_cache(RequestCache::NoStore);
    options.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_MILLIS)));
    if let Some(body) = body {
        let headers = Headers::new().ok()?;
        headers.set("Content-Type", "application/json").ok()?;
        options.set_headers(&headers);
        options.set_body(&JsValue::from_str(body));
    }
    let answer = JsFuture::from(window().fetch_with_str_and_init(&url, &options)).await.ok()?;
    let answer: Response = answer.dyn_into().ok()?;
    let text = JsFuture::from(answer.text().ok()?).await.ok()?.as_string()?;
    Some((answer.status(), text))
}
