//! One key of an order: its values as words that compare as the values do.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;

use crate::bind::value_type;
use crate::column::{Values, answer_type, array_from_natives, plain};
use crate::error::QueryError;
use crate::intern::{Interner, float_bits};
use crate::query::Nulls;

/// The values of one key, in the order that rows were pushed.
pub(super) struct KeyColumn {
    values: KeyValues,
    /// What comes before and after the values; empty while all rows have one.
    classes: Vec<u8>,
    rows: usize,
    descending: bool,
    null_class: u8,
}

pub(super) enum KeyValues {
    /// Integers, times, booleans and floats: unsigned words in the order asked for.
    Words(Vec<u64>),
    Wide(Vec<i256>),
    /// The first eight bytes as words; the arrays tell the rest.
    Bytes(ByteKeys),
    /// Dictionaries, whose values are ranked once all are known.
    Coded {
        ids: Vec<u32>,
        interner: Box<Interner>,
        data_type: DataType,
    },
}

const NULL_FIRST: u8 = 0;
const VALUE: u8 = 1;
const NAN: u8 = 2;
const NULL_LAST: u8 = 3;

impl KeyColumn {
    pub(super) fn new(stored: &DataType, descending: bool, nulls: Nulls) -> Self {
        let data_type = value_type(stored);
        let is_bytes = data_type.is_binary() || data_type.is_string();
        let values = match stored {
            DataType::Dictionary(_, _) => KeyValues::Coded {
                ids: Vec::new(),
                interner: Box::new(Interner::new(data_type)),
                data_type: data_type.clone(),
            },
            _ if is_bytes => KeyValues::Bytes(ByteKeys::default()),
            _ => match data_type {
                DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => {
                    KeyValues::Wide(Vec::new())
                }
                _ => KeyValues::Words(Vec::new()),
            },
        };
        let null_class = if nulls == Nulls::First { NULL_FIRST } else { NULL_LAST };
        Self { values, classes: Vec::new(), rows: 0, descending, null_class }
    }

    pub(super) fn push(&mut self, array: &ArrayRef) -> Result<(), QueryError> {
        if let KeyValues::Coded { ids, interner, .. } = &mut self.values {
            ids.extend(interner.ids(array)?);
            self.rows += array.len();
            return Ok(());
        }
        let array = plain(array)?;
        let start = self.rows;
        self.rows += array.len();
        self.push_nulls(start, array.logical_nulls());
        match &mut self.values {
            KeyValues::Words(words) => {
                push_key_words(words, &*array, self.descending);
                words.resize(self.rows, 0);
            }
            KeyValues::Wide(wide) => {
                match Values::of(&*array) {
                    Some(Values::Int128(values)) => {
                        wide.extend(values.iter().map(|value| i256::from_i128(*value)));
                    }
                    Some(Values::Int256(values)) => wide.extend_from_slice(values),
                    _ => {}
                }
                wide.resize(self.rows, i256::ZERO);
            }
            KeyValues::Bytes(bytes) => {
                if let Some(Values::Text(values) | Values::Bytes(values)) = Values::of(&*array) {
                    (0..array.len()).for_each(|row| bytes.push(values.get(row)));
                }
            }
            KeyValues::Coded { .. } => {}
        }
        if let Some(is_nan) = nan_test(&*array) {
            self.push_nans(start, array.len(), is_nan);
        }
        Ok(())
    }

    fn push_nulls(&mut self, start: usize, nulls: Option<NullBuffer>) {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        if nulls.is_some() || !self.classes.is_empty() {
            self.classes.resize(start, VALUE);
        }
        if let Some(nulls) = nulls {
            let class = |valid| if valid { VALUE } else { self.null_class };
            self.classes.extend(nulls.iter().map(class));
        } else if !self.classes.is_empty() {
            self.classes.resize(self.rows, VALUE);
        }
    }

    fn push_nans(&mut self, start: usize, len: usize, is_nan: impl Fn(usize) -> bool) {
        for row in (0..len).filter(|row| is_nan(*row)) {
            if self.classes.is_empty() {
                self.classes.resize(self.rows, VALUE);
            }
            if let Some(class) = self.classes.get_mut(start + row)
                && *class == VALUE
            {
                *class = NAN;
            }
        }
    }

    /// The key once all rows are in: dictionaries become words.
    pub(super) fn resolved(mut self) -> Result<Self, QueryError> {
        if let KeyValues::Coded { ids, interner, data_type } = &self.values {
            let values = interner.to_array(&answer_type(data_type))?;
            let ranks = super::ranks(&values)?;
            let nan = nan_test(&*values);
            let class = |id: u32| match &nan {
                _ if Some(id) == interner.null_id() => self.null_class,
                Some(is_nan) if is_nan(id as usize) => NAN,
                _ => VALUE,
            };
            let classes: Vec<u8> = ids.iter().map(|id| class(*id)).collect();
            let word = |id: &u32| {
                let rank = u64::from(ranks.get(*id as usize).copied().unwrap_or_default());
                if self.descending { !rank } else { rank }
            };
            let words = ids.iter().map(word).collect();
            self.classes =
                if classes.iter().all(|class| *class == VALUE) { Vec::new() } else { classes };
            self.values = KeyValues::Words(words);
        }
        if let KeyValues::Words(words) = &mut self.values {
            level(words, &self.classes);
        }
        Ok(self)
    }

    /// Replaces values that were ranked.
    pub(super) fn set_words(&mut self, mut words: Vec<u64>) {
        level(&mut words, &self.classes);
        self.values = KeyValues::Words(words);
    }

    pub(super) fn values_and_direction(&self) -> (&KeyValues, bool) {
        (&self.values, self.descending)
    }

    pub(super) fn is_words(&self) -> bool {
        matches!(self.values, KeyValues::Words(_))
    }

    pub(super) fn has_classes(&self) -> bool {
        !self.classes.is_empty()
    }

    /// How many of so many rows have a value.
    pub(super) fn valued(&self, rows: usize) -> usize {
        rows - self.classes.iter().filter(|class| **class != VALUE).count()
    }

    #[inline]
    pub(super) fn word(&self, row: usize) -> u64 {
        match &self.values {
            KeyValues::Words(words) => words.get(row).copied().unwrap_or_default(),
            _ => 0,
        }
    }

    #[inline]
    pub(super) fn class(&self, row: usize) -> u8 {
        self.classes.get(row).copied().unwrap_or(VALUE)
    }

    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        let by_class = self.class(a).cmp(&self.class(b));
        if by_class.is_ne() || self.class(a) != VALUE {
            return by_class;
        }
        match &self.values {
            // Words are in the order asked for already.
            KeyValues::Words(words) => words.get(a).cmp(&words.get(b)),
            values if self.descending => values.compare(b, a),
            values => values.compare(a, b),
        }
    }
}

/// Makes rows without a value ties, whatever their slots hold.
fn level(words: &mut [u64], classes: &[u8]) {
    let values = words.iter().zip(classes).filter(|(_, class)| **class == VALUE);
    let tie = values.map(|(word, _)| *word).min().unwrap_or_default();
    let others = words.iter_mut().zip(classes).filter(|(_, class)| **class != VALUE);
    others.for_each(|(word, _)| *word = tie);
}

impl KeyValues {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Wide(wide) => wide.len(),
            Self::Bytes(bytes) => bytes.heads.len(),
            Self::Coded { ids, .. } => ids.len(),
        }
    }

    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Words(words) => words.get(a).cmp(&words.get(b)),
            Self::Wide(wide) => wide.get(a).cmp(&wide.get(b)),
            Self::Bytes(bytes) => {
                let heads = bytes.heads.get(a).cmp(&bytes.heads.get(b));
                heads.then_with(|| bytes.compare(a, b))
            }
            Self::Coded { .. } => Ordering::Equal,
        }
    }
}

/// Strings or binaries: their first eight bytes as words, and all of them end to end.
#[derive(Default)]
pub(super) struct ByteKeys {
    heads: Vec<u64>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ByteKeys {
    fn push(&mut self, value: &[u8]) {
        self.heads.push(head_of(value));
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, row: usize) -> &[u8] {
        let before = row.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.copied().unwrap_or_default();
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    #[inline]
    pub(super) fn head(&self, row: usize) -> u64 {
        self.heads.get(row).copied().unwrap_or_default()
    }

    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        self.get(a).cmp(self.get(b))
    }
}

/// The first eight bytes as a word that compares as they do.
fn head_of(bytes: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

/// Whether a row is NaN, for floats.
fn nan_test(array: &dyn Array) -> Option<Box<dyn Fn(usize) -> bool + '_>> {
    macro_rules! test {
        ($values:expr) => {
            Some(Box::new(move |row| $values.get(row).is_some_and(|value| value.is_nan())))
        };
    }
    match Values::of(array)? {
        Values::Float16(values) => test!(values),
        Values::Float32(values) => test!(values),
        Values::Float64(values) => test!(values),
        _ => None,
    }
}

const SIGN: u64 = 1 << 63;

/// Words that compare as the values of a plain array of at most 64 bits do.
pub(crate) fn words_of_values(array: &dyn Array) -> Vec<u64> {
    let mut words = Vec::with_capacity(array.len());
    push_words(&mut words, array, false);
    words
}

/// The word of NaN, which is above that of every number.
pub(crate) const NAN_WORD: u64 = f64::NAN.to_bits() ^ SIGN;

/// The array whose values have the words.
pub(crate) fn array_from_words(
    words: &[u64],
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    let signed = |word: u64| (word ^ SIGN) as i64;
    let float = |word: u64| f64::from_bits(if word & SIGN == 0 { !word } else { word ^ SIGN });
    macro_rules! natives {
        ($value:expr) => {
            array_from_natives(words.iter().map($value).collect(), nulls, data_type)
        };
    }
    match data_type {
        DataType::Boolean => {
            let bits = words.iter().map(|word| *word != 0).collect();
            Ok(Arc::new(BooleanArray::new(bits, nulls)))
        }
        DataType::Int8 => natives!(|word| signed(*word) as i8),
        DataType::Int16 => natives!(|word| signed(*word) as i16),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) | DataType::Decimal32(_, _) => {
            natives!(|word| signed(*word) as i32)
        }
        DataType::UInt8 => natives!(|word| *word as u8),
        DataType::UInt16 => natives!(|word| *word as u16),
        DataType::UInt32 => natives!(|word| *word as u32),
        DataType::UInt64 => natives!(|word| *word),
        DataType::Float16 => natives!(|word| half::f16::from_f64(float(*word))),
        DataType::Float32 => natives!(|word| float(*word) as f32),
        DataType::Float64 => natives!(|word| float(*word)),
        _ => natives!(|word| signed(*word)),
    }
}

/// The words of a key: they compare as the values do, and need tell no value from its word.
/// Floats of 32 bits stay that narrow, for the sake of sorting.
fn push_key_words(words: &mut Vec<u64>, array: &dyn Array, descending: bool) {
    let Some(Values::Float32(values)) = Values::of(array) else {
        return push_words(words, array, descending);
    };
    let flip = if descending { u32::MAX } else { 0 };
    words.extend(values.iter().map(|value| {
        // Adding makes 0 of -0.
        let bits = (value + 0.0).to_bits();
        let word = if bits >> 31 == 0 { bits ^ (1 << 31) } else { !bits };
        u64::from(word ^ flip)
    }));
}

fn push_words(words: &mut Vec<u64>, array: &dyn Array, descending: bool) {
    let flip = if descending { u64::MAX } else { 0 };
    let signed = |value: i64| (value as u64 ^ SIGN) ^ flip;
    let unsigned = |value: u64| value ^ flip;
    let float = |value: f64| {
        let bits = float_bits(value);
        (if bits & SIGN == 0 { bits ^ SIGN } else { !bits }) ^ flip
    };
    match Values::of(array) {
        Some(Values::Boolean(values)) => {
            words.extend(values.iter().map(|value| unsigned(value.into())));
        }
        Some(Values::Int8(values)) => words.extend(values.iter().map(|v| signed((*v).into()))),
        Some(Values::Int16(values)) => words.extend(values.iter().map(|v| signed((*v).into()))),
        Some(Values::Int32(values)) => words.extend(values.iter().map(|v| signed((*v).into()))),
        Some(Values::Int64(values)) => words.extend(values.iter().map(|v| signed(*v))),
        Some(Values::UInt8(values)) => words.extend(values.iter().map(|v| unsigned((*v).into()))),
        Some(Values::UInt16(values)) => words.extend(values.iter().map(|v| unsigned((*v).into()))),
        Some(Values::UInt32(values)) => words.extend(values.iter().map(|v| unsigned((*v).into()))),
        Some(Values::UInt64(values)) => words.extend(values.iter().map(|v| unsigned(*v))),
        Some(Values::Float16(values)) => words.extend(values.iter().map(|v| float(v.to_f64()))),
        Some(Values::Float32(values)) => words.extend(values.iter().map(|v| float((*v).into()))),
        Some(Values::Float64(values)) => words.extend(values.iter().map(|v| float(*v))),
        _ => {}
    }
}
