//! Cells of charts in words: for what is under the pointer, for those who do not see them,
//! and for the table that says the same in numbers.

use super::Chart;
use crate::protocol::{Mark, Measured, Side, Spread};
use crate::state::format;
use crate::state::position::{MILLIS_PER_DAY, Scalar};
use crate::texts;

/// What a place of a side is called; the bins of numbers and times by their ends.
pub fn name(side: &Side, place: usize) -> String {
    match side {
        Side::One => texts::grid::ALL.to_owned(),
        Side::Bins { .. } => bin(side, place, Scalar::Float),
        Side::Names { values, .. } => match values.get(place).map(|value| value.as_text()) {
            Some("") => "“”".to_owned(),
            Some(text) => text.to_owned(),
            None => texts::grid::OTHER.to_owned(),
        },
    }
}

/// A place of a side as it is written for its column.
pub fn place(side: &Side, at: usize, scalar: Option<Scalar>) -> String {
    match side {
        Side::Bins { .. } => bin(side, at, scalar.unwrap_or(Scalar::Float)),
        _ => name(side, at),
    }
}

fn bin(side: &Side, at: usize, scalar: Scalar) -> String {
    let Side::Bins { edges } = side else { return String::new() };
    let Some(&[low, high]) = edges.get(at..at + 2) else { return String::new() };
    match scalar {
        // Steps of time are called by where they begin.
        Scalar::Date => format::position(low, scalar, MILLIS_PER_DAY),
        Scalar::Moment | Scalar::TimeOfDay => format::position(low, scalar, high - low),
        Scalar::Integer if high - low <= 1.0 => format::number(low, 1.0),
        Scalar::Integer => {
            format!("{} – {}", format::number(low, 1.0), format::number(high - 1.0, 1.0))
        }
        Scalar::Float => {
            let step = (high - low) / 10.0;
            format!("{} – {}", format::number(low, step), format::number(high, step))
        }
    }
}

/// A number that was measured, with the digits that tell.
pub fn measured(value: f64) -> String {
    format::number(value, value.abs().max(1e-3) / 1e4)
}

/// Who measures what: "mean of delay".
pub fn operation(of: Option<&Measured>) -> String {
    match of {
        Some(Measured { op, column }) => texts::grid::measured(*op, column),
        None => texts::grid::ROWS.to_owned(),
    }
}

impl Chart<'_> {
    /// What a cell says.
    pub fn cell(&self, [x, y]: [usize; 2]) -> String {
        let (count, all) = self.count(x, y);
        let rows = match count == all {
            true => texts::counts::rows(u64::from(all)),
            false => texts::counts::rows_of(u64::from(count), u64::from(all)),
        };
        let line = match self.grid.y {
            Side::One => None,
            _ => Some(name(&self.grid.y, y)),
        };
        match self.mark {
            Mark::Boxes { .. } => {
                let spread = self.grid.boxes.get(y).copied().flatten();
                let words = match spread {
                    None => texts::grid::NO_VALUES.to_owned(),
                    Some(spread) => spread_words(&spread),
                };
                match line {
                    None => words,
                    Some(line) => texts::grid::group(&line, &words),
                }
            }
            Mark::Line { of, .. } => {
                let step = place(&self.grid.x, x, self.x);
                let value = of.as_ref().map(|of| {
                    let value = self.grid.values.get(y * self.grid.x.many() + x);
                    let value = value.copied().flatten();
                    let value = value.map_or(texts::grid::NOTHING.to_owned(), measured);
                    (operation(Some(of)), value)
                });
                let value = value.as_ref().map(|(name, value)| (name.as_str(), value.as_str()));
                texts::grid::line_cell(line.as_deref(), &step, value, &rows)
            }
            _ => texts::grid::heat_cell(
                &place(&self.grid.x, x, self.x),
                &place(&self.grid.y, y, self.y),
                &rows,
            ),
        }
    }

    /// All in one sentence.
    pub fn summary(&self) -> String {
        let total: u64 = self.grid.counts.iter().map(|count| u64::from(*count)).sum();
        let missing = self.grid.missing;
        let width = self.grid.x.many().max(1);
        let peak = self.grid.counts.iter().enumerate().max_by_key(|(_, count)| **count);
        let peak = peak.filter(|(_, count)| **count > 0);
        let most = || peak.map(|(at, _)| self.cell([at % width, at / width]));
        match self.mark {
            Mark::Heat { x, y, .. } => {
                texts::grid::heat_summary(x, y, total, missing, most().as_deref())
            }
            Mark::Line { time, of, .. } => {
                let what = operation(of.as_ref());
                texts::grid::line_summary(&what, time, total, missing, most().as_deref())
            }
            Mark::Boxes { column, by, violin } => {
                let lines = (0..self.grid.y.many()).take(3).map(|line| self.cell([0, line]));
                let lines = lines.collect::<Vec<_>>().join("; ");
                let counts = [total, missing];
                texts::grid::boxes_summary(*violin, column, by.as_deref(), counts, &lines)
            }
            _ => String::new(),
        }
    }
}

fn spread_words(spread: &Spread) -> String {
    let mean = measured(spread.mean);
    let outliers = spread.outliers.iter().sum();
    texts::grid::spread(spread.quartiles.map(measured), &mean, spread.count, outliers)
}
