//! Literals of a query as positions on an axis, and back: numbers as they are, moments as
//! milliseconds since 1970 UTC, times of day as milliseconds since midnight. What a drag
//! writes is rounded to what a pixel can tell, so that links stay short and readable.

use crate::texts;
use engine::calendar::{civil_from_days, days_from_civil};
use engine::kind::Kind;
use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

pub const MILLIS_PER_DAY: f64 = 86_400_000.0;

/// How a column's values are written in a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    Integer,
    Float,
    Date,
    /// A timestamp; those of a column without zone are taken as UTC.
    Moment,
    TimeOfDay,
}

/// Which end of an interval: a bare date means its start or its last instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Low,
    High,
}

impl Scalar {
    /// By the Arrow type as the contract prints it; `None` for what has no axis.
    pub fn from_type(data_type: &str, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Number if data_type.starts_with("Int") || data_type.starts_with("UInt") => {
                Some(Self::Integer)
            }
            Kind::Number => Some(Self::Float),
            Kind::Time if data_type.starts_with("Date32") => Some(Self::Date),
            Kind::Time if data_type.starts_with("Time32") || data_type.starts_with("Time64") => {
                Some(Self::TimeOfDay)
            }
            Kind::Time => Some(Self::Moment),
            _ => None,
        }
    }

    /// How many of the numbers that a column stores make one data unit (milliseconds, in
    /// times), by the Arrow type as the contract prints it: a type is not parsed whole here,
    /// which would be a hundredth of all that the page loads.
    pub fn stored_per_unit(data_type: &str) -> f64 {
        let unit = data_type.split_once('(').map_or("", |(name, rest)| {
            let timed = name == "Timestamp" || name.starts_with("Time");
            if timed {
                rest.trim_end_matches(')').split(',').next().unwrap_or_default()
            } else {
                ""
            }
        });
        match unit {
            "s" => 1e-3,
            "µs" => 1e3,
            "ns" => 1e6,
            _ if data_type == "Date32" => 1.0 / MILLIS_PER_DAY,
            _ => 1.0,
        }
    }

    pub fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Moment | Self::TimeOfDay)
    }

    /// The literal of a position. `step` is what one pixel, or one arrow key, is worth.
    pub fn literal(self, position: f64, step: f64, end: End) -> Literal {
        match self {
            Self::Integer => {
                let position = if step > 1.0 { rounded(position, step) } else { position };
                integer(if end == End::Low { position.ceil() } else { position.floor() })
            }
            Self::Float => Literal::Number(decimal(position, step)),
            Self::Date => Literal::Text(date_text(position)),
            Self::Moment if step >= MILLIS_PER_DAY => Literal::Text(date_text(position)),
            Self::Moment => Literal::Text(moment_text(position, step)),
            Self::TimeOfDay => {
                Literal::Text(clock_text(position.clamp(0.0, MILLIS_PER_DAY - 1.0), step))
            }
        }
    }

    /// The position of a literal; `None` if it is no value of such a column.
    pub fn position(self, literal: &Literal, end: End) -> Option<f64> {
        let text = literal.as_text().trim();
        match self {
            Self::Integer | Self::Float => {
                text.parse::<f64>().ok().filter(|number| number.is_finite())
            }
            Self::Date => date_position(text),
            Self::Moment => match (date_position(text), end) {
                (Some(start), End::Low) => Some(start),
                (Some(start), End::High) => Some(start + MILLIS_PER_DAY - 1.0),
                (None, _) => moment_position(text),
            },
            Self::TimeOfDay => clock_position(text),
        }
    }

    /// What a user typed into a field of this column, as a literal; the error says how to.
    pub fn literal_from_typed(self, typed: &str, end: End) -> Result<Literal, String> {
        let text = typed.trim().replace([',', '\u{202f}', '_'], "");
        let literal = match self {
            Self::Integer | Self::Float => Literal::Number(
                number_text(&text).ok_or_else(|| texts::typed::not_a_number(typed))?,
            ),
            _ => Literal::Text(typed.trim().to_owned()),
        };
        match self.position(&literal, end) {
            Some(_) => Ok(literal),
            None if self == Self::TimeOfDay => Err(texts::typed::not_a_time_of_day(typed)),
            None => Err(texts::typed::not_a_date(typed)),
        }
    }
}

/// The closed interval a predicate says for one column, where it says one.
pub fn interval(predicate: &Predicate, scalar: Scalar) -> Option<(Option<f64>, Option<f64>)> {
    match predicate {
        Predicate::Between { low, high, .. } => {
            Some((Some(scalar.position(low, End::Low)?), Some(scalar.position(high, End::High)?)))
        }
        Predicate::Compare { op: Comparison::Ge | Comparison::Gt, value, .. } => {
            Some((Some(scalar.position(value, End::Low)?), None))
        }
        Predicate::Compare { op: Comparison::Le | Comparison::Lt, value, .. } => {
            Some((None, Some(scalar.position(value, End::High)?)))
        }
        Predicate::Compare { op: Comparison::Eq, value, .. } => {
            let position = scalar.position(value, End::Low)?;
            Some((Some(position), Some(position)))
        }
        _ => None,
    }
}

/// The closed interval from one position to another as a predicate; in whichever order.
pub fn between(column: &str, scalar: Scalar, from: f64, to: f64, step: f64) -> Predicate {
    between_steps(column, scalar, [from, to], [step, step])
}

/// The same where the two ends are not told apart alike.
pub fn between_steps(
    column: &str,
    scalar: Scalar,
    [from, to]: [f64; 2],
    [from_step, to_step]: [f64; 2],
) -> Predicate {
    let (low, high) = if from <= to {
        ((from, from_step), (to, to_step))
    } else {
        ((to, to_step), (from, from_step))
    };
    let low_literal = scalar.literal(low.0, low.1, End::Low);
    let high_literal = scalar.literal(high.0, high.1, End::High);
    // Rounding inwards may cross over in a very narrow interval: it is then one value.
    let crossed = match (
        scalar.position(&low_literal, End::Low),
        scalar.position(&high_literal, End::High),
    ) {
        (Some(low), Some(high)) => low > high,
        _ => false,
    };
    let high_literal = if crossed { low_literal.clone() } else { high_literal };
    Predicate::Between { column: column.to_owned(), low: low_literal, high: high_literal }
}

/// Rounds to the power of ten at or below `step`.
fn rounded(number: f64, step: f64) -> f64 {
    let unit = power_below(step);
    if unit > 0.0 { (number / unit).round() * unit } else { number }
}

fn power_below(step: f64) -> f64 {
    if step.is_finite() && step > 0.0 { 10f64.powf(step.log10().floor()) } else { 0.0 }
}

fn integer(number: f64) -> Literal {
    let text = format!("{number:.0}");
    Literal::Number(if text == "-0" { "0".to_owned() } else { text })
}

/// A number with no more digits than `step` calls for.
pub(super) fn decimal(number: f64, step: f64) -> String {
    if !number.is_finite() {
        return "0".to_owned();
    }
    let unit = power_below(step);
    if unit <= 0.0 {
        return format!("{number:?}");
    }
    let digits = (-unit.log10()).round().clamp(0.0, 17.0) as usize;
    let text = format!("{:.digits$}", rounded(number, step));
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    // Very small and very large numbers are shorter, and exact, in their own notation.
    if text.len() > 20 || (digits == 17 && number != 0.0) {
        return format!("{number:e}");
    }
    if text == "-0" { "0".to_owned() } else { text }
}

/// The text of a JSON number that reads as what was typed: `+5` and `.5` are meant well.
fn number_text(typed: &str) -> Option<String> {
    let number = typed.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let plain = typed.strip_prefix('+').unwrap_or(typed);
    match serde_json::from_str::<Literal>(plain) {
        Ok(Literal::Number(text)) => Some(text),
        _ => Some(format!("{number:?}")),
    }
}

pub fn date_text(millis: f64) -> String {
    let (year, month, day) = civil_from_days(days_from_millis(millis));
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

fn days_from_millis(millis: f64) -> i64 {
    (millis / MILLIS_PER_DAY).floor() as i64
}

/// A timestamp to the millisecond, second or minute that `step` can tell apart.
pub fn moment_text(millis: f64, step: f64) -> String {
    let millis = if step >= 60_000.0 { floor_to(millis, 60_000.0) } else { millis };
    let millis = if step >= 1000.0 { floor_to(millis, 1000.0) } else { millis.round() };
    let of_day = millis.rem_euclid(MILLIS_PER_DAY);
    format!("{}T{}", date_text(millis), clock_text(of_day, 1.0))
}

fn floor_to(number: f64, unit: f64) -> f64 {
    (number / unit).floor() * unit
}

fn clock_text(millis: f64, step: f64) -> String {
    let millis = if step >= 1000.0 { floor_to(millis, 1000.0) } else { millis.floor() } as i64;
    let (seconds, fraction) = (millis.div_euclid(1000), millis.rem_euclid(1000));
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match fraction {
        0 => format!("{hours:02}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{hours:02}:{minutes:02}:{:02}.{fraction:03}", seconds % 60),
    }
}

/// `YYYY-MM-DD`, with a sign where the year has more digits.
fn date_position(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.splitn(3, '-');
    let year: i64 = digit_field(parts.next()?, 4, 6)?;
    let month: i64 = digit_field(parts.next()?, 2, 2)?;
    let day: i64 = digit_field(parts.next()?, 2, 2)?;
    let days = days_from_civil(sign * year, month, day);
    let exists = (1..=12).contains(&month) && civil_from_days(days) == (sign * year, month, day);
    exists.then_some(days as f64 * MILLIS_PER_DAY)
}

fn digit_field(text: &str, shortest: usize, longest: usize) -> Option<i64> {
    let fits = (shortest..=longest).contains(&text.len());
    (fits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// RFC 3339, the zone left out or `Z` or an offset; a space may stand for the `T`.
fn moment_position(text: &str) -> Option<f64> {
    let at = text.find(['T', 't', ' '])?;
    let day = date_position(text.get(..at)?)?;
    let rest = text.get(at + 1..)?;
    let (clock, offset) = match rest.find(['Z', 'z', '+', '-']) {
        None => (rest, 0.0),
        Some(at) => (rest.get(..at)?, offset_millis(rest.get(at..)?)?),
    };
    Some(day + clock_position(clock)? - offset)
}

fn offset_millis(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0.0);
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let minutes = digit_field(hours, 2, 2)? * 60 + digit_field(minutes, 2, 2)?;
    Some(sign * minutes as f64 * 60_000.0)
}

/// `HH:MM`, `HH:MM:SS` or with a fraction.
fn clock_position(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let hours = digit_field(parts.next()?, 2, 2).filter(|hours| *hours < 24)?;
    let minutes = digit_field(parts.next()?, 2, 2).filter(|minutes| *minutes < 60)?;
    let (whole, fraction) = match parts.next() {
        None => ("00", ""),
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "")),
    };
    let seconds = digit_field(whole, 2, 2).filter(|seconds| *seconds < 61)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: f64 = format!("0.{fraction}0").parse::<f64>().ok()? * 1000.0;
    Some(((hours * 60 + minutes) * 60 + seconds) as f64 * 1000.0 + millis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_literals_are_each_others_inverse() {
        let cases = [
            (Scalar::Integer, "42", 42.0),
            (Scalar::Integer, "-7", -7.0),
            (Scalar::Float, "0.25", 0.25),
            (Scalar::Date, "2001-03-31", 986_000_400_000.0 - 3_600_000.0),
            (Scalar::Date, "1969-12-31", -86_400_000.0),
            (Scalar::Moment, "2001-03-31T14:30:00", 986_049_000_000.0),
            (Scalar::Moment, "2001-03-31T14:30:00.250", 986_049_000_250.0),
            (Scalar::TimeOfDay, "14:30:00", 52_200_000.0),
        ];
        for (scalar, text, _) in cases {
            let literal = match scalar {
                Scalar::Integer | Scalar::Float => Literal::Number(text.to_owned()),
                _ => Literal::Text(text.to_owned()),
            };
            let position = scalar.position(&literal, End::Low).unwrap();
            assert_eq!(scalar.literal(position, 0.01, End::Low), literal, "{text}");
        }
        let noon = Literal::from("2001-01-01T12:00:00+02:00");
        let utc = Literal::from("2001-01-01 10:00");
        assert_eq!(
            Scalar::Moment.position(&noon, End::Low),
            Scalar::Moment.position(&utc, End::Low)
        );
    }

    #[test]
    fn a_bare_date_ends_with_its_day() {
        let date = Literal::from("2001-01-01");
        let low = Scalar::Moment.position(&date, End::Low).unwrap();
        let high = Scalar::Moment.position(&date, End::High).unwrap();
        assert_eq!(high - low, MILLIS_PER_DAY - 1.0);
        // A drag over months writes dates, one over hours writes minutes.
        let months = between("t", Scalar::Moment, low, low + 9e9, 2.0 * MILLIS_PER_DAY);
        assert_eq!(
            serde_json::to_string(&months).unwrap(),
            r#"{"column":"t","op":"between","value":["2001-01-01","2001-04-15"]}"#
        );
        let hours = between("t", Scalar::Moment, low + 61_500.0, low + 7.2e6, 60_000.0);
        assert_eq!(
            serde_json::to_string(&hours).unwrap(),
            r#"{"column":"t","op":"between","value":["2001-01-01T00:01:00","2001-01-01T02:00:00"]}"#
        );
    }

    #[test]
    fn drags_write_short_numbers() {
        let cases = [
            (Scalar::Float, 12.345_678, 0.03, "12.35"),
            (Scalar::Float, 12_345.678, 40.0, "12350"),
            (Scalar::Float, -0.000_001, 0.01, "0"),
            (Scalar::Float, 5e-9, 2e-11, "0.000000005"),
            (Scalar::Integer, 12_345.6, 40.0, "12350"),
            (Scalar::Integer, -0.4, 0.1, "0"),
        ];
        for (scalar, position, step, text) in cases {
            let literal = scalar.literal(position, step, End::Low);
            assert_eq!(literal.as_text(), text, "{position} by {step}");
        }
    }

    #[test]
    fn what_is_typed_keeps_its_digits_or_says_what_is_wrong() {
        let typed = |scalar: Scalar, text: &str| scalar.literal_from_typed(text, End::Low);
        assert_eq!(
            typed(Scalar::Integer, " 9,007,199,254,740,993 ").unwrap(),
            Literal::Number("9007199254740993".to_owned())
        );
        assert_eq!(typed(Scalar::Float, "+.5").unwrap(), Literal::Number("0.5".to_owned()));
        assert!(typed(Scalar::Float, "five").unwrap_err().contains("not a number"));
        assert!(typed(Scalar::Float, "NaN").is_err());
        assert!(typed(Scalar::Date, "2001-02-30").unwrap_err().contains("not a date"));
        assert!(typed(Scalar::Date, "2001-13-01").is_err());
        assert!(typed(Scalar::Moment, "2001-02-03").is_ok());
        assert!(typed(Scalar::TimeOfDay, "25:00").unwrap_err().contains("time of day"));
    }

    #[test]
    fn odd_texts_are_no_positions() {
        for text in
            ["", "T", "2001", "2001-1-1", "2001-01-01T", "2001-01-01Tx", "é2001-01-01", "99:99"]
        {
            assert_eq!(Scalar::Moment.position(&Literal::from(text), End::Low), None, "{text:?}");
        }
    }
}
