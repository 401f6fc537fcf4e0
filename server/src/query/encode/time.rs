//! Dates, times and durations as ISO 8601, for any value that their integers can hold.

use std::io::Write;

use arrow_schema::TimeUnit;

/// `2024-02-29`, or `+12345-01-01` and `-0044-03-15` beyond four digits.
pub(super) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    let sign = match year {
        ..0 => "-",
        0..=9999 => "",
        _ => "+",
    };
    put(out, format_args!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs()));
}

/// `13:30:00.25`, with as many digits as are needed in groups of three.
pub(super) fn write_time(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let per_second = per_second(unit);
    let seconds = value.div_euclid(per_second);
    put(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    write_fraction(value.rem_euclid(per_second) * (1_000_000_000 / per_second), out);
}

/// `2024-02-29T13:30:00`, with a `Z` if the column has a zone: instants are written in UTC.
pub(super) fn write_timestamp(value: i64, unit: TimeUnit, zoned: bool, out: &mut Vec<u8>) {
    let per_day = per_second(unit) * 86_400;
    write_date(value.div_euclid(per_day), out);
    out.push(b'T');
    write_time(value.rem_euclid(per_day), unit, out);
    if zoned {
        out.push(b'Z');
    }
}

/// `PT90.5S`.
pub(super) fn write_duration(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let per_second = per_second(unit).unsigned_abs();
    let size = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    put(out, format_args!("{sign}PT{}", size / per_second));
    let nanos = (size % per_second) * (1_000_000_000 / per_second);
    write_fraction(i64::try_from(nanos).unwrap_or_default(), out);
    out.push(b'S');
}

/// `P14M3DT0.5S`.
pub(super) fn write_interval(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    put(out, format_args!("P{months}M{days}DT{sign}{}", size / 1_000_000_000));
    write_fraction(i64::try_from(size % 1_000_000_000).unwrap_or_default(), out);
    out.push(b'S');
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn write_fraction(nanos: i64, out: &mut Vec<u8>) {
    match nanos {
        0 => {}
        _ if nanos % 1_000_000 == 0 => put(out, format_args!(".{:03}", nanos / 1_000_000)),
        _ if nanos % 1_000 == 0 => put(out, format_args!(".{:06}", nanos / 1_000)),
        _ => put(out, format_args!(".{nanos:09}")),
    }
}

/// The proleptic Gregorian date of a day counted from 1970-01-01, by Howard Hinnant's
/// `civil_from_days`: 400-year eras of 146097 days that begin in March.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = i128::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    let narrow = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
    (narrow(year), narrow(month), narrow(day))
}

/// Writing to a vector cannot fail.
fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn dates_of_every_size_are_written() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (11_016, "2000-02-29"),
            (-25_509, "1900-02-28"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_897, "+10000-01-01"),
            (i64::from(i32::MAX), "+5881580-07-11"),
        ] {
            assert_eq!(text(|out| write_date(days, out)), expected);
        }
        assert!(text(|out| write_date(i64::MAX, out)).starts_with('+'));
        assert!(text(|out| write_date(i64::MIN, out)).starts_with('-'));
    }

    #[test]
    fn instants_before_1970_count_from_the_day() {
        let cases = [
            (-1, TimeUnit::Nanosecond, true, "1969-12-31T23:59:59.999999999Z"),
            (1_709_213_400_250, TimeUnit::Millisecond, false, "2024-02-29T13:30:00.250"),
            (i64::MIN, TimeUnit::Nanosecond, true, "1677-09-21T00:12:43.145224192Z"),
        ];
        for (value, unit, zoned, expected) in cases {
            assert_eq!(text(|out| write_timestamp(value, unit, zoned, out)), expected);
        }
    }

    #[test]
    fn durations_keep_their_sign() {
        assert_eq!(text(|out| write_duration(-1_500, TimeUnit::Millisecond, out)), "-PT1.500S");
        assert_eq!(text(|out| write_duration(90, TimeUnit::Second, out)), "PT90S");
        assert_eq!(text(|out| write_interval(14, 3, -500_000_000, out)), "P14M3DT-0.500S");
    }
}
