//! The line to the reader: bytes of its stream, each asked for when the one before was
//! taken; its end when dropped.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, File, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::reading::{Ask, FileFormat, Tell};
use crate::worker::net::text_of;
use crate::worker::notify::Notify;

/// A reader at work on one file.
pub struct ReaderLink {
    worker: Worker,
    inbox: Rc<Inbox>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

#[derive(Default)]
struct Inbox {
    told: RefCell<VecDeque<Told>>,
    came: Notify,
}

enum Told {
    Bytes(Vec<u8>),
    Done,
    Failed(String),
}

impl Inbox {
    fn put(&self, told: Told) {
        self.told.borrow_mut().push_back(told);
        self.came.raise();
    }
}

impl ReaderLink {
    /// Starts a reader and hands it the file.
    pub fn open(
        script: &str,
        file: &File,
        name: &str,
        format: FileFormat,
        columns: Option<Vec<String>>,
    ) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(script, &options).map_err(|error| text_of(&error))?;
        let inbox = Rc::<Inbox>::default();
        let to = Rc::clone(&inbox);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(told) = told_of(event.data()) {
                to.put(told);
            }
        });
        let to = Rc::clone(&inbox);
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            // A file can break its reader altogether: memory, or a script that is not there.
            let message = event.message();
            let why = if message.is_empty() { "it did not start".to_owned() } else { message };
            to.put(Told::Failed(format!("the reader of the file broke: {why}")));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let ask = Ask::Read { name: name.to_owned(), format, columns };
        let text = serde_json::to_string(&ask).map_err(|error| error.to_string())?;
        let message = Array::of2(&JsValue::from_str(&text), file);
        worker.post_message(&message).map_err(|error| text_of(&error))?;
        Ok(Self { worker, inbox, _on_message: on_message, _on_error: on_error })
    }

    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            let told = self.inbox.told.borrow_mut().pop_front();
            match told {
                None => self.inbox.came.wait().await,
                Some(Told::Done) => return Ok(None),
                Some(Told::Failed(detail)) => return Err(detail),
                Some(Told::Bytes(bytes)) => {
                    // The reader works on the next while this one is taken in.
                    let text = serde_json::to_string(&Ask::Next).map_err(|e| e.to_string())?;
                    let asked = self.worker.post_message(&JsValue::from_str(&text));
                    asked.map_err(|error| text_of(&error))?;
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

impl Drop for ReaderLink {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

fn told_of(message: JsValue) -> Option<Told> {
    match message.dyn_into::<ArrayBuffer>() {
        Ok(buffer) => Some(Told::Bytes(Uint8Array::new(&buffer).to_vec())),
        Err(text) => match serde_json::from_str(&text.as_string()?).ok()? {
            Tell::Done => Some(Told::Done),
            Tell::Failed { detail } | Tell::Panicked { text: detail } => Some(Told::Failed(detail)),
        },
    }
}
