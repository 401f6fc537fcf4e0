//! Columns as a file stores them into the table's columns: other names, other order, fields
//! that the file has not got, types that were widened since. Types that no widening leads
//! to are refused.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};

use super::delta::schema::Physical;
use super::stream::ReadError;

/// The column as the table has it.
pub fn reshape(
    array: &ArrayRef,
    wanted: &DataType,
    physical: &Physical,
) -> Result<ArrayRef, ReadError> {
    let mismatch = || {
        let stored = array.data_type();
        ReadError::Bad(format!("the file stores {stored} where the table has {wanted}"))
    };
    match (array.data_type(), wanted) {
        (DataType::Struct(stored), DataType::Struct(fields)) => {
            let from = array.as_struct_opt().ok_or_else(mismatch)?;
            let columns = fields.iter().zip(&physical.children).map(|(to, below)| {
                match below.find(stored).and_then(|place| from.columns().get(place)) {
                    Some(column) => reshape(column, to.data_type(), below),
                    None => Ok(new_null_array(to.data_type(), array.len())),
                }
            });
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let nulls = from.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                columns,
                nulls,
                array.len(),
            )?))
        }
        (DataType::List(_), DataType::List(element)) => {
            let from = array.as_list_opt::<i32>().ok_or_else(mismatch)?;
            let below = physical.children.first().ok_or_else(mismatch)?;
            let items = reshape(from.values(), element.data_type(), below)?;
            let (offsets, nulls) = (from.offsets().clone(), from.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, items, nulls)?))
        }
        (DataType::Map(..), DataType::Map(entries, is_sorted)) => {
            let from = array.as_map_opt().ok_or_else(mismatch)?;
            let DataType::Struct(fields) = entries.data_type() else { return Err(mismatch()) };
            let ([key, value], [below_key, below_value]) =
                (fields.as_ref(), physical.children.as_slice())
            else {
                return Err(mismatch());
            };
            let columns = vec![
                reshape(from.keys(), key.data_type(), below_key)?,
                reshape(from.values(), value.data_type(), below_value)?,
            ];
            let inner = StructArray::try_new(fields.clone(), columns, None)?;
            let (offsets, nulls) = (from.offsets().clone(), from.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, inner, nulls, *is_sorted)?))
        }
        (from, to) if from == to => Ok(Arc::clone(array)),
        (DataType::Timestamp(..), DataType::Timestamp(unit, zone)) => {
            // Zones here are UTC or absent, and both count from the same instant.
            let bare = without_zone(array).ok_or_else(mismatch)?;
            let cast = strict(&bare, &DataType::Timestamp(*unit, None))?;
            match (unit, zone) {
                (_, None) => Ok(cast),
                (TimeUnit::Microsecond, Some(zone)) => {
                    let typed = cast.as_primitive_opt::<TimestampMicrosecondType>();
                    Ok(Arc::new(
                        typed.ok_or_else(mismatch)?.clone().with_timezone(Arc::clone(zone)),
                    ))
                }
                _ => Err(mismatch()),
            }
        }
        (from, to) if may_cast(from, to) => strict(array, to),
        _ => Err(mismatch()),
    }
}

pub fn strict(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ReadError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(array, to, &options)?)
}

fn without_zone(array: &ArrayRef) -> Option<ArrayRef> {
    let DataType::Timestamp(unit, zone) = array.data_type() else { return None };
    if !zone.as_deref().is_none_or(|zone| matches!(zone, "UTC" | "+00:00")) {
        return None;
    }
    Some(match unit {
        TimeUnit::Second => Arc::new(
            array.as_primitive::<TimestampSecondType>().clone().with_timezone_opt(None::<Arc<str>>),
        ),
        TimeUnit::Millisecond => Arc::new(
            array
                .as_primitive::<TimestampMillisecondType>()
                .clone()
                .with_timezone_opt(None::<Arc<str>>),
        ),
        TimeUnit::Microsecond => Arc::new(
            array
                .as_primitive::<TimestampMicrosecondType>()
                .clone()
                .with_timezone_opt(None::<Arc<str>>),
        ),
        TimeUnit::Nanosecond => Arc::new(
            array
                .as_primitive::<TimestampNanosecondType>()
                .clone()
                .with_timezone_opt(None::<Arc<str>>),
        ),
    })
}

/// Whether a stored type may stand for a wanted one: the widenings that Delta lists, and
/// types that Parquet cannot tell apart.
fn may_cast(stored: &DataType, wanted: &DataType) -> bool {
    use DataType::{
        Binary, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8,
    };
    match (stored, wanted) {
        (Int8 | Int16 | Int32, Int8 | Int16 | Int32 | Int64 | Float64) => true,
        (Float32, Float64) | (Binary, Utf8) | (Utf8, Binary) => true,
        (Date32, Timestamp(TimeUnit::Microsecond, None)) => true,
        (Int8 | Int16 | Int32 | Int64, Decimal128(precision, scale)) => {
            let digits = match stored {
                Int8 => 3,
                Int16 => 5,
                Int32 => 10,
                _ => 19,
            };
            *scale >= 0 && i16::from(*precision) - i16::from(*scale) >= digits
        }
        (Decimal128(p, s), Decimal128(to_p, to_s)) => {
            let (p, s) = (i16::from(*p), i16::from(*s));
            let (to_p, to_s) = (i16::from(*to_p), i16::from(*to_s));
            to_s >= s && to_p - to_s >= p - s
        }
        _ => false,
    }
}
