//! What heat maps, lines and boxes have in common: the rows by one or two sides, and maybe
//! a number of them. The same for the worker's own columns and for the companion. Pure.

use engine::kind::Kind;

use super::cut::Cutting;
use crate::protocol::{Mark, Measured, Spread};

/// Values that a side of a heat map names, lines that a chart can hold, and boxes.
const HEAT_NAMES: usize = 20;
const LINES: usize = 6;
const BOXES: usize = 12;
/// Steps of time that a line has at most, where nobody says.
const LINE_STEPS: u16 = 160;
/// Bins that the outline of a violin is made of.
const VIOLIN_BINS: u16 = 64;

/// What the cells of one side are of.
#[derive(Debug, Clone, PartialEq)]
pub enum SideSpec {
    One,
    Bins {
        column: String,
        cutting: Cutting,
    },
    /// The most frequent values, so many of them.
    Names {
        column: String,
        most: usize,
    },
}

/// What is measured besides counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    Nothing,
    /// Of each cell.
    Cells(Measured),
    /// Of each line of y.
    Spread {
        column: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub x: SideSpec,
    pub y: SideSpec,
    pub measure: Measure,
}

impl SideSpec {
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::One => None,
            Self::Bins { column, .. } | Self::Names { column, .. } => Some(column),
        }
    }

    fn named(column: Option<&String>, most: usize) -> Self {
        match column {
            Some(column) => Self::Names { column: column.clone(), most },
            None => Self::One,
        }
    }
}

impl Spec {
    /// `None` for marks of another sort.
    pub fn of(mark: &Mark, kind: impl Fn(&str) -> Option<Kind>) -> Option<Self> {
        match mark {
            Mark::Heat { x, y, bins, .. } => {
                let side = |column: &String| match kind(column) {
                    Some(Kind::Number) => {
                        let cutting = Cutting::Equal { bins: *bins, domain: None };
                        SideSpec::Bins { column: column.clone(), cutting }
                    }
                    Some(Kind::Time) => {
                        let cutting = Cutting::Time { step: None, most: *bins };
                        SideSpec::Bins { column: column.clone(), cutting }
                    }
                    _ => SideSpec::Names { column: column.clone(), most: HEAT_NAMES },
                };
                Some(Self { x: side(x), y: side(y), measure: Measure::Nothing })
            }
            Mark::Line { time, of, split, step } => {
                let cutting = Cutting::Time { step: *step, most: LINE_STEPS };
                let measure = of.clone().map_or(Measure::Nothing, Measure::Cells);
                let x = SideSpec::Bins { column: time.clone(), cutting };
                Some(Self { x, y: SideSpec::named(split.as_ref(), LINES), measure })
            }
            Mark::Boxes { column, by, .. } => {
                let cutting = Cutting::Equal { bins: VIOLIN_BINS, domain: None };
                let x = SideSpec::Bins { column: column.clone(), cutting };
                let measure = Measure::Spread { column: column.clone() };
                Some(Self { x, y: SideSpec::named(by.as_ref(), BOXES), measure })
            }
            _ => None,
        }
    }

    /// The columns that are read.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let measured = match &self.measure {
            Measure::Nothing => None,
            Measure::Cells(measured) => Some(measured.column.as_str()),
            Measure::Spread { column } => Some(column.as_str()),
        };
        [self.x.column(), self.y.column(), measured].into_iter().flatten()
    }
}

/// The quantile of some numbers in ascending order, by linear interpolation: as the
/// contract has it.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let place = sorted.len().checked_sub(1)? as f64 * q;
    let below = place.floor();
    let low = *sorted.get(below as usize)?;
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    // No step between equals.
    Some(if high == low { low } else { low + (high - low) * (place - below) })
}

/// How numbers in ascending order are spread; `None` for none.
pub fn spread(sorted: &[f64]) -> Option<Spread> {
    let (least, most) = (*sorted.first()?, *sorted.last()?);
    let quartiles = [0.25, 0.5, 0.75].map(|q| quantile(sorted, q).unwrap_or(least));
    let [low, high] = fences(quartiles);
    let below = sorted.partition_point(|value| *value < low);
    let within = sorted.partition_point(|value| *value <= high);
    let inside = sorted.get(below..within).unwrap_or_default();
    Some(Spread {
        count: sorted.len() as u64,
        mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
        ends: [least, most],
        quartiles,
        whiskers: [
            inside.first().copied().unwrap_or(least),
            inside.last().copied().unwrap_or(most),
        ],
        outliers: [below as u64, (sorted.len() - within) as u64],
    })
}

/// How far whiskers may reach.
pub fn fences([first, _, third]: [f64; 3]) -> [f64; 2] {
    let reach = 1.5 * (third - first);
    [first - reach, third + reach]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_tukeys() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 100.0];
        let found = spread(&values).unwrap();
        assert_eq!(found.quartiles, [3.25, 5.5, 7.75]);
        assert_eq!((found.whiskers, found.outliers), ([1.0, 9.0], [0, 1]));
        assert_eq!((found.mean, found.ends, found.count), (14.5, [1.0, 100.0], 10));
        let one = spread(&[7.0]).unwrap();
        assert_eq!((one.quartiles, one.whiskers), ([7.0; 3], [7.0; 2]));
        assert_eq!(spread(&[]), None);
    }
}
