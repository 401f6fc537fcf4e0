//! Inclusive ranges of a column's stored values: what every comparison with an ordered
//! type becomes.

use arrow_buffer::i256;
use half::f16;

use super::number::Exact;
use crate::predicate::Comparison;

/// The values inside any of the ranges, both ends included; negated, all others, NaN
/// among them. The ranges are sorted and do not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges<T> {
    pub ranges: Vec<(T, T)>,
    pub negated: bool,
}

/// A type of stored values.
pub trait Stored: Copy + PartialOrd + Send + Sync + std::fmt::Debug + 'static {
    const LOWEST: Self;
    const HIGHEST: Self;
    const ZERO: Self;

    /// How far a value lies above another, for integers that are near.
    fn steps_above(self, low: Self) -> Option<usize>;
}

impl<T: Stored> Ranges<T> {
    /// Joins the ranges that overlap; they come sorted by where they start. A range that
    /// ends before it starts, or at NaN, holds nothing.
    pub fn new(mut ranges: Vec<(T, T)>, negated: bool) -> Self {
        ranges.retain(|(low, high)| low <= high);
        let mut joined: Vec<(T, T)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match joined.last_mut() {
                Some(last) if low <= last.1 => {
                    if high > last.1 {
                        last.1 = high;
                    }
                }
                _ => joined.push((low, high)),
            }
        }
        Self { ranges: joined, negated }
    }

    pub fn contains(&self, value: T) -> bool {
        let place = self.ranges.partition_point(|(low, _)| *low <= value);
        let inside = place.checked_sub(1).and_then(|place| self.ranges.get(place));
        inside.is_some_and(|(_, high)| value <= *high) != self.negated
    }
}

macro_rules! stored {
    ($($native:ty, $zero:expr, $lowest:expr, $highest:expr, $steps:expr;)*) => {$(
        impl Stored for $native {
            const LOWEST: Self = $lowest;
            const HIGHEST: Self = $highest;
            const ZERO: Self = $zero;

            #[inline]
            fn steps_above(self, low: Self) -> Option<usize> {
                let steps: fn(Self, Self) -> Option<usize> = $steps;
                steps(self, low)
            }
        }
    )*};
}

stored! {
    f16, f16::ZERO, f16::NEG_INFINITY, f16::INFINITY, |_, _| None;
    f32, 0.0, f32::NEG_INFINITY, f32::INFINITY, |_, _| None;
    f64, 0.0, f64::NEG_INFINITY, f64::INFINITY, |_, _| None;
    i256, i256::ZERO, i256::MIN, i256::MAX, |_, _| None;
}

/// Stored values that are integers, whatever they stand for.
pub(crate) trait Integer: Stored {
    /// The nearest value of this type, and whether it is the same number.
    fn clamped(wide: i256) -> (Self, bool);
}

impl Integer for i256 {
    fn clamped(wide: i256) -> (Self, bool) {
        (wide, true)
    }
}

macro_rules! integers {
    ($($native:ty)*) => {$(
        stored! {
            $native, 0, <$native>::MIN, <$native>::MAX,
            |value, low| value.checked_sub(low).and_then(|steps| usize::try_from(steps).ok());
        }
        impl Integer for $native {
            fn clamped(wide: i256) -> (Self, bool) {
                let same = wide.to_i128().and_then(|wide| Self::try_from(wide).ok());
                let end = if wide.is_negative() { Self::MIN } else { Self::MAX };
                (same.unwrap_or(end), same.is_some())
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 i128 u8 u16 u32 u64 }

/// A literal on the line of integers: where it stands, and for a bare date where the
/// day that it names ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub at: Exact,
    pub day_end: Option<Exact>,
}

/// Integers between two ends, an open end being `None`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub low: Option<i256>,
    pub high: Option<i256>,
}

impl Place {
    /// The integers that compare so with the literal; `ne` is told by its caller.
    pub(crate) fn span(&self, op: Comparison) -> Span {
        match op {
            Comparison::Eq | Comparison::Ne if self.at.exact => {
                Span { low: Some(self.at.floor), high: Some(self.at.floor) }
            }
            Comparison::Eq | Comparison::Ne => {
                Span { low: Some(i256::ONE), high: Some(i256::ZERO) }
            }
            Comparison::Lt => Span { low: None, high: Some(below(self.at)) },
            Comparison::Le => {
                Span { low: None, high: Some(self.day_end.map_or(self.at.floor, below)) }
            }
            Comparison::Ge => Span { low: Some(not_below(self.at)), high: None },
            Comparison::Gt => {
                let next = self.at.floor.checked_add(i256::ONE).unwrap_or(i256::MAX);
                Span { low: Some(self.day_end.map_or(next, not_below)), high: None }
            }
        }
    }
}

/// The largest integer below.
fn below(place: Exact) -> i256 {
    match place.exact {
        true => place.floor.checked_sub(i256::ONE).unwrap_or(i256::MIN),
        false => place.floor,
    }
}

/// The smallest integer not below.
fn not_below(place: Exact) -> i256 {
    match place.exact {
        true => place.floor,
        false => place.floor.checked_add(i256::ONE).unwrap_or(i256::MAX),
    }
}

/// Puts spans in the order of their low ends: once here, rather than in every type.
pub(crate) fn sort_spans(spans: &mut [Span]) {
    spans.sort_unstable_by_key(|span| span.low.unwrap_or(i256::MIN));
}

/// The values of the type inside any of the spans, which are in order.
pub(crate) fn ranges_from_spans<T: Integer>(spans: &[Span], negated: bool) -> Ranges<T> {
    let ranges = spans.iter().filter_map(|span| {
        let low = span.low.map_or((T::LOWEST, true), T::clamped);
        let high = span.high.map_or((T::HIGHEST, true), T::clamped);
        // An end clamped to the far side leaves nothing between.
        let above_all = !low.1 && low.0 == T::HIGHEST;
        let below_all = !high.1 && high.0 == T::LOWEST;
        (!above_all && !below_all).then_some((low.0, high.0))
    });
    Ranges::new(ranges.collect(), negated)
}

/// Stored values that are floats: literals are rounded to them.
pub(crate) trait Float: Stored {
    fn rounded(text: &str) -> Option<Self>;
    fn wide(self) -> f64;
    /// Of a number that is one of this type.
    fn from_wide(wide: f64) -> Self;
    fn next_down(self) -> Self;
    fn next_up(self) -> Self;
}

macro_rules! floats {
    ($($native:ty)*) => {$(
        impl Float for $native {
            fn rounded(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }
            fn wide(self) -> f64 {
                self.into()
            }
            fn from_wide(wide: f64) -> Self {
                wide as Self
            }
            fn next_down(self) -> Self {
                <$native>::next_down(self)
            }
            fn next_up(self) -> Self {
                <$native>::next_up(self)
            }
        }
    )*};
}

floats! { f32 f64 }

impl Float for f16 {
    fn rounded(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Self::from_f64)
    }

    fn wide(self) -> f64 {
        self.to_f64()
    }

    fn from_wide(wide: f64) -> Self {
        Self::from_f64(wide)
    }

    fn next_down(self) -> Self {
        -(-self).next_up()
    }

    fn next_up(self) -> Self {
        match self.to_bits() {
            _ if self.is_nan() || self == Self::INFINITY => self,
            0 | 0x8000 => Self::from_bits(1),
            bits if self.is_sign_negative() => Self::from_bits(bits - 1),
            bits => Self::from_bits(bits + 1),
        }
    }
}

/// The floats inside any of the ranges, sorted as the widest type.
pub(crate) fn float_ranges<T: Float>(ranges: &[(T, T)], negated: bool) -> Ranges<T> {
    let mut wide: Vec<_> = ranges.iter().map(|(low, high)| [low.wide(), high.wide()]).collect();
    wide.sort_unstable_by(|[a, _], [b, _]| a.total_cmp(b));
    let ranges = wide.into_iter().map(|[low, high]| (T::from_wide(low), T::from_wide(high)));
    Ranges::new(ranges.collect(), negated)
}

/// The floats that compare so with a value; `ne` is told by its caller. None for NaN.
pub(crate) fn float_range<T: Float>(op: Comparison, value: T) -> Option<(T, T)> {
    let range = match op {
        Comparison::Eq | Comparison::Ne => (value, value),
        Comparison::Lt => (T::LOWEST, value.next_down()),
        Comparison::Le => (T::LOWEST, value),
        Comparison::Gt => (value.next_up(), T::HIGHEST),
        Comparison::Ge => (value, T::HIGHEST),
    };
    let nothing = matches!(op, Comparison::Lt) && value == T::LOWEST
        || matches!(op, Comparison::Gt) && value == T::HIGHEST;
    (range.0 <= range.1 && !nothing).then_some(range)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bind::number::Digits;

    fn ranges<T: Integer>(op: Comparison, text: &str) -> Vec<(T, T)> {
        let place = Place { at: Digits::parse(text).unwrap().scaled(0), day_end: None };
        ranges_from_spans(&[place.span(op)], false).ranges
    }

    #[test]
    fn comparisons_are_ranges_of_the_type() {
        use Comparison::{Eq, Ge, Gt, Le, Lt};
        assert_eq!(ranges::<i32>(Lt, "2.5"), [(i32::MIN, 2)]);
        assert_eq!(ranges::<i32>(Lt, "2"), [(i32::MIN, 1)]);
        assert_eq!(ranges::<i32>(Le, "-2.5"), [(i32::MIN, -3)]);
        assert_eq!(ranges::<i32>(Gt, "-2.5"), [(-2, i32::MAX)]);
        assert_eq!(ranges::<i32>(Ge, "2.5"), [(3, i32::MAX)]);
        assert_eq!(ranges::<i32>(Eq, "2.5"), []);
        assert_eq!(ranges::<u8>(Ge, "-1"), [(0, 255)]);
        assert_eq!(ranges::<u8>(Le, "-1"), []);
        assert_eq!(ranges::<u8>(Le, "255.5"), [(0, 255)]);
        assert_eq!(ranges::<u8>(Gt, "255"), []);
        assert_eq!(ranges::<u8>(Eq, "256"), []);
        assert_eq!(ranges::<i64>(Gt, "9223372036854775807"), []);
        assert_eq!(ranges::<i64>(Lt, "-1e99"), []);
        assert_eq!(ranges::<i64>(Gt, "-1e99"), [(i64::MIN, i64::MAX)]);
        // No decimal reaches the ends of i256.
        assert_eq!(ranges::<i256>(Gt, "1e99"), [(i256::MAX, i256::MAX)]);
    }

    #[test]
    fn float_ranges_step_to_the_next_value() {
        use Comparison::{Eq, Ge, Gt, Le, Lt};
        assert_eq!(float_range(Lt, 0.0_f64), Some((f64::NEG_INFINITY, -f64::from_bits(1))));
        assert_eq!(float_range(Gt, -0.0_f32), Some((f32::from_bits(1), f32::INFINITY)));
        assert_eq!(float_range(Gt, f64::INFINITY), None);
        assert_eq!(float_range(Ge, f64::INFINITY), Some((f64::INFINITY, f64::INFINITY)));
        assert_eq!(float_range(Lt, f32::NEG_INFINITY), None);
        assert_eq!(float_range(Eq, f64::NAN), None);
        assert_eq!(float_range(Le, f64::NAN), None);
        assert_eq!(f16::from_f32(1.0).next_up().to_bits(), 0x3c01);
        assert_eq!(f16::ZERO.next_down(), -f16::from_bits(1));
        assert_eq!(f16::MAX.next_up(), f16::INFINITY);
        assert_eq!(f16::INFINITY.next_down(), f16::MAX);
        assert_eq!(f16::NEG_INFINITY.next_up(), f16::MIN);
    }

    #[test]
    fn ranges_join_and_are_searched() {
        let span = |low: i128, high: i128| Span {
            low: Some(i256::from_i128(low)),
            high: Some(i256::from_i128(high)),
        };
        let mut spans = [span(5, 7), span(1, 2), span(6, 9), span(20, 10)];
        sort_spans(&mut spans);
        let set = ranges_from_spans(&spans, false);
        assert_eq!(set.ranges, [(1, 2), (5, 9)]);
        let inside: Vec<i32> = (0..12).filter(|value| set.contains(*value)).collect();
        assert_eq!(inside, [1, 2, 5, 6, 7, 8, 9]);
        let floats = float_ranges(&[(f64::NAN, 1.0), (-0.0, 0.0)], true);
        assert!(!floats.contains(0.0) && !floats.contains(-0.0) && floats.contains(f64::NAN));
    }
}
