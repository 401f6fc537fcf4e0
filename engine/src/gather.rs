//! Arrays put together from rows of others: looked up by place, and end to end. Arrow's
//! own kernels do the same, compiled once for every type: more code than all of the
//! evaluator, which a browser would have to load first. `execute` keeps arrow's, as the
//! browser does not link it.

mod places;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, make_array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, DataType};

use crate::column::{Values, array_from_natives, bytes_array};
use crate::error::QueryError;

pub(crate) use self::places::places_of;

/// Stands for null among places.
pub const NO_PLACE: u32 = u32::MAX;

/// The array with its values in place: dictionaries and run-ends looked up, others as
/// they are.
pub fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(_, _) => match array.as_any_dictionary_opt() {
            Some(dictionary) => plain(&take(dictionary.values(), &places_of(dictionary.keys()))?),
            None => Ok(array.clone()),
        },
        DataType::RunEndEncoded(_, _) => match runs_of(array) {
            Some((places, values)) => plain(&take(&values, &places)?),
            None => Ok(array.clone()),
        },
        _ => Ok(array.clone()),
    }
}

/// The place of each row's value among the values of a run-end encoded array.
fn runs_of(array: &ArrayRef) -> Option<(Vec<u32>, ArrayRef)> {
    macro_rules! runs {
        ($native:ty) => {
            array.as_run_opt::<$native>().map(|runs| {
                let place = |row| runs.get_physical_index(row) as u32;
                ((0..runs.len()).map(place).collect(), runs.values().clone())
            })
        };
    }
    runs!(Int16Type).or_else(|| runs!(Int32Type)).or_else(|| runs!(Int64Type))
}

/// The values at the places, in their order; null for [`NO_PLACE`] and past the end. The
/// type stays.
pub fn take(values: &dyn Array, places: &[u32]) -> Result<ArrayRef, ArrowError> {
    let is_valid = |place: u32| (place as usize) < values.len() && !values.is_null(place as usize);
    let valid = BooleanBuffer::collect_bool(places.len(), |row| {
        places.get(row).is_some_and(|place| is_valid(*place))
    });
    let nulls = Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0);
    let data_type = values.data_type();
    macro_rules! natives {
        ($values:expr) => {{
            let at = |place: &u32| $values.get(*place as usize).copied().unwrap_or_default();
            array_from_natives(places.iter().map(at).collect(), nulls, data_type)
        }};
    }
    let taken = match Values::of(values) {
        Some(Values::Int8(values)) => natives!(values),
        Some(Values::Int16(values)) => natives!(values),
        Some(Values::Int32(values)) => natives!(values),
        Some(Values::Int64(values)) => natives!(values),
        Some(Values::UInt8(values)) => natives!(values),
        Some(Values::UInt16(values)) => natives!(values),
        Some(Values::UInt32(values)) => natives!(values),
        Some(Values::UInt64(values)) => natives!(values),
        Some(Values::Int128(values)) => natives!(values),
        Some(Values::Int256(values)) => natives!(values),
        Some(Values::Float16(values)) => natives!(values),
        Some(Values::Float32(values)) => natives!(values),
        Some(Values::Float64(values)) => natives!(values),
        Some(Values::Boolean(values)) => {
            let bits = BooleanBuffer::collect_bool(places.len(), |row| {
                let place = places.get(row).map_or(usize::MAX, |place| *place as usize);
                place < values.len() && values.value(place)
            });
            return Ok(std::sync::Arc::new(BooleanArray::new(bits, nulls)));
        }
        Some(Values::Text(bytes) | Values::Bytes(bytes)) if !is_view(data_type) => {
            let part = |place: &u32| match is_valid(*place) {
                true => bytes.get(*place as usize),
                false => &[],
            };
            bytes_array(places.iter().map(part), nulls, data_type)
        }
        _ => return take_runs(values, places, nulls.is_some()),
    };
    taken.map_err(|error: QueryError| ArrowError::ComputeError(error.kind.to_string()))
}

/// The same for types that are rarely met: neighbours that stay neighbours are copied
/// together.
fn take_runs(values: &dyn Array, places: &[u32], has_nulls: bool) -> Result<ArrayRef, ArrowError> {
    let data = values.to_data();
    let mut taken = MutableArrayData::new(vec![&data], has_nulls, places.len());
    for run in places.chunk_by(|a, b| match *a {
        NO_PLACE => *b == NO_PLACE,
        a => a.checked_add(1) == Some(*b) && *b != NO_PLACE,
    }) {
        let start = run.first().map_or(0, |place| *place as usize);
        let inside = values.len().saturating_sub(start).min(run.len());
        if inside > 0 {
            taken.try_extend(0, start, start + inside)?;
        }
        if inside < run.len() {
            taken.try_extend_nulls(run.len() - inside)?;
        }
    }
    Ok(make_array(taken.freeze()))
}

/// The arrays, all of one type, end to end; shares no memory with them. An error where
/// there is none, where types differ, and where the whole is too long for its type.
pub fn concat(parts: &[&dyn Array]) -> Result<ArrayRef, ArrowError> {
    let Some(first) = parts.first() else {
        return Err(ArrowError::InvalidArgumentError("nothing to put end to end".to_owned()));
    };
    if let Some(other) = parts.iter().find(|part| part.data_type() != first.data_type()) {
        let (first, other) = (first.data_type(), other.data_type());
        let detail = format!("{other} cannot follow {first}");
        return Err(ArrowError::InvalidArgumentError(detail));
    }
    let data: Vec<ArrayData> = parts.iter().map(|part| part.to_data()).collect();
    check_keys(&data)?;
    let rows = data.iter().map(ArrayData::len).sum();
    let mut whole = MutableArrayData::new(data.iter().collect(), false, rows);
    for (index, part) in data.iter().enumerate() {
        whole.try_extend(index, 0, part.len())?;
    }
    Ok(make_array(whole.freeze()))
}

/// Different dictionaries become one, which has to be within reach of its keys and
/// offsets, on all levels.
fn check_keys(parts: &[ArrayData]) -> Result<(), ArrowError> {
    let Some(first) = parts.first() else { return Ok(()) };
    let mut dictionaries = parts.iter().flat_map(|part| part.child_data().first());
    if let (DataType::Dictionary(key, _), Some(values)) = (first.data_type(), dictionaries.next())
        && !dictionaries.all(|other| values.ptr_eq(other))
    {
        let dictionaries = parts.iter().flat_map(|part| part.child_data().first());
        let (rows, bytes) = dictionaries.fold((0_u64, 0_u64), |(rows, bytes), values| {
            (rows + values.len() as u64, bytes + text_bytes(values) as u64)
        });
        let reach = match **key {
            DataType::Int8 => i8::MAX as u64,
            DataType::UInt8 => u8::MAX.into(),
            DataType::Int16 => i16::MAX as u64,
            DataType::UInt16 => u16::MAX.into(),
            DataType::Int32 => i32::MAX as u64,
            _ => u32::MAX.into(),
        };
        if rows > reach || bytes > i32::MAX as u64 {
            return Err(ArrowError::DictionaryKeyOverflowError);
        }
    }
    (0..first.child_data().len()).try_for_each(|child| {
        let children = parts.iter().filter_map(|part| part.child_data().get(child).cloned());
        check_keys(&children.collect::<Vec<_>>())
    })
}

/// The bytes of values whose type addresses no more than two gigabytes of them.
fn text_bytes(values: &ArrayData) -> usize {
    match values.data_type() {
        DataType::Utf8 | DataType::Binary => values.buffers().get(1).map_or(0, |bytes| bytes.len()),
        _ => 0,
    }
}

fn is_view(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8View | DataType::BinaryView)
}

#[cfg(test)]
mod tests;
