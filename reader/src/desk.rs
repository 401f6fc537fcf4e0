//! The reader's desk: one table, opened once, then read as often as columns of it are
//! wanted. Bytes go out one piece at a time, each when it is asked for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use app::reading::{Ask, Place, Tell};
use app::worker::notify::Notify;
use app::worker::turn::scope;
use engine::query::Version;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{File, MessageEvent};

use super::files::FileSource;
use super::stream::ReadError;
use super::table::Table;

/// What was said and not yet done.
#[derive(Default)]
struct Inbox {
    asked: RefCell<VecDeque<(Ask, JsValue)>>,
    came: Notify,
}

/// Listens to the data worker.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        tell(&Tell::Failed {
            detail: format!("the file broke its reader: {panic}"),
            is_unreachable: false,
        });
    }));
    let inbox = Rc::<Inbox>::default();
    let to = Rc::clone(&inbox);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(asked) = ask_of(event.data()) {
            to.asked.borrow_mut().push_back(asked);
            to.came.raise();
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    wasm_bindgen_futures::spawn_local(work(inbox));
}

async fn work(inbox: Rc<Inbox>) {
    let mut table = None;
    loop {
        let next = inbox.asked.borrow_mut().pop_front();
        let Some((ask, object)) = next else {
            inbox.came.wait().await;
            continue;
        };
        if let Err(error) = answer(&mut table, ask, &object).await {
            let is_unreachable = matches!(error, ReadError::Unreachable(_));
            tell(&Tell::Failed { detail: error.to_string(), is_unreachable });
        }
    }
}

fn ask_of(message: JsValue) -> Option<(Ask, JsValue)> {
    let (text, object) = match message.dyn_into::<Array>() {
        Ok(pair) => (pair.get(0).as_string(), pair.get(1)),
        Err(text) => (text.as_string(), JsValue::UNDEFINED),
    };
    Some((serde_json::from_str(&text?).ok()?, object))
}

pub fn tell(reply: &Tell) {
    if let Ok(text) = serde_json::to_string(reply) {
        let _posted = scope().post_message(&JsValue::from_str(&text));
    }
}

fn send(bytes: &[u8]) {
    let array = Uint8Array::from(bytes);
    let buffer = array.buffer();
    let _posted = scope().post_message_with_transfer(&buffer, &Array::of1(&buffer));
}

async fn answer(table: &mut Option<Table>, ask: Ask, object: &JsValue) -> Result<(), ReadError> {
    match ask {
        Ask::Open { place, version } => {
            *table = None;
            let (found, opened) = open(place, version, object).await?;
            *table = Some(found);
            tell(&Tell::Opened(Box::new(opened)));
            return Ok(());
        }
        Ask::Read { columns } => {
            let Some(table) = table else { return Ok(()) };
            if let Some(first) = table.begin(&columns).await? {
                send(&first);
                return Ok(());
            }
        }
        Ask::Write { is_parquet } => {
            let bytes = object.clone().dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec());
            let write = if is_parquet { crate::write::parquet } else { crate::write::arrow };
            send(&write(bytes.unwrap_or_default())?);
            return Ok(());
        }
        Ask::Next => {}
    }
    let next = match table {
        Some(table) => table.next().await?,
        None => None,
    };
    match next {
        Some(bytes) => send(&bytes),
        None => tell(&Tell::Done),
    }
    Ok(())
}

async fn open(
    place: Place,
    version: Option<Version>,
    object: &JsValue,
) -> Result<(Table, app::reading::Opened), ReadError> {
    let paths = match place {
        Place::Address(url) => return Table::of_address(&url, version).await,
        Place::Files(paths) => paths,
    };
    let number = match version {
        Some(Version::Number(number)) => Some(number),
        _ => None,
    };
    let objects = Array::from(object);
    let mut files = Vec::with_capacity(paths.len());
    for (path, object) in paths.into_iter().zip(objects.iter()) {
        let file = object.dyn_into::<File>();
        let file = file.map_err(|_| ReadError::Bad(format!("{path}: the file did not arrive")))?;
        files.push((path, FileSource::new(file)?));
    }
    Table::of_files(files, number).await
}
