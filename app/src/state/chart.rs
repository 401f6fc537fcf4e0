//! Heat maps, lines and boxes as SVG: the same markup on the page and in a figure to keep.
//! [`Chart`] is what is drawn, [`Drawing`] the markup and where in it the cells lie.
//! Lengths are CSS pixels; nothing of a table is ever markup.

mod boxes;
mod heat;
mod line;
pub mod words;

use std::fmt::Write as _;

use super::figure::{clipped, escaped};
use super::position::Scalar;
use super::ticks::{X_APART, Y_APART, ticks};
use crate::protocol::{Grid, Mark, Side};
use crate::scale::Linear;

const RIGHT: f64 = 10.0;
const BELOW: f64 = 20.0;
/// Room for a legend above the plot.
const ABOVE: f64 = 20.0;
/// Pixels that a letter of the labels takes, about.
const LETTER: f64 = 6.2;
const LABEL_LETTERS: usize = 16;

/// What is drawn: the mark, its answer, and how its columns are written.
pub struct Chart<'a> {
    pub mark: &'a Mark,
    pub grid: &'a Grid,
    pub x: Option<Scalar>,
    pub y: Option<Scalar>,
    /// Of categories, then of all others.
    pub colors: &'a [String],
    /// From few to many.
    pub ramp: &'a [String],
    /// Which lines of boxes are chosen, where some are.
    pub chosen: &'a [bool],
    /// Compares shapes: what passes is as tall as there is room.
    pub shapes: bool,
}

/// The markup, and where the plot lies in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    pub markup: String,
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Drawing {
    fn new(size: (f64, f64), left: f64) -> Self {
        Self {
            markup: String::new(),
            left,
            top: ABOVE,
            width: (size.0 - left - RIGHT).max(1.0),
            height: (size.1 - ABOVE - BELOW).max(1.0),
        }
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        let _infallible = self.markup.write_fmt(text);
    }

    fn path(&mut self, class: &str, d: &str) {
        if !d.is_empty() {
            self.add(format_args!("<path class=\"{class}\" d=\"{d}\"/>"));
        }
    }

    /// A label; `anchor` is `start`, `middle` or `end`.
    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = escaped(text);
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// The marks below, and the line that they hang from.
    fn below(&mut self, marks: &[(f64, String)]) {
        let (left, bottom, right) = (self.left, self.top + self.height, self.left + self.width);
        let mut d = format!("M{left:.1} {bottom:.1}H{right:.1}");
        for (x, _) in marks {
            let _infallible = write!(d, "M{:.1} {bottom:.1}v4", left + x);
        }
        self.path("tick", &d);
        for (x, label) in marks {
            let half = label.chars().count() as f64 * LETTER / 2.0;
            // Labels at the ends stay inside.
            let at = (left + x).clamp(half.min(right), (right + RIGHT - half).max(half));
            self.text(at, bottom + 15.0, "middle", label);
        }
    }

    /// The marks beside.
    fn beside(&mut self, marks: &[(f64, String)]) {
        for (y, label) in marks {
            let (left, y) = (self.left - 6.0, self.top + y + 4.0);
            self.text(left, y, "end", &clipped(label, LABEL_LETTERS));
        }
    }
}

impl Chart<'_> {
    pub fn draw(&self, size: (f64, f64)) -> Drawing {
        match self.mark {
            Mark::Line { .. } => line::draw(self, size),
            Mark::Boxes { .. } => boxes::draw(self, size),
            _ => heat::draw(self, size),
        }
    }

    /// The cell under a place: from the left, and by its line.
    pub fn cell_at(&self, drawing: &Drawing, x: f64, y: f64) -> Option<[usize; 2]> {
        let (across, down) =
            ((x - drawing.left) / drawing.width, (y - drawing.top) / drawing.height);
        if !(0.0..1.0).contains(&across) || !(0.0..1.0).contains(&down) {
            return None;
        }
        let (width, height) = (self.grid.x.many(), self.grid.y.many());
        let at =
            |share: f64, many: usize| ((share * many as f64) as usize).min(many.saturating_sub(1));
        let column = match (self.mark, &self.grid.x) {
            // Steps of time differ in length.
            (Mark::Line { .. }, Side::Bins { edges }) => {
                let (low, high) = (edges.first()?, edges.last()?);
                let value = Linear::new([*low, *high], [0.0, 1.0]).value(across);
                edges
                    .partition_point(|edge| *edge <= value)
                    .checked_sub(1)?
                    .min(width.checked_sub(1)?)
            }
            _ => at(across, width),
        };
        let line = match self.grid.y {
            Side::Bins { .. } => height.checked_sub(1)? - at(down, height),
            _ => at(down, height),
        };
        (width > 0 && height > 0).then_some([column, line])
    }

    fn count(&self, x: usize, y: usize) -> (u32, u32) {
        let at = y * self.grid.x.many() + x;
        let of = |counts: &[u32]| counts.get(at).copied().unwrap_or_default();
        (of(&self.grid.counts), of(&self.grid.unfiltered))
    }
}

/// The labels of a side of names.
fn names(side: &Side) -> Vec<String> {
    (0..side.many()).map(|place| words::name(side, place)).collect()
}

/// Where a value lies among cells of equal size, counted in cells.
fn among(edges: &[f64], value: f64) -> f64 {
    let above = edges.partition_point(|edge| *edge <= value).clamp(1, edges.len().max(2) - 1);
    match edges.get(above - 1..=above) {
        Some(&[low, high]) if high > low => (above - 1) as f64 + (value - low) / (high - low),
        _ => 0.0,
    }
}

/// Marks of a side whose cells are of equal size, in pixels from its start.
/// Labels of names lie side by side below, and one over another beside.
fn cell_marks(
    side: &Side,
    scalar: Option<Scalar>,
    length: f64,
    is_below: bool,
) -> Vec<(f64, String)> {
    let apart = if is_below { X_APART } else { Y_APART };
    match side {
        Side::One => Vec::new(),
        Side::Bins { edges } => {
            let (Some(low), Some(high)) = (edges.first(), edges.last()) else { return Vec::new() };
            let cell = length / (edges.len() - 1).max(1) as f64;
            let marks = ticks([*low, *high], scalar.unwrap_or(Scalar::Float), length, apart);
            marks.into_iter().map(|(value, label)| (among(edges, value) * cell, label)).collect()
        }
        Side::Names { .. } => {
            let cell = length / side.many().max(1) as f64;
            let least = if is_below { 5.0 * LETTER } else { 12.0 };
            let each = (least / cell).ceil().max(1.0) as usize;
            let letters = match is_below {
                true => ((cell * each as f64 / LETTER) as usize).max(2),
                false => LABEL_LETTERS,
            };
            let labels = names(side).into_iter().enumerate().step_by(each);
            labels.map(|(at, name)| ((at as f64 + 0.5) * cell, clipped(&name, letters))).collect()
        }
    }
}

/// As wide as the widest label, and no wider than reads well.
fn label_width(marks: &[(f64, String)]) -> f64 {
    let letters = marks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
    (letters.min(LABEL_LETTERS) as f64 + 1.0) * LETTER + 8.0
}

/// How the classes of the markup look in a figure on white ground.
pub const FIGURE_STYLE: &str = ".tick{stroke:#b9c6cc;fill:none}\
    .rule{stroke:#e9eef0;fill:none}.chart text{font-size:11px;fill:#55686f}.alone{stroke:#2a8d99}\
    .ghost{fill:#dde5e8}.ghost-line{fill:none;stroke-width:1.5;opacity:.3}.front{fill:#2a8d99}\
    .line{fill:none;stroke-width:1.8}.box{fill:#2a8d99;fill-opacity:.35;stroke:#2a8d99}\
    .muted{opacity:.45}.middle{stroke:#11212a;stroke-width:2;fill:none}.mean{fill:#11212a}\
    .reach{stroke:#b9c6cc;fill:none;stroke-dasharray:2 2}.whisker{stroke:#445761;fill:none}";

#[cfg(test)]
mod tests;
