//! Boxes: quartiles, whiskers, mean and how far values reach, a line for each group; or
//! violins, the smoothed density of each group on one scale.

use std::fmt::Write as _;

use super::{Chart, Drawing, label_width, names};
use crate::protocol::{Mark, Side, Spread};
use crate::scale::Linear;
use crate::state::format;
use crate::state::position::Scalar;
use crate::state::ticks::{X_APART, ticks};

/// A box is no taller than this.
const BOX_MAX: f64 = 30.0;
/// Counts beside the boxes.
const COUNTS: f64 = 44.0;
/// The width of the kernel of a density, in bins.
const KERNEL_BINS: f64 = 1.5;

pub(super) fn draw(chart: &Chart<'_>, size: (f64, f64)) -> Drawing {
    let grid = chart.grid;
    let groups = names(&grid.y);
    let marks: Vec<(f64, String)> = groups.into_iter().map(|name| (0.0, name)).collect();
    let left = if grid.y == Side::One { 10.0 } else { label_width(&marks) };
    let mut drawing = Drawing::new((size.0 - COUNTS, size.1), left);
    drawing.top = 6.0;
    drawing.height = (size.1 - 6.0 - super::BELOW).max(1.0);
    let Side::Bins { edges } = &grid.x else { return drawing };
    let (Some(low), Some(high)) = (edges.first(), edges.last()) else { return drawing };
    let (left, width) = (drawing.left, drawing.width);
    let across = Linear::new([*low, *high], [left, left + width]);
    let line = drawing.height / grid.y.many().max(1) as f64;
    let violins = match chart.mark {
        Mark::Boxes { violin: true, .. } => densities(&grid.counts, edges.len() - 1),
        _ => Vec::new(),
    };
    for (at, spread) in grid.boxes.iter().enumerate() {
        let middle = drawing.top + (at as f64 + 0.5) * line;
        let Some(spread) = spread else { continue };
        let is_muted = chart.chosen.get(at).is_some_and(|chosen| !chosen);
        drawing.add(format_args!("<g class=\"{}\">", if is_muted { "muted" } else { "" }));
        let half = (line * 0.36).min(BOX_MAX / 2.0);
        match violins.get(at) {
            Some(density) => {
                let half = line * 0.46;
                let d = violin(density, [left, width], middle, half);
                drawing.path("box", &d);
                one(&mut drawing, spread, across, middle, (half * 0.16).min(5.0));
            }
            None => one(&mut drawing, spread, across, middle, half),
        }
        drawing.add(format_args!("</g>"));
        drawing.text(left + width + 6.0, middle + 4.0, "start", &format::short_count(spread.count));
    }
    let beside: Vec<(f64, String)> = marks
        .into_iter()
        .enumerate()
        .map(|(at, (_, name))| ((at as f64 + 0.5) * line, name))
        .collect();
    if grid.y != Side::One {
        drawing.beside(&beside);
    }
    let below = ticks([*low, *high], chart.x.unwrap_or(Scalar::Float), width, X_APART);
    let below: Vec<(f64, String)> =
        below.into_iter().map(|(value, label)| (across.position(value) - left, label)).collect();
    drawing.below(&below);
    drawing
}

fn one(drawing: &mut Drawing, spread: &Spread, across: Linear, middle: f64, half: f64) {
    let x = |value: f64| across.position(value);
    let [low, high] = spread.ends.map(x);
    let [from, to] = spread.whiskers.map(x);
    let [first, median, third] = spread.quartiles.map(x);
    let reach = format!("M{low:.1} {middle:.1}H{from:.1}M{to:.1} {middle:.1}H{high:.1}");
    drawing.path("reach", &reach);
    let mut whisker = format!("M{from:.1} {middle:.1}H{first:.1}M{third:.1} {middle:.1}H{to:.1}");
    for end in [from, to] {
        let tall = half * 0.6;
        let _infallible = write!(whisker, "M{end:.1} {:.1}v{:.1}", middle - tall, tall * 2.0);
    }
    drawing.path("whisker", &whisker);
    let (top, tall, wide) = (middle - half, half * 2.0, (third - first).max(0.5));
    drawing.path("box", &format!("M{first:.1} {top:.1}h{wide:.1}v{tall:.1}h-{wide:.1}z"));
    drawing.path("middle", &format!("M{median:.1} {top:.1}v{tall:.1}"));
    let mean = x(spread.mean);
    drawing.path("mean", &format!("M{mean:.1} {:.1}l3 3l-3 3l-3-3z", middle - 3.0));
}

/// The density of each line on one scale: the tallest of all is 1.
fn densities(counts: &[u32], bins: usize) -> Vec<Vec<f64>> {
    let reach = (KERNEL_BINS * 3.0).ceil() as isize;
    let kernel: Vec<f64> =
        (-reach..=reach).map(|at| (-0.5 * (at as f64 / KERNEL_BINS).powi(2)).exp()).collect();
    let mut lines: Vec<Vec<f64>> = counts
        .chunks(bins.max(1))
        .map(|counts| {
            let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
            let smooth = |at: usize| -> f64 {
                let near = kernel.iter().enumerate().filter_map(|(step, weight)| {
                    let from = at.checked_add_signed(step as isize - reach)?;
                    Some(f64::from(*counts.get(from)?) * weight)
                });
                near.sum::<f64>() / total.max(1.0)
            };
            (0..counts.len()).map(smooth).collect()
        })
        .collect();
    let most = lines.iter().flatten().copied().fold(0.0, f64::max);
    lines.iter_mut().flatten().for_each(|density| *density /= most.max(f64::MIN_POSITIVE));
    lines
}

/// Both sides of a density around its line.
fn violin(density: &[f64], [left, width]: [f64; 2], middle: f64, half: f64) -> String {
    const SEEN: f64 = 1e-3;
    let first = density.iter().position(|share| *share > SEEN);
    let last = density.iter().rposition(|share| *share > SEEN);
    let Some((first, last)) = first.zip(last) else { return String::new() };
    let bin = width / density.len() as f64;
    let x = |at: usize| left + (at as f64 + 0.5) * bin;
    let mut d = format!("M{:.1} {middle:.1}", x(first) - bin / 2.0);
    for (sign, turn) in [(-1.0, false), (1.0, true)] {
        let mut at: Vec<usize> = (first..=last).collect();
        if turn {
            at.reverse();
        }
        for at in at {
            let tall = density.get(at).copied().unwrap_or_default() * half;
            let _infallible = write!(d, "L{:.1} {:.1}", x(at), middle + sign * tall);
        }
        if !turn {
            let _infallible = write!(d, "L{:.1} {middle:.1}", x(last) + bin / 2.0);
        }
    }
    d.push('z');
    d
}
