//! Parts of the groups: which one each row's key falls into, so that groups which do not fit in
//! memory together can be worked out part by part.

use arrow_array::{Array, ArrayRef, RecordBatch};

use super::Grouper;
use crate::column::{Values, column_of, plain};
use crate::error::QueryError;
use crate::hash::hash_bytes;
use crate::intern::float_bits;
use crate::sample::mix;

/// What a null hashes to, whatever its column.
const NULL_HASH: u64 = 0x2545_f491_4f6c_dd1d;

impl Grouper {
    /// The part of each row of a batch, from 0 to below `parts`. Rows of one group are in one
    /// part, whichever batch they come in. Another `seed` deals the groups out anew.
    pub fn parts(
        &self,
        batch: &RecordBatch,
        first_row: u64,
        seed: u64,
        parts: u32,
    ) -> Result<Vec<u32>, QueryError> {
        let mut hashes = vec![mix(seed ^ NULL_HASH); batch.num_rows()];
        for key in &self.plan.keys {
            let array = column_of(batch, &key.column, first_row)?;
            let array = match &key.bin {
                Some(bin) => bin.edges(&array)?,
                None => array,
            };
            add_hashes(&mut hashes, &plain(&array)?, seed);
        }
        let part = |hash: u64| ((u128::from(hash) * u128::from(parts)) >> 64) as u32;
        Ok(hashes.into_iter().map(part).collect())
    }
}

/// Mixes a column into the hashes of its rows. Values that are one key hash alike: all NaN do,
/// and both zeros.
fn add_hashes(hashes: &mut [u64], array: &ArrayRef, seed: u64) {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let mut add = |row: usize, value: u64| {
        let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
        if let Some(hash) = hashes.get_mut(row) {
            *hash = mix(hash.rotate_left(23) ^ if is_null { NULL_HASH } else { value });
        }
    };
    macro_rules! each {
        ($values:expr, $bits:expr) => {
            $values.iter().enumerate().for_each(|(row, value)| add(row, $bits(*value)))
        };
    }
    match Values::of(array) {
        Some(Values::Boolean(values)) => {
            values.iter().enumerate().for_each(|(row, bit)| add(row, u64::from(bit)));
        }
        Some(Values::Int8(values)) => each!(values, |value| i64::from(value) as u64),
        Some(Values::Int16(values)) => each!(values, |value| i64::from(value) as u64),
        Some(Values::Int32(values)) => each!(values, |value| i64::from(value) as u64),
        Some(Values::Int64(values)) => each!(values, |value| value as u64),
        Some(Values::UInt8(values)) => each!(values, u64::from),
        Some(Values::UInt16(values)) => each!(values, u64::from),
        Some(Values::UInt32(values)) => each!(values, u64::from),
        Some(Values::UInt64(values)) => each!(values, |value: u64| value),
        Some(Values::Float16(values)) => {
            each!(values, |value: half::f16| float_bits(value.to_f64()))
        }
        Some(Values::Float32(values)) => each!(values, |value| float_bits(f64::from(value))),
        Some(Values::Float64(values)) => each!(values, float_bits),
        Some(Values::Int128(values)) => {
            each!(values, |value: i128| hash_bytes(seed, &value.to_le_bytes()));
        }
        Some(Values::Int256(values)) => {
            each!(values, |value: arrow_buffer::i256| hash_bytes(seed, &value.to_le_bytes()));
        }
        Some(Values::Text(values) | Values::Bytes(values)) => {
            (0..array.len()).for_each(|row| add(row, hash_bytes(seed, values.get(row))));
        }
        // Columns of type null: every row is alike.
        None => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{DictionaryArray, Float64Array, StringArray};
    use arrow_schema::Schema;

    use super::*;
    use crate::query::GroupKey;

    fn parts(columns: Vec<(&str, ArrayRef)>, seed: u64) -> Vec<u32> {
        let names: Vec<GroupKey> =
            columns.iter().map(|(name, _)| GroupKey::Column((*name).to_owned())).collect();
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let schema: &Schema = &batch.schema();
        Grouper::new(&names, &[], schema).unwrap().parts(&batch, 0, seed, 16).unwrap()
    }

    #[test]
    fn one_key_is_in_one_part_however_it_is_stored() {
        let zeros =
            Float64Array::from(vec![Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN)]);
        let found = parts(vec![("x", Arc::new(zeros))], 1);
        assert_eq!((found[0], found[2]), (found[1], found[3]));
        let words = vec![Some("a"), None, Some("b"), Some("a"), None];
        let dictionary: DictionaryArray<Int8Type> = words.iter().copied().collect();
        let strings = StringArray::from(words);
        let plain = parts(vec![("s", Arc::new(strings))], 1);
        assert_eq!(parts(vec![("s", Arc::new(dictionary))], 1), plain);
        assert_eq!((plain[0], plain[1]), (plain[3], plain[4]));
    }

    #[test]
    fn keys_spread_over_all_parts_and_anew_by_the_seed() {
        let numbers = || Arc::new(Float64Array::from_iter_values((0..4096).map(f64::from)));
        let (first, second) = (parts(vec![("x", numbers())], 1), parts(vec![("x", numbers())], 2));
        for part in 0..16 {
            let both = first.iter().zip(&second).filter(|pair| *pair == (&part, &part)).count();
            let of_first = first.iter().filter(|found| **found == part).count();
            assert!((150..370).contains(&of_first), "{of_first} rows in part {part}");
            assert!(both < 40, "{both} rows stay in part {part}");
        }
    }
}
