//! The distinct texts of a column and their codes: text that repeats is kept once, and a
//! row costs two bytes. Knows nothing of blocks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use twox_hash::XxHash64;

/// The code of null, which is no text's.
pub const NULL_CODE: u16 = u16::MAX;
/// More distinct texts than have a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// Texts in order of first appearance; the code of each is its place.
#[derive(Debug, Default)]
pub struct Words {
    /// All texts end to end.
    bytes: String,
    ends: Vec<usize>,
    /// Codes by hash; texts of equal hash go on in `more`.
    codes: HashMap<u64, u16, BuildHasherDefault<Already>>,
    more: Vec<(u64, u16)>,
    values: Option<ArrayRef>,
    /// The dictionary that was met last, and the codes of its values.
    met: Option<(ArrayRef, Vec<u16>)>,
}

/// The keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = XxHash64::oneshot(self.0, bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Words {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * 32
    }

    fn get(&self, code: u16) -> Option<&str> {
        let code = usize::from(code);
        let start = match code.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        self.bytes.get(start..*self.ends.get(code)?)
    }

    /// The code of a text, new or old.
    pub fn intern(&mut self, text: &str) -> Result<u16, TooMany> {
        let hash = XxHash64::oneshot(0, text.as_bytes());
        if let Some(&code) = self.codes.get(&hash) {
            if self.get(code) == Some(text) {
                return Ok(code);
            }
            let others = self.more.iter().filter(|(other, _)| *other == hash);
            let mut others = others.map(|&(_, code)| code);
            if let Some(code) = others.find(|&code| self.get(code) == Some(text)) {
                return Ok(code);
            }
        }
        let code = u16::try_from(self.len()).ok().filter(|&code| code != NULL_CODE);
        let code = code.ok_or(TooMany)?;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        self.values = None;
        match self.codes.entry(hash) {
            std::collections::hash_map::Entry::Occupied(_) => self.more.push((hash, code)),
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(code);
            }
        }
        Ok(code)
    }

    /// Appends the code of each row of a text or dictionary array.
    pub fn encode(&mut self, array: &dyn Array, codes: &mut Vec<u16>) -> Result<(), TooMany> {
        let Some(dictionary) = array.as_any_dictionary_opt() else {
            return self.encode_texts(array, codes);
        };
        // Batches of one stream mostly share their dictionary.
        let met = self.met.take().filter(|(values, _)| Arc::ptr_eq(values, dictionary.values()));
        let of_values = match met {
            Some((_, of_values)) => of_values,
            None => {
                let mut of_values = Vec::with_capacity(dictionary.values().len());
                // It may hold values that no row has; they are no reason to give up.
                if let Err(TooMany) = self.encode_texts(dictionary.values(), &mut of_values) {
                    return self.encode_looked_up(array, codes);
                }
                of_values
            }
        };
        let keys = dictionary.normalized_keys();
        codes.extend((0..array.len()).map(|row| match array.is_null(row) {
            true => NULL_CODE,
            false => {
                keys.get(row).and_then(|&key| of_values.get(key)).copied().unwrap_or(NULL_CODE)
            }
        }));
        self.met = Some((Arc::clone(dictionary.values()), of_values));
        Ok(())
    }

    fn encode_looked_up(&mut self, array: &dyn Array, codes: &mut Vec<u16>) -> Result<(), TooMany> {
        let Some(dictionary) = array.as_any_dictionary_opt() else { return Err(TooMany) };
        let keys = dictionary.normalized_keys();
        let of_row = |row: usize| match array.is_null(row) {
            true => None,
            false => keys.get(row).and_then(|&key| text_at(dictionary.values(), key)),
        };
        self.encode_each((0..array.len()).map(of_row), codes)
    }

    fn encode_texts(&mut self, array: &dyn Array, codes: &mut Vec<u16>) -> Result<(), TooMany> {
        self.encode_each((0..array.len()).map(|row| text_at(array, row)), codes)
    }

    fn encode_each<'t>(
        &mut self,
        texts: impl Iterator<Item = Option<&'t str>>,
        codes: &mut Vec<u16>,
    ) -> Result<(), TooMany> {
        // Neighbours are often equal, and cheaper to compare than to hash.
        let mut last: Option<(&str, u16)> = None;
        for text in texts {
            let code = match text {
                None => NULL_CODE,
                Some(text) => match last {
                    Some((before, code)) if before == text => code,
                    _ => {
                        let code = self.intern(text)?;
                        last = Some((text, code));
                        code
                    }
                },
            };
            codes.push(code);
        }
        Ok(())
    }

    /// The texts as an array; the same one until a new text comes.
    pub fn values(&mut self) -> ArrayRef {
        if let Some(values) = &self.values {
            return Arc::clone(values);
        }
        let codes = 0..u16::try_from(self.len()).unwrap_or(NULL_CODE);
        let texts = codes.map(|code| self.get(code).unwrap_or_default());
        let values: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        self.values = Some(Arc::clone(&values));
        values
    }
}

fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

/// Whether values of a type are coded.
pub fn is_coded(data_type: &DataType) -> bool {
    let is_text = |data_type: &DataType| {
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    };
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => is_text(other),
    }
}
