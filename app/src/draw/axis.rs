//! Where f64 coordinates are kept as pairs of f32. A stored value is
//! `(value - origin) / scale`, split into `hi` (the nearest f32) and `lo` (what is left):
//! 48 bits of precision around the origin, on hardware that has f32 only. A difference to
//! the edge of a viewport is `(hi - edge.hi) + (lo - edge.lo)`: for points near the edge
//! the first is exact, so genome positions and milliseconds stay sharp however far the
//! view is zoomed. Where values fit f32 as they are, `lo` is zero and is not kept.

/// Stored values stay below this, so that differences of them are finite.
const STORED_MAX: f64 = 1e37;

/// Values looked at to find the middle one.
const SAMPLE: usize = 1000;

/// How one axis' values are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    origin: f64,
    /// A power of two, so that scaling is exact.
    scale: f64,
}

/// A stored value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    pub hi: f32,
    pub lo: f32,
}

impl Split {
    pub const MISSING: Self = Self { hi: f32::NAN, lo: 0.0 };

    pub fn of(stored: f64) -> Self {
        let hi = stored as f32;
        if !hi.is_finite() {
            return Self::MISSING;
        }
        Self { hi, lo: (stored - f64::from(hi)) as f32 }
    }

    pub fn stored(self) -> f64 {
        f64::from(self.hi) + f64::from(self.lo)
    }
}

impl Axis {
    /// As is: for values that f32 holds exactly.
    pub const PLAIN: Self = Self { origin: 0.0, scale: 1.0 };

    /// The axis that keeps these values best; `None` where none is finite. Values that f32
    /// holds exactly (f32 columns, small integers) are kept as they are. Otherwise the
    /// origin is where most values are: what is far from it is what loses digits.
    pub fn fitting(values: &[f64]) -> Option<Self> {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        if finite().all(|value| f64::from(value as f32) == value && value.abs() < STORED_MAX) {
            return finite().next().map(|_| Self::PLAIN);
        }
        let origin = middle_of(finite().step_by(values.len().div_ceil(SAMPLE)).collect())?;
        let reach = finite().map(|value| (value / 2.0 - origin / 2.0).abs()).fold(0.0, f64::max);
        let usual = reach == 0.0 || (1e-20..1e20).contains(&reach);
        let scale = if usual { 1.0 } else { power_of_two_near(reach) };
        Some(Self { origin, scale })
    }

    /// Whether the value can be stored without [`Self::widened`].
    pub fn holds(&self, value: f64) -> bool {
        !value.is_finite() || self.stored(value).abs() < STORED_MAX
    }

    /// This axis with a scale that holds the value too; what is stored must be multiplied
    /// by [`Self::scale_from`].
    pub fn widened(&self, value: f64) -> Self {
        let reach = (value / 2.0 - self.origin / 2.0).abs();
        Self { origin: self.origin, scale: power_of_two_near(reach).max(self.scale) }
    }

    /// The factor from values stored under `earlier` to values stored under this axis.
    pub fn scale_from(&self, earlier: &Self) -> f64 {
        earlier.scale / self.scale
    }

    pub fn split(&self, value: f64) -> Split {
        Split::of(self.stored(value))
    }

    pub fn stored(&self, value: f64) -> f64 {
        if self.scale == 1.0 {
            value - self.origin
        } else {
            value / self.scale - self.origin / self.scale
        }
    }

    /// The inverse of [`Self::stored`].
    pub fn value(&self, stored: f64) -> f64 {
        if self.scale == 1.0 {
            stored + self.origin
        } else {
            (stored + self.origin / self.scale) * self.scale
        }
    }

    /// A length in data units, as stored.
    pub fn stored_length(&self, length: f64) -> f64 {
        length / self.scale
    }
}

fn middle_of(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn power_of_two_near(value: f64) -> f64 {
    2f64.powi(value.log2().floor().clamp(-1000.0, 1000.0) as i32)
}
