//! A heat map: one cell a pair of places, its colour the count in it.

use std::fmt::Write as _;

use super::{ABOVE, Chart, Drawing, cell_marks, label_width};
use crate::protocol::{Mark, Side};
use crate::state::format;
use crate::texts;

const LEGEND_WIDTH: f64 = 96.0;

pub(super) fn draw(chart: &Chart<'_>, size: (f64, f64)) -> Drawing {
    let grid = chart.grid;
    let beside = cell_marks(&grid.y, chart.y, (size.1 - ABOVE - super::BELOW).max(1.0), false);
    let mut drawing = Drawing::new(size, label_width(&beside));
    let is_log = matches!(chart.mark, Mark::Heat { log: true, .. });
    let most = grid.counts.iter().copied().max().unwrap_or(0);
    let levels = chart.ramp.len().max(1);
    let mut paths = vec![String::new(); levels];
    let mut ghost = String::new();
    let (width, height) = (grid.x.many(), grid.y.many());
    let cell = [drawing.width / width.max(1) as f64, drawing.height / height.max(1) as f64];
    let upward = matches!(grid.y, Side::Bins { .. });
    for (at, (count, all)) in grid.counts.iter().zip(&grid.unfiltered).enumerate() {
        let (column, line) = (at % width.max(1), at / width.max(1));
        let row = if upward { height - 1 - line } else { line };
        let path = match (*count, *all) {
            (0, 0) => continue,
            // Rows that do not pass leave their shadow.
            (0, _) => Some(&mut ghost),
            (count, _) => paths.get_mut(level(count, most, levels, is_log)),
        };
        let (x, y) = (drawing.left + column as f64 * cell[0], drawing.top + row as f64 * cell[1]);
        // A hair wider, so that no ground shines through between neighbours.
        let (wide, tall) = (cell[0] + 0.3, cell[1] + 0.3);
        if let Some(path) = path {
            let _infallible = write!(path, "M{x:.1} {y:.1}h{wide:.1}v{tall:.1}h-{wide:.1}z");
        }
    }
    drawing.path("ghost", &ghost);
    for (path, color) in paths.iter().zip(chart.ramp).filter(|(path, _)| !path.is_empty()) {
        drawing.add(format_args!("<path fill=\"{color}\" d=\"{path}\"/>"));
    }
    legend(&mut drawing, chart.ramp, most, is_log);
    let below = cell_marks(&grid.x, chart.x, drawing.width, true);
    drawing.below(&below);
    let up = drawing.height;
    let beside: Vec<(f64, String)> = match upward {
        true => beside.into_iter().map(|(y, label)| (up - y, label)).collect(),
        false => beside,
    };
    drawing.beside(&beside);
    drawing
}

/// Which colour a count has.
fn level(count: u32, most: u32, levels: usize, is_log: bool) -> usize {
    let share = match is_log {
        true => f64::from(count).ln_1p() / f64::from(most).ln_1p(),
        false => f64::from(count) / f64::from(most.max(1)),
    };
    ((share * levels as f64).ceil() as usize).clamp(1, levels) - 1
}

/// From one row to the most, above the plot's right end.
fn legend(drawing: &mut Drawing, ramp: &[String], most: u32, is_log: bool) {
    if most == 0 {
        return;
    }
    let label = format::short_count(u64::from(most));
    let label = if is_log { texts::charts::tallest_log(&label) } else { label };
    let end = drawing.left + drawing.width;
    drawing.text(end, 11.0, "end", &label);
    let right = end - label.chars().count() as f64 * super::LETTER - 6.0;
    let step = LEGEND_WIDTH / ramp.len().max(1) as f64;
    for (at, color) in ramp.iter().enumerate() {
        let x = right - LEGEND_WIDTH + at as f64 * step;
        drawing.add(format_args!(
            "<path fill=\"{color}\" d=\"M{x:.1} 3h{:.1}v9h-{:.1}z\"/>",
            step + 0.3,
            step + 0.3
        ));
    }
    drawing.text(right - LEGEND_WIDTH - 4.0, 11.0, "end", "1");
}
