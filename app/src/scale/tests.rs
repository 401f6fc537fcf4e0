//! Tables of domains, ticks and labels.

use super::time::{TimeTicks, format_time};
use super::*;

fn labels(domain: [f64; 2], count: usize) -> String {
    Ticks::linear(domain, count).labels().join(" ")
}

fn time_labels(low: f64, high: f64, count: usize) -> String {
    TimeTicks::covering([low, high], count).labels().join(" ")
}

#[test]
fn number_ticks_are_round_and_labels_short() {
    for (domain, count, expected) in [
        ([0.0, 1.0], 5, "0.0 0.2 0.4 0.6 0.8 1.0"),
        ([0.0, 0.3], 3, "0.0 0.1 0.2 0.3"),
        ([-1.0, 1.0], 4, "−1.0 −0.5 0.0 0.5 1.0"),
        ([3.0, 97.0], 5, "20 40 60 80"),
        ([0.0, 9_000.0], 4, "0 2,000 4,000 6,000 8,000"),
        ([0.0, 3e6], 6, "0.0 0.5M 1.0M 1.5M 2.0M 2.5M 3.0M"),
        ([0.0, 50_000.0], 5, "0 10k 20k 30k 40k 50k"),
        (
            [123_456_000.0, 123_456_050.0],
            5,
            "123,456,000 123,456,010 123,456,020 123,456,030 123,456,040 123,456,050",
        ),
        ([0.0, 2e-9], 4, "0 5.0e−10 1.0e−9 1.5e−9 2.0e−9"),
        ([0.0, 4e18], 4, "0 1e18 2e18 3e18 4e18"),
        ([5.0, 5.0], 4, "5"),
        ([10.0, 0.0], 2, "0 5 10"),
    ] {
        assert_eq!(labels(domain, count), expected, "{domain:?}");
    }
}

#[test]
fn number_ticks_survive_anything() {
    for domain in [
        [f64::NAN, 1.0],
        [f64::NEG_INFINITY, f64::INFINITY],
        [-f64::MAX, f64::MAX],
        [0.0, f64::MIN_POSITIVE],
        [0.0, 5e-324],
        [1e15, 1e15 + 0.25],
        [1.0, 1.0 + f64::EPSILON],
        [-0.0, 0.0],
    ] {
        for count in [0, 1, 5, 100_000] {
            let ticks = Ticks::linear(domain, count);
            assert!(ticks.values.len() <= TICKS_MAX, "{domain:?} {count}");
            assert!(ticks.values.iter().all(|v| v.is_finite()), "{domain:?} {count}: {ticks:?}");
            assert_eq!(ticks.labels().len(), ticks.values.len());
        }
        let [low, high] = nice(domain, 5);
        assert!(low <= high || low.is_nan() || high.is_nan(), "{domain:?}");
    }
}

#[test]
fn nice_domains_contain_theirs() {
    for (domain, expected) in [
        ([0.3, 9.7], [0.0, 10.0]),
        ([-3.2, 88.0], [-20.0, 100.0]),
        ([0.0, 1.0], [0.0, 1.0]),
        ([2.0, 2.0], [2.0, 2.0]),
    ] {
        assert_eq!(nice(domain, 5), expected);
    }
}

#[test]
fn linear_scales_invert() {
    for (domain, range) in [
        ([0.0, 10.0], [0.0, 500.0]),
        ([1e15, 1e15 + 8.0], [500.0, 0.0]),
        ([-5.0, 5.0], [10.0, 20.0]),
    ] {
        let scale = Linear::new(domain, range);
        for share in [0.0, 0.25, 0.5, 1.0] {
            let value = domain[0] + share * (domain[1] - domain[0]);
            assert_eq!(scale.value(scale.position(value)), value);
        }
    }
    assert_eq!(Linear::new([3.0, 3.0], [0.0, 10.0]).position(3.0), 5.0);
    assert_eq!(Linear::new([-f64::MAX, f64::MAX], [0.0, 10.0]).position(0.0), 5.0);
}

#[test]
fn numbers_for_readers() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1234.5, "1,234.5"),
        (-1_234_567.0, "−1,234,567"),
        (0.1 + 0.2, "0.3"),
        (-1e-9, "−1e−9"),
        (1e21, "1e21"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "−∞"),
    ] {
        assert_eq!(format_number(value), expected);
    }
    assert_eq!(format_count(3_066_766), "3,066,766");
    assert_eq!(format_count(12), "12");
}

const DAY: f64 = 86_400_000.0;
/// 2001-01-01T00:00Z.
const Y2001: f64 = 978_307_200_000.0;

#[test]
fn time_ticks_are_round_in_the_calendar() {
    for (low, high, count, expected) in [
        (
            Y2001,
            Y2001 + 10.0,
            5,
            "2001 00:00:00.002 00:00:00.004 00:00:00.006 00:00:00.008 00:00:00.010",
        ),
        (Y2001 + 1e3, Y2001 + 61e3, 4, "00:00:15 00:00:30 00:00:45 00:01:00"),
        (Y2001, Y2001 + DAY, 4, "2001 06:00 12:00 18:00 2 Jan"),
        (Y2001 + 29.0 * DAY, Y2001 + 35.0 * DAY, 3, "1 Feb 3 Feb 5 Feb"),
        (Y2001, Y2001 + 21.0 * DAY, 3, "2001 8 Jan 15 Jan 22 Jan"),
        (Y2001 - 40.0 * DAY, Y2001 + 70.0 * DAY, 4, "Dec 2001 Feb Mar"),
        (Y2001, Y2001 + 365.0 * DAY, 4, "2001 Apr Jul Oct 2002"),
        (0.0, Y2001, 3, "1970 1980 1990 2000"),
    ] {
        assert_eq!(time_labels(low, high, count), expected);
    }
}

#[test]
fn time_ticks_survive_anything() {
    for (low, high) in [
        (f64::NAN, 0.0),
        (f64::NEG_INFINITY, f64::INFINITY),
        (0.0, 0.0),
        (0.0, 1e-7),
        (-1e300, 1e300),
        (-3e18, 3e18),
        (-62_135_596_800_000.0, 0.0),
    ] {
        for count in [0, 1, 7, 100_000] {
            let ticks = TimeTicks::covering([low, high], count);
            assert!(ticks.values.len() <= TICKS_MAX + 1, "{low} {high} {count}");
            assert!(ticks.values.iter().all(|v| (low..=high).contains(v)), "{low} {high} {count}");
            assert_eq!(ticks.labels().len(), ticks.values.len());
        }
    }
}

#[test]
fn times_for_readers() {
    for (millis, expected) in [
        (0.0, "1970-01-01"),
        (Y2001 + 1.0, "2001-01-01 00:00:00.001"),
        (Y2001 + 59.0 * DAY + 3_600_000.0, "2001-03-01 01:00"),
        (951_782_400_000.0, "2000-02-29"),
        (-1.0, "1969-12-31 23:59:59.999"),
        (-62_135_596_800_000.0, "0001-01-01"),
        (f64::NAN, "invalid date"),
    ] {
        assert_eq!(format_time(millis), expected);
    }
}
