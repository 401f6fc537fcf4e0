//! The contract's order as DataFusion sorts: nulls last in both directions unless they are asked
//! for first, NaN after every number in both, strings by bytes, dictionaries by value, and ties
//! by table order.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Schema, SortOptions};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use engine::bind::value_type;
use engine::error::QueryError;
use engine::order::Sorter;
use engine::query::{Nulls, OrderKey};

use super::failure::QueryFailure;

/// One key of an order, of a column that has one.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) column: String,
    options: SortOptions,
}

impl Key {
    /// Upwards, nulls last.
    pub(super) fn ascending(column: &str) -> Self {
        let options = SortOptions { descending: false, nulls_first: false };
        Self { column: column.to_owned(), options }
    }
}

/// The keys of a query, checked against the table as the engine does.
pub(super) fn check(order_by: &[OrderKey], schema: &Schema) -> Result<Vec<Key>, QueryError> {
    Sorter::new(order_by, schema)?;
    let key = |key: &OrderKey| {
        let nulls_first = key.nulls == Nulls::First;
        let options = SortOptions { descending: key.descending, nulls_first };
        Key { column: key.column.clone(), options }
    };
    Ok(order_by.iter().map(key).collect())
}

/// The keys as sort expressions over a plan's schema. The last of them leave no ties.
pub(super) fn ordering<'a>(
    keys: impl IntoIterator<Item = &'a Key>,
    schema: &Schema,
) -> Result<LexOrdering, QueryFailure> {
    let mut exprs = Vec::new();
    for key in keys {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(&key.column, schema)?);
        let stored = schema.field_with_name(&key.column)?.data_type();
        let plain = value_type(stored).clone();
        let column = match plain == *stored {
            true => column,
            false => Arc::new(CastExpr::new(column, plain.clone(), None)),
        };
        if plain.is_floating() {
            let nan_last = SortOptions { descending: false, nulls_first: key.options.nulls_first };
            let is_nan = FloatKey { float: Arc::clone(&column), part: FloatPart::IsNan };
            let number = FloatKey { float: column, part: FloatPart::Number };
            exprs.push(PhysicalSortExpr::new(Arc::new(is_nan), nan_last));
            exprs.push(PhysicalSortExpr::new(Arc::new(number), key.options));
        } else {
            exprs.push(PhysicalSortExpr::new(column, key.options));
        }
    }
    let nothing = || DataFusionError::Internal("an order without a key".to_owned());
    Ok(LexOrdering::new(exprs).ok_or_else(nothing)?)
}

/// What a float is sorted by: first whether it is NaN, then its number, in which both zeros are
/// one and every NaN is another.
#[derive(Debug, Eq)]
struct FloatKey {
    float: Arc<dyn PhysicalExpr>,
    part: FloatPart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum FloatPart {
    IsNan,
    Number,
}

// By hand: the derived comparison would move out of the `Arc`.
impl PartialEq for FloatKey {
    fn eq(&self, other: &Self) -> bool {
        self.float.eq(&other.float) && self.part == other.part
    }
}

impl Hash for FloatKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.float.hash(state);
        self.part.hash(state);
    }
}

impl fmt::Display for FloatKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            FloatPart::IsNan => write!(f, "is_nan({})", self.float),
            FloatPart::Number => write!(f, "number({})", self.float),
        }
    }
}

impl PhysicalExpr for FloatKey {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        match self.part {
            FloatPart::IsNan => Ok(DataType::Boolean),
            FloatPart::Number => self.float.data_type(schema),
        }
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.float.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let floats = self.float.evaluate(batch)?.into_array(batch.num_rows())?;
        let key = match floats.data_type() {
            DataType::Float16 => key_of(floats.as_primitive::<Float16Type>(), self.part),
            DataType::Float32 => key_of(floats.as_primitive::<Float32Type>(), self.part),
            DataType::Float64 => key_of(floats.as_primitive::<Float64Type>(), self.part),
            other => {
                return Err(DataFusionError::Internal(format!("sort key of type {other}")));
            }
        };
        Ok(ColumnarValue::Array(key))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.float]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let float = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.float));
        Ok(Arc::new(Self { float, part: self.part }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn key_of<T>(floats: &PrimitiveArray<T>, part: FloatPart) -> ArrayRef
where
    T: ArrowPrimitiveType<Native: Default + PartialOrd>,
{
    #[expect(clippy::eq_op, reason = "NaN is what differs from itself")]
    let is_nan = |value: T::Native| value != value;
    let zero = T::Native::default();
    match part {
        FloatPart::IsNan => {
            let flags = floats.values().iter().map(|value| is_nan(*value)).collect();
            Arc::new(BooleanArray::new(flags, floats.nulls().cloned()))
        }
        FloatPart::Number => Arc::new(
            floats.unary::<_, T>(|value| if is_nan(value) || value == zero { zero } else { value }),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::{Float64Array, UInt64Array};
    use arrow_schema::Field;
    use datafusion::physical_plan::sorts::sort::sort_batch;

    use super::*;

    fn sorted(values: Vec<Option<f64>>, descending: bool, nulls: Nulls) -> Vec<u64> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("x", DataType::Float64, true),
            Field::new("row", DataType::UInt64, false),
        ]));
        let rows = UInt64Array::from_iter_values(0..values.len() as u64);
        let values = Float64Array::from(values);
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(values), Arc::new(rows)]);
        let order = [OrderKey { column: "x".to_owned(), descending, nulls }];
        let keys = check(&order, &schema).unwrap();
        let ordering = ordering(keys.iter().chain([&Key::ascending("row")]), &schema).unwrap();
        let sorted = sort_batch(&batch.unwrap(), &ordering, None).unwrap();
        sorted.column(1).as_primitive::<arrow_array::types::UInt64Type>().values().to_vec()
    }

    #[test]
    fn nan_and_null_keep_their_ends_and_ties_their_order() {
        let values = || {
            vec![
                None,
                Some(0.0),
                Some(-f64::NAN),
                Some(-0.0),
                Some(1.0),
                Some(f64::NAN),
                Some(-1.0),
            ]
        };
        assert_eq!(sorted(values(), false, Nulls::Last), [6, 1, 3, 4, 2, 5, 0]);
        assert_eq!(sorted(values(), true, Nulls::Last), [4, 1, 3, 6, 2, 5, 0]);
        assert_eq!(sorted(values(), false, Nulls::First), [0, 6, 1, 3, 4, 2, 5]);
        assert_eq!(sorted(values(), true, Nulls::First), [0, 4, 1, 3, 6, 2, 5]);
    }
}
