//! How the values of a number or time column fall into bins: of equal width
//! ([`crate::worker::bins`]), between powers, or by the calendar. The companion is asked for
//! the same edges, so that both count alike. Pure.

use arrow_array::Array;
use arrow_schema::DataType;
use engine::calendar::{civil_from_days, days_from_civil};

use crate::scale::step::{Grain, Length, TimeStep};
use crate::worker::bins::{Bins, Extent, OUTSIDE_CODE, Steps};
use crate::worker::numbers::{Measure, floats_into, wholes_into};
use crate::worker::resident::column::NULL_CODE;

const MILLIS_PER_DAY: f64 = 86_400_000.0;

/// What bins are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cutting {
    /// About so many of equal width, over all or over a part of the axis.
    Equal { bins: u16, domain: Option<[f64; 2]> },
    /// About so many that grow alike, of what is above zero.
    Log { bins: u16, domain: Option<[f64; 2]> },
    /// By a step of time, or the finest that makes no more than so many.
    Time { step: Option<TimeStep>, most: u16 },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cut {
    Equal(Bins),
    /// Between numbers in data units. The last edge is in the last bin where it is
    /// `closed`; what is not above zero has a code of its own, after those of the bins.
    Powers {
        edges: Vec<f64>,
        closed: bool,
    },
    /// From one stored number to before the next.
    Starts {
        starts: Vec<i64>,
        measure: Measure,
        step: TimeStep,
    },
}

/// The numbers of a block, taken out of it.
#[derive(Debug, Default, Clone)]
pub struct Scratch {
    wholes: Vec<i64>,
    floats: Vec<f64>,
}

impl Cutting {
    /// The bins over an extent; of [`Cutting::Log`] over the part of it that is above zero.
    pub fn cut(self, data_type: &DataType, measure: Measure, extent: Extent) -> Cut {
        match self {
            Self::Equal { bins, domain } => Cut::Equal(Bins::new(measure, extent, domain, bins)),
            Self::Log { bins, domain } => powers(measure, extent.in_units(measure), domain, bins),
            Self::Time { step, most } => {
                let [low, high] = extent.in_units(measure);
                let grain = grain(data_type);
                let step = TimeStep::fitting(step, high - low, grain, f64::from(most));
                let Extent::Wholes { low, high } = extent else {
                    return Cut::Equal(Bins::new(measure, extent, None, most));
                };
                match step.length() {
                    Length::Seconds(seconds) => Cut::Equal(seconds_of(
                        measure,
                        [low, high],
                        seconds,
                        step == TimeStep::Week,
                    )),
                    Length::Months(months) => {
                        let starts = months_of(measure, [low, high], i64::from(months));
                        Cut::Starts { starts, measure, step }
                    }
                }
            }
        }
    }
}

fn grain(data_type: &DataType) -> Grain {
    match data_type {
        DataType::Date32 | DataType::Date64 => Grain::Day,
        DataType::Time32(_) | DataType::Time64(_) => Grain::Clock,
        _ => Grain::Moment,
    }
}

/// Stored numbers to a second, at least one.
fn seconds_of(measure: Measure, [low, high]: [i64; 2], seconds: u64, is_weeks: bool) -> Bins {
    let per_milli = match measure {
        Measure::Whole { per_unit, .. } => per_unit,
        Measure::Float => 1.0,
    };
    let stored = |seconds: u64| (seconds as f64 * 1e3 * per_milli).round().max(1.0) as u64;
    let step = stored(seconds);
    // 1970 began on a Thursday; weeks begin on Monday.
    let monday = if is_weeks { stored(4 * 86_400) as i64 } else { 0 };
    let past = i128::from(low) - i128::from(monday);
    let origin = low.saturating_sub(past.rem_euclid(i128::from(step)) as i64);
    let count = (high.abs_diff(origin) / step + 1).min(u64::from(crate::worker::bins::BINS_MAX));
    Bins { steps: Steps::Wholes { origin, step, last: high }, count: count as u16, measure }
}

/// The starts of so many months each that cover an extent, and the one after.
fn months_of(measure: Measure, [low, high]: [i64; 2], months: i64) -> Vec<i64> {
    let month = |stored: i64| {
        let days = (measure.in_units(stored) / MILLIS_PER_DAY).floor() as i64;
        let (year, month, _) = civil_from_days(days);
        (year * 12 + month - 1).div_euclid(months)
    };
    let start = |month: i64| {
        let month = month * months;
        let days = days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1);
        measure.stored_above(days as f64 * MILLIS_PER_DAY)
    };
    let (first, last) = (month(low), month(high));
    let last = last.min(first + i64::from(crate::worker::bins::BINS_MAX) - 1);
    (first..=last + 1).map(start).collect()
}

fn powers(measure: Measure, [low, high]: [f64; 2], domain: Option<[f64; 2]>, bins: u16) -> Cut {
    let is_within = |[low, high]: &[f64; 2]| 0.0 < *low && low < high;
    let [low, high] = domain.filter(is_within).unwrap_or([low, high]);
    let (low, high) = (low.max(f64::MIN_POSITIVE), high.max(f64::MIN_POSITIVE));
    let (from, to) = (low.log10(), high.log10());
    let many = f64::from(bins.max(1));
    let between =
        (1..bins.max(1)).map(|nth| 10_f64.powf(from + (to - from) * f64::from(nth) / many));
    let mut edges: Vec<f64> = std::iter::once(low).chain(between).collect();
    let closed = measure == Measure::Float;
    if closed {
        edges.push(high);
    } else {
        // No bin of whole numbers is without one.
        edges.iter_mut().for_each(|edge| *edge = edge.ceil());
        edges.push(high.floor() + 1.0);
    }
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    if let [only] = *edges.as_slice() {
        edges = vec![only, only * 2.0];
    }
    Cut::Powers { edges, closed }
}

impl Cut {
    /// How many bins there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Equal(bins) => usize::from(bins.count),
            Self::Powers { edges, .. } => edges.len() - 1,
            Self::Starts { starts, .. } => starts.len() - 1,
        }
    }

    /// How many codes there are: one a bin, and one for what has no logarithm.
    pub fn n_codes(&self) -> usize {
        self.count() + usize::from(matches!(self, Self::Powers { .. }))
    }

    /// Where the bins begin and where the last one ends, in data units.
    pub fn edges(&self) -> Vec<f64> {
        match self {
            Self::Equal(bins) => {
                let [low, high] = bins.domain();
                let many = f64::from(bins.count);
                let edge = |nth: u16| match (bins.steps, nth) {
                    (_, 0) => low,
                    (_, nth) if nth == bins.count => high,
                    (Steps::Floats { origin, step, .. }, nth) => origin + step * f64::from(nth),
                    (Steps::Wholes { .. }, nth) => low + (high - low) / many * f64::from(nth),
                };
                (0..=bins.count).map(edge).collect()
            }
            Self::Powers { edges, .. } => edges.clone(),
            Self::Starts { starts, measure, .. } => {
                starts.iter().map(|start| measure.in_units(*start)).collect()
            }
        }
    }

    /// The codes of a block's values, nulls and what is in no bin among them.
    pub fn codes(&self, block: &dyn Array, scratch: &mut Scratch) -> Vec<u16> {
        let mut codes = Vec::with_capacity(block.len());
        match self {
            Self::Equal(bins) if bins.measure == Measure::Float => {
                floats_into(block, &mut scratch.floats);
                bins.codes_of_floats(&scratch.floats, &mut codes);
            }
            Self::Equal(bins) => {
                wholes_into(block, &mut scratch.wholes);
                bins.codes_of_wholes(&scratch.wholes, &mut codes);
            }
            Self::Powers { edges, closed } => {
                floats_into(block, &mut scratch.floats);
                let (n_bins, top) = (edges.len() - 1, edges.last().copied().unwrap_or_default());
                codes.extend(scratch.floats.iter().map(|value| {
                    if *value <= 0.0 {
                        return n_bins as u16;
                    }
                    if *closed && *value == top {
                        return n_bins as u16 - 1;
                    }
                    let above = edges.partition_point(|edge| edge <= value);
                    // NaN is above no edge.
                    if (1..=n_bins).contains(&above) { above as u16 - 1 } else { OUTSIDE_CODE }
                }));
            }
            Self::Starts { starts, .. } => {
                wholes_into(block, &mut scratch.wholes);
                // Neighbours in a table are mostly of the same month.
                let mut last = 0_usize;
                codes.extend(scratch.wholes.iter().map(|value| {
                    let is_in = |at: usize| match starts.get(at..at + 2) {
                        Some([low, high]) => low <= value && value < high,
                        _ => false,
                    };
                    if !is_in(last) {
                        last = starts.partition_point(|start| start <= value).wrapping_sub(1);
                    }
                    if is_in(last) { last as u16 } else { OUTSIDE_CODE }
                }));
            }
        }
        if let Some(nulls) = block.nulls().filter(|nulls| nulls.null_count() > 0) {
            for (row, code) in codes.iter_mut().enumerate() {
                if nulls.is_null(row) {
                    *code = NULL_CODE;
                }
            }
        }
        codes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Float64Array, Int32Array, TimestampMicrosecondArray};

    use super::*;

    fn cut(cutting: Cutting, array: &ArrayRef, low: i64, high: i64) -> Cut {
        let measure = Measure::of(array.data_type()).unwrap();
        cutting.cut(array.data_type(), measure, Extent::Wholes { low, high })
    }

    fn codes(cut: &Cut, array: &ArrayRef) -> Vec<u16> {
        cut.codes(array, &mut Scratch::default())
    }

    #[test]
    fn powers_hold_what_is_above_zero_and_count_the_rest() {
        let values = vec![Some(1.0), Some(9.9), Some(10.0), Some(1000.0), Some(0.0), None];
        let more = vec![Some(-5.0), Some(f64::NAN), Some(f64::INFINITY), Some(0.5)];
        let array: ArrayRef = Arc::new(Float64Array::from([values, more].concat()));
        let extent = Extent::Floats { low: 1.0, high: 1000.0 };
        let log = Cutting::Log { bins: 3, domain: None };
        let cut = log.cut(array.data_type(), Measure::Float, extent);
        assert_eq!((cut.count(), cut.n_codes()), (3, 4));
        for (found, edge) in cut.edges().iter().zip([1.0, 10.0, 100.0, 1000.0]) {
            assert!((found - edge).abs() < 1e-9 * edge, "{found} is not {edge}");
        }
        let out = OUTSIDE_CODE;
        assert_eq!(codes(&cut, &array)[..2], [0, 0]);
        assert_eq!(codes(&cut, &array)[3..], [2, 3, NULL_CODE, 3, out, out, out]);
    }

    #[test]
    fn powers_of_whole_numbers_leave_no_bin_without_one() {
        let array: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 100, 0, -1]));
        let cut = cut(Cutting::Log { bins: 40, domain: None }, &array, 1, 100);
        let edges = cut.edges();
        assert!(edges.iter().all(|edge| edge.fract() == 0.0), "{edges:?}");
        assert_eq!((edges[0], edges[1], edges[2], edges[edges.len() - 1]), (1.0, 2.0, 3.0, 101.0));
        let n = cut.count() as u16;
        assert_eq!(codes(&cut, &array), [0, 1, 2, n - 1, n, n]);
        let one = Cutting::Log { bins: 9, domain: None };
        let measure = Measure::of(array.data_type()).unwrap();
        let one = one.cut(array.data_type(), measure, Extent::Wholes { low: 7, high: 7 });
        assert_eq!(one.edges(), [7.0, 8.0]);
    }

    #[test]
    fn months_and_years_are_the_calendars() {
        let days = |text: &str| crate::plan::units::units_of_text(&DataType::Date32, text).unwrap();
        let day = |text: &str| (days(text) / MILLIS_PER_DAY) as i32;
        let texts = ["1999-12-31", "2000-01-01", "2000-02-29", "2000-03-01", "2001-01-01"];
        let array: ArrayRef = Arc::new(Date32Array::from_iter_values(texts.map(day)));
        let (low, high) = (i64::from(day("1999-12-31")), i64::from(day("2001-01-01")));
        let time = |step| Cutting::Time { step: Some(step), most: 100 };
        let months = cut(time(TimeStep::Month), &array, low, high);
        assert_eq!((months.count(), codes(&months, &array)), (14, vec![0, 1, 2, 3, 13]));
        assert_eq!(months.edges()[..2], [days("1999-12-01"), days("2000-01-01")]);
        let quarters = cut(time(TimeStep::Quarter), &array, low, high);
        assert_eq!(codes(&quarters, &array), [0, 1, 1, 1, 5]);
        let decades = cut(time(TimeStep::Decade), &array, low, high);
        assert_eq!((codes(&decades, &array), decades.count()), (vec![0, 1, 1, 1, 1], 2));
        let weeks = cut(time(TimeStep::Week), &array, low, high);
        assert_eq!(weeks.edges()[0], days("1999-12-27"), "a Monday");
        assert_eq!(codes(&weeks, &array)[..2], [0, 0]);
        // Whole days have no hours.
        let hours = cut(time(TimeStep::Hour), &array, low, high);
        assert_eq!(hours.count(), 368);
    }

    #[test]
    fn steps_of_seconds_start_at_round_moments() {
        let second = 1_000_000;
        let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![
            -second - 1,
            -1,
            0,
            59 * second,
            60 * second,
        ]));
        let time = Cutting::Time { step: Some(TimeStep::Minute), most: 100 };
        let cut = cut(time, &array, -second - 1, 60 * second);
        assert_eq!(cut.edges(), [-60_000.0, 0.0, 60_000.0, 120_000.0]);
        assert_eq!(codes(&cut, &array), [0, 0, 1, 1, 2]);
    }
}
