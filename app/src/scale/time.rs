//! Ticks and labels of time axes, in UTC by the proleptic Gregorian calendar. Times are
//! milliseconds since 1970; their scale is [`super::Linear`], only their ticks differ.

use super::{TICKS_MAX, Ticks, ordered};
use crate::texts;

const SECOND: f64 = 1e3;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
/// As far as the calendar is computed: a hundred million years either way of 1970.
const CALENDAR_MAX: f64 = 3.15e18;

/// What lies between two ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interval {
    /// Equal steps of so many milliseconds, up to half a day.
    Millis(f64),
    Days(i64),
    Weeks,
    Months(i64),
    Years(i64),
}

/// Steps shorter than a month, with the length that decides between them.
const STEPS: [(f64, Interval); 21] = [
    (1.0, Interval::Millis(1.0)),
    (2.0, Interval::Millis(2.0)),
    (5.0, Interval::Millis(5.0)),
    (10.0, Interval::Millis(10.0)),
    (50.0, Interval::Millis(50.0)),
    (100.0, Interval::Millis(100.0)),
    (500.0, Interval::Millis(500.0)),
    (SECOND, Interval::Millis(SECOND)),
    (5.0 * SECOND, Interval::Millis(5.0 * SECOND)),
    (15.0 * SECOND, Interval::Millis(15.0 * SECOND)),
    (30.0 * SECOND, Interval::Millis(30.0 * SECOND)),
    (MINUTE, Interval::Millis(MINUTE)),
    (5.0 * MINUTE, Interval::Millis(5.0 * MINUTE)),
    (15.0 * MINUTE, Interval::Millis(15.0 * MINUTE)),
    (30.0 * MINUTE, Interval::Millis(30.0 * MINUTE)),
    (HOUR, Interval::Millis(HOUR)),
    (3.0 * HOUR, Interval::Millis(3.0 * HOUR)),
    (6.0 * HOUR, Interval::Millis(6.0 * HOUR)),
    (12.0 * HOUR, Interval::Millis(12.0 * HOUR)),
    (DAY, Interval::Days(1)),
    (2.0 * DAY, Interval::Days(2)),
];

const MONTH: f64 = 30.44 * DAY;
const YEAR: f64 = 365.25 * DAY;

/// Round moments along an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeTicks {
    pub values: Vec<f64>,
    pub interval: Interval,
}

impl TimeTicks {
    /// About `count` ticks inside `domain`, at moments a calendar calls round.
    pub fn covering(domain: [f64; 2], count: usize) -> Self {
        let [low, high] = ordered(domain);
        if !(is_in_calendar(low) && is_in_calendar(high)) || count == 0 {
            return Self { values: Vec::new(), interval: Interval::Years(1) };
        }
        let count = count.min(TICKS_MAX);
        let interval = interval_near((high - low) / count as f64);
        let values = match interval {
            // Finer than a millisecond: plain numbers.
            Interval::Millis(step) if step < 1.0 => Ticks::linear([low, high], count).values,
            Interval::Millis(step) => multiples(low, high, step, 0.0),
            Interval::Days(1) => multiples(low, high, DAY, 0.0),
            Interval::Weeks => {
                // 1970 began on a Thursday; weeks begin on Monday.
                multiples(low, high, 7.0 * DAY, 4.0 * DAY)
            }
            Interval::Days(_) => even_days(low, high),
            Interval::Months(months) => month_starts(low, high, months),
            Interval::Years(years) => month_starts(low, high, 12 * years),
        };
        Self { values, interval }
    }

    /// Labels that say what changes from tick to tick; the first of a day, month or year
    /// says that instead.
    pub fn labels(&self) -> Vec<String> {
        self.values.iter().map(|value| self.label(*value)).collect()
    }

    fn label(&self, millis: f64) -> String {
        let moment = Moment::at(millis);
        match self.interval {
            Interval::Millis(_) if moment.is_midnight() => moment.day_label(),
            Interval::Millis(step) if step < 1.0 => format!("{}", millis.rem_euclid(SECOND)),
            Interval::Millis(step) if step < SECOND => {
                format!("{}.{:03}", moment.clock(true), moment.milli)
            }
            Interval::Millis(step) => moment.clock(step < MINUTE),
            Interval::Days(_) | Interval::Weeks => moment.day_label(),
            Interval::Months(_) if moment.month != 1 => moment.month_name().to_owned(),
            Interval::Months(_) | Interval::Years(_) => format!("{}", moment.year),
        }
    }
}

fn interval_near(length: f64) -> Interval {
    if length < 0.5 {
        return Interval::Millis(0.5);
    }
    let rest = [
        (7.0 * DAY, Interval::Weeks),
        (MONTH, Interval::Months(1)),
        (3.0 * MONTH, Interval::Months(3)),
        (YEAR, Interval::Years(1)),
    ];
    let mut below = (0.5, Interval::Millis(1.0));
    for (size, interval) in STEPS.into_iter().chain(rest) {
        if length <= size {
            // The geometric mean decides between neighbours.
            return if length * length < size * below.0 { below.1 } else { interval };
        }
        below = (size, interval);
    }
    let years = Ticks::linear([0.0, length / YEAR], 1).step.max(1.0);
    Interval::Years(years as i64)
}

fn multiples(low: f64, high: f64, step: f64, origin: f64) -> Vec<f64> {
    let first = ((low - origin) / step).ceil();
    let last = ((high - origin) / step).floor();
    let count = (last - first + 1.0).clamp(0.0, TICKS_MAX as f64) as usize;
    (0..count).map(|i| origin + (first + i as f64) * step + 0.0).collect()
}

/// Odd days of each month (1, 3, 5 …), so that months begin with a tick; not the 31st,
/// which stands next to the 1st.
fn even_days(low: f64, high: f64) -> Vec<f64> {
    multiples(low, high, DAY, 0.0)
        .into_iter()
        .filter(|value| {
            let day = Moment::at(*value).day;
            day % 2 == 1 && day < 31
        })
        .collect()
}

fn month_starts(low: f64, high: f64, months: i64) -> Vec<f64> {
    let months = months.max(1);
    let start = Moment::at(low);
    let mut index = (start.year * 12 + i64::from(start.month) - 1).div_euclid(months) * months;
    let mut values = Vec::new();
    while values.len() < TICKS_MAX {
        let value =
            days_from_civil(index.div_euclid(12), index.rem_euclid(12) as u32 + 1, 1) as f64 * DAY;
        if value > high {
            break;
        }
        if value >= low {
            values.push(value);
        }
        index += months;
    }
    values
}

/// False for NaN as well.
fn is_in_calendar(millis: f64) -> bool {
    millis.abs() <= CALENDAR_MAX
}

/// A time for a reader: the date alone at midnight, seconds and milliseconds only where
/// they are not zero.
pub fn format_time(millis: f64) -> String {
    if !is_in_calendar(millis) {
        return texts::time::NO_DATE.to_owned();
    }
    let moment = Moment::at(millis);
    let date = format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day);
    match (moment.is_midnight(), moment.second, moment.milli) {
        (true, ..) => date,
        (_, 0, 0) => format!("{date} {}", moment.clock(false)),
        (_, _, 0) => format!("{date} {}", moment.clock(true)),
        (.., milli) => format!("{date} {}.{milli:03}", moment.clock(true)),
    }
}

/// A moment taken apart, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub milli: u32,
}

impl Moment {
    pub fn at(millis: f64) -> Self {
        let millis = millis.clamp(-CALENDAR_MAX, CALENDAR_MAX).floor();
        let days = (millis / DAY).floor();
        let rest = (millis - days * DAY) as u32;
        let (year, month, day) = civil_from_days(days as i64);
        Self {
            year,
            month,
            day,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1000 % 60,
            milli: rest % 1000,
        }
    }

    fn is_midnight(&self) -> bool {
        (self.hour, self.minute, self.second, self.milli) == (0, 0, 0, 0)
    }

    fn clock(&self, seconds: bool) -> String {
        let Self { hour, minute, second, .. } = self;
        if seconds {
            format!("{hour:02}:{minute:02}:{second:02}")
        } else {
            format!("{hour:02}:{minute:02}")
        }
    }

    fn day_label(&self) -> String {
        match (self.day, self.month) {
            (1, 1) => format!("{}", self.year),
            (day, _) => format!("{day} {}", self.month_name()),
        }
    }

    fn month_name(&self) -> &'static str {
        texts::time::MONTHS.get(self.month as usize - 1).copied().unwrap_or("")
    }
}

/// Days since 1970 to year, month, day. Years are counted from March in cycles of 400
/// (146,097 days), so that the leap day is a year's last.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The inverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}
