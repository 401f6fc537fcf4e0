//! Data values to lengths on screen, and the marks along an axis: linear positions,
//! round ticks and their labels. Pure numbers and text; the page's axes and sliders and
//! the worker's pictures use the same ones. Times are in [`time`].

pub mod step;
pub mod time;

use std::fmt::Write;

/// The most ticks ever made, whatever is asked for.
pub const TICKS_MAX: usize = 200;

/// Maps `domain` (data units) to `range` (pixels) in a straight line. Either may run backwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    pub domain: [f64; 2],
    pub range: [f64; 2],
}

impl Linear {
    pub fn new(domain: [f64; 2], range: [f64; 2]) -> Self {
        Self { domain, range }
    }

    /// Where a value lies. A domain without length puts everything in the middle.
    pub fn position(&self, value: f64) -> f64 {
        let [low, high] = self.domain;
        let [start, end] = self.range;
        if low == high {
            return (start + end) / 2.0;
        }
        // Halves, so that a domain across most of f64 does not overflow.
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        start + share * (end - start)
    }

    /// The value at a position: the inverse of [`Self::position`].
    pub fn value(&self, position: f64) -> f64 {
        let [low, high] = self.domain;
        let [start, end] = self.range;
        if start == end {
            return low / 2.0 + high / 2.0;
        }
        let share = (position - start) / (end - start);
        low * (1.0 - share) + high * share
    }
}

/// Round values along an axis, and the distance between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    pub values: Vec<f64>,
    pub step: f64,
}

impl Ticks {
    /// Ticks at multiples of 1, 2 or 5 times a power of ten inside `domain`, about `count`
    /// of them. Domains that are empty, reversed or not finite are handled: a point has
    /// one tick, a reversed one is turned, a non-finite one has none.
    pub fn linear(domain: [f64; 2], count: usize) -> Self {
        let [low, high] = ordered(domain);
        if !(low.is_finite() && high.is_finite()) || count == 0 {
            return Self { values: Vec::new(), step: 1.0 };
        }
        if low == high {
            return Self { values: vec![low], step: low.abs().max(1.0) };
        }
        let step = Step::covering(low, high, count.min(TICKS_MAX));
        // Slack for edges that are a rounding error away from a multiple.
        let first = (step.count_to(low) - 1e-9).ceil();
        let last = (step.count_to(high) + 1e-9).floor();
        let number = ((last - first) as usize + 1).min(TICKS_MAX);
        let values = if last < first {
            Vec::new()
        } else {
            (0..number).map(|i| step.times(first + i as f64)).collect()
        };
        Self { values, step: step.size() }
    }

    /// The labels of the ticks, alike in unit and in decimals.
    pub fn labels(&self) -> Vec<String> {
        let format = NumberFormat::for_ticks(&self.values, self.step);
        self.values.iter().map(|value| format.text(*value)).collect()
    }
}

/// The domain widened to multiples of the step that [`Ticks::linear`] would take.
pub fn nice(domain: [f64; 2], count: usize) -> [f64; 2] {
    let [low, high] = ordered(domain);
    if !(low.is_finite() && high.is_finite()) || low == high || count == 0 {
        return [low, high];
    }
    let step = Step::covering(low, high, count.min(TICKS_MAX));
    let widened = [
        step.times((step.count_to(low) + 1e-9).floor()).min(low),
        step.times((step.count_to(high) - 1e-9).ceil()).max(high),
    ];
    if widened.iter().all(|edge| edge.is_finite()) { widened } else { [low, high] }
}

fn ordered([a, b]: [f64; 2]) -> [f64; 2] {
    if a > b { [b, a] } else { [a, b] }
}

/// A step of `factor` × 10^`exponent`. Kept in two parts because multiples of 0.1 are
/// only exact when divided by 10.
#[derive(Debug, Clone, Copy)]
struct Step {
    factor: f64,
    exponent: i32,
}

impl Step {
    /// Of 1, 2, 5 × 10^n the one that cuts the domain into about `count` pieces.
    fn covering(low: f64, high: f64, count: usize) -> Self {
        let raw = (high / count as f64 - low / count as f64).max(f64::MIN_POSITIVE);
        let exponent = raw.log10().floor().clamp(-307.0, 307.0) as i32;
        let share = raw / 10f64.powi(exponent);
        // Geometric means of neighbours decide.
        let (factor, exponent) = match share {
            s if s < std::f64::consts::SQRT_2 => (1.0, exponent),
            s if s < 10f64.sqrt() => (2.0, exponent),
            s if s < 50f64.sqrt() => (5.0, exponent),
            _ => (1.0, exponent + 1),
        };
        let step = Self { factor, exponent };
        // Where the domain has fewer distinct numbers than ticks, the numbers decide.
        let ulp = low.abs().max(high.abs()) * f64::EPSILON;
        if step.size() < ulp { Self::covering(0.0, ulp * count as f64 * 2.0, count) } else { step }
    }

    fn size(self) -> f64 {
        self.times(1.0)
    }

    fn times(self, n: f64) -> f64 {
        let value = if self.exponent < 0 {
            n * self.factor / 10f64.powi(-self.exponent)
        } else {
            n * self.factor * 10f64.powi(self.exponent)
        };
        // Never -0: it would read "-0".
        value + 0.0
    }

    fn count_to(self, value: f64) -> f64 {
        if self.exponent < 0 {
            value * 10f64.powi(-self.exponent) / self.factor
        } else {
            value / 10f64.powi(self.exponent) / self.factor
        }
    }
}

/// How the numbers along one axis are written: all in the same unit and decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFormat {
    /// Plain, thousands grouped.
    Grouped { decimals: usize },
    /// Divided by 10^`power` and marked with its letter.
    Unit { power: i32, letter: char, decimals: usize },
    /// `1.25e-9`.
    Exponent { decimals: usize },
}

const UNITS: [(i32, char); 4] = [(12, 'T'), (9, 'G'), (6, 'M'), (3, 'k')];

impl NumberFormat {
    /// The shortest form in which these values, multiples of `step`, all differ.
    pub fn for_ticks(values: &[f64], step: f64) -> Self {
        let largest = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let step = if step.is_finite() && step > 0.0 { step } else { 1.0 };
        let step_power = decimal_power(step);
        let top_power = if largest > 0.0 { decimal_power(largest) } else { step_power };
        if !(-6..15).contains(&top_power) {
            return Self::Exponent { decimals: (top_power - step_power).clamp(0, 17) as usize };
        }
        if largest >= 10_000.0 {
            for (power, letter) in UNITS {
                let decimals = (power - step_power).max(0);
                if (0..3).contains(&(top_power - power)) && decimals <= 2 {
                    return Self::Unit { power, letter, decimals: decimals as usize };
                }
            }
        }
        Self::Grouped { decimals: (-step_power).clamp(0, 17) as usize }
    }

    pub fn text(self, value: f64) -> String {
        match self {
            Self::Grouped { decimals } => grouped(value, decimals),
            Self::Unit { power, letter, decimals } => {
                let mut text = grouped(value / 10f64.powi(power), decimals);
                if value != 0.0 {
                    text.push(letter);
                }
                text
            }
            Self::Exponent { decimals } if value != 0.0 => signed(format!("{value:.decimals$e}")),
            Self::Exponent { .. } => "0".to_owned(),
        }
    }
}

/// The exponent of the largest power of ten that is not above `value` (> 0).
fn decimal_power(value: f64) -> i32 {
    let power = value.log10().floor() as i32;
    // log10 of 1000 may be a hair below 3.
    if value >= 10f64.powi(power + 1) * (1.0 - 1e-12) { power + 1 } else { power }
}

/// A number for a reader: thousands grouped, up to six decimals, trailing zeros gone.
pub fn format_number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return signed(format!("{value:e}"));
    }
    let decimals = if size >= 1000.0 { 3 } else { 6 };
    let text = grouped(value, decimals);
    match text.contains('.') {
        true => {
            let cut = text.trim_end_matches('0').trim_end_matches('.');
            if cut == "−0" { "0".to_owned() } else { cut.to_owned() }
        }
        false => text,
    }
}

/// A count with its thousands grouped.
pub fn format_count(count: u64) -> String {
    let mut text = String::new();
    group_digits(&count.to_string(), &mut text);
    text
}

/// Fixed decimals, thousands grouped by commas, a true minus sign.
fn grouped(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = match plain.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (plain.as_str(), None),
    };
    let zero = plain.bytes().all(|byte| byte == b'0' || byte == b'.');
    let mut text = String::with_capacity(plain.len() + plain.len() / 3 + 3);
    if value < 0.0 && !zero {
        text.push('−');
    }
    group_digits(whole, &mut text);
    if let Some(fraction) = fraction {
        // Writing to a string cannot fail.
        let _infallible = write!(text, ".{fraction}");
    }
    text
}

fn group_digits(digits: &str, into: &mut String) {
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            into.push(',');
        }
        into.push(digit);
    }
}

fn signed(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests;
