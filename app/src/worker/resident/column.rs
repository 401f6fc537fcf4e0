//! One column in memory: what has arrived, cut into blocks. Text is coded as it comes (see
//! `words`); where too many texts are distinct the column becomes plain text again.

use std::sync::Arc;

use arrow_array::types::UInt16Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, UInt16Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};
use engine::gather::{concat, plain};
use engine::kind::Kind;

use super::BLOCK_ROWS;
use super::words::{TooMany, Words, is_coded};
use crate::texts;

pub use super::words::NULL_CODE;

/// A column and how much of it is here.
#[derive(Debug)]
pub struct Column {
    /// As it came.
    source: FieldRef,
    kind: Kind,
    /// Where it stands in its table.
    place: u32,
    blocks: Vec<ArrayRef>,
    rows: usize,
    bytes: usize,
    complete: bool,
    arriving: Arriving,
}

/// What fills no block yet.
#[derive(Debug)]
enum Arriving {
    Coded { words: Words, codes: Vec<u16> },
    Plain { parts: Vec<ArrayRef>, rows: usize },
}

impl Column {
    pub fn new(source: FieldRef, kind: Kind, place: u32) -> Self {
        let arriving = if is_coded(source.data_type()) {
            Arriving::Coded { words: Words::default(), codes: Vec::new() }
        } else {
            Arriving::Plain { parts: Vec::new(), rows: 0 }
        };
        let (blocks, rows, bytes, complete) = (Vec::new(), 0, 0, false);
        Self { source, kind, place, blocks, rows, bytes, complete, arriving }
    }

    pub fn name(&self) -> &str {
        self.source.name()
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The column as it came, before it was coded.
    pub fn source(&self) -> &FieldRef {
        &self.source
    }

    pub fn place(&self) -> u32 {
        self.place
    }

    /// Rows in blocks: those that can be used.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn blocks(&self) -> &[ArrayRef] {
        &self.blocks
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn bytes(&self) -> usize {
        let words = match &self.arriving {
            Arriving::Coded { words, .. } => words.bytes(),
            Arriving::Plain { .. } => 0,
        };
        self.bytes + words
    }

    /// The texts that the codes of all blocks stand for; `None` where it is not coded.
    pub fn words(&mut self) -> Option<ArrayRef> {
        match &mut self.arriving {
            Arriving::Coded { words, .. } => Some(words.values()),
            Arriving::Plain { .. } => None,
        }
    }

    /// How many texts there are; `None` where it is not coded.
    pub fn n_words(&self) -> Option<usize> {
        match &self.arriving {
            Arriving::Coded { words, .. } => Some(words.len()),
            Arriving::Plain { .. } => None,
        }
    }

    /// The column as its blocks are.
    pub fn field(&self) -> Field {
        let data_type = match &self.arriving {
            Arriving::Coded { .. } => coded_type(),
            Arriving::Plain { .. } => plain_type(self.source.data_type()).clone(),
        };
        Field::new(self.name(), data_type, true)
    }

    /// The codes of a block; `None` where the column is not coded.
    pub fn codes(&self, block: usize) -> Option<&[u16]> {
        let array = self.blocks.get(block)?.as_any();
        let array = array.downcast_ref::<DictionaryArray<UInt16Type>>()?;
        Some(array.keys().values())
    }

    /// Adds what follows. An array of another type than the column's is refused.
    pub fn push(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        if array.data_type() != self.source.data_type() {
            let found = array.data_type().to_string();
            let expected = self.source.data_type().to_string();
            let detail = texts::loading::other_type(self.name(), &found, &expected);
            return Err(ArrowError::SchemaError(detail));
        }
        if let Arriving::Coded { words, codes } = &mut self.arriving {
            let n_before = codes.len();
            match words.encode(array.as_ref(), codes) {
                Ok(()) => return self.cut_codes(),
                Err(TooMany) => {
                    codes.truncate(n_before);
                    self.make_plain()?;
                }
            }
        }
        let plain = plain_array(array)?;
        if let Arriving::Plain { parts, rows } = &mut self.arriving {
            *rows += plain.len();
            parts.push(plain);
        }
        self.cut_parts()
    }

    /// All has arrived: the last block may be shorter, and all share their texts.
    pub fn finish(&mut self) -> Result<(), ArrowError> {
        match &mut self.arriving {
            Arriving::Coded { words, codes } => {
                let codes = std::mem::take(codes);
                let words = words.values();
                if !codes.is_empty() {
                    self.append(coded_block(codes, &words)?);
                }
                for block in &mut self.blocks {
                    let coded = block.as_any().downcast_ref::<DictionaryArray<UInt16Type>>();
                    if let Some(coded) = coded {
                        let keys = coded.keys().clone();
                        *block = Arc::new(DictionaryArray::try_new(keys, Arc::clone(&words))?);
                    }
                }
            }
            Arriving::Plain { parts, rows } => {
                let parts = std::mem::take(parts);
                if std::mem::take(rows) > 0 {
                    self.append(joined(&parts)?);
                }
            }
        }
        self.complete = true;
        Ok(())
    }

    fn append(&mut self, block: ArrayRef) {
        self.rows += block.len();
        self.bytes += block_bytes(&block);
        self.blocks.push(block);
    }

    fn cut_codes(&mut self) -> Result<(), ArrowError> {
        let Arriving::Coded { words, codes } = &mut self.arriving else { return Ok(()) };
        if codes.len() < BLOCK_ROWS {
            return Ok(());
        }
        let words = words.values();
        let mut all = std::mem::take(codes);
        while all.len() >= BLOCK_ROWS {
            let rest = all.split_off(BLOCK_ROWS);
            self.append(coded_block(all, &words)?);
            all = rest;
        }
        if let Arriving::Coded { codes, .. } = &mut self.arriving {
            *codes = all;
        }
        Ok(())
    }

    fn cut_parts(&mut self) -> Result<(), ArrowError> {
        loop {
            let Arriving::Plain { parts, rows } = &mut self.arriving else { return Ok(()) };
            if *rows < BLOCK_ROWS {
                return Ok(());
            }
            let mut block = Vec::new();
            let mut wanted = BLOCK_ROWS;
            let mut rest = Vec::new();
            for part in parts.drain(..) {
                let n_rows = part.len().min(wanted);
                if n_rows > 0 {
                    block.push(part.slice(0, n_rows));
                }
                if n_rows < part.len() {
                    rest.push(part.slice(n_rows, part.len() - n_rows));
                }
                wanted -= n_rows;
            }
            *parts = rest;
            *rows -= BLOCK_ROWS;
            self.append(joined(&block)?);
        }
    }

    /// Spells the texts out again, in the blocks that are there too.
    fn make_plain(&mut self) -> Result<(), ArrowError> {
        let fresh = Arriving::Plain { parts: Vec::new(), rows: 0 };
        let Arriving::Coded { mut words, codes } = std::mem::replace(&mut self.arriving, fresh)
        else {
            return Ok(());
        };
        for block in std::mem::take(&mut self.blocks) {
            self.blocks.push(plain_array(&block)?);
        }
        self.bytes = self.blocks.iter().map(block_bytes).sum();
        let rows = codes.len();
        let parts = vec![plain_array(&coded_block(codes, &words.values())?)?];
        self.arriving = Arriving::Plain { parts, rows };
        Ok(())
    }
}

fn coded_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8))
}

/// The type of text that is not coded.
fn plain_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) if is_coded(values) => plain_type(values),
        DataType::Utf8View | DataType::Utf8 => &DataType::Utf8,
        other => other,
    }
}

/// Codes as an array. The slots of nulls keep their code, so that counting needs no look
/// at the null bits.
fn coded_block(codes: Vec<u16>, words: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let valid = BooleanBuffer::collect_bool(codes.len(), |row| codes.get(row) != Some(&NULL_CODE));
    let nulls = Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0);
    let keys = UInt16Array::try_new(ScalarBuffer::from(codes), nulls)?;
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::clone(words))?))
}

/// Text as one plain type; everything else as it is.
fn plain_array(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    use arrow_array::cast::AsArray;
    if !is_coded(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    if array.as_any_dictionary_opt().is_some() {
        return plain_array(&plain(array)?);
    }
    match array.as_string_view_opt() {
        Some(views) => Ok(Arc::new(views.iter().collect::<arrow_array::StringArray>())),
        None => Ok(Arc::clone(array)),
    }
}

/// Parts as one array that keeps no more memory than twice its own.
fn joined(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let Some(first) = parts.first() else {
        return Err(ArrowError::InvalidArgumentError(texts::loading::EMPTY_BLOCK.to_owned()));
    };
    if parts.len() == 1 && block_bytes(first) * 2 >= first.get_buffer_memory_size() {
        return Ok(Arc::clone(first));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts)
}

/// What a block takes, its texts left out where they are shared.
fn block_bytes(block: &ArrayRef) -> usize {
    match block.as_any().downcast_ref::<DictionaryArray<UInt16Type>>() {
        Some(coded) => coded.len() * 2 + coded.len() / 8,
        None => block.to_data().get_slice_memory_size().unwrap_or_default(),
    }
}
