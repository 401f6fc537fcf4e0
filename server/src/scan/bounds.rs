//! Bounds of columns per container (file or row group), for pruning and for table statistics.
//!
//! Every source of bounds is brought to one meaning here: minimum and maximum enclose all values
//! that are not NaN, in the table's own types, null where unknown.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, UInt64Array};
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::Column;
use datafusion::common::pruning::PruningStatistics;
use datafusion::scalar::ScalarValue;

/// Bounds of one column, one entry per container.
#[derive(Debug, Clone)]
pub(crate) struct ColumnBounds {
    pub(crate) min: ArrayRef,
    pub(crate) max: ArrayRef,
    /// Null where unknown.
    pub(crate) null_counts: Arc<UInt64Array>,
}

/// Bounds of the columns of several containers.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileBounds {
    containers: usize,
    columns: HashMap<String, ColumnBounds>,
    /// Stored rows per container, deleted ones included.
    rows: Option<Arc<UInt64Array>>,
}

impl FileBounds {
    pub(crate) fn new(containers: usize, rows: Option<UInt64Array>) -> Self {
        Self {
            containers,
            columns: HashMap::new(),
            rows: rows.filter(|rows| rows.len() == containers).map(Arc::new),
        }
    }

    /// Adds a column; bounds of another length or of two types are no bounds and are dropped.
    pub(crate) fn insert(&mut self, column: String, bounds: ColumnBounds) {
        let lengths = [bounds.min.len(), bounds.max.len(), bounds.null_counts.len()];
        let one_type = bounds.min.data_type() == bounds.max.data_type();
        if one_type && lengths.iter().all(|length| *length == self.containers) {
            self.columns.insert(column, bounds.soften());
        }
    }

    /// Adds a column that has one value in all rows of a container.
    pub(crate) fn insert_constant(&mut self, column: String, values: &[ScalarValue]) {
        let Ok(array) = ScalarValue::iter_to_array(values.iter().cloned()) else {
            return;
        };
        let null_counts = (0..values.len()).map(|i| match array.is_null(i) {
            true => self.rows.as_ref().filter(|r| r.is_valid(i)).map(|r| r.value(i)),
            false => Some(0),
        });
        let null_counts = Arc::new(null_counts.collect::<UInt64Array>());
        let bounds = ColumnBounds { min: Arc::clone(&array), max: array, null_counts };
        self.insert(column, bounds);
    }

    /// Bounds of containers out of two lists: of each, whether it is of this one, and its
    /// place. Rows may be missing, so counts of nulls are unknown.
    pub(crate) fn gathered(&self, other: &Self, places: &[(bool, usize)]) -> Self {
        let mut gathered = Self::new(places.len(), None);
        let rows: Vec<(usize, usize)> =
            places.iter().map(|(is_own, at)| (usize::from(!is_own), *at)).collect();
        for (name, own) in &self.columns {
            let Some(others) = other.columns.get(name) else { continue };
            let pick = |own: &ArrayRef, other: &ArrayRef| {
                arrow_select::interleave::interleave(&[own.as_ref(), other.as_ref()], &rows).ok()
            };
            if own.min.data_type() != others.min.data_type() {
                continue;
            }
            if let Some((min, max)) = pick(&own.min, &others.min).zip(pick(&own.max, &others.max)) {
                let null_counts = Arc::new(UInt64Array::new_null(places.len()));
                gathered.insert(name.clone(), ColumnBounds { min, max, null_counts });
            }
        }
        gathered
    }

    pub(crate) fn column(&self, name: &str) -> Option<&ColumnBounds> {
        self.columns.get(name)
    }

    pub(crate) fn rows(&self) -> Option<&UInt64Array> {
        self.rows.as_deref()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.columns
            .values()
            .map(|bounds| {
                bounds.min.get_array_memory_size()
                    + bounds.max.get_array_memory_size()
                    + bounds.null_counts.get_array_memory_size()
            })
            .sum()
    }
}

impl ColumnBounds {
    /// Takes back what makes bounds of floats treacherous: a NaN is no bound, and a zero bounds
    /// both zeros.
    fn soften(self) -> Self {
        Self {
            min: soften_float(self.min, -0.0),
            max: soften_float(self.max, 0.0),
            null_counts: self.null_counts,
        }
    }

    /// Widens maxima that were cut to milliseconds when they were written to a log.
    pub(crate) fn widen_milliseconds(mut self) -> Self {
        if let DataType::Timestamp(TimeUnit::Microsecond, zone) = self.max.data_type().clone() {
            let max: PrimitiveArray<TimestampMicrosecondType> = self
                .max
                .as_primitive::<TimestampMicrosecondType>()
                .unary(|value| value.saturating_add(999));
            self.max = Arc::new(max.with_timezone_opt(zone));
        }
        self
    }
}

fn soften_float(array: ArrayRef, zero: f64) -> ArrayRef {
    if let Some(values) = array.as_primitive_opt::<Float64Type>() {
        return Arc::new(values.unary_opt::<_, Float64Type>(|value| match value {
            nan if nan.is_nan() => None,
            0.0 => Some(zero),
            value => Some(value),
        }));
    }
    if let Some(values) = array.as_primitive_opt::<Float32Type>() {
        let zero = if zero.is_sign_negative() { -0.0 } else { 0.0 };
        return Arc::new(values.unary_opt::<_, Float32Type>(|value| match value {
            nan if nan.is_nan() => None,
            0.0 => Some(zero),
            value => Some(value),
        }));
    }
    array
}

impl PruningStatistics for FileBounds {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(column.name()).map(|b| Arc::clone(&b.min))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(column.name()).map(|b| Arc::clone(&b.max))
    }

    fn num_containers(&self) -> usize {
        self.containers
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(column.name()).map(|b| Arc::clone(&b.null_counts) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        self.rows.as_ref().map(|rows| Arc::clone(rows) as ArrayRef)
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// A column of counts as unsigned, negative ones being unknown.
pub(crate) fn counts_from(array: &ArrayRef) -> Option<UInt64Array> {
    use arrow_array::types::Int64Type;
    if let Some(counts) = array.as_primitive_opt::<Int64Type>() {
        return Some(counts.unary_opt(|count| u64::try_from(count).ok()));
    }
    array.as_primitive_opt::<UInt64Type>().cloned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::{Float64Array, Int32Array};

    use super::*;

    #[test]
    fn float_bounds_leave_nan_out_and_take_both_zeros_in() {
        let mut bounds = FileBounds::new(2, None);
        let column = ColumnBounds {
            min: Arc::new(Float64Array::from(vec![0.0, f64::NAN])),
            max: Arc::new(Float64Array::from(vec![-0.0, 1.0])),
            null_counts: Arc::new(UInt64Array::from(vec![0, 0])),
        };
        bounds.insert("x".into(), column);
        let column = bounds.column("x").unwrap();
        let min = column.min.as_primitive::<Float64Type>();
        let max = column.max.as_primitive::<Float64Type>();
        assert!(min.value(0).is_sign_negative() && max.value(0).is_sign_positive());
        assert!(min.is_null(1) && max.value(1) == 1.0);
    }

    #[test]
    fn constants_bound_themselves_and_count_their_nulls() {
        let mut bounds = FileBounds::new(2, Some(UInt64Array::from(vec![7, 9])));
        let values = [ScalarValue::Int32(Some(3)), ScalarValue::Int32(None)];
        bounds.insert_constant("p".into(), &values);
        let column = bounds.column("p").unwrap();
        assert_eq!(column.min.as_ref(), &Int32Array::from(vec![Some(3), None]) as &dyn Array);
        assert_eq!(column.null_counts.as_ref(), &UInt64Array::from(vec![0, 9]));
    }

    #[test]
    fn bounds_of_the_wrong_length_are_dropped() {
        let mut bounds = FileBounds::new(2, None);
        bounds.insert_constant("p".into(), &[ScalarValue::Int32(Some(3))]);
        assert!(bounds.column("p").is_none());
    }
}
