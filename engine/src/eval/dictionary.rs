//! Dictionaries: the test runs once on the values, and each row looks its answer up.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::ternary::Ternary;
use super::words::words_by;
use super::{ternary_of, ternary_of_plain};
use crate::bind::{Stored, Test};
use crate::column::{Values, plain};
use crate::error::QueryError;
use crate::mask::words_of;

/// What was worked out for the dictionaries met so far: per test, its last one.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    /// By the address of the test, which the bound predicate keeps in place.
    by_test: HashMap<usize, Lookup>,
}

/// The answers for the values of one dictionary.
#[derive(Debug)]
struct Lookup {
    values: ArrayRef,
    answers: Vec<u8>,
    has_unknown: bool,
}

const PASS: u8 = 1;
const KNOWN: u8 = 2;

/// A dictionary so much longer than the rows that use it is not worth testing whole.
const VALUES_PER_ROW_MAX: usize = 4;

impl Lookups {
    pub(super) fn ternary_of(
        &mut self,
        test: &Test,
        array: &ArrayRef,
    ) -> Result<Ternary, QueryError> {
        let Some(dictionary) = array.as_any_dictionary_opt() else {
            return Ok(Ternary::unknown(array.len()));
        };
        let place = std::ptr::from_ref(test).addr();
        let values = dictionary.values();
        let is_met = |lookup: &Lookup| Arc::ptr_eq(&lookup.values, values);
        if !self.by_test.get(&place).is_some_and(is_met) {
            if values.len() > VALUES_PER_ROW_MAX * array.len().max(1_024) {
                return Ok(ternary_of_plain(test, &*plain(array)?));
            }
            let lookup = Lookup::new(test, values, self)?;
            self.by_test.insert(place, lookup);
        }
        let Some(lookup) = self.by_test.get(&place) else {
            return Ok(Ternary::unknown(array.len()));
        };
        let keys = dictionary.keys();
        let (pass, known) = match Values::of(keys) {
            Some(Values::Int8(keys)) => lookup.words(keys),
            Some(Values::Int16(keys)) => lookup.words(keys),
            Some(Values::Int32(keys)) => lookup.words(keys),
            Some(Values::Int64(keys)) => lookup.words(keys),
            Some(Values::UInt8(keys)) => lookup.words(keys),
            Some(Values::UInt16(keys)) => lookup.words(keys),
            Some(Values::UInt32(keys)) => lookup.words(keys),
            Some(Values::UInt64(keys)) => lookup.words(keys),
            _ => return Ok(Ternary::unknown(array.len())),
        };
        let valid = keys.nulls().map(|nulls| words_of(nulls.inner()));
        let known = match (known, valid) {
            (Some(mut known), Some(valid)) => {
                known.iter_mut().zip(valid).for_each(|(known, valid)| *known &= valid);
                Some(known)
            }
            (known, valid) => known.or(valid),
        };
        Ok(Ternary::new(pass, known, array.len()))
    }
}

impl Lookup {
    fn new(test: &Test, values: &ArrayRef, lookups: &mut Lookups) -> Result<Self, QueryError> {
        let ternary = ternary_of(test, values, lookups)?;
        let bit = |words: &[u64], row: usize| {
            words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
        };
        let known = ternary.known_words();
        let answer = |row: usize| {
            let is_known = known.is_none_or(|known| bit(known, row));
            (u8::from(bit(ternary.pass(), row)) * PASS) | (u8::from(is_known) * KNOWN)
        };
        let answers: Vec<u8> = (0..values.len()).map(answer).collect();
        let has_unknown = answers.iter().any(|answer| answer & KNOWN == 0);
        Ok(Self { values: values.clone(), answers, has_unknown })
    }

    /// Words of passing rows, and of known ones where some are not.
    fn words<K: Stored>(&self, keys: &[K]) -> (Vec<u64>, Option<Vec<u64>>) {
        let zero = K::ZERO;
        let answer = |key: K| {
            let place = key.steps_above(zero).unwrap_or(usize::MAX);
            self.answers.get(place).copied().unwrap_or_default()
        };
        let pass = words_by(keys, |key| answer(key) & PASS != 0);
        let known = self.has_unknown.then(|| words_by(keys, |key| answer(key) & KNOWN != 0));
        (pass, known)
    }
}
