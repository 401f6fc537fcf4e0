//! Tests of text, over its bytes: order, membership, substrings, patterns, and dates
//! kept as text.

use std::ops::Bound as End;

use memchr::memmem::Finder;

use super::fold::FoldedFinder;
use super::literals::{Request, spans_from_request};
use super::moment::Moment;
use super::pattern::Pattern;
use super::ranges::{Integer, Place};
use crate::error::{QueryError, QueryErrorKind};
use crate::literal::Literal;
use crate::predicate::Comparison;

/// What is asked of text.
#[derive(Debug)]
pub enum TextTest {
    /// Between two ends, in the order of bytes.
    Span { low: End<String>, high: End<String> },
    /// Among the values, which are sorted, each once; negated, not among them.
    OneOf { values: Vec<String>, negated: bool },
    /// Holds a substring.
    Contains(Box<Finder<'static>>),
    /// Holds a substring, in any case.
    ContainsFolded(Box<FoldedFinder>),
    /// Is matched somewhere by a pattern.
    Matches(Box<Pattern>),
    /// Is a date or a timestamp between two ends, nanoseconds from 1970, both included.
    /// Text that is neither counts as null.
    Dates { low: i128, high: i128 },
}

/// So many values are compared with one by one: most differ in length already.
const FEW: usize = 12;

impl TextTest {
    /// Whether a text passes; `None` where it counts as null.
    pub fn check(&self, text: &[u8]) -> Option<bool> {
        Some(match self {
            Self::Span { low, high } => {
                let above = match low {
                    End::Unbounded => true,
                    End::Included(low) => text >= low.as_bytes(),
                    End::Excluded(low) => text > low.as_bytes(),
                };
                above
                    && match high {
                        End::Unbounded => true,
                        End::Included(high) => text <= high.as_bytes(),
                        End::Excluded(high) => text < high.as_bytes(),
                    }
            }
            Self::OneOf { values, negated } => match values.as_slice() {
                few if few.len() <= FEW => {
                    few.iter().any(|value| text == value.as_bytes()) != *negated
                }
                values => {
                    let found = values.binary_search_by(|value| value.as_bytes().cmp(text));
                    found.is_ok() != *negated
                }
            },
            Self::Contains(finder) => finder.find(text).is_some(),
            Self::ContainsFolded(finder) => finder.is_in(text),
            Self::Matches(pattern) => pattern.is_match(text),
            Self::Dates { low, high } => {
                let moment = Moment::parse(str::from_utf8(text).ok()?)?;
                let (nanos, _) = i128::clamped(moment.scaled(9).floor);
                *low <= nanos && nanos <= *high
            }
        })
    }
}

/// The test that a request is for a column of text.
pub(super) fn text_test(
    request: &Request<'_>,
    path: &str,
    wrong: impl Fn(&Literal) -> QueryError,
) -> Result<TextTest, QueryError> {
    let text = |value: &Literal| match value {
        Literal::Text(text) => Ok(text.clone()),
        other => Err(wrong(other)),
    };
    let one_of =
        |value: &Literal, negated| Ok(TextTest::OneOf { values: vec![text(value)?], negated });
    match request {
        Request::Compare { op, value } => match op {
            Comparison::Eq => one_of(value, false),
            Comparison::Ne => one_of(value, true),
            Comparison::Lt => {
                Ok(TextTest::Span { low: End::Unbounded, high: End::Excluded(text(value)?) })
            }
            Comparison::Le => {
                Ok(TextTest::Span { low: End::Unbounded, high: End::Included(text(value)?) })
            }
            Comparison::Gt => {
                Ok(TextTest::Span { low: End::Excluded(text(value)?), high: End::Unbounded })
            }
            Comparison::Ge => {
                Ok(TextTest::Span { low: End::Included(text(value)?), high: End::Unbounded })
            }
        },
        Request::Span { low, high } => {
            let end = |value: &Option<&Literal>| {
                value.map_or(Ok(End::Unbounded), |value| text(value).map(End::Included))
            };
            Ok(TextTest::Span { low: end(low)?, high: end(high)? })
        }
        Request::In { values, negated, is_lenient } => {
            // A control's values are compared as they are written.
            let written = |value: &Literal| match is_lenient {
                true => Ok(value.as_text().to_owned()),
                false => text(value),
            };
            let mut values = values.iter().map(written).collect::<Result<Vec<_>, _>>()?;
            values.sort_unstable();
            values.dedup();
            Ok(TextTest::OneOf { values, negated: *negated })
        }
        Request::Dates { .. } => dates(request, &wrong),
        Request::Contains { text, case_sensitive: true } => {
            Ok(TextTest::Contains(Box::new(Finder::new(text.as_bytes()).into_owned())))
        }
        Request::Contains { text, case_sensitive: false } => {
            Ok(TextTest::ContainsFolded(Box::new(FoldedFinder::new(text))))
        }
        Request::Matches { pattern: text, case_sensitive } => matches(text, *case_sensitive, path),
    }
}

fn dates(
    request: &Request<'_>,
    wrong: &dyn Fn(&Literal) -> QueryError,
) -> Result<TextTest, QueryError> {
    const NANOS: u32 = 9;
    let place = |value: &Literal| {
        let Literal::Text(text) = value else { return None };
        let moment = Moment::parse(text)?;
        let day_end = moment.end_of_day().map(|end| end.scaled(NANOS));
        Some(Place { at: moment.scaled(NANOS), day_end })
    };
    let spans = spans_from_request(request, &place, wrong)?;
    let span = spans.first().copied().unwrap_or_default();
    Ok(TextTest::Dates {
        low: span.low.map_or(i128::MIN, |low| i128::clamped(low).0),
        high: span.high.map_or(i128::MAX, |high| i128::clamped(high).0),
    })
}

fn matches(text: &str, case_sensitive: bool, path: &str) -> Result<TextTest, QueryError> {
    let pattern = Pattern::new(text, case_sensitive).map_err(|detail| {
        QueryError::new(format!("{path}.value"), QueryErrorKind::BadRegex { detail })
    });
    Ok(TextTest::Matches(Box::new(pattern?)))
}
