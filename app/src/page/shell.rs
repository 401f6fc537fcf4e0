//! The service worker, which keeps the app's own files: registered once the page is up,
//! and asked from time to time whether a newer build is there. A page of the newer build
//! lets it take over; an older page offers to reload.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Object, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, MessageEvent, ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration,
    ServiceWorkerState,
};

use super::browser;
use super::signals::Page;
use crate::protocol::Level;
use crate::state::command::Command;
use crate::texts;

const LOOK_FOR_UPDATE_MILLIS: u64 = 30 * 60_000;

/// Absent without https (but on localhost) and in some private modes.
fn container() -> Option<ServiceWorkerContainer> {
    let container = Reflect::get(&window().navigator(), &"serviceWorker".into()).ok()?;
    container.dyn_into().ok()
}

pub(super) fn start(page: Page) {
    let Some(container) = container() else { return };
    watch_takeover(page, &container);
    spawn_local(async move {
        let Ok(registered) = JsFuture::from(container.register("sw.js")).await else { return };
        let Ok(registration) = registered.dyn_into::<ServiceWorkerRegistration>() else { return };
        if let Some(waiting) = registration.waiting() {
            offer(page, &waiting);
        }
        let found = registration.clone();
        let on_found = move |_: Event| {
            if let Some(coming) = found.installing() {
                follow(page, coming);
            }
        };
        browser::listen_forever(registration.as_ref(), "updatefound", on_found);
        let look = move || drop(registration.update());
        set_interval(look, Duration::from_millis(LOOK_FOR_UPDATE_MILLIS));
    });
}

/// Another tab may let a newer build take over, and this page's files are then gone: what it
/// has yet to load may be nowhere.
fn watch_takeover(page: Page, container: &ServiceWorkerContainer) {
    let taken = container.clone();
    browser::listen_forever(container.as_ref(), "controllerchange", move |_: Event| {
        if let Some(controller) = taken.controller() {
            say(&controller, "build", &"?".into());
        }
    });
    browser::listen_forever(container.as_ref(), "message", move |event: MessageEvent| {
        let build = Reflect::get(&event.data(), &"build".into()).ok();
        let other = build.and_then(|build| build.as_string());
        let own = browser::boot_value("build").and_then(|own| own.as_string());
        if other.is_some() && own.is_some() && other != own {
            offer_reload(page);
        }
    });
}

/// Waits until a new service worker has all its files.
fn follow(page: Page, coming: ServiceWorker) {
    let target = coming.clone();
    browser::listen_forever(target.as_ref(), "statechange", move |_: Event| {
        // The very first one has no older page to replace.
        let replaces = container().is_some_and(|container| container.controller().is_some());
        if coming.state() == ServiceWorkerState::Installed && replaces {
            offer(page, &coming);
        }
    });
}

/// The new one takes over at once if it is of this page's build; else the user is asked.
fn offer(page: Page, waiting: &ServiceWorker) {
    let build = browser::boot_value("build").unwrap_or(JsValue::NULL);
    say(waiting, "activate", &build);
    let waiting = waiting.clone();
    let still_waiting = move || {
        if waiting.state() == ServiceWorkerState::Installed {
            offer_reload(page);
        }
    };
    set_timeout(still_waiting, Duration::from_millis(500));
}

fn offer_reload(page: Page) {
    let action = Some((texts::notices::RELOAD.to_owned(), Command::Reload));
    page.notify_with(Level::Info, texts::notices::NEW_VERSION, action);
}

fn say(worker: &ServiceWorker, key: &str, value: &JsValue) {
    let message = Object::new();
    drop(Reflect::set(&message, &key.into(), value));
    drop(worker.post_message(&message));
}

/// A service worker that takes longer to take over is not waited for.
const TAKEOVER_MILLIS: u64 = 2000;

/// Loads the newest build: index.html comes from the network first. Not before the new
/// service worker is in charge: a page that is loaded in that very moment may hang.
pub(super) fn reload() {
    let asked = Rc::new(Cell::new(false));
    // Asked for again while the network is slow, it would begin anew.
    let again = move || {
        if !asked.replace(true) {
            drop(window().location().reload());
        }
    };
    let Some(container) = container() else { return again() };
    spawn_local(async move {
        let found = JsFuture::from(container.get_registration()).await.ok();
        let registration = found.and_then(|found| found.dyn_into().ok());
        let waiting = registration.and_then(|known: ServiceWorkerRegistration| known.waiting());
        let Some(waiting) = waiting else { return again() };
        let taken_over = again.clone();
        let on_change = move |_: Event| taken_over();
        browser::listen_forever(container.as_ref(), "controllerchange", on_change);
        say(&waiting, "activate", &"now".into());
        set_timeout(again, Duration::from_millis(TAKEOVER_MILLIS));
    });
}
