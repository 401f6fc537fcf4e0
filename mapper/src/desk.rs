//! The mapper's desk: a request comes in, is done to its end, and what comes of it goes out, its
//! arrays handed over rather than copied. While it computes nothing else is heard: who wants it to
//! end, ends the worker.

use app::mapping::{Column, Tell};
use app::worker::turn::{now_millis, scope};
use futures_channel::mpsc;
use js_sys::{Float32Array, Int32Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

use crate::device::Choice;
use crate::run::{Array, Desk, Session, run};

/// Whoever started the worker.
struct Page;

impl Desk for Page {
    fn now_millis(&self) -> f64 {
        now_millis()
    }

    fn tell(&self, tell: &Tell, arrays: &[(Column, Array)]) {
        let Ok(text) = serde_json::to_string(tell) else { return };
        let text = JsValue::from_str(&text);
        if arrays.is_empty() {
            let _posted = scope().post_message(&text);
            return;
        }
        let (message, buffers) = (js_sys::Array::of1(&text), js_sys::Array::new());
        for (_, array) in arrays {
            let (array, buffer) = match array {
                Array::Floats(floats) => typed(Float32Array::from(floats.as_slice())),
                Array::Labels(labels) => typed(Int32Array::from(labels.as_slice())),
            };
            message.push(&array);
            buffers.push(&buffer);
        }
        let _posted = scope().post_message_with_transfer(&message, &buffers);
    }
}

/// An array of numbers, and its buffer.
fn typed(array: impl AsRef<js_sys::Object> + Into<JsValue>) -> (JsValue, JsValue) {
    let buffer = js_sys::Reflect::get(array.as_ref(), &"buffer".into()).unwrap_or(JsValue::NULL);
    (array.into(), buffer)
}

/// Listens to whoever started the worker. What comes while something is done waits its turn.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        Page.tell(&Tell::Panicked { text: format!("the mapper broke: {panic}") }, &[]);
    }));
    let (put, inbox) = mpsc::unbounded();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let _put = put.unbounded_send(event.data());
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    spawn_local(answer(inbox));
}

async fn answer(mut inbox: mpsc::UnboundedReceiver<JsValue>) {
    let mut session: Option<Session> = None;
    while let Ok(message) = inbox.recv().await {
        match (message.as_string(), &mut session) {
            (Some(text), Some(session)) => session.again(&text, &Page).await,
            (Some(_), None) => refuse("there are no vectors yet"),
            (None, _) => match asked(message) {
                Some((text, values)) => {
                    session = run(&text, values, Choice::WhereItGains, &Page).await;
                }
                None => refuse("expected a text and a Float32Array"),
            },
        }
    }
}

fn refuse(detail: &str) {
    Page.tell(&Tell::Failed { field: None, detail: detail.to_owned() }, &[]);
}

fn asked(message: JsValue) -> Option<(String, Vec<f32>)> {
    let pair = message.dyn_into::<js_sys::Array>().ok()?;
    let values = pair.get(1).dyn_into::<Float32Array>().ok()?;
    Some((pair.get(0).as_string()?, values.to_vec()))
}
