//! Values as a query writes them, and back: literals of stored numbers, durations of steps,
//! data units of the texts that answers and statistics hold. Pure.

use arrow_schema::{DataType, TimeUnit};
use engine::literal::Literal;

use crate::cell::stored_text;
use crate::worker::numbers::{Measure, stored_to_unsigned};

/// A float so that reading it gives the same float.
pub fn float_literal(number: f64) -> Literal {
    Literal::Number(format!("{number:?}"))
}

/// A stored number as a query writes values of the type.
pub fn stored_literal(data_type: &DataType, stored: i64) -> Literal {
    match data_type {
        DataType::UInt64 => Literal::Number(stored_to_unsigned(stored).to_string()),
        other => match stored_text(other, stored) {
            Some(text) => Literal::Text(text),
            None => Literal::Number(stored.to_string()),
        },
    }
}

/// A step in stored units: a duration for times, else a number.
pub fn step_literal(data_type: &DataType, step: u64) -> Literal {
    let per_second: u64 = match data_type {
        DataType::Date32 => return Literal::Text(format!("P{step}D")),
        DataType::Date64 => 1000,
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            }
        }
        _ => return Literal::Number(step.to_string()),
    };
    let per_day = per_second.saturating_mul(86_400);
    let (days, rest) = (step / per_day, step % per_day);
    let (seconds, fraction) = (rest / per_second, rest % per_second);
    let nanos = fraction * (1_000_000_000 / per_second);
    let mut text = String::from("P");
    if days > 0 {
        text.push_str(&format!("{days}D"));
    }
    if nanos > 0 {
        text.push_str(&format!("T{seconds}.{nanos:09}S"));
    } else if seconds > 0 || days == 0 {
        text.push_str(&format!("T{seconds}S"));
    }
    Literal::Text(text)
}

/// A value's text in data units: numbers, dates, timestamps and times of day as the
/// companion writes them.
pub fn units_of_text(data_type: &DataType, text: &str) -> Option<f64> {
    let text = text.trim();
    match data_type {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => moment_millis(text),
        DataType::Time32(_) | DataType::Time64(_) => clock_millis(text),
        other if Measure::of(other).is_some() => {
            let number = text.parse::<f64>().ok()?;
            Some(number)
        }
        _ => None,
    }
}

fn moment_millis(text: &str) -> Option<f64> {
    // A sign before the year is no separator.
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (date, clock) = match unsigned.find(['T', ' ']) {
        Some(end) => (unsigned.get(..end)?, unsigned.get(end + 1..)?),
        None => (unsigned, ""),
    };
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = engine::calendar::days_from_civil(sign * year, month, day);
    let (clock, offset) = split_offset(clock)?;
    let time = if clock.is_empty() { 0.0 } else { clock_millis(clock)? };
    Some(days as f64 * 86_400_000.0 + time - offset)
}

/// The time of day and how far its zone is ahead, in milliseconds.
fn split_offset(clock: &str) -> Option<(&str, f64)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, 0.0));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, 0.0)) };
    let (clock, offset) = clock.split_at_checked(at)?;
    let sign = if offset.starts_with('-') { -1.0 } else { 1.0 };
    Some((clock, sign * clock_millis(offset.get(1..)?)?))
}

fn clock_millis(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let hours = parts.next()?.parse::<u32>().ok()?;
    let minutes = parts.next()?.parse::<u32>().ok()?;
    let seconds = parts.next().unwrap_or("0").parse::<f64>().ok()?;
    if parts.next().is_some() {
        return None;
    }
    Some((f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds) * 1000.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_companion_writes_them() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (text, millis) in [
            ("1970-01-01", 0.0),
            ("1970-01-02T00:00:01.5Z", 86_401_500.0),
            ("1970-01-01 00:00:00.000001", 0.001),
            ("1970-01-01T02:00:00+02:00", 0.0),
            ("1969-12-31T23:59:59", -1000.0),
            ("-0001-12-31", -62_167_305_600_000.0),
        ] {
            assert_eq!(units_of_text(&micros, text), Some(millis), "{text}");
        }
        for text in ["", "x", "1970-13-01", "1970-01-01T25", "10:00"] {
            assert_eq!(units_of_text(&micros, text), None, "{text}");
        }
        assert_eq!(
            units_of_text(&DataType::Time32(TimeUnit::Second), "01:00:01"),
            Some(3_601_000.0)
        );
        assert_eq!(
            units_of_text(&DataType::Int64, "9007199254740993"),
            Some(9_007_199_254_740_992.0)
        );
        assert_eq!(units_of_text(&DataType::Utf8, "1"), None);
    }

    #[test]
    fn stored_numbers_are_written_as_values_of_their_type() {
        let text = |literal: Literal| literal.as_text().to_owned();
        assert_eq!(text(stored_literal(&DataType::Date32, 1)), "1970-01-02");
        let zoned = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        assert_eq!(text(stored_literal(&zoned, 1)), "1970-01-01T00:00:00.001Z");
        assert_eq!(text(stored_literal(&DataType::Int8, -5)), "-5");
        assert_eq!(text(stored_literal(&DataType::UInt64, i64::MAX)), "18446744073709551615");
        assert_eq!(text(step_literal(&DataType::Date32, 7)), "P7D");
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(text(step_literal(&nanos, 1)), "PT0.000000001S");
        assert_eq!(text(step_literal(&zoned, 86_400_000)), "P1D");
        assert_eq!(text(step_literal(&zoned, 90_000_500)), "P1DT3600.500000000S");
        assert_eq!(text(step_literal(&DataType::UInt8, 3)), "3");
    }
}
