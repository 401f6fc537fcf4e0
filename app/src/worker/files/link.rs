//! The line to the reader: what a table is, then bytes of its stream, each asked for when the
//! one before was taken; its end when dropped.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use engine::query::Version;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::reading::{Ask, Opened, Place, Tell};
use crate::texts;
use crate::worker::net::text_of;
use crate::worker::notify::Notify;

/// Why a table cannot be opened or read.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub detail: String,
    /// Nobody answers: what is kept in the browser may stand in.
    pub is_unreachable: bool,
}

/// A reader at work on one table.
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
    Tell(Tell),
}

impl Inbox {
    fn put(&self, told: Told) {
        self.told.borrow_mut().push_back(told);
        self.came.raise();
    }

    async fn next(&self) -> Told {
        loop {
            let told = self.told.borrow_mut().pop_front();
            match told {
                Some(told) => return told,
                None => self.came.wait().await,
            }
        }
    }
}

impl ReaderLink {
    /// Starts a reader and hands it the table.
    pub fn start(
        script: &str,
        place: Place,
        version: Option<Version>,
        objects: &JsValue,
    ) -> Result<Self, String> {
        let link = Self::begin(script)?;
        link.ask(&Ask::Open { place, version }, objects)?;
        Ok(link)
    }

    /// An Arrow stream as a file, of Parquet or of Arrow's own, written by a reader of its own.
    pub async fn file(script: &str, stream: &[u8], is_parquet: bool) -> Result<Vec<u8>, String> {
        let link = Self::begin(script)?;
        link.ask(&Ask::Write { is_parquet }, &Uint8Array::from(stream))?;
        match link.inbox.next().await {
            Told::Bytes(bytes) => Ok(bytes),
            Told::Tell(Tell::Failed { detail, .. }) => Err(detail),
            Told::Tell(_) => Err(texts::loading::READER_SILENT.to_owned()),
        }
    }

    fn begin(script: &str) -> Result<Self, String> {
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
            let why = if message.is_empty() {
                texts::loading::READER_NOT_STARTED.to_owned()
            } else {
                message
            };
            let detail = texts::loading::reader_broke(&why);
            to.put(Told::Tell(Tell::Failed { detail, is_unreachable: false }));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, inbox, _on_message: on_message, _on_error: on_error })
    }

    fn ask(&self, ask: &Ask, objects: &JsValue) -> Result<(), String> {
        let text = serde_json::to_string(ask).map_err(|error| error.to_string())?;
        let message = Array::of2(&JsValue::from_str(&text), objects);
        self.worker.post_message(&message).map_err(|error| text_of(&error))
    }

    /// What the table is; until then how many bytes of how many were looked at.
    pub async fn opened(&mut self, looking: impl Fn(u64, u64)) -> Result<Opened, Refusal> {
        loop {
            return match self.inbox.next().await {
                Told::Tell(Tell::Opened(opened)) => Ok(*opened),
                Told::Tell(Tell::Looking { bytes, total }) => {
                    looking(bytes, total);
                    continue;
                }
                Told::Tell(Tell::Failed { detail, is_unreachable }) => {
                    Err(Refusal { detail, is_unreachable })
                }
                _ => Err(Refusal {
                    detail: texts::loading::READER_SILENT.to_owned(),
                    is_unreachable: false,
                }),
            };
        }
    }

    /// Begins to read columns.
    pub fn read(&mut self, columns: &[String]) -> Result<(), String> {
        self.ask(&Ask::Read { columns: columns.to_vec() }, &JsValue::UNDEFINED)
    }

    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.inbox.next().await {
            Told::Bytes(bytes) => {
                // The reader works on the next while this one is taken in.
                self.ask(&Ask::Next, &JsValue::UNDEFINED)?;
                Ok(Some(bytes))
            }
            Told::Tell(Tell::Failed { detail, .. }) => Err(detail),
            Told::Tell(_) => Ok(None),
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
        Err(text) => Some(Told::Tell(match serde_json::from_str(&text.as_string()?).ok()? {
            Tell::Panicked { text: detail } => Tell::Failed { detail, is_unreachable: false },
            other => other,
        })),
    }
}
