//! The outline of a histogram: bars by count, by the logarithm of it, or the share of rows
//! up to each edge. The same for the screen and for a figure to keep. Lengths are pixels.

use std::fmt::Write as _;

use super::format;
use crate::protocol::Form;
use crate::scale::{Linear, Ticks};

/// How tall the bars of some counts are, of 0 to 1: one a bin, or where the share of rows
/// is drawn one an edge.
pub fn heights(counts: &[u32], tallest: u32, form: Form) -> Vec<f64> {
    let share = |count: u32| f64::from(count) / f64::from(tallest.max(1));
    if form.cumulative {
        return shares(counts);
    }
    let whole = f64::from(tallest).ln_1p().max(f64::MIN_POSITIVE);
    let height = |count: &u32| match form.log_counts {
        true => f64::from(*count).ln_1p() / whole,
        false => share(*count),
    };
    counts.iter().map(height).collect()
}

/// The share of rows before each edge: none before the first, all before the last.
pub fn shares(counts: &[u32]) -> Vec<f64> {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let mut before = 0;
    let rising = counts.iter().map(|count| {
        before += u64::from(*count);
        before as f64 / total.max(1) as f64
    });
    std::iter::once(0.0).chain(rising).collect()
}

/// Where the edges of bins lie along an axis.
pub fn places(edges: &[f64], domain: [f64; 2], bins: usize, width: f64, log: bool) -> Vec<f64> {
    let scale = Scale { domain, width, log };
    match edges {
        [] => (0..=bins).map(|edge| edge as f64 / bins.max(1) as f64 * width).collect(),
        edges => edges.iter().map(|edge| scale.position(*edge)).collect(),
    }
}

/// An axis from left to right, straight or by logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub domain: [f64; 2],
    pub width: f64,
    pub log: bool,
}

impl Scale {
    /// A value as what the axis is straight in.
    pub fn straight(self, value: f64) -> f64 {
        if self.log { value.max(f64::MIN_POSITIVE).log10() } else { value }
    }

    pub fn value_of(self, straight: f64) -> f64 {
        if self.log { 10_f64.powf(straight) } else { straight }
    }

    fn linear(self) -> Linear {
        Linear::new(self.domain.map(|end| self.straight(end)), [0.0, self.width])
    }

    pub fn position(self, value: f64) -> f64 {
        self.linear().position(self.straight(value))
    }

    pub fn value(self, position: f64) -> f64 {
        self.value_of(self.linear().value(position))
    }
}

/// Bars as one path that stand on `bottom`, the tallest `room` high; or a slope where
/// heights are of edges.
pub fn path(heights: &[f64], places: &[f64], room: f64, bottom: f64) -> String {
    let mut d = String::with_capacity(heights.len() * 24);
    if heights.len() == places.len() {
        for (at, (height, x)) in heights.iter().zip(places).enumerate() {
            let y = bottom - height * room;
            let _infallible = match at {
                0 => write!(d, "M{x:.2} {bottom:.2}V{y:.2}"),
                _ => write!(d, "L{x:.2} {y:.2}"),
            };
        }
        let _infallible = write!(d, "V{bottom:.2}z");
        return d;
    }
    for (height, ends) in heights.iter().zip(places.windows(2)).filter(|(height, _)| **height > 0.0)
    {
        let &[x, end] = ends else { continue };
        let gap = if end - x > 4.0 { 1.0 } else { 0.0 };
        let wide = (end - x - gap).max(0.5);
        // What is there is seen, however little it is.
        let y = bottom - (height * room).max(1.0);
        let _infallible = write!(d, "M{x:.2} {y:.2}h{wide:.2}V{bottom:.2}H{x:.2}z");
    }
    d
}

/// Marks along the axis of heights: at which of them, of 0 to 1, stands what.
pub fn marks(tallest: u32, form: Form) -> Vec<(f64, String)> {
    if form.cumulative {
        let share = |quarter: u8| (f64::from(quarter) / 4.0, format!("{} %", quarter * 25));
        return (0..=4).map(share).collect();
    }
    let top = f64::from(tallest.max(1));
    let counts: Vec<f64> = match form.log_counts {
        true => (0..10).map(|power| 10_f64.powi(power)).filter(|count| *count <= top).collect(),
        false => Ticks::linear([0.0, top], 4).values,
    };
    let height =
        |count: f64| if form.log_counts { count.ln_1p() / top.ln_1p() } else { count / top };
    counts.into_iter().map(|count| (height(count), format::short_count(count as u64))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: Form = Form { log_axis: false, log_counts: false, cumulative: true };

    #[test]
    fn shares_rise_from_none_to_all() {
        assert_eq!(heights(&[1, 0, 3], 3, SHARE), [0.0, 0.25, 0.25, 1.0]);
        assert_eq!(heights(&[0, 0], 0, SHARE), [0.0, 0.0, 0.0]);
        let d = path(&[0.0, 0.25, 1.0], &[0.0, 50.0, 100.0], 80.0, 100.0);
        assert_eq!(d, "M0.00 100.00V100.00L50.00 80.00L100.00 20.00V100.00z");
    }

    #[test]
    fn logarithms_keep_the_order_and_the_ends() {
        let log = Form { log_counts: true, ..Form::default() };
        let found = heights(&[0, 1, 10, 1000], 1000, log);
        assert_eq!((found.first(), found.last()), (Some(&0.0), Some(&1.0)));
        assert!(found.is_sorted_by(|a, b| a < b));
        let labels: Vec<_> = marks(1000, log).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["1", "10", "100", "1,000"]);
        let scale = Scale { domain: [1.0, 1000.0], width: 300.0, log: true };
        assert!((scale.position(10.0) - 100.0).abs() < 1e-9);
        assert!((scale.value(200.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn bars_stand_between_their_edges() {
        let d = path(&[0.5, 0.0, 1.0], &[0.0, 10.0, 12.0, 100.0], 80.0, 100.0);
        assert_eq!(d, "M0.00 60.00h9.00V100.00H0.00zM12.00 20.00h87.00V100.00H12.00z");
    }
}
