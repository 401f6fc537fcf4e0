//! A filter as it is typed under the name of a column, and back: `>5`, `1..4`, `!=7`,
//! `2024-03`, `=AA|DL`, `null`. Both ways, so that the field shows the clause that a chart or
//! the panel of filters made. What cannot be typed is said in words. Pure.

use engine::kind::Kind;
use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use super::position::{End, Scalar};
use crate::texts;

const SIGNS: [(&str, Comparison); 6] = [
    ("!=", Comparison::Ne),
    (">=", Comparison::Ge),
    ("<=", Comparison::Le),
    (">", Comparison::Gt),
    ("<", Comparison::Lt),
    ("=", Comparison::Eq),
];

/// What a column's field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub column: String,
    pub kind: Kind,
    pub scalar: Option<Scalar>,
}

impl Field {
    /// The clause that a text says; none for an empty one. The error says what is wrong.
    pub fn read(&self, typed: &str) -> Result<Option<Predicate>, String> {
        let text = typed.trim();
        let column = || self.column.clone();
        let found = match text {
            "" => return Ok(None),
            "null" => Predicate::IsNull { column: column() },
            "!null" => Predicate::NotNull { column: column() },
            _ => match (self.kind, self.scalar) {
                (Kind::Number | Kind::Time, Some(scalar)) => self.read_scalar(scalar, text)?,
                (Kind::Boolean, _) => self.read_boolean(text)?,
                (Kind::Category | Kind::Text, _) => self.read_text(text)?,
                _ => return Err(texts::typed::ONLY_NULL.to_owned()),
            },
        };
        Ok(Some(found))
    }

    fn compare(&self, op: Comparison, value: Literal) -> Predicate {
        Predicate::Compare { column: self.column.clone(), op, value }
    }

    fn between(&self, low: Literal, high: Literal) -> Predicate {
        Predicate::Between { column: self.column.clone(), low, high }
    }

    fn read_scalar(&self, scalar: Scalar, text: &str) -> Result<Predicate, String> {
        if let Some((low, high)) = text.split_once("..") {
            return match (low.trim(), high.trim()) {
                ("", "") => Err(texts::typed::NO_END.to_owned()),
                (low, "") => Ok(self.compare(Comparison::Ge, end(scalar, low, End::Low)?)),
                ("", high) => Ok(self.compare(Comparison::Le, end(scalar, high, End::High)?)),
                (low, high) => {
                    let (low, high) = (end(scalar, low, End::Low)?, end(scalar, high, End::High)?);
                    let ends = (scalar.position(&low, End::Low), scalar.position(&high, End::High));
                    match ends {
                        (Some(from), Some(to)) if from > to => {
                            Err(texts::typed::after(low.as_text(), high.as_text()))
                        }
                        _ => Ok(self.between(low, high)),
                    }
                }
            };
        }
        let (op, rest) = signed(text);
        if rest.is_empty() {
            return Err(texts::typed::no_value_after(text));
        }
        let whole = Span::of(scalar, rest)?;
        Ok(match (op.unwrap_or(Comparison::Eq), whole) {
            (Comparison::Eq, Span::One(value)) => self.compare(Comparison::Eq, value),
            (Comparison::Ne, Span::One(value)) => self.compare(Comparison::Ne, value),
            (Comparison::Eq, Span::Long(low, high)) => self.between(low, high),
            (Comparison::Ne, Span::Long(low, high)) => {
                Predicate::Not(Box::new(self.between(low, high)))
            }
            // Before a month is before its first day, after it is after its last.
            (op @ (Comparison::Lt | Comparison::Ge), Span::One(low) | Span::Long(low, _)) => {
                self.compare(op, low)
            }
            (op, Span::One(high) | Span::Long(_, high)) => self.compare(op, high),
        })
    }

    fn read_boolean(&self, text: &str) -> Result<Predicate, String> {
        let (op, rest) = signed(text);
        let value = match rest.to_lowercase().as_str() {
            "yes" | "y" | "true" | "t" | "1" => true,
            "no" | "n" | "false" | "f" | "0" => false,
            _ => return Err(texts::typed::neither_yes_nor_no(rest)),
        };
        match op {
            None | Some(Comparison::Eq) => Ok(self.compare(Comparison::Eq, value.into())),
            Some(Comparison::Ne) => Ok(self.compare(Comparison::Eq, (!value).into())),
            _ => Err(texts::typed::NO_ORDER.to_owned()),
        }
    }

    fn read_text(&self, text: &str) -> Result<Predicate, String> {
        let column = self.column.clone();
        if let Some(pattern) = text.strip_prefix('/') {
            let (pattern, flags) = pattern.rsplit_once('/').unwrap_or((pattern, ""));
            return match (pattern, flags) {
                ("", _) => Err(texts::typed::NO_PATTERN.to_owned()),
                (_, "" | "c") => Ok(Predicate::Matches {
                    column,
                    pattern: pattern.to_owned(),
                    case_sensitive: flags == "c",
                }),
                _ => Err(texts::typed::unknown_flags(flags)),
            };
        }
        let (op, rest) = signed(text);
        match op {
            None => Ok(Predicate::Contains {
                column,
                text: unquoted(text).to_owned(),
                case_sensitive: false,
            }),
            Some(op @ (Comparison::Eq | Comparison::Ne)) => {
                let values = rest.split('|').map(|value| unquoted(value.trim()).into());
                let negated = op == Comparison::Ne;
                Ok(Predicate::In { column, values: values.collect(), negated })
            }
            Some(_) if rest.is_empty() => Err(texts::typed::no_value_after(text)),
            Some(op) => Ok(self.compare(op, unquoted(rest).into())),
        }
    }
}

/// A clause as it would be typed for its column; `None` for what has no such form.
pub fn written(clause: &Predicate) -> Option<String> {
    Some(match clause {
        Predicate::IsNull { .. } => "null".to_owned(),
        Predicate::NotNull { .. } => "!null".to_owned(),
        Predicate::Between { low, high, .. } => match span_text(low, high) {
            Some(text) => text,
            None => format!("{}..{}", low.as_text(), high.as_text()),
        },
        Predicate::Not(inner) => match inner.as_ref() {
            Predicate::Between { low, high, .. } => format!("!={}", span_text(low, high)?),
            _ => return None,
        },
        Predicate::Compare { op, value, .. } => match (op, value) {
            (Comparison::Eq, Literal::Bool(value)) => if *value { "yes" } else { "no" }.to_owned(),
            (_, Literal::Bool(_)) => return None,
            (op, Literal::Text(text)) => format!("{}{}", sign(*op), quoted(text)),
            (op, value) => format!("{}{}", sign(*op), value.as_text()),
        },
        Predicate::In { values, negated, .. } if !values.is_empty() => {
            let texts = values.iter().map(|value| match value {
                Literal::Text(text) if !text.contains('|') => Some(quoted(text)),
                _ => None,
            });
            let texts = texts.collect::<Option<Vec<_>>>()?;
            format!("{}{}", if *negated { "!=" } else { "=" }, texts.join("|"))
        }
        Predicate::Contains { text, case_sensitive: false, .. } => {
            let plain = signed(text).0.is_none()
                && !text.starts_with(['/', '"'])
                && !matches!(text.as_str(), "null" | "!null" | "")
                && text.trim() == text;
            if plain { text.clone() } else { format!("\"{text}\"") }
        }
        Predicate::Matches { pattern, case_sensitive, .. } => {
            format!("/{pattern}/{}", if *case_sensitive { "c" } else { "" })
        }
        _ => return None,
    })
}

fn sign(op: Comparison) -> &'static str {
    SIGNS.iter().find(|(_, known)| *known == op).map_or("=", |(sign, _)| sign)
}

fn signed(text: &str) -> (Option<Comparison>, &str) {
    let found = SIGNS.iter().find_map(|(sign, op)| Some((*op, text.strip_prefix(sign)?)));
    found.map_or((None, text), |(op, rest)| (Some(op), rest.trim()))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Quotes keep spaces at the ends, and a text that is itself in quotes.
fn quoted(text: &str) -> String {
    let bare = text.trim() == text && unquoted(text) == text && !text.is_empty();
    if bare { text.to_owned() } else { format!("\"{text}\"") }
}

/// One value, or the first and the last instant of a year, a month or a day.
enum Span {
    One(Literal),
    Long(Literal, Literal),
}

impl Span {
    fn of(scalar: Scalar, text: &str) -> Result<Self, String> {
        let low = end(scalar, text, End::Low)?;
        let high = end(scalar, text, End::High)?;
        let is_day = scalar == Scalar::Moment && text.len() == 10;
        Ok(if low == high && !is_day { Self::One(low) } else { Self::Long(low, high) })
    }
}

/// One end of what a text stands for: of a month its first day or its last.
fn end(scalar: Scalar, text: &str, end: End) -> Result<Literal, String> {
    let is_digits =
        |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    if matches!(scalar, Scalar::Date | Scalar::Moment) {
        let at_end = end == End::High;
        if is_digits(text, 4) {
            let day = if at_end { "12-31" } else { "01-01" };
            return Ok(Literal::Text(format!("{text}-{day}")));
        }
        if let Some((year, month)) = text.split_once('-')
            && is_digits(year, 4)
            && is_digits(month, 2)
        {
            let days = days_of_month(year.parse().unwrap_or(0), month.parse().unwrap_or(0));
            let days = days.ok_or_else(|| texts::typed::no_month(month))?;
            return Ok(Literal::Text(format!("{text}-{:02}", if at_end { days } else { 1 })));
        }
        let typed = scalar.literal_from_typed(text, end);
        return typed.map_err(|_| texts::typed::not_a_span(text));
    }
    scalar.literal_from_typed(text, end)
}

fn days_of_month(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    Some(match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    })
}

/// "2024-03" for the days that are that month.
fn span_text(low: &Literal, high: &Literal) -> Option<String> {
    let (Literal::Text(low), Literal::Text(high)) = (low, high) else {
        return (low == high).then(|| format!("={}", low.as_text()));
    };
    let of = |prefix: &str| {
        let ends = [End::Low, End::High].map(|at| end(Scalar::Date, prefix, at));
        ends == [Ok(low.as_str().into()), Ok(high.as_str().into())]
    };
    let prefixes = [low.get(..4), low.get(..7), low.get(..10)];
    prefixes.into_iter().flatten().find(|prefix| of(prefix)).map(str::to_owned)
}

#[cfg(test)]
mod tests;
