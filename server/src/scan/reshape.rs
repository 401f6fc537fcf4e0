//! Turns columns as a file stores them into the table's columns: other names, other order, fields
//! the file has not got, types that were widened since. Planned once per file, applied per batch.

use std::sync::Arc;

use arrow_array::FixedSizeListArray;
use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, LargeListArray, ListArray, MapArray, StructArray, new_null_array,
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, TimeUnit};

use super::physical::{PhysicalField, children_of, shown_type};

/// How one column, or one field below it, becomes the table's.
#[derive(Debug, Clone)]
pub(crate) enum Reshape {
    /// Stored as the table has it.
    Keep,
    /// Not in the file: null in every row.
    Missing(DataType),
    Cast(DataType),
    Struct(Fields, Vec<(Option<usize>, Reshape)>),
    List(FieldRef, Box<Reshape>),
    Map(FieldRef, bool, Box<[Reshape; 2]>),
}

/// A column that a file stores in a way that the table's type does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file stores {stored} where the table has {wanted}")]
pub(crate) struct Mismatch {
    /// Dotted path of the field.
    pub(crate) column: String,
    stored: String,
    wanted: String,
}

impl Reshape {
    /// Plans how `stored` becomes `wanted`; `physical` says what the fields below are called.
    pub(crate) fn plan(
        stored: &Field,
        wanted: &Field,
        physical: &PhysicalField,
    ) -> Result<Self, Mismatch> {
        let mismatch = || Mismatch {
            column: wanted.name().clone(),
            stored: stored.data_type().to_string(),
            wanted: wanted.data_type().to_string(),
        };
        let below = |error: Mismatch| Mismatch {
            column: format!("{}.{}", wanted.name(), error.column),
            ..error
        };
        match (stored.data_type(), wanted.data_type()) {
            (DataType::Struct(stored), DataType::Struct(wanted)) => {
                Self::plan_struct(stored, wanted, physical).map_err(below)
            }
            (DataType::List(from), DataType::List(to))
            | (DataType::LargeList(from), DataType::LargeList(to))
            | (DataType::FixedSizeList(from, _), DataType::FixedSizeList(to, _)) => {
                let same_length = match (stored.data_type(), wanted.data_type()) {
                    (DataType::FixedSizeList(_, a), DataType::FixedSizeList(_, b)) => a == b,
                    _ => true,
                };
                let [element] = physical.children.as_slice() else {
                    return Err(mismatch());
                };
                if !same_length {
                    return Err(mismatch());
                }
                let plan = Self::plan(from, to, element).map_err(below)?;
                Ok(plan.or_list(from, to))
            }
            (DataType::Map(from, _), DataType::Map(to, sorted)) => {
                let (stored, wanted) =
                    (children_of(stored.data_type()), children_of(wanted.data_type()));
                match (&stored[..], &wanted[..], &physical.children[..]) {
                    ([key, value], [to_key, to_value], [name_key, name_value]) => {
                        let key = Self::plan(key, to_key, name_key).map_err(below)?;
                        let value = Self::plan(value, to_value, name_value).map_err(below)?;
                        if from == to && key.is_keep() && value.is_keep() {
                            return Ok(Self::Keep);
                        }
                        Ok(Self::Map(Arc::clone(to), *sorted, Box::new([key, value])))
                    }
                    _ => Err(mismatch()),
                }
            }
            (from, to) if from == to => Ok(Self::Keep),
            (from, to) if may_cast(from, to) || shown_type(from) == *to => {
                Ok(Self::Cast(to.clone()))
            }
            _ => Err(mismatch()),
        }
    }

    fn plan_struct(
        stored: &Fields,
        wanted: &Fields,
        physical: &PhysicalField,
    ) -> Result<Self, Mismatch> {
        let plans = wanted
            .iter()
            .zip(&physical.children)
            .map(|(to, name)| match name.find(stored).and_then(|i| Some((i, stored.get(i)?))) {
                Some((position, from)) => Ok((Some(position), Self::plan(from, to, name)?)),
                None => Ok((None, Self::Missing(to.data_type().clone()))),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let in_place = plans
            .iter()
            .enumerate()
            .all(|(i, (position, plan))| *position == Some(i) && plan.is_keep());
        if in_place && stored == wanted {
            return Ok(Self::Keep);
        }
        Ok(Self::Struct(wanted.clone(), plans))
    }

    fn or_list(self, from: &FieldRef, to: &FieldRef) -> Self {
        if self.is_keep() && from == to {
            Self::Keep
        } else {
            Self::List(Arc::clone(to), Box::new(self))
        }
    }

    pub(crate) fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The column as the table has it.
    pub(crate) fn apply(&self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Keep => Ok(Arc::clone(array)),
            Self::Missing(data_type) => Ok(new_null_array(data_type, array.len())),
            Self::Cast(data_type) => {
                let strict = CastOptions { safe: false, ..CastOptions::default() };
                cast_with_options(array, data_type, &strict)
            }
            Self::Struct(fields, plans) => apply_struct(array, fields, plans),
            Self::List(element, plan) => apply_list(array, element, plan),
            Self::Map(entries, sorted, plans) => {
                let map = array.as_map_opt().ok_or_else(|| unexpected(array))?;
                let [key, value] = plans.as_ref();
                let columns = vec![key.apply(map.keys())?, value.apply(map.values())?];
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(unexpected(array));
                };
                let inner =
                    StructArray::try_new(fields.clone(), columns, map.entries().nulls().cloned())?;
                let map = MapArray::try_new(
                    Arc::clone(entries),
                    map.offsets().clone(),
                    inner,
                    map.nulls().cloned(),
                    *sorted,
                )?;
                Ok(Arc::new(map))
            }
        }
    }
}

fn apply_struct(
    array: &ArrayRef,
    fields: &Fields,
    plans: &[(Option<usize>, Reshape)],
) -> Result<ArrayRef, ArrowError> {
    let stored = array.as_struct_opt().ok_or_else(|| unexpected(array))?;
    let columns = plans
        .iter()
        .map(|(position, plan)| match position {
            Some(position) => stored
                .columns()
                .get(*position)
                .ok_or_else(|| unexpected(array))
                .and_then(|column| plan.apply(column)),
            // Any array has the length that a column of nulls needs.
            None => plan.apply(array),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let nulls = stored.nulls().cloned();
    let built = StructArray::try_new_with_length(fields.clone(), columns, nulls, stored.len())?;
    Ok(Arc::new(built))
}

fn apply_list(
    array: &ArrayRef,
    element: &FieldRef,
    plan: &Reshape,
) -> Result<ArrayRef, ArrowError> {
    let element = Arc::clone(element);
    if let Some(list) = array.as_list_opt::<i32>() {
        let values = plan.apply(list.values())?;
        let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
        return Ok(Arc::new(ListArray::try_new(element, offsets, values, nulls)?));
    }
    if let Some(list) = array.as_list_opt::<i64>() {
        let values = plan.apply(list.values())?;
        let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
        return Ok(Arc::new(LargeListArray::try_new(element, offsets, values, nulls)?));
    }
    let list = array.as_fixed_size_list_opt().ok_or_else(|| unexpected(array))?;
    let values = plan.apply(list.values())?;
    let (length, nulls) = (list.value_length(), list.nulls().cloned());
    Ok(Arc::new(FixedSizeListArray::try_new(element, length, values, nulls)?))
}

fn unexpected(array: &ArrayRef) -> ArrowError {
    ArrowError::SchemaError(format!("decoded an unplanned {}", array.data_type()))
}

/// Whether a stored type may stand for a wanted one: the widenings that Delta lists, and types
/// that Parquet cannot tell apart.
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
            let (p, s, to_p, to_s) =
                (i16::from(*p), i16::from(*s), i16::from(*to_p), i16::from(*to_s));
            to_s >= s && to_p - to_s >= p - s
        }
        // Zones here are UTC or absent, and both count from the same instant.
        (Timestamp(_, from), Timestamp(_, to)) => {
            let is_utc = |zone: &Option<Arc<str>>| {
                zone.as_deref().is_none_or(|zone| matches!(zone, "UTC" | "+00:00"))
            };
            is_utc(from) && is_utc(to)
        }
        _ => false,
    }
}
