//! Dates, times of day, timestamps, durations and intervals as ISO 8601 and RFC 3339
//! text, from the integers that Arrow keeps. All in UTC; a timestamp without a zone is
//! written without one.

use arrow_schema::TimeUnit;
use engine::calendar::civil_from_days;

use super::push;

const SECONDS_PER_DAY: i64 = 86_400;

/// Units per second, and the digits after its point.
fn resolution(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

pub(super) fn write_date(out: &mut String, days: i64) {
    let (year, month, day) = civil_from_days(days);
    match year {
        0..=9999 => push(out, format_args!("{year:04}-{month:02}-{day:02}")),
        // ISO 8601 has a sign before a year of more digits.
        _ => push(out, format_args!("{year:+05}-{month:02}-{day:02}")),
    }
}

pub(super) fn write_timestamp(out: &mut String, value: i64, unit: TimeUnit, zoned: bool) {
    let (per_second, _) = resolution(unit);
    let per_day = per_second * SECONDS_PER_DAY;
    write_date(out, value.div_euclid(per_day));
    out.push('T');
    write_time_of_day(out, value.rem_euclid(per_day), unit);
    if zoned {
        out.push('Z');
    }
}

pub(super) fn write_time_of_day(out: &mut String, value: i64, unit: TimeUnit) {
    let (per_second, _) = resolution(unit);
    let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let (hours, minutes) = (seconds.div_euclid(3600), seconds.rem_euclid(3600) / 60);
    push(out, format_args!("{hours:02}:{minutes:02}:{:02}", seconds.rem_euclid(60)));
    write_fraction(out, fraction, unit);
}

/// In seconds alone, so that every duration of a column reads alike: `PT1.5S`.
pub(super) fn write_duration(out: &mut String, value: i64, unit: TimeUnit) {
    let (per_second, _) = resolution(unit);
    if value < 0 {
        out.push('-');
    }
    let size = value.unsigned_abs();
    let (seconds, fraction) = (size / per_second.unsigned_abs(), size % per_second.unsigned_abs());
    push(out, format_args!("PT{seconds}"));
    write_fraction(out, fraction.cast_signed(), unit);
    out.push('S');
}

/// Months, days and nanoseconds are apart because none is a fixed number of another.
pub(super) fn write_interval(out: &mut String, months: i64, days: i64, nanos: i64) {
    out.push('P');
    let mut empty = true;
    for (number, unit) in [(months / 12, 'Y'), (months % 12, 'M'), (days, 'D')] {
        if number != 0 {
            push(out, format_args!("{number}{unit}"));
            empty = false;
        }
    }
    if nanos != 0 || empty {
        let sign = if nanos < 0 { "-" } else { "" };
        let size = nanos.unsigned_abs();
        push(out, format_args!("T{sign}{}", size / 1_000_000_000));
        write_fraction(out, (size % 1_000_000_000).cast_signed(), TimeUnit::Nanosecond);
        out.push('S');
    }
}

/// A point and as many groups of three digits as are needed; nothing for zero.
fn write_fraction(out: &mut String, fraction: i64, unit: TimeUnit) {
    let (_, mut digits) = resolution(unit);
    if fraction == 0 {
        return;
    }
    let mut shown = fraction;
    while digits > 3 && shown % 1000 == 0 {
        shown /= 1000;
        digits -= 3;
    }
    push(out, format_args!(".{shown:0digits$}"));
}
