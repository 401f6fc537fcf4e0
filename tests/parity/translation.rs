//! Bound predicate → DataFusion expression, with the meaning that [`engine::eval`] gives it.
//!
//! A second opinion on the engine's evaluator, written in another's words: DataFusion is asked
//! for the same rows. Arrow compares floats in total order, so zeros are written with the sign
//! that takes both in, ranges are closed at the infinities to keep NaN out, and negated ranges
//! let NaN in. Negations are pushed down to the tests (De Morgan holds in Kleene's logic), where
//! a negated range is a range's complement.

use std::ops::Bound as End;

use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::expr_fn::{contains, isnan, regexp_like};
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, in_list, lit};
use engine::bind::{Bound, BoundColumn, Node, Ranges, Stored, Test, TextTest};
use half::f16;

use super::opaque;

/// The expression that is true for exactly the rows that pass. Of the columns' own types, so
/// that nothing has to be coerced.
pub fn expr_from_bound(bound: &Bound) -> Expr {
    expr_from_node(bound.root(), false)
}

fn expr_from_node(node: &Node, negated: bool) -> Expr {
    let list = |nodes: &[Node]| nodes.iter().map(|node| expr_from_node(node, negated)).collect();
    match node {
        Node::And(nodes) if !negated => join(list(nodes), Operator::And),
        Node::Or(nodes) if negated => join(list(nodes), Operator::And),
        Node::And(nodes) | Node::Or(nodes) => join(list(nodes), Operator::Or),
        Node::Not(inner) => expr_from_node(inner, !negated),
        Node::Test { column, test } => expr_from_test(column, test, negated),
        Node::Within { x, y, outline } => opaque::within(x, y, outline.corners(), negated),
    }
}

/// All or any of the expressions, as a balanced tree: long lists must not make deep ones.
pub(super) fn join(mut exprs: Vec<Expr>, op: Operator) -> Expr {
    if exprs.is_empty() {
        return lit(op == Operator::And);
    }
    while exprs.len() > 1 {
        let mut pairs = exprs.into_iter();
        let mut joined = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => binary_expr(left, op, right),
                None => left,
            });
        }
        exprs = joined;
    }
    exprs.pop().unwrap_or_else(|| lit(true))
}

pub(super) fn column_expr(column: &BoundColumn) -> Expr {
    Expr::Column(Column::new_unqualified(column.name.clone()))
}

fn expr_from_test(column: &BoundColumn, test: &Test, negated: bool) -> Expr {
    let expr = column_expr(column);
    match test {
        Test::IsNull if !negated => expr.is_null(),
        Test::NotNull if negated => expr.is_null(),
        Test::IsNull | Test::NotNull => expr.is_not_null(),
        Test::Unknown => lit(ScalarValue::Boolean(None)),
        Test::Boolean { passes_false, passes_true } => {
            boolean(expr, passes_false != &negated, passes_true != &negated)
        }
        Test::Int8(ranges) => whole(column, ranges, negated, |v, _| ScalarValue::Int8(v)),
        Test::Int16(ranges) => whole(column, ranges, negated, |v, _| ScalarValue::Int16(v)),
        Test::Int32(ranges) => whole(column, ranges, negated, scalar_from_i32),
        Test::Int64(ranges) => whole(column, ranges, negated, scalar_from_i64),
        Test::UInt8(ranges) => whole(column, ranges, negated, |v, _| ScalarValue::UInt8(v)),
        Test::UInt16(ranges) => whole(column, ranges, negated, |v, _| ScalarValue::UInt16(v)),
        Test::UInt32(ranges) => whole(column, ranges, negated, |v, _| ScalarValue::UInt32(v)),
        Test::UInt64(ranges) => whole(column, ranges, negated, |v, _| ScalarValue::UInt64(v)),
        Test::Int128(ranges) => whole(column, ranges, negated, scalar_from_i128),
        Test::Int256(ranges) => whole(column, ranges, negated, scalar_from_i256),
        Test::Float16(ranges) => float(column, ranges, negated, ScalarValue::Float16),
        Test::Float32(ranges) => float(column, ranges, negated, ScalarValue::Float32),
        Test::Float64(ranges) => float(column, ranges, negated, ScalarValue::Float64),
        Test::Text(test) => text(column, test, negated),
    }
}

/// `passes` for the values false and true, null for null.
fn boolean(column: Expr, passes_false: bool, passes_true: bool) -> Expr {
    let not = Expr::Not(Box::new(column.clone()));
    match (passes_false, passes_true) {
        (false, true) => column,
        (true, false) => not,
        (true, true) => column.or(not),
        (false, false) => column.and(not),
    }
}

/// Ranges over values whose order is total and whose ends are values.
fn whole<T: Stored>(
    column: &BoundColumn,
    ranges: &Ranges<T>,
    negated: bool,
    scalar: impl Fn(Option<T>, &DataType) -> ScalarValue,
) -> Expr {
    let expr = || column_expr(column);
    let value = |value: T| lit(scalar(Some(value), &column.data_type));
    let negated = negated != ranges.negated;
    let points = ranges.ranges.len() > 1 && ranges.ranges.iter().all(|(low, high)| low == high);
    if points {
        let values = ranges.ranges.iter().map(|(low, _)| value(*low)).collect();
        return in_list(expr(), values, negated);
    }
    if negated {
        let outside = ranges.ranges.iter().map(|&(low, high)| match low == high {
            true => expr().not_eq(value(low)),
            false => expr().lt(value(low)).or(expr().gt(value(high))),
        });
        let outside: Vec<_> = outside.collect();
        // Without ranges every value passes, and null stays unknown.
        return match outside.is_empty() {
            true => expr().gt_eq(value(T::LOWEST)),
            false => join(outside, Operator::And),
        };
    }
    let inside = ranges.ranges.iter().map(|&(low, high)| match low == high {
        true => expr().eq(value(low)),
        false if low == T::LOWEST => expr().lt_eq(value(high)),
        false if high == T::HIGHEST => expr().gt_eq(value(low)),
        false => expr().gt_eq(value(low)).and(expr().lt_eq(value(high))),
    });
    let inside: Vec<_> = inside.collect();
    match inside.is_empty() {
        true => expr().lt(value(T::LOWEST)),
        false => join(inside, Operator::Or),
    }
}

/// A float whose zeros can be told apart.
trait Signed: Stored {
    /// Minus zero for either zero.
    fn low_zero(self) -> Self;
    /// Plus zero for either zero.
    fn high_zero(self) -> Self;
}

macro_rules! signed {
    ($($native:ty, $zero:expr;)*) => {$(
        impl Signed for $native {
            fn low_zero(self) -> Self {
                if self == $zero { -$zero } else { self }
            }
            fn high_zero(self) -> Self {
                if self == $zero { $zero } else { self }
            }
        }
    )*};
}

signed! { f16, f16::ZERO; f32, 0.0; f64, 0.0; }

/// In total order a range with two ends holds no NaN, whatever its sign.
fn float<T: Signed>(
    column: &BoundColumn,
    ranges: &Ranges<T>,
    negated: bool,
    scalar: impl Fn(Option<T>) -> ScalarValue,
) -> Expr {
    let expr = || column_expr(column);
    let ends = ranges.ranges.iter().map(|&(low, high)| {
        (lit(scalar(Some(low.low_zero()))), lit(scalar(Some(high.high_zero()))))
    });
    if negated != ranges.negated {
        let outside: Vec<_> = ends.map(|(low, high)| expr().lt(low).or(expr().gt(high))).collect();
        let nan = isnan(widened(column));
        return match outside.is_empty() {
            true => nan.clone().or(Expr::Not(Box::new(nan))),
            false => join(outside, Operator::And).or(nan),
        };
    }
    let inside: Vec<_> =
        ends.map(|(low, high)| expr().gt_eq(low).and(expr().lt_eq(high))).collect();
    match inside.is_empty() {
        true => expr()
            .lt(lit(scalar(Some(T::LOWEST))))
            .and(isnan(widened(column)))
            .and(expr().gt(lit(scalar(Some(T::HIGHEST))))),
        false => join(inside, Operator::Or),
    }
}

/// `isnan` knows single and double floats.
fn widened(column: &BoundColumn) -> Expr {
    match column.data_type {
        DataType::Float32 | DataType::Float64 => column_expr(column),
        _ => cast(column_expr(column), DataType::Float32),
    }
}

fn text(column: &BoundColumn, test: &TextTest, negated: bool) -> Expr {
    let expr = || column_expr(column);
    let value = |value: &str| lit(text_scalar(value, &column.data_type));
    let not = |test: Expr| if negated { Expr::Not(Box::new(test)) } else { test };
    match test {
        TextTest::Span { low, high } => {
            let low = match low {
                End::Unbounded => None,
                End::Included(low) if negated => Some(expr().lt(value(low))),
                End::Included(low) => Some(expr().gt_eq(value(low))),
                End::Excluded(low) if negated => Some(expr().lt_eq(value(low))),
                End::Excluded(low) => Some(expr().gt(value(low))),
            };
            let high = match high {
                End::Unbounded => None,
                End::Included(high) if negated => Some(expr().gt(value(high))),
                End::Included(high) => Some(expr().lt_eq(value(high))),
                End::Excluded(high) if negated => Some(expr().gt_eq(value(high))),
                End::Excluded(high) => Some(expr().lt(value(high))),
            };
            let ends: Vec<_> = low.into_iter().chain(high).collect();
            match (ends.is_empty(), negated) {
                // No text is before the empty one.
                (true, true) => expr().lt(value("")),
                (true, false) => expr().gt_eq(value("")),
                (false, true) => join(ends, Operator::Or),
                (false, false) => join(ends, Operator::And),
            }
        }
        TextTest::OneOf { values, negated: listed } => {
            let negated = negated != *listed;
            match (values.as_slice(), negated) {
                ([], true) => expr().gt_eq(value("")),
                ([], false) => expr().lt(value("")),
                ([only], true) => expr().not_eq(value(only)),
                ([only], false) => expr().eq(value(only)),
                (values, _) => {
                    in_list(expr(), values.iter().map(|text| value(text)).collect(), negated)
                }
            }
        }
        // Both functions take plain text only.
        TextTest::Contains(finder) => {
            let needle = String::from_utf8_lossy(finder.needle()).into_owned();
            not(contains(
                cast(expr(), DataType::LargeUtf8),
                lit(ScalarValue::LargeUtf8(Some(needle))),
            ))
        }
        TextTest::ContainsFolded(finder) => {
            let pattern = format!("(?i){}", regex_escape(finder.needle()));
            not(regexp_like(cast(expr(), DataType::Utf8), lit(pattern), None))
        }
        TextTest::Matches(regex) => {
            not(regexp_like(cast(expr(), DataType::Utf8), lit(regex.as_str()), None))
        }
        TextTest::Dates { low, high } => not(opaque::dates(column, *low, *high)),
    }
}

/// The text as a pattern that matches nothing else.
fn regex_escape(text: &str) -> String {
    text.chars()
        .flat_map(|letter| match letter.is_ascii_punctuation() {
            true => vec!['\\', letter],
            false => vec![letter],
        })
        .collect()
}

fn text_scalar(text: &str, data_type: &DataType) -> ScalarValue {
    let text = Some(text.to_owned());
    match data_type {
        DataType::LargeUtf8 => ScalarValue::LargeUtf8(text),
        DataType::Utf8View => ScalarValue::Utf8View(text),
        _ => ScalarValue::Utf8(text),
    }
}

fn scalar_from_i32(value: Option<i32>, data_type: &DataType) -> ScalarValue {
    use arrow_schema::TimeUnit::Second;
    match data_type {
        DataType::Date32 => ScalarValue::Date32(value),
        DataType::Time32(Second) => ScalarValue::Time32Second(value),
        DataType::Time32(_) => ScalarValue::Time32Millisecond(value),
        DataType::Decimal32(precision, scale) => ScalarValue::Decimal32(value, *precision, *scale),
        _ => ScalarValue::Int32(value),
    }
}

fn scalar_from_i64(value: Option<i64>, data_type: &DataType) -> ScalarValue {
    use arrow_schema::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match data_type {
        DataType::Date64 => ScalarValue::Date64(value),
        DataType::Time64(Microsecond) => ScalarValue::Time64Microsecond(value),
        DataType::Time64(_) => ScalarValue::Time64Nanosecond(value),
        DataType::Timestamp(Second, zone) => ScalarValue::TimestampSecond(value, zone.clone()),
        DataType::Timestamp(Millisecond, zone) => {
            ScalarValue::TimestampMillisecond(value, zone.clone())
        }
        DataType::Timestamp(Microsecond, zone) => {
            ScalarValue::TimestampMicrosecond(value, zone.clone())
        }
        DataType::Timestamp(Nanosecond, zone) => {
            ScalarValue::TimestampNanosecond(value, zone.clone())
        }
        DataType::Duration(Second) => ScalarValue::DurationSecond(value),
        DataType::Duration(Millisecond) => ScalarValue::DurationMillisecond(value),
        DataType::Duration(Microsecond) => ScalarValue::DurationMicrosecond(value),
        DataType::Duration(Nanosecond) => ScalarValue::DurationNanosecond(value),
        DataType::Decimal64(precision, scale) => ScalarValue::Decimal64(value, *precision, *scale),
        _ => ScalarValue::Int64(value),
    }
}

fn scalar_from_i128(value: Option<i128>, data_type: &DataType) -> ScalarValue {
    match data_type {
        DataType::Decimal128(precision, scale) => {
            ScalarValue::Decimal128(value, *precision, *scale)
        }
        _ => ScalarValue::Decimal128(value, 38, 0),
    }
}

fn scalar_from_i256(value: Option<i256>, data_type: &DataType) -> ScalarValue {
    match data_type {
        DataType::Decimal256(precision, scale) => {
            ScalarValue::Decimal256(value, *precision, *scale)
        }
        _ => ScalarValue::Decimal256(value, 76, 0),
    }
}
