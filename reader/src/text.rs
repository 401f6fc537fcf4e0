//! A table that is text: CSV or JSON, compressed by gzip or not, from front to back. First
//! its columns are found, then, from the start again, its rows come. Pure.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::csv::{self, CsvBatches, Dialect};
use super::gzip::{Gunzip, is_gzip};
use super::json::{self, JsonBatches};
use super::source::Chunks;
use super::stream::ReadError;

/// Types are found in this much text, whatever it came from.
const INFER_TEXT_BYTES_MAX: u64 = 4 << 30;
/// Bytes at the start that tell what a text is.
const HEAD_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv(Dialect),
    Json,
}

/// What a text holds.
#[derive(Debug, Clone)]
pub struct Facts {
    pub format: &'static str,
    pub schema: SchemaRef,
    /// Where all of it was looked at.
    pub rows: Option<u64>,
    pub notices: Vec<String>,
}

/// A text, uncompressed as it passes.
struct Plain<C> {
    chunks: C,
    gunzip: Option<Gunzip>,
    is_begun: bool,
    is_ended: bool,
    n_raw: u64,
}

impl<C: Chunks> Plain<C> {
    fn new(chunks: C) -> Self {
        Self { chunks, gunzip: None, is_begun: false, is_ended: false, n_raw: 0 }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            if let Some(text) = self.gunzip.as_mut().map(Gunzip::pull).transpose()?.flatten() {
                return Ok(Some(text));
            }
            if self.is_ended {
                return Ok(None);
            }
            match self.chunks.next().await? {
                Some(chunk) => {
                    self.n_raw += chunk.len() as u64;
                    let mut chunk = chunk;
                    if !std::mem::replace(&mut self.is_begun, true) {
                        if chunk.len() == 1
                            && let Some(more) = self.chunks.next().await?
                        {
                            self.n_raw += more.len() as u64;
                            chunk = [chunk, more].concat().into();
                        }
                        self.gunzip = is_gzip(&chunk).then(Gunzip::default);
                    }
                    match &mut self.gunzip {
                        Some(gunzip) => gunzip.push(chunk),
                        None => return Ok(Some(chunk)),
                    }
                }
                None => {
                    self.is_ended = true;
                    return self.gunzip.as_mut().map_or(Ok(None), Gunzip::finish);
                }
            }
        }
    }

    async fn restart(&mut self) -> Result<(), ReadError> {
        self.chunks.restart().await?;
        (self.gunzip, self.is_begun, self.is_ended, self.n_raw) = (None, false, false, 0);
        Ok(())
    }
}

/// A text whose columns are known.
pub struct TextTable<C> {
    plain: Plain<C>,
    form: Form,
    facts: Facts,
    reading: Option<Reading>,
    ready: VecDeque<RecordBatch>,
}

enum Reading {
    Csv(Box<CsvBatches>),
    Json(Box<JsonBatches>),
}

enum Inferring {
    Csv(csv::Inferring),
    Json(json::Inferring),
}

impl<C: Chunks> TextTable<C> {
    /// Finds the columns of a text.
    pub async fn open(chunks: C) -> Result<Self, ReadError> {
        let mut plain = Plain::new(chunks);
        let head = head_of(&mut plain).await?;
        let (form, mut inferring) = match json::is_json(&head) {
            true => (Form::Json, Inferring::Json(json::Inferring::default())),
            false => {
                let dialect = Dialect::sniff(&head);
                (Form::Csv(dialect), Inferring::Csv(csv::Inferring::new(dialect)))
            }
        };
        let mut n_text = head.len() as u64;
        inferring.push(&head)?;
        let cheap = plain.chunks.cheap_bytes();
        let is_whole = loop {
            if plain.n_raw >= cheap || n_text >= INFER_TEXT_BYTES_MAX {
                break false;
            }
            let Some(text) = plain.next().await? else { break true };
            n_text += text.len() as u64;
            inferring.push(&text)?;
        };
        let (schema, rows, mut notices) = match inferring {
            Inferring::Csv(inferring) => {
                let (schema, rows) = inferring.finish(is_whole)?;
                (schema, rows, Vec::new())
            }
            Inferring::Json(inferring) => {
                let found = inferring.finish(is_whole)?;
                (found.schema, found.rows, found.notices)
            }
        };
        if !is_whole {
            let rows = thousands(rows);
            notices.push(format!("the types of its columns are those of the first {rows} rows"));
        }
        let format = match form {
            Form::Csv(Dialect { separator: b'\t', .. }) => "tsv",
            Form::Csv(_) => "csv",
            Form::Json => "json",
        };
        let facts = Facts { format, schema, rows: is_whole.then_some(rows), notices };
        Ok(Self { plain, form, facts, reading: None, ready: VecDeque::new() })
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Begins to read columns.
    pub async fn begin(&mut self, columns: &[String]) -> Result<SchemaRef, ReadError> {
        self.plain.restart().await?;
        self.ready.clear();
        let schema = &self.facts.schema;
        let reading = match self.form {
            Form::Csv(dialect) => {
                Reading::Csv(Box::new(CsvBatches::new(schema, dialect, Some(columns))?))
            }
            Form::Json => Reading::Json(Box::new(JsonBatches::new(schema, Some(columns))?)),
        };
        let schema = reading.schema().clone();
        self.reading = Some(reading);
        Ok(schema)
    }

    /// The next batch; `None` after the last.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            let Some(reading) = &mut self.reading else { return Ok(None) };
            match self.plain.next().await? {
                Some(text) => self.ready.extend(reading.push(&text)?),
                None => {
                    let last = reading.finish()?;
                    self.reading = None;
                    self.ready.extend(last);
                }
            }
        }
    }
}

impl Inferring {
    fn push(&mut self, text: &[u8]) -> Result<(), ReadError> {
        match self {
            Self::Csv(csv) => csv.push(text),
            Self::Json(json) => json.push(text),
        }
    }
}

impl Reading {
    fn schema(&self) -> &SchemaRef {
        match self {
            Self::Csv(csv) => csv.schema(),
            Self::Json(json) => json.schema(),
        }
    }

    fn push(&mut self, text: &[u8]) -> Result<Vec<RecordBatch>, ReadError> {
        match self {
            Self::Csv(csv) => csv.push(text),
            Self::Json(json) => json.push(text),
        }
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        match self {
            Self::Csv(csv) => csv.finish(),
            Self::Json(json) => json.finish(),
        }
    }
}

/// The first bytes, enough to tell what they are.
async fn head_of<C: Chunks>(plain: &mut Plain<C>) -> Result<Vec<u8>, ReadError> {
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES {
        let Some(text) = plain.next().await? else { break };
        head.extend_from_slice(&text);
    }
    let start = head.get(..HEAD_BYTES).unwrap_or(&head);
    match start {
        [] => Err(ReadError::Bad("the file is empty".to_owned())),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            Err(ReadError::Bad("the text is UTF-16: save it as UTF-8".to_owned()))
        }
        _ if start.contains(&0) => {
            Err(ReadError::Bad("neither Parquet nor Arrow nor text".to_owned()))
        }
        _ => Ok(head),
    }
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests;
