//! The page's end of the wire to the worker: starts it, sends requests, hands replies on,
//! and tells when it died. What died is thrown away whole: after a panic nothing in it
//! can be trusted.

use std::rc::Rc;

use js_sys::{Array, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, Event, MessageEvent, Worker};

use super::browser;
use crate::protocol::{Reply, Request};
use crate::texts;

/// The worker now running; none after it died.
#[derive(Clone, Copy)]
pub(super) struct Link {
    wire: StoredValue<Option<Wire>, LocalStorage>,
}

struct Wire {
    worker: Worker,
    _on_event: Closure<dyn FnMut(Event)>,
}

/// What the worker said.
pub(super) enum Heard {
    Reply(Box<Reply>),
    /// It is of no use any more, and why.
    Death(String),
}

impl Link {
    pub(super) fn new() -> Self {
        Self { wire: StoredValue::new_local(None) }
    }

    /// Starts a worker in place of the one before.
    pub(super) fn start(self, on_heard: impl Fn(Heard) + 'static) {
        self.stop();
        let Some((worker, early)) = first_worker().or_else(next_worker) else {
            on_heard(Heard::Death(texts::notices::NO_WORKERS.to_owned()));
            return;
        };
        let on_heard = Rc::new(on_heard);
        let hear = Rc::clone(&on_heard);
        let on_event = Closure::<dyn FnMut(Event)>::new(move |event| hear(heard(event)));
        worker.set_onmessage(Some(on_event.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_event.as_ref().unchecked_ref()));
        self.wire.set_value(Some(Wire { worker, _on_event: on_event }));
        // What it said before we listened.
        for event in early {
            on_heard(heard(event));
        }
    }

    /// Ends the worker, whatever it is doing.
    pub(super) fn stop(self) {
        if let Some(Some(wire)) = self.wire.try_update_value(Option::take) {
            wire.worker.set_onmessage(None);
            wire.worker.set_onerror(None);
            wire.worker.terminate();
        }
    }

    pub(super) fn send(self, request: &Request) {
        if let Ok(text) = serde_json::to_string(request) {
            self.send_text(&text);
        }
    }

    pub(super) fn send_text(self, text: &str) {
        self.post(&JsValue::from_str(text), &Array::new());
    }

    /// A request with a canvas, which then belongs to the worker.
    pub(super) fn send_transferred(self, request: &Request, object: &JsValue) {
        self.send_pair(request, object, &Array::of1(object));
    }

    /// A request with a file: a reference, its bytes are not copied.
    pub(super) fn send_beside(self, request: &Request, object: &JsValue) {
        self.send_pair(request, object, &Array::new());
    }

    fn send_pair(self, request: &Request, object: &JsValue, transferred: &Array) {
        if let Ok(text) = serde_json::to_string(request) {
            self.post(&Array::of2(&JsValue::from_str(&text), object), transferred);
        }
    }

    fn post(self, message: &JsValue, transferred: &Array) {
        self.wire.try_with_value(|wire| {
            if let Some(wire) = wire
                && let Err(error) = wire.worker.post_message_with_transfer(message, transferred)
            {
                web_sys::console::error_2(&"cannot reach the worker:".into(), &error);
            }
        });
    }
}

fn heard(event: Event) -> Heard {
    match event.dyn_into::<MessageEvent>() {
        Ok(message) => {
            let text = message.data().as_string().unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(Reply::Panicked { text }) => Heard::Death(text),
                Ok(reply) => Heard::Reply(Box::new(reply)),
                Err(error) => Heard::Death(texts::notices::unreadable_reply(&error.to_string())),
            }
        }
        Err(event) => {
            event.prevent_default();
            Heard::Death(match event.dyn_ref::<ErrorEvent>() {
                Some(error) if !error.message().is_empty() => error.message(),
                _ => texts::notices::NO_WORKER_PROGRAM.to_owned(),
            })
        }
    }
}

/// The worker that the boot script started while the page was still loading, and what it
/// has said since. There is only one.
fn first_worker() -> Option<(Worker, Vec<Event>)> {
    let first = browser::boot_value("first")?;
    browser::set_boot_value("first", &JsValue::NULL);
    opened(&first)
}

fn next_worker() -> Option<(Worker, Vec<Event>)> {
    let started = browser::boot_function("startWorker")?.call0(&JsValue::NULL).ok()?;
    opened(&started)
}

fn opened(started: &JsValue) -> Option<(Worker, Vec<Event>)> {
    let worker = Reflect::get(started, &"worker".into()).ok()?.dyn_into().ok()?;
    let early: Array = Reflect::get(started, &"early".into()).ok()?.dyn_into().ok()?;
    Some((worker, early.iter().filter_map(|event| event.dyn_into().ok()).collect()))
}
