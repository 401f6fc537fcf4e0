//! Values as keys: numbers of one kind that rise with them, whatever the column is of.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use half::f16;

use crate::column::Values;

/// Stands for no value among keys.
pub(super) const NO_KEY: u64 = u64::MAX;

/// An end among keys: those below it, or up to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    key: u64,
    is_inclusive: bool,
}

impl End {
    pub(super) fn key(self) -> u64 {
        self.key
    }

    pub(super) fn has(self, key: u64) -> bool {
        key < self.key || (self.is_inclusive && key == self.key)
    }
}

/// What a value is as a key: a number that rises with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyed {
    Exactly(u64),
    /// Below or above all keys.
    Below,
    Above,
    /// Of NaN there is none.
    Not,
}

pub(crate) trait Key: Copy {
    fn keyed(self) -> Keyed;

    /// The key of a value that has one of its own or is NaN, without a branch.
    fn plain(self) -> u64 {
        match self.keyed() {
            Keyed::Exactly(key) => key,
            _ => NO_KEY,
        }
    }

    fn key(self) -> Option<u64> {
        match self.keyed() {
            Keyed::Exactly(key) => Some(key),
            _ => None,
        }
    }

    /// The end that has all keys of values below this one; of equal ones too.
    fn end(self, is_inclusive: bool) -> End {
        match self.keyed() {
            Keyed::Exactly(key) => End { key, is_inclusive },
            Keyed::Above => End { key: u64::MAX, is_inclusive: true },
            Keyed::Below | Keyed::Not => End { key: 0, is_inclusive: false },
        }
    }
}

macro_rules! whole_keys {
    ($($native:ty),*) => {$(
        impl Key for $native {
            fn keyed(self) -> Keyed {
                Keyed::Exactly(i64::from(self).cast_unsigned() ^ (1 << 63))
            }
        }
    )*};
}
whole_keys!(i8, i16, i32, i64, u8, u16, u32);

impl Key for u64 {
    fn keyed(self) -> Keyed {
        Keyed::Exactly(self)
    }
}

impl Key for i128 {
    fn keyed(self) -> Keyed {
        match i64::try_from(self) {
            Ok(near) => near.keyed(),
            Err(_) if self < 0 => Keyed::Below,
            Err(_) => Keyed::Above,
        }
    }
}

impl Key for i256 {
    fn keyed(self) -> Keyed {
        match self.to_i128() {
            Some(near) => near.keyed(),
            None if self.is_negative() => Keyed::Below,
            None => Keyed::Above,
        }
    }
}

impl Key for f64 {
    fn keyed(self) -> Keyed {
        match self.plain() {
            NO_KEY => Keyed::Not,
            key => Keyed::Exactly(key),
        }
    }

    fn plain(self) -> u64 {
        // One zero.
        let bits = (self + 0.0).to_bits();
        // All bits of a negative number are turned, the sign of another.
        let key = bits ^ ((bits.cast_signed() >> 63).cast_unsigned() | 1 << 63);
        if self.is_nan() { NO_KEY } else { key }
    }
}

impl Key for f32 {
    fn keyed(self) -> Keyed {
        f64::from(self).keyed()
    }

    fn plain(self) -> u64 {
        f64::from(self).plain()
    }
}

impl Key for f16 {
    fn keyed(self) -> Keyed {
        self.to_f64().keyed()
    }
}

/// The number that has this key.
pub(super) fn number_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key ^ 1 << 63 } else { !key })
}

/// A block of a column, for its keys.
pub(super) struct Keyable<'a> {
    array: &'a dyn Array,
    values: Values<'a>,
}

impl<'a> Keyable<'a> {
    /// `None` for what is no number, time or decimal.
    pub(super) fn new(block: &'a ArrayRef) -> Option<Self> {
        let array = block.as_ref();
        match Values::of(array)? {
            Values::Boolean(_) | Values::Text(_) | Values::Bytes(_) => None,
            values => Some(Self { array, values }),
        }
    }

    /// Whether the keys are of fractions, which [`number_of`] gives back.
    pub(super) fn are_fractions(&self) -> bool {
        matches!(self.values, Values::Float16(_) | Values::Float32(_) | Values::Float64(_))
    }

    /// Puts the keys of some rows in place of those that are there; true where a value has
    /// none of its own.
    pub(super) fn read(&self, rows: Range<usize>, keys: &mut Vec<u64>) -> bool {
        keys.clear();
        let mut is_blurred = false;
        macro_rules! plain {
            ($values:expr) => {
                plain_into($values.get(rows.clone()).unwrap_or_default(), keys)
            };
        }
        macro_rules! keyed {
            ($values:expr) => {
                is_blurred = keyed_into($values.get(rows.clone()).unwrap_or_default(), keys)
            };
        }
        match &self.values {
            Values::Int8(values) => plain!(values),
            Values::Int16(values) => plain!(values),
            Values::Int32(values) => plain!(values),
            Values::UInt8(values) => plain!(values),
            Values::UInt16(values) => plain!(values),
            Values::UInt32(values) => plain!(values),
            Values::Float16(values) => plain!(values),
            Values::Float32(values) => plain!(values),
            Values::Float64(values) => plain!(values),
            Values::Int64(values) => keyed!(values),
            Values::UInt64(values) => keyed!(values),
            Values::Int128(values) => keyed!(values),
            Values::Int256(values) => keyed!(values),
            Values::Boolean(_) | Values::Text(_) | Values::Bytes(_) => {}
        }
        if let Some(nulls) = self.array.nulls().filter(|nulls| nulls.null_count() > 0) {
            for (key, row) in keys.iter_mut().zip(rows) {
                if nulls.is_null(row) {
                    *key = NO_KEY;
                }
            }
        }
        is_blurred
    }
}

// Loops in functions of their own: what a loop is surrounded by takes registers from it in the
// browser, and a large function runs unoptimised for longer.

#[inline(never)]
fn plain_into<T: Key>(values: &[T], keys: &mut Vec<u64>) {
    keys.extend(values.iter().map(|value| value.plain()));
}

/// True where a value has no key of its own, or may be null.
#[inline(never)]
fn keyed_into<T: Key>(values: &[T], keys: &mut Vec<u64>) -> bool {
    let mut is_blurred = false;
    keys.extend(values.iter().map(|value| match value.keyed() {
        Keyed::Exactly(key) if key != NO_KEY => key,
        Keyed::Not => NO_KEY,
        _ => {
            is_blurred = true;
            NO_KEY
        }
    }));
    is_blurred
}
