//! One axis of a scatter: what lies along it, where, and how it is written. A place is what
//! the worker draws by: the number itself, its logarithm, or the number of a name, which are
//! read downwards where the axis is y. Pure.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use super::chart::words;
use super::figure::clipped;
use super::format;
use super::position::{End, Scalar, between_steps, decimal};
use super::ticks::{log_ticks, ticks};
use crate::look::BAND;
use crate::protocol;

/// Pixels that a letter of the labels takes, about.
const LETTER: f64 = 6.2;
/// Letters of a name beside the plot.
pub const NAME_LETTERS: usize = 14;
/// Powers of ten that a number has.
const POWERS: [f64; 2] = [-307.0, 308.0];

#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    pub column: String,
    pub scalar: Scalar,
    /// How many stored numbers make one of the axis.
    pub per_unit: f64,
    pub scale: Scale,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    Linear,
    Log,
    /// Of the axis of this number: 1 is y.
    Names {
        names: protocol::Side,
        axis: usize,
    },
}

impl Side {
    /// Of plain numbers.
    pub fn of(column: &str) -> Self {
        let (column, scalar) = (column.to_owned(), Scalar::Float);
        Self { column, scalar, per_unit: 1.0, scale: Scale::Linear }
    }

    pub fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }

    pub fn is_named(&self) -> bool {
        matches!(self.scale, Scale::Names { .. })
    }

    /// The number at a place.
    pub fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Log => 10_f64.powf(place.clamp(POWERS[0], POWERS[1])),
            _ => place,
        }
    }

    /// The place of a number.
    pub fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Log => value.max(f64::MIN_POSITIVE).log10(),
            _ => value,
        }
    }

    /// What a step at a place is worth in numbers.
    fn step_at(&self, place: f64, step: f64) -> f64 {
        match self.scale {
            Scale::Log => self.value(place) * step * std::f64::consts::LN_10,
            _ => step,
        }
    }

    /// A number as it is stored, with no more digits than a pixel can tell, so that links stay
    /// short.
    pub fn stored(&self, place: f64, step: f64) -> f64 {
        let (value, step) = (self.value(place), self.step_at(place, step));
        decimal(value, step).parse().unwrap_or(value) * self.per_unit
    }

    /// What lies between two places.
    pub fn within(&self, from: f64, to: f64, step: f64) -> Predicate {
        if self.is_named() {
            let (low, high) = (from.min(to), from.max(to));
            let covered = |[from, to]: &[f64; 2]| *to >= low && *from <= high;
            let names = self.stretches().into_iter().filter(|(_, stretch)| covered(stretch));
            return self.of_names(&names.map(|(name, _)| name).collect::<Vec<_>>());
        }
        let ends = [from, to];
        let steps = ends.map(|end| self.step_at(end, step));
        between_steps(&self.column, self.scalar, ends.map(|end| self.value(end)), steps)
    }

    /// The names, each with where its points lie.
    pub fn stretches(&self) -> Vec<(usize, [f64; 2])> {
        let Scale::Names { names, axis } = &self.scale else { return Vec::new() };
        let middle = |name: usize| if *axis == 1 { -(name as f64) } else { name as f64 };
        let stretch = |name: usize| (name, [middle(name) - BAND, middle(name) + BAND]);
        (0..names.many()).map(stretch).collect()
    }

    /// Rows that have one of these names; the last one may be that of all others.
    pub fn of_names(&self, chosen: &[usize]) -> Predicate {
        let column = self.column.clone();
        let Scale::Names { names: protocol::Side::Names { values, other }, .. } = &self.scale
        else {
            return Predicate::NotNull { column };
        };
        let with_others = *other && chosen.contains(&values.len());
        // With all others: but for those that are not chosen.
        let named = values.iter().enumerate().filter(|(at, _)| chosen.contains(at) != with_others);
        let named: Vec<Literal> = named.map(|(_, value)| value.clone()).collect();
        match named.as_slice() {
            [] if with_others => Predicate::NotNull { column },
            all if !other && all.len() == values.len() => Predicate::NotNull { column },
            [value @ Literal::Bool(_)] => {
                Predicate::Compare { column, op: Comparison::Eq, value: value.clone() }
            }
            _ => Predicate::In { column, values: named, negated: with_others },
        }
    }

    /// Where along the axis the rows lie that pass a part of a box.
    pub fn intervals(&self, part: &Predicate) -> Vec<[f64; 2]> {
        match part {
            Predicate::Between { column, low, high }
                if *column == self.column && !self.is_named() =>
            {
                let low = self.scalar.position(low, End::Low);
                let ends = low.zip(self.scalar.position(high, End::High));
                ends.map(|(low, high)| [self.place(low), self.place(high)]).into_iter().collect()
            }
            Predicate::In { column, .. }
            | Predicate::Compare { column, op: Comparison::Eq, .. }
            | Predicate::NotNull { column }
                if *column == self.column =>
            {
                self.runs(|name| match (part, name) {
                    (Predicate::In { values, negated, .. }, Some(name)) => {
                        values.contains(name) != *negated
                    }
                    (Predicate::In { negated, .. }, None) => *negated,
                    (Predicate::Compare { value, .. }, name) => name == Some(value),
                    _ => true,
                })
            }
            _ => Vec::new(),
        }
    }

    /// Neighbours together, and half the way to the next.
    fn runs(&self, is_chosen: impl Fn(Option<&Literal>) -> bool) -> Vec<[f64; 2]> {
        let Scale::Names { names: protocol::Side::Names { values, .. }, .. } = &self.scale else {
            return Vec::new();
        };
        let mut runs: Vec<[f64; 2]> = Vec::new();
        for (name, stretch) in self.stretches() {
            if !is_chosen(values.get(name)) {
                continue;
            }
            let wide = [middle(stretch) - 0.5, middle(stretch) + 0.5];
            match runs.last_mut() {
                Some(last) if (wide[0] - last[1]).abs() < 0.5 => last[1] = wide[1],
                Some(last) if (last[0] - wide[1]).abs() < 0.5 => last[0] = wide[0],
                _ => runs.push(wide),
            }
        }
        runs
    }

    /// Marks along the axis, by their places.
    pub fn ticks(&self, [low, high]: [f64; 2], length: f64, apart: f64) -> Vec<(f64, String)> {
        match &self.scale {
            Scale::Linear => ticks([low, high], self.scalar, length, apart),
            Scale::Log => {
                let marks = log_ticks([self.value(low), self.value(high)], length, apart);
                marks.into_iter().map(|(value, label)| (self.place(value), label)).collect()
            }
            Scale::Names { names, axis } => {
                let pixels = length / (high - low).abs().max(f64::MIN_POSITIVE);
                let is_below = *axis == 0;
                let least = if is_below { 5.0 * LETTER } else { 13.0 };
                let each = (least / pixels).ceil().max(1.0) as usize;
                let letters = match is_below {
                    true => ((pixels * each as f64 / LETTER) as usize).max(2),
                    false => NAME_LETTERS,
                };
                let marks = self.stretches().into_iter().step_by(each);
                let marks = marks.map(|(name, stretch)| (name, middle(stretch)));
                let seen = marks.filter(|(_, at)| (low..=high).contains(at));
                seen.map(|(name, at)| (at, clipped(&words::name(names, name), letters))).collect()
            }
        }
    }

    /// What is at a place, in words.
    pub fn words(&self, place: f64, step: f64) -> String {
        match &self.scale {
            Scale::Names { names, axis } => {
                let at = if *axis == 1 { -place } else { place };
                let last = names.many().saturating_sub(1) as f64;
                words::name(names, at.round().clamp(0.0, last) as usize)
            }
            _ => format::position(self.value(place), self.scalar, self.step_at(place, step)),
        }
    }
}

/// Of a name's stretch: its number, or the negative of it.
fn middle([from, to]: [f64; 2]) -> f64 {
    (from / 2.0 + to / 2.0).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(axis: usize, other: bool) -> Side {
        let values = ["a", "b", "c"].map(Literal::from).to_vec();
        let names = protocol::Side::Names { values, other };
        Side { scale: Scale::Names { names, axis }, ..Side::of("k") }
    }

    fn json(predicate: &Predicate) -> String {
        serde_json::to_string(predicate).unwrap_or_default()
    }

    #[test]
    fn a_box_over_logarithms_has_as_many_digits_as_pixels_tell() {
        let side = Side { scale: Scale::Log, ..Side::of("v") };
        let found = side.within(-2.0, 3.0, 0.01);
        assert_eq!(json(&found), r#"{"column":"v","op":"between","value":[0.01,1000]}"#);
        let [low, high] = side.intervals(&found)[0];
        assert!((low + 2.0).abs() < 1e-12 && (high - 3.0).abs() < 1e-12);
        let found = side.within(2.345_678, 0.123_456, 0.005);
        assert_eq!(json(&found), r#"{"column":"v","op":"between","value":[1.33,222]}"#);
        let marks = side.ticks([-1.0, 4.0], 300.0, 60.0);
        assert_eq!(marks.first(), Some(&(-1.0, "0.1".to_owned())));
        assert_eq!(marks.len(), 6);
        assert_eq!(side.words(3.0, 0.01), "1,000");
    }

    #[test]
    fn a_box_over_names_takes_those_whose_points_it_meets() {
        let across = named(0, false);
        let taken = |side: &Side, from, to| json(&side.within(from, to, 0.01));
        let some = |values: &str| format!(r#"{{"column":"k","op":"in","value":[{values}]}}"#);
        assert_eq!(taken(&across, 0.2, 1.0), some(r#""a","b""#));
        assert_eq!(taken(&across, 0.55, 0.45), some(""), "between two");
        assert_eq!(taken(&across, -1.0, 5.0), r#"{"column":"k","op":"not_null"}"#);
        let down = named(1, true);
        assert_eq!(taken(&down, -0.9, -1.1), some(r#""b""#));
        // With all others: but for the rest.
        let rest = r#"{"column":"k","op":"not_in","value":["a","b"]}"#;
        assert_eq!(taken(&down, -3.2, -1.8), rest);
        assert_eq!(down.intervals(&down.within(-3.2, -1.8, 0.01)), [[-3.5, -1.5]]);
        assert_eq!(across.intervals(&across.of_names(&[0, 2])), [[-0.5, 0.5], [1.5, 2.5]]);
        assert_eq!(across.intervals(&down.of_names(&[])), Vec::<[f64; 2]>::new());
        let marks = down.ticks([-3.6, 0.6], 400.0, 48.0);
        let labels: Vec<_> = marks.iter().map(|(at, label)| (*at, label.as_str())).collect();
        assert_eq!(labels, [(0.0, "a"), (-1.0, "b"), (-2.0, "c"), (-3.0, "other")]);
        assert_eq!((down.words(-2.7, 0.1), across.words(-4.0, 0.1)), ("other".into(), "a".into()));
    }

    #[test]
    fn one_truth_is_compared() {
        let values = vec![Literal::Bool(false), Literal::Bool(true)];
        let names = protocol::Side::Names { values, other: false };
        let side = Side { scale: Scale::Names { names, axis: 0 }, ..Side::of("k") };
        let found = side.within(0.8, 1.2, 0.1);
        assert_eq!(json(&found), r#"{"column":"k","op":"eq","value":true}"#);
        assert_eq!(side.intervals(&found), [[0.5, 1.5]]);
    }
}
