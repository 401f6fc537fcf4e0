//! Numbers, sizes, durations and ages as short text for people. Always with a point for
//! fractions and a comma for thousands, so that what is shown can be typed back.

use super::position::{MILLIS_PER_DAY, Scalar, date_text, moment_text};
use crate::texts::time;

/// 1234567 as "1,234,567".
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in at most five characters: "999", "12.3k", "3.05M".
pub fn short_count(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    if number < 10_000 {
        return count(number);
    }
    for (size, unit) in UNITS {
        // What would round up to the next unit is written in that one.
        if number >= size - size / 2000 {
            return format!("{}{unit}", three_digits(number as f64 / size as f64));
        }
    }
    count(number)
}

fn three_digits(number: f64) -> String {
    match number {
        n if n >= 99.95 => format!("{n:.0}"),
        n if n >= 9.995 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

/// 1500000 as "1.50 MB".
pub fn bytes(number: u64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    for (size, unit) in UNITS {
        if number as f64 >= size * 0.9995 {
            return format!("{} {unit}", three_digits(number as f64 / size));
        }
    }
    format!("{number} B")
}

/// How long something took: "0.4 ms", "12 ms", "1.3 s", "2 min 5 s".
pub fn millis(elapsed: f64) -> String {
    match elapsed {
        ms if !ms.is_finite() || ms < 0.0 => "–".to_owned(),
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_950.0 => format!("{:.1} s", ms / 1000.0),
        ms => {
            let seconds = (ms / 1000.0).round() as u64;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// How long ago: "just now", "5 minutes ago", "3 days ago".
pub fn age(elapsed_millis: f64) -> String {
    type Ago = fn(f64) -> String;
    const UNITS: [(f64, Ago); 4] = [
        (365.25 * MILLIS_PER_DAY, time::years_ago),
        (MILLIS_PER_DAY, time::days_ago),
        (3_600_000.0, time::hours_ago),
        (60_000.0, time::minutes_ago),
    ];
    for (size, ago) in UNITS {
        if elapsed_millis >= size {
            return ago((elapsed_millis / size).floor());
        }
    }
    time::JUST_NOW.to_owned()
}

/// A share as a percentage that never rounds to nothing or to all: "<0.1 %", "12.3 %".
pub fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    match percent {
        p if p < 0.1 => "<0.1 %".to_owned(),
        p if p > 99.9 && part < whole => ">99.9 %".to_owned(),
        p if p >= 99.95 => "100 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}

/// A number of a column, with as many digits as `step` can tell apart.
pub fn number(value: f64, step: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:.3e}").replace(".000e", "e");
    }
    let digits = match step {
        step if step.is_finite() && step > 0.0 => (-step.log10().floor()).clamp(0.0, 12.0) as usize,
        _ => 3,
    };
    let text = format!("{size:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        "−"
    } else {
        ""
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// A position on a column's axis: a number, a date or a moment.
pub fn position(value: f64, scalar: Scalar, step: f64) -> String {
    match scalar {
        Scalar::Integer | Scalar::Float => number(value, step),
        Scalar::Date => date_text(value),
        Scalar::Moment if step >= MILLIS_PER_DAY => date_text(value),
        Scalar::Moment => {
            let text = moment_text(value, step).replace('T', " ");
            match text.strip_suffix(":00") {
                Some(minutes) if step >= 1000.0 => minutes.to_owned(),
                _ => text,
            }
        }
        Scalar::TimeOfDay => {
            let text = moment_text(value, step);
            text.split_once('T').map_or(text.clone(), |(_, clock)| clock.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sizes_are_short() {
        let counts = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in counts {
            assert_eq!(count(number), text);
        }
        let shorts = [
            (9999, "9,999"),
            (10_000, "10.0k"),
            (12_345, "12.3k"),
            (999_400, "999k"),
            (999_999, "1.00M"),
            (3_050_000, "3.05M"),
            (1_000_000_000, "1.00G"),
        ];
        for (number, text) in shorts {
            assert_eq!(short_count(number), text);
        }
        for (number, text) in [(0, "0 B"), (999, "999 B"), (1500, "1.50 kB"), (256 << 20, "268 MB")]
        {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn times_and_shares_are_honest() {
        assert_eq!(millis(0.42), "0.4 ms");
        assert_eq!(millis(9.96), "10 ms");
        assert_eq!(millis(1260.0), "1.3 s");
        assert_eq!(millis(125_000.0), "2 min 5 s");
        assert_eq!(millis(f64::NAN), "–");
        assert_eq!(age(10.0), "just now");
        assert_eq!(age(61_000.0), "1 minute ago");
        assert_eq!(age(3.5 * MILLIS_PER_DAY), "3 days ago");
        assert_eq!(share(1, 3_000_000), "<0.1 %");
        assert_eq!(share(2_999_999, 3_000_000), ">99.9 %");
        assert_eq!(share(3, 3), "100 %");
        assert_eq!(share(0, 0), "0 %");
    }

    #[test]
    fn numbers_have_the_digits_their_axis_can_tell_apart() {
        assert_eq!(number(12_345.678, 0.01), "12,345.68");
        assert_eq!(number(12_345.678, 10.0), "12,346");
        assert_eq!(number(-0.001, 1.0), "0");
        assert_eq!(number(-3.5, 0.1), "−3.5");
        assert_eq!(number(1e-9, 1e-12), "1e-9");
        assert_eq!(number(f64::INFINITY, 1.0), "inf");
        assert_eq!(position(0.0, Scalar::Moment, 60_000.0), "1970-01-01 00:00");
        assert_eq!(position(52_200_000.0, Scalar::TimeOfDay, 1.0), "14:30:00");
    }
}
