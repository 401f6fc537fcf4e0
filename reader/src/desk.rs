//! The reader's desk: one file, sent as a stream piece by piece, each when it is asked for.

use std::cell::RefCell;
use std::rc::Rc;

use arrow_array::RecordBatch;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{File, MessageEvent};

use super::csv::{CsvBatches, Dialect, infer};
use super::parquet::{ParquetFile, Source};
use super::source::FileSource;
use super::stream::{ReadError, Stream};
use app::reading::{Ask, FileFormat, HEAD_BYTES, Tell};
use app::worker::turn::scope;

/// CSV larger than this has its types found from its start.
const INFER_BYTES_MAX: u64 = 256 << 20;
const INFER_ROWS: usize = 200_000;

/// Listens to the data worker.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        tell(&Tell::Failed { detail: format!("the file broke its reader: {panic}") });
    }));
    let reading: Rc<RefCell<Option<Reading>>> = Rc::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Err(error) = take(&reading, event.data()) {
            reading.replace(None);
            tell(&Tell::Failed { detail: error.to_string() });
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
}

fn tell(reply: &Tell) {
    if let Ok(text) = serde_json::to_string(reply) {
        let _posted = scope().post_message(&JsValue::from_str(&text));
    }
}

fn send(bytes: &[u8]) {
    let array = Uint8Array::from(bytes);
    let buffer = array.buffer();
    let _posted = scope().post_message_with_transfer(&buffer, &Array::of1(&buffer));
}

fn take(reading: &Rc<RefCell<Option<Reading>>>, message: JsValue) -> Result<(), ReadError> {
    let (text, object) = match message.dyn_into::<Array>() {
        Ok(pair) => (pair.get(0).as_string(), pair.get(1)),
        Err(text) => (text.as_string(), JsValue::UNDEFINED),
    };
    let ask = text.and_then(|text| serde_json::from_str::<Ask>(&text).ok());
    let Some(ask) = ask else { return Ok(()) };
    let mut reading = reading.borrow_mut();
    if let Ask::Read { name, format, columns } = ask {
        let file = object.dyn_into::<File>();
        let file = file.map_err(|_| ReadError::Bad(format!("{name}: the file did not arrive")))?;
        *reading = Some(Reading::begin(file, format, columns.as_deref())?);
    }
    let Some(current) = reading.as_mut() else { return Ok(()) };
    match current.next()? {
        Some(bytes) => send(&bytes),
        None => {
            *reading = None;
            tell(&Tell::Done);
        }
    }
    Ok(())
}

/// A file and how far it is read.
struct Reading {
    stream: Option<Stream>,
    content: Content,
    /// Whether the schema is sent.
    is_begun: bool,
}

enum Content {
    Parquet(Box<ParquetFile<FileSource>>),
    Csv {
        source: FileSource,
        at: u64,
        batches: Box<CsvBatches>,
        ready: Vec<RecordBatch>,
        is_ended: bool,
    },
}

impl Reading {
    fn begin(
        file: File,
        format: FileFormat,
        columns: Option<&[String]>,
    ) -> Result<Self, ReadError> {
        let source = FileSource::new(file)?;
        let (content, stream) = match format {
            FileFormat::Parquet => {
                let file = ParquetFile::open(source, columns)?;
                let stream = Stream::new(file.schema(), file.rows())?;
                (Content::Parquet(Box::new(file)), stream)
            }
            FileFormat::Csv => {
                let head = source.read(0, HEAD_BYTES.min(source.size() as usize))?;
                let dialect = Dialect::sniff(&head);
                let rows = (source.size() > INFER_BYTES_MAX).then_some(INFER_ROWS);
                let schema = infer(source.from(dialect.skip as u64), dialect, rows)?;
                let batches = CsvBatches::new(&schema, dialect, columns)?;
                let stream = Stream::new(batches.schema(), None)?;
                let (batches, ready) = (Box::new(batches), Vec::new());
                (Content::Csv { source, at: 0, batches, ready, is_ended: false }, stream)
            }
            FileFormat::Arrow => {
                return Err(ReadError::Bad("the data worker reads Arrow itself".to_owned()));
            }
        };
        Ok(Self { stream: Some(stream), content, is_begun: false })
    }

    /// The next bytes of the stream; `None` after its end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if !self.is_begun {
            self.is_begun = true;
            return Ok(Some(stream.take()));
        }
        match self.content.next_batch()? {
            Some(batch) => stream.write(&batch).map(Some),
            None => self.stream.take().map(Stream::finish).transpose(),
        }
    }
}

impl Content {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        match self {
            Self::Parquet(file) => file.next_batch(),
            Self::Csv { source, at, batches, ready, is_ended } => loop {
                if !ready.is_empty() {
                    return Ok(Some(ready.remove(0)));
                }
                if *is_ended {
                    return Ok(None);
                }
                let chunk = source.from(*at).chunk()?;
                match chunk {
                    Some(chunk) => {
                        *at += chunk.len() as u64;
                        *ready = batches.push(&chunk)?;
                    }
                    None => {
                        *is_ended = true;
                        ready.extend(batches.finish()?);
                    }
                }
            },
        }
    }
}
