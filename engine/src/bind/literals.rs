//! One clause × the type of its column → a test: which operators the type has, how its
//! literals are written, and where they stand among its values.

use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};

use super::moment::Moment;
use super::number::{Digits, Exact};
use super::ranges::{
    Float, Place, Ranges, Span, float_range, float_ranges, ranges_from_spans, sort_spans,
};
use super::text::text_test;
use super::{BoundColumn, Test, operator_for_type};
use crate::error::{QueryError, QueryErrorKind};
use crate::literal::Literal;
use crate::predicate::Comparison;

/// What a clause asks of its column.
pub(crate) enum Request<'a> {
    Compare {
        op: Comparison,
        value: &'a Literal,
    },
    /// Both ends included, an open one being `None`.
    Span {
        low: Option<&'a Literal>,
        high: Option<&'a Literal>,
    },
    /// As `Span`; text is read as dates.
    Dates {
        low: Option<&'a Literal>,
        high: Option<&'a Literal>,
    },
    /// Leniently, values that are not of the column's type are left out.
    In {
        values: &'a [Literal],
        negated: bool,
        is_lenient: bool,
    },
    Contains {
        text: &'a str,
        case_sensitive: bool,
    },
    Matches {
        pattern: &'a str,
        case_sensitive: bool,
    },
}

impl Request<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Compare { op, .. } => op.name(),
            Self::Span { .. } | Self::Dates { .. } => "between",
            Self::In { negated: false, .. } => "in",
            Self::In { negated: true, .. } => "not_in",
            Self::Contains { .. } => "contains",
            Self::Matches { .. } => "matches",
        }
    }

    fn is_negated(&self) -> bool {
        matches!(self, Self::Compare { op: Comparison::Ne, .. } | Self::In { negated: true, .. })
    }

    /// The comparisons that together make the request: lists are alternatives of `eq`,
    /// spans have both ends to meet.
    fn comparisons(&self) -> Vec<(Comparison, &Literal)> {
        match self {
            Self::Compare { op, value } => vec![(*op, *value)],
            Self::Span { low, high } | Self::Dates { low, high } => {
                let low = low.map(|low| (Comparison::Ge, low));
                low.into_iter().chain(high.map(|high| (Comparison::Le, high))).collect()
            }
            Self::In { values, .. } => values.iter().map(|value| (Comparison::Eq, value)).collect(),
            Self::Contains { .. } | Self::Matches { .. } => Vec::new(),
        }
    }
}

/// The test that a request is for a column of its type.
pub(crate) fn test_from_request(
    column: &BoundColumn,
    request: &Request<'_>,
    path: &str,
) -> Result<Test, QueryError> {
    let data_type = &column.data_type;
    let wrong = |value: &Literal| wrong_type(value, column, path);
    match data_type {
        DataType::Null => return Ok(Test::Unknown),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            return text_test(request, path, wrong).map(Test::Text);
        }
        _ if matches!(request, Request::Contains { .. } | Request::Matches { .. }) => {
            return Err(operator_for_type(request.name(), column, path));
        }
        DataType::Float16 => return floats(request, wrong).map(Test::Float16),
        DataType::Float32 => return floats(request, wrong).map(Test::Float32),
        DataType::Float64 => return floats(request, wrong).map(Test::Float64),
        _ => {}
    }
    let Some(place) = place_reader(data_type) else {
        return Err(operator_for_type(request.name(), column, path));
    };
    let mut spans = spans_from_request(request, &place, &wrong)?;
    sort_spans(&mut spans);
    let negated = request.is_negated();
    Ok(match data_type {
        DataType::Boolean => {
            let passes = ranges_from_spans::<u8>(&spans, negated);
            Test::Boolean { passes_false: passes.contains(0), passes_true: passes.contains(1) }
        }
        DataType::Int8 => Test::Int8(ranges_from_spans(&spans, negated)),
        DataType::Int16 => Test::Int16(ranges_from_spans(&spans, negated)),
        DataType::UInt8 => Test::UInt8(ranges_from_spans(&spans, negated)),
        DataType::UInt16 => Test::UInt16(ranges_from_spans(&spans, negated)),
        DataType::UInt32 => Test::UInt32(ranges_from_spans(&spans, negated)),
        DataType::UInt64 => Test::UInt64(ranges_from_spans(&spans, negated)),
        DataType::Decimal128(_, _) => Test::Int128(ranges_from_spans(&spans, negated)),
        DataType::Decimal256(_, _) => Test::Int256(ranges_from_spans(&spans, negated)),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) | DataType::Decimal32(_, _) => {
            Test::Int32(ranges_from_spans(&spans, negated))
        }
        _ => Test::Int64(ranges_from_spans(&spans, negated)),
    })
}

/// Whether the values of a type can be coordinates of points.
pub(crate) fn has_coordinates(data_type: &DataType) -> bool {
    let is_number = matches!(
        data_type,
        DataType::Null | DataType::Float16 | DataType::Float32 | DataType::Float64
    );
    is_number || (*data_type != DataType::Boolean && place_reader(data_type).is_some())
}

type PlaceReader = Box<dyn Fn(&Literal) -> Option<Place>>;

/// How literals of a type are placed among its stored integers; `None` for types
/// whose values have no order of ours.
fn place_reader(data_type: &DataType) -> Option<PlaceReader> {
    let number = |scale: i32| -> PlaceReader {
        Box::new(move |value| {
            let at = number_from_literal(value)?.scaled(scale);
            Some(Place { at, day_end: None })
        })
    };
    let moment = |scaled: fn(&Moment, u32) -> Exact, scale: u32| -> PlaceReader {
        Box::new(move |value| {
            let Literal::Text(text) = value else { return None };
            let moment = Moment::parse(text)?;
            let day_end = moment.end_of_day().map(|end| scaled(&end, scale));
            Some(Place { at: scaled(&moment, scale), day_end })
        })
    };
    match data_type {
        DataType::Boolean => Some(Box::new(|value| {
            let at =
                Exact { floor: i256::from_i128(bool_from_literal(value)?.into()), exact: true };
            Some(Place { at, day_end: None })
        })),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(number(i32::from(*scale))),
        DataType::Duration(_) => Some(number(0)),
        integer if integer.is_integer() => Some(number(0)),
        DataType::Date32 => Some(moment(|moment, _| moment.days(), 0)),
        DataType::Date64 => Some(moment(Moment::scaled, 3)),
        DataType::Timestamp(unit, _) => Some(moment(Moment::scaled, decimals_of(*unit))),
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let scale = decimals_of(*unit);
            Some(Box::new(move |value| {
                let Literal::Text(text) = value else { return None };
                let at = Moment::parse_time_of_day(text)?.scaled(scale);
                Some(Place { at, day_end: None })
            }))
        }
        _ => None,
    }
}

/// The power of ten by which a unit divides the second.
pub(crate) fn decimals_of(unit: TimeUnit) -> u32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

fn number_from_literal(value: &Literal) -> Option<Digits> {
    match value {
        Literal::Bool(_) => None,
        Literal::Number(text) | Literal::Text(text) => Digits::parse(text),
    }
}

fn bool_from_literal(value: &Literal) -> Option<bool> {
    match value {
        Literal::Bool(value) => Some(*value),
        Literal::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Literal::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The spans of integers that a request passes, any of which will do.
pub(super) fn spans_from_request(
    request: &Request<'_>,
    place: &dyn Fn(&Literal) -> Option<Place>,
    wrong: &dyn Fn(&Literal) -> QueryError,
) -> Result<Vec<Span>, QueryError> {
    let is_lenient = matches!(request, Request::In { is_lenient: true, .. });
    let mut spans = Vec::new();
    for (op, value) in request.comparisons() {
        match place(value) {
            Some(place) => spans.push(place.span(op)),
            None if is_lenient => {}
            None => return Err(wrong(value)),
        }
    }
    if matches!(request, Request::Span { .. } | Request::Dates { .. }) {
        let low = spans.iter().find_map(|span| span.low);
        let high = spans.iter().find_map(|span| span.high);
        spans = vec![Span { low, high }];
    }
    Ok(spans)
}

/// The ranges of floats that a request passes.
fn floats<T: Float>(
    request: &Request<'_>,
    wrong: impl Fn(&Literal) -> QueryError,
) -> Result<Ranges<T>, QueryError> {
    let is_lenient = matches!(request, Request::In { is_lenient: true, .. });
    let takes_nan = matches!(
        request,
        Request::In { .. } | Request::Compare { op: Comparison::Eq | Comparison::Ne, .. }
    );
    let mut ranges = Vec::new();
    for (op, value) in request.comparisons() {
        match float_from_literal::<T>(value) {
            // Nothing equals NaN.
            Some(float) if is_nan(float) && takes_nan => {}
            Some(float) if !is_nan(float) => ranges.push(float_range(op, float)),
            _ if is_lenient => {}
            _ => return Err(wrong(value)),
        }
    }
    let ranges = match request {
        Request::Span { .. } | Request::Dates { .. } => {
            let whole = Some((T::LOWEST, T::HIGHEST));
            let meet = |a: Option<(T, T)>, b: Option<(T, T)>| {
                let (a, b) = (a?, b?);
                Some((if b.0 > a.0 { b.0 } else { a.0 }, if b.1 < a.1 { b.1 } else { a.1 }))
            };
            vec![ranges.into_iter().fold(whole, meet)]
        }
        _ => ranges,
    };
    let ranges: Vec<(T, T)> = ranges.into_iter().flatten().collect();
    Ok(float_ranges(&ranges, request.is_negated()))
}

/// A literal rounded to the column's type; text may say NaN or an infinity.
fn float_from_literal<T: Float>(value: &Literal) -> Option<T> {
    let text = match value {
        Literal::Bool(_) => return None,
        Literal::Number(text) | Literal::Text(text) => text.trim(),
    };
    let word = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let is_word = matches!(word.as_str(), "nan" | "inf" | "infinity");
    (is_word || Digits::parse(text).is_some()).then(|| T::rounded(text)).flatten()
}

#[expect(clippy::eq_op, reason = "NaN is what differs from itself")]
fn is_nan<T: Float>(value: T) -> bool {
    value != value
}

fn wrong_type(value: &Literal, column: &BoundColumn, path: &str) -> QueryError {
    let hint = match &column.data_type {
        DataType::Boolean => "; expected true or false",
        DataType::Date32 | DataType::Date64 => "; write a date as \"YYYY-MM-DD\"",
        DataType::Timestamp(_, _) => "; write a time as \"YYYY-MM-DDTHH:MM:SSZ\"",
        DataType::Time32(_) | DataType::Time64(_) => "; write a time of day as \"HH:MM:SS\"",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "; expected a string",
        _ => "; expected a number",
    };
    QueryError::new(
        format!("{path}.value"),
        QueryErrorKind::WrongType {
            value: value.to_string(),
            column: column.name.clone(),
            data_type: column.data_type.to_string(),
            hint: hint.to_owned(),
        },
    )
}
