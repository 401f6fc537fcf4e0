//! Tests that DataFusion has no words for, as functions of its own that ask the engine.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility, cast,
};
use engine::bind::{Bound, BoundColumn, TextTest};
use engine::predicate::Predicate;

use super::translation::column_expr;

/// Points of two columns in a polygon.
pub(super) fn within(
    x: &BoundColumn,
    y: &BoundColumn,
    polygon: &[[f64; 2]],
    negated: bool,
) -> Expr {
    let bits = polygon.iter().map(|corner| corner.map(f64::to_bits)).collect();
    let function = ScalarUDF::from(Within { signature: any(2), polygon: bits });
    let inside = function.call(vec![column_expr(x), column_expr(y)]);
    if negated { Expr::Not(Box::new(inside)) } else { inside }
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
        let field =
            |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
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
