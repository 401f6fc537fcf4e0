//! Lines by time: counts or a number by step, what there is in all behind them. Where
//! nothing is measured there is a gap; where nothing is counted there are none.

use std::fmt::Write as _;

use super::{Chart, Drawing, LETTER, label_width, names};
use crate::protocol::{Mark, Side};
use crate::scale::{Linear, Ticks};
use crate::state::letters::{clipped_to, letters};
use crate::state::position::Scalar;
use crate::state::ticks::{X_APART, ticks};

pub(super) fn draw(chart: &Chart<'_>, size: (f64, f64)) -> Drawing {
    let grid = chart.grid;
    let is_measured = matches!(chart.mark, Mark::Line { of: Some(_), .. });
    let range = range(chart, is_measured);
    let lines = Ticks::linear(range, 4);
    let labels = lines.labels();
    let marks: Vec<(f64, String)> = lines.values.iter().copied().zip(labels).collect();
    let mut drawing = Drawing::new(size, label_width(&marks).max(34.0));
    let up = Linear::new(range, [drawing.height, 0.0]);
    let marks: Vec<(f64, String)> =
        marks.into_iter().map(|(value, label)| (up.position(value), label)).collect();
    let Side::Bins { edges } = &grid.x else { return drawing };
    let (Some(low), Some(high)) = (edges.first(), edges.last()) else { return drawing };
    let across = Linear::new([*low, *high], [0.0, drawing.width]);
    let rules: String = marks
        .iter()
        .map(|(y, _)| format!("M{:.1} {:.1}h{:.1}", drawing.left, drawing.top + y, drawing.width))
        .collect();
    drawing.path("rule", &rules);
    let places: Vec<f64> = edges
        .windows(2)
        .map(|ends| drawing.left + across.position((ends[0] + ends[1]) / 2.0))
        .collect();
    let series = names(&grid.y);
    let width = grid.x.many();
    let top = drawing.top;
    let y_of = |value: f64| top + up.position(value);
    for line in 0..grid.y.many() {
        let of = |counts: &[u32]| -> Vec<Option<f64>> {
            let counts = counts.get(line * width..(line + 1) * width).unwrap_or_default();
            counts.iter().map(|count| Some(f64::from(*count))).collect()
        };
        let values = match is_measured {
            true => grid.values.get(line * width..(line + 1) * width).unwrap_or_default().to_vec(),
            false => of(&grid.counts),
        };
        let color = chart.colors.get(line).map_or("", String::as_str);
        if !is_measured && !chart.shapes {
            let behind = of(&grid.unfiltered);
            let d = path(&places, &behind, y_of);
            match series.len() {
                // One line alone stands before an area.
                1 => {
                    let (bottom, first) = (drawing.top + drawing.height, places.first());
                    if let (Some(first), Some(last)) = (first, places.last()) {
                        let d = format!("{d}L{last:.1} {bottom:.1}L{first:.1} {bottom:.1}z");
                        drawing.path("ghost", &d);
                    }
                }
                _ => drawing
                    .add(format_args!("<path class=\"ghost-line\" stroke=\"{color}\" d=\"{d}\"/>")),
            }
        }
        let d = path(&places, &values, y_of);
        let class = if series.len() == 1 { "line alone" } else { "line" };
        drawing.add(format_args!("<path class=\"{class}\" stroke=\"{color}\" d=\"{d}\"/>"));
    }
    if series.len() > 1 {
        legend(&mut drawing, chart, &series);
    }
    let scalar = chart.x.unwrap_or(Scalar::Moment);
    let below = ticks([*low, *high], scalar, drawing.width, X_APART);
    let below: Vec<(f64, String)> =
        below.into_iter().map(|(value, label)| (across.position(value), label)).collect();
    drawing.below(&below);
    drawing.beside(&marks);
    drawing
}

/// From nothing to the most rows; of numbers, as far as they reach.
fn range(chart: &Chart<'_>, is_measured: bool) -> [f64; 2] {
    let grid = chart.grid;
    if !is_measured {
        let behind = if chart.shapes { &[] } else { grid.unfiltered.as_slice() };
        let most = grid.counts.iter().chain(behind).copied().max().unwrap_or(0);
        return [0.0, f64::from(most.max(1))];
    }
    let values = || grid.values.iter().copied().flatten();
    let (low, high) = (values().reduce(f64::min), values().reduce(f64::max));
    match low.zip(high) {
        None => [0.0, 1.0],
        Some((low, high)) if low == high => [low - low.abs().max(1.0), high + high.abs().max(1.0)],
        Some((low, high)) => {
            let more = (high - low) * 0.05;
            [low - more, high + more]
        }
    }
}

/// A line through all values, broken where there is none; a value alone is a dot.
fn path(places: &[f64], values: &[Option<f64>], y_of: impl Fn(f64) -> f64) -> String {
    let mut d = String::with_capacity(values.len() * 12);
    let mut before = false;
    for (at, (x, value)) in places.iter().zip(values).enumerate() {
        let Some(value) = value else {
            before = false;
            continue;
        };
        let y = y_of(*value);
        let is_alone = !before && values.get(at + 1).is_none_or(Option::is_none);
        let _infallible = match (before, is_alone) {
            (true, _) => write!(d, "L{x:.1} {y:.1}"),
            (false, false) => write!(d, "M{x:.1} {y:.1}"),
            (false, true) => write!(d, "M{:.1} {y:.1}h2", x - 1.0),
        };
        before = true;
    }
    d
}

/// The square before a name in the legend, and the gaps beside it.
const SIGN: f64 = 18.0;

fn legend(drawing: &mut Drawing, chart: &Chart<'_>, series: &[String]) {
    let mut x = drawing.left;
    let end = drawing.left + drawing.width;
    // Names that are all short stand whole; otherwise each has the same room.
    let whole: f64 = series.iter().map(|name| letters(name) * LETTER + SIGN).sum();
    let room = match whole <= drawing.width + LETTER {
        true => f64::INFINITY,
        false => ((drawing.width / series.len() as f64 - SIGN) / LETTER).max(3.0),
    };
    for (name, color) in series.iter().zip(chart.colors) {
        let name = clipped_to(name, room);
        let wide = letters(&name) * LETTER + SIGN;
        if x + wide > end + LETTER {
            break;
        }
        drawing.add(format_args!("<path fill=\"{color}\" d=\"M{x:.1} 5h8v8h-8z\"/>"));
        drawing.text(x + 11.0, 13.0, "start", &name);
        x += wide;
    }
}
