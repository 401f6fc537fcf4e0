//! Cells of charts in words: for what is under the pointer, for those who do not see them,
//! and for the table that says the same in numbers.

use super::Chart;
use crate::protocol::{Mark, Measured, Side, Spread};
use crate::state::format;
use crate::state::position::{MILLIS_PER_DAY, Scalar};

/// What a place of a side is called; the bins of numbers and times by their ends.
pub fn name(side: &Side, place: usize) -> String {
    match side {
        Side::One => "all".to_owned(),
        Side::Bins { .. } => bin(side, place, Scalar::Float),
        Side::Names { values, .. } => match values.get(place).map(|value| value.as_text()) {
            Some("") => "“”".to_owned(),
            Some(text) => text.to_owned(),
            None => "other".to_owned(),
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
        Some(Measured { op, column }) => format!("{} of {column}", op.name()),
        None => "rows".to_owned(),
    }
}

impl Chart<'_> {
    /// What a cell says.
    pub fn cell(&self, [x, y]: [usize; 2]) -> String {
        let (count, all) = self.count(x, y);
        let rows = match count == all {
            true => format::counted(u64::from(all), "row"),
            false => format!(
                "{} of {}",
                format::count(u64::from(count)),
                format::counted(u64::from(all), "row")
            ),
        };
        match self.mark {
            Mark::Boxes { .. } => {
                let spread = self.grid.boxes.get(y).copied().flatten();
                let name = match self.grid.y {
                    Side::One => String::new(),
                    _ => format!("{}: ", name(&self.grid.y, y)),
                };
                match spread {
                    None => format!("{name}no values"),
                    Some(spread) => format!("{name}{}", spread_words(&spread)),
                }
            }
            Mark::Line { of, .. } => {
                let step = place(&self.grid.x, x, self.x);
                let name = match self.grid.y {
                    Side::One => String::new(),
                    _ => format!("{}, ", name(&self.grid.y, y)),
                };
                let value = of.as_ref().map(|of| {
                    let value = self.grid.values.get(y * self.grid.x.many() + x);
                    let value = value.copied().flatten().map_or("nothing".to_owned(), measured);
                    format!("{} {value}, ", operation(Some(of)))
                });
                format!("{name}{step}: {}{rows}", value.unwrap_or_default())
            }
            _ => format!(
                "{} × {}: {rows}",
                place(&self.grid.x, x, self.x),
                place(&self.grid.y, y, self.y)
            ),
        }
    }

    /// All in one sentence.
    pub fn summary(&self) -> String {
        let total: u64 = self.grid.counts.iter().map(|count| u64::from(*count)).sum();
        let total = format::counted(total, "row");
        let missing = match self.grid.missing {
            0 => String::new(),
            missing => format!(", {} without a value", format::count(missing)),
        };
        let width = self.grid.x.many().max(1);
        let peak = self.grid.counts.iter().enumerate().max_by_key(|(_, count)| **count);
        let most = |what: &str| match peak.filter(|(_, count)| **count > 0) {
            Some((at, _)) => format!(", most {what}{}", self.cell([at % width, at / width])),
            None => String::new(),
        };
        match self.mark {
            Mark::Heat { x, y, .. } => {
                format!("Heat map of {y} by {x}: {total}{missing}{}", most("in "))
            }
            Mark::Line { time, of, .. } => {
                let what = operation(of.as_ref());
                format!("Line of {what} by {time}: {total}{missing}{}", most("at "))
            }
            Mark::Boxes { column, by, violin } => {
                let kind = if *violin { "Violins" } else { "Boxes" };
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let lines = (0..self.grid.y.many()).take(3).map(|line| self.cell([0, line]));
                let lines = lines.collect::<Vec<_>>().join("; ");
                format!("{kind} of {column}{by}: {total}{missing}. {lines}")
            }
            _ => String::new(),
        }
    }
}

fn spread_words(spread: &Spread) -> String {
    let [first, median, third] = spread.quartiles.map(measured);
    let outliers: u64 = spread.outliers.iter().sum();
    let mut words = format!(
        "median {median}, quartiles {first} and {third}, mean {}, {}",
        measured(spread.mean),
        format::counted(spread.count, "value")
    );
    if outliers > 0 {
        words.push_str(&format!(", {}", format::counted(outliers, "outlier")));
    }
    words
}
