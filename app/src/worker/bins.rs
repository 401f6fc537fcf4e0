//! Bins of a histogram, chosen from a column's extent so that the browser's counts and the
//! companion's are the same by construction: both put a value x into bin
//! floor((x − origin) / step), in floats for floats and in whole numbers for the others.
//! Pure.

use arrow_schema::DataType;

use crate::worker::numbers::Measure;

/// The code of a value outside of the bins, or of NaN.
pub const OUTSIDE_CODE: u16 = u16::MAX - 1;
/// Bins at most: their codes must stay below the two that mean something else.
pub const BINS_MAX: u16 = 4096;

/// Where the values of a column lie; of floats, of the finite ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    Floats {
        low: f64,
        high: f64,
    },
    /// As stored: see [`Measure`].
    Wholes {
        low: i64,
        high: i64,
    },
}

/// Equal bins, the last of which includes its upper end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steps {
    Floats {
        origin: f64,
        step: f64,
        last: f64,
    },
    /// `last` is the largest value that is in a bin.
    Wholes {
        origin: i64,
        step: u64,
        last: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bins {
    pub steps: Steps,
    pub count: u16,
    pub measure: Measure,
}

impl Extent {
    /// From two numbers in data units, as one type stores them.
    pub fn of_units(data_type: &DataType, low: f64, high: f64) -> Option<Self> {
        let measure = Measure::of(data_type)?;
        (low <= high).then(|| match measure {
            Measure::Float => Self::Floats { low, high },
            Measure::Whole { .. } => {
                Self::Wholes { low: measure.stored_below(low), high: measure.stored_above(high) }
            }
        })
    }

    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Floats { low: a, high: b }, Self::Floats { low: c, high: d }) => {
                Self::Floats { low: a.min(c), high: b.max(d) }
            }
            (Self::Wholes { low: a, high: b }, Self::Wholes { low: c, high: d }) => {
                Self::Wholes { low: a.min(c), high: b.max(d) }
            }
            (one, _) => one,
        }
    }

    /// In data units.
    pub fn in_units(&self, measure: Measure) -> [f64; 2] {
        match *self {
            Self::Floats { low, high } => [low, high],
            Self::Wholes { low, high } => [measure.in_units(low), measure.in_units(high)],
        }
    }
}

impl Bins {
    /// About `wanted` bins over an extent, or over the part of the axis that `domain` says
    /// (in data units). Whole numbers get whole steps, so that no bin has more of them
    /// than its neighbour; there may be fewer bins then.
    pub fn new(measure: Measure, extent: Extent, domain: Option<[f64; 2]>, wanted: u16) -> Self {
        let wanted = wanted.clamp(1, BINS_MAX);
        match extent {
            Extent::Floats { low, high } => {
                let [low, high] = domain.filter(|[low, high]| low < high).unwrap_or([low, high]);
                Self::of_floats(measure, low, high, wanted)
            }
            Extent::Wholes { low, high } => {
                let zoomed = domain.filter(|[low, high]| low < high);
                let (low, high) = match zoomed {
                    Some([low, high]) => (measure.stored_above(low), measure.stored_below(high)),
                    None => (low, high),
                };
                Self::of_wholes(measure, low, high.max(low), wanted)
            }
        }
    }

    fn of_floats(measure: Measure, low: f64, high: f64, wanted: u16) -> Self {
        // Halved before they are taken apart: their difference may be beyond f64.
        let step = (high / f64::from(wanted)) - (low / f64::from(wanted));
        if step > 0.0 && low + step > low {
            let steps = Steps::Floats { origin: low, step, last: high };
            return Self { steps, count: wanted, measure };
        }
        let step = low.abs().max(1.0);
        let origin = low - step / 2.0;
        let steps = Steps::Floats { origin, step, last: origin + step };
        Self { steps, count: 1, measure }
    }

    fn of_wholes(measure: Measure, low: i64, high: i64, wanted: u16) -> Self {
        let span = i128::from(high) - i128::from(low) + 1;
        let step = (span + i128::from(wanted) - 1) / i128::from(wanted);
        let count = (span + step - 1) / step;
        let steps = Steps::Wholes { origin: low, step: step as u64, last: high };
        Self { steps, count: count as u16, measure }
    }

    /// The ends of the whole, in data units.
    pub fn domain(&self) -> [f64; 2] {
        match self.steps {
            Steps::Floats { origin, last, .. } => [origin, last],
            Steps::Wholes { origin, step, .. } => {
                let start = self.measure.in_units(origin);
                let width = self.measure.in_units(origin.saturating_add_unsigned(step)) - start;
                // Beyond the largest stored number there may be no room for an end.
                let width = if width > 0.0 { width } else { step as f64 };
                [start, start + width * f64::from(self.count)]
            }
        }
    }

    /// The codes of floats; NaN and what lies outside have [`OUTSIDE_CODE`].
    pub fn codes_of_floats(&self, values: &[f64], codes: &mut Vec<u16>) {
        let Steps::Floats { origin, step, last } = self.steps else { return };
        let top = self.count - 1;
        codes.extend(values.iter().map(|&value| {
            if value >= origin && value <= last {
                // A cast from a float keeps within the type's ends.
                (((value - origin) / step).floor() as u16).min(top)
            } else {
                OUTSIDE_CODE
            }
        }));
    }

    /// The codes of whole numbers as they are stored.
    pub fn codes_of_wholes(&self, values: &[i64], codes: &mut Vec<u16>) {
        let Steps::Wholes { origin, step, last } = self.steps else { return };
        let top = self.count - 1;
        // Divisions of 64 bits are slow, and most columns need fewer.
        let narrow =
            u32::try_from(step).ok().filter(|_| last.abs_diff(origin) <= u64::from(u32::MAX));
        codes.extend(values.iter().map(|&value| {
            if value < origin || value > last {
                return OUTSIDE_CODE;
            }
            let past = value.wrapping_sub(origin).cast_unsigned();
            let bin = match narrow {
                Some(step) => u64::from(past as u32 / step),
                None => past / step,
            };
            (bin as u16).min(top)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Measure = Measure::Whole { per_unit: 1.0, is_unsigned: false };

    fn wholes(bins: &Bins, values: &[i64]) -> Vec<u16> {
        let mut codes = Vec::new();
        bins.codes_of_wholes(values, &mut codes);
        codes
    }

    fn floats(bins: &Bins, values: &[f64]) -> Vec<u16> {
        let mut codes = Vec::new();
        bins.codes_of_floats(values, &mut codes);
        codes
    }

    #[test]
    fn floats_fall_into_equal_bins_ends_included() {
        let bins = Bins::new(Measure::Float, Extent::Floats { low: 0.0, high: 1.0 }, None, 4);
        assert_eq!(bins.domain(), [0.0, 1.0]);
        assert_eq!(floats(&bins, &[0.0, 0.25, 0.99, 1.0]), [0, 1, 3, 3]);
        let none = [f64::NAN, f64::INFINITY, -0.1, 1.1];
        assert_eq!(floats(&bins, &none), [OUTSIDE_CODE; 4]);
        let zoomed =
            Bins::new(Measure::Float, Extent::Floats { low: 0.0, high: 1.0 }, Some([0.2, 0.4]), 2);
        assert_eq!(floats(&zoomed, &[0.1, 0.2, 0.35, 0.4, 0.5])[1..4], [0, 1, 1]);
    }

    #[test]
    fn one_value_and_huge_ranges_have_bins() {
        let one = Bins::new(Measure::Float, Extent::Floats { low: 7.0, high: 7.0 }, None, 10);
        assert_eq!((one.count, floats(&one, &[7.0])), (1, vec![0]));
        let huge = Extent::Floats { low: -f64::MAX, high: f64::MAX };
        let bins = Bins::new(Measure::Float, huge, None, 10);
        assert_eq!(bins.count, 10);
        assert_eq!(floats(&bins, &[-f64::MAX, f64::MAX])[1], 9);
        let all = Extent::Wholes { low: i64::MIN, high: i64::MAX };
        let bins = Bins::new(WHOLE, all, None, 16);
        assert_eq!(wholes(&bins, &[i64::MIN, -1, 0, i64::MAX]), [0, 7, 8, 15]);
        let one = Bins::new(WHOLE, Extent::Wholes { low: 5, high: 5 }, None, 9);
        assert_eq!((one.count, one.domain()), (1, [5.0, 6.0]));
    }

    #[test]
    fn whole_numbers_get_whole_steps() {
        let bins = Bins::new(WHOLE, Extent::Wholes { low: 0, high: 100 }, None, 24);
        assert_eq!(bins.steps, Steps::Wholes { origin: 0, step: 5, last: 100 });
        assert_eq!((bins.count, bins.domain()), (21, [0.0, 105.0]));
        assert_eq!(
            wholes(&bins, &[-1, 0, 4, 5, 100, 101]),
            [OUTSIDE_CODE, 0, 0, 1, 20, OUTSIDE_CODE]
        );
        let zoomed = Bins::new(WHOLE, Extent::Wholes { low: 0, high: 100 }, Some([9.5, 20.5]), 24);
        assert_eq!((zoomed.count, zoomed.domain()), (11, [10.0, 21.0]));
    }

    #[test]
    fn days_are_binned_in_days_and_shown_in_milliseconds() {
        let days = Measure::Whole { per_unit: 1.0 / 86_400_000.0, is_unsigned: false };
        let bins = Bins::new(days, Extent::Wholes { low: 0, high: 9 }, None, 5);
        assert_eq!(bins.domain(), [0.0, 864_000_000.0]);
        assert_eq!(wholes(&bins, &[0, 1, 2, 9]), [0, 0, 1, 4]);
    }
}
