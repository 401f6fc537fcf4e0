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
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, FixedSizeBinaryArray, Int64Array, RecordBatch,
    StringViewArray, make_array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, i256};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, TimeUnit};
use half::f16;

use crate::bind::{BoundColumn, value_type};
use crate::error::{QueryError, QueryErrorKind};
use crate::gather;

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
    Text(ByteValues<'a>),
    /// Binaries of any type.
    Bytes(ByteValues<'a>),
}

/// The values of an array of any string or binary type, as bytes.
#[derive(Clone, Copy)]
pub(crate) enum ByteValues<'a> {
    Small { offsets: &'a [i32], bytes: &'a [u8] },
    Large { offsets: &'a [i64], bytes: &'a [u8] },
    TextView(&'a StringViewArray),
    BinaryView(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> Values<'a> {
    /// `None` for types that are only ever null or not (nested, intervals, null itself), and
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
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                ByteValues::of(array).map(Self::Text)
            }
            _ => ByteValues::of(array).map(Self::Bytes),
        }
    }
}

impl<'a> ByteValues<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        macro_rules! offset {
            ($variant:ident, $array:expr) => {
                $array.map(|array| Self::$variant {
                    offsets: array.value_offsets(),
                    bytes: array.value_data(),
                })
            };
        }
        match array.data_type() {
            DataType::Utf8 => offset!(Small, array.as_string_opt::<i32>()),
            DataType::LargeUtf8 => offset!(Large, array.as_string_opt::<i64>()),
            DataType::Utf8View => array.as_string_view_opt().map(Self::TextView),
            DataType::Binary => offset!(Small, array.as_binary_opt::<i32>()),
            DataType::LargeBinary => offset!(Large, array.as_binary_opt::<i64>()),
            DataType::BinaryView => array.as_binary_view_opt().map(Self::BinaryView),
            DataType::FixedSizeBinary(_) => array.as_fixed_size_binary_opt().map(Self::Fixed),
            _ => None,
        }
    }

    /// The bytes of one value; empty past the end.
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
            Self::TextView(array) if row < array.len() => array.value(row).as_bytes(),
            Self::BinaryView(array) if row < array.len() => array.value(row),
            Self::Fixed(array) if row < array.len() => array.value(row),
            Self::TextView(_) | Self::BinaryView(_) | Self::Fixed(_) => &[],
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

/// The array with its values in place, as [`gather::plain`] makes it.
pub(crate) fn plain(array: &ArrayRef) -> Result<ArrayRef, QueryError> {
    gather::plain(array).map_err(arrow_failed)
}

/// A refusal of arrow's own, which only batches that break its rules lead to.
pub(crate) fn arrow_failed(error: ArrowError) -> QueryError {
    QueryError::new("batch", QueryErrorKind::Unsupported { detail: error.to_string() })
}

/// An array of a type from the values it stores.
pub(crate) fn array_from_natives<T: ArrowNativeType>(
    values: Vec<T>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    let data = ArrayData::builder(data_type.clone())
        .len(values.len())
        .nulls(nulls.filter(|nulls| nulls.null_count() > 0))
        .add_buffer(Buffer::from_vec(values));
    Ok(make_array(data.build().map_err(arrow_failed)?))
}

/// An array of a string or binary type, none of the view types, from its values.
pub(crate) fn bytes_array<'a>(
    parts: impl Iterator<Item = &'a [u8]>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Result<ArrayRef, QueryError> {
    let mut ends = vec![0_i64];
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(part);
        ends.push(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    }
    let data = ArrayData::builder(data_type.clone())
        .len(ends.len() - 1)
        .nulls(nulls.filter(|nulls| nulls.null_count() > 0));
    let data = match data_type {
        DataType::FixedSizeBinary(width) => {
            // Null slots take up room too.
            let width = usize::try_from(*width).unwrap_or_default();
            let mut filled = Vec::with_capacity((ends.len() - 1) * width);
            for end in ends.windows(2) {
                let &[start, end] = end else { continue };
                let part = bytes.get(start as usize..end as usize).unwrap_or_default();
                filled.extend(part.iter().copied().chain(std::iter::repeat(0)).take(width));
            }
            data.add_buffer(Buffer::from_vec(filled))
        }
        DataType::LargeUtf8 | DataType::LargeBinary => {
            data.add_buffer(Buffer::from_vec(ends)).add_buffer(Buffer::from_vec(bytes))
        }
        _ => {
            let ends: Result<Vec<i32>, _> = ends.into_iter().map(i32::try_from).collect();
            let ends = ends.map_err(|_| {
                let detail = "more than two gigabytes of distinct strings".to_owned();
                QueryError::new("group_by", QueryErrorKind::Unsupported { detail })
            })?;
            data.add_buffer(Buffer::from_vec(ends)).add_buffer(Buffer::from_vec(bytes))
        }
    };
    Ok(make_array(data.build().map_err(arrow_failed)?))
}

/// The type of an answer's column: views and run-ends are told as plain values.
pub fn answer_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::RunEndEncoded(_, values) => answer_type(values.data_type()),
        other => other.clone(),
    }
}

/// The array as an answer holds it, of its [`answer_type`].
pub(crate) fn answer_array(array: &ArrayRef) -> Result<ArrayRef, QueryError> {
    let data_type = answer_type(array.data_type());
    match (array.data_type(), Values::of(array)) {
        (
            DataType::Utf8View | DataType::BinaryView,
            Some(Values::Text(values) | Values::Bytes(values)),
        ) => {
            let parts = (0..array.len()).map(|row| values.get(row));
            bytes_array(parts, array.nulls().cloned(), &data_type)
        }
        (DataType::RunEndEncoded(_, _), _) => answer_array(&plain(array)?),
        _ => Ok(array.clone()),
    }
}

/// The values of a plain array of numbers or times as f64: times and durations as the
/// integers they are stored as, decimals as the numbers they mean.
pub(crate) fn floats_of(array: &dyn Array) -> Option<(Cow<'_, [f64]>, Option<NullBuffer>)> {
    if *array.data_type() == DataType::Null {
        let nulls = NullBuffer::new_null(array.len());
        return Some((vec![0.0; array.len()].into(), Some(nulls)));
    }
    let mut floats = stored_floats_of(array)?;
    let scale = scale_of(array.data_type());
    if scale != 0 {
        floats.to_mut().iter_mut().for_each(|value| *value = unscaled(*value, scale));
    }
    Some((floats, array.nulls().cloned()))
}

/// How many of a decimal's digits stand behind the point; none of other types' do.
pub(crate) fn scale_of(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => i32::from(*scale),
        _ => 0,
    }
}

/// As [`floats_of`], decimals as the integers they are stored as.
pub(crate) fn stored_floats_of(array: &dyn Array) -> Option<Cow<'_, [f64]>> {
    macro_rules! cast {
        ($values:expr) => {
            $values.iter().map(|value| *value as f64).collect()
        };
    }
    Some(match Values::of(array)? {
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
        Values::Boolean(_) | Values::Text(_) | Values::Bytes(_) => return None,
    })
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
