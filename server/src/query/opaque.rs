//! Tests that DataFusion has no words for, as functions of its own that ask the engine. Pruning
//! knows nothing of them, so what can be told by ranges is told beside them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility, cast, lit,
};
use engine::bind::{Bound, BoundColumn, TextTest};
use engine::predicate::Predicate;

use super::pushdown::column_expr;

/// Points of two columns in a polygon. Not negated, the polygon's box is said too.
pub(super) fn within(
    x: &BoundColumn,
    y: &BoundColumn,
    polygon: &[[f64; 2]],
    negated: bool,
) -> Expr {
    let bits = polygon.iter().map(|corner| corner.map(f64::to_bits)).collect();
    let function = ScalarUDF::from(Within { signature: any(2), polygon: bits });
    let inside = function.call(vec![column_expr(x), column_expr(y)]);
    if negated {
        return Expr::Not(Box::new(inside));
    }
    let ends = |place: usize| {
        let along = polygon.iter().filter_map(|corner| corner.get(place).copied());
        along.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let fenced = |column: &BoundColumn, (low, high): (f64, f64)| {
        // Only where the cast keeps the order, and with room for what it rounds.
        let ordered = column.data_type.is_floating() || column.data_type.is_integer();
        let (low, high) = (low - low.abs() * 1e-6, high + high.abs() * 1e-6);
        ordered.then(|| {
            let value = cast(column_expr(column), DataType::Float64);
            value.clone().gt_eq(lit(zero_low(low))).and(value.lt_eq(lit(zero_high(high))))
        })
    };
    let fences = [fenced(x, ends(0)), fenced(y, ends(1))];
    fences.into_iter().flatten().fold(inside, Expr::and)
}

/// Arrow orders minus zero before plus zero.
fn zero_low(value: f64) -> f64 {
    if value == 0.0 { -0.0 } else { value }
}

fn zero_high(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

/// Texts that are dates between two ends.
pub(super) fn dates(column: &BoundColumn, low: i128, high: i128) -> Expr {
    let function = ScalarUDF::from(Dates { signature: any(1), low, high });
    function.call(vec![cast(column_expr(column), DataType::LargeUtf8)])
}

fn any(arguments: usize) -> Signature {
    Signature::new(TypeSignature::Any(arguments), Volatility::Immutable)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Within {
    signature: Signature,
    /// Bits of the corners, which can be compared and hashed.
    polygon: Vec<[u64; 2]>,
}

impl ScalarUDFImpl for Within {
    fn name(&self) -> &str {
        "limn_within"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [x, y] = <[ArrayRef; 2]>::try_from(columns)
            .map_err(|_| DataFusionError::Internal("limn_within takes x and y".to_owned()))?;
        let nulls = NullBuffer::union(x.logical_nulls().as_ref(), y.logical_nulls().as_ref());
        let field = |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field("x", &x), field("y", &y)]));
        let polygon = self.polygon.iter().map(|corner| corner.map(f64::from_bits)).collect();
        let predicate = Predicate::Within { x: "x".to_owned(), y: "y".to_owned(), polygon };
        let bound = Bound::new(&predicate, &schema, "within").map_err(external)?;
        let batch = RecordBatch::try_new(schema, vec![x, y])?;
        let mask = engine::eval::eval(&bound, &batch).map_err(external)?;
        let inside = BooleanArray::new(mask.into_buffer(), nulls);
        Ok(ColumnarValue::Array(Arc::new(inside)))
    }
}

fn external(error: engine::error::QueryError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Dates {
    signature: Signature,
    low: i128,
    high: i128,
}

impl ScalarUDFImpl for Dates {
    fn name(&self) -> &str {
        "limn_dates"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let test = TextTest::Dates { low: self.low, high: self.high };
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(texts) = columns.first().and_then(|column| column.as_string_opt::<i64>()) else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None)));
        };
        let checked = texts.iter().map(|text| text.and_then(|text| test.check(text.as_bytes())));
        Ok(ColumnarValue::Array(Arc::new(checked.collect::<BooleanArray>())))
    }
}
