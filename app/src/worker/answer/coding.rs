//! Rows as codes of the values of a category, boolean or text column: what bars count by
//! and points are coloured by. Coded columns have them; booleans and text of very many
//! values get them here, once, when a view asks.

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use engine::literal::Literal;
use twox_hash::XxHash64;

use crate::cell::cell_text;
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::resident::column::Column;
use crate::worker::tally::{Codes, NULL_WIDE};

/// The codes of a column's rows.
#[derive(Debug)]
pub enum Coding {
    /// The column's own.
    Coded {
        words: Option<ArrayRef>,
        n_blocks: usize,
    },
    Boolean {
        codes: Vec<Vec<u8>>,
    },
    Wide(Wide),
}

/// Codes of text too diverse to be kept coded; a value is where it first appeared.
#[derive(Debug, Default)]
pub struct Wide {
    codes: Vec<Vec<u32>>,
    first_rows: Vec<u32>,
    by_hash: HashMap<u64, u32>,
    /// Codes whose hash another has too.
    more: Vec<(u64, u32)>,
}

impl Coding {
    /// `None` for columns that are none of the three.
    pub fn of(column: &Column) -> Option<Self> {
        if column.n_words().is_some() {
            return Some(Self::Coded { words: None, n_blocks: 0 });
        }
        match column.field().data_type() {
            DataType::Boolean => Some(Self::Boolean { codes: Vec::new() }),
            DataType::Utf8 | DataType::LargeUtf8 => Some(Self::Wide(Wide::default())),
            _ => None,
        }
    }

    /// Whether these codes are still the column's: text may have become too diverse.
    pub fn is_of(&self, column: &Column) -> bool {
        matches!(self, Self::Coded { .. }) == column.n_words().is_some()
    }

    /// Takes one more block in; false where there is none.
    pub fn step(&mut self, column: &Column) -> bool {
        match self {
            Self::Coded { words, n_blocks } => {
                // The last block has all the words that the others have.
                let blocks = column.blocks();
                let last = blocks.last().and_then(|block| block.as_any_dictionary_opt());
                let Some(last) = last else { return false };
                let is_same =
                    words.as_ref().is_some_and(|words| words.len() == last.values().len());
                if !is_same {
                    *words = Some(last.values().clone());
                }
                let is_new = *n_blocks < blocks.len();
                *n_blocks = blocks.len().min(*n_blocks + 1);
                is_new
            }
            Self::Boolean { codes } => {
                let block = column.blocks().get(codes.len());
                let Some(array) = block.and_then(|block| block.as_boolean_opt()) else {
                    return false;
                };
                let code = |row| match array.is_null(row) {
                    true => u8::MAX,
                    false => u8::from(array.value(row)),
                };
                codes.push((0..array.len()).map(code).collect());
                true
            }
            Self::Wide(wide) => wide.step(column),
        }
    }

    /// How many blocks have their codes.
    pub fn n_blocks(&self) -> usize {
        match self {
            Self::Coded { n_blocks, .. } => *n_blocks,
            Self::Boolean { codes } => codes.len(),
            Self::Wide(wide) => wide.codes.len(),
        }
    }

    pub fn n_codes(&self) -> usize {
        match self {
            Self::Coded { words, .. } => words.as_ref().map_or(0, |words| words.len()),
            Self::Boolean { .. } => 2,
            Self::Wide(wide) => wide.first_rows.len(),
        }
    }

    pub fn codes<'a>(&'a self, column: &'a Column, block: usize) -> Option<Codes<'a>> {
        match self {
            Self::Coded { .. } => column.codes(block).map(Codes::Narrow),
            Self::Boolean { codes } => codes.get(block).map(|codes| Codes::Bytes(codes)),
            Self::Wide(wide) => wide.codes.get(block).map(|codes| Codes::Wide(codes)),
        }
    }

    /// What a code stands for, as it is shown.
    pub fn label(&self, column: &Column, code: usize) -> String {
        match self {
            Self::Coded { words, .. } => {
                words.as_ref().and_then(|words| cell_text(words, code)).unwrap_or_default()
            }
            Self::Boolean { .. } => if code == 0 { "false" } else { "true" }.to_owned(),
            Self::Wide(wide) => wide
                .place(code)
                .and_then(|(block, row)| cell_text(column.blocks().get(block)?, row))
                .unwrap_or_default(),
        }
    }

    /// The order of what two codes stand for: false first, text by its bytes.
    pub fn compare(&self, column: &Column, a: usize, b: usize) -> Ordering {
        match self {
            Self::Boolean { .. } => a.cmp(&b),
            _ => self.text(column, a).cmp(&self.text(column, b)),
        }
    }

    /// What a code stands for, whole, as a filter says it.
    pub fn literal(&self, column: &Column, code: usize) -> Literal {
        match self {
            Self::Boolean { .. } => Literal::Bool(code == 1),
            _ => Literal::Text(self.text(column, code).unwrap_or_default().to_owned()),
        }
    }

    fn text<'a>(&'a self, column: &'a Column, code: usize) -> Option<&'a str> {
        match self {
            Self::Boolean { .. } => None,
            Self::Coded { words, .. } => {
                let words = words.as_ref().and_then(|words| words.as_string_opt::<i32>());
                words.filter(|words| code < words.len()).map(|words| words.value(code))
            }
            Self::Wide(wide) => {
                wide.place(code).and_then(|(block, row)| text_at(column.blocks().get(block)?, row))
            }
        }
    }
}

impl Wide {
    fn place(&self, code: usize) -> Option<(usize, usize)> {
        let row = *self.first_rows.get(code)? as usize;
        Some((row / BLOCK_ROWS, row % BLOCK_ROWS))
    }

    fn step(&mut self, column: &Column) -> bool {
        let index = self.codes.len();
        let Some(block) = column.blocks().get(index) else { return false };
        let first_row = index * BLOCK_ROWS;
        let mut codes = Vec::with_capacity(block.len());
        for row in 0..block.len() {
            codes.push(match text_at(block, row) {
                None => NULL_WIDE,
                Some(text) => self.code(column, text, (first_row + row) as u32),
            });
        }
        self.codes.push(codes);
        true
    }

    fn code(&mut self, column: &Column, text: &str, row: u32) -> u32 {
        let hash = XxHash64::oneshot(0, text.as_bytes());
        let is_text = |wide: &Self, code: u32| {
            let place = wide.place(code as usize);
            place.and_then(|(block, row)| text_at(column.blocks().get(block)?, row)) == Some(text)
        };
        let known = self.by_hash.get(&hash).copied();
        if let Some(code) = known {
            if is_text(self, code) {
                return code;
            }
            let mut others = self.more.iter().filter(|(other, _)| *other == hash);
            if let Some(&(_, code)) = others.find(|&&(_, code)| is_text(self, code)) {
                return code;
            }
        }
        let code = self.first_rows.len() as u32;
        self.first_rows.push(row);
        match known {
            Some(_) => self.more.push((hash, code)),
            None => {
                self.by_hash.insert(hash, code);
            }
        }
        code
    }
}

fn text_at(array: &ArrayRef, row: usize) -> Option<&str> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        _ => None,
    }
}
