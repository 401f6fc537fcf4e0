//! The line to the mapper: one request with its vectors, then what it tells; its end when
//! dropped.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Float32Array, Int32Array};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::mapping::Tell;
use crate::texts;
use crate::worker::net::text_of;
use crate::worker::notify::Notify;

/// Numbers of all rows that were given.
pub enum Array {
    Floats(Vec<f32>),
    Labels(Vec<i32>),
}

pub struct MapperLink {
    worker: Worker,
    inbox: Rc<Inbox>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

#[derive(Default)]
struct Inbox {
    told: RefCell<VecDeque<(Tell, Vec<Array>)>>,
    came: Notify,
}

impl Inbox {
    fn put(&self, told: (Tell, Vec<Array>)) {
        self.told.borrow_mut().push_back(told);
        self.came.raise();
    }
}

impl MapperLink {
    /// Starts a mapper and hands it the request, and rows × dimensions values.
    pub fn start(script: &str, request: &str, values: &[f32]) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(script, &options).map_err(|error| text_of(&error))?;
        let inbox = Rc::<Inbox>::default();
        let to = Rc::clone(&inbox);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(told) = told_of(&event.data()) {
                to.put(told);
            }
        });
        let to = Rc::clone(&inbox);
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            let text = texts::mapping::broke(&event.message());
            to.put((Tell::Panicked { text }, Vec::new()));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let link = Self { worker, inbox, _on_message: on_message, _on_error: on_error };
        let values = Float32Array::from(values);
        let message = js_sys::Array::of2(&request.into(), &values);
        let moved = js_sys::Array::of1(&values.buffer());
        link.worker
            .post_message_with_transfer(&message, &moved)
            .map_err(|error| text_of(&error))?;
        Ok(link)
    }

    /// What is asked for otherwise, of the same vectors.
    pub fn ask(&self, text: &str) -> Result<(), String> {
        self.worker.post_message(&text.into()).map_err(|error| text_of(&error))
    }

    pub async fn next(&mut self) -> (Tell, Vec<Array>) {
        loop {
            let told = self.inbox.told.borrow_mut().pop_front();
            match told {
                Some(told) => return told,
                None => self.inbox.came.wait().await,
            }
        }
    }
}

impl Drop for MapperLink {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// A text, or an array of a text and what travels beside.
fn told_of(message: &JsValue) -> Option<(Tell, Vec<Array>)> {
    let (text, beside) = match message.dyn_ref::<js_sys::Array>() {
        Some(parts) => (parts.get(0).as_string()?, parts.slice(1, parts.length())),
        None => (message.as_string()?, js_sys::Array::new()),
    };
    let arrays = beside.iter().filter_map(|array| match array.dyn_into::<Float32Array>() {
        Ok(floats) => Some(Array::Floats(floats.to_vec())),
        Err(other) => Some(Array::Labels(other.dyn_into::<Int32Array>().ok()?.to_vec())),
    });
    Some((serde_json::from_str(&text).ok()?, arrays.collect()))
}
