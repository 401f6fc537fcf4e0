//! Dates, timestamps and times of day, read exactly from text.

use arrow_buffer::i256;

use super::number::Exact;
use crate::calendar::{SECONDS_PER_DAY, days_from_civil, days_in_month};

/// An instant in UTC: whole seconds from 1970 and the digits of a fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    seconds: i64,
    fraction: Vec<u8>,
    /// Written as a date alone, which at an upper end means the whole day.
    is_bare_date: bool,
}

impl Moment {
    /// `YYYY-MM-DD`, alone or followed by `T` or a space and `HH:MM[:SS[.f]]` and, if
    /// wanted, `Z` or an offset. Without one the time is UTC. Years outside 0 to 9999
    /// carry a sign.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = split_date(text)?;
        let midnight = seconds_from_date(date)?;
        if rest.is_empty() {
            return Some(Self { seconds: midnight, fraction: Vec::new(), is_bare_date: true });
        }
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let zone_start = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at(zone_start);
        let (seconds, fraction) = parse_clock(time)?;
        let seconds = midnight + seconds - offset_from_zone(zone)?;
        Some(Self { seconds, fraction, is_bare_date: false })
    }

    /// A time of day, `HH:MM[:SS[.f]]`.
    pub(crate) fn parse_time_of_day(text: &str) -> Option<Self> {
        let (seconds, fraction) = parse_clock(text.trim())?;
        (seconds < SECONDS_PER_DAY).then_some(Self { seconds, fraction, is_bare_date: false })
    }

    /// In units of 10^-scale seconds.
    pub(crate) fn scaled(&self, scale: u32) -> Exact {
        let digit = |place: usize| i128::from(self.fraction.get(place).copied().unwrap_or(0));
        let places = scale as usize;
        let floor =
            (0..places).fold(i128::from(self.seconds), |sum, place| sum * 10 + digit(place));
        let exact = self.fraction.iter().skip(places).all(|digit| *digit == 0);
        Exact { floor: i256::from_i128(floor), exact }
    }

    /// In days.
    pub(crate) fn days(&self) -> Exact {
        let floor = self.seconds.div_euclid(SECONDS_PER_DAY);
        let exact = self.seconds.rem_euclid(SECONDS_PER_DAY) == 0
            && self.fraction.iter().all(|digit| *digit == 0);
        Exact { floor: i256::from_i128(floor.into()), exact }
    }

    /// The midnight that ends the day, for a date written alone.
    pub(crate) fn end_of_day(&self) -> Option<Self> {
        let seconds = self.seconds + SECONDS_PER_DAY;
        self.is_bare_date.then(|| Self { seconds, ..self.clone() })
    }
}

/// The date at the start of a text, and what follows it.
fn split_date(text: &str) -> Option<(&str, &str)> {
    let signed = text.starts_with(['+', '-']);
    let year_end = text.char_indices().skip(usize::from(signed)).find(|(_, c)| *c == '-')?.0;
    let width = year_end - usize::from(signed);
    if width != 4 && !(signed && (4..=6).contains(&width)) {
        return None;
    }
    text.split_at_checked(year_end + "-MM-DD".len())
}

fn seconds_from_date(date: &str) -> Option<i64> {
    let (year, rest) = date.split_at_checked(date.len().checked_sub("-MM-DD".len())?)?;
    let (sign, year) = match year.strip_prefix('-') {
        Some(year) => (-1, year),
        None => (1, year.strip_prefix('+').unwrap_or(year)),
    };
    let year = sign * number(year)?;
    let (month, day) = rest.strip_prefix('-')?.split_once('-')?;
    let (month, day) = (two_digits(month)?, two_digits(day)?);
    let real = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    real.then(|| days_from_civil(year, month, day) * SECONDS_PER_DAY)
}

/// Seconds since midnight and the digits of their fraction.
fn parse_clock(text: &str) -> Option<(i64, Vec<u8>)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let (hours, minutes) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let seconds = parts.next();
    if parts.next().is_some() || (seconds.is_none() && fraction.is_some()) {
        return None;
    }
    let seconds = seconds.map_or(Some(0), two_digits)?;
    // A leap second counts as the second that follows it.
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let digits = fraction.unwrap_or_default();
    if fraction.is_some_and(str::is_empty) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.bytes().map(|byte| byte - b'0').collect();
    Some((hours * 3_600 + minutes * 60 + seconds, digits))
}

/// The seconds that a zone is ahead of UTC: empty, `Z`, `±HH:MM`, `±HHMM` or `±HH`.
fn offset_from_zone(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => digits.split_at_checked(2)?,
    };
    let hours = two_digits(hours)?;
    let minutes =
        if minutes.is_empty() && !digits.contains(':') { 0 } else { two_digits(minutes)? };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 { number(text) } else { None }
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<(String, bool)> {
        let exact = Moment::parse(text)?.scaled(9);
        Some((exact.floor.to_string(), exact.exact))
    }

    #[test]
    fn instants_are_read_exactly() {
        let cases = [
            ("1970-01-01", "0", true),
            ("1970-01-02T00:00:00Z", "86400000000000", true),
            ("1970-01-01 00:00:01.5", "1500000000", true),
            ("1970-01-01T00:00:00.0000000001", "0", false),
            ("1969-12-31T23:59:59.999999999Z", "-1", true),
            ("1970-01-01T01:00:00+01:00", "0", true),
            ("1969-12-31T19:00:00-0500", "0", true),
            ("1970-01-01T00:00+00", "0", true),
            ("2024-02-29 12:30", "1709209800000000000", true),
            ("2016-12-31T23:59:60Z", "1483228800000000000", true),
            ("+12024-01-01", "317273587200000000000", true),
        ];
        for (text, expected, exact) in cases {
            assert_eq!(nanos(text), Some((expected.to_owned(), exact)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2024",
            "2024-1-1",
            "2024-02-30",
            "2024-13-01",
            "24-01-01",
            "2024-01-01T",
            "2024-01-01T1",
            "2024-01-01T24:00:00",
            "2024-01-01T00:00:61",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00.5",
            "2024-01-01T00:00:00+1",
            "2024-01-01T00:00:00+01:",
            "2024-01-01T00:00:00 PM",
            "12024-01-01",
            "2024-01-01Z",
            "ab",
            "-",
            "2024-é1-01",
            "2024-01-01T00:00:00+é",
            "99999999-01-01",
        ] {
            assert_eq!(Moment::parse(text), None, "{text:?}");
        }
        assert_eq!(Moment::parse_time_of_day("23:59:60"), None);
    }

    #[test]
    fn days_floor_and_bare_dates_end_with_the_day() {
        let noon = Moment::parse("1969-12-31T12:00:00").unwrap();
        assert_eq!(noon.days(), Exact { floor: i256::MINUS_ONE, exact: false });
        assert_eq!(noon.end_of_day(), None);
        let date = Moment::parse("1969-12-31").unwrap();
        assert_eq!(date.days(), Exact { floor: i256::MINUS_ONE, exact: true });
        assert_eq!(date.end_of_day().unwrap().scaled(0).floor, i256::ZERO);
        let time = Moment::parse_time_of_day("12:30:45.25").unwrap();
        assert_eq!(time.scaled(3).floor, i256::from_i128(45_045_250));
    }
}
