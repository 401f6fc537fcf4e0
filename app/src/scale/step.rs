//! The steps that moments are counted by: from a second to a thousand years, months and
//! years by the calendar in UTC. Both sides know them by name, in messages and addresses.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeStep {
    Second,
    TenSeconds,
    Minute,
    TenMinutes,
    Hour,
    SixHours,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
}

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Seconds(u64),
    Months(u32),
}

/// What moments of a column can be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    Moment,
    /// Whole days.
    Day,
    /// Times of day: no step is longer than hours.
    Clock,
}

const DAY: u64 = 86_400;

impl TimeStep {
    pub const ALL: [Self; 14] = [
        Self::Second,
        Self::TenSeconds,
        Self::Minute,
        Self::TenMinutes,
        Self::Hour,
        Self::SixHours,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
        Self::Decade,
        Self::Century,
        Self::Millennium,
    ];

    /// As addresses say it.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 14] = [
            "second",
            "10 s",
            "minute",
            "10 min",
            "hour",
            "6 h",
            "day",
            "week",
            "month",
            "quarter",
            "year",
            "decade",
            "century",
            "millennium",
        ];
        NAMES.get(self as usize).copied().unwrap_or_default()
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    pub fn length(self) -> Length {
        match self {
            Self::Second => Length::Seconds(1),
            Self::TenSeconds => Length::Seconds(10),
            Self::Minute => Length::Seconds(60),
            Self::TenMinutes => Length::Seconds(600),
            Self::Hour => Length::Seconds(3600),
            Self::SixHours => Length::Seconds(6 * 3600),
            Self::Day => Length::Seconds(DAY),
            Self::Week => Length::Seconds(7 * DAY),
            Self::Month => Length::Months(1),
            Self::Quarter => Length::Months(3),
            Self::Year => Length::Months(12),
            Self::Decade => Length::Months(120),
            Self::Century => Length::Months(1200),
            Self::Millennium => Length::Months(12_000),
        }
    }

    /// About how long, in milliseconds.
    pub fn millis(self) -> f64 {
        match self.length() {
            Length::Seconds(seconds) => seconds as f64 * 1e3,
            Length::Months(months) => f64::from(months) * 2_629_746e3,
        }
    }

    /// The finest step that makes no more than `most` of a span, of those that suit; or
    /// `wanted`, where that makes no more than a chart can hold.
    pub fn fitting(wanted: Option<Self>, span_millis: f64, grain: Grain, most: f64) -> Self {
        let [first, last] = match grain {
            Grain::Moment => [Self::Second, Self::Millennium],
            Grain::Day => [Self::Day, Self::Millennium],
            Grain::Clock => [Self::Second, Self::SixHours],
        };
        let mut suiting = Self::ALL.into_iter().filter(|step| (first..=last).contains(step));
        let many = |step: &Self| span_millis / step.millis();
        let found = match wanted {
            Some(wanted) => {
                suiting.find(|step| *step >= wanted && many(step) <= f64::from(STEPS_MAX))
            }
            None => suiting.find(|step| many(step) <= most),
        };
        found.unwrap_or(last)
    }
}

/// Steps that a chart can hold.
const STEPS_MAX: u16 = 1500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_steps_grow() {
        for step in TimeStep::ALL {
            assert_eq!(TimeStep::from_name(step.name()), Some(step));
        }
        assert!(TimeStep::ALL.is_sorted_by(|a, b| a < b && a.millis() < b.millis()));
    }

    #[test]
    fn the_finest_step_that_fits_is_taken() {
        let day = 86_400e3;
        for (span, grain, step) in [
            (0.0, Grain::Moment, TimeStep::Second),
            (0.0, Grain::Day, TimeStep::Day),
            (day, Grain::Moment, TimeStep::TenMinutes),
            (day, Grain::Clock, TimeStep::TenMinutes),
            (365.0 * day, Grain::Moment, TimeStep::Week),
            (7300.0 * day, Grain::Day, TimeStep::Quarter),
            (1e9 * day, Grain::Day, TimeStep::Millennium),
            (1e9 * day, Grain::Clock, TimeStep::SixHours),
        ] {
            assert_eq!(TimeStep::fitting(None, span, grain, 150.0), step, "{span} {grain:?}");
        }
        let wanted = |step| TimeStep::fitting(Some(step), 3650.0 * day, Grain::Moment, 150.0);
        assert_eq!(wanted(TimeStep::Year), TimeStep::Year);
        assert_eq!(wanted(TimeStep::Second), TimeStep::Week, "more than a chart can hold");
    }
}
