//! A scatter of a table elsewhere: cells of two axes, counted by the companion, as a density.
//! Cells are as wide on screen: of an axis of logarithms they lie between powers.

use std::ops::Range;

use engine::predicate::Predicate;

use crate::draw::density::Density;
use crate::look::{Look, is_named};
use crate::plan::axis_bins;
use crate::plan::read::Answer;
use crate::plan::sides::{GridPlan, SidePlan};
use crate::protocol::{Legend, Mark, MarkResult, Side, View, Viewport};
use crate::worker::answer::place::{NAMES_MAX, extent_of_names};
use crate::worker::bins::{Bins, Extent, Steps};
use crate::worker::canvases::viewport_around;
use crate::worker::cut::Cut;
use crate::worker::numbers::Measure;

use super::ask::{Asking, Picture, Read, View2d, measure_of};
use super::{Remembered, Table};

/// Strips of a name's place; all but the outer ones are drawn, so that places stand apart.
const STRIPS: usize = 10;

/// How a scatter is made of answers.
pub struct ScatterPicture {
    axes: [Axis; 2],
    extents: [[f64; 2]; 2],
    plan: GridPlan,
    /// The places of the counts among the answers.
    counts: Vec<usize>,
    points: usize,
    /// Of the points and of what has no place on an axis of logarithms.
    all: Option<usize>,
}

/// One axis: the cells that are counted, and what is drawn of them.
struct Axis {
    side: SidePlan,
    /// All that is drawn of, in places of the axis, and in how many strips.
    covered: [f64; 2],
    strips: usize,
    /// The strips that show each cell.
    shown: Vec<Range<usize>>,
}

/// The columns of a scatter whose names have places.
pub fn named<'a>(table: &Table, view: &'a View) -> impl Iterator<Item = (&'a String, usize)> {
    let axes = match &view.mark {
        Mark::Scatter { x, y, .. } => [Some(x), Some(y)],
        _ => [None, None],
    };
    let is_named = |name: &&String| table.column(name).is_ok_and(|(_, kind)| is_named(kind));
    let named: Vec<&String> = axes.into_iter().flatten().filter(is_named).collect();
    named.into_iter().map(|name| (name, NAMES_MAX))
}

impl Asking {
    pub fn plan_scatter(
        &mut self,
        table: &Table,
        (names, look): ([&String; 2], Look),
        others: &[Predicate],
        frame: View2d,
        memory: &Remembered,
        extent: &dyn Fn(&str, bool) -> Option<Extent>,
    ) -> Result<Option<Picture>, String> {
        let ends = |axis: usize| ends(table, names[axis], (axis, look), memory, extent);
        let (Some(x_ends), Some(y_ends)) = (ends(0)?, ends(1)?) else { return Ok(None) };
        let seen = frame.viewport.unwrap_or_else(|| viewport_around((x_ends, y_ends)));
        let [width, height] = frame.size.unwrap_or([600.0, 400.0]);
        let axis = |axis: usize, seen: [f64; 2], pixels: f64| {
            plan_axis(table, names[axis], (axis, look), memory, extent, (seen, pixels))
        };
        let axes = (axis(0, seen.x, width)?, axis(1, seen.y, height)?);
        let (Some(x), Some(y)) = axes else { return Ok(None) };
        let plan = GridPlan::new([x.side.clone(), y.side.clone()]);
        let cells = plan.parts.iter().map(|part| table.asked.cells(part, others));
        let counts = cells.map(|query| self.add(query)).collect();
        let mut typed = Vec::new();
        for (axis, name) in names.into_iter().enumerate() {
            let (data_type, kind) = table.column(name)?;
            typed.push((name.as_str(), data_type, look.is_log(axis, kind)));
        }
        let asked = |above: bool| {
            let axes: Vec<_> =
                typed.iter().map(|(name, of, log)| (*name, of, above && *log)).collect();
            table.asked.points(&axes, others)
        };
        let points = self.add(asked(true));
        let all = typed.iter().any(|(.., log)| *log).then(|| self.add(asked(false)));
        let extents = [x_ends, y_ends];
        let picture = ScatterPicture { axes: [x, y], extents, plan, counts, points, all };
        Ok(Some(Picture::Scatter(Box::new(picture))))
    }
}

/// The ends of an axis in its places; `None` where there are no values.
fn ends(
    table: &Table,
    name: &str,
    (axis, look): (usize, Look),
    memory: &Remembered,
    extent: &dyn Fn(&str, bool) -> Option<Extent>,
) -> Result<Option<[f64; 2]>, String> {
    let (data_type, kind) = table.column(name)?;
    if is_named(kind) {
        let (values, other) = tops(memory, name);
        let many = values.len() + usize::from(other);
        return Ok((many > 0).then(|| extent_of_names(many, axis)));
    }
    let measure = measure_of(name, &data_type)?;
    let is_log = look.is_log(axis, kind);
    let ends = extent(name, is_log).map(|extent| extent.in_units(measure));
    Ok(ends.map(|ends| if is_log { ends.map(f64::log10) } else { ends }))
}

fn tops(memory: &Remembered, name: &str) -> (Vec<engine::literal::Literal>, bool) {
    memory.tops.get(&(name.to_owned(), NAMES_MAX)).cloned().unwrap_or_default()
}

fn plan_axis(
    table: &Table,
    name: &str,
    (axis, look): (usize, Look),
    memory: &Remembered,
    extent: &dyn Fn(&str, bool) -> Option<Extent>,
    (seen, pixels): ([f64; 2], f64),
) -> Result<Option<Axis>, String> {
    let (data_type, kind) = table.column(name)?;
    if is_named(kind) {
        let (values, other) = tops(memory, name);
        let many = values.len() + usize::from(other);
        let strips = |place: usize| {
            // Upwards the last name comes first.
            let from = if axis == 1 { many - 1 - place } else { place } * STRIPS;
            from + 1..from + STRIPS - 1
        };
        let side = SidePlan::Names { column: name.to_owned(), values, other };
        let covered = extent_of_names(many, axis);
        let shown = (0..many).map(strips).collect();
        return Ok(Some(Axis { side, covered, strips: many * STRIPS, shown }));
    }
    let measure = measure_of(name, &data_type)?;
    let is_log = look.is_log(axis, kind);
    let Some(extent) = extent(name, is_log) else { return Ok(None) };
    if !is_log {
        let bins = axis_bins(measure, extent, seen, pixels);
        let strips = usize::from(bins.count);
        let side = SidePlan::bins(name, data_type, Cut::Equal(bins));
        let shown = (0..strips).map(|strip| strip..strip + 1).collect();
        return Ok(Some(Axis { side, covered: covered(&bins), strips, shown }));
    }
    let (cut, shown, covered) = powers(measure, extent.in_units(measure), seen, pixels);
    let strips = usize::from(shown.1);
    let side = SidePlan::bins(name, data_type, cut);
    Ok(Some(Axis { side, covered, strips, shown: shown.0 }))
}

/// Bins of equal width in logarithms, those without a whole number left out where values are
/// whole; what strip each is, and how many strips there are.
fn powers(
    measure: Measure,
    [low, high]: [f64; 2],
    seen: [f64; 2],
    pixels: f64,
) -> (Cut, (Vec<Range<usize>>, u16), [f64; 2]) {
    let [start, end] = [low.log10(), high.log10()];
    let extent = Extent::Floats { low: start, high: end };
    let bins = axis_bins(Measure::Float, extent, seen, pixels);
    let covered = covered(&bins);
    let step = (covered[1] - covered[0]) / f64::from(bins.count);
    let closed = measure == Measure::Float;
    let edge = |nth: u16| {
        let at = covered[0] + step * f64::from(nth);
        // The ends are exact, whatever became of their logarithms.
        let edge = match nth {
            0 if at <= start => low,
            _ if at >= end => high,
            _ => 10_f64.powf(at),
        };
        match (closed, at >= end) {
            (true, _) => edge,
            (false, true) => edge.floor() + 1.0,
            (false, false) => edge.ceil(),
        }
    };
    let (mut edges, mut shown) = (vec![edge(0)], Vec::new());
    for nth in 0..bins.count {
        let last = edges.last().copied().unwrap_or_default();
        let next = edge(nth + 1);
        if next > last {
            edges.push(next);
            shown.push(usize::from(nth)..usize::from(nth) + 1);
        }
    }
    if shown.is_empty() {
        // All values are one, or none is in view.
        let first = edges.first().copied().unwrap_or_default();
        edges.push(if closed { first * 2.0 } else { first + 1.0 });
        let is_there = start == end;
        shown.push(0..usize::from(is_there));
    }
    (Cut::Powers { edges, closed }, (shown, bins.count), covered)
}

/// All that the bins cover, the last one whole.
fn covered(bins: &Bins) -> [f64; 2] {
    match bins.steps {
        Steps::Floats { origin, step, .. } => [origin, origin + step * f64::from(bins.count)],
        Steps::Wholes { .. } => bins.domain(),
    }
}

impl ScatterPicture {
    pub fn groups(&self) -> usize {
        self.plan.many()
    }

    pub fn read(self, answers: &[Answer]) -> Read {
        let number = |place: usize| answers.get(place).and_then(Answer::number).unwrap_or_default();
        let cells = self.plan.counts(self.counts.iter().map(|place| answers.get(*place)));
        let [x, y] = &self.axes;
        let mut drawn = vec![0; x.strips * y.strips];
        let lines = cells.chunks(x.shown.len().max(1));
        for (line, strips) in lines.zip(&y.shown) {
            for strip in strips.clone() {
                let to = drawn.get_mut(strip * x.strips..).unwrap_or_default();
                for (count, strips) in line.iter().zip(&x.shown) {
                    to.get_mut(strips.clone()).unwrap_or_default().fill(*count);
                }
            }
        }
        let extent = Viewport { x: x.covered, y: y.covered };
        let density = Density::new(&drawn, x.strips, extent);
        let side = |axis: &Axis| match axis.side.side() {
            Side::Bins { .. } => Side::One,
            names => names,
        };
        let points = number(self.points);
        let result = MarkResult::Scatter {
            x_extent: self.extents[0],
            y_extent: self.extents[1],
            names: Box::new([side(x), side(y)]),
            points,
            without_log: self.all.map_or(0, |all| number(all).saturating_sub(points)),
            legend: Legend::None,
            sizes: None,
            shapes: Box::new(Side::One),
            density: true,
        };
        Read { result, density: Some(density), unknown: None, unfenced: None }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn strips_of_logarithms_hold_all_and_no_whole_number_twice() {
        let (cut, (shown, strips), [from, to]) =
            powers(Measure::Float, [0.3, 7e5], [-9.0, 9.0], 600.0);
        let Cut::Powers { edges, closed: true } = cut else { panic!() };
        assert_eq!((edges[0], *edges.last().unwrap()), (0.3, 7e5));
        // The last strip is that of the very end, which is in the one before.
        assert_eq!((shown.len() + 1, edges.len()), (usize::from(strips), usize::from(strips)));
        assert!((from - 0.3_f64.log10()).abs() < 1e-12 && to >= 7e5_f64.log10() - 1e-12);
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));

        let whole = Measure::Whole { per_unit: 1.0, is_unsigned: false };
        let (cut, (shown, strips), [from, to]) = powers(whole, [1.0, 1000.0], [-0.1, 3.1], 600.0);
        let Cut::Powers { edges, closed: false } = cut else { panic!() };
        assert_eq!((edges[..3].to_vec(), *edges.last().unwrap()), (vec![1.0, 2.0, 3.0], 1001.0));
        let width = (to - from) / f64::from(strips);
        for number in 1..=1000_u32 {
            let number = f64::from(number);
            let cell = edges.partition_point(|edge| *edge <= number) - 1;
            let strip = shown[cell].start as f64;
            let at = (number.log10() - from) / width;
            assert!(
                strip <= at + 1e-6 && at < strip + 1.0 + 1e-6,
                "{number} is at {at}, not {strip}"
            );
        }
        // All values are alike.
        let (cut, (shown, _), _) = powers(whole, [7.0, 7.0], [0.0, 1.0], 600.0);
        assert_eq!((cut.edges(), shown), (vec![7.0, 8.0], vec![0..1]));
    }
}
