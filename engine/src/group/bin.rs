//! Bins: each value's lower edge. Numbers by a number, times by an ISO 8601 duration in UTC.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array};
use arrow_schema::DataType;

use super::duration::Step;
use crate::bind::decimals_of;
use crate::bind::moment::Moment;
use crate::bind::number::Digits;
use crate::calendar::{civil_from_days, days_from_civil};
use crate::column::{Values, array_from_natives, floats_of, plain};
use crate::error::{QueryError, QueryErrorKind};
use crate::literal::Literal;
use crate::query::Bin;

/// How the values of one column fall into bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BinPlan {
    width: Width,
    /// The type of the edges.
    pub data_type: DataType,
    column: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Width {
    /// Stored integers, from `origin` on.
    Integers {
        step: i64,
        origin: i64,
    },
    Floats {
        step: f64,
        origin: f64,
    },
    /// Months, from `origin` months after year 0; days are so many stored units.
    Months {
        step: i64,
        origin: i64,
        units_per_day: i64,
    },
    /// No wider than the unit that the column is stored in.
    Unit,
    /// Between numbers in ascending order.
    Edges(Vec<f64>),
}

/// More edges than this are no bins that anybody looks at.
const EDGES_MAX: usize = 1 << 16;

const NANOS_PER_DAY: i128 = 86_400_000_000_000;
/// The first Monday after 1970 began: weeks start on it.
const MONDAY: i128 = 4 * NANOS_PER_DAY;

impl BinPlan {
    /// Reads a bin for a column of a type; `path` is where the bin stands in the query.
    pub(super) fn new(
        bin: &Bin,
        data_type: &DataType,
        column: &str,
        path: &str,
    ) -> Result<Self, QueryError> {
        let column = column.to_owned();
        if !bin.edges.is_empty() {
            return Self::between(bin, data_type, column, path);
        }
        if let Some(nanos_per_unit) = nanos_per_unit(data_type) {
            let width = time_width(bin, data_type, nanos_per_unit, path)?;
            return Ok(Self { width, data_type: data_type.clone(), column });
        }
        let is_integer = data_type.is_integer() || matches!(data_type, DataType::Duration(_));
        if !is_integer && !data_type.is_floating() && !data_type.is_decimal() {
            return Err(unfit(column, data_type, path));
        }
        let zero = Literal::Number("0".to_owned());
        let origin = bin.origin.as_ref().unwrap_or(&zero);
        let step = bin.step.as_ref().ok_or_else(|| bad_step(path))?;
        let step_digits = digits(step, &format!("{path}.step"))?;
        let origin_digits = digits(origin, &format!("{path}.origin"))?;
        let (whole_step, whole_origin) = (step_digits.scaled(0), origin_digits.scaled(0));
        if is_integer && whole_step.exact && whole_origin.exact {
            let (step, origin) = (whole_step, whole_origin);
            let whole = |value: arrow_buffer::i256| {
                value.to_i128().and_then(|value| i64::try_from(value).ok())
            };
            let step = whole(step.floor).filter(|step| *step > 0).ok_or_else(|| bad_step(path))?;
            let origin = whole(origin.floor).ok_or_else(|| {
                QueryError::malformed(format!("{path}.origin"), "does not fit 64 bits")
            })?;
            let data_type = match data_type {
                DataType::Duration(_) => data_type.clone(),
                _ => DataType::Int64,
            };
            return Ok(Self { width: Width::Integers { step, origin }, data_type, column });
        }
        let float = |literal: &Literal| literal.as_text().trim().parse::<f64>().ok();
        let step = float(step).filter(|step| *step > 0.0 && step.is_finite());
        let step = step.ok_or_else(|| bad_step(path))?;
        let origin = bin.origin.as_ref().map_or(Some(0.0), float).filter(|value| value.is_finite());
        let origin = origin.ok_or_else(|| {
            QueryError::malformed(format!("{path}.origin"), "expected a finite number")
        })?;
        let width = Width::Floats { step, origin };
        Ok(Self { width, data_type: DataType::Float64, column })
    }

    /// Bins between edges that are named one by one.
    fn between(
        bin: &Bin,
        data_type: &DataType,
        column: String,
        path: &str,
    ) -> Result<Self, QueryError> {
        if !data_type.is_numeric() {
            return Err(unfit(column, data_type, path));
        }
        let bad = |detail: &str| QueryError::malformed(format!("{path}.edges"), detail);
        if bin.step.is_some() || bin.origin.is_some() {
            return Err(bad("edges stand alone, without step or origin"));
        }
        if bin.edges.len() > EDGES_MAX {
            return Err(bad("more than 65536 edges"));
        }
        let read = |literal: &Literal| match literal {
            Literal::Bool(_) => None,
            _ => literal.as_text().trim().parse::<f64>().ok().filter(|edge| edge.is_finite()),
        };
        let edges: Option<Vec<f64>> = bin.edges.iter().map(read).collect();
        let edges = edges.ok_or_else(|| bad("expected finite numbers"))?;
        if !edges.is_sorted_by(|low, high| low < high) {
            return Err(bad("expected numbers in ascending order"));
        }
        Ok(Self { width: Width::Edges(edges), data_type: DataType::Float64, column })
    }

    /// The lower edge of each value's bin; null stays null, NaN stays NaN.
    pub(super) fn edges(&self, array: &ArrayRef) -> Result<ArrayRef, QueryError> {
        let array = plain(array)?;
        match &self.width {
            Width::Unit => Ok(array),
            Width::Edges(edges) => {
                let Some((values, nulls)) = floats_of(&*array) else { return Ok(array.clone()) };
                let edges = values.iter().map(|value| edge_below(*value, edges));
                Ok(Arc::new(Float64Array::new(edges.collect::<Vec<f64>>().into(), nulls)))
            }
            &Width::Floats { step, origin } => {
                let Some((values, nulls)) = floats_of(&*array) else { return Ok(array.clone()) };
                let edges = values.iter().map(|value| float_edge(*value, step, origin));
                Ok(Arc::new(Float64Array::new(edges.collect::<Vec<f64>>().into(), nulls)))
            }
            &Width::Integers { step, origin } => {
                self.each(&*array, |value| integer_edge(value, step, origin))
            }
            &Width::Months { step, origin, units_per_day } => {
                self.each(&*array, |value| month_edge(value, step, origin, units_per_day))
            }
        }
    }

    /// Edges of the stored integers of an array.
    fn each(
        &self,
        array: &dyn Array,
        edge: impl Fn(i64) -> Option<i64>,
    ) -> Result<ArrayRef, QueryError> {
        let nulls = array.nulls();
        let is_null = |row: usize| nulls.is_some_and(|nulls| nulls.is_null(row));
        macro_rules! edges {
            ($values:expr) => {
                $values
                    .iter()
                    .enumerate()
                    .map(|(row, value)| {
                        // The slots of nulls may hold anything.
                        if is_null(row) {
                            return Some(0);
                        }
                        i64::try_from(*value).ok().and_then(&edge)
                    })
                    .collect::<Option<Vec<i64>>>()
            };
        }
        let edges = match Values::of(array) {
            Some(Values::Int8(values)) => edges!(values),
            Some(Values::Int16(values)) => edges!(values),
            Some(Values::Int32(values)) => edges!(values),
            Some(Values::Int64(values)) => edges!(values),
            Some(Values::UInt8(values)) => edges!(values),
            Some(Values::UInt16(values)) => edges!(values),
            Some(Values::UInt32(values)) => edges!(values),
            Some(Values::UInt64(values)) => edges!(values),
            _ => Some(vec![0; array.len()]),
        };
        let out_of_reach = || {
            let detail = format!("a bin of column {:?} does not fit 64 bits", self.column);
            QueryError::new("group_by", QueryErrorKind::Unsupported { detail })
        };
        let edges = edges.ok_or_else(out_of_reach)?;
        match self.data_type {
            DataType::Date32 | DataType::Time32(_) => {
                let narrow: Result<Vec<i32>, _> = edges.into_iter().map(i32::try_from).collect();
                let narrow = narrow.map_err(|_| out_of_reach())?;
                array_from_natives(narrow, nulls.cloned(), &self.data_type)
            }
            _ => array_from_natives(edges, nulls.cloned(), &self.data_type),
        }
    }
}

/// The greatest edge that is not above a value; NaN and infinity are their own.
fn edge_below(value: f64, edges: &[f64]) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let above = edges.partition_point(|edge| *edge <= value);
    above.checked_sub(1).and_then(|at| edges.get(at)).copied().unwrap_or(f64::NEG_INFINITY)
}

fn unfit(column: String, data_type: &DataType, path: &str) -> QueryError {
    let (op, data_type) = ("bin".to_owned(), data_type.to_string());
    QueryError::new(path, QueryErrorKind::OperatorForType { op, column, data_type })
}

fn float_edge(value: f64, step: f64, origin: f64) -> f64 {
    ((value - origin) / step).floor() * step + origin
}

fn integer_edge(value: i64, step: i64, origin: i64) -> Option<i64> {
    let above = match value.checked_sub(origin) {
        Some(distance) => distance.rem_euclid(step),
        // 128 bits only where 64 run over.
        None => (i128::from(value) - i128::from(origin)).rem_euclid(step.into()) as i64,
    };
    value.checked_sub(above)
}

fn month_edge(value: i64, step: i64, origin: i64, units_per_day: i64) -> Option<i64> {
    let (year, month, _) = civil_from_days(value.div_euclid(units_per_day));
    let months = year.checked_mul(12)?.checked_add(month - 1)?;
    let edge = months - (months - origin).rem_euclid(step);
    days_from_civil(edge.div_euclid(12), edge.rem_euclid(12) + 1, 1).checked_mul(units_per_day)
}

fn nanos_per_unit(data_type: &DataType) -> Option<i128> {
    match data_type {
        DataType::Date32 => Some(NANOS_PER_DAY),
        DataType::Date64 => Some(1_000_000),
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            Some(10_i128.pow(9 - decimals_of(*unit)))
        }
        _ => None,
    }
}

fn time_width(
    bin: &Bin,
    data_type: &DataType,
    nanos_per_unit: i128,
    path: &str,
) -> Result<Width, QueryError> {
    let is_clock = matches!(data_type, DataType::Time32(_) | DataType::Time64(_));
    let bad_step = |detail: &str| QueryError::malformed(format!("{path}.step"), detail);
    let bad_origin = |detail: &str| QueryError::malformed(format!("{path}.origin"), detail);
    let step = match &bin.step {
        Some(Literal::Text(text)) => Step::parse(text),
        _ => None,
    };
    let step = step.ok_or_else(|| bad_step("expected an ISO 8601 duration such as \"PT1H\""))?;
    let origin = match &bin.origin {
        None => None,
        Some(Literal::Text(text)) if is_clock => Moment::parse_time_of_day(text),
        Some(Literal::Text(text)) => Moment::parse(text),
        Some(_) => None,
    };
    if bin.origin.is_some() && origin.is_none() {
        return Err(bad_origin("expected a time as the column has them"));
    }
    let origin = origin.map(|moment| moment.scaled(9));
    let origin_nanos = origin.map(|nanos| nanos.floor.as_i128());
    match step {
        Step::Months(_) if is_clock => Err(bad_step("a time of day has no months")),
        Step::Months(months) => {
            let units_per_day = i64::try_from(NANOS_PER_DAY / nanos_per_unit).unwrap_or(1);
            let is_start = |nanos: i128| {
                let days = (nanos % NANOS_PER_DAY == 0).then_some((nanos / NANOS_PER_DAY) as i64);
                days.is_some_and(|days| civil_from_days(days).2 == 1)
            };
            if origin_nanos.is_some_and(|nanos| !is_start(nanos)) {
                return Err(bad_origin("bins of months start where a month does"));
            }
            let days = origin_nanos.map(|nanos| nanos.div_euclid(NANOS_PER_DAY) as i64);
            let origin =
                days.map(civil_from_days).map_or(0, |(year, month, _)| year * 12 + month - 1);
            Ok(Width::Months { step: months, origin, units_per_day })
        }
        Step::Nanos { nanos, is_weeks } => {
            let origin = origin_nanos.unwrap_or(if is_weeks { MONDAY } else { 0 });
            if nanos_per_unit % nanos == 0 && origin % nanos == 0 {
                return Ok(Width::Unit);
            }
            if nanos % nanos_per_unit != 0 {
                return Err(bad_step("not a whole number of the column's units"));
            }
            if origin % nanos_per_unit != 0 {
                return Err(bad_origin("not a whole number of the column's units"));
            }
            let units = |nanos: i128| i64::try_from(nanos / nanos_per_unit).ok();
            let step = units(nanos).ok_or_else(|| bad_step("does not fit 64 bits"))?;
            let origin = units(origin).ok_or_else(|| bad_origin("does not fit 64 bits"))?;
            Ok(Width::Integers { step, origin })
        }
    }
}

fn digits(literal: &Literal, field: &str) -> Result<Digits, QueryError> {
    let digits = match literal {
        Literal::Bool(_) => None,
        Literal::Number(text) | Literal::Text(text) => Digits::parse(text),
    };
    digits.ok_or_else(|| QueryError::malformed(field, "expected a number"))
}

fn bad_step(path: &str) -> QueryError {
    QueryError::malformed(format!("{path}.step"), "expected a number above zero")
}
