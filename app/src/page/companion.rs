//! Where the companion is, and whether it answers. `config.json` beside the page may name
//! its address (`{"api": "https://…"}`), or say that there is none (`{"api": false}`);
//! without a word it is looked for where the page came from. It may also say what a page opens
//! with that was asked for nothing (`limn export` writes it): a table beside the page
//! (`{"open": "data/birds.parquet"}`), and what else an address says of it (`"link"`).

use std::time::Duration;

use js_sys::Reflect;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCache, RequestInit, Response, Url};

use super::signals::{Companion, Page};
use super::{address_bar, browser, receive};
use crate::state::command::Command;

/// Longer than this the first worker is not kept waiting for word from the companion.
const FIRST_LOOK_MILLIS: u32 = 600;
const LOOK_MILLIS: u32 = 5_000;
/// How often an absent network is asked after.
const LOOK_AGAIN_MILLIS: u64 = 10_000;
/// How often a present companion is asked for newer tables and versions.
const REFRESH_MILLIS: u64 = 60_000;

enum Configured {
    /// The address stands in the file.
    At(String),
    /// Nothing stands there: the page's own host may be it.
    Here(String),
    Nowhere,
}

enum Answer {
    Healthy,
    /// Something answered, but no companion.
    Other,
    Silence,
}

/// Finds the companion, then starts the worker, which needs to know.
pub(super) fn start(page: Page) {
    spawn_local(async move {
        let config = get_json("config.json", LOOK_MILLIS).await;
        open_first(page, config.as_ref());
        match configured(config.as_ref()) {
            Configured::Nowhere => page.companion.set(Companion::Absent),
            Configured::At(api) => {
                page.api.set_value(Some(api));
                look(page);
            }
            Configured::Here(api) => match ask(&api, FIRST_LOOK_MILLIS).await {
                Answer::Other => page.companion.set(Companion::Absent),
                answer => {
                    page.api.set_value(Some(api));
                    conclude(page, &answer);
                }
            },
        }
        receive::start_worker(page, 0);
        receive::offer_requests(page);
    });
    set_interval(move || look_again(page), Duration::from_millis(LOOK_AGAIN_MILLIS));
    set_interval(move || refresh_unasked(page), Duration::from_millis(REFRESH_MILLIS));
    for event in ["online", "offline"] {
        browser::listen_forever(window().as_ref(), event, move |_: web_sys::Event| look(page));
    }
}

/// Asks the companion whether it is there.
pub(super) fn look(page: Page) {
    let Some(api) = page.api.get_value() else { return };
    spawn_local(async move {
        let answer = ask(&api, LOOK_MILLIS).await;
        conclude(page, &answer);
    });
}

fn conclude(page: Page, answer: &Answer) {
    let found = match answer {
        Answer::Healthy => Companion::Online,
        Answer::Other | Answer::Silence => Companion::Offline,
    };
    let before = page.companion.try_get_untracked();
    if before == Some(found) || before.is_none() {
        return;
    }
    page.companion.set(found);
    // What was missing while it was away can be had now.
    if found == Companion::Online && before == Some(Companion::Offline) {
        page.dispatch(Command::Refresh);
    }
}

fn look_again(page: Page) {
    if page.companion.get_untracked() == Companion::Offline && !document().hidden() {
        look(page);
    }
}

fn refresh_unasked(page: Page) {
    let idle = !untrack(|| page.is_loading());
    if page.companion.get_untracked() == Companion::Online && !document().hidden() && idle {
        page.dispatch(Command::Refresh);
    }
}

/// Opens what the page was made for, where its address asks for no table.
fn open_first(page: Page, config: Option<&JsValue>) {
    let text = |name: &str| {
        let value = Reflect::get(config?, &name.into()).ok()?.as_string()?;
        Some(value).filter(|value| !value.is_empty())
    };
    let is_asked = page.model.with_untracked(|model| model.chosen.table.is_some());
    let Some(open) = text("open").filter(|_| !is_asked) else { return };
    let base = document().base_uri().ok().flatten().unwrap_or_default();
    if let Ok(table) = Url::new_with_base(&open, &base) {
        address_bar::open_first(page, &table.href(), &text("link").unwrap_or_default());
    }
}

fn configured(config: Option<&JsValue>) -> Configured {
    let here = || {
        let folder = Url::new_with_base("./", &document().base_uri().ok().flatten()?).ok()?;
        folder.set_search("");
        folder.set_hash("");
        Some(folder.href().trim_end_matches('/').to_owned())
    };
    let api = config.and_then(|config| Reflect::get(config, &"api".into()).ok());
    let api = api.unwrap_or(JsValue::NULL);
    if api == JsValue::FALSE {
        return Configured::Nowhere;
    }
    match (api.as_string().filter(|api| !api.is_empty()), here()) {
        (Some(api), _) => {
            // A relative address is beside the page.
            let base = document().base_uri().ok().flatten().unwrap_or_default();
            let absolute = Url::new_with_base(&api, &base).map(|url| url.href()).unwrap_or(api);
            Configured::At(absolute.trim_end_matches('/').to_owned())
        }
        (None, Some(here)) => Configured::Here(here),
        (None, None) => Configured::Nowhere,
    }
}

async fn ask(api: &str, millis: u32) -> Answer {
    let Some(response) = get(&format!("{api}/api/health"), millis).await else {
        return Answer::Silence;
    };
    // A proxy speaks for a companion that is down.
    if (502..=504).contains(&response.status()) {
        return Answer::Silence;
    }
    // A body that stops on its way, or takes too long, says nothing about who sent it.
    let Ok(body) = response.text().map(JsFuture::from) else { return Answer::Silence };
    let Some(text) = body.await.ok().and_then(|text| text.as_string()) else {
        return Answer::Silence;
    };
    let health = js_sys::JSON::parse(&text).ok();
    let status = health.and_then(|health| Reflect::get(&health, &"status".into()).ok());
    if status.is_some_and(|status| status.is_string()) { Answer::Healthy } else { Answer::Other }
}

async fn get_json(url: &str, millis: u32) -> Option<JsValue> {
    let response = get(url, millis).await.filter(Response::ok)?;
    JsFuture::from(response.json().ok()?).await.ok()
}

async fn get(url: &str, millis: u32) -> Option<Response> {
    let options = RequestInit::new();
    options.set_cache(RequestCache::NoStore);
    options.set_signal(Some(&AbortSignal::timeout_with_u32(millis)));
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &options)).await;
    answer.ok()?.dyn_into().ok()
}
