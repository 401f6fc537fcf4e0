//! One dictionary per column over many batches. A file holds one only, and readers of it
//! see codes that mean the same in every batch.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, PrimitiveArray, RecordBatch, RecordBatchOptions,
    downcast_dictionary_array, make_array,
};
use arrow_buffer::ArrowNativeType;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, DataType};

use super::error::{IpcError, column_place};

/// Rewrites the dictionaries of batches, one after the other, so that each extends the one
/// before it. Columns whose dictionaries hold nested values are left alone.
#[derive(Debug, Default)]
pub struct DictionaryUnifier {
    columns: HashMap<usize, Unified>,
}

#[derive(Debug)]
struct Unified {
    values: ArrayRef,
    code_of: HashMap<Option<Box<[u8]>>, usize>,
}

impl DictionaryUnifier {
    /// The batch with its keys and dictionaries rewritten.
    pub fn unify(&mut self, batch: &RecordBatch) -> Result<RecordBatch, IpcError> {
        let columns = batch
            .columns()
            .iter()
            .enumerate()
            .map(|(idx, array)| {
                let name = || column_place(batch.schema_ref().field(idx).name());
                self.column(idx, array).map_err(|source| IpcError::Array { at: name(), source })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(batch.schema(), columns, &options)
            .map_err(IpcError::Encode)
    }

    fn column(&mut self, idx: usize, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let Some(dictionary) = array.as_any_dictionary_opt() else { return Ok(Arc::clone(array)) };
        let values = dictionary.values();
        if !is_unifiable(values.data_type()) {
            return Ok(Arc::clone(array));
        }
        let unified = self
            .columns
            .entry(idx)
            .or_insert_with(|| Unified { values: values.slice(0, 0), code_of: HashMap::new() });
        let codes = unified.extend(values)?;
        let values = Arc::clone(&unified.values);
        if codes.iter().enumerate().all(|(old, new)| old == *new) {
            return Ok(dictionary.with_values(values));
        }
        downcast_dictionary_array! {
            array => recode(array, &codes, values),
            other => Err(ArrowError::InvalidArgumentError(format!("{other} is no dictionary type")))
        }
    }
}

impl Unified {
    /// Adds what is new in `values`; answers the code of each.
    fn extend(&mut self, values: &ArrayRef) -> Result<Vec<usize>, ArrowError> {
        let mut fresh = Vec::new();
        let mut codes = Vec::with_capacity(values.len());
        let n_known = self.values.len();
        let is_same = n_known == values.len() && self.values.to_data().ptr_eq(&values.to_data());
        if is_same {
            return Ok((0..n_known).collect());
        }
        for row in 0..values.len() {
            let next = n_known + fresh.len();
            let code = *self.code_of.entry(bytes_of_value(values, row)).or_insert(next);
            if code == next {
                fresh.push(row);
            }
            codes.push(code);
        }
        if !fresh.is_empty() {
            self.values = appended(&self.values, values, &fresh)?;
        }
        Ok(codes)
    }
}

/// Whether values can be told apart by their bytes.
pub(crate) fn is_unifiable(values: &DataType) -> bool {
    values.is_primitive()
        || matches!(
            values,
            DataType::Boolean
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::FixedSizeBinary(_)
        )
}

/// What tells a value from others of its column; `None` is null.
fn bytes_of_value(values: &ArrayRef, row: usize) -> Option<Box<[u8]>> {
    if values.is_null(row) {
        return None;
    }
    let bytes: &[u8] = match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().value(row).as_bytes(),
        DataType::LargeUtf8 => values.as_string::<i64>().value(row).as_bytes(),
        DataType::Binary => values.as_binary::<i32>().value(row),
        DataType::LargeBinary => values.as_binary::<i64>().value(row),
        DataType::FixedSizeBinary(_) => values.as_fixed_size_binary().value(row),
        DataType::Boolean => &[u8::from(values.as_boolean().value(row))],
        data_type => {
            let width = data_type.primitive_width().unwrap_or(0);
            let data = values.to_data();
            let start = (data.offset() + row) * width;
            let bytes = data.buffers().first().and_then(|b| b.get(start..start + width));
            return Some(bytes.unwrap_or(&[]).into());
        }
    };
    Some(bytes.into())
}

fn appended(known: &ArrayRef, values: &ArrayRef, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
    let (known, values) = (known.to_data(), values.to_data());
    let capacity = known.len() + rows.len();
    let mut all = MutableArrayData::new(vec![&known, &values], false, capacity);
    all.try_extend(0, 0, known.len())?;
    for row in rows {
        all.try_extend(1, *row, row + 1)?;
    }
    Ok(make_array(all.freeze()))
}

fn recode<K: ArrowDictionaryKeyType>(
    array: &DictionaryArray<K>,
    codes: &[usize],
    values: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let keys = array.keys();
    let recoded: PrimitiveArray<K> = keys
        .iter()
        .map(|key| {
            let Some(key) = key else { return Ok(None) };
            let code = codes.get(key.as_usize()).copied().and_then(K::Native::from_usize);
            code.map(Some).ok_or(ArrowError::DictionaryKeyOverflowError)
        })
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(DictionaryArray::try_new(recoded, values)?))
}
