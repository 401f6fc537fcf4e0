//! Arrow arrays seen as what they store: one variant per layout, whatever the logical
//! type on top. Every typed loop of the engine starts here.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringViewArray, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, i256};
use arrow_schema::{DataType, TimeUnit};
use half::f16;

use crate::bind::{BoundColumn, value_type};
use crate::error::{QueryError, QueryErrorKind};

/// The stored values of an array, nulls aside.
pub(crate) enum Values<'a> {
    Boolean(&'a BooleanBuffer),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
    Int128(&'a [i128]),
    Int256(&'a [i256]),
    Float16(&'a [f16]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Text(TextValues<'a>),
}

/// The texts of an array of any string type, as bytes.
#[derive(Clone, Copy)]
pub(crate) enum TextValues<'a> {
    Small { offsets: &'a [i32], bytes: &'a [u8] },
    Large { offsets: &'a [i64], bytes: &'a [u8] },
    View(&'a StringViewArray),
}

impl<'a> Values<'a> {
    /// `None` for types that are only ever null or not (nested, binary, null itself), and
    /// for dictionaries and run-ends, which [`plain`] sees through.
    pub(crate) fn of(array: &'a dyn Array) -> Option<Self> {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        macro_rules! primitive {
            ($variant:ident, $native:ty) => {
                array.as_primitive_opt::<$native>().map(|array| Self::$variant(array.values()))
            };
        }
        match array.data_type() {
            DataType::Boolean => array.as_boolean_opt().map(|array| Self::Boolean(array.values())),
            DataType::Int8 => primitive!(Int8, Int8Type),
            DataType::Int16 => primitive!(Int16, Int16Type),
            DataType::Int32 => primitive!(Int32, Int32Type),
            DataType::Int64 => primitive!(Int64, Int64Type),
            DataType::UInt8 => primitive!(UInt8, UInt8Type),
            DataType::UInt16 => primitive!(UInt16, UInt16Type),
            DataType::UInt32 => primitive!(UInt32, UInt32Type),
            DataType::UInt64 => primitive!(UInt64, UInt64Type),
            DataType::Float16 => primitive!(Float16, Float16Type),
            DataType::Float32 => primitive!(Float32, Float32Type),
            DataType::Float64 => primitive!(Float64, Float64Type),
            DataType::Date32 => primitive!(Int32, Date32Type),
            DataType::Date64 => primitive!(Int64, Date64Type),
            DataType::Time32(Second) => primitive!(Int32, Time32SecondType),
            DataType::Time32(_) => primitive!(Int32, Time32MillisecondType),
            DataType::Time64(Microsecond) => primitive!(Int64, Time64MicrosecondType),
            DataType::Time64(_) => primitive!(Int64, Time64NanosecondType),
            DataType::Timestamp(Second, _) => primitive!(Int64, TimestampSecondType),
            DataType::Timestamp(Millisecond, _) => primitive!(Int64, TimestampMillisecondType),
            DataType::Timestamp(Microsecond, _) => primitive!(Int64, TimestampMicrosecondType),
            DataType::Timestamp(Nanosecond, _) => primitive!(Int64, TimestampNanosecondType),
            DataType::Duration(Second) => primitive!(Int64, DurationSecondType),
            DataType::Duration(Millisecond) => primitive!(Int64, DurationMillisecondType),
            DataType::Duration(Microsecond) => primitive!(Int64, DurationMicrosecondType),
            DataType::Duration(Nanosecond) => primitive!(Int64, DurationNanosecondType),
            DataType::Decimal32(_, _) => primitive!(Int32, Decimal32Type),
            DataType::Decimal64(_, _) => primitive!(Int64, Decimal64Type),
            DataType::Decimal128(_, _) => primitive!(Int128, Decimal128Type),
            DataType::Decimal256(_, _) => primitive!(Int256, Decimal256Type),
            DataType::Utf8 => array.as_string_opt::<i32>().map(|array| {
                let (offsets, bytes) = (array.value_offsets(), array.value_data());
                Self::Text(TextValues::Small { offsets, bytes })
            }),
            DataType::LargeUtf8 => array.as_string_opt::<i64>().map(|array| {
                let (offsets, bytes) = (array.value_offsets(), array.value_data());
                Self::Text(TextValues::Large { offsets, bytes })
            }),
            DataType::Utf8View => {
                array.as_string_view_opt().map(|array| Self::Text(TextValues::View(array)))
            }
            _ => None,
        }
    }
}

impl<'a> TextValues<'a> {
    /// The bytes of one text; empty past the end.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> &'a [u8] {
        match self {
            Self::Small { offsets, bytes } => match offsets.get(row..row + 2) {
                Some(&[start, end]) => bytes.get(start as usize..end as usize).unwrap_or_default(),
                _ => &[],
            },
            Self::Large { offsets, bytes } => match offsets.get(row..row + 2) {
                Some(&[start, end]) => bytes.get(start as usize..end as usize).unwrap_or_default(),
                _ => &[],
            },
            Self::View(array) if row < array.len() => array.value(row).as_bytes(),
            Self::View(_) => &[],
        }
    }
}

/// The column of a batch that was bound to: by place where the name agrees, else by name.
/// The virtual row numbers are made where the batch does not carry them.
pub(crate) fn column_of(
    batch: &RecordBatch,
    column: &BoundColumn,
    first_row: u64,
) -> Result<ArrayRef, QueryError> {
    let schema = batch.schema_ref();
    let at_place = column.index.filter(|index| {
        schema.fields().get(*index).is_some_and(|field| *field.name() == column.name)
    });
    let Some(index) = at_place.or_else(|| schema.index_of(&column.name).ok()) else {
        if column.index.is_none() {
            return Ok(row_numbers(first_row, batch.num_rows()));
        }
        let names = schema.fields().iter().map(|field| field.name().as_str());
        return Err(QueryError::unknown_column("batch", &column.name, names));
    };
    let array = batch.column(index);
    if same_domain(value_type(array.data_type()), &column.data_type) {
        return Ok(array.clone());
    }
    let detail = format!(
        "column {:?} is of type {} in this batch, not {}",
        column.name,
        array.data_type(),
        column.data_type
    );
    Err(QueryError::new("batch", QueryErrorKind::Unsupported { detail }))
}

/// The numbers of the rows of a batch.
pub(crate) fn row_numbers(first_row: u64, len: usize) -> ArrayRef {
    let first = i64::try_from(first_row).unwrap_or(i64::MAX);
    let end = first.saturating_add(i64::try_from(len).unwrap_or(i64::MAX));
    Arc::new(Int64Array::from_iter_values(first..end))
}

/// Whether values of two types are stored alike and mean the same.
fn same_domain(a: &DataType, b: &DataType) -> bool {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Decimal256, LargeUtf8, Timestamp, Utf8, Utf8View,
    };
    match (a, b) {
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => true,
        (Timestamp(a, _), Timestamp(b, _)) => a == b,
        (Decimal32(_, a), Decimal32(_, b))
        | (Decimal64(_, a), Decimal64(_, b))
        | (Decimal128(_, a), Decimal128(_, b))
        | (Decimal256(_, a), Decimal256(_, b)) => a == b,
        _ => a == b,
    }
}

/// The array with its values in place: dictionaries and run-ends looked up, others as
/// they are.
pub(crate) fn plain(array: &ArrayRef) -> Result<ArrayRef, QueryError> {
    let looked_up = match array.data_type() {
        DataType::Dictionary(_, _) => {
            let Some(dictionary) = array.as_any_dictionary_opt() else { return Ok(array.clone()) };
            arrow_select::take::take(dictionary.values(), dictionary.keys(), None)
        }
        DataType::RunEndEncoded(_, _) => {
            let Some((places, values)) = runs_of(array) else { return Ok(array.clone()) };
            arrow_select::take::take(&values, &places, None)
        }
        _ => return Ok(array.clone()),
    };
    let looked_up = looked_up.map_err(|error| {
        QueryError::new("batch", QueryErrorKind::Unsupported { detail: error.to_string() })
    })?;
    plain(&looked_up)
}

/// The place of each row's value among the values of a run-end encoded array.
fn runs_of(array: &ArrayRef) -> Option<(UInt64Array, ArrayRef)> {
    macro_rules! runs {
        ($native:ty) => {
            array.as_run_opt::<$native>().map(|runs| {
                let place = |row| runs.get_physical_index(row) as u64;
                let places = UInt64Array::from_iter_values((0..runs.len()).map(place));
                (places, runs.values().clone())
            })
        };
    }
    runs!(Int16Type).or_else(|| runs!(Int32Type)).or_else(|| runs!(Int64Type))
}

/// The values of a plain array of numbers or times as f64: times and durations as the
/// integers they are stored as, decimals as the numbers they mean.
pub(crate) fn floats_of(array: &dyn Array) -> Option<(Cow<'_, [f64]>, Option<NullBuffer>)> {
    let scale = match array.data_type() {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => i32::from(*scale),
        DataType::Null => {
            return Some((vec![0.0; array.len()].into(), Some(NullBuffer::new_null(array.len()))));
        }
        _ => 0,
    };
    macro_rules! cast {
        ($values:expr) => {
            $values.iter().map(|value| *value as f64).collect()
        };
    }
    let mut floats: Cow<'_, [f64]> = match Values::of(array)? {
        Values::Float64(values) => Cow::Borrowed(values),
        Values::Float32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Values::Float16(values) => values.iter().map(|value| value.to_f64()).collect(),
        Values::Int8(values) => cast!(values),
        Values::Int16(values) => cast!(values),
        Values::Int32(values) => cast!(values),
        Values::Int64(values) => cast!(values),
        Values::UInt8(values) => cast!(values),
        Values::UInt16(values) => cast!(values),
        Values::UInt32(values) => cast!(values),
        Values::UInt64(values) => cast!(values),
        Values::Int128(values) => cast!(values),
        Values::Int256(values) => values.iter().map(|value| float_from_wide(*value)).collect(),
        Values::Boolean(_) | Values::Text(_) => return None,
    };
    if scale != 0 {
        floats.to_mut().iter_mut().for_each(|value| *value = unscaled(*value, scale));
    }
    Some((floats, array.nulls().cloned()))
}

/// value × 10^-scale, by the one rounding that a power of ten that f64 holds allows.
pub(crate) fn unscaled(value: f64, scale: i32) -> f64 {
    let power = 10_f64.powi(scale.abs());
    if scale >= 0 { value / power } else { value * power }
}

/// The nearest f64, by halves of 128 bits.
pub(crate) fn float_from_wide(value: i256) -> f64 {
    let (low, high) = value.to_parts();
    match value.to_i128() {
        Some(narrow) => narrow as f64,
        None => high as f64 * 2_f64.powi(128) + low as f64,
    }
}
